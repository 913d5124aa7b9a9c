"""Stock as the staff sees it: how a variant is delivered and counted, what moved, where a batch stands."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from enum import Enum
from functools import partial
from typing import TYPE_CHECKING, Any
from uuid import UUID

import orjson
import strawberry
from strawberry.dataloader import DataLoader

from kameng.db import Statement
from kameng.graphql import Connection, Info, Money, Node
from kameng.graphql.exact import Long
from kameng.graphql.nested import by_owner, for_each, pages_of
from kameng.graphql.pages import Keyset, PageRequest
from kameng.ids import global_id
from kameng_catalog.admin.batch_figures import FIGURES
from kameng_catalog.admin.localized import LocalizedText, localized
from kameng_catalog.delivery_kinds import DeliveryKind
from kameng_catalog.prices_shown import price_shown
from kameng_catalog.settings import CatalogSettings

if TYPE_CHECKING:
    from kameng.graphql import Context

_LATEST = Keyset("stock-movements", (("m.id", "bigint"),), descending=True)

RULES = Statement(
    "catalog.stock_rules",
    """
    select v.id, v.delivery, v.delivery_notes, v.picking, v.low_stock, c.on_hand, c.secret is not null as has_secret,
        coalesce(r.pieces, 0) as reserved
    from catalog_variant v left join catalog_stock_counter c on c.variant = v.id
    left join (
        select variant, sum(quantity)::bigint as pieces from catalog_reservation where variant = any($1::uuid[])
        group by variant
    ) r on r.variant = v.id
    where v.id = any($1::uuid[])
    """,
)


@strawberry.enum(description="Which cards of a variant are sold first.")
class Picking(Enum):
    """Which cards of a variant are sold first."""

    FIFO = strawberry.enum_value("fifo", description="Those that came first.")
    SOONEST_EXPIRING = strawberry.enum_value(
        "soonest_expiring", description="Those that expire first; those that never do come last."
    )


@strawberry.enum(description="What may become of the unsold cards of a batch.")
class BatchState(Enum):
    """What may become of the unsold cards of a batch."""

    SELLABLE = "sellable"
    QUARANTINED = strawberry.enum_value("quarantined", description="They are not sold for the time being.")
    RECALLED = strawberry.enum_value("recalled", description="They will never be sold.")


@strawberry.enum(description="Why stock came or went.")
class MovementKind(Enum):
    """Why stock came or went."""

    IMPORT = "import"
    SALE = "sale"
    EXPIRY = "expiry"
    RESERVE = strawberry.enum_value("reserve", description="It is kept for an order line.")
    RELEASE = strawberry.enum_value(
        "release", description="It is kept no longer: given back, or sold in the same moment."
    )
    RETURN = strawberry.enum_value("return", description="It was sold and not delivered.")
    QUARANTINE = "quarantine"
    READMIT = strawberry.enum_value("readmit", description="Its quarantine is over.")
    RECALL = "recall"
    ADJUST = strawberry.enum_value("adjust", description="Somebody counted, or licensed more.")


@strawberry.type(name="StockMovement", description="Pieces that came, above zero, or went, below it.")
class MovementShown(Node):
    """A movement of a variant's stock."""

    kind: MovementKind
    quantity: int
    at: datetime
    line: UUID | None = strawberry.field(description="The order line that it was for.")
    batch_id: strawberry.ID | None = strawberry.field(description="The batch, where one moved.")
    reason: str | None = strawberry.field(description="Why, where somebody did it.")
    actor: str | None = strawberry.field(description="Who did it, such as `staff:0189…`.")


@strawberry.type(description="How a variant is delivered, and how its stock is kept.")
class VariantStock:
    """How a variant is delivered, and how its stock is kept."""

    delivery: DeliveryKind
    delivery_notes: list[LocalizedText] = strawberry.field(
        description="What buyers read once they have paid."
    )
    picking: Picking
    low_stock: int | None = strawberry.field(
        description="Its own threshold; null for the one of the settings, 0 for no alerts."
    )
    threshold: int = strawberry.field(description="Fewer pieces than this raise an alert.")
    counted: int | None = strawberry.field(
        description="Of a quota or a reusable secret how many are left, of a supplier's variant what he has; null for others."
    )
    has_secret: bool = strawberry.field(description="Whether a reusable secret was set.")
    reserved: Long = strawberry.field(description="How many pieces are kept for orders that are not paid.")


@strawberry.type
class StockFields:
    """The fields of a variant that tell of its stock."""

    key: strawberry.Private[UUID]

    @strawberry.field(description="How it is delivered, and how its stock is kept.")
    async def stock(self, info: Info) -> VariantStock:
        """Its rules and counters."""
        return await info.context.loader(_rules, _rules).load(self.key)

    @strawberry.field(description="What came and went, the latest first.")
    async def stock_movements(
        self,
        info: Info,
        first: int | None = None,
        after: str | None = None,
        last: int | None = None,
        before: str | None = None,
    ) -> Connection[MovementShown]:
        """A page of its movements."""
        page = PageRequest.of(first, after, last, before)
        context = info.context
        loader = pages_of(
            context, "catalog.stock_movements", page, _LATEST, partial(_movements, context, page)
        )
        return await loader.load(self.key)


@strawberry.type(description="Where the cards of a batch are.")
class BatchFigures:
    """Where the cards of a batch are."""

    free: int
    reserved: int
    quarantined: int
    sold: int
    gone: int = strawberry.field(description="Expired or recalled.")
    bad: int = strawberry.field(description="Sold, and found to be bad.")


@strawberry.type
class BatchFields:
    """The fields of a batch that tell where it stands."""

    key: strawberry.Private[UUID]
    state: BatchState
    settled: bool = strawberry.field(description="Whether all of its cards have followed its state.")
    cost: Money | None = strawberry.field(description="What one of its cards cost us.")

    @strawberry.field(description="Where its cards are, counted now.")
    async def figures(self, info: Info) -> BatchFigures:
        """Counted now."""
        return await info.context.loader(_figures, _figures).load(self.key)


def _rules(context: Context) -> DataLoader[UUID, VariantStock]:
    default = context.kernel.settings.section("catalog", CatalogSettings).low_stock

    async def load(keys: list[UUID]) -> list[VariantStock]:
        found = {row["id"]: row for row in await context.db.fetch(RULES, keys)}
        return [_stock_of(found[key], default) for key in keys]

    return DataLoader(load)


def _figures(context: Context) -> DataLoader[UUID, BatchFigures]:
    async def load(keys: list[UUID]) -> list[BatchFigures]:
        found = {row["id"]: row for row in await context.db.fetch(FIGURES, keys)}
        return [_figures_of(found.get(key)) for key in keys]

    return DataLoader(load)


async def _movements(
    context: Context, page: PageRequest, variants: Sequence[UUID]
) -> list[Connection[MovementShown]]:
    behind, tail, cursor = page.clauses(_LATEST, 2)
    sql = for_each(
        "select m.id, m.kind, m.quantity, m.at, m.line, m.batch, m.reason, m.actor from catalog_stock_movement m"
        f" where m.variant = owner.key and {behind} {tail}"
    )
    rows = await context.db.fetch(Statement("catalog.list_stock_movements", sql), variants, *cursor)
    return [
        page.connection(group, _LATEST, lambda row: [row["id"]], movement_of)
        for group in by_owner(rows, variants)
    ]


def movement_of(row: Any) -> MovementShown:
    """The movement in a row."""
    return MovementShown(
        id=strawberry.ID(global_id("StockMovement", UUID(int=row["id"]))),
        kind=MovementKind(row["kind"]),
        quantity=row["quantity"],
        at=row["at"],
        line=row["line"],
        batch_id=None if row["batch"] is None else strawberry.ID(global_id("StockBatch", row["batch"])),
        reason=row["reason"],
        actor=row["actor"],
    )


def batch_fields(row: Any) -> dict[str, Any]:
    """What `BatchFields` keeps of a row."""
    cost = row["cost_units"]
    return {
        "key": row["id"],
        "state": BatchState(row["state"]),
        "settled": not row["unsettled"],
        "cost": None if cost is None else price_shown(cost, row["cost_currency"]),
    }


def _stock_of(row: Any, default: int) -> VariantStock:
    own = row["low_stock"]
    return VariantStock(
        delivery=DeliveryKind(row["delivery"]),
        delivery_notes=localized(orjson.loads(row["delivery_notes"])),
        picking=Picking(row["picking"]),
        low_stock=own,
        threshold=default if own is None else own,
        counted=row["on_hand"],
        has_secret=row["has_secret"],
        reserved=Long(row["reserved"]),
    )


def _figures_of(row: Any) -> BatchFigures:
    if row is None:
        return BatchFigures(free=0, reserved=0, quarantined=0, sold=0, gone=0, bad=0)
    there = {name: row[name] for name in ("free", "reserved", "quarantined", "sold")}
    return BatchFigures(**there, gone=row["cards"] - sum(there.values()), bad=row["bad"])
