"""Periods of prices that begin and end: the lists learn of it on a schedule, while what is shown and quoted is right at once."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kameng.db import Statement
from kameng_catalog.listings import lock_products, refresh_prices
from kameng_catalog.settings import CatalogSettings

if TYPE_CHECKING:
    from kameng.kernel import Kernel

CHUNK = 1_000
"""Products of one transaction."""

DUE = Statement(
    "catalog.due_prices",
    "select id from catalog_product where lowest_until <= now() order by lowest_until limit $1",
)

# The staff sees them for another day; the history keeps them for good.
OVER = Statement(
    "catalog.prices_over",
    """
    select distinct v.product as id from (
        select variant from catalog_special_price where ends_at < now() - interval '1 day' limit $1
    ) s join catalog_variant v on v.id = s.variant
    """,
)

DROP_OVER = Statement(
    "catalog.drop_prices_over",
    """
    delete from catalog_special_price where ends_at < now() - interval '1 day'
        and variant in (select id from catalog_variant where product = any($1::uuid[]))
    """,
)


async def apply_periods(kernel: Kernel) -> None:
    """Bring the lists in step with periods that have begun or ended, and drop those that are long over.

    Run every few seconds by a worker. Running it twice, or together with itself, does nothing more.
    """
    currency = kernel.settings.section("catalog", CatalogSettings).currency
    db = kernel.db
    while due := [row["id"] for row in await db.fetch(DUE, CHUNK)]:
        async with db.transaction():
            await refresh_prices(db, due, currency)
    while over := [row["id"] for row in await db.fetch(OVER, CHUNK)]:
        async with db.transaction():
            await lock_products(db, over)
            await db.execute(DROP_OVER, over)
