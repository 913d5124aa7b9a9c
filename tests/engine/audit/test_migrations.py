"""The migrations of vault and audit log make what their tables declare, and take it back."""

import pytest

from kameng.audit import tables as audit
from kameng.db import Database
from kameng.db.migrations import Migrator
from kameng.vault import tables as vault

OBJECTS = """
    select relname::text as name from pg_class where relname like any($1::text[])
    union select tgname from pg_trigger where tgname like any($1::text[])
    union select proname from pg_proc where proname like any($1::text[])
"""
OURS = ["kernel_audit%", "kernel_data_key%", "kernel_master_key%"]


@pytest.fixture
async def database(make_database):
    database = Database(await make_database(), pool_size=3)
    await database.open()
    yield database
    await database.close()


async def names(database):
    return {row["name"] for row in await database.fetch(OBJECTS, OURS)}


async def definitions(database):
    rows = await database.fetch(
        "select indexdef as d from pg_indexes where indexname like any($1::text[])"
        " union select pg_get_triggerdef(oid) from pg_trigger where tgname like any($1::text[])"
        " union select pg_get_functiondef(oid) from pg_proc where proname like any($1::text[])",
        OURS,
    )
    return {row["d"] for row in rows}


@pytest.mark.parametrize("declared", [audit, vault], ids=["audit", "vault"])
async def test_migrating_makes_every_declared_object_as_declared(database, declared):
    await Migrator(database, ()).forwards()
    migrated = await definitions(database)
    assert {index.name for index in declared.INDEXES} <= await names(database)

    for index in reversed(declared.INDEXES):
        await database.execute(index.undo)
    assert not {index.name for index in declared.INDEXES} & await names(database)
    for index in declared.INDEXES:
        await database.execute(index.create)
    assert await definitions(database) == migrated


async def test_going_back_leaves_nothing(database):
    migrator = Migrator(database, ())
    await migrator.forwards()
    await migrator.backwards("kernel_audit")
    await migrator.backwards("kernel_vault")

    assert await names(database) == set()
    await migrator.forwards()
    assert "kernel_audit_head_moves" in await names(database)
