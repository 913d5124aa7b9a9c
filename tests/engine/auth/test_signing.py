"""A signed request fits its signature, is fresh, and comes once."""

import asyncio
import dataclasses
import hashlib
import hmac

import pytest
from redis.asyncio import Redis

from kameng.auth import Nonces, Signature, SignatureInvalid, read_signature, sign, verify
from kameng.errors import Unauthenticated, UnavailableError
from kameng.ids import new_id

SECRET = b"0123456789abcdef0123456789abcdef"
NOW = 1_767_225_600
NONCE = "n" * 16
REQUEST = ("POST", "/open/v1/orders?dry_run=1", b'{"sku":"QB-100"}')


def signed(**changes):
    return dataclasses.replace(sign("kmk_1", SECRET, *REQUEST, timestamp=NOW, nonce=NONCE), **changes)


def test_the_signature_is_the_documented_hmac_of_the_documented_lines():
    body = hashlib.sha256(REQUEST[2]).hexdigest()
    lines = f"kameng-1\n1767225600\nnnnnnnnnnnnnnnnn\nPOST\n/open/v1/orders?dry_run=1\n{body}"
    assert signed().headers() == {
        "X-Kameng-Key": "kmk_1",
        "X-Kameng-Timestamp": "1767225600",
        "X-Kameng-Nonce": NONCE,
        "X-Kameng-Signature": "v1=" + hmac.new(SECRET, lines.encode(), hashlib.sha256).hexdigest(),
    }


def test_what_was_signed_is_verified_after_its_way_through_the_headers():
    headers = {name.lower(): value for name, value in signed().headers().items()}
    assert read_signature(headers) == signed()
    verify(read_signature(headers), SECRET, *REQUEST, now=NOW)


@pytest.mark.parametrize(
    ("method", "target", "body"),
    [
        ("PUT", REQUEST[1], REQUEST[2]),
        ("POST", "/open/v1/orders?dry_run=0", REQUEST[2]),
        ("POST", "/open/v1/orders", REQUEST[2]),
        ("POST", REQUEST[1], b'{"sku":"QB-101"}'),
        ("POST", REQUEST[1], b""),
    ],
)
def test_another_request_does_not_fit(method, target, body):
    with pytest.raises(SignatureInvalid, match="does not fit"):
        verify(signed(), SECRET, method, target, body, now=NOW)


@pytest.mark.parametrize(
    "changes", [{"timestamp": NOW + 1}, {"nonce": "m" * 16}, {"digest": "0" * 64}, {"digest": ""}]
)
def test_a_changed_signature_does_not_fit(changes):
    with pytest.raises(SignatureInvalid, match="does not fit"):
        verify(signed(**changes), SECRET, *REQUEST, now=NOW)


def test_another_secret_does_not_fit():
    with pytest.raises(SignatureInvalid, match="does not fit"):
        verify(signed(), SECRET[::-1], *REQUEST, now=NOW)


def test_the_time_may_be_off_by_the_tolerance_and_no_more():
    for now in (NOW - 300, NOW + 300):
        verify(signed(), SECRET, *REQUEST, now=now)
    for now in (NOW - 301, NOW + 301):
        with pytest.raises(SignatureInvalid, match="off by more than 300 s") as refused:
            verify(signed(), SECRET, *REQUEST, now=now)
        assert refused.value.code == "SIGNATURE_INVALID"
        assert isinstance(refused.value, Unauthenticated)


def test_no_line_feed_moves_a_piece_of_the_request_elsewhere():
    with pytest.raises(SignatureInvalid, match="control character"):
        sign("kmk_1", SECRET, "POST", "/a\n/b", b"")


def test_a_short_secret_is_a_mistake_of_the_program():
    with pytest.raises(ValueError, match="16 bytes"):
        sign("kmk_1", b"short", *REQUEST)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("x-kameng-key", ""),
        ("x-kameng-timestamp", "soon"),
        ("x-kameng-timestamp", "-1"),
        ("x-kameng-nonce", "short"),
        ("x-kameng-nonce", "n" * 65),
        ("x-kameng-signature", "0" * 64),
        ("x-kameng-signature", "v1=" + "A" * 64),
    ],
)
def test_headers_that_cannot_be_read_are_no_signature(name, value):
    headers = {key.lower(): text for key, text in signed().headers().items()}
    for broken in ({**headers, name: value}, {key: text for key, text in headers.items() if key != name}):
        with pytest.raises(SignatureInvalid, match="not signed"):
            read_signature(broken)


def test_two_signatures_of_one_request_have_two_nonces():
    one, two = sign("kmk_1", SECRET, *REQUEST), sign("kmk_1", SECRET, *REQUEST)
    assert one.nonce != two.nonce
    verify(one, SECRET, *REQUEST)
    verify(two, SECRET, *REQUEST)


def fresh_signature():
    return sign(f"kmk_{new_id()}", SECRET, *REQUEST)


async def test_the_same_request_is_accepted_once(kernel):
    signature = fresh_signature()
    await kernel.auth.accept_signature(signature, SECRET, *REQUEST)
    with pytest.raises(SignatureInvalid, match="accepted before"):
        await kernel.auth.accept_signature(signature, SECRET, *REQUEST)


async def test_of_many_at_once_over_two_kernels_one_is_accepted(start):
    one, two = await start(), await start()
    signature = fresh_signature()
    results = await asyncio.gather(
        *(kernel.auth.accept_signature(signature, SECRET, *REQUEST) for kernel in (one, two) * 10),
        return_exceptions=True,
    )
    assert results.count(None) == 1
    assert {type(result) for result in results} == {type(None), SignatureInvalid}


async def test_a_wrong_signature_uses_no_nonce_up(kernel):
    signature = fresh_signature()
    with pytest.raises(SignatureInvalid, match="does not fit"):
        await kernel.auth.accept_signature(signature, SECRET[::-1], *REQUEST)
    await kernel.auth.accept_signature(signature, SECRET, *REQUEST)


async def test_two_keys_may_use_the_same_nonce(kernel):
    await kernel.auth.nonces.claim(Signature(f"a{new_id()}", NOW, NONCE, ""))
    await kernel.auth.nonces.claim(Signature(f"b{new_id()}", NOW, NONCE, ""))


async def test_a_nonce_is_remembered_for_longer_than_a_signature_holds(kernel):
    signature = fresh_signature()
    before = {key async for key in kernel.valkey.scan_iter("kameng:nonce:*")}
    await kernel.auth.accept_signature(signature, SECRET, *REQUEST)
    (key,) = {key async for key in kernel.valkey.scan_iter("kameng:nonce:*")} - before
    assert 600 < await kernel.valkey.ttl(key) <= 602
    assert signature.nonce.encode() not in key


async def test_without_valkey_no_signed_request_is_accepted():
    async with Redis.from_url("redis://127.0.0.1:1") as away:
        with pytest.raises(UnavailableError):
            await Nonces(away).claim(fresh_signature())
