"""The kernel's own root fields."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

import strawberry

from kameng.graphql.context import Info
from kameng.graphql.node import Node, load_nodes
from kameng.version import VERSION

if TYPE_CHECKING:
    from kameng.graphql.composition import ComposedSchema


@strawberry.type
class KernelQuery:
    """Fields that both schemas have, whatever modules are enabled."""

    @strawberry.field(description="The object with this global id, if there is one that you may see.")
    async def node(self, info: Info, id: strawberry.ID) -> Node | None:  # noqa: A002 - Relay names the argument
        """One object."""
        return (await load_nodes(info.context, _schema(info).nodes, [id]))[0]

    @strawberry.field(description="The objects with these global ids, in order; at most 100.")
    async def nodes(self, info: Info, ids: list[strawberry.ID]) -> list[Node | None]:
        """Several objects at once."""
        return await load_nodes(info.context, _schema(info).nodes, ids)

    @strawberry.field(description="The version of the engine that answers.")
    def engine_version(self) -> str:
        """For clients that adapt, and for people who look."""
        return VERSION


def _schema(info: Info) -> ComposedSchema:
    return cast("ComposedSchema", info.schema)


ROOTS: dict[str, type] = {"query": KernelQuery}
"""The kernel's part of both schemas."""
