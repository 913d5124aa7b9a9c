"""Times, days, decimals, ids, long numbers and money: what goes in, what comes out, and what is refused, by the real executor.

Each value is tried as a variable and as a literal in a document, through the compiled path: both obey the same rules.
"""

from __future__ import annotations

import asyncio
import datetime as dt
import json
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest
import strawberry
from graphql import GraphQLError
from hypothesis import example, given
from hypothesis import strategies as st

from kameng.errors import InvalidInput
from kameng.graphql import Context, Money, compose_schema
from kameng.graphql.exact import (
    MAX_DIGITS,
    MAX_LONG,
    Long,
    show_day,
    show_decimal,
    show_long,
    show_moment,
)
from kameng.graphql.execution import Executor
from kameng.graphql.scalars import MoneyInput
from kameng.graphql.wire import Unreadable, read_json
from kameng.module import Module, SchemaPart
from kameng.money import MAX_MINOR, UnitPrice, minor_decimals
from kameng.money import Money as Amount

GOT: list[Any] = []


def _echo(value: Any) -> Any:
    GOT.append(value)
    return value


@strawberry.type
class EchoQuery:
    @strawberry.field
    def moment(self, value: dt.datetime) -> dt.datetime:
        return _echo(value)

    @strawberry.field
    def day(self, value: dt.date) -> dt.date:
        return _echo(value)

    @strawberry.field
    def decimal(self, value: Decimal) -> Decimal:
        return _echo(value)

    @strawberry.field
    def uuid(self, value: UUID) -> UUID:
        return _echo(value)

    @strawberry.field
    def long(self, value: Long) -> Long:
        return _echo(value)

    @strawberry.field
    def money(self, value: MoneyInput) -> Money:
        return Money.of(_echo(value.parsed()))

    @strawberry.field
    def many(self, value: list[Decimal]) -> list[Decimal]:
        return _echo(value)


SCHEMA = compose_schema("shop", [Module(name="echo", version="1", shop=SchemaPart(query=EchoQuery))])
FALLEN: list[str] = []
EXECUTOR = Executor(SCHEMA, on_fallback=FALLEN.append)
TYPES = {
    "moment": "DateTime!",
    "day": "Date!",
    "decimal": "Decimal!",
    "uuid": "UUID!",
    "long": "Long!",
    "money": "MoneyInput!",
    "many": "[Decimal!]!",
}


def literal(value: Any) -> str:
    """A JSON value as GraphQL writes it."""
    if isinstance(value, dict):
        return "{" + ", ".join(f"{key}: {literal(item)}" for key, item in value.items()) + "}"
    return json.dumps(value, ensure_ascii=False)


def run(source: str, variables: dict[str, Any] | None = None) -> Any:
    GOT.clear()
    context = Context(None)  # type: ignore[arg-type]  # no resolver here asks for its kernel
    answer = asyncio.run(EXECUTOR.execute(source, variables, context))
    assert FALLEN == []
    return answer


def both(field: str, value: Any) -> list[tuple[Any, Any]]:
    """What the resolver got and what came out, by variable and by literal; the code of the error in place of both."""
    chosen = "{ amount currency }" if field == "money" else ""
    outcomes = []
    for answer in (
        lambda: run(f"query($v: {TYPES[field]}) {{ {field}(value: $v) {chosen} }}", {"v": value}),
        lambda: run(f"{{ {field}(value: {literal(value)}) {chosen} }}"),
    ):
        told = answer()
        if told.errors:
            (error,) = told.errors
            outcomes.append((None, error["extensions"]["code"]))
            assert GOT == []
        else:
            outcomes.append((GOT[0], told.data[field]))
    return outcomes


def taken(field: str, value: Any) -> tuple[Any, Any]:
    """What the resolver got and what came out, the same for both ways."""
    by_variable, by_literal = both(field, value)
    assert by_variable == by_literal
    return by_variable


def refused(field: str, value: Any) -> bool:
    return both(field, value) == [(None, "GRAPHQL_INVALID")] * 2


@pytest.fixture(autouse=True)
def no_loop_around() -> None:
    """These tests bring a loop of their own for each example."""


# DateTime

offsets = st.integers(-23 * 60 - 59, 23 * 60 + 59)
moments = st.datetimes(dt.datetime(2, 1, 1), dt.datetime(9998, 12, 31))  # noqa: DTZ001 - the offset comes apart


@given(moments, offsets, st.sampled_from("Tt"))
@example(dt.datetime(2024, 2, 29, 23, 59, 59, 999_999), 8 * 60, "T")  # noqa: DTZ001
@example(dt.datetime(2, 1, 1), 0, "t")  # noqa: DTZ001
def test_a_moment_comes_in_with_any_offset_and_goes_out_in_utc(
    naive: dt.datetime, minutes: int, t: str
) -> None:
    moment = naive.replace(tzinfo=dt.timezone(dt.timedelta(minutes=minutes)))

    got, shown = taken("moment", moment.isoformat(sep=t))

    assert got == moment
    assert got.tzinfo is dt.UTC
    assert shown.endswith("+00:00")
    assert dt.datetime.fromisoformat(shown) == moment
    # What went out comes in again as the same
    assert taken("moment", shown) == (got, shown)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("2026-11-22T20:15:00Z", "2026-11-22T20:15:00+00:00"),
        ("2026-11-22t20:15:00z", "2026-11-22T20:15:00+00:00"),
        ("2026-11-22T20:15:00.5+08:00", "2026-11-22T12:15:00.500000+00:00"),
        ("2026-11-22T00:00:00.000001-00:00", "2026-11-22T00:00:00.000001+00:00"),
        ("2027-01-01T00:30:00+01:00", "2026-12-31T23:30:00+00:00"),
    ],
)
def test_moments_by_example(text: str, shown: str) -> None:
    assert taken("moment", text)[1] == shown


@pytest.mark.parametrize(
    "value",
    [
        "2026-11-22T20:15:00",  # no offset: nobody knows when
        "2026-11-22",
        "2026-11-22 20:15:00Z",
        "2026-11-22T20:15Z",
        "20261122T201500Z",
        "2026-W47-7T20:15:00Z",
        "2026-11-22T20:15:00.1234567Z",
        "2026-11-22T20:15:00,5Z",
        "2026-11-22T20:15:00.Z",
        "2026-11-22T24:00:00Z",
        "2026-11-22T20:15:60Z",
        "2026-11-22T20:60:00Z",
        "2026-02-29T00:00:00Z",
        "2026-11-22T20:15:00+24:00",
        "2026-11-22T20:15:00+08",
        "2026-11-22T20:15:00+0800",
        "2026-11-22T20:15:00+08:00:30",
        "0000-01-01T00:00:00Z",
        "0001-01-01T00:00:00+00:01",
        "9999-12-31T23:59:59-00:01",
        "２０２６-11-22T20:15:00Z",
        " 2026-11-22T20:15:00Z",
        "2026-11-22T20:15:00Z\n",
        "+2026-11-22T20:15:00Z",
        "now",
        "",
        1_795_000_000,
        1.5,
        True,
    ],
)
def test_what_is_no_moment_is_refused(value: Any) -> None:
    assert refused("moment", value)


def test_a_moment_without_an_offset_is_never_shown() -> None:
    for wrong in (dt.datetime(2026, 1, 1), dt.date(2026, 1, 1), "2026-01-01T00:00:00Z", 0):  # noqa: DTZ001
        with pytest.raises(GraphQLError):
            show_moment(wrong)


# Date


@given(st.dates())
@example(dt.date(2024, 2, 29))
def test_a_day_stays_what_it_is(day: dt.date) -> None:
    assert taken("day", day.isoformat()) == (day, day.isoformat())


@pytest.mark.parametrize(
    "value",
    [
        "20261122", "2026-W47-7", "2026-326", "2026-11-31", "2026-2-1", "2026-11-22T00:00:00Z", "0000-01-01", "26-11-22",
        "２０２６-11-22", " 2026-11-22", "2026-11-22\n", "", 20_261_122, 1.5, False,
    ],
)  # fmt: skip
def test_what_is_no_day_is_refused(value: Any) -> None:
    assert refused("day", value)


def test_a_moment_is_never_shown_as_a_day() -> None:
    for wrong in (dt.datetime(2026, 1, 1, tzinfo=dt.UTC), "2026-01-01"):
        with pytest.raises(GraphQLError):
            show_day(wrong)


# Decimal

digits = st.text("0123456789", min_size=1, max_size=MAX_DIGITS)


@st.composite
def decimal_texts(draw: st.DrawFn) -> str:
    """Every text that the rule allows."""
    all_of_it = draw(digits)
    point = draw(st.integers(1, len(all_of_it)))
    whole, fraction = all_of_it[:point], all_of_it[point:]
    return draw(st.sampled_from(["", "-"])) + whole + (f".{fraction}" if fraction else "")


@given(decimal_texts())
@example("0")
@example("-0.00")
@example("98.50")
@example("9" * MAX_DIGITS)
@example("0." + "0" * (MAX_DIGITS - 2) + "1")
def test_a_decimal_keeps_every_digit(text: str) -> None:
    got, shown = taken("decimal", text)

    assert type(got) is Decimal
    assert got == Decimal(text)
    assert shown.lower() == shown.upper()  # digits alone: no exponent
    assert Decimal(shown).as_tuple() == Decimal(text).as_tuple()
    assert taken("decimal", shown) == (got, shown)


@given(st.integers(-(10**MAX_DIGITS) + 1, 10**MAX_DIGITS - 1))
def test_a_whole_number_is_a_decimal(number: int) -> None:
    assert taken("decimal", number) == (Decimal(number), str(number))


@given(st.floats())
@example(98.5)
@example(1.0)
@example(0.1 + 0.2)
def test_a_float_never_is(number: float) -> None:
    answer = run("query($v: Decimal!) { decimal(value: $v) }", {"v": number})
    assert answer.errors[0]["extensions"]["code"] == "GRAPHQL_INVALID"
    if number == number and abs(number) != float("inf"):
        assert (
            run(f"{{ decimal(value: {float(number)!r}) }}").errors[0]["extensions"]["code"]
            == "GRAPHQL_INVALID"
        )
    assert GOT == []


@pytest.mark.parametrize(
    "value",
    [
        "1e3", "1E+3", "0x10", "1_000", "1,000.00", "1.", ".5", "+1", "--1", "-", "", " 1", "1 ", "1\n", "NaN", "-NaN", "sNaN",
        "Infinity", "-Infinity", "inf", "١", "１", "1٫5", "½", "1.2.3", "9" * (MAX_DIGITS + 1), "0." + "0" * MAX_DIGITS,
        "1" * 100_000, 10**MAX_DIGITS, -(10**MAX_DIGITS), 10**4000, True, False, ["1"], {"amount": "1"},
    ],
    ids=lambda value: str(value)[:20] if not isinstance(value, int) or abs(value) < 10**30 else "huge",
)  # fmt: skip
def test_what_is_no_decimal_is_refused(value: Any) -> None:
    assert refused("decimal", value)


@pytest.mark.parametrize("field", ["decimal", "long"])
@pytest.mark.parametrize("length", [30, 4_300, 5_000, 100_000])
def test_a_number_of_any_length_is_refused_and_no_fault(field: str, length: int) -> None:
    # As it comes from the network: more digits than Python reads by itself
    answer = run(f"{{ {field}(value: {'9' * length}) }}")
    assert answer.errors[0]["extensions"]["code"] == "GRAPHQL_INVALID"
    body = f'{{"query": "query($v: {TYPES[field]}) {{ {field}(value: $v) }}", "variables": {{"v": {"9" * length}}}}}'
    try:
        request = read_json(body.encode())
    except Unreadable:
        return
    answer = run(request.query, request.variables)
    assert answer.errors[0]["extensions"]["code"] == "GRAPHQL_INVALID"


@given(st.decimals(allow_nan=False, allow_infinity=False))
@example(Decimal("1E+3"))
@example(Decimal("1E-10"))
@example(Decimal("-0E+2"))
def test_a_decimal_is_shown_without_an_exponent(value: Decimal) -> None:
    shown = show_decimal(value)
    assert not set(shown) - set("-.0123456789")
    assert Decimal(shown) == value


@pytest.mark.parametrize("value", [Decimal("NaN"), Decimal("sNaN"), Decimal("-Infinity"), 1.5, 1, "1.5"])
def test_what_is_no_finite_decimal_is_never_shown(value: Any) -> None:
    with pytest.raises(GraphQLError):
        show_decimal(value)


def test_one_wrong_decimal_of_a_list_refuses_the_list() -> None:
    assert taken("many", ["1.10", 2]) == ([Decimal("1.10"), Decimal(2)], ["1.10", "2"])
    assert both("many", ["1.10", 2.5]) == [(None, "GRAPHQL_INVALID")] * 2


# UUID


@given(st.uuids(), st.booleans())
def test_a_uuid_comes_in_either_case_and_goes_out_in_lower_case(value: UUID, upper: bool) -> None:
    text = str(value).upper() if upper else str(value)
    assert taken("uuid", text) == (value, str(value))


@pytest.mark.parametrize(
    "value",
    [
        "0190a1b2c3d47e5f8a9b0c1d2e3f4a5b",
        "{0190a1b2-c3d4-7e5f-8a9b-0c1d2e3f4a5b}",
        "urn:uuid:0190a1b2-c3d4-7e5f-8a9b-0c1d2e3f4a5b",
        "0190a1b2-c3d4-7e5f-8a9b-0c1d2e3f4a5",
        "0190a1b2c-3d4-7e5f-8a9b-0c1d2e3f4a5b",
        "0190a1b2-c3d4-7e5f-8a9b-0c1d2e3f4a5g",
        "",
        7,
        True,
    ],
)
def test_what_is_no_uuid_is_refused(value: Any) -> None:
    assert refused("uuid", value)


# Long


@given(st.integers(-MAX_LONG, MAX_LONG))
@example(2**31)
@example(-(2**31) - 1)
@example(MAX_LONG)
@example(-MAX_LONG)
def test_a_long_passes_32_bits(number: int) -> None:
    assert taken("long", number) == (number, number)


@pytest.mark.parametrize("value", [MAX_LONG + 1, -MAX_LONG - 1, 10**30, "7", 1.0, 1.5, True, ""])
def test_what_is_no_long_is_refused(value: Any) -> None:
    assert refused("long", value)


def test_a_number_that_clients_would_round_is_never_shown() -> None:
    for wrong in (MAX_LONG + 1, -MAX_LONG - 1, 1.0, True, "1"):
        with pytest.raises(GraphQLError):
            show_long(wrong)


# Money

currencies = st.sampled_from(["CNY", "USD", "JPY", "KWD"])


@given(currencies, st.integers(-MAX_MINOR, MAX_MINOR))
@example("JPY", 1)
@example("KWD", -1)
@example("CNY", MAX_MINOR)
def test_money_goes_in_and_out_to_the_last_minor_unit(currency: str, minor: int) -> None:
    amount = str(Amount(minor, currency).amount)

    got, shown = taken("money", {"amount": amount, "currency": currency})

    assert got == Amount(minor, currency)
    assert shown == {"amount": amount, "currency": currency}
    assert len(amount.partition(".")[2]) == minor_decimals(currency)


@given(currencies, decimal_texts())
@example("CNY", "98.505")
@example("CNY", "0.000")
@example("JPY", "1.5")
@example("CNY", "1.00000000000000000000000001")
@example("CNY", "90071992547409.92")
def test_an_amount_is_taken_exactly_or_refused(currency: str, text: str) -> None:
    exact = Decimal(text).scaleb(minor_decimals(currency))
    fits = exact == int(exact) and abs(exact) <= MAX_MINOR

    outcome = both("money", {"amount": text, "currency": currency})

    if fits:
        assert [got for got, _ in outcome] == [Amount(int(exact), currency)] * 2
    else:
        assert outcome == [(None, "INVALID_INPUT")] * 2


@pytest.mark.parametrize("currency", ["cny", "XXZ", "", "¥", "CNY "])
def test_an_unknown_currency_is_refused(currency: str) -> None:
    assert both("money", {"amount": "1", "currency": currency}) == [(None, "INVALID_INPUT")] * 2


@pytest.mark.parametrize("amount", [1.5, "1e2", "NaN", None, True, ""])
def test_an_amount_that_is_no_decimal_is_refused(amount: Any) -> None:
    assert refused("money", {"amount": amount, "currency": "CNY"})


@pytest.mark.parametrize("text", ["1." + "0" * 40 + "1", "1." + "0" * 28 + "9", "9" * 40])
def test_money_from_a_file_is_never_rounded_either(text: str) -> None:
    for parse in (Amount.parse, UnitPrice.parse):
        with pytest.raises(InvalidInput):
            parse(text, "CNY")


# The schema tells the rules


def test_the_schema_names_each_rule_and_its_source() -> None:
    specified = {
        name: SCHEMA._schema.type_map[name].specified_by_url  # type: ignore[attr-defined]
        for name in ("DateTime", "Date", "Decimal", "UUID", "Long")
    }
    assert specified == {
        "DateTime": "https://datatracker.ietf.org/doc/html/rfc3339#section-5.6",
        "Date": "https://datatracker.ietf.org/doc/html/rfc3339#section-5.6",
        "Decimal": None,
        "UUID": "https://datatracker.ietf.org/doc/html/rfc9562#section-4",
        "Long": None,
    }
    assert all(SCHEMA._schema.type_map[name].description for name in specified)
