"""Relay's Node: any object by its global id."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any
from uuid import UUID

import strawberry

from kameng.errors import InvalidInput
from kameng.ids import parse_global_id

if TYPE_CHECKING:
    from kameng.graphql.context import Context

MAX_NODES = 100
"""How many ids ``nodes(ids:)`` takes at once."""


@strawberry.interface(description="An object with a global id.")
class Node:
    """An object with a global id; see `kameng.ids.global_id`."""

    id: strawberry.ID = strawberry.field(description="Global, opaque and stable.")


async def load_nodes(context: Context, loaders: Mapping[str, Any], ids: Sequence[str]) -> list[Node | None]:
    """The objects behind global ids, in order; None where there is none that the principal may see.

    Raises:
        InvalidInput: too many ids, or one that is no id.
    """
    if len(ids) > MAX_NODES:
        raise InvalidInput(
            f"At most {MAX_NODES} ids at once; these are {len(ids)}.",
            cure="Ask in several pages.",
            path=("ids",),
        )
    wanted: dict[str, list[tuple[int, UUID]]] = defaultdict(list)
    for position, text in enumerate(ids):
        name, key = parse_global_id(text)
        wanted[name].append((position, key))
    answer: list[Node | None] = [None] * len(ids)
    for name, places in wanted.items():
        if name in loaders:
            objects = await loaders[name](context, [key for _, key in places])
            for (position, _), item in zip(places, objects, strict=True):
                answer[position] = item
    return answer
