"""Alipay as a gateway."""

from __future__ import annotations

from datetime import date
from hashlib import sha256
from typing import Any, Final

import msgspec

from kameng_gateways.alipay import observing
from kameng_gateways.alipay.calling import request_values, send
from kameng_gateways.alipay.notifications import notification_answer, read_notification
from kameng_gateways.alipay.settings import AlipaySettings, check_settings, settings_of
from kameng_gateways.alipay.signing import signed_form
from kameng_gateways.amounts import CNY, decimal_text
from kameng_gateways.calling import LONGEST_BILL, call
from kameng_gateways.moments import china_text
from kameng_gateways.reading import text
from kameng_settlement.gateway_contract import (
    BillKind,
    BillNotReady,
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

NOT_THERE: Final = "ACQ.TRADE_NOT_EXIST"
"""What Alipay answers when it has no trade of a number. A trade comes to be when the payer logs in, not when a page is opened."""


class AlipayGateway:
    """`kameng_settlement.gateway_contract.Gateway` over Alipay's open platform."""

    name: str = observing.NAME
    title: GatewayTitle = GatewayTitle(en="Alipay", zh="支付宝")
    settings: type[msgspec.Struct] = AlipaySettings
    secrets: frozenset[str] = frozenset({"private_key"})
    capabilities: Capabilities = Capabilities(
        flows=(Flow.QR, Flow.REDIRECT),
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
        """Precreate for a QR code; for a redirect the method ``wap`` on phones, otherwise page.

        A redirect is an address that we sign ourselves, so Alipay hears of the payment when the payer opens it; its signed
        ``time_expire`` is what ends it.
        """
        if request.amount.currency != CNY:
            raise GatewayRefused("Alipay takes CNY here.", reason="CURRENCY")
        content: dict[str, Any] = {
            "out_trade_no": request.number,
            "total_amount": decimal_text(request.amount),
            "subject": request.subject,
            "time_expire": china_text(request.expires_at),
            "seller_id": account.merchant,
        }
        if request.flow is Flow.QR:
            answer = await send(account, "alipay.trade.precreate", content, notify=True)
            _same(answer.values, request.number)
            code = text(answer.values, "qr_code")
            if not code:
                raise GatewayUnanswered("Alipay's answer lacks qr_code.")
            return Started(flow=Flow.QR, qr=code)
        if request.flow is not Flow.REDIRECT:
            raise GatewayRefused("Alipay has no such way to pay.", reason="FLOW")
        mobile = request.method == "wap"
        content["product_code"] = "QUICK_WAP_WAY" if mobile else "FAST_INSTANT_TRADE_PAY"
        method = "alipay.trade.wap.pay" if mobile else "alipay.trade.page.pay"
        if mobile and request.return_url:
            content["quit_url"] = request.return_url
        values = request_values(account, method, content, return_url=request.return_url, notify=True)
        settings = settings_of(account)
        return Started(flow=Flow.REDIRECT, redirect_url=f"{settings.api_url}?{signed_form(settings, values)}")

    async def query(self, account: MerchantAccount, number: str) -> Observation:
        """See the contract."""
        try:
            answer = await send(account, "alipay.trade.query", {"out_trade_no": number})
        except GatewayRefused as error:
            if error.reason != NOT_THERE:
                raise
            return Observation(
                gateway=self.name,
                merchant=None,
                number=number,
                status=PaymentStatus.UNKNOWN,
                note=NOT_THERE,
                raw_digest=sha256(NOT_THERE.encode()).digest(),
            )
        _same(answer.values, number)
        return observing.payment(answer.values, answer.raw, None, "send_pay_date")

    async def close(self, account: MerchantAccount, number: str) -> Observation | None:
        """See the contract."""
        try:
            answer = await send(account, "alipay.trade.close", {"out_trade_no": number})
        except GatewayRefused as error:
            if error.reason == NOT_THERE:
                return None
            found = await self.query(account, number)  # paid meanwhile, or closed before
            if found.status is PaymentStatus.PENDING:
                raise
            return found if found.status is PaymentStatus.PAID else None
        _same(answer.values, number)
        return None

    async def refund(self, account: MerchantAccount, request: RefundRequest) -> RefundObservation:
        """See the contract. Alipay does it at once, or says that nothing changed: then it is asked what became of it."""
        content: dict[str, Any] = {
            "out_trade_no": request.payment_number,
            "trade_no": request.transaction,
            "refund_amount": decimal_text(request.amount),
            "out_request_no": request.number,
        }
        if request.reason:
            content["refund_reason"] = request.reason[:80]
        answer = await send(account, "alipay.trade.refund", content)
        _same(answer.values, request.payment_number)
        if text(answer.values, "fund_change") == "Y":
            return observing.refund(answer.values, answer.raw, request.number, RefundStatus.SUCCEEDED)
        found = await self.query_refund(account, request)
        if found.status is RefundStatus.UNKNOWN:
            return observing.refund(answer.values, answer.raw, request.number, RefundStatus.ACCEPTED)
        return found

    async def query_refund(self, account: MerchantAccount, request: RefundRequest) -> RefundObservation:
        """See the contract."""
        content = {"out_trade_no": request.payment_number, "out_request_no": request.number}
        answer = await send(account, "alipay.trade.fastpay.refund.query", content)
        said = text(answer.values, "out_request_no")
        if said not in ("", request.number):
            raise GatewayUnanswered("Alipay answered about another refund.")
        if text(answer.values, "refund_status") == "REFUND_SUCCESS" and said:
            _same(answer.values, request.payment_number)
            status = RefundStatus.SUCCEEDED
        else:
            # An answer without the refund's number is how Alipay says that it has none.
            status = RefundStatus.ACCEPTED if said else RefundStatus.UNKNOWN
        return observing.refund(answer.values, answer.raw, request.number, status)

    def read_notification(self, account: MerchantAccount, request: NotificationRequest) -> Notification:
        """See the contract."""
        return read_notification(account, request)

    def notification_answer(self, accepted: bool) -> NotificationAnswer:
        """See the contract."""
        return notification_answer(accepted)

    async def bill(self, account: MerchantAccount, day: date, kind: BillKind) -> bytes | None:
        """A zip of CSV files in GBK. Its address, which holds for half a minute, comes in a signed answer."""
        content = {
            "bill_type": "trade" if kind is BillKind.TRADE else "signcustomer",
            "bill_date": day.isoformat(),
        }
        try:
            answer = await send(account, "alipay.data.dataservice.bill.downloadurl.query", content)
        except GatewayRefused as error:
            if error.reason == "isp.bill_not_exist":
                # Alipay says so of a day without trades and of one whose bill is not made yet.
                raise BillNotReady(
                    "Alipay has no bill of that day, or not yet.", cure="Ask again later."
                ) from error
            raise
        url = text(answer.values, "bill_download_url")
        if settings_of(account).api_url.startswith("https://"):
            url = url.replace("http://", "https://", 1)  # Alipay names plain addresses, and serves both
        file = await call(account, "GET", url, longest=LONGEST_BILL)
        if file.status != 200 or not file.body.startswith(b"PK"):
            raise GatewayUnanswered(
                f"Alipay answered {file.status} instead of the bill.", cure="Fetch it again."
            )
        return file.body


def _same(values: Any, number: str) -> None:
    if text(values, "out_trade_no") != number:
        raise GatewayUnanswered("Alipay answered about something else.")
