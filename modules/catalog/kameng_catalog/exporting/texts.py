"""Values as the texts that a file has, in the forms that the importers read."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from decimal import Decimal

from kameng.money import UNIT_DECIMALS, minor_decimals


def units_text(units: int | None) -> str:
    """A unit price, with two to four decimals."""
    if units is None:
        return ""
    text = f"{Decimal(units).scaleb(-UNIT_DECIMALS):f}"
    whole, _, decimals = text.partition(".")
    return f"{whole}.{decimals.rstrip('0').ljust(2, '0')}"


def minor_text(minor: int | None, currency: str | None) -> str:
    """An amount of a currency."""
    return (
        "" if minor is None or currency is None else f"{Decimal(minor).scaleb(-minor_decimals(currency)):f}"
    )


def moment_text(moment: datetime | None) -> str:
    """A moment in UTC."""
    return "" if moment is None else moment.isoformat().replace("+00:00", "Z")


def path_titles(path: str, titles: Mapping[str, Mapping[str, str]], locale: str) -> str:
    """The names of a category and of those above it, in one language, as a file gives them.

    Args:
        path: the category's.
        titles: titles by locale, of each path.
        locale: the language.

    Returns:
        one name for each level; the last one alone where a level has none; empty where a name has a slash itself, which a file
        cannot tell from a level.
    """
    parts = path.split("/")
    names = [titles.get("/".join(parts[: level + 1]), {}).get(locale, "") for level in range(len(parts))]
    if "/" in "".join(names) or not names[-1]:
        return "" if "/" in names[-1] or not names[-1] else names[-1]
    return "/".join(names) if all(names) else names[-1]


def tags_text(tags: Sequence[str]) -> str:
    """Tags parted by semicolons."""
    return ";".join(tags)
