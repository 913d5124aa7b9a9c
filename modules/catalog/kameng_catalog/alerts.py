"""Alerts of low stock: one for each time that a variant's stock falls below its threshold.

No sale pays for them. Every minute a worker looks at the variants that moved lately and at those with an open alert; every
hour at all, so that nothing is missed for long: not what a transaction of many minutes brought in, not what happened
while no worker ran.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import TYPE_CHECKING
from uuid import UUID

from kameng.db import Statement
from kameng.errors import NotFound
from kameng.ids import new_id
from kameng_catalog.events import StockLow, StockRecovered
from kameng_catalog.settings import CatalogSettings

if TYPE_CHECKING:
    from kameng.events import Event
    from kameng.graphql import Context
    from kameng.kernel import Kernel

LATELY = timedelta(minutes=10)
"""What moved so long ago is looked at: much longer than the pause between two looks, and than a sale takes."""

CHUNK = 500
"""Variants of one transaction."""

_LOCK = 0x6B6D2D6C6F77  # "km-low": only one check writes alerts at a time, so that none is raised twice

MOVED_LATELY = Statement(
    "catalog.variants_moved_lately",
    """
    select distinct variant from catalog_stock_movement where at >= now() - $1::interval
    union
    select variant from catalog_stock_counter where updated_at >= now() - $1::interval
    union
    select variant from catalog_stock_alert where ended_at is null
    """,
)

NEXT_VARIANTS = Statement(
    "catalog.next_variants", "select id from catalog_variant where id > $1 order by id limit $2"
)

# Counts no further than the threshold, from the newest card on.
LEVELS = Statement(
    "catalog.stock_levels",
    """
    select v.id, v.sku, t.threshold,
        v.status = 'published' and p.status = 'published' and v.stock_kind <> 'unlimited' and t.threshold > 0
            as watched,
        case v.stock_kind
            when 'card' then (
                select count(*) from (
                    select from catalog_free_card free
                    where free.variant = v.id
                        and (free.expires_on is null or free.expires_on >= (now() at time zone $3)::date)
                    order by free.card desc
                    limit t.threshold
                ) counted
            )
            else coalesce((select on_hand from catalog_stock_counter where variant = v.id), 0)
        end as available
    from catalog_variant v join catalog_product p on p.id = v.product
    cross join lateral (select coalesce(v.low_stock, $2) as threshold) t
    where v.id = any($1::uuid[])
    """,
)

RAISE = Statement(
    "catalog.raise_stock_alerts",
    """
    insert into catalog_stock_alert (id, variant, threshold, available, raised_at)
    select id, variant, threshold, available, now()
    from unnest($1::uuid[], $2::uuid[], $3::int[], $4::int[]) as a (id, variant, threshold, available)
    on conflict (variant) where ended_at is null do nothing
    returning variant
    """,
)

END = Statement(
    "catalog.end_stock_alerts",
    """
    update catalog_stock_alert set ended_at = now() where variant = any($1::uuid[]) and ended_at is null
    returning variant
    """,
)

ACKNOWLEDGE = Statement(
    "catalog.acknowledge_stock_alert",
    """
    update catalog_stock_alert set acknowledged_at = coalesce(acknowledged_at, now()),
        acknowledged_by = coalesce(acknowledged_by, $2)
    where id = $1
    returning variant
    """,
)


async def check_moved_stock(kernel: Kernel) -> None:
    """Look at what moved lately. Run every minute by a worker."""
    variants = sorted(row["variant"] for row in await kernel.db.fetch(MOVED_LATELY, LATELY))
    for first in range(0, len(variants), CHUNK):
        await check_stock(kernel, variants[first : first + CHUNK])


async def check_all_stock(kernel: Kernel) -> None:
    """Look at all variants. Run every hour by a worker."""
    last = UUID(int=0)
    while variants := [row["id"] for row in await kernel.db.fetch(NEXT_VARIANTS, last, CHUNK)]:
        await check_stock(kernel, variants)
        last = variants[-1]


async def check_stock(kernel: Kernel, variants: Sequence[UUID]) -> None:
    """Raise and end the alerts of these variants, in one transaction. The number of statements does not depend on them.

    An alert of what is no longer for sale, or no longer watched, ends without a word.
    """
    settings = kernel.settings.section("catalog", CatalogSettings)
    async with kernel.db.transaction():
        await kernel.db.execute("select pg_advisory_xact_lock($1)", _LOCK)
        rows = await kernel.db.fetch(LEVELS, list(variants), settings.low_stock, settings.time_zone)
        low = {row["id"]: row for row in rows if row["watched"] and row["available"] < row["threshold"]}
        rest = {row["id"]: row for row in rows if row["id"] not in low}
        raised = await kernel.db.fetch(
            RAISE,
            [new_id() for _ in low],
            list(low),
            [row["threshold"] for row in low.values()],
            [row["available"] for row in low.values()],
        )
        ended = await kernel.db.fetch(END, list(rest))
        events: list[Event] = [
            StockLow(
                variant=str(row["id"]), sku=row["sku"], available=row["available"], threshold=row["threshold"]
            )
            for row in (low[alert["variant"]] for alert in raised)
        ]
        events += [
            StockRecovered(variant=str(row["id"]), sku=row["sku"], threshold=row["threshold"])
            for row in (rest[alert["variant"]] for alert in ended)
            if row["watched"]
        ]
        if events:
            await kernel.events.emit(*events)


async def acknowledge(context: Context, alert: UUID) -> None:
    """Note who has seen an alert; the first one stays.

    Raises:
        NotFound: there is no such alert.
    """
    async with context.db.transaction():
        variant = await context.db.fetchval(ACKNOWLEDGE, alert, context.principal.key)
        if variant is None:
            raise NotFound("There is no such alert.", path=("input", "alert"))
        await context.kernel.audit.record(
            "catalog.stock_alert_acknowledged",
            principal=context.principal,
            subject=f"variant:{variant}",
            details={"alert": str(alert)},
            correlation_id=context.correlation_id,
            address=context.address,
        )
