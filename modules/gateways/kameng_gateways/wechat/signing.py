"""WeChat Pay's signatures, both ways, and what notifications enclose.

The package wechatpayv3 does the arithmetic. Its client is not used: its host is fixed, it shares one dictionary of headers
between all calls, believes answers of an error without their signature, takes signed messages of any age, and asks the network
for a certificate when it meets a serial number that it does not know.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from kameng_gateways.keys import private_key, public_key
from kameng_gateways.moments import is_stale, read_seconds
from kameng_gateways.wechat.settings import WeChatSettings
from kameng_settlement.gateway_contract import GatewayMisconfigured, NotificationRefused

SIGNATURE_TYPE = "WECHATPAY2-SHA256-RSA2048"


def authorization(settings: WeChatSettings, merchant: str, method: str, target: str, body: str) -> str:
    """The ``Authorization`` of a request.

    Args:
        settings: of the account.
        merchant: its ``mchid``.
        method: of HTTP.
        target: path and query.
        body: the very text that is sent.
    """
    # Imported here: a process that never meets WeChat Pay need not know the package.
    from wechatpayv3.async_.utils import build_authorization

    key = private_key(settings.private_key)
    signed: str = build_authorization(target, method, merchant, settings.certificate_serial, key, data=body)
    return signed


def page_signature(settings: WeChatSettings, *lines: str) -> str:
    """The signature with which a page asks the WeChat app to pay."""
    from wechatpayv3.async_.utils import rsa_sign  # as above

    signed: str = rsa_sign(private_key(settings.private_key), "\n".join(lines) + "\n")
    return signed


def verify(settings: WeChatSettings, headers: Mapping[str, str], body: bytes, now: datetime) -> None:
    """Check that WeChat Pay signed these very bytes, just now.

    Args:
        settings: of the account.
        headers: by lower-case name.
        body: as it came.
        now: what the signature's time is measured against, UTC.

    Raises:
        NotificationRefused: it did not.
    """
    if not settings.platform_keys:
        raise NotificationRefused("SECRET", "No key of WeChat Pay is known to verify with.")
    if headers.get("wechatpay-signature-type", SIGNATURE_TYPE) != SIGNATURE_TYPE:
        raise NotificationRefused("SIGNATURE", "The kind of signature is not one that is taken.")
    when, nonce = headers.get("wechatpay-timestamp", ""), headers.get("wechatpay-nonce", "")
    signed_at = read_seconds(when)
    if signed_at is None or is_stale(signed_at, now):
        raise NotificationRefused("STALE", "It was signed too long ago, or has no time.")
    text = _known(settings, headers.get("wechatpay-serial", ""))
    if text is None:
        raise NotificationRefused("SERIAL", "It is signed with a key that is not known.")
    from wechatpayv3.async_.utils import rsa_verify  # as above

    try:
        content = body.decode("utf-8")
    except UnicodeDecodeError as error:
        raise NotificationRefused("SIGNATURE", "It is no text, so it was not signed.") from error
    try:
        key = public_key(text, now)
    except GatewayMisconfigured as error:
        raise NotificationRefused("SECRET", error.message) from error
    signature = headers.get("wechatpay-signature", "")
    if not signature or not rsa_verify(when, nonce, content, signature, key):
        raise NotificationRefused("SIGNATURE", "The signature is wrong.")


def open_resource(settings: WeChatSettings, nonce: str, associated: str, ciphertext: str) -> str | None:
    """What a notification encloses; None where the APIv3 key does not open it."""
    from wechatpayv3.async_.utils import aes_decrypt  # as above

    try:
        opened: str | None = aes_decrypt(nonce, ciphertext, associated, settings.api_v3_key)
    except ValueError:  # a nonce, key or base64 of an impossible length
        return None
    return opened


def _known(settings: WeChatSettings, serial: str) -> str | None:
    """The text of a key, by its serial number; hexadecimal ones are written in either case."""
    if not serial:
        return None
    found = settings.platform_keys.get(serial)
    if found is None:
        found = next(
            (key for name, key in settings.platform_keys.items() if name.upper() == serial.upper()), None
        )
    return found
