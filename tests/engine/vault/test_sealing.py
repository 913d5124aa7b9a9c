"""What is sealed is opened as it was by the same key and place, and by nothing else."""

from uuid import UUID

import pytest
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from hypothesis import given
from hypothesis import strategies as st

from kameng.vault import DataKeyBrokenError, SealBrokenError, SealUnknownError
from kameng.vault.sealing import OVERHEAD, seal, unseal, unwrap, wrap

KEY = UUID(int=1)
keys = st.binary(min_size=32, max_size=32)
plaintexts = st.binary(max_size=300)
places = st.binary(max_size=60)


def open_one(key, sealed, aad):
    return unseal({KEY: AESGCM(key)}, [(KEY, sealed, aad)])[0]


@given(keys, st.lists(st.tuples(plaintexts, places), max_size=20))
def test_what_is_sealed_is_opened_in_order(key, items):
    aead = AESGCM(key)
    sealed = seal(aead, items)

    opened = unseal({KEY: aead}, [(KEY, value, aad) for value, (_, aad) in zip(sealed, items, strict=True)])
    assert opened == [plaintext for plaintext, _ in items]


@given(keys, plaintexts, places)
def test_the_format_is_a_version_a_nonce_and_the_standard_cipher(key, plaintext, aad):
    (sealed,) = seal(AESGCM(key), [(plaintext, aad)])

    assert sealed[:1] == b"\x01"
    assert len(sealed) == len(plaintext) + OVERHEAD == len(plaintext) + 29
    assert AESGCM(key).decrypt(sealed[1:13], sealed[13:], b"\x01" + aad) == plaintext


@given(keys, plaintexts, places, st.data())
def test_any_changed_bit_is_found(key, plaintext, aad, data):
    (sealed,) = seal(AESGCM(key), [(plaintext, aad)])
    bit = data.draw(st.integers(0, len(sealed) * 8 - 1))
    spoiled = bytearray(sealed)
    spoiled[bit // 8] ^= 1 << bit % 8

    with pytest.raises(SealBrokenError) as caught:
        open_one(key, bytes(spoiled), aad)
    assert isinstance(caught.value, SealUnknownError) == (bit < 8)


@given(keys, plaintexts, places, st.data())
def test_a_value_that_was_cut_or_lengthened_is_found(key, plaintext, aad, data):
    (sealed,) = seal(AESGCM(key), [(plaintext, aad)])
    spoiled = data.draw(
        st.one_of(
            st.integers(0, len(sealed) - 1).map(lambda length: sealed[:length]),
            st.binary(min_size=1, max_size=20).map(lambda more: sealed + more),
        )
    )
    with pytest.raises(SealBrokenError):
        open_one(key, spoiled, aad)


@given(keys, plaintexts, places, places)
def test_another_place_does_not_open_it(key, plaintext, aad, other):
    (sealed,) = seal(AESGCM(key), [(plaintext, aad)])

    if other == aad:
        assert open_one(key, sealed, other) == plaintext
    else:
        with pytest.raises(SealBrokenError, match="does not authenticate"):
            open_one(key, sealed, other)


@given(keys, keys, plaintexts, places)
def test_another_key_does_not_open_it(key, other, plaintext, aad):
    (sealed,) = seal(AESGCM(key), [(plaintext, aad)])

    if other != key:
        with pytest.raises(SealBrokenError):
            open_one(other, sealed, aad)


def test_nonces_do_not_repeat():
    aead = AESGCM(bytes(32))
    sealed = [value for _ in range(20) for value in seal(aead, [(b"same", b"same")] * 1000)]

    assert len({value[1:13] for value in sealed}) == 20_000


def test_of_many_one_broken_value_opens_none_and_is_named():
    aead = AESGCM(bytes(32))
    items = [(b"code %d" % number, b"%d" % number) for number in range(10)]
    sealed = [(KEY, value, aad) for value, (_, aad) in zip(seal(aead, items), items, strict=True)]
    sealed[7] = (KEY, sealed[6][1], b"7")  # another card's value in its place

    with pytest.raises(SealBrokenError, match="value 7") as caught:
        unseal({KEY: aead}, sealed)

    assert caught.value.index == 7
    assert caught.value.code == "VAULT_SEAL_BROKEN"
    assert "code" not in str(caught.value)
    assert caught.value.__cause__ is None


def test_a_newer_format_is_told_apart_from_damage():
    (sealed,) = seal(AESGCM(bytes(32)), [(b"code", b"")])

    with pytest.raises(SealUnknownError, match="no format") as caught:
        open_one(bytes(32), b"\x02" + sealed[1:], b"")
    assert caught.value.code == "VAULT_SEAL_UNKNOWN"


@given(
    keys,
    keys,
    st.integers(1, 2**31 - 1),
    st.uuids(),
    st.text(max_size=40).filter(lambda text: text.isprintable()),
)
def test_a_data_key_is_unwrapped_as_it_was(master, key, version, key_id, scope):
    wrapped = wrap(master, version, key_id, scope, key)

    assert len(wrapped) == 61
    assert unwrap(master, version, key_id, scope, wrapped) == key


@pytest.mark.parametrize(
    ("master", "version", "key_id", "scope"),
    [
        (b"\x01" * 32, 1, KEY, "cards:1"),
        (bytes(32), 2, KEY, "cards:1"),
        (bytes(32), 1, UUID(int=2), "cards:1"),
        (bytes(32), 1, KEY, "cards:2"),
        (bytes(32), 1, KEY, ""),
    ],
    ids=["other master", "other version", "other id", "other scope", "no scope"],
)
def test_a_data_key_is_bound_to_its_master_its_id_and_its_scope(master, version, key_id, scope):
    wrapped = wrap(bytes(32), 1, KEY, "cards:1", b"k" * 32)

    with pytest.raises(DataKeyBrokenError, match="does not authenticate") as caught:
        unwrap(master, version, key_id, scope, wrapped)
    assert caught.value.code == "VAULT_KEY_BROKEN"


@given(st.binary(max_size=61))
def test_no_bytes_pass_for_a_wrapped_key(wrapped):
    with pytest.raises(DataKeyBrokenError):
        unwrap(bytes(32), 1, KEY, "cards:1", wrapped)
