"""What schemathesis is told about our schemas: how values look, what there is, and that each request is one of its own.

It is read by `schemathesis`, in the environment of its own, as the module that SCHEMATHESIS_HOOKS names. FUZZ_KNOWN is a JSON
object: ``ids`` by type and ``texts`` by the argument that takes them, so that more is reached than refusals of what is not.
"""

from __future__ import annotations

import json
import os
from random import Random
from typing import Any

import schemathesis
from graphql import (
    ArgumentNode,
    DocumentNode,
    FieldNode,
    ObjectFieldNode,
    StringValueNode,
    Visitor,
    print_ast,
    visit,
)
from hypothesis import strategies as st
from schemathesis.graphql import nodes

KNOWN = json.loads(os.environ["FUZZ_KNOWN"])
FORWARD, BACKWARD = {"first", "after"}, {"last", "before"}


def mostly(usual: st.SearchStrategy[Any], *rare: Any) -> st.SearchStrategy[Any]:
    """The usual, and one time in eight one of the rare."""
    return st.integers(0, 7).flatmap(lambda turn: st.sampled_from(rare) if turn == 7 else usual)


NUMBERS = mostly(st.integers(0, 12), -1, 101, -(2**31), 2**31 - 1)
AMOUNTS = mostly(
    st.decimals(min_value=0, max_value=900, places=2).map(str),
    "-1", "1e3", "1E+400", "NaN", "-Infinity", "0.00001", "9" * 16, "9" * 400, "1_000", "１２", "",
)  # fmt: skip
LONGS = mostly(st.integers(0, 1_000), -1, 2**53, 2**63 - 1, -(2**63), 2**64)

schemathesis.graphql.scalar("Int", NUMBERS.map(str).map(nodes.Int))
schemathesis.graphql.scalar("Decimal", AMOUNTS.map(nodes.String))
schemathesis.graphql.scalar("Long", LONGS.map(str).map(nodes.Int))
schemathesis.graphql.scalar("Upload", st.text().map(nodes.String))


def _ids_for(place: str) -> list[str]:
    # `variantId` takes a variant's id, and so does the `id` of `variant` and of `updateVariant`; that of `node` takes any.
    of_kind = [KNOWN["ids"][kind] for kind in KNOWN["ids"] if kind.lower() in place.lower()]
    return [item for items in of_kind or KNOWN["ids"].values() for item in items]


class Sensible(Visitor):
    """Puts in what there is for half of the arguments, and leaves pages one of their two directions.

    Args:
        random: decides.
    """

    def __init__(self, random: Random) -> None:
        super().__init__()
        self._random = random
        self._dropped: set[str] = set()
        self._field = ""

    def enter_field(self, node: FieldNode, *_: Any) -> None:
        names = {argument.name.value for argument in node.arguments or ()}
        both = names & FORWARD and names & BACKWARD and self._random.random() < 0.9
        self._dropped = self._random.choice([FORWARD, BACKWARD]) if both else set()
        if names:
            self._field = node.name.value

    def enter_argument(self, node: ArgumentNode, *_: Any) -> Any:
        return self.REMOVE if node.name.value in self._dropped else self._filled(node)

    def enter_object_field(self, node: ObjectFieldNode, *_: Any) -> Any:
        return self._filled(node)

    def _filled(self, node: ArgumentNode | ObjectFieldNode) -> Any:
        name = node.name.value
        if not isinstance(node.value, StringValueNode) or self._random.random() < 0.5:
            return None
        known = _ids_for(self._field if name == "id" else name) if name[-2:].lower() == "id" else None
        known = known or KNOWN["texts"].get(name)
        if not known:
            return None
        return type(node)(name=node.name, value=nodes.String(self._random.choice(known)))


@schemathesis.hook
def map_body(context: Any, body: DocumentNode) -> DocumentNode:
    """Make documents more sensible; the same one always in the same way."""
    return visit(body, Sensible(Random(print_ast(body))))  # type: ignore[no-any-return]  # visit gives what it got


@schemathesis.hook
def before_call(context: Any, case: Any, kwargs: Any) -> None:
    """Give each request an idempotency key, which some mutations need."""
    case.headers["Idempotency-Key"] = case.id
