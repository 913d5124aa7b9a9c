"""Calls to Alipay: signed forms, their answers verified, and what an error of theirs means for the money."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, Final

import msgspec

from kameng_gateways.alipay.settings import settings_of
from kameng_gateways.alipay.signing import answer_of, signed_form
from kameng_gateways.calling import call
from kameng_gateways.moments import china_text
from kameng_gateways.reading import Unreadable, text
from kameng_settlement.gateway_contract import (
    GatewayNotReached,
    GatewayRefused,
    GatewayUnanswered,
    MerchantAccount,
)

NOT_CERTAIN: Final = frozenset(
    {"ACQ.SYSTEM_ERROR", "SYSTEM_ERROR", "AOP.ACQ.SYSTEM_ERROR", "AOP.UNKNOW-ERROR", "ISP.UNKNOW-ERROR"}
)
"""Codes that come with a failure of Alipay's own: whether something came of the request is open."""


class AlipayAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """A verified answer whose ``code`` is 10000.

    Attributes:
        values: the object.
        raw: the bytes that Alipay signed.
    """

    values: Mapping[str, Any]
    raw: bytes


def request_values(
    account: MerchantAccount,
    method: str,
    content: Mapping[str, Any],
    *,
    return_url: str = "",
    notify: bool = False,
) -> dict[str, str]:
    """The fields of a request before they are signed."""
    values = {
        "app_id": settings_of(account).app_id,
        "method": method,
        "format": "JSON",
        "charset": "utf-8",
        "sign_type": "RSA2",
        "timestamp": china_text(datetime.now(UTC)),
        "version": "1.0",
        "biz_content": msgspec.json.encode(content).decode(),
    }
    if notify:
        values["notify_url"] = account.notify_url
    if return_url:
        values["return_url"] = return_url
    return values


async def send(
    account: MerchantAccount, method: str, content: Mapping[str, Any], *, notify: bool = False
) -> AlipayAnswer:
    """Call a method.

    Raises:
        GatewayNotReached: nothing was sent, or we call too often.
        GatewayUnanswered: no answer came, one that says nothing certain, or one that Alipay did not sign.
        GatewayRefused: Alipay refused, and says so under its signature; the reason is its ``sub_code``.
    """
    settings = settings_of(account)
    form = signed_form(settings, request_values(account, method, content, notify=notify))
    headers = {"content-type": "application/x-www-form-urlencoded;charset=utf-8"}
    answer = await call(account, "POST", settings.api_url, headers=headers, body=form.encode())
    if answer.status != 200:
        raise GatewayUnanswered(f"Alipay answered {answer.status}.")
    try:
        found = answer_of(settings, answer.body.decode("utf-8"), method)
    except (Unreadable, UnicodeDecodeError) as error:
        raise GatewayUnanswered("Alipay's answer cannot be read.") from error
    if found is None:
        raise GatewayUnanswered(
            "Alipay's answer is not signed with its key.",
            cure="Check the application's number and both keys.",
        )
    values, raw = found
    code, reason = text(values, "code"), text(values, "sub_code")[:64]
    if code == "10000":
        return AlipayAnswer(values=values, raw=raw.encode())
    if code == "40004" or code.startswith("4000"):
        if reason.upper() in NOT_CERTAIN:
            raise GatewayUnanswered(f"Alipay failed: {reason}.")
        if reason.lower().endswith("-call-limited"):
            raise GatewayNotReached("Alipay says that we call too often.", cure="Wait a little.")
        said = text(values, "sub_msg")[:200] or text(values, "msg")[:200]
        raise GatewayRefused(f"Alipay refused: {reason or code} ({said}).", reason=reason or code)
    raise GatewayUnanswered(f"Alipay answered {code[:16]} {reason}.".strip())
