"""Details are stored as they are, except for what must not or cannot be."""

from datetime import UTC, datetime
from decimal import Decimal
from uuid import uuid4

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kameng.audit import AuditEntryError, SecretInEntryError
from kameng.audit.details import details_json, names_secret, storable
from kameng.vault import Secret

json_values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**63 - 1)
    | st.text()
    | st.floats(allow_nan=False, allow_infinity=False),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=12,
)


SECRET_KEYS = """
    password Password new_password newPassword passwords passphrase secret client_secret token accessToken
    refresh-token API_TOKEN api_key apiKey APIKey apikey private_key otp totp_seed pin cvv Authorization cookie
    card_code cardCodes credentials
"""


@pytest.mark.parametrize("key", SECRET_KEYS.split())
def test_values_of_keys_that_name_a_secret_are_masked(key):
    assert names_secret(key)
    assert details_json({key: "hunter2", "list": [{"inner": {key: ["hunter2"]}}]}) == (
        orjson.dumps({key: "***", "list": [{"inner": {key: "***"}}]}).decode()
    )


@pytest.mark.parametrize(
    "key",
    [
        "amount",
        "pinned",
        "shipping",
        "key",
        "monkey",
        "public_key",
        "code",
        "card",
        "spinner",
        "tokyo",
        "",
        "密码锁",
    ],
)
def test_other_keys_keep_their_values(key):
    assert not names_secret(key)
    assert orjson.loads(details_json({key: "visible"})) == {key: "visible"}


def test_that_a_secret_was_absent_is_no_secret():
    assert details_json({"token": None}) == '{"token":null}'


@pytest.mark.parametrize(
    "details",
    [{"card": Secret("ABCD")}, {"cards": [{"value": Secret("ABCD")}]}, {"password": Secret("ABCD")}],
    ids=["plain", "nested", "under a masked key"],
)
def test_a_secret_is_refused_wherever_it_stands(details):
    with pytest.raises(SecretInEntryError) as caught:
        details_json(details)
    assert caught.value.code == "AUDIT_SECRET_REFUSED"
    assert "ABCD" not in str(caught.value)


def test_the_refusal_names_the_place():
    with pytest.raises(SecretInEntryError, match=r"detail cards\.1\.value of"):
        details_json({"cards": [{}, {"value": Secret("ABCD")}]})


@pytest.mark.parametrize(
    ("details", "reason"),
    [
        ({"at": datetime.now(UTC)}, "at is of type datetime"),
        ({"price": Decimal("1.5")}, "price is of type Decimal"),
        ({"raw": b"bytes"}, "raw is of type bytes"),
        ({"ids": [1, uuid4()]}, r"ids\.1 is of type UUID"),
        ({"map": {1: "x"}}, "the key 1 is no text"),
        ({"number": 2**70}, "64-bit"),
    ],
)
def test_what_is_no_json_is_refused_with_its_place(details, reason):
    with pytest.raises(AuditEntryError, match=reason) as caught:
        details_json(details)
    assert caught.value.code == "AUDIT_ENTRY_INVALID"


def test_details_without_end_are_refused():
    endless = {}
    endless["self"] = endless
    with pytest.raises(AuditEntryError, match="no JSON"):
        details_json(endless)


def test_too_many_details_are_refused():
    details_json({"text": "x" * 32_757})
    with pytest.raises(AuditEntryError, match="have 32769 bytes"):
        details_json({"text": "x" * 32_758})


@given(st.text())
def test_text_loses_only_what_postgresql_cannot_store(text):
    stored = storable(text)

    assert "\0" not in stored.encode().decode()
    if "\0" not in text and not any(0xD800 <= ord(character) < 0xE000 for character in text):
        assert stored == text


@pytest.mark.parametrize(
    ("text", "stored"),
    [("a\0b", "a\ufffdb"), ("a\ud800b", "a\ufffdb"), ("充值\0", "充值\ufffd"), ("😀", "😀")],
)
def test_nul_and_lone_surrogates_are_replaced(text, stored):
    assert storable(text) == stored


@given(st.dictionaries(st.text(max_size=8), json_values, max_size=4))
def test_any_json_of_ours_can_be_written(details):
    orjson.loads(details_json(details))
