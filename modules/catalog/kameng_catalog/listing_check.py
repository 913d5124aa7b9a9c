"""Comparing the lists with the products, every night: what `listings` keeps in step should need nothing.

It also puts right what no transaction of ours can: prices after ``[catalog] currency`` was changed, and search terms after
a release with other rules.
"""

from __future__ import annotations

from typing import TYPE_CHECKING
from uuid import UUID

import structlog

from kameng.db import Statement
from kameng_catalog.known_lists import KnownLists
from kameng_catalog.listings import refresh_products
from kameng_catalog.settings import CatalogSettings

if TYPE_CHECKING:
    from kameng.kernel import Kernel

CHUNK = 500
"""Products of one transaction."""

NEXT_PRODUCTS = Statement(
    "catalog.next_products", "select id from catalog_product where id > $1 order by id limit $2"
)

PUT_LISTS = Statement("catalog.put_lists", "select catalog_put_lists($1::uuid[])")

COUNT_LISTED = Statement(
    "catalog.count_listed",
    """
    with counted as (select listing, count(*) as products from catalog_listed group by listing)
    update catalog_listing l set products = coalesce(c.products, 0)
    from catalog_listing m left join counted c on c.listing = m.id
    where l.id = m.id and m.listed and m.products <> coalesce(c.products, 0)
    """,
)

log = structlog.get_logger(__name__)


async def check_listings(kernel: Kernel) -> None:
    """Put right prices, terms and lists of all products, and count the lists. Run every night by a worker.

    What was wrong is logged: ``catalog.lists_were_wrong`` says that some change of a product missed its lists.
    """
    currency = kernel.settings.section("catalog", CatalogSettings).currency
    wrong = 0
    last = UUID(int=0)
    while products := [row["id"] for row in await kernel.db.fetch(NEXT_PRODUCTS, last, CHUNK)]:
        async with kernel.db.transaction():
            wrong += await refresh_products(kernel.db, products, currency)
            wrong += await kernel.db.fetchval(PUT_LISTS, products)
        last = products[-1]
    await kernel.db.execute(COUNT_LISTED)
    kernel.services.get(KnownLists).forget()
    if wrong:
        log.warning("catalog.lists_were_wrong", rows=wrong)
