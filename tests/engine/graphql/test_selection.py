"""What a resolver learns of the document below its field: the same compiled and interpreted."""

from __future__ import annotations

from typing import Any

import pytest
import strawberry
from strawberry.types import Info

from kameng.graphql import Selection, selection_of
from kameng.graphql.compiled import CompiledSchema, Invalid

seen: list[tuple[str, list[str]]] = []


@strawberry.interface
class Thing:
    name: str


@strawberry.type
class Part(Thing):
    weight: int


@strawberry.type
class Whole(Thing):
    part: Part
    parts: list[Part]


@strawberry.type
class Query:
    @strawberry.field
    def things(self, info: Info[None, None]) -> list[Thing]:
        selection = selection_of(info)
        seen.append(("things", sorted(selection)))
        seen.append(("part", sorted(selection.below("part", "parts"))))
        part = Part(name="p", weight=1)
        return [Whole(name="w", part=part, parts=[part]), part]


schema = strawberry.Schema(Query, types=[Part, Whole])
FRAGMENTS = (
    "fragment W on Whole { part { name ...P } other: parts { x: name } } fragment P on Part { weight }"
)


async def asked(document: str, variables: dict[str, Any]) -> list[tuple[str, list[str]]]:
    """What the resolver saw, which is the same whoever executes it and however often."""
    found = []
    prepared = CompiledSchema(schema).prepare(document)
    assert not isinstance(prepared, Invalid)
    for _ in range(2):
        seen.clear()
        result = await prepared.execute(variables)
        assert not result.errors
        found.append(list(seen))
    seen.clear()
    interpreted = await schema.execute(document, variable_values=variables)
    assert not interpreted.errors
    found.append(list(seen))
    assert found[0] == found[1] == found[2]
    return found[0]


@pytest.mark.parametrize(
    ("document", "variables", "things", "part"),
    [
        ("{ things { name } }", {}, ["name"], []),
        ("{ things { a: name b: name } }", {}, ["name"], []),
        ("{ things { ...W } } " + FRAGMENTS, {}, ["part", "parts"], ["name", "weight"]),
        (
            "{ things { ... on Whole { part { name } } } things { ... on Whole { parts { weight } } } }",
            {},
            ["part", "parts"],
            ["name", "weight"],
        ),
        ("{ things { name @skip(if: true) ... @include(if: true) { __typename } } }", {}, ["__typename"], []),
        (
            "query ($yes: Boolean!) { things { name ... on Whole @include(if: $yes) { part { weight } } } }",
            {"yes": True},
            ["name", "part"],
            ["weight"],
        ),
        (
            "query ($yes: Boolean!) { things { name ... on Whole @include(if: $yes) { part { weight } } } }",
            {"yes": False},
            ["name"],
            [],
        ),
    ],
)
async def test_what_is_asked_below_a_field(
    document: str, variables: dict[str, Any], things: list[str], part: list[str]
) -> None:
    assert await asked(document, variables) == [("things", things), ("part", part)]


async def test_one_document_with_other_conditions_is_another_selection() -> None:
    """Given a compiled document, when its condition changes, then what was remembered is not that of before."""
    document = (
        "query ($yes: Boolean!) { things { name ... on Whole @include(if: $yes) { part { weight } } } }"
    )
    prepared = CompiledSchema(schema).prepare(document)
    assert not isinstance(prepared, Invalid)
    found = []
    for yes in (True, False, True):
        seen.clear()
        await prepared.execute({"yes": yes})
        found.append(seen[0][1])
    assert found == [["name", "part"], ["name"], ["name", "part"]]


def test_a_selection_without_a_document() -> None:
    selection = Selection.named("slug", "title")
    assert ("slug" in selection, "tags" in selection, len(selection)) == (True, False, 2)
    assert len(selection.below("slug")) == 0
