"""Variables from texts, by their declared types."""

from __future__ import annotations

from typing import Any
from zoneinfo import ZoneInfo

import pytest
from graphql import GraphQLSchema, build_schema, parse, type_from_ast
from hypothesis import given
from hypothesis import strategies as st

from kameng.themes.coercion import Filled, fill_variables
from kameng.themes.documents import Variable
from kameng.themes.fields import grow, read_name, usual_name, write_name

SCHEMA: GraphQLSchema = build_schema(
    """
    scalar DateTime
    scalar Decimal
    scalar Long
    scalar Upload
    enum Kind { CARD TOP_UP }
    input Line { slug: String!, quantity: Int! = 1, gift: Boolean!, tags: [String!] }
    input Order { lines: [Line!]!, note: String, total: Decimal, kind: Kind, invoice: Invoice }
    input Invoice { title: String!, street: String }
    input Options { a: Int, b: String }
    type Query { x(float: Float, id: ID): Int }
    """
)


def variables(declared: str) -> list[Variable]:
    """The variables of ``query(…)``."""
    operation: Any = parse(f"query Q({declared}) {{ x }}").definitions[0]
    return [
        Variable(
            item.variable.name.value,
            type_from_ast(SCHEMA, item.type),  # type: ignore[arg-type]  # all of them are input types
            item.default_value is not None,
        )
        for item in operation.variable_definitions
    ]


def fill(declared: str, fields: list[tuple[str, Any]], *, nulls: bool = True, **parameters: str) -> Filled:
    """What a form gives."""
    return fill_variables(variables(declared), grow(fields), parameters, nulls=nulls)


@pytest.mark.parametrize(
    ("kind", "text", "value"),
    [
        ("Int", " 12 ", 12),
        ("Int", "-3", -3),
        ("Float", "1.5", 1.5),
        ("Boolean", "on", True),
        ("Boolean", "FALSE", False),
        ("String", " a ", " a "),
        ("ID", "a1", "a1"),
        ("Kind", "CARD", "CARD"),
        ("Decimal", " 98.50 ", "98.50"),
        ("[Int]", "7", [7]),
    ],
)
def test_texts_become_what_the_type_says(kind: str, text: str, value: object) -> None:
    assert fill(f"$v: {kind}", [("v", text)]).values == {"v": value}


@pytest.mark.parametrize(
    ("kind", "text", "message"),
    [
        ("Int", "1.5", "Give a whole number."),
        ("Long", "1.5", "Give a whole number."),
        ("Int", "١٢", "Give a whole number."),
        ("Int", "99999999999", "Give a whole number."),
        ("Int", "9" * 5_000, "Give a whole number."),
        ("Float", "nan", "Give a number."),
        ("Boolean", "maybe", "Choose yes or no."),
        ("Kind", "card", "Choose one of the options."),
        ("Int!", "", "This is required."),
        ("String!", "  ", "This is required."),
    ],
)
def test_what_cannot_be_read_is_told(kind: str, text: str, message: str) -> None:
    assert fill(f"$v: {kind}", [("v", text)]).errors == {"v": [message]}


def test_objects_and_lists_are_built_from_dots_and_brackets() -> None:
    filled = fill(
        "$input: Order!",
        [
            ("input.lines[0].slug", "a"),
            ("input[lines][0][gift]", "on"),
            ("input.lines[0].tags", "x"),
            ("input.lines[0].tags", "y"),
            ("input.lines.1.slug", "b"),
            ("input.lines.1.quantity", "2"),
            ("input.kind", "TOP_UP"),
        ],
    )

    assert filled.errors == {}
    assert filled.values == {
        "input": {
            "lines": [
                {"slug": "a", "gift": True, "tags": ["x", "y"]},
                {"slug": "b", "quantity": 2, "gift": False},
            ],
            "kind": "TOP_UP",
        }
    }


def test_an_empty_field_is_null_in_a_form_and_nothing_in_an_address() -> None:
    fields = [("a", ""), ("o.a", ""), ("o.b", "")]
    declared = "$a: Int, $o: Options, $d: Int = 3"

    assert fill(declared, [*fields, ("d", "")]).values == {"a": None, "o": {"a": None, "b": None}}
    assert fill(declared, fields, nulls=False).values == {}


def test_an_object_of_which_nothing_is_required_may_be_empty() -> None:
    assert fill("$o: Options!", []).values == {"o": {}}


def test_an_object_that_was_begun_must_be_whole() -> None:
    assert fill("$i: Invoice", []).errors == {}
    assert fill("$i: Invoice", [("i.title", ""), ("i.street", " ")]).values == {}
    assert fill("$i: Invoice", [("i.street", "x")]).errors == {"i.title": ["This is required."]}


def test_rows_left_empty_move_later_ones_up_and_errors_still_find_them() -> None:
    filled = fill(
        "$input: Order!",
        [("input.lines[0].slug", ""), ("input.lines[3].slug", "a"), ("input.lines[7].slug", "b")],
    )

    assert [line["slug"] for line in filled.values["input"]["lines"]] == ["a", "b"]
    assert filled.field_name(["input", "lines", "0", "slug"]) == "input.lines[3].slug"
    assert filled.field_name(["input", "lines", 1, "quantity"]) == "input.lines[7].quantity"
    assert filled.field_name(["input", "note"]) == "input.note"
    assert filled.field_name([]) == ""


def test_errors_stand_at_the_fields_as_they_were_named() -> None:
    errors = fill("$input: Order!", [("input.lines[5].slug", "a"), ("input.lines[5].quantity", "x")]).errors

    assert errors == {"input.lines[5].quantity": ["Give a whole number."]}


def test_a_field_that_is_not_asked_for_is_told_once() -> None:
    assert fill("$o: Options!", [("o.x", "1"), ("o.y", "1"), ("other", "1"), ("_csrf", "1")]).errors == {
        "": ["The form sent something that is not asked for."]
    }


def test_a_file_is_for_an_upload_alone() -> None:
    file = object()

    assert fill("$f: Upload!", [("f", file)]).values == {"f": file}
    assert fill("$f: String!", [("f", file)]).errors == {"f": ["This value is not valid."]}


def test_the_path_gives_a_value_where_no_field_does() -> None:
    assert fill("$slug: String!", [], slug="a").values == {"slug": "a"}
    assert fill("$slug: String!", [("slug", "b")], slug="a").values == {"slug": "b"}


@pytest.mark.parametrize(
    ("name", "path"),
    [
        ("a", ("a",)),
        ("a.b[0].c", ("a", "b", 0, "c")),
        ("a[b][0][c]", ("a", "b", 0, "c")),
        ("a.0.b", ("a", 0, "b")),
        ("a[]", ("a",)),
        ("a[][b]", None),
        ("[a]", None),
        ("a.", None),
        ("a[", None),
        ("a[99999]", None),
        ("a" + ".b" * 20, None),
        ("a" * 201, None),
        ("__proto__.x", ("__proto__", "x")),
        ("a b", None),
        ("", None),
    ],
)
def test_names_mean_paths(name: str, path: tuple[str | int, ...] | None) -> None:
    assert read_name(name) == path


@given(
    st.lists(
        st.one_of(st.from_regex(r"\A[A-Za-z_]\w{0,5}\Z").filter(str.isascii), st.integers(0, 9_999)),
        max_size=8,
    )
)
def test_a_path_written_is_read_again(rest: list[str | int]) -> None:
    path = ("input", *rest)

    assert read_name(write_name(path)) == path
    assert usual_name(write_name(path)) == write_name(path)


@given(st.lists(st.tuples(st.text(max_size=30), st.text(max_size=10)), max_size=30))
def test_no_form_whatever_breaks_the_reading(fields: list[tuple[str, str]]) -> None:
    filled = fill("$input: Order!, $first: Int = 2", [(f"input{name}", text) for name, text in fields])

    assert filled.errors


def test_more_fields_than_any_form_has_are_not_looked_at() -> None:
    tree = grow((f"a{number}", "x") for number in range(10_000))

    assert len(tree.children) == 2_000


def test_a_time_without_offset_stands_in_the_shops_zone_as_fields_of_browsers_send_it() -> None:
    def at(text: str) -> tuple[Any, dict[str, list[str]]]:
        declared, zone = variables("$at: DateTime!"), ZoneInfo("Asia/Shanghai")
        filled = fill_variables(declared, grow([("at", text)]), {}, nulls=True, zone=zone)
        return filled.values.get("at"), filled.errors

    assert at("2026-01-31T18:00") == ("2026-01-31T18:00:00+08:00", {})
    assert at("2026-01-31T18:00:30") == ("2026-01-31T18:00:30+08:00", {})
    assert at("2026-01-31T18:00Z") == ("2026-01-31T18:00Z", {})
    assert at("2026-13-31T18:00")[1] == {"at": ["Give a date and time, such as 2026-01-31T18:00."]}


def test_a_long_whole_number_is_read() -> None:
    assert fill("$x: Long", [("x", " 9007199254740991 ")]).values == {"x": 9_007_199_254_740_991}
