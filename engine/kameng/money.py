"""Money: integer minor units and an ISO 4217 currency; unit prices with four decimals. Never a float.

A wholesale unit can cost a fraction of a cent, so a unit price counts ten-thousandths of the currency's main unit. A line's
total is rounded to minor units once, half to even, and from there on everything is exact integers.
"""

from decimal import ROUND_HALF_EVEN, Decimal, InvalidOperation
from functools import cache

import msgspec
from babel.numbers import get_currency_precision, list_currencies

from kameng.errors import InvalidInput

UNIT_DECIMALS = 4
"""Decimals of a unit price, in every currency."""

MAX_MINOR = 2**53 - 1
"""The largest amount that any client, JavaScript included, reads exactly."""

_EXACT_DIGITS = 28  # of Python's decimal arithmetic; it rounds what has more, and says nothing

_CURRENCIES = frozenset(list_currencies())


def check_currency(code: str) -> str:
    """The code itself, if it is an ISO 4217 currency that CLDR knows.

    Raises:
        InvalidInput: it is not.
    """
    if code not in _CURRENCIES:
        raise InvalidInput(
            f"{code[:12]!r} is not an ISO 4217 currency.", cure="Use a code such as CNY or USD."
        )
    return code


@cache  # CLDR's table is loaded at every question, and prices ask for each row
def minor_decimals(currency: str) -> int:
    """How many decimals the minor unit of a currency has: 2 for CNY, 0 for JPY."""
    return get_currency_precision(currency)


def _parse(text: str | Decimal, decimals: int, what: str) -> int:
    try:
        value = text if isinstance(text, Decimal) else Decimal(text.strip())
        if len(value.as_tuple().digits) > _EXACT_DIGITS:
            raise InvalidOperation
        scaled = value.scaleb(decimals)
        if not value.is_finite() or scaled != scaled.to_integral_value() or abs(scaled) > MAX_MINOR:
            raise InvalidOperation
        return int(scaled)
    except InvalidOperation as error:
        raise InvalidInput(
            f"{str(text)[:40]!r} is not {what}.",
            cure=f"Write a plain number with at most {decimals} decimals.",
        ) from error


class Money(msgspec.Struct, frozen=True, order=False):
    """An amount of one currency.

    Attributes:
        minor: the amount in minor units (fen, cents); may be negative.
        currency: the ISO 4217 code.
    """

    minor: int
    currency: str

    @classmethod
    def parse(cls, text: str | Decimal, currency: str) -> "Money":
        """Read a decimal amount, such as ``"98.50"``.

        Raises:
            InvalidInput: not a number, too large, too many decimals, or an unknown currency.
        """
        check_currency(currency)
        return cls(_parse(text, minor_decimals(currency), f"an amount in {currency}"), currency)

    @property
    def amount(self) -> Decimal:
        """The amount in main units, with the currency's own decimals."""
        return Decimal(self.minor).scaleb(-minor_decimals(self.currency))

    def __add__(self, other: "Money") -> "Money":
        return Money(self.minor + self._same(other).minor, self.currency)

    def __sub__(self, other: "Money") -> "Money":
        return Money(self.minor - self._same(other).minor, self.currency)

    def _same(self, other: "Money") -> "Money":
        if other.currency != self.currency:
            raise ValueError(f"cannot combine {self.currency} with {other.currency}")
        return other


class UnitPrice(msgspec.Struct, frozen=True, order=False):
    """The price of one unit.

    Attributes:
        units: ten-thousandths of the currency's main unit.
        currency: the ISO 4217 code.
    """

    units: int
    currency: str

    @classmethod
    def parse(cls, text: str | Decimal, currency: str) -> "UnitPrice":
        """Read a decimal price with at most four decimals.

        Raises:
            InvalidInput: not a number, negative, too large, too many decimals, or an unknown currency.
        """
        check_currency(currency)
        units = _parse(text, UNIT_DECIMALS, f"a price in {currency}")
        if units < 0:
            raise InvalidInput("A price is never negative.", cure="Write zero or more.")
        return cls(units, currency)

    @property
    def amount(self) -> Decimal:
        """The price in main units, with four decimals."""
        return Decimal(self.units).scaleb(-UNIT_DECIMALS)

    def times(self, quantity: int) -> Money:
        """The total of ``quantity`` units, rounded half to even to minor units, once."""
        exact = Decimal(self.units * quantity).scaleb(minor_decimals(self.currency) - UNIT_DECIMALS)
        return Money(int(exact.quantize(Decimal(1), rounding=ROUND_HALF_EVEN)), self.currency)
