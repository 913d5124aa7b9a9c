"""Amounts as gateways write them: integers of minor units, or decimal texts. Never a float.

A text is taken only as gateways write it, plain ASCII digits: Python's own reading of numbers also takes exponents, signs,
underscores and digits of other scripts, and a signature would cover all of them.
"""

from __future__ import annotations

import re
from typing import Final

from kameng.errors import InvalidInput
from kameng.money import MAX_MINOR, Money

CNY: Final = "CNY"

_DECIMAL = re.compile(r"[0-9]{1,13}(\.[0-9]{1,2})?")


def decimal_text(amount: Money) -> str:
    """An amount in main units with all its decimals, such as ``98.50``."""
    return f"{amount.amount:f}"


def read_decimal(text: object, currency: str = CNY) -> Money | None:
    """An amount from a text such as ``98.5``; None where it is no such text."""
    if not isinstance(text, str) or not _DECIMAL.fullmatch(text):
        return None
    try:
        return Money.parse(text, currency)
    except InvalidInput:
        return None


def read_minor(value: object, currency: object = CNY) -> Money | None:
    """An amount from an integer of minor units; None where it is none, or the currency is no text."""
    if type(value) is not int or not isinstance(currency, str) or not 0 <= value <= MAX_MINOR:
        return None
    return Money(value, currency.upper())
