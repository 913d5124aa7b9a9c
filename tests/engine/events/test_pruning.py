"""Old events go; what is owed or dead stays."""

from kameng.events.pruning import prune_events
from kameng.tasks import drain
from kameng.tasks.pruning import prune_tasks
from tests.engine.events.sample import ONE, emit, prepare, sample


async def test_events_older_than_the_setting_are_pruned_unless_they_are_owed(make_kernel):
    kernel = await prepare(await make_kernel([sample(ONE)], events={"keep_days": 7}))
    await emit(kernel, *range(10))
    await drain(kernel)
    # given one dead letter among old events, one not relayed, and two young ones
    await kernel.db.execute("update kernel_outbox set created_at = now() - interval '8 days'")
    await kernel.db.execute("update kernel_outbox set relayed_at = created_at")
    await kernel.db.execute(
        """insert into kernel_delivery (event_id, handler, state)
           select id, 'sample.one', 'dead' from kernel_outbox where payload ->> 'number' = '3'"""
    )
    await kernel.db.execute("update kernel_outbox set relayed_at = null where payload ->> 'number' = '4'")
    await emit(kernel, 10, 11)
    await prune_events(kernel)
    rows = await kernel.db.fetch(
        "select (payload ->> 'number')::int as number from kernel_outbox order by id"
    )
    assert [row["number"] for row in rows] == [3, 4, 10, 11]


async def test_pruning_passes_over_wide_gaps_and_many_events(make_kernel):
    kernel = await make_kernel([sample()], events={"keep_days": 1})
    await kernel.db.execute(
        """insert into kernel_outbox (id, topic, payload, created_at, relayed_at)
           select n * 100000, 'sample.counted', '{}'::jsonb, now() - interval '2 days', now() - interval '2 days'
           from generate_series(1, 50) as n
           union all
           select n, 'sample.counted', '{}', now() - interval '2 days', now() - interval '2 days'
           from generate_series(6000000, 6012000) as n"""
    )
    await prune_events(kernel)
    assert await kernel.db.fetchval("select count(*) from kernel_outbox") == 0


async def test_finished_tasks_are_pruned_and_dead_ones_stay(make_kernel):
    kernel = await make_kernel([sample()], tasks={"keep_days": 7})
    await kernel.db.execute(
        """insert into kernel_task (id, name, state, done_at)
           select gen_random_uuid(), 'sample.t' || n, case when n = 3 then 'dead' else 'done' end,
               now() - n * interval '3 days'
           from generate_series(1, 5) as n"""
    )
    await prune_tasks(kernel)
    rows = await kernel.db.fetch("select name from kernel_task order by name")
    assert [row["name"] for row in rows] == ["sample.t1", "sample.t2", "sample.t3"]
