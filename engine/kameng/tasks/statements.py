"""The hot statements of the task queue."""

from kameng.db import Statement

SEND_BATCH = 100
"""The most tasks that one run of `SEND` takes."""

ENQUEUE = Statement(
    "kernel.enqueue_task",
    """
insert into kernel_task (id, name, arguments, unique_key, next_at)
values ($1, $2, $3::jsonb, $4, clock_timestamp() + $5::interval)
on conflict (name, unique_key) where unique_key is not null do nothing
returning id
""",
)
"""$1 id, $2 name, $3 arguments, $4 the key or null, $5 the delay."""

FIND_BY_KEY = Statement(
    "kernel.find_task_by_key", "select id from kernel_task where name = $1 and unique_key = $2"
)

SEND = Statement(
    "kernel.send_tasks",
    f"""
with due as materialized (
    select id from kernel_task
    where state in ('queued', 'sent', 'running') and next_at <= clock_timestamp()
    order by next_at limit {SEND_BATCH}
    for update skip locked
)
update kernel_task set state = 'sent', next_at = clock_timestamp() + $1::interval
where id = any (array(select id from due))
returning id, name, attempts
""",
)
"""What is planned for now, or was sent or begun and not heard of for a lease. $1 the lease."""

HASTEN = Statement(
    "kernel.hasten_tasks",
    """
update kernel_task set next_at = clock_timestamp()
where state = 'sent' and next_at > clock_timestamp()
""",
)
"""The broker lost its messages: send again what was with it now, and not only when the lease ends."""

BEGIN = Statement(
    "kernel.begin_task",
    """
update kernel_task set state = 'running', attempts = attempts + 1, started_at = clock_timestamp(),
    next_at = clock_timestamp() + $3::interval
where id = $1 and attempts = $2 and state = 'sent'
returning name, arguments
""",
)
"""$1 the task, $2 the attempts that the message was sent for, $3 the lease."""

HEARTBEAT = Statement(
    "kernel.keep_tasks",
    """
update kernel_task as task set next_at = clock_timestamp() + $3::interval
from unnest($1::uuid[], $2::int[]) as held (id, attempts)
where task.id = held.id and task.attempts = held.attempts and task.state = 'running'
returning task.id
""",
)
"""$1 tasks and $2 the attempts that their runs are, $3 the lease; gives those that are still ours."""

FINISH = Statement(
    "kernel.finish_task",
    """
update kernel_task set state = 'done', done_at = clock_timestamp(), last_error = null
where id = $1 and attempts = $2 and state = 'running'
""",
)
"""$1 the task, $2 the attempt."""

FAIL = Statement(
    "kernel.fail_task",
    """
update kernel_task set
    state = case when attempts >= $4 then 'dead' else 'queued' end,
    last_error = $3,
    next_at = clock_timestamp() + $5::interval
where id = $1 and attempts = $2 and state = 'running'
returning state
""",
)
"""$1 the task, $2 the attempt, $3 the error, $4 attempts allowed, $5 the pause."""

GIVE_BACK = Statement(
    "kernel.give_back_task",
    """
update kernel_task set state = 'queued', attempts = attempts - 1, next_at = clock_timestamp()
where id = $1 and attempts = $2 and state = 'running'
""",
)
"""A worker that stops returns what it could not finish. $1 the task, $2 the attempt."""

FIND = Statement(
    "kernel.find_task",
    """
select id, name, state, attempts, last_error, created_at, next_at, started_at, done_at
from kernel_task where id = $1
""",
)

LIST_DEAD = Statement(
    "kernel.list_dead_tasks",
    """
select id, name, state, attempts, last_error, created_at, next_at, started_at, done_at
from kernel_task where state = 'dead' and id > $1 order by id limit $2
""",
)
"""$1 the id to start after, $2 how many."""

REQUEUE_DEAD = Statement(
    "kernel.requeue_dead_tasks",
    """
update kernel_task set state = 'queued', attempts = 0, next_at = clock_timestamp()
where id = any ($1::uuid[]) and state = 'dead'
""",
)

DISCARD_DEAD = Statement(
    "kernel.discard_dead_tasks", "delete from kernel_task where id = any ($1::uuid[]) and state = 'dead'"
)

START_SCHEDULED = Statement(
    "kernel.start_scheduled_task",
    """
with started as (
    insert into kernel_schedule as schedule (name, last_started_at) values ($1, clock_timestamp())
    on conflict (name) do update set last_started_at =
        case when schedule.last_started_at + 2 * $2::interval > clock_timestamp()
        then schedule.last_started_at + $2::interval else clock_timestamp() end
    where schedule.last_started_at + $2::interval <= clock_timestamp()
    returning name
)
insert into kernel_task (id, name)
select $3, name from started
where not exists (
    select from kernel_task where kernel_task.name = $1 and state in ('queued', 'sent', 'running')
)
returning id
""",
)
"""$1 the task's name, $2 its interval, $3 an id. The times of starts keep their beat; intervals in which
nobody ran are not made up for, and a run that is not over keeps the next one from starting."""

LAST_STARTS = Statement(
    "kernel.list_schedules",
    """
select name, extract(epoch from clock_timestamp() - last_started_at)::float8 as age from kernel_schedule
""",
)

COUNT_BACKLOG = Statement(
    "kernel.count_tasks_backlog",
    """
select state, count(*) from (
    (select state from kernel_task where state in ('queued', 'sent', 'running') limit 100000)
    union all (select state from kernel_task where state = 'dead' limit 100000)
) as counted group by state
""",
)

PRUNE = Statement(
    "kernel.prune_tasks",
    """
delete from kernel_task where id = any (array(
    select id from kernel_task where state = 'done' and done_at < now() - $1::interval
    order by done_at limit 5000
))
""",
)
"""$1 how long finished tasks are kept."""
