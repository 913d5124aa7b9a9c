"""Prices as people read them."""

from decimal import Decimal
from functools import lru_cache

from kameng.graphql import Money
from kameng.money import UnitPrice, minor_decimals


@lru_cache(maxsize=10_000)  # a list shows the same prices again and again
def price_shown(unit: UnitPrice) -> Money:
    """A unit price with the currency's own decimals, and more only where it has fractions of a cent.

    Equal prices are one object, which nobody changes.
    """
    shortest = unit.amount.normalize()
    step = Decimal(1).scaleb(-minor_decimals(unit.currency))
    amount = unit.amount.quantize(step) if shortest == unit.amount.quantize(step) else shortest
    return Money(amount=amount, currency=unit.currency)
