"""What lines cost, in the admin schema: for those of the staff who may know what the shop pays."""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum
from typing import Any
from uuid import UUID

import strawberry
from strawberry.dataloader import DataLoader

from kameng import money
from kameng.graphql import Context, Info, Money
from kameng_fulfilment.costs.statements import COSTS_OF_LINES
from kameng_fulfilment.permissions import READ_COSTS


@strawberry.enum(description="How it is known what pieces cost.")
class CostSource(Enum):
    """How it is known what pieces cost."""

    BATCH = strawberry.enum_value("batch", description="By the batch that their cards came from.")
    VARIANT = strawberry.enum_value(
        "variant",
        description="By what the variant cost when it was sold: their batch tells nothing, or they came from none.",
    )


@strawberry.type(description="What pieces of a line cost the shop.")
class LineCost:
    """What pieces of a line cost the shop."""

    source: CostSource
    pieces: int = strawberry.field(
        description="How many pieces; bad cards and their replacements both count."
    )
    amount: Money = strawberry.field(description="What they cost together, rounded to the minor unit.")

    @classmethod
    def of(cls, row: Mapping[str, Any]) -> LineCost:
        """A row of ``fulfilment_line_cost``."""
        return cls(
            source=CostSource(row["source"]),
            pieces=row["pieces"],
            amount=Money.of(money.UnitPrice(row["units"], row["currency"]).times(1)),
        )


async def costs_of_line(info: Info, line: UUID) -> list[LineCost]:
    """What the delivered pieces of a line cost; of all lines of a request by one statement.

    Raises:
        Forbidden: whoever asks may not know what the shop pays.
    """
    info.context.require(READ_COSTS)
    rows = await info.context.loader(_COSTS, _loader).load(line)
    return [LineCost.of(row) for row in rows]


_COSTS = object()


def _loader(context: Context) -> DataLoader[UUID, list[Mapping[str, Any]]]:
    async def load(lines: list[UUID]) -> list[list[Mapping[str, Any]]]:
        found: dict[UUID, list[Mapping[str, Any]]] = {key: [] for key in lines}
        for row in await context.db.fetch(COSTS_OF_LINES, lines):
            found[row["line"]].append(row)
        return [found[key] for key in lines]

    return DataLoader(load_fn=load)
