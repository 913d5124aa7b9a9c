"""What sells: pieces sold of each product in the last days, counted anew from the movements.

Counting all of it each time needs no bookkeeping that could go wrong, and keeps every sale from writing to
the row of its product.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from kameng.db import Statement
from kameng_catalog.settings import CatalogSettings

if TYPE_CHECKING:
    from kameng.kernel import Kernel

COUNT = Statement(
    "catalog.count_popularity",
    """
    with counted as (
        select v.product, sum(-m.quantity) as pieces
        from catalog_stock_movement m join catalog_variant v on v.id = m.variant
        where m.kind = 'sale' and m.at >= now() - make_interval(days => $1)
        group by v.product
    )
    update catalog_product p set popularity = coalesce(c.pieces, 0)
    from catalog_product q left join counted c on c.product = q.id
    where p.id = q.id and p.popularity <> coalesce(c.pieces, 0)
    """,
)


async def count_popularity(kernel: Kernel) -> None:
    """Count anew. Run every hour by a worker."""
    settings = kernel.settings.section("catalog", CatalogSettings)
    await kernel.db.execute(COUNT, settings.popular_days)
