"""Stripe's smallest units, which are not everywhere those of the currency.

Source: Stripe's page on currencies. Amounts go over as integers.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Final

from kameng.errors import InvalidInput
from kameng.money import MAX_MINOR, Money
from kameng_settlement.gateway_contract import GatewayRefused

ZERO_DECIMALS: Final = frozenset(
    {"BIF", "CLP", "DJF", "GNF", "JPY", "KMF", "KRW", "MGA", "PYG", "RWF", "VND", "VUV", "XAF", "XOF", "XPF"}
)
THREE_DECIMALS: Final = frozenset({"BHD", "JOD", "KWD", "OMR", "TND"})
WHOLE_ONLY: Final = frozenset({"ISK", "UGX"})
"""Currencies without decimals whose amounts Stripe takes with two, both zero."""


def _decimals(currency: str) -> int:
    return 0 if currency in ZERO_DECIMALS else 3 if currency in THREE_DECIMALS else 2


def units(amount: Money) -> int:
    """An amount in Stripe's units.

    Raises:
        GatewayRefused: it is finer than Stripe takes it.
    """
    scaled = amount.amount.scaleb(_decimals(amount.currency))
    whole = int(scaled)
    step = 100 if amount.currency in WHOLE_ONLY else 10 if amount.currency in THREE_DECIMALS else 1
    if whole != scaled or whole % step:
        raise GatewayRefused(f"Stripe does not take {amount.currency} in parts that small.", reason="AMOUNT")
    return whole


def read_units(value: object, currency: object) -> Money | None:
    """An amount from Stripe's units; None where it is none."""
    if type(value) is not int or not isinstance(currency, str) or abs(value) > MAX_MINOR:
        return None
    code = currency.upper()
    try:
        return Money.parse(Decimal(value).scaleb(-_decimals(code)), code)
    except InvalidInput:
        return None
