"""The SQL of the service desk. What changes a line runs while its order is locked."""

from kameng.db import Statement

OPEN_SERVICES = Statement(
    "fulfilment.open_services",
    # Each line that the staff owe since now; a line that is there stays as it is.
    """
    insert into fulfilment_service (line, due_by)
    select l.id, l.due_at + make_interval(mins => coalesce(t.minutes, $1::int))
    from fulfilment_order_line l
    left join fulfilment_service_time t on t.variant = l.variant
    where l.due_at is not null and l.delivery = 'manual' and ($2::uuid[] is null or l.order_id = any($2::uuid[]))
        and not exists (select from fulfilment_service s where s.line = l.id)
    order by l.due_at, l.id
    on conflict (line) do nothing
    """,
)
"""$1 minutes where the variant says nothing, $2 orders, or null for all."""

CLOSE_SERVICES = Statement(
    "fulfilment.close_services",
    """
    update fulfilment_service s set closed_at = now(), claimed_by = null, claimed_until = null
    from fulfilment_order_line l
    where l.id = s.line and s.closed_at is null and l.due_at is null
    """,
)

SERVICE = Statement(
    "fulfilment.service",
    "select *, clock_timestamp() as now from fulfilment_service where line = $1",
)

CLAIM_SERVICE = Statement(
    "fulfilment.claim_service",
    """
    update fulfilment_service set claimed_by = $2, claimed_until = clock_timestamp() + $3::interval
    where line = $1 and closed_at is null
        and (claimed_by is null or claimed_by = $2 or claimed_until <= clock_timestamp())
    returning *
    """,
)

FREE_SERVICE = Statement(
    "fulfilment.free_service",
    "update fulfilment_service set claimed_by = null, claimed_until = null where line = $1",
)

CLOSE_SERVICE = Statement(
    "fulfilment.close_service",
    """
    update fulfilment_service set closed_at = now(), claimed_by = null, claimed_until = null
    where line = $1 and exists (select from fulfilment_order_line l where l.id = $1 and l.due_at is null)
    """,
)

MOST_URGENT = Statement(
    "fulfilment.most_urgent_services",
    # Served by fulfilment_service_queue.
    """
    select s.line from fulfilment_service s
    join fulfilment_order_line l on l.id = s.line join fulfilment_order o on o.id = l.order_id
    where s.closed_at is null and (s.claimed_by is null or s.claimed_until <= clock_timestamp())
        and l.due_at is not null and l.delivery_state <> 'FAILED'
        and o.state in ('PAID', 'DELIVERING', 'PARTLY_DELIVERED') and not o.held
    order by s.due_by, s.line
    limit 20
    """,
)

TELL_OVERDUE = Statement(
    "fulfilment.tell_overdue_services",
    # Two who look at once share the work; each is told of once.
    """
    with late as (
        update fulfilment_service s set overdue_at = now()
        where s.line = any (array(
            select line from fulfilment_service
            where closed_at is null and overdue_at is null and due_by < now()
            order by due_by limit $1 for no key update skip locked
        ))
        returning s.line, s.due_by
    )
    select late.line, late.due_by, l.sku, l.order_id, o.number, l.due_at is not null as owed
    from late join fulfilment_order_line l on l.id = late.line join fulfilment_order o on o.id = l.order_id
    """,
)

SET_SERVICE_TIME = Statement(
    "fulfilment.set_service_time",
    """
    insert into fulfilment_service_time (variant, minutes) values ($1, $2)
    on conflict (variant) do update set minutes = excluded.minutes
    """,
)

DROP_SERVICE_TIME = Statement(
    "fulfilment.drop_service_time",
    "delete from fulfilment_service_time where variant = $1",
)

SERVICE_TIMES = Statement(
    "fulfilment.service_times",
    "select variant, minutes from fulfilment_service_time where variant = any($1::uuid[])",
)
