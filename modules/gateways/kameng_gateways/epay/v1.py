"""Epay, version 1: MD5 over the sorted fields and the merchant's key.

Its answers are not signed, so they are as good as the connection: https. Its query and refund carry the key in the clear, so no
address of theirs gets into a message or a log. It has no numbers of refunds: a refund is of the whole payment or none, which
the epay does once however often it is asked.
"""

from __future__ import annotations

import hmac
from collections.abc import Mapping
from datetime import date
from hashlib import md5, sha256
from typing import Any, Final
from urllib.parse import urlencode

import msgspec

from kameng_gateways.amounts import decimal_text, read_decimal
from kameng_gateways.calling import call
from kameng_gateways.epay.lists import PAGE, list_of_day
from kameng_gateways.epay.settings import SHORTEST_KEY, EpaySettings, address, check_v1, settings_of
from kameng_gateways.epay.wire import (
    as_text,
    check_request,
    name_of_goods,
    notification_answer,
    read_fields,
    signed_text,
    told_payment,
)
from kameng_gateways.moments import read_china
from kameng_gateways.reading import Unreadable, read_object
from kameng_settlement.gateway_contract import (
    BillKind,
    Capabilities,
    Flow,
    GatewayMisconfigured,
    GatewayNotReached,
    GatewayRefused,
    GatewayTitle,
    GatewayUnanswered,
    GatewayUnsupported,
    MerchantAccount,
    Notification,
    NotificationAnswer,
    NotificationRefused,
    NotificationRequest,
    Observation,
    PaymentRequest,
    PaymentStatus,
    RefundObservation,
    RefundRequest,
    RefundStatus,
    Started,
)

NAME: Final = "epay"

PAYMENT_STATES: Final[Mapping[str, PaymentStatus]] = {
    "0": PaymentStatus.PENDING,
    "1": PaymentStatus.PAID,
    "2": PaymentStatus.PAID,  # paid, and given back
}
"""All states of an order. Any other word is one that was not known when this was written: pending, never paid."""

NOT_THERE: Final = ("不存在", "not exist", "not found")
"""What the message of an epay says when it has no order of a number; it has no code for it."""


def signature(settings: EpaySettings, values: Mapping[str, str]) -> str:
    """The signature of fields, in lower-case hex."""
    content = signed_text(values) + settings.key_prefix + settings.key
    return md5(content.encode(), usedforsecurity=False).hexdigest()  # MD5 is the protocol's choice


class EpayGateway:
    """`kameng_settlement.gateway_contract.Gateway` over version 1 of epay."""

    name: str = NAME
    title: GatewayTitle = GatewayTitle(en="Epay", zh="易支付")
    settings: type[msgspec.Struct] = EpaySettings
    secrets: frozenset[str] = frozenset({"key"})
    capabilities: Capabilities = Capabilities(
        flows=(Flow.REDIRECT, Flow.QR),
        refunds=True,
        partial_refunds=False,
        query=True,
        # It tells of payments alone, and by far not every site marks those that went back.
        refund_query=False,
        bills=frozenset({BillKind.TRADE}),
    )

    def check(self, account: MerchantAccount) -> None:
        """See the contract."""
        check_v1(account)

    async def start(self, account: MerchantAccount, request: PaymentRequest) -> Started:
        """A redirect is a form that the browser posts; for a QR code the epay is asked, which may send the payer to a page
        instead."""
        settings = _usable(account)
        values = {
            "pid": account.merchant,
            "type": check_request(request),
            "out_trade_no": request.number,
            "notify_url": account.notify_url,
            "return_url": request.return_url or account.notify_url,
            "name": name_of_goods(request.subject),
            "money": decimal_text(request.amount),
        }
        if request.flow is Flow.REDIRECT:
            return Started(
                flow=Flow.REDIRECT,
                redirect_url=address(settings, "submit.php"),
                form=_signed(settings, values),
            )
        if request.flow is not Flow.QR:
            raise GatewayRefused("Epay has no such way to pay.", reason="FLOW")
        values |= {"clientip": request.client_ip or "127.0.0.1", "device": "pc"}
        answer = await _post(account, "mapi.php", _signed(settings, values))
        if as_text(answer, "code") != "1":
            raise GatewayRefused(
                f"Epay refused: {as_text(answer, 'msg')[:200]}.", reason=as_text(answer, "code")
            )
        reference = as_text(answer, "trade_no") or None
        if code := as_text(answer, "qrcode"):
            return Started(flow=Flow.QR, qr=code, gateway_reference=reference)
        if url := as_text(answer, "payurl") or as_text(answer, "urlscheme"):
            return Started(flow=Flow.REDIRECT, redirect_url=url, gateway_reference=reference)
        raise GatewayUnanswered("Epay's answer holds no way to pay.")

    async def query(self, account: MerchantAccount, number: str) -> Observation:
        """See the contract."""
        settings = _usable(account)
        fields = {"act": "order", "pid": account.merchant, "key": settings.key, "out_trade_no": number}
        answer = await _get(account, f"api.php?{urlencode(fields)}")
        raw = msgspec.json.encode(answer)
        if as_text(answer, "code") != "1":
            said = as_text(answer, "msg")
            if not any(word in said for word in NOT_THERE):
                raise GatewayUnanswered(f"Epay answered: {said[:200]}.")
            return Observation(
                gateway=self.name,
                merchant=account.merchant,
                number=number,
                status=PaymentStatus.UNKNOWN,
                raw_digest=sha256(raw).digest(),
            )
        if as_text(answer, "out_trade_no") != number:
            raise GatewayUnanswered("Epay answered about something else.")
        state = as_text(answer, "status")
        status = PAYMENT_STATES.get(state, PaymentStatus.PENDING)
        return Observation(
            gateway=self.name,
            merchant=as_text(answer, "pid") or None,
            number=number,
            transaction=as_text(answer, "trade_no") or None,
            status=status,
            amount=read_decimal(as_text(answer, "money")),
            paid_at=read_china(answer.get("endtime")) if status is PaymentStatus.PAID else None,
            note=state[:32],
            raw_digest=sha256(raw).digest(),
        )

    async def close(self, account: MerchantAccount, number: str) -> Observation | None:
        """The protocol has no such call."""
        raise GatewayUnsupported("Version 1 of epay closes no payments.")

    async def refund(self, account: MerchantAccount, request: RefundRequest) -> RefundObservation:
        """Give the whole payment back."""
        if request.amount != request.paid:
            raise GatewayRefused(
                "Version 1 of epay has no numbers of refunds, so parts could go back twice.",
                cure="Refund the whole payment, or credit the wallet.",
                reason="PARTIAL",
            )
        try:
            known = await self.query_refund(account, request)
        except GatewayUnanswered as error:
            raise GatewayNotReached(f"Nothing was sent yet: {error.message}") from error
        if known.status is RefundStatus.SUCCEEDED:
            return known
        settings = _usable(account)
        form = {
            "pid": account.merchant,
            "key": settings.key,
            "trade_no": request.transaction,
            "out_trade_no": request.payment_number,
            "money": decimal_text(request.amount),
        }
        answer = await _post(account, "api.php?act=refund", form)
        if as_text(answer, "code") != "1":
            raise GatewayRefused(
                f"Epay refused: {as_text(answer, 'msg')[:200]}.", reason=as_text(answer, "code") or "REFUND"
            )
        return self._refund(request, RefundStatus.SUCCEEDED, msgspec.json.encode(answer))

    async def query_refund(self, account: MerchantAccount, request: RefundRequest) -> RefundObservation:
        """Whether the payment is one that was given back: its refund is known by that alone."""
        found = await self.query(account, request.payment_number)
        status = RefundStatus.SUCCEEDED if found.note == "2" else RefundStatus.UNKNOWN
        return self._refund(request, status, found.raw_digest)

    def _refund(self, request: RefundRequest, status: RefundStatus, raw: bytes) -> RefundObservation:
        return RefundObservation(
            gateway=self.name,
            merchant=None,
            number=request.number,
            payment_number=request.payment_number,
            status=status,
            raw_digest=sha256(raw).digest(),
        )

    def read_notification(self, account: MerchantAccount, request: NotificationRequest) -> Notification:
        """See the contract."""
        try:
            settings = _usable(account)
        except GatewayMisconfigured as error:
            raise NotificationRefused("SECRET", "The account has no usable key.") from error
        fields = read_fields(request)
        if fields.get("sign_type", "MD5").upper() != "MD5":
            raise NotificationRefused("SIGNATURE", "The kind of signature is not one that is taken.")
        wanted = signature(settings, fields).encode()
        if not hmac.compare_digest(wanted, fields.get("sign", "").encode()):
            raise NotificationRefused("SIGNATURE", "The signature is wrong.")
        return told_payment(self.name, account, fields, request.query + request.body)

    def notification_answer(self, accepted: bool) -> NotificationAnswer:
        """See the contract."""
        return notification_answer(accepted)

    async def bill(self, account: MerchantAccount, day: date, kind: BillKind) -> bytes | None:
        """The orders that were paid on a day, as JSON."""
        if kind is not BillKind.TRADE:
            raise GatewayUnsupported("Epay has lists of orders alone.")
        settings = _usable(account)

        async def read_page(page: int) -> Mapping[str, Any]:
            fields = {
                "act": "orders",
                "pid": account.merchant,
                "key": settings.key,
                "limit": PAGE,
                "page": page,
            }
            return await _get(account, f"api.php?{urlencode(fields)}")

        return await list_of_day(read_page, day)


def _usable(account: MerchantAccount) -> EpaySettings:
    settings = settings_of(account, EpaySettings)
    if len(settings.key) < SHORTEST_KEY or not account.merchant:
        raise GatewayMisconfigured("The account has no usable key.", cure="Save it again.")
    return settings


def _signed(settings: EpaySettings, values: Mapping[str, str]) -> dict[str, str]:
    kept = {key: value for key, value in values.items() if value}
    return {**kept, "sign": signature(settings, kept), "sign_type": "MD5"}


async def _post(account: MerchantAccount, path: str, form: Mapping[str, str]) -> dict[str, Any]:
    headers = {"content-type": "application/x-www-form-urlencoded"}
    url = address(settings_of(account, EpaySettings), path)
    answer = await call(account, "POST", url, headers=headers, body=urlencode(form).encode())
    return _read(answer.status, answer.body)


async def _get(account: MerchantAccount, path: str) -> dict[str, Any]:
    answer = await call(account, "GET", address(settings_of(account, EpaySettings), path))
    return _read(answer.status, answer.body)


def _read(status: int, body: bytes) -> dict[str, Any]:
    if status == 429:
        raise GatewayNotReached("Epay says that we call too often.", cure="Wait a little.")
    if status != 200:
        raise GatewayUnanswered(f"Epay answered {status}.")
    try:
        return read_object(body)
    except Unreadable as error:
        raise GatewayUnanswered("Epay's answer cannot be read.") from error
