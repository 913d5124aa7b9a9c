"""The ledger's tables come and go by its migrations."""

from __future__ import annotations

from kameng.db import Database
from kameng.db.migrations import Migrator
from kameng.testing.databases import Databases
from kameng_membership import module as membership
from kameng_settlement import module as settlement
from kameng_settlement.tables import INDEXES

from .conftest import CATALOG, Books, order

OBJECTS = """
select relname from pg_class where relname like 'settlement%'
union select conname from pg_constraint where conname like 'settlement%'
union select tgname from pg_trigger where tgname like 'settlement%'
union select proname from pg_proc where proname like 'settlement%'
"""


async def _objects(database: Database) -> set[str]:
    return {row[0] for row in await database.fetch(OBJECTS)}


async def test_forwards_back_and_forwards_again(make_database: Databases) -> None:
    database = Database(await make_database(), pool_size=2)
    await database.open()
    try:
        migrator = Migrator(database, (CATALOG, membership, settlement))
        # Given all tables
        await migrator.forwards()
        before = await _objects(database)
        # Then what is declared is there
        assert {index.name for index in INDEXES} <= before
        # When they are undone, then nothing is left; and done again, everything is back
        await migrator.backwards("settlement")
        assert await _objects(database) == set()
        await migrator.forwards()
        assert await _objects(database) == before
    finally:
        await database.close()


async def test_a_ledger_with_entries_can_be_taken_down(books: Books) -> None:
    # Given entries that nobody could delete
    await books.charge(order(await books.rich(1000), 10))
    # When the operator migrates back, then the tables go as a whole
    migrator = Migrator(books.kernel.db, books.kernel.modules)
    await migrator.backwards("settlement")
    assert await _objects(books.kernel.db) == set()
