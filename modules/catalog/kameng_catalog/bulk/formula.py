"""How a bulk change computes a new price from an old one, a cost or a face value. Exact, without floats."""

from __future__ import annotations

from decimal import ROUND_CEILING, ROUND_FLOOR, ROUND_HALF_EVEN, Decimal
from enum import StrEnum
from typing import Any

import msgspec

from kameng.errors import InvalidInput
from kameng.money import MAX_MINOR, UNIT_DECIMALS

_ONE: int = 10**UNIT_DECIMALS
_LARGEST = Decimal(1_000_000)


class PriceBase(StrEnum):
    """What a formula starts from."""

    PRICE = "price"
    COST = "cost"
    FACE = "face"


class Rounding(StrEnum):
    """Which of the two nearest prices with the wanted ending is taken; in the middle, the higher one."""

    NEAREST = "nearest"
    UP = "up"
    DOWN = "down"


class PriceFormula(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """``base × (1 + percent / 100) + amount``, rounded, and not below the cost.

    Attributes:
        base: what it starts from.
        percent: more or less by so many percent; a decimal.
        amount: then more or less by so much of the currency's main unit; a decimal with up to four places.
        ending: what the price ends with, such as ``0.99`` or ``0.00``; empty: rounded half-even to ``decimals``.
        rounding: how to come to the ending.
        decimals: places behind the point where there is no ending, 0 to 4.
        refuse_below_cost: leave a price alone that would fall below the cost; otherwise it becomes the cost, rounded up to
            the ending. Variants that may be sold below their cost have no such floor.
    """

    base: PriceBase = PriceBase.PRICE
    percent: str = "0"
    amount: str = "0"
    ending: str = ""
    rounding: Rounding = Rounding.NEAREST
    decimals: int = 2
    refuse_below_cost: bool = False

    def check(self) -> None:
        """Make sure that it can be computed.

        Raises:
            InvalidInput: a number is none, or out of range.
        """
        for name, text, places in (("percent", self.percent, 6), ("amount", self.amount, UNIT_DECIMALS)):
            value = _decimal(text)
            if value is None or abs(value) > _LARGEST or value != round(value, places):
                raise InvalidInput(
                    f"{text[:40]!r} is no {name}.",
                    cure=f"Write a number with up to {places} decimals.",
                    path=("input", "formula", name),
                )
        ending = _decimal(self.ending) if self.ending else Decimal(0)
        if ending is None or not 0 <= ending < 1 or ending != round(ending, UNIT_DECIMALS):
            raise InvalidInput(
                f"{self.ending[:40]!r} is nothing that a price can end with.",
                cure="Write it like 0.00, 0.90 or 0.99.",
                path=("input", "formula", "ending"),
            )
        if not 0 <= self.decimals <= UNIT_DECIMALS:
            raise InvalidInput(
                f"A price has 0 to {UNIT_DECIMALS} decimals.", path=("input", "formula", "decimals")
            )

    def price(self, base: int, floor: int | None) -> int:
        """The new price.

        Args:
            base: what it starts from, in ten-thousandths.
            floor: the cost that it may not go below; None where there is no such floor.

        Returns:
            ten-thousandths; it may be negative or too large, which the caller tells.
        """
        exact = Decimal(base) * (1 + Decimal(self.percent) / 100) + Decimal(self.amount) * _ONE
        rounded = self._rounded(exact, self.rounding)
        if floor is not None and rounded < floor and not self.refuse_below_cost:
            return self._rounded(Decimal(floor), Rounding.UP)
        return rounded

    def _rounded(self, units: Decimal, how: Rounding) -> int:
        if not self.ending:
            step: int = 10 ** (UNIT_DECIMALS - self.decimals)
            # Towards the nearest, halves go to the even one: as money is rounded everywhere.
            way = {Rounding.UP: ROUND_CEILING, Rounding.DOWN: ROUND_FLOOR}.get(how, ROUND_HALF_EVEN)
            return int((units / step).to_integral_value(way)) * step
        ending = int(Decimal(self.ending) * _ONE)
        below = int(((units - ending) / _ONE).to_integral_value(ROUND_FLOOR)) * _ONE + ending
        above = below if below == units else below + _ONE
        if how is Rounding.DOWN:
            return below
        if how is Rounding.UP:
            return above
        return below if units - below < above - units else above


def too_odd(units: int, base: int) -> bool:
    """Whether a price cannot be meant: negative, nothing where there was something, or beyond what is stored."""
    return units < 0 or (units == 0 and base > 0) or units > MAX_MINOR


def _decimal(text: str) -> Decimal | None:
    try:
        value = Decimal(text)
    except ArithmeticError:
        return None
    return value if value.is_finite() else None


def read_formula(value: Any) -> PriceFormula:
    """A formula from a job's input."""
    return msgspec.convert(value, PriceFormula)
