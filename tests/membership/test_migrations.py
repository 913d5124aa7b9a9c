"""Membership's tables come and go by its migrations, and with them what a shop cannot do without."""

from __future__ import annotations

from kameng.db import Database
from kameng.db.migrations import Migrator
from kameng.testing.databases import Databases
from kameng_membership import module as membership
from kameng_membership.tables import INDEXES

from .conftest import CATALOG

OBJECTS = "select relname from pg_class where relname like 'membership%'"


async def test_forwards_back_and_forwards_again(make_database: Databases) -> None:
    database = Database(await make_database(), pool_size=2)
    await database.open()
    try:
        migrator = Migrator(database, (CATALOG, membership))
        await migrator.forwards()
        before = {row[0] for row in await database.fetch(OBJECTS)}
        # Given all tables, then what is declared is there, and so are the first level and the first role
        assert {index.name for index in INDEXES} <= before
        assert await database.fetchval("select code from membership_level") == "retail"
        assert (
            await database.fetchval("select permissions from membership_role where name = 'owner'") == '["*"]'
        )
        # When they are undone, then nothing is left; and done again, everything is back
        await migrator.backwards("membership")
        assert await database.fetch(OBJECTS) == []
        await migrator.forwards()
        assert {row[0] for row in await database.fetch(OBJECTS)} == before
    finally:
        await database.close()
