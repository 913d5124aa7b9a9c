"""What Alipay says of payments and refunds, in settlement's words."""

from __future__ import annotations

from collections.abc import Mapping
from hashlib import sha256
from typing import Any, Final

from kameng_gateways.amounts import read_decimal
from kameng_gateways.moments import read_china
from kameng_gateways.reading import text
from kameng_settlement.gateway_contract import (
    Observation,
    PaymentStatus,
    RefundObservation,
    RefundStatus,
)

NAME: Final = "alipay"

PAYMENT_STATES: Final[Mapping[str, PaymentStatus]] = {
    "TRADE_SUCCESS": PaymentStatus.PAID,
    "TRADE_FINISHED": PaymentStatus.PAID,  # paid, and past the time for refunds
    "WAIT_BUYER_PAY": PaymentStatus.PENDING,
    "TRADE_CLOSED": PaymentStatus.CLOSED,
}
"""All states of a trade. Any other word is one that was not known when this was written: pending, never paid."""


def payment(values: Mapping[str, Any], raw: bytes, merchant: str | None, paid_key: str) -> Observation:
    """A payment.

    Args:
        values: of a notification or an answer.
        raw: the bytes that say so.
        merchant: whom it is to, if it says so.
        paid_key: under which name it tells when it was paid.
    """
    state = text(values, "trade_status")
    status = PAYMENT_STATES.get(state, PaymentStatus.PENDING)
    paid_at = read_china(values.get(paid_key))
    if status is PaymentStatus.CLOSED and paid_at is not None:
        status = PaymentStatus.PAID  # a trade whose money went back as a whole is closed too; it was paid
    return Observation(
        gateway=NAME,
        merchant=merchant,
        number=text(values, "out_trade_no"),
        transaction=text(values, "trade_no") or None,
        status=status,
        amount=read_decimal(values.get("total_amount")),
        paid_at=paid_at if status is PaymentStatus.PAID else None,
        note=state[:32],
        raw_digest=sha256(raw).digest(),
    )


def refund(values: Mapping[str, Any], raw: bytes, number: str, status: RefundStatus) -> RefundObservation:
    """A refund, from an answer. Its amount is ``refund_amount`` alone: ``refund_fee`` adds up all refunds of the trade."""
    return RefundObservation(
        gateway=NAME,
        merchant=None,
        number=number,
        payment_number=text(values, "out_trade_no") or None,
        reference=number if status is RefundStatus.SUCCEEDED else None,
        status=status,
        amount=read_decimal(values.get("refund_amount")),
        settled_at=read_china(values.get("gmt_refund_pay")) if status is RefundStatus.SUCCEEDED else None,
        note=(text(values, "refund_status") or text(values, "fund_change"))[:32],
        raw_digest=sha256(raw).digest(),
    )
