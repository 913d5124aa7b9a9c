"""Template filters beside Jinja's own: money, numbers and times in the visitor's language."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any, cast
from zoneinfo import ZoneInfo

import msgspec
from babel import Locale
from jinja2 import pass_context
from jinja2.runtime import Context

from kameng.themes import formats
from kameng.themes.markdown import markdown
from kameng.themes.qr import qr_svg

# Filters take the context so that Jinja never works them out while it compiles, in whatever language that happens to be.


def _locale(context: Context) -> Locale:
    return cast("Locale", context.resolve("_babel_locale"))


def _zone(context: Context) -> ZoneInfo:
    return cast("ZoneInfo", context.resolve("_time_zone"))


@pass_context
def _money(context: Context, value: Any) -> str:
    return formats.money(value, _locale(context))


@pass_context
def _number(context: Context, value: Any) -> str:
    return formats.number(value, _locale(context))


@pass_context
def _percent(context: Context, value: Any, decimals: int = 0) -> str:
    return formats.percent(value, _locale(context), decimals)


@pass_context
def _date(context: Context, value: Any, length: formats.Length = "medium") -> str:
    return formats.day(value, _zone(context), _locale(context), length)


@pass_context
def _time(context: Context, value: Any, length: formats.Length = "short") -> str:
    return formats.time_of_day(value, _zone(context), _locale(context), length)


@pass_context
def _datetime(context: Context, value: Any, length: formats.Length = "medium") -> str:
    return formats.day_and_time(value, _zone(context), _locale(context), length)


@pass_context
def _local_minute(context: Context, value: Any) -> str:
    """A time as fields of the type ``datetime-local`` hold it; empty for none."""
    return formats.moment(value, _zone(context)).strftime("%Y-%m-%dT%H:%M") if value else ""


@pass_context
def _ago(context: Context, value: Any) -> str:
    return formats.ago(value, datetime.now(UTC), _locale(context))


def _json(value: Any) -> str:
    return msgspec.json.encode(value).decode()


@pass_context
def _qr(_context: Context, value: Any, label: str = "") -> str:
    return qr_svg(str(value), label)


FILTERS: dict[str, Callable[..., Any]] = {
    "money": _money,
    "number": _number,
    "percent": _percent,
    "date": _date,
    "time": _time,
    "datetime": _datetime,
    "ago": _ago,
    "local_minute": _local_minute,
    "json": _json,
    "markdown": markdown,
    "qr": _qr,
}
"""Filters beside Jinja's own."""
