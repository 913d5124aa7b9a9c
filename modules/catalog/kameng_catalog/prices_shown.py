"""Prices as people read them."""

from decimal import Decimal

from kameng.graphql import Money
from kameng.money import UnitPrice, minor_decimals


def price_shown(unit: UnitPrice) -> Money:
    """A unit price with the currency's own decimals, and more only where it has fractions of a cent."""
    shortest = unit.amount.normalize()
    step = Decimal(1).scaleb(-minor_decimals(unit.currency))
    amount = unit.amount.quantize(step) if shortest == unit.amount.quantize(step) else shortest
    return Money(amount=amount, currency=unit.currency)
