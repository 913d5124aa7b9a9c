"""The SQL of suppliers.

Locks are taken in one order: the buyer's order, then the order at the supplier, then the account. The worker's claims wait
for nobody.
"""

from kameng.db import Statement

CIRCUIT_FAILURES = 5
"""After so many calls in a row without an answer an account is left alone for a while, and then tried by one call at a time."""

OPEN = "('PREPARED', 'SENT', 'ACCEPTED', 'UNKNOWN')"
"""States in which it is not known yet what becomes of an order at a supplier."""


UNPLANNED = Statement(
    "fulfilment.unplanned_lines",
    # Served by fulfilment_line_supplied, which holds nothing but lines that are owed something by suppliers.
    f"""
    select l.id from fulfilment_order_line l
    join fulfilment_order o on o.id = l.order_id
    left join fulfilment_supplier_plan p on p.line = l.id
    where l.due_at is not null and l.delivery = 'supplier'
        and l.delivery_state in ('PENDING', 'DELIVERING', 'PARTLY_DELIVERED')
        and o.state in ('PAID', 'DELIVERING', 'PARTLY_DELIVERED') and not o.held
        and (p.line is null or p.next_at <= now())
        and not exists (
            select from fulfilment_supplier_order s where s.line = l.id and s.state in {OPEN}
        )
    order by l.due_at, l.id
    limit $1
    """,
)

BEGIN_PLAN = Statement(
    "fulfilment.begin_plan",
    """
    insert into fulfilment_supplier_plan (line, round, began_at, next_at) values ($1, 1, now(), now())
    on conflict (line) do update set line = excluded.line
    returning round, began_at, next_at, now() as now
    """,
)

PLAN_AGAIN = Statement(
    "fulfilment.plan_again",
    "update fulfilment_supplier_plan set next_at = $2 where line = $1",
)

NEXT_ROUND = Statement(
    "fulfilment.next_round",
    """
    insert into fulfilment_supplier_plan (line, round, began_at, next_at) values ($1, 1, now(), now())
    on conflict (line) do update
    set round = fulfilment_supplier_plan.round + 1, began_at = now(), next_at = now()
    """,
)

ORDERS_OF_LINE = Statement(
    "fulfilment.supplier_orders_of_line",
    """
    select id, attempt, round, offer, state, sent_at, settled_at from fulfilment_supplier_order
    where line = $1 order by attempt
    """,
)

PREPARE = Statement(
    "fulfilment.prepare_supplier_order",
    """
    insert into fulfilment_supplier_order
        (id, line, attempt, round, connection, offer, reference, their_sku, quantity, cost, currency, codes, state, sends,
         asks, next_at, attention, note, created_at)
    values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, 'PREPARED', 0, 0, now(), '', '', now())
    """,
)

GIVE_WAY = Statement(
    "fulfilment.supplier_orders_give_way",
    # Never sent, and their account cannot be called now: the line looks for another one.
    """
    update fulfilment_supplier_order s
    set state = 'FAILED', settled_at = now(), note = 'the supplier cannot be called now', attention = ''
    from fulfilment_supplier_connection c
    where c.id = s.connection and s.state = 'PREPARED' and (s.busy_until is null or s.busy_until < now())
        and (c.state = 'disabled' or c.resting_until > now())
    """,
)

CLAIM = Statement(
    "fulfilment.claim_supplier_orders",
    # As many of each account as it may have calls under way; one, while it is being tried again. Whoever claims
    # there at the same moment is passed over.
    f"""
    with open as materialized (
        select c.id, c.state, c.timeout_seconds, case when c.failures >= {CIRCUIT_FAILURES} then 1 else c.concurrency end - (
            select count(*) from fulfilment_supplier_order b where b.connection = c.id and b.busy_until > clock_timestamp()
        ) as free
        from fulfilment_supplier_connection c
        where (c.resting_until is null or c.resting_until <= clock_timestamp())
            and exists (
                select from fulfilment_supplier_order d
                where d.connection = c.id and d.state in {OPEN} and d.next_at <= clock_timestamp()
            )
        for no key update of c skip locked
    ), due as materialized (
        select found.id, open.timeout_seconds from open cross join lateral (
            select s.id, s.next_at from fulfilment_supplier_order s
            where s.connection = open.id and s.state in {OPEN} and s.next_at <= clock_timestamp()
                and (s.busy_until is null or s.busy_until <= clock_timestamp())
                and (s.state <> 'PREPARED' or open.state = 'enabled')
            order by s.next_at limit greatest(open.free, 0)
            for no key update skip locked
        ) as found
        order by found.next_at limit $1
    )
    update fulfilment_supplier_order s
    set busy_until = clock_timestamp() + make_interval(secs => due.timeout_seconds + 30),
        state = case when s.state = 'SENT' then 'UNKNOWN' else s.state end
    from due where s.id = due.id
    returning s.*
    """,
)
"""$1 how many in all. One that was sent by a worker that never came back is unknown from here on."""

SOON = Statement(
    "fulfilment.supplier_orders_soon",
    f"""
    select extract(epoch from min(s.next_at) - clock_timestamp())::float8
    from fulfilment_supplier_order s join fulfilment_supplier_connection c on c.id = s.connection
    where s.state in {OPEN} and s.next_at > clock_timestamp()
        and s.next_at < clock_timestamp() + interval '10 seconds'
        and (c.resting_until is null or c.resting_until <= clock_timestamp())
    """,
)

ORDER_AND_LINE = Statement(
    "fulfilment.line_of_supplier_order",
    """
    select s.line, l.order_id from fulfilment_supplier_order s join fulfilment_order_line l on l.id = s.line
    where s.id = $1
    """,
)

LOCK_SUPPLIER_ORDER = Statement(
    "fulfilment.lock_supplier_order",
    "select *, clock_timestamp() as now from fulfilment_supplier_order where id = $1 for no key update",
)

MARK_SENT = Statement(
    "fulfilment.mark_sent",
    """
    update fulfilment_supplier_order set state = 'SENT', sent_at = clock_timestamp(), sends = sends + 1
    where id = $1 and state = 'PREPARED'
    returning *
    """,
)

WRITE = Statement(
    "fulfilment.write_supplier_order",
    """
    update fulfilment_supplier_order
    set state = $2::text, next_at = $3, attention = $4, note = $5,
        their_reference = coalesce(nullif($6, ''), their_reference),
        charged_minor = coalesce($7, charged_minor),
        asks = $8,
        sealed = $9, data_key = $10,
        busy_until = case when $11 then null else busy_until end,
        settled_at = case when $2::text in ('DELIVERED', 'REJECTED', 'FAILED') then coalesce(settled_at, now()) end
    where id = $1
    """,
)

LOG = Statement(
    "fulfilment.log_supplier_attempt",
    """
    insert into fulfilment_supplier_attempt (id, supplier_order, at, kind, outcome, milliseconds, note, actor)
    values ($1, $2, clock_timestamp(), $3, $4, $5, $6, $7)
    """,
)

FIND_REFERENCE = Statement(
    "fulfilment.find_supplier_reference",
    "select id from fulfilment_supplier_order where reference = $1 and connection = $2",
)

TAKES_LONG = Statement(
    "fulfilment.supplier_orders_take_long",
    """
    update fulfilment_supplier_order s
    set attention = case s.state when 'ACCEPTED' then 'SLOW' else 'UNKNOWN' end
    where s.id = any (array(
        select id from fulfilment_supplier_order
        where state in ('SENT', 'ACCEPTED', 'UNKNOWN') and attention = '' and created_at < now() - $1::interval
        order by created_at limit 200 for no key update skip locked
    ))
    returning s.id, s.line, s.attention
    """,
)

TOLD_OF = Statement(
    "fulfilment.supplier_orders_told_of",
    """
    select s.id, s.attention, s.line, l.sku, o.id as order_id, o.number, c.name as supplier
    from fulfilment_supplier_order s
    join fulfilment_order_line l on l.id = s.line
    join fulfilment_order o on o.id = l.order_id
    join fulfilment_supplier_connection c on c.id = s.connection
    where s.id = any($1::uuid[])
    """,
)

SUPPLIED = Statement(
    "fulfilment.orders_with_suppliers",
    """
    select exists (
        select from fulfilment_order_line
        where order_id = any($1::uuid[]) and delivery = 'supplier' and due_at is not null
    )
    """,
)

ASK_NOW = Statement(
    "fulfilment.ask_supplier_now",
    """
    update fulfilment_supplier_order set next_at = now()
    where id = $1 and state in ('SENT', 'ACCEPTED', 'UNKNOWN')
    """,
)
"""Its lease stays: whoever is at it is let finish."""

SET_ATTENTION = Statement(
    "fulfilment.set_supplier_attention",
    "update fulfilment_supplier_order set attention = $2 where id = $1",
)

TAKE_KEPT = Statement(
    "fulfilment.take_kept_texts",
    "update fulfilment_supplier_order set sealed = null, data_key = null, attention = '' where id = $1",
)
