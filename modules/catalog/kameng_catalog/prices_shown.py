"""Prices as people read them."""

from decimal import Decimal
from functools import lru_cache

from kameng.graphql import Money
from kameng.money import UnitPrice, minor_decimals


@lru_cache(maxsize=10_000)  # lists show the same prices again and again
def price_shown(units: int, currency: str) -> Money:
    """A unit price with the currency's own decimals, and more only where it has fractions of a cent.

    Args:
        units: ten-thousandths of the currency's main unit.
        currency: the currency.

    Returns:
        the price; equal ones are the same object, which nobody changes.
    """
    amount = UnitPrice(units, currency).amount
    shortest = amount.normalize()
    step = Decimal(1).scaleb(-minor_decimals(currency))
    whole = amount.quantize(step)
    return Money(amount=whole if shortest == whole else shortest, currency=currency)
