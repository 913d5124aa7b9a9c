"""The catalogue's tables come and go by its migrations; products that were there before the lists are put into them."""

from __future__ import annotations

from kameng.db import Database
from kameng.db.migrations import Migrator
from kameng.testing.databases import Databases
from kameng_catalog import listing_tables, module, piece_tables, stock_tables, tables

from .conftest import Shop
from .listing_model import assert_in_step

BEFORE_THE_LISTS = "2026-11-22T18:40:00:000000"

OBJECTS = """
select relname from pg_class where relname like 'catalog%'
union select conname from pg_constraint where conname like 'catalog%'
union select tgname from pg_trigger where tgname like 'catalog%'
union select proname from pg_proc where proname like 'catalog%'
"""

STORAGE = {"catalog_free_card_vacuum", "catalog_product_room"}
"""Settings of tables, which have no names of their own in the database."""


async def _objects(database: Database) -> set[str]:
    return {row[0] for row in await database.fetch(OBJECTS)}


async def test_forwards_back_and_forwards_again(make_database: Databases) -> None:
    database = Database(await make_database(), pool_size=2)
    await database.open()
    try:
        migrator = Migrator(database, (module,))
        # Given all tables, then what is declared is there
        await migrator.forwards()
        before = await _objects(database)
        declared = {
            index.name
            for declaring in (tables, stock_tables, piece_tables, listing_tables)
            for index in declaring.INDEXES
        }
        assert declared - STORAGE <= before
        # When they are undone, then nothing is left; and done again, everything is back
        await migrator.backwards("catalog")
        assert await _objects(database) == set()
        await migrator.forwards()
        assert await _objects(database) == before
    finally:
        await database.close()


async def test_products_of_an_older_version_come_into_the_lists(shop: Shop) -> None:
    # Given products, some of them not for sale, from before there were lists
    await shop.products(
        {"tags": "hot;New"},
        {"sku": "A-2", "price": "8.80", "tags": "hot;New"},
        {"sku": "B-1", "product": "beta", "category": "card", "status": "archived"},
        {
            "sku": "C-1",
            "product": "gamma",
            "category": "card/gift",
            "category_zh": "",
            "category_en": "",
            "currency": "USD",
        },
    )
    migrator = Migrator(shop.kernel.db, (module,))
    await migrator.backwards("catalog", to=BEFORE_THE_LISTS)
    rows = await shop.kernel.db.fetch("select search_terms from catalog_product")
    assert not any(term[0] in "/#" for row in rows for term in row["search_terms"])
    # When the shop is brought to this version
    await migrator.forwards()
    # Then they are in the lists, with their prices
    await assert_in_step(shop.kernel.db)
    assert await shop.kernel.db.fetchval("select min(units) from catalog_listed") == 88_000
    # and a change finds everything at its place
    await shop.products({"sku": "A-2", "price": "7.70", "tags": "hot;New"}, {"tags": "hot;New"})
    await assert_in_step(shop.kernel.db)
