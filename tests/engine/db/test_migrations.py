"""Migrating an empty database gives exactly what the code declares, and going back leaves nothing."""

import asyncio
from importlib import import_module

import pytest
from piccolo.table import sort_table_classes

from kameng.db import Database
from kameng.db.migrations import Migrator, app_paths
from kameng.errors import BootError
from kameng.loader import load_modules
from kameng.settings import Settings

COLUMNS = """
select table_name, column_name, data_type, character_maximum_length, numeric_precision, is_nullable,
       case when column_default like 'nextval%' then 'serial' else column_default end, is_identity
from information_schema.columns where table_schema = 'public' and table_name <> 'migration'
order by table_name, column_name
"""
CONSTRAINTS = """
select conrelid::regclass::text, conname, contype::text, pg_get_constraintdef(oid) from pg_constraint
where connamespace = 'public'::regnamespace and conrelid <> 0 and conrelid is distinct from to_regclass('migration')
order by 1, 2, 4
"""
INDEXES = """
select tablename, indexname, indexdef from pg_indexes
where schemaname = 'public' and tablename <> 'migration' order by 1, 2
"""
TRIGGERS = """
select tgrelid::regclass::text, tgname, pg_get_triggerdef(oid) from pg_trigger where not tgisinternal order by 1, 2
"""
FUNCTIONS = """
select p.proname, pg_get_functiondef(p.oid) from pg_proc p left join pg_depend d on d.objid = p.oid and d.deptype = 'e'
where p.pronamespace = 'public'::regnamespace and d.objid is null order by 1
"""
STORAGE = """
select relname, reloptions::text from pg_class
where relnamespace = 'public'::regnamespace and reloptions is not null order by 1
"""


async def anatomy(database):
    """All that stands in a database, piece by piece."""
    pieces = {}
    for name, sql in {
        "columns": COLUMNS,
        "constraints": CONSTRAINTS,
        "indexes": INDEXES,
        "triggers": TRIGGERS,
        "functions": FUNCTIONS,
        "storage": STORAGE,
    }.items():
        pieces[name] = [tuple(row) for row in await database.fetch(sql)]
    return pieces


@pytest.fixture
async def empty(make_database):
    """Makes open, empty databases."""
    opened = []

    async def make():
        database = Database(await make_database(), pool_size=3)
        await database.open()
        opened.append(database)
        return database

    yield make
    for database in opened:
        await database.close()


@pytest.fixture
def modules(tmp_path):
    return load_modules(Settings({}, root=tmp_path))


async def declare(database, modules):
    """Create what the code declares, without any migration."""
    with database.in_use():
        for path in app_paths(modules):
            app = import_module(path).APP_CONFIG
            for table in sort_table_classes(app.table_classes):
                await table.create_table()
            for name in sorted({table.__module__ for table in app.table_classes}):
                for index in getattr(import_module(name), "INDEXES", ()):
                    await database.execute(index.create)


async def test_migrations_give_exactly_what_the_code_declares(empty, modules):
    migrated, declared = await empty(), await empty()
    steps = await Migrator(migrated, modules).forwards()
    assert {step.app for step in steps} >= {"kernel_events", "kernel_auth", "catalog", "fulfilment"}
    await declare(declared, modules)
    got, wanted = await anatomy(migrated), await anatomy(declared)
    for piece, rows in wanted.items():
        assert set(got[piece]) ^ set(rows) == set(), f"{piece} differ between migrations and code"
    assert len(wanted["columns"]) > 100


async def test_going_back_leaves_nothing_and_forwards_gives_the_same_again(empty, modules):
    database = await empty()
    migrator = Migrator(database, modules)
    steps = await migrator.forwards()
    first = await anatomy(database)
    undone = await migrator.backwards("all")
    assert [(step.app, step.id) for step in undone] == [(step.app, step.id) for step in reversed(steps)]
    assert {piece: rows for piece, rows in (await anatomy(database)).items() if rows} == {}
    assert await migrator.pending() == steps
    await migrator.forwards()
    assert await anatomy(database) == first


async def test_running_them_twice_changes_nothing(empty, modules):
    migrator = Migrator(await empty(), modules)
    assert await migrator.forwards()
    assert await migrator.forwards() == []


async def test_two_at_once_migrate_once(empty, modules):
    database = await empty()
    other = Database(database.dsn, pool_size=3)
    await other.open()
    try:
        done = await asyncio.gather(
            Migrator(database, modules).forwards(), Migrator(other, modules).forwards()
        )
    finally:
        await other.close()
    assert sorted(map(bool, done)) == [False, True]


async def test_an_unknown_app_or_migration_is_told(empty, modules):
    migrator = Migrator(await empty(), modules)
    await migrator.forwards()
    with pytest.raises(BootError, match="nonsense"):
        await migrator.backwards("nonsense")
    with pytest.raises(BootError, match="has not run a migration"):
        await migrator.backwards("catalog", to="1999")
