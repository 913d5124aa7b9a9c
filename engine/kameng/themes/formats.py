"""Money, numbers and times as people of a language write them (CLDR, by Babel)."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, date, datetime
from decimal import Decimal, InvalidOperation
from functools import lru_cache
from typing import Any, Literal
from zoneinfo import ZoneInfo

from babel import Locale
from babel.dates import format_date, format_datetime, format_time, format_timedelta
from babel.numbers import format_currency, format_decimal, format_percent

from kameng.money import Money, UnitPrice, minor_decimals

Length = Literal["short", "medium", "long", "full"]


def money(value: Mapping[str, Any] | Money | UnitPrice, locale: Locale) -> str:
    """An amount with its currency. A unit price keeps decimals beyond the currency's own, if it has any.

    Args:
        value: ``{amount, currency}`` as GraphQL has it, with the amount as a decimal text.
    """
    if isinstance(value, Mapping):
        amount, currency = Decimal(str(value["amount"])), str(value["currency"])
    else:
        amount, currency = value.amount, value.currency
    return _money(amount, currency, str(locale))


@lru_cache(
    maxsize=8_192
)  # a list shows the same few prices to everybody, and CLDR's patterns are slow to fill
def _money(amount: Decimal, currency: str, locale: str) -> str:
    exact = amount == amount.quantize(Decimal(1).scaleb(-minor_decimals(currency)))
    return format_currency(amount, currency, locale=locale, decimal_quantization=exact)


def number(value: Any, locale: Locale) -> str:
    """A number with its groups, all decimals kept."""
    return format_decimal(_decimal(value), locale=locale, decimal_quantization=False)


def percent(value: Any, locale: Locale, decimals: int = 0) -> str:
    """A share: 0.25 is 25 %."""
    return format_percent(round(_decimal(value), decimals + 2), locale=locale, decimal_quantization=False)


def _decimal(value: Any) -> Decimal:
    try:
        return Decimal(str(value))
    except InvalidOperation as error:
        raise ValueError(f"{str(value)[:40]!r} is no number") from error


def moment(value: Any, zone: ZoneInfo) -> datetime:
    """A time of day in the site's time zone, read from ISO 8601; a text without zone is UTC."""
    read = value if isinstance(value, datetime) else datetime.fromisoformat(str(value))
    return (read if read.tzinfo else read.replace(tzinfo=UTC)).astimezone(zone)


def day(value: Any, zone: ZoneInfo, locale: Locale, length: Length = "medium") -> str:
    """A day. A plain date stays that date; a time falls on the day that it has in the site's time zone."""
    if isinstance(value, date) and not isinstance(value, datetime):
        return format_date(value, length, locale=locale)
    if isinstance(value, str) and len(value) == 10:
        return format_date(date.fromisoformat(value), length, locale=locale)
    return format_date(moment(value, zone), length, locale=locale)


def time_of_day(value: Any, zone: ZoneInfo, locale: Locale, length: Length = "short") -> str:
    """Hours and minutes."""
    return format_time(moment(value, zone), length, locale=locale)


def day_and_time(value: Any, zone: ZoneInfo, locale: Locale, length: Length = "medium") -> str:
    """A day with its time."""
    return format_datetime(moment(value, zone), length, locale=locale)


def ago(value: Any, now: datetime, locale: Locale) -> str:
    """How long ago, or in how long: ``3 minutes ago``."""
    passed = moment(value, ZoneInfo("UTC")) - now
    return format_timedelta(passed, locale=locale, add_direction=True)
