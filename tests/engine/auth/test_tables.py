"""The migrations make the tables and indexes that the code declares, and take them away again."""

import asyncpg
import pytest

from kameng.auth.piccolo_app import APP_CONFIG
from kameng.auth.tables import INDEXES
from kameng.auth.tokens import digest
from kameng.db import Database
from kameng.db.migrations import Migrator
from kameng.ids import new_id

LIVE_SESSIONS = """
    select * from kernel_session
    where principal_kind = 'member' and principal_id = gen_random_uuid() and revoked_at is null
    order by created_at desc limit 100
"""
TABLES = {"kernel_session", "kernel_api_token", "kernel_one_time_token"}


@pytest.fixture
async def empty(make_database):
    url = await make_database()
    database = Database(url, pool_size=2)
    await database.open()
    yield database
    await database.close()


async def indexes_of(database):
    rows = await database.fetch(
        "select indexname, indexdef from pg_indexes where tablename = any($1) order by indexname",
        list(TABLES),
    )
    return {row["indexname"]: row["indexdef"] for row in rows}


async def tables_of(database):
    rows = await database.fetch("select tablename from pg_tables where schemaname = 'public'")
    return {row["tablename"] for row in rows}


async def test_forwards_makes_what_is_declared_and_backwards_leaves_nothing(empty):
    migrator = Migrator(empty, [])
    assert {table._meta.tablename for table in APP_CONFIG.table_classes} == TABLES

    await migrator.forwards()
    made = await indexes_of(empty)
    assert await tables_of(empty) >= TABLES
    assert {index.name for index in INDEXES} <= set(made)

    await migrator.backwards("kernel_auth")
    assert not await tables_of(empty) & TABLES

    # and forwards again makes the same
    await migrator.forwards()
    assert await indexes_of(empty) == made


async def test_the_migrated_indexes_are_the_declared_ones(empty):
    await Migrator(empty, []).forwards()
    migrated = await indexes_of(empty)
    for index in INDEXES:
        await empty.execute(index.undo)
        await empty.execute(index.create)
    assert await indexes_of(empty) == migrated


@pytest.mark.parametrize(
    ("kind", "token_hash", "constraint"),
    [
        ("visitor", digest("a"), "kernel_session_kind_known"),
        ("member", b"a token", "kernel_session_token_hashed"),
    ],
)
async def test_a_session_belongs_to_a_known_kind_and_keeps_a_hash(kernel, kind, token_hash, constraint):
    with pytest.raises(asyncpg.CheckViolationError) as refused:
        await kernel.db.execute(
            "insert into kernel_session (id, token_hash, principal_kind, principal_id, expires_at)"
            " values ($1, $2, $3, $4, now())",
            new_id(),
            token_hash,
            kind,
            new_id(),
        )
    assert refused.value.constraint_name == constraint


@pytest.mark.parametrize(
    ("sql", "index"),
    [
        ("select * from kernel_session where token_hash = '\\x00'", "kernel_session_token_hash_key"),
        (LIVE_SESSIONS, "kernel_session_live"),
        ("delete from kernel_session where expires_at < now() - interval '1 day'", "kernel_session_expiry"),
        ("select * from kernel_api_token where token_hash = '\\x00'", "kernel_api_token_token_hash_key"),
        (
            "select * from kernel_one_time_token where token_hash = '\\x00'",
            "kernel_one_time_token_token_hash_key",
        ),
    ],
)
async def test_each_look_up_is_served_by_an_index(kernel, sql, index):
    async with kernel.db.transaction():
        await kernel.db.execute("set local enable_seqscan = off")
        plan = "\n".join(row[0] for row in await kernel.db.fetch(f"explain {sql}"))
    assert index in plan, plan
