"""Calls to WeChat Pay: signed, their answers verified, and what an error of theirs means for the money."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlsplit

import msgspec

from kameng_gateways.calling import HttpAnswer, call
from kameng_gateways.reading import Unreadable, read_object, text
from kameng_gateways.wechat.settings import settings_of
from kameng_gateways.wechat.signing import authorization, verify
from kameng_settlement.gateway_contract import (
    GatewayNotReached,
    GatewayRefused,
    GatewayUnanswered,
    MerchantAccount,
    NotificationRefused,
)


class WeChatAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """A verified answer.

    Attributes:
        values: its object; empty of an answer without a body.
        raw: its bytes.
    """

    values: Mapping[str, Any]
    raw: bytes


async def ask(account: MerchantAccount, target: str) -> WeChatAnswer:
    """A ``GET``; see `send`."""
    return await _call(account, "GET", target, "")


async def send(account: MerchantAccount, target: str, values: Mapping[str, Any]) -> WeChatAnswer:
    """A ``POST`` of an object.

    Raises:
        GatewayNotReached: nothing was sent, or we call too often.
        GatewayUnanswered: no answer came, one that says nothing certain, or one that WeChat Pay did not sign: a page of a
            proxy that reads "404" must not make a payment look as if it never was.
        GatewayRefused: WeChat Pay refused, and says so under its signature.
    """
    return await _call(account, "POST", target, msgspec.json.encode(values).decode())


async def download(account: MerchantAccount, url: str, longest: int) -> HttpAnswer:
    """A bill from the address that WeChat Pay named; the request is signed, its answer is not."""
    settings = settings_of(account)
    parts, own = urlsplit(url), urlsplit(settings.api_url)
    if (parts.scheme, parts.netloc) != (own.scheme, own.netloc):
        raise GatewayRefused("WeChat Pay named an address of a bill that is not its own.", reason="HOST")
    target = f"{parts.path}?{parts.query}"
    signed = authorization(settings, account.merchant, "GET", target, "")
    headers = {"authorization": signed, "accept": "*/*"}
    return await call(account, "GET", url, headers=headers, longest=longest)


async def _call(account: MerchantAccount, method: str, target: str, body: str) -> WeChatAnswer:
    settings = settings_of(account)
    headers = {
        "accept": "application/json",
        "content-type": "application/json",
        "authorization": authorization(settings, account.merchant, method, target, body),
    }
    known_by_id = [name for name in settings.platform_keys if name.startswith("PUB_KEY_ID_")]
    if known_by_id:
        headers["wechatpay-serial"] = known_by_id[0]  # asks for answers that are signed with this key
    answer = await call(
        account, method, settings.api_url.rstrip("/") + target, headers=headers, body=body.encode()
    )
    try:
        verify(settings, answer.headers, answer.body, datetime.now(UTC))
    except NotificationRefused as error:
        raise GatewayUnanswered(
            f"WeChat Pay's answer ({answer.status}) cannot be believed: {error.message}",
            cure="Check the merchant number, the certificate's serial number and the keys of WeChat Pay.",
        ) from error
    values: dict[str, Any] = {}
    if answer.body:
        try:
            values = read_object(answer.body)
        except Unreadable as error:
            raise GatewayUnanswered(f"WeChat Pay's answer ({answer.status}) cannot be read.") from error
    if answer.status in (200, 202, 204):
        return WeChatAnswer(values=values, raw=answer.body)
    code = text(values, "code")[:64]
    if answer.status == 429:
        raise GatewayNotReached("WeChat Pay says that we call too often.", cure="Wait a little.")
    if 400 <= answer.status < 500 and code and code != "SYSTEM_ERROR":
        raise GatewayRefused(f"WeChat Pay refused: {code} ({text(values, 'message')[:200]}).", reason=code)
    raise GatewayUnanswered(f"WeChat Pay answered {answer.status} {code}.".strip())
