"""The tables come and go by their migrations."""

from __future__ import annotations

from kameng.db import Database
from kameng.db.migrations import Migrator
from kameng.loader import load_modules
from kameng.settings import read_settings
from kameng.testing.databases import Databases

OBJECTS = "select relname from pg_class where relname like 'reviews%' order by relname"


async def test_forwards_back_and_forwards_again(make_database: Databases) -> None:
    database = Database(await make_database(), pool_size=2)
    await database.open()
    try:
        # Given all tables
        migrator = Migrator(database, load_modules(read_settings(environ={})))
        await migrator.forwards()
        before = await database.fetch(OBJECTS)
        assert ("reviews_review_shown",) in [tuple(row) for row in before]
        # When they are undone, then nothing is left; and done again, everything is back
        await migrator.backwards("reviews")
        assert await database.fetch(OBJECTS) == []
        await migrator.forwards()
        assert await database.fetch(OBJECTS) == before
    finally:
        await database.close()
