"""Reading cells: each function takes a text and gives a value, or raises `CellFault` with the reason."""

from __future__ import annotations

import re
import unicodedata
from datetime import date
from decimal import Decimal

from kameng.errors import InvalidInput
from kameng.money import MAX_MINOR, UNIT_DECIMALS, check_currency, minor_decimals
from kameng_catalog.importing.faults import CellFault
from kameng_catalog.tables import KINDS, SLUG, STATUSES

LONGEST_SKU = 64
LONGEST_SLUG = 100
LONGEST_TITLE = 200
LONGEST_DESCRIPTION = 10_000
LONGEST_TAG = 40
MOST_TAGS = 20
LARGEST_QUANTITY = 1_000_000

_NUMBER = re.compile(r"[+-]?\d+(\.\d*)?|[+-]?\.\d+", re.ASCII)
_SLUG = re.compile(SLUG)
_SKU_CHARACTER = re.compile(r"[A-Za-z0-9._-]")
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")
_OFTEN_WRONG = {
    "RMB": "CNY",
    "CNH": "CNY",
    "YUAN": "CNY",
    "元": "CNY",
    "¥": "CNY",
    "HK$": "HKD",
    "US$": "USD",
}


def quoted(text: str) -> str:
    """A text in a message: cut, and marked as what stands in the file."""
    return f"`{text[:60]}…`" if len(text) > 60 else f"`{text}`"


def given(text: str) -> str:
    """A text that must be there."""
    if not text:
        raise CellFault("is missing")
    return text


def plain(text: str, longest: int) -> str:
    """A text for people: not too long, without control characters other than tabs and line breaks."""
    if len(text) > longest:
        raise CellFault(f"is too long: {len(text)} characters, at most {longest}")
    if bad := _CONTROL.search(text):
        raise CellFault(f"holds the control character U+{ord(bad.group()):04X}")
    return unicodedata.normalize("NFC", text)


def sku(text: str) -> str:
    """A variant's own number: ASCII letters, digits, dots, dashes and underscores."""
    given(text)
    if len(text) > LONGEST_SKU:
        raise CellFault(f"is too long: {len(text)} characters, at most {LONGEST_SKU}")
    bad = next((char for char in text if not _SKU_CHARACTER.fullmatch(char)), None)
    if bad is not None:
        raise CellFault(f"{quoted(text)} holds an illegal character: {_shown(bad)}")
    if not text[0].isalnum():
        raise CellFault(f"{quoted(text)} does not begin with a letter or digit")
    return text


def _shown(character: str) -> str:
    return f"`{character}`" if character.isprintable() else f"U+{ord(character):04X}"


def slug(text: str) -> str:
    """A name in addresses."""
    given(text)
    if len(text) > LONGEST_SLUG:
        raise CellFault(f"is too long: {len(text)} characters, at most {LONGEST_SLUG}")
    if not _SLUG.fullmatch(text):
        raise CellFault(f"{quoted(text)} is no slug: small letters and digits, parted by single dashes")
    return text


def path(text: str) -> str:
    """The path of a category: slugs parted by slashes, at most five."""
    given(text)
    parts = text.split("/")
    if len(text) > LONGEST_SLUG or len(parts) > 5 or not all(_SLUG.fullmatch(part) for part in parts):
        raise CellFault(f"{quoted(text)} is no path of slugs such as `game/pc`")
    return text


def number(text: str, decimals: int) -> Decimal:
    """A number that is not negative, with at most so many decimals."""
    given(text)
    if not _NUMBER.fullmatch(text):
        hint = f"; write {text.replace(',', '.')}" if re.fullmatch(r"\d+,\d{1,4}", text, re.ASCII) else ""
        raise CellFault(f"{quoted(text)} is not a number{hint}")
    value = Decimal(text)
    if value < 0:
        raise CellFault(f"{quoted(text)} is negative")
    scaled = value.scaleb(decimals)
    if scaled != scaled.to_integral_value():
        raise CellFault(f"{quoted(text)} has more than {decimals} decimals")
    if scaled > MAX_MINOR:
        raise CellFault(f"{quoted(text)} is too large")
    return value


def units(text: str) -> int:
    """A unit price in ten-thousandths."""
    return int(number(text, UNIT_DECIMALS).scaleb(UNIT_DECIMALS))


def minor(text: str, currency: str) -> int:
    """An amount in minor units of its currency."""
    decimals = minor_decimals(currency)
    return int(number(text, decimals).scaleb(decimals))


def currency(text: str) -> str:
    """An ISO 4217 code."""
    given(text)
    try:
        return check_currency(text)
    except InvalidInput:
        meant = _OFTEN_WRONG.get(text.upper())
        hint = f"; write {meant}" if meant else ""
        raise CellFault(f"{quoted(text)} is no currency of ISO 4217{hint}") from None


def quantity(text: str) -> int:
    """A number of pieces."""
    given(text)
    if not re.fullmatch(r"\d{1,9}", text, re.ASCII) or not 1 <= int(text) <= LARGEST_QUANTITY:
        raise CellFault(f"{quoted(text)} is no quantity from 1 to {LARGEST_QUANTITY}")
    return int(text)


def kind(text: str) -> str:
    """A kind of stock."""
    return _one_of(text, KINDS, "no kind of stock")


def status(text: str) -> str:
    """A status of a product."""
    return _one_of(text, STATUSES, "no status")


def _one_of(text: str, choices: tuple[str, ...], what: str) -> str:
    if given(text) not in choices:
        raise CellFault(f"{quoted(text)} is {what}; write one of {', '.join(choices)}")
    return text


def tags(text: str) -> tuple[str, ...]:
    """Tags parted by semicolons, each once, in the order of the file."""
    found = tuple(dict.fromkeys(tag for part in text.split(";") if (tag := plain(part.strip(), LONGEST_TAG))))
    if len(found) > MOST_TAGS:
        raise CellFault(f"has {len(found)} tags, at most {MOST_TAGS}")
    return found


def day(text: str) -> date | None:
    """A day as ``YYYY-MM-DD``, or None for an empty cell."""
    if not text:
        return None
    if not re.fullmatch(r"\d{4}-\d{2}-\d{2}", text, re.ASCII):
        raise CellFault(f"{quoted(text)} is no date; write YYYY-MM-DD")
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise CellFault(f"{quoted(text)}: there is no such day") from None
