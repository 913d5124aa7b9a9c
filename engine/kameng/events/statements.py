"""The hot statements of the outbox.

None of them scans from the smallest key: behind it lie the entries of rows long done, which an index keeps
    until vacuum can take them, and one long transaction anywhere in the database keeps vacuum from it.
    Limits stand as literals, since a parameter would make the planner guess a tenth of the table.
"""

from kameng.db import Statement

RELAY_BATCH = 500
"""The most events that one run of `RELAY` takes."""

RESEND_BATCH = 1000
"""The most deliveries that one run of `RESEND` takes."""

EMIT = Statement(
    "kernel.emit_events",
    """
insert into kernel_outbox (topic, payload)
select topic, payload from unnest($1::text[], $2::jsonb[]) as given (topic, payload)
""",
)
"""$1 topics, $2 payloads."""

RELAY = Statement(
    "kernel.relay_events",
    f"""
with batch as materialized (
    select id, topic from kernel_outbox
    where relayed_at is null and id > $1
    order by id limit {RELAY_BATCH}
    for update skip locked
), marked as (
    update kernel_outbox set relayed_at = clock_timestamp()
    where id = any (array(select id from batch))
), standing as materialized (
    select topic, handler from kernel_subscription where handler = any ($5::text[])
), owed as (
    insert into kernel_delivery (event_id, handler, next_at)
    select batch.id, subscribed.handler, clock_timestamp() + $4::interval
    from batch join (
        select topic, handler from unnest($2::text[], $3::text[]) as declared (topic, handler)
        union all select topic, handler from standing
    ) as subscribed using (topic)
)
select id, topic, array(select handler from standing where standing.topic = batch.topic) as observers
from batch order by id
""",
)
"""$1 the id to start after, $2 topics and $3 their subscribed handlers, side by side, $4 the lease, $5 observers."""

RESEND = Statement(
    "kernel.resend_deliveries",
    f"""
with due as materialized (
    select event_id, handler from kernel_delivery
    where state <> 'dead' and next_at <= clock_timestamp() and next_at > $1
    order by next_at limit {RESEND_BATCH}
    for update skip locked
)
update kernel_delivery as delivery set state = 'sent', next_at = clock_timestamp() + $2::interval
from due
where delivery.event_id = due.event_id and delivery.handler = due.handler
returning delivery.event_id, delivery.handler, delivery.attempts
""",
)
"""$1 the time to start after, $2 the lease."""

HASTEN = Statement(
    "kernel.hasten_deliveries",
    """
update kernel_delivery set next_at = clock_timestamp()
where state = 'sent' and next_at > clock_timestamp()
""",
)
"""The broker lost its messages: send again what was with it now, and not only when the lease ends."""

TAKE = Statement(
    "kernel.take_deliveries",
    """
with taken as (
    delete from kernel_delivery
    where handler = $1 and event_id = any (array(
        select event_id from kernel_delivery
        where handler = $1 and event_id = any ($2::bigint[]) and attempts = $3 and state = 'sent'
        for update skip locked
    ))
    returning event_id
)
select event.id, event.topic, event.created_at, event.payload,
    extract(epoch from clock_timestamp() - event.created_at)::float8 as age
from taken join kernel_outbox as event on event.id = taken.event_id
order by event.id
""",
)
"""The handler's transaction takes what it is about to handle; if it rolls back, nothing was taken.

$1 the handler, $2 events, $3 the number of attempts that the message was sent for.
"""

FAIL = Statement(
    "kernel.fail_deliveries",
    """
update kernel_delivery set
    attempts = attempts + 1,
    last_error = $4,
    state = case when attempts + 1 >= $5 then 'dead' else 'waiting' end,
    next_at = clock_timestamp() + $6::interval
where handler = $1 and event_id = any ($2::bigint[]) and attempts = $3 and state = 'sent'
returning state
""",
)
"""$1 the handler, $2 events, $3 attempts so far, $4 the error, $5 attempts allowed, $6 the pause."""

GIVE_BACK = Statement(
    "kernel.give_back_deliveries",
    """
update kernel_delivery set next_at = clock_timestamp()
where handler = $1 and event_id = any ($2::bigint[]) and attempts = $3 and state = 'sent'
""",
)
"""A worker that stops returns what it has not begun. $1 the handler, $2 events, $3 attempts so far."""

LIST_DEAD = Statement(
    "kernel.list_dead_deliveries",
    """
select delivery.event_id, delivery.handler, delivery.attempts, delivery.last_error,
    delivery.next_at as died_at, event.topic, event.created_at
from kernel_delivery as delivery left join kernel_outbox as event on event.id = delivery.event_id
where delivery.state = 'dead' and (delivery.event_id, delivery.handler) > ($1::bigint, $2::text)
order by delivery.event_id, delivery.handler limit $3
""",
)
"""$1 and $2 the key to start after, $3 how many."""

REQUEUE_DEAD = Statement(
    "kernel.requeue_dead_deliveries",
    """
update kernel_delivery as delivery set state = 'waiting', attempts = 0, next_at = clock_timestamp()
from unnest($1::bigint[], $2::text[]) as chosen (event_id, handler)
where delivery.event_id = chosen.event_id and delivery.handler = chosen.handler and delivery.state = 'dead'
""",
)
"""$1 events and $2 handlers, side by side."""

DISCARD_DEAD = Statement(
    "kernel.discard_dead_deliveries",
    """
delete from kernel_delivery as delivery
using unnest($1::bigint[], $2::text[]) as chosen (event_id, handler)
where delivery.event_id = chosen.event_id and delivery.handler = chosen.handler and delivery.state = 'dead'
""",
)
"""$1 events and $2 handlers, side by side."""

COUNT_BACKLOG = Statement(
    "kernel.count_events_backlog",
    """
select
    (select count(*) from (
        select from kernel_outbox where relayed_at is null limit 100000) as counted) as unrelayed,
    (select count(*) from (
        select from kernel_delivery where state <> 'dead' limit 100000) as counted) as owed,
    (select count(*) from (
        select from kernel_delivery where state = 'dead' limit 100000) as counted) as dead
""",
)
"""How much there is, up to a hundred thousand of each: past that the exact number matters to nobody."""

WATCH_LOCK = 0x6B616D7761746368  # "kamwatch": the advisory lock of whoever changes what an observer wants

WATCH = Statement(
    "kernel.watch_topics",
    """
with unwanted as (
    delete from kernel_subscription where handler = $1 and topic <> all ($2::text[])
)
insert into kernel_subscription (topic, handler)
select distinct topic, $1::text from unnest($2::text[]) as wanted (topic)
on conflict do nothing
""",
)
"""$1 the observer, $2 topics."""

PRUNE_STEP = 5000
"""How many ids one run of `PRUNE` covers."""

PRUNE_FROM = Statement(
    "kernel.find_old_event",
    """
select id, created_at < now() - $2::interval as old from kernel_outbox where id > $1 order by id limit 1
""",
)
"""The first event after $1, and whether it is older than $2."""

PRUNE = Statement(
    "kernel.prune_events",
    f"""
delete from kernel_outbox as event
where id >= $1 and id < $1 + {PRUNE_STEP} and relayed_at < now() - $2::interval
    and not exists (select from kernel_delivery where event_id = event.id)
""",
)
"""$1 the id to start with, $2 how long events are kept."""
