"""What Stripe says of payments and refunds, in settlement's words.

Our number stands in the metadata of the payment intent, of the refund, and in ``client_reference_id`` of the session.
"""

from __future__ import annotations

from collections.abc import Mapping
from hashlib import sha256
from typing import Any, Final

from kameng.money import Money
from kameng_gateways.moments import read_seconds
from kameng_gateways.reading import part, text
from kameng_gateways.stripe.amounts import read_units
from kameng_settlement.gateway_contract import (
    Observation,
    PaymentStatus,
    RefundObservation,
    RefundStatus,
)

NAME: Final = "stripe"

NUMBER: Final = "kameng_number"
"""The key of the metadata under which our number stands."""

INTENT_STATES: Final[Mapping[str, PaymentStatus]] = {
    "succeeded": PaymentStatus.PAID,
    "processing": PaymentStatus.PENDING,
    "requires_payment_method": PaymentStatus.PENDING,  # a card was declined; the payer may take another
    "requires_confirmation": PaymentStatus.PENDING,
    "requires_action": PaymentStatus.PENDING,
    "requires_capture": PaymentStatus.PENDING,  # authorised, not taken
    "canceled": PaymentStatus.CLOSED,
}
"""All states of a payment intent. Any other word is one that was not known when this was written: pending, never paid."""

REFUND_STATES: Final[Mapping[str, RefundStatus]] = {
    "succeeded": RefundStatus.SUCCEEDED,
    "pending": RefundStatus.ACCEPTED,
    "requires_action": RefundStatus.ACCEPTED,
    "failed": RefundStatus.FAILED,
    "canceled": RefundStatus.FAILED,
}
"""All states of a refund. Any other word: accepted, never succeeded."""


def intent(values: Mapping[str, Any], raw: bytes) -> Observation:
    """A payment from a payment intent."""
    state = text(values, "status")
    status = INTENT_STATES.get(state, PaymentStatus.PENDING)
    currency = values.get("currency")
    paid = status is PaymentStatus.PAID
    charge = part(values, "latest_charge")
    movement = part(charge, "balance_transaction")
    return Observation(
        gateway=NAME,
        merchant=None,
        number=text(part(values, "metadata"), NUMBER),
        transaction=text(values, "id") or None,
        status=status,
        amount=read_units(values.get("amount_received" if paid else "amount"), currency),
        paid_at=read_seconds(charge.get("created")) if paid else None,
        fee=_fee(movement, currency),
        note=state[:32],
        raw_digest=sha256(raw).digest(),
    )


def session(values: Mapping[str, Any], raw: bytes) -> Observation:
    """A payment from a Checkout Session. Completed is not paid: some ways to pay take days, and tell later."""
    state, paid = text(values, "status"), text(values, "payment_status")
    if paid == "paid":
        status = PaymentStatus.PAID
    elif state == "expired":
        status = PaymentStatus.CLOSED
    else:
        status = PaymentStatus.PENDING
    known = values.get("payment_intent")
    transaction = known if isinstance(known, str) else text(part(values, "payment_intent"), "id")
    return Observation(
        gateway=NAME,
        merchant=None,
        number=text(values, "client_reference_id"),
        transaction=transaction or None,
        status=status,
        amount=read_units(values.get("amount_total"), values.get("currency")),
        note=f"{state} {paid}".strip()[:32],
        raw_digest=sha256(raw).digest(),
    )


def refund(values: Mapping[str, Any], raw: bytes) -> RefundObservation:
    """A refund."""
    state = text(values, "status")
    return RefundObservation(
        gateway=NAME,
        merchant=None,
        number=text(part(values, "metadata"), NUMBER),
        reference=text(values, "id") or None,
        status=REFUND_STATES.get(state, RefundStatus.ACCEPTED),
        amount=read_units(values.get("amount"), values.get("currency")),
        note=(text(values, "failure_reason") or state)[:32],
        raw_digest=sha256(raw).digest(),
    )


def _fee(movement: Mapping[str, Any], currency: object) -> Money | None:
    """What Stripe keeps, where it settles in the currency of the payment; in another one it says nothing about this amount."""
    if movement.get("currency") != currency:
        return None
    return read_units(movement.get("fee"), currency)
