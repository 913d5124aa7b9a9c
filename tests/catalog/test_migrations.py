"""The catalogue's tables come and go by its migrations; products that were there before the lists are put into them."""

from __future__ import annotations

from uuid import UUID

from kameng.db import Database
from kameng.db.migrations import Migrator
from kameng.testing.databases import Databases
from kameng_catalog import listing_tables, module, piece_tables, stock_tables, tables
from kameng_catalog.batches import set_batch_state

from .conftest import Shop
from .listing_model import assert_in_step
from .stocking import desk, quota, take

BEFORE_OTHER_STOCK = "2026-11-22T22:54:47:643815"

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
        {"sku": "A-2", "price": "8.80", "cost": "7", "tags": "hot;New"},
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
    await shop.products({"sku": "A-2", "price": "7.70", "cost": "7", "tags": "hot;New"}, {"tags": "hot;New"})
    await assert_in_step(shop.kernel.db)


async def test_an_older_version_finds_its_stock_again(shop: Shop) -> None:
    # Given cards that are sold, kept, in quarantine and recalled, and pieces that are no cards
    variant = await shop.stocked()
    batches = [(await shop.cards("A-1", 3)).batch for _ in range(3)]
    await quota(shop, 5)
    assert isinstance(await take(shop, variant), UUID)
    assert isinstance(await take(shop, variant, 1, "reserve"), UUID)
    for batch, state in zip(batches[1:], ("quarantined", "recalled"), strict=True):
        assert batch is not None
        await set_batch_state(desk(shop), batch, state, "tried")  # type: ignore[arg-type]  # one of the states
    # When the shop goes back to the version before
    migrator = Migrator(shop.kernel.db, (module,))
    await migrator.backwards("catalog", to=BEFORE_OTHER_STOCK)
    # Then all unsold cards are for sale but those that were recalled, and the movements say so
    rows = await shop.kernel.db.fetch(
        "select variant, sum(quantity) as moved from catalog_stock_movement where variant = $1 group by 1",
        variant,
    )
    assert await shop.kernel.db.fetchval("select count(*) from catalog_free_card") == 5
    assert [row["moved"] for row in rows] == [5]
    # and it comes forth again
    await migrator.forwards()
    assert (await shop.stock.available([variant]))[variant] == 5
