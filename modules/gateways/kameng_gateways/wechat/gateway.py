"""WeChat Pay as a gateway."""

from __future__ import annotations

import os
import time
from datetime import date, datetime
from hashlib import sha256
from typing import Any, Final
from urllib.parse import quote

import msgspec

from kameng_gateways.amounts import CNY
from kameng_gateways.moments import CHINA
from kameng_gateways.reading import text
from kameng_gateways.wechat import observing
from kameng_gateways.wechat.bills import bill
from kameng_gateways.wechat.calling import ask, send
from kameng_gateways.wechat.notifications import notification_answer, read_notification
from kameng_gateways.wechat.settings import WeChatSettings, check_settings, settings_of
from kameng_gateways.wechat.signing import page_signature
from kameng_settlement.gateway_contract import (
    BillKind,
    Capabilities,
    Flow,
    GatewayRefused,
    GatewayTitle,
    GatewayUnanswered,
    MerchantAccount,
    Notification,
    NotificationAnswer,
    NotificationRequest,
    Observation,
    PaymentRequest,
    PaymentStatus,
    RefundObservation,
    RefundRequest,
    RefundStatus,
    Started,
)

NOT_THERE: Final = frozenset({"ORDER_NOT_EXIST", "ORDERNOTEXIST", "RESOURCE_NOT_EXISTS"})
"""What WeChat Pay answers when it has no payment, or no refund, of a number."""

LONGEST_DESCRIPTION: Final = 127


class WeChatGateway:
    """`kameng_settlement.gateway_contract.Gateway` over WeChat Pay's API v3."""

    name: str = observing.NAME
    title: GatewayTitle = GatewayTitle(en="WeChat Pay", zh="微信支付")
    settings: type[msgspec.Struct] = WeChatSettings
    secrets: frozenset[str] = frozenset({"private_key", "api_v3_key"})
    capabilities: Capabilities = Capabilities(
        flows=(Flow.QR, Flow.REDIRECT, Flow.IN_APP),
        refunds=True,
        partial_refunds=True,
        query=True,
        close=True,
        bills=frozenset({BillKind.TRADE, BillKind.FUNDS}),
        refund_days=365,
    )

    def check(self, account: MerchantAccount) -> None:
        """See the contract."""
        check_settings(account)

    async def start(self, account: MerchantAccount, request: PaymentRequest) -> Started:
        """Native for a QR code, H5 for a redirect, JSAPI within WeChat."""
        settings = settings_of(account)
        if request.amount.currency != CNY:
            raise GatewayRefused("WeChat Pay takes CNY here.", reason="CURRENCY")
        order: dict[str, Any] = {
            "appid": settings.app_id,
            "mchid": account.merchant,
            "description": request.subject[:LONGEST_DESCRIPTION],
            "out_trade_no": request.number,
            "time_expire": _china_rfc3339(request.expires_at),
            "notify_url": account.notify_url,
            "amount": {"total": request.amount.minor, "currency": CNY},
        }
        match request.flow:
            case Flow.QR:
                answer = await send(account, "/v3/pay/transactions/native", order)
                return Started(flow=Flow.QR, qr=_needed(answer.values, "code_url"))
            case Flow.REDIRECT:
                if not request.client_ip:
                    raise GatewayRefused("WeChat Pay wants the payer's address for H5.", reason="CLIENT_IP")
                order["scene_info"] = {"payer_client_ip": request.client_ip, "h5_info": {"type": "Wap"}}
                answer = await send(account, "/v3/pay/transactions/h5", order)
                url = _needed(answer.values, "h5_url")
                if request.return_url:
                    url += f"&redirect_url={quote(request.return_url, safe='')}"
                return Started(flow=Flow.REDIRECT, redirect_url=url)
            case Flow.IN_APP:
                if not request.payer_reference:
                    raise GatewayRefused("WeChat Pay wants the payer's openid.", reason="OPENID")
                order["payer"] = {"openid": request.payer_reference}
                answer = await send(account, "/v3/pay/transactions/jsapi", order)
                prepaid = _needed(answer.values, "prepay_id")
                params = page_params(settings, prepaid)
                return Started(flow=Flow.IN_APP, params=params, gateway_reference=prepaid)
            case _:
                raise GatewayRefused("WeChat Pay has no such way to pay.", reason="FLOW")

    async def query(self, account: MerchantAccount, number: str) -> Observation:
        """See the contract."""
        merchant = quote(account.merchant, safe="")
        target = f"/v3/pay/transactions/out-trade-no/{quote(number, safe='')}?mchid={merchant}"
        try:
            answer = await ask(account, target)
        except GatewayRefused as error:
            if error.reason not in NOT_THERE:
                raise
            return Observation(
                gateway=self.name,
                merchant=account.merchant,
                number=number,
                status=PaymentStatus.UNKNOWN,
                note=error.reason,
                raw_digest=sha256(error.reason.encode()).digest(),
            )
        found = observing.payment(answer.values, answer.raw)
        _same(found.number, number)
        if text(answer.values, "appid") != settings_of(account).app_id:
            raise GatewayUnanswered("WeChat Pay answered about another app.")
        return found

    async def close(self, account: MerchantAccount, number: str) -> Observation | None:
        """See the contract."""
        target = f"/v3/pay/transactions/out-trade-no/{quote(number, safe='')}/close"
        try:
            await send(account, target, {"mchid": account.merchant})
        except GatewayRefused as error:
            if error.reason in NOT_THERE:
                return None
            found = await self.query(account, number)  # paid meanwhile, or closed before
            if found.status is PaymentStatus.PENDING:
                raise
            return None if found.status is PaymentStatus.CLOSED else found
        return None

    async def refund(self, account: MerchantAccount, request: RefundRequest) -> RefundObservation:
        """See the contract. What WeChat Pay answers is that it is at it; whether it succeeded is asked for, or told, later."""
        content: dict[str, Any] = {
            "transaction_id": request.transaction,
            "out_refund_no": request.number,
            "notify_url": account.notify_url,
            "amount": {"refund": request.amount.minor, "total": request.paid.minor, "currency": CNY},
        }
        if request.reason:
            content["reason"] = request.reason[:80]
        answer = await send(account, "/v3/refund/domestic/refunds", content)
        return _refund(answer.values, answer.raw, request)

    async def query_refund(self, account: MerchantAccount, request: RefundRequest) -> RefundObservation:
        """See the contract."""
        try:
            answer = await ask(account, f"/v3/refund/domestic/refunds/{quote(request.number, safe='')}")
        except GatewayRefused as error:
            if error.reason not in NOT_THERE:
                raise
            return RefundObservation(
                gateway=self.name,
                merchant=account.merchant,
                number=request.number,
                status=RefundStatus.UNKNOWN,
                note=error.reason,
                raw_digest=sha256(error.reason.encode()).digest(),
            )
        return _refund(answer.values, answer.raw, request)

    def read_notification(self, account: MerchantAccount, request: NotificationRequest) -> Notification:
        """See the contract."""
        return read_notification(account, request)

    def notification_answer(self, accepted: bool) -> NotificationAnswer:
        """See the contract."""
        return notification_answer(accepted)

    async def bill(self, account: MerchantAccount, day: date, kind: BillKind) -> bytes | None:
        """See the contract."""
        return await bill(account, day, kind)


def page_params(settings: WeChatSettings, prepaid: str) -> dict[str, str]:
    """What a page hands to the WeChat app, signed."""
    when, nonce, package = str(int(time.time())), os.urandom(16).hex(), f"prepay_id={prepaid}"
    return {
        "appId": settings.app_id,
        "timeStamp": when,
        "nonceStr": nonce,
        "package": package,
        "signType": "RSA",
        "paySign": page_signature(settings, settings.app_id, when, nonce, package),
    }


def _refund(values: Any, raw: bytes, request: RefundRequest) -> RefundObservation:
    found = observing.refund(values, None, raw)
    _same(found.number, request.number)
    if found.payment_number not in (None, request.payment_number):
        raise GatewayUnanswered("WeChat Pay answered about a refund of another payment.")
    return found


def _same(found: str, wanted: str) -> None:
    if found != wanted:
        raise GatewayUnanswered("WeChat Pay answered about something else.")


def _needed(values: Any, key: str) -> str:
    found = text(values, key)
    if not found:
        raise GatewayUnanswered(f"WeChat Pay's answer lacks {key}.")
    return found


def _china_rfc3339(moment: datetime) -> str:
    return moment.astimezone(CHINA).isoformat(timespec="seconds")
