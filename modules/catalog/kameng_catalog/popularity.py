"""What sells: pieces sold of each product in the last days, counted anew from the movements.

Counting all of it each time needs no bookkeeping that could go wrong, and keeps every sale from writing to
the row of its product.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from kameng.db import Statement
from kameng_catalog.json_rows import json_rows
from kameng_catalog.listings import lock_products
from kameng_catalog.settings import CatalogSettings

if TYPE_CHECKING:
    from kameng.kernel import Kernel

CHUNK = 2_000
"""Products of one transaction."""

COUNT = Statement(
    "catalog.count_popularity",
    """
    with counted as (
        select v.product, sum(-m.quantity) as pieces
        from catalog_stock_movement m join catalog_variant v on v.id = m.variant
        where m.kind in ('sale', 'return') and m.at >= now() - make_interval(days => $1)
        group by v.product
    )
    select p.id, coalesce(c.pieces, 0)::bigint as pieces
    from catalog_product p left join counted c on c.product = p.id
    where p.popularity <> coalesce(c.pieces, 0)
    order by p.id
    """,
)

PUT = Statement(
    "catalog.put_popularity",
    """
    update catalog_product p set popularity = r.pieces
    from jsonb_to_recordset($1::jsonb) as r (id uuid, pieces bigint)
    where p.id = r.id
    """,
)


async def count_popularity(kernel: Kernel) -> None:
    """Count anew. Run every hour by a worker."""
    settings = kernel.settings.section("catalog", CatalogSettings)
    changed = [dict(row) for row in await kernel.db.fetch(COUNT, settings.popular_days)]
    for first in range(0, len(changed), CHUNK):
        chunk = changed[first : first + CHUNK]
        async with kernel.db.transaction():
            await lock_products(kernel.db, [row["id"] for row in chunk])
            await kernel.db.execute(PUT, json_rows(chunk))
