"""What WeChat Pay says of payments and refunds, in settlement's words."""

from __future__ import annotations

from collections.abc import Mapping
from hashlib import sha256
from typing import Any, Final

from kameng_gateways.amounts import CNY, read_minor
from kameng_gateways.moments import read_rfc3339
from kameng_gateways.reading import part, text
from kameng_settlement.gateway_contract import (
    Observation,
    PaymentStatus,
    RefundObservation,
    RefundStatus,
)

NAME: Final = "wechat"

PAYMENT_STATES: Final[Mapping[str, PaymentStatus]] = {
    "SUCCESS": PaymentStatus.PAID,
    "REFUND": PaymentStatus.PAID,  # it was paid, and some of it went back
    "NOTPAY": PaymentStatus.PENDING,
    "USERPAYING": PaymentStatus.PENDING,
    "ACCEPT": PaymentStatus.PENDING,
    "CLOSED": PaymentStatus.CLOSED,
    "REVOKED": PaymentStatus.CLOSED,
    "PAYERROR": PaymentStatus.FAILED,
}
"""All states of a payment. Any other word is one that was not known when this was written: pending, never paid."""

REFUND_STATES: Final[Mapping[str, RefundStatus]] = {
    "SUCCESS": RefundStatus.SUCCEEDED,
    "PROCESSING": RefundStatus.ACCEPTED,
    "CLOSED": RefundStatus.FAILED,
    # The payer's bank would not take it. The merchant can send it to another account by hand, so nothing is certain yet.
    "ABNORMAL": RefundStatus.ACCEPTED,
}
"""All states of a refund. Any other word: accepted, never succeeded."""


def payment(values: Mapping[str, Any], raw: bytes) -> Observation:
    """A payment, from a notification or an answer."""
    amount, state = part(values, "amount"), text(values, "trade_state")
    status = PAYMENT_STATES.get(state, PaymentStatus.PENDING)
    return Observation(
        gateway=NAME,
        merchant=text(values, "mchid") or None,
        number=text(values, "out_trade_no"),
        transaction=text(values, "transaction_id") or None,
        status=status,
        # `total` is what was asked for; `payer_total` lacks what vouchers paid.
        amount=read_minor(amount.get("total"), amount.get("currency", CNY)),
        paid_at=read_rfc3339(values.get("success_time")) if status is PaymentStatus.PAID else None,
        note=state[:32],
        raw_digest=sha256(raw).digest(),
    )


def refund(values: Mapping[str, Any], merchant: str | None, raw: bytes) -> RefundObservation:
    """A refund, from a notification (``refund_status``) or an answer (``status``)."""
    amount = part(values, "amount")
    state = text(values, "refund_status") or text(values, "status")
    status = REFUND_STATES.get(state, RefundStatus.ACCEPTED)
    return RefundObservation(
        gateway=NAME,
        merchant=merchant,
        number=text(values, "out_refund_no"),
        payment_number=text(values, "out_trade_no") or None,
        reference=text(values, "refund_id") or None,
        status=status,
        amount=read_minor(amount.get("refund"), amount.get("currency", CNY)),
        settled_at=read_rfc3339(values.get("success_time")) if status is RefundStatus.SUCCEEDED else None,
        note=state[:32],
        raw_digest=sha256(raw).digest(),
    )
