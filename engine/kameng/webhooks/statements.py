"""The statements of the webhooks.

Locks are taken in one order: the endpoint's row before rows of its deliveries.
"""

from kameng.db import Statement

CIRCUIT_FAILURES = 5
"""After so many failures in a row an endpoint is left alone for a while, and then tried by one delivery at a time."""

FAN_OUT = Statement(
    "webhooks.find_wanted",
    """
select endpoint.id as endpoint, happened.number
from webhooks_endpoint as endpoint
join unnest($1::bigint[], $2::text[]) as happened (number, topic) on endpoint.topics ? happened.topic
where endpoint.state = 'enabled'
order by endpoint.id, happened.number
for key share of endpoint
""",
)
"""$1 events' numbers and $2 their topics, side by side."""

OWE = Statement(
    "webhooks.owe",
    """
insert into webhooks_delivery (id, endpoint, event, topic, happened_at, data, next_at, gives_up_at, created_at)
select id, endpoint, event, topic, happened_at, data, clock_timestamp(), clock_timestamp() + $7::interval,
    clock_timestamp()
from unnest($1::uuid[], $2::uuid[], $3::bigint[], $4::text[], $5::timestamptz[], $6::jsonb[])
    as owed (id, endpoint, event, topic, happened_at, data)
on conflict (endpoint, event) do nothing
""",
)
"""$1 ids, $2 endpoints, $3 events, $4 topics, $5 times, $6 data, side by side; $7 how long they are tried."""

_CLAIMED = """
returning delivery.id, delivery.endpoint, delivery.topic, delivery.happened_at, delivery.data, delivery.data_key,
    delivery.sealed, delivery.attempts, delivery.event is null as is_test
"""

CLAIM = Statement(
    "webhooks.claim",
    f"""
with open as materialized (
    select endpoint.id, case when endpoint.failures >= {CIRCUIT_FAILURES} then 1 else $2::int end - (
        select count(*) from webhooks_delivery as flying
        where flying.endpoint = endpoint.id and flying.state = 'sending' and flying.next_at > clock_timestamp()
    ) as free
    from webhooks_endpoint as endpoint
    where endpoint.state = 'enabled'
        and (endpoint.resume_at is null or endpoint.resume_at <= clock_timestamp())
        and exists (
            select from webhooks_delivery as due
            where due.endpoint = endpoint.id and due.state in ('waiting', 'sending')
                and due.next_at <= clock_timestamp()
        )
    for update of endpoint skip locked
), due as materialized (
    select found.id from open cross join lateral (
        select delivery.id, delivery.next_at from webhooks_delivery as delivery
        where delivery.endpoint = open.id and delivery.state in ('waiting', 'sending')
            and delivery.next_at <= clock_timestamp()
        order by delivery.next_at limit greatest(open.free, 0)
        for update skip locked
    ) as found
    order by found.next_at limit $3
)
update webhooks_delivery as delivery
set state = 'sending', attempts = delivery.attempts + 1, next_at = clock_timestamp() + $1::interval
from due where delivery.id = due.id
{_CLAIMED}""",
)
"""$1 the lease, $2 requests to one endpoint at once, $3 how many in all."""

CLAIM_TESTS = Statement(
    "webhooks.claim_tests",
    f"""
with due as materialized (
    select id from webhooks_delivery
    where event is null and state in ('waiting', 'sending') and next_at <= clock_timestamp()
    order by next_at limit $2
    for update skip locked
)
update webhooks_delivery as delivery
set state = 'sending', attempts = delivery.attempts + 1, next_at = clock_timestamp() + $1::interval
from due where delivery.id = due.id
{_CLAIMED}""",
)
"""Tests go to endpoints that are disabled or left alone as well. $1 the lease, $2 how many."""

ENDPOINTS = Statement(
    "webhooks.read_endpoints", "select * from webhooks_endpoint where id = any ($1::uuid[])"
)

SECRETS = Statement(
    "webhooks.read_secrets",
    """
select id, endpoint, data_key, sealed, ends_at from webhooks_secret
where endpoint = any ($1::uuid[]) and (ends_at is null or ends_at > clock_timestamp())
order by endpoint, id desc
""",
)
"""Those that hold now, the newest first."""

KEEP_PAYLOAD = Statement(
    "webhooks.keep_payload",
    "update webhooks_delivery set data_key = $2, sealed = $3 where id = $1 and sealed is null",
)

SUCCEED = Statement(
    "webhooks.succeed",
    """
update webhooks_delivery set state = 'delivered', delivered_at = clock_timestamp(), last_status = $2, last_error = null
where id = $1 and state in ('sending', 'waiting')
""",
)
"""Also when somebody else has the delivery by now: it was told."""

RECOVER = Statement(
    "webhooks.recover",
    "update webhooks_endpoint set failures = 0, failing_since = null, resume_at = null where id = $1 and failures > 0",
)

LOCK_ENDPOINT = Statement(
    "webhooks.lock_endpoint", "select * from webhooks_endpoint where id = $1 for no key update"
)

COUNT_FAILURE = Statement(
    "webhooks.count_failure",
    """
update webhooks_endpoint set
    failures = failures + 1,
    failing_since = coalesce(failing_since, clock_timestamp()),
    resume_at = clock_timestamp() + $2::interval,
    state = case when $3 or (state = 'enabled' and failures + 1 >= $4 and failing_since < clock_timestamp() - $5::interval)
        then 'disabled' else state end,
    reason = case
        when state <> 'enabled' then reason
        when $3 then 'gone'
        when failures + 1 >= $4 and failing_since < clock_timestamp() - $5::interval then 'failing'
        else reason end
where id = $1
returning state, reason, failures
""",
)
"""$1 the endpoint, $2 how long to leave it alone or null, $3 whether it said that it is gone, $4 failures and
$5 time after which it is switched off."""

FAIL = Statement(
    "webhooks.fail",
    """
update webhooks_delivery set
    state = case when $5 or clock_timestamp() + $6::interval >= gives_up_at then 'dead' else 'waiting' end,
    next_at = clock_timestamp() + $6::interval,
    last_status = $3,
    last_error = $4
where id = $1 and attempts = $2 and state = 'sending'
returning state
""",
)
"""$1 the delivery, $2 the attempt, $3 status or null, $4 the error, $5 whether that was the last, $6 the pause."""

LOG_ATTEMPT = Statement(
    "webhooks.log_attempt",
    """
insert into webhooks_attempt (id, delivery, at, milliseconds, status, error, excerpt)
select $1, id, clock_timestamp(), $3, $4, $5, $6 from webhooks_delivery where id = $2
""",
)
"""$1 id, $2 the delivery, $3 milliseconds, $4 status, $5 error, $6 excerpt."""

GIVE_UP = Statement(
    "webhooks.give_up",
    """
update webhooks_delivery set state = 'dead',
    last_error = coalesce(last_error, 'WEBHOOK_NOT_TRIED: The endpoint was disabled or left alone all the time.')
where id = any (array(
    select id from webhooks_delivery where state in ('waiting', 'sending') and gives_up_at <= clock_timestamp()
        and (state = 'waiting' or next_at <= clock_timestamp())
    order by gives_up_at limit 1000 for update skip locked
))
""",
)
"""What waited so long for an endpoint that is disabled, or left alone, that nobody wants it any more."""

REPLAY = Statement(
    "webhooks.replay",
    """
update webhooks_delivery set state = 'waiting', attempts = 0, next_at = clock_timestamp(),
    gives_up_at = clock_timestamp() + $2::interval, last_error = null, last_status = null
where id = any ($1::uuid[]) and event is not null and state in ('dead', 'delivered')
""",
)
"""$1 deliveries, $2 how long they are tried."""

FIND_RANGE = Statement(
    "webhooks.find_range",
    """
select id from webhooks_delivery
where endpoint = $1 and event is not null and happened_at >= $2 and happened_at < $3
    and (state = 'dead' or ($4 and state = 'delivered')) and id > $5
order by id limit 1000
""",
)
"""$1 the endpoint, $2 since, $3 until, $4 also what was delivered, $5 the id to go on after."""

FIND_MISSED = Statement(
    "webhooks.find_missed",
    """
select event.id, event.topic, event.created_at, event.payload
from kernel_outbox as event join webhooks_endpoint as endpoint on endpoint.topics ? event.topic
where endpoint.id = $1 and event.created_at >= $2 and event.created_at < $3 and event.id > $4
    and not exists (
        select from webhooks_delivery as known where known.endpoint = $1 and known.event = event.id
    )
order by event.id limit 500
""",
)
"""Events of the outbox that the endpoint never got. $1 the endpoint, $2 since, $3 until, $4 the number to go on after."""

PRUNE = Statement(
    "webhooks.prune",
    """
delete from webhooks_delivery where id = any (array(
    select id from webhooks_delivery
    where state in ('delivered', 'dead') and created_at < clock_timestamp() - $1::interval
    order by created_at limit 2000
))
""",
)
"""$1 how long they are kept. Replayed ones may wait again; these stay."""

PRUNE_SECRETS = Statement(
    "webhooks.prune_secrets",
    "delete from webhooks_secret where ends_at < clock_timestamp() - interval '1 day'",
)
