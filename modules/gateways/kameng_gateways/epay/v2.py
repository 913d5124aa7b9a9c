"""Epay, version 2: RSA with SHA-256 both ways, with a time in every message.

The platform's key is the same for all its merchants, so a message that it signed for another merchant verifies here too: ``pid``
is bound wherever it is told, and answers are bound by our number.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from datetime import UTC, date, datetime
from hashlib import sha256
from typing import Any, Final
from urllib.parse import urlencode

import msgspec

from kameng_gateways.amounts import decimal_text, read_decimal
from kameng_gateways.calling import call
from kameng_gateways.epay.settings import EpaySettingsV2, address, check_v2, settings_of
from kameng_gateways.epay.wire import (
    as_text,
    check_request,
    name_of_goods,
    notification_answer,
    read_fields,
    signed_text,
    told_payment,
)
from kameng_gateways.keys import holds, private_key, public_key, sign
from kameng_gateways.moments import is_stale, read_china, read_seconds
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

NAME: Final = "epay_v2"

PAYMENT_STATES: Final[Mapping[str, PaymentStatus]] = {
    "0": PaymentStatus.PENDING,
    "1": PaymentStatus.PAID,
    "2": PaymentStatus.PAID,  # paid, and given back
    "3": PaymentStatus.PENDING,  # frozen by the epay: the money is not ours to count on
    "4": PaymentStatus.PENDING,  # authorised, not taken
}
"""All states of an order. Any other word is one that was not known when this was written: pending, never paid."""

NOT_THERE: Final = ("不存在", "not exist", "not found")
"""What the message of an epay says when it has no order of a number; it has no code for it."""

PAGES: Final = frozenset({"jump", "urlscheme"})
"""Kinds of ``pay_info`` that are an address to go to."""


class EpayGatewayV2:
    """`kameng_settlement.gateway_contract.Gateway` over version 2 of epay."""

    name: str = NAME
    title: GatewayTitle = GatewayTitle(en="Epay V2", zh="易支付 V2")
    settings: type[msgspec.Struct] = EpaySettingsV2
    secrets: frozenset[str] = frozenset({"private_key"})
    capabilities: Capabilities = Capabilities(
        flows=(Flow.REDIRECT, Flow.QR), refunds=True, partial_refunds=True, query=True, close=True
    )

    def check(self, account: MerchantAccount) -> None:
        """See the contract."""
        check_v2(account)

    async def start(self, account: MerchantAccount, request: PaymentRequest) -> Started:
        """A redirect is a form that the browser posts; for a QR code the epay is asked, which may send the payer to a page
        instead."""
        settings = settings_of(account, EpaySettingsV2)
        values = {
            "type": check_request(request),
            "out_trade_no": request.number,
            "notify_url": account.notify_url,
            "return_url": request.return_url or account.notify_url,
            "name": name_of_goods(request.subject),
            "money": decimal_text(request.amount),
        }
        if request.flow is Flow.REDIRECT:
            form = _signed(account, settings, values)
            return Started(flow=Flow.REDIRECT, redirect_url=address(settings, "api/pay/submit"), form=form)
        if request.flow is not Flow.QR:
            raise GatewayRefused("Epay has no such way to pay.", reason="FLOW")
        values |= {"method": "web", "device": "pc", "clientip": request.client_ip or "127.0.0.1"}
        answer = await _send(account, "create", values)
        _check_code(answer)
        kind, info = as_text(answer, "pay_type"), as_text(answer, "pay_info")
        reference = as_text(answer, "trade_no") or None
        if kind == "qrcode" and info:
            return Started(flow=Flow.QR, qr=info, gateway_reference=reference)
        if kind in PAGES and info:
            return Started(flow=Flow.REDIRECT, redirect_url=info, gateway_reference=reference)
        raise GatewayUnanswered("Epay's answer holds no way to pay that is known.")

    async def query(self, account: MerchantAccount, number: str) -> Observation:
        """See the contract."""
        answer = await _send(account, "query", {"out_trade_no": number})
        raw = msgspec.json.encode(answer)
        if as_text(answer, "code") != "0":
            if not any(word in as_text(answer, "msg") for word in NOT_THERE):
                raise GatewayUnanswered(f"Epay answered: {as_text(answer, 'msg')[:200]}.")
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
            # An answer without it is one that nobody could tell from another merchant's.
            merchant=as_text(answer, "pid"),
            number=number,
            transaction=as_text(answer, "trade_no") or None,
            status=status,
            amount=read_decimal(as_text(answer, "money")),
            paid_at=read_china(answer.get("endtime")) if status is PaymentStatus.PAID else None,
            note=state[:32],
            raw_digest=sha256(raw).digest(),
        )

    async def close(self, account: MerchantAccount, number: str) -> Observation | None:
        """See the contract."""
        answer = await _send(account, "close", {"out_trade_no": number})
        if as_text(answer, "code") == "0" or any(word in as_text(answer, "msg") for word in NOT_THERE):
            return None
        found = await self.query(account, number)  # paid meanwhile
        if found.status is not PaymentStatus.PAID:
            _check_code(answer)
        return found

    async def refund(self, account: MerchantAccount, request: RefundRequest) -> RefundObservation:
        """See the contract."""
        known = await self.query_refund(account, request)
        if known.status is not RefundStatus.UNKNOWN:
            return known
        values = {
            "trade_no": request.transaction,
            "out_trade_no": request.payment_number,
            "out_refund_no": request.number,
            "money": decimal_text(request.amount),
        }
        answer = await _send(account, "refund", values)
        _check_code(answer)
        return self._refund(request, answer, RefundStatus.SUCCEEDED)

    async def query_refund(self, account: MerchantAccount, request: RefundRequest) -> RefundObservation:
        """See the contract."""
        answer = await _send(account, "refundquery", {"out_refund_no": request.number})
        if as_text(answer, "code") != "0":
            if not any(word in as_text(answer, "msg") for word in NOT_THERE):
                raise GatewayUnanswered(f"Epay answered: {as_text(answer, 'msg')[:200]}.")
            return self._refund(request, {}, RefundStatus.UNKNOWN)
        states = {"1": RefundStatus.SUCCEEDED, "0": RefundStatus.FAILED}
        return self._refund(request, answer, states.get(as_text(answer, "status"), RefundStatus.ACCEPTED))

    def _refund(
        self, request: RefundRequest, answer: Mapping[str, Any], status: RefundStatus
    ) -> RefundObservation:
        if status is not RefundStatus.UNKNOWN and as_text(answer, "out_refund_no") not in (
            "",
            request.number,
        ):
            raise GatewayUnanswered("Epay answered about another refund.")
        return RefundObservation(
            gateway=self.name,
            merchant=None,
            number=request.number,
            payment_number=as_text(answer, "out_trade_no") or None,
            reference=as_text(answer, "refund_no") or None,
            status=status,
            amount=read_decimal(as_text(answer, "money")),
            settled_at=read_china(answer.get("endtime")),
            note=as_text(answer, "status")[:32],
            raw_digest=sha256(msgspec.json.encode(answer)).digest(),
        )

    def read_notification(self, account: MerchantAccount, request: NotificationRequest) -> Notification:
        """See the contract."""
        settings = settings_of(account, EpaySettingsV2)
        if not settings.platform_key or not account.merchant:
            raise NotificationRefused("SECRET", "The account has no key of the epay to verify with.")
        fields = read_fields(request)
        if fields.get("sign_type") != "RSA":
            raise NotificationRefused("SIGNATURE", "The kind of signature is not one that is taken.")
        signed_at = read_seconds(fields.get("timestamp"))
        if signed_at is None or is_stale(signed_at, request.received_at):
            raise NotificationRefused("STALE", "It was signed too long ago, or has no time.")
        try:
            key = public_key(settings.platform_key, request.received_at)
        except GatewayMisconfigured as error:
            raise NotificationRefused("SECRET", "The epay's key cannot be used.") from error
        if not holds(key, signed_text(fields).encode(), fields.get("sign", "")):
            raise NotificationRefused("SIGNATURE", "The signature is wrong.")
        return told_payment(self.name, account, fields, request.query + request.body)

    def notification_answer(self, accepted: bool) -> NotificationAnswer:
        """See the contract."""
        return notification_answer(accepted)

    async def bill(self, account: MerchantAccount, day: date, kind: BillKind) -> bytes | None:
        """The protocol has lists of orders, and no bills."""
        raise GatewayUnsupported("Epay hands out no bills.")


def _signed(account: MerchantAccount, settings: EpaySettingsV2, values: Mapping[str, str]) -> dict[str, str]:
    form = {
        **{key: value for key, value in values.items() if value},
        "pid": account.merchant,
        "timestamp": str(int(time.time())),
        "sign_type": "RSA",
    }
    return {**form, "sign": sign(private_key(settings.private_key), signed_text(form).encode())}


async def _send(account: MerchantAccount, path: str, values: Mapping[str, str]) -> dict[str, Any]:
    """Call the epay; its answer is verified."""
    settings = settings_of(account, EpaySettingsV2)
    answer = await call(
        account,
        "POST",
        address(settings, f"api/pay/{path}"),
        headers={"content-type": "application/x-www-form-urlencoded"},
        body=urlencode(_signed(account, settings, values)).encode(),
    )
    if answer.status == 429:
        raise GatewayNotReached("Epay says that we call too often.", cure="Wait a little.")
    if answer.status != 200:
        raise GatewayUnanswered(f"Epay answered {answer.status}.")
    try:
        found = read_object(answer.body)
    except Unreadable as error:
        raise GatewayUnanswered("Epay's answer cannot be read.") from error
    if "sign" not in found and as_text(found, "code") not in ("", "0"):
        # Servers do not sign their refusals. What follows from one is harmless: we ask again, send a refund again under its
        # own number, or try another account.
        return found
    # Only texts and integers are signed; servers of this protocol answer with nothing else.
    signed = {key: as_text(found, key) for key in found}
    signed_at = read_seconds(signed.get("timestamp"))
    key = public_key(settings.platform_key)
    if (
        signed_at is None
        or is_stale(signed_at, datetime.now(UTC))
        or not holds(key, signed_text(signed).encode(), signed.get("sign", ""))
    ):
        raise GatewayUnanswered("Epay's answer is not signed with its key, or not just now.")
    return found


def _check_code(answer: Mapping[str, Any]) -> None:
    code = as_text(answer, "code")
    if code != "0":
        raise GatewayRefused(f"Epay refused: {as_text(answer, 'msg')[:200]}.", reason=code or "CODE")
