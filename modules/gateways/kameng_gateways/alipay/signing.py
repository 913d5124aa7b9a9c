"""Alipay's signatures (RSA2), both ways.

The package python-alipay-sdk makes and checks them. Its calls are not used: they block, go to a fixed host, and find what an
answer's signature covers by counting braces, which a brace within a text upsets.
"""

from __future__ import annotations

import binascii
import json
from collections.abc import Mapping
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)

from kameng_gateways.alipay.settings import AlipaySettings
from kameng_gateways.keys import holds, private_key, public_key
from kameng_gateways.reading import Unreadable, read_object

if TYPE_CHECKING:
    from alipay import AliPay


def signed_form(settings: AlipaySettings, values: Mapping[str, str]) -> str:
    """A request as a form, signed."""
    # The package writes into what it is given.
    return str(_sdk(settings).sign_data(dict(values)))


def form_holds(settings: AlipaySettings, form: Mapping[str, str]) -> bool:
    """Whether Alipay signed a notification: all its fields, sorted, but for ``sign`` and ``sign_type``."""
    from alipay.exceptions import AliPayException  # imported here, as in `_sdk`

    signature = form.get("sign", "")
    if not signature or form.get("sign_type") != "RSA2":
        return False
    signed = {key: value for key, value in form.items() if key != "sign"}
    try:
        return bool(_sdk(settings).verify(signed, signature))
    except (AliPayException, binascii.Error, ValueError):
        return False


def answer_of(settings: AlipaySettings, body: str, method: str) -> tuple[dict[str, Any], str] | None:
    """What Alipay answers to a method, and the very text that it signed; None where it is not signed by Alipay.

    Args:
        settings: of the account.
        body: the answer.
        method: such as ``alipay.trade.query``.

    Raises:
        Unreadable: the answer is no object, or has no member for the method.
    """
    members = _members(body)
    key = method.replace(".", "_") + "_response"
    content = members.get(key)
    signature = members.get("sign")
    if content is None:
        raise Unreadable(f"there is no {key}")
    values = read_object(content)
    if signature is None:
        return None
    signed = json.loads(signature)
    key_of_alipay = public_key(settings.alipay_public_key)
    if not isinstance(signed, str) or not holds(key_of_alipay, content.encode(), signed):
        return None
    return values, content


def _members(body: str) -> dict[str, str]:
    """The members of a JSON object, each as the text that stands there: Alipay signs that text, spaces, escapes and all."""
    decoder = json.JSONDecoder(parse_float=str)
    found: dict[str, str] = {}
    try:
        at = _after(body, 0, "{")
        while True:
            key, at = decoder.raw_decode(body, _skip(body, at))
            at = _skip(body, _after(body, at, ":"))
            _, end = decoder.raw_decode(body, at)
            if not isinstance(key, str) or key in found:
                raise Unreadable("a member stands there twice")
            found[key] = body[at:end]
            at = _skip(body, end)
            if body[at] == "}":
                return found
            at = _after(body, at, ",")
    except (ValueError, IndexError, RecursionError) as error:
        raise Unreadable("this is no JSON object") from error


def _skip(body: str, at: int) -> int:
    while body[at] in " \t\r\n":
        at += 1
    return at


def _after(body: str, at: int, sign: str) -> int:
    at = _skip(body, at)
    if body[at] != sign:
        raise Unreadable("this is no JSON object")
    return at + 1


def _sdk(settings: AlipaySettings) -> AliPay:
    return _made(settings.app_id, settings.private_key, settings.alipay_public_key)


@lru_cache(maxsize=64)
def _made(app_id: str, own: str, theirs: str) -> AliPay:
    # Imported here: a process that never meets Alipay need not know the package, which brings a library of cryptography.
    from alipay import AliPay

    own_pem = private_key(own).private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    their_pem = public_key(theirs).public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    return AliPay(
        appid=app_id,
        app_notify_url=None,
        app_private_key_string=own_pem.decode(),
        alipay_public_key_string=their_pem.decode(),
        sign_type="RSA2",
    )
