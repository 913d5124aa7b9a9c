"""What both versions of epay have in common: the text that is signed, methods, names of goods, states and notifications."""

from __future__ import annotations

from collections.abc import Mapping
from hashlib import sha256
from typing import Any, Final, Literal, TypeAlias

from kameng_gateways.amounts import CNY, read_decimal
from kameng_gateways.moments import read_china
from kameng_gateways.reading import Unreadable, read_form
from kameng_settlement.gateway_contract import (
    GatewayRefused,
    MerchantAccount,
    NotificationAnswer,
    NotificationRefused,
    NotificationRequest,
    Observation,
    PaymentRequest,
    PaymentStatus,
)

Method: TypeAlias = Literal["", "alipay", "wxpay", "qqpay", "bank", "jdpay", "paypal", "usdt"]
"""What a payer can choose at an epay; empty: he chooses on its page."""

METHODS: Final = frozenset({"", "alipay", "wxpay", "qqpay", "bank", "jdpay", "paypal", "usdt"})

UNSIGNED: Final = frozenset({"sign", "sign_type"})

LONGEST_NAME: Final = 127
"""Bytes of a name of goods. Servers cut what is longer, some before and some after they check the signature."""


def signed_text(values: Mapping[str, str]) -> str:
    """What is signed: all fields with a value but the signature's own, sorted by name, joined without any escaping."""
    return "&".join(
        f"{key}={value}" for key, value in sorted(values.items()) if value != "" and key not in UNSIGNED
    )


def name_of_goods(subject: str) -> str:
    """A name that servers take as it is. The signed text has no escaping, so a name holds nothing that separates fields."""
    plain = "".join(sign for sign in subject if sign not in "&=#%+'\"<>\\" and sign.isprintable())
    return plain.encode()[:LONGEST_NAME].decode(errors="ignore").strip() or "order"


def check_request(request: PaymentRequest) -> str:
    """The method that was chosen.

    Raises:
        GatewayRefused: epay cannot take this payment.
    """
    if request.amount.currency != CNY:
        raise GatewayRefused("Epay takes CNY.", reason="CURRENCY")
    if request.method not in METHODS:
        raise GatewayRefused("Epay has no such way to pay.", reason="METHOD")
    return request.method


def read_fields(request: NotificationRequest) -> dict[str, str]:
    """The fields of a notification, of the query or of a posted form.

    Raises:
        NotificationRefused: they cannot be read, or hold what would let two different sets of fields have one signature.
    """
    raw = request.query if request.method == "GET" else request.body
    try:
        fields = read_form(raw)
    except Unreadable as error:
        raise NotificationRefused("MALFORMED", "It is no form in UTF-8.") from error
    if any("&" in text for pair in fields.items() for text in pair) or any("=" in key for key in fields):
        raise NotificationRefused("MALFORMED", "A field holds what separates fields.")
    return fields


def told_payment(name: str, account: MerchantAccount, fields: Mapping[str, str], raw: bytes) -> Observation:
    """A verified notification as an observation.

    Raises:
        NotificationRefused: it is for another merchant, or names no payment.
    """
    if fields.get("pid") != account.merchant:
        raise NotificationRefused("MERCHANT", "It is for another merchant.")
    if not fields.get("out_trade_no"):
        raise NotificationRefused("MALFORMED", "It names no payment.")
    state = fields.get("trade_status", "")
    paid = state == "TRADE_SUCCESS"
    return Observation(
        gateway=name,
        merchant=fields["pid"],
        number=fields["out_trade_no"],
        transaction=fields.get("trade_no") or None,
        # There is but one word for paid. Whatever else it says, it is not that.
        status=PaymentStatus.PAID if paid else PaymentStatus.PENDING,
        amount=read_decimal(fields.get("money")),
        paid_at=read_china(fields.get("endtime")) if paid else None,
        note=state[:32],
        raw_digest=sha256(raw).digest(),
    )


def as_text(values: Mapping[str, Any], key: str) -> str:
    """A value of an answer as text: servers write numbers with and without quotes. Empty where there is none."""
    value = values.get(key)
    if type(value) is int:
        return str(value)
    return value if isinstance(value, str) else ""


def notification_answer(accepted: bool) -> NotificationAnswer:
    """The word ``success`` and nothing else."""
    return NotificationAnswer(status=200 if accepted else 500, body=b"success" if accepted else b"fail")
