"""Alerts of low stock as the staff sees them: a list, and who has seen them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any
from uuid import UUID

import strawberry

from kameng.db import Statement
from kameng.graphql import Connection, Info, Node, mutation, payload
from kameng.graphql.pages import Keyset, PageRequest
from kameng.ids import global_id, key_of
from kameng_catalog.admin.loaders import admin_loaders
from kameng_catalog.admin.types import ManagedVariant
from kameng_catalog.alerts import acknowledge
from kameng_catalog.permissions import MANAGE_STOCK, READ_PRODUCTS

if TYPE_CHECKING:
    from kameng.graphql import Context

_NEWEST = Keyset("stock-alerts", (("a.id", "uuid"),), descending=True)

_COLUMNS = (
    "a.id, a.variant, a.threshold, a.available, a.raised_at, a.acknowledged_at, a.acknowledged_by, a.ended_at"
)

ALERTS = Statement(
    "catalog.stock_alerts", f"select {_COLUMNS} from catalog_stock_alert a where a.id = any($1::uuid[])"
)


@strawberry.type(description="A variant's stock fell below its threshold.")
class StockAlert(Node):
    """An alert of low stock."""

    variant_key: strawberry.Private[UUID]
    threshold: int = strawberry.field(description="Fewer than this were few when it was raised.")
    available: int = strawberry.field(description="How many there were when it was raised.")
    raised_at: datetime
    acknowledged_at: datetime | None
    acknowledged_by: str | None = strawberry.field(description="Who saw it first, such as `staff:0189…`.")
    ended_at: datetime | None = strawberry.field(description="When there was enough again; null: not yet.")

    @strawberry.field
    async def variant(self, info: Info) -> ManagedVariant | None:
        """What there is little of."""
        return await admin_loaders(info.context).variant.load(self.variant_key)


@strawberry.type
class AlertsQuery:
    """Reading alerts."""

    @strawberry.field(
        description="Alerts of low stock, the newest first: those that are open, or with `ended` all."
    )
    async def stock_alerts(
        self,
        info: Info,
        first: int | None = None,
        after: str | None = None,
        last: int | None = None,
        before: str | None = None,
        ended: bool = False,
    ) -> Connection[StockAlert]:
        """A page of alerts."""
        info.context.require(READ_PRODUCTS)
        page = PageRequest.of(first, after, last, before)
        behind, tail, cursor = page.clauses(_NEWEST, 1)
        where = behind if ended else f"a.ended_at is null and {behind}"
        sql = f"select {_COLUMNS} from catalog_stock_alert a where {where} {tail}"
        rows = await info.context.db.fetch(Statement("catalog.list_stock_alerts", sql), *cursor)
        return page.connection(rows, _NEWEST, lambda row: [row["id"]], alert_of)


@strawberry.input(description="An alert that somebody has seen.")
class AcknowledgeStockAlertInput:
    """An alert that somebody has seen."""

    alert: strawberry.ID


@payload()
class AcknowledgeStockAlertPayload:
    """The alert, or why it is as it was."""

    alert: StockAlert | None = None


@strawberry.type
class AlertsMutation:
    """Mutations on alerts."""

    @mutation
    async def acknowledge_stock_alert(
        self,
        info: Info,
        input: AcknowledgeStockAlertInput,  # noqa: A002 - GraphQL's name
    ) -> AcknowledgeStockAlertPayload:
        """Note that you have seen an alert; it stays open until there is enough again."""
        info.context.require(MANAGE_STOCK)
        key = key_of("StockAlert", input.alert)
        await acknowledge(info.context, key)
        return AcknowledgeStockAlertPayload(alert=(await _alerts(info.context, [key]))[0])


async def _alerts(context: Context, keys: Sequence[UUID]) -> list[StockAlert | None]:
    found = {row["id"]: alert_of(row) for row in await context.db.fetch(ALERTS, list(keys))}
    return [found.get(key) for key in keys]


async def alert_nodes(context: Context, keys: Sequence[UUID]) -> Sequence[Any]:
    """Alerts by key, for ``node(id:)``."""
    if not context.principal.may(READ_PRODUCTS.name):
        return [None] * len(keys)
    return await _alerts(context, keys)


def alert_of(row: Any) -> StockAlert:
    """The alert in a row."""
    return StockAlert(
        id=strawberry.ID(global_id("StockAlert", row["id"])),
        variant_key=row["variant"],
        threshold=row["threshold"],
        available=row["available"],
        raised_at=row["raised_at"],
        acknowledged_at=row["acknowledged_at"],
        acknowledged_by=row["acknowledged_by"],
        ended_at=row["ended_at"],
    )
