"""Scalars with exact rules: times with an offset, days, decimals, ids and whole numbers beyond 32 bits.

Strawberry's own take what Python's parsers take: a time without an offset, a week date, ``1E+3``, a float. Each of these can be
read in two ways, or has lost something before it came here, so they are refused with the rule that they break.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable
from decimal import Decimal
from typing import Any, NewType
from uuid import UUID

import strawberry
from graphql import GraphQLError, IntValueNode, StringValueNode, ValueNode, print_ast
from strawberry.types.scalar import ScalarDefinition

from kameng.money import MAX_MINOR

Long = NewType("Long", int)
"""A whole number that may pass GraphQL's ``Int``: counts and sizes of what grows."""

MAX_LONG = MAX_MINOR
"""The largest `Long`: 2⁵³ - 1, so that every client reads it exactly."""

MAX_DIGITS = 28
"""Digits of a decimal: what Python's decimal arithmetic keeps without rounding."""

_RFC_3339 = "https://datatracker.ietf.org/doc/html/rfc3339#section-5.6"
_RFC_9562 = "https://datatracker.ietf.org/doc/html/rfc9562#section-4"

_moment = re.compile(
    r"\d{4}-\d{2}-\d{2}[Tt]\d{2}:\d{2}:\d{2}(?:\.\d{1,6})?(?:[Zz]|[+-]\d{2}:\d{2})", re.ASCII
)
_day = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)
_decimal = re.compile(r"-?(\d+)(?:\.(\d+))?", re.ASCII)
_uuid = re.compile(r"[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}", re.ASCII)

_SHOWN = 40  # characters of a wrong value that a message repeats


def _refusal(kind: str, value: object, rule: str) -> GraphQLError:
    return GraphQLError(f"{kind} cannot be {str(value)[:_SHOWN]!r}: {rule}.")


def _text(kind: str, value: Any, rule: str) -> str:
    if type(value) is not str:
        raise _refusal(kind, value, rule)
    return value


_MOMENT_RULE = (
    "write a text such as 2026-11-22T20:15:00+08:00, with an offset and at most 6 decimals of a second"
)


def parse_moment(value: Any) -> dt.datetime:
    """A moment in UTC from RFC 3339; raises GraphQLError."""
    text = _text("DateTime", value, _MOMENT_RULE)
    if _moment.fullmatch(text):
        try:
            return dt.datetime.fromisoformat(text.upper()).astimezone(dt.UTC)
        except (ValueError, OverflowError):
            pass
    raise _refusal("DateTime", value, _MOMENT_RULE)


def show_moment(value: Any) -> str:
    """A moment as RFC 3339 in UTC; raises GraphQLError for one without an offset, since nobody knows when that is."""
    if not isinstance(value, dt.datetime) or value.tzinfo is None:
        raise GraphQLError("DateTime cannot show a value that is no moment with an offset.")
    return (value if value.tzinfo is dt.UTC else value.astimezone(dt.UTC)).isoformat()


_DAY_RULE = "write a text such as 2026-11-22"


def parse_day(value: Any) -> dt.date:
    """A day from RFC 3339's full-date; raises GraphQLError."""
    text = _text("Date", value, _DAY_RULE)
    if _day.fullmatch(text):
        try:
            return dt.date.fromisoformat(text)
        except ValueError:
            pass
    raise _refusal("Date", value, _DAY_RULE)


def show_day(value: Any) -> str:
    """A day as RFC 3339 has it; raises GraphQLError for a moment, whose day depends on where one is."""
    if not isinstance(value, dt.date) or isinstance(value, dt.datetime):
        raise GraphQLError("Date cannot show a value that is no day.")
    return value.isoformat()


_DECIMAL_RULE = f"write a text such as 98.50, without an exponent and with at most {MAX_DIGITS} digits"


def parse_decimal(value: Any) -> Decimal:
    """A decimal from a text of digits or a whole number, never from a float; raises GraphQLError."""
    text = str(value) if type(value) is int and abs(value) < 10**MAX_DIGITS else value
    text = _text("Decimal", text, _DECIMAL_RULE)
    found = _decimal.fullmatch(text) if len(text) <= MAX_DIGITS + 2 else None
    if found is None or len(found[1]) + len(found[2] or "") > MAX_DIGITS:
        raise _refusal("Decimal", value, _DECIMAL_RULE)
    return Decimal(text)


def show_decimal(value: Any) -> str:
    """A decimal as digits; raises GraphQLError for anything else, a float above all."""
    if type(value) is not Decimal:
        raise GraphQLError("Decimal cannot show a value that is no decimal.")
    text = str(value)
    if "E" in text:
        return f"{value:f}"
    if "N" in text or "I" in text:
        raise GraphQLError("Decimal cannot show a value that is not finite.")
    return text


_UUID_RULE = "write 32 hexadecimal digits as 8-4-4-4-12"


def parse_uuid(value: Any) -> UUID:
    """A UUID in its usual form; raises GraphQLError."""
    text = _text("UUID", value, _UUID_RULE)
    if not _uuid.fullmatch(text):
        raise _refusal("UUID", value, _UUID_RULE)
    return UUID(text)


_LONG_RULE = f"write a whole number from -{MAX_LONG} to {MAX_LONG}"


def parse_long(value: Any) -> int:
    """A whole number that every client reads exactly; raises GraphQLError."""
    if type(value) is not int or abs(value) > MAX_LONG:
        raise _refusal("Long", value, _LONG_RULE)
    return value


def show_long(value: Any) -> int:
    """The same number; raises GraphQLError for one that some clients would round."""
    if type(value) is not int or abs(value) > MAX_LONG:
        raise GraphQLError("Long cannot show a value that is no whole number of at most 53 bits.")
    return value


def _literal(parse: Callable[[Any], Any], kind: str, *, whole: bool, text: bool) -> Callable[..., Any]:
    """Values in documents obey the rules of values in variables: a number that is no whole one has no way in."""

    def read(node: ValueNode, _variables: Any = None) -> Any:
        if text and isinstance(node, StringValueNode):
            return parse(node.value)
        # Python reads no longer ones, and no rule here takes one.
        if whole and isinstance(node, IntValueNode) and len(node.value) <= MAX_DIGITS + 1:
            return parse(int(node.value))
        raise _refusal(kind, print_ast(node), "it is written in another way")

    return read


def _scalar(
    name: str,
    description: str,
    show: Callable[[Any], Any],
    parse: Callable[[Any], Any],
    *,
    source: str | None = None,
    whole: bool = False,
    text: bool = True,
) -> ScalarDefinition:
    return strawberry.scalar(
        name=name,
        description=description,
        specified_by_url=source,
        serialize=show,
        parse_value=parse,
        parse_literal=_literal(parse, name, whole=whole, text=text),
    )


EXACT: dict[object, ScalarDefinition] = {
    dt.datetime: _scalar(
        "DateTime",
        "A moment as RFC 3339 has it. Answers are in UTC; input needs an offset and has at most 6 decimals of a second.",
        show_moment,
        parse_moment,
        source=_RFC_3339,
    ),
    dt.date: _scalar(
        "Date", "A day of the calendar, such as 2026-11-22.", show_day, parse_day, source=_RFC_3339
    ),
    Decimal: _scalar(
        "Decimal",
        f'An exact decimal as text, such as "98.50": digits without an exponent, at most {MAX_DIGITS}. Input may be a whole'
        " number, never a float.",
        show_decimal,
        parse_decimal,
        whole=True,
    ),
    UUID: _scalar("UUID", "A UUID in its usual form.", str, parse_uuid, source=_RFC_9562),
    Long: _scalar(
        "Long",
        "A whole number of at most 53 bits, which every client reads exactly.",
        show_long,
        parse_long,
        whole=True,
        text=False,
    ),
}
"""By the Python type that stands for each."""
