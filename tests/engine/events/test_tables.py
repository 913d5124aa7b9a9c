"""The database holds exactly what the tables declare."""

import pytest

from kameng.db.migrations import Migrator
from kameng.events import tables as events_tables
from kameng.tasks import tables as tasks_tables
from tests.engine.events.sample import sample


@pytest.mark.parametrize("tables", [events_tables, tasks_tables], ids=["events", "tasks"])
async def test_every_declared_index_exists_as_declared(make_kernel, tables):
    kernel = await make_kernel([sample()])
    rows = await kernel.db.fetch("select indexname, indexdef from pg_indexes where schemaname = 'public'")
    found = {row["indexname"]: row["indexdef"] for row in rows}
    # how tables are stored is compared with the migrations by tests/engine/db
    for index in (index for index in tables.INDEXES if " set (" not in index.create):
        assert index.name in found
        # when it is dropped and created from its declaration, it is the same again
        async with kernel.db.transaction():
            await kernel.db.execute(index.undo)
            await kernel.db.execute(index.create)
            again = await kernel.db.fetchval(
                "select indexdef from pg_indexes where indexname = $1", index.name
            )
        assert again == found[index.name]


async def test_the_migrations_go_back_and_forth(make_kernel):
    kernel = await make_kernel([sample()])
    migrator = Migrator(kernel.db, kernel.modules)
    await migrator.backwards("kernel_tasks")
    await migrator.backwards("kernel_events")
    gone = "select count(*) from pg_tables where tablename in ('kernel_outbox', 'kernel_delivery', 'kernel_task')"
    assert await kernel.db.fetchval(gone) == 0
    await migrator.forwards()
    assert await kernel.db.fetchval(gone) == 3
