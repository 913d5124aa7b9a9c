"""The key ring holds one key for each purpose and refuses what would lose data."""

from base64 import b64decode, b64encode

import msgspec
import pytest

from kameng.errors import BootError
from kameng.vault import KeyRing, KeyRingInvalidError, MasterKeyUnknownError
from kameng.vault.key_ring import Purpose


def written(ring):
    return msgspec.json.decode(ring.text().reveal())


def parse(data):
    return KeyRing.parse(msgspec.json.encode(data))


def test_a_fresh_ring_has_three_independent_keys_of_256_bits():
    ring, other = KeyRing.fresh(), KeyRing.fresh()

    assert [(key.version, key.purpose) for key in ring.keys] == [
        (1, Purpose.WRAPPING),
        (2, Purpose.BLIND_INDEX),
        (3, Purpose.SIGNING),
    ]
    keys = {key.secret.reveal() for key in (*ring.keys, *other.keys)}
    assert len(keys) == 6
    assert {len(key) for key in keys} == {32}


def test_a_ring_is_read_as_it_was_written():
    ring = KeyRing.fresh().with_new(Purpose.WRAPPING)

    assert KeyRing.parse(ring.text().reveal()) == ring


def test_the_written_form_is_stable():
    ring = KeyRing.fresh()
    data = written(ring)

    assert data["format"] == 1
    assert list(data["keys"][0]) == ["version", "purpose", "created", "key"]
    assert b64decode(data["keys"][0]["key"]) == ring.keys[0].secret.reveal()
    assert data["keys"][1]["purpose"] == "blind-index"


def test_a_new_key_is_the_newest_of_its_purpose_and_the_old_ones_stay():
    ring = KeyRing.fresh()
    newer = ring.with_new(Purpose.WRAPPING)

    assert newer.newest(Purpose.WRAPPING).version == 4
    assert newer.get(1, Purpose.WRAPPING) == ring.get(1, Purpose.WRAPPING)
    assert newer.newest(Purpose.BLIND_INDEX) == ring.newest(Purpose.BLIND_INDEX)
    assert newer.without(1).of(Purpose.WRAPPING) == (newer.newest(Purpose.WRAPPING),)


def test_a_key_is_found_only_for_its_purpose():
    ring = KeyRing.fresh()

    with pytest.raises(MasterKeyUnknownError, match="no wrapping key of version 2"):
        ring.get(2, Purpose.WRAPPING)
    with pytest.raises(MasterKeyUnknownError, match="no signing key of version 9"):
        ring.get(9, Purpose.SIGNING)


def test_fingerprints_tell_keys_apart_and_are_not_the_keys():
    ring = KeyRing.fresh()

    assert len({key.fingerprint for key in ring.keys}) == 3
    assert all(key.fingerprint not in key.secret.reveal() for key in ring.keys)
    assert KeyRing.parse(ring.text().reveal()).keys[0].fingerprint == ring.keys[0].fingerprint


def change(position, **values):
    def apply(data):
        data["keys"][position].update(values)

    return apply


def same_key_twice(data):
    data["keys"][2]["key"] = data["keys"][0]["key"]


def second_blind_index(data):
    data["keys"].append({**data["keys"][1], "version": 4, "key": b64encode(bytes(32)).decode()})


@pytest.mark.parametrize(
    ("spoil", "reason"),
    [
        (change(0, version=2), "positive, unique and ascending"),
        (change(0, version=0), "positive, unique and ascending"),
        (change(0, key=b64encode(bytes(16)).decode()), "not 32 bytes"),
        (change(0, key="not base64!"), "version 1 is no base64"),
        (change(0, purpose="everything"), "Invalid enum value"),
        (change(0, note="hello"), "unknown field `note`"),
        (change(0, created="yesterday"), "Invalid RFC3339"),
        (lambda data: data.update(format=2), "its format is 2"),
        (lambda data: data["keys"].pop(1), "no key for the purpose blind-index"),
        (same_key_twice, "two versions are the same key"),
        (second_blind_index, "more than one blind-index key"),
    ],
)
def test_an_unusable_ring_is_refused_with_the_reason(spoil, reason):
    data = written(KeyRing.fresh())
    spoil(data)

    with pytest.raises(KeyRingInvalidError, match=reason) as caught:
        parse(data)

    assert isinstance(caught.value, BootError)
    assert caught.value.code == "VAULT_KEYS_INVALID"
    assert not any(key["key"] in str(caught.value) for key in data["keys"])


@pytest.mark.parametrize("text", [b"", b"{", b"[]", b"null", b"\xff\xfe", b'{"format":1}'])
def test_text_that_is_no_ring_is_refused(text):
    with pytest.raises(KeyRingInvalidError):
        KeyRing.parse(text)
