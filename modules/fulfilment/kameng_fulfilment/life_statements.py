"""The SQL of what becomes of orders after they were placed. What changes an order runs while its row is locked."""

from kameng.db import Statement

LOCK_ORDERS = Statement(
    "fulfilment.lock_orders",
    "select * from fulfilment_order where id = any($1::uuid[]) order by id for no key update",
)

MOVE_ORDERS = Statement(
    "fulfilment.move_orders",
    """
    update fulfilment_order
    set state = $2::text,
        paid_at = case when $2::text = 'PAID' and paid_at is null then now() else paid_at end,
        completed_at = case when $2::text = 'COMPLETED' then now() else completed_at end
    where id = any($1::uuid[])
    returning *
    """,
)

ADD_HISTORY = Statement(
    "fulfilment.add_history",
    """
    insert into fulfilment_order_history (id, order_id, at, from_state, to_state, actor, note, kind, line, amount_minor)
    select id, order_id, now(), from_state, $4, actor, note, $7, $8, $9
    from unnest($1::uuid[], $2::uuid[], $3::text[], $5::text[], $6::text[])
        as h (id, order_id, from_state, actor, note)
    """,
)

OF_ONE_LINE = Statement(
    "fulfilment.of_one_line",
    "select order_id from fulfilment_order_line where id = $1",
)

MARK_DUE = Statement(
    "fulfilment.mark_due",
    """
    update fulfilment_order_line set due_at = now()
    where order_id = $1 and due_at is null and delivered_quantity + withdrawn_quantity < quantity
    """,
)

COUNT_DELIVERED = Statement(
    "fulfilment.count_delivered",
    """
    update fulfilment_order_line l
    set delivered_quantity = l.delivered_quantity + d.quantity,
        delivery_state = case when l.delivered_quantity + l.withdrawn_quantity + d.quantity = l.quantity
                              then 'DELIVERED' else 'PARTLY_DELIVERED' end,
        due_at = case when l.delivered_quantity + l.withdrawn_quantity + d.quantity = l.quantity then null else l.due_at end,
        failure = '', failed_at = null
    from unnest($1::uuid[], $2::int[]) as d (line, quantity)
    where l.id = d.line
    """,
)

NOTE_DELIVERIES = Statement(
    "fulfilment.note_deliveries",
    """
    insert into fulfilment_order_history (id, order_id, at, from_state, to_state, actor, note, kind, line)
    select h.id, h.order_id, now(), o.state, o.state, $4, h.note, 'delivery', h.line
    from unnest($1::uuid[], $2::uuid[], $3::uuid[], $5::text[]) as h (id, order_id, line, note)
    join fulfilment_order o on o.id = h.order_id
    """,
)

START_LINE = Statement(
    "fulfilment.start_line",
    """
    update fulfilment_order_line set delivery_state = 'DELIVERING', failure = '', failed_at = null
    where id = $1
    """,
)

FAIL_LINE = Statement(
    "fulfilment.fail_line",
    """
    with failed as (
        update fulfilment_order_line set delivery_state = 'FAILED', failure = $2, failed_at = now() where id = $1
    )
    insert into fulfilment_order_history (id, order_id, at, from_state, to_state, actor, note, kind, line)
    values ($3, $4, now(), $5, $5, $6, $2, 'failure', $1)
    """,
)

ADD_TEXTS = Statement(
    "fulfilment.add_texts",
    """
    insert into fulfilment_delivered_text (id, line, sealed, data_key, actor, at)
    select id, $2, sealed, $4, $5, now() from unnest($1::uuid[], $3::bytea[]) as t (id, sealed)
    """,
)

TEXTS_OF_LINES = Statement(
    "fulfilment.texts_of_lines",
    "select * from fulfilment_delivered_text where line = any($1::uuid[]) order by id",
)

WAITING_VARIANTS = Statement(
    "fulfilment.waiting_variants",
    # Served by fulfilment_line_waiting, which holds nothing but lines that are owed something from stock.
    """
    select distinct variant from fulfilment_order_line
    where due_at is not null and delivery = 'instant' and delivery_state in ('PENDING', 'PARTLY_DELIVERED')
    """,
)

OWED_FROM_STOCK = Statement(
    "fulfilment.owed_from_stock",
    # The oldest first. Who delivers them at the same moment, or changes one of them, is not waited for.
    """
    select o.* from fulfilment_order_line l join fulfilment_order o on o.id = l.order_id
    where l.variant = $1 and l.due_at is not null and l.delivery = 'instant'
        and l.delivery_state in ('PENDING', 'PARTLY_DELIVERED')
        and o.state in ('PAID', 'DELIVERING', 'PARTLY_DELIVERED') and not o.held
    order by l.order_id
    limit $2
    for no key update of o skip locked
    """,
)

FIND_PAYMENT = Statement(
    "fulfilment.find_payment",
    "select * from fulfilment_payment where source = $1 and reference = $2",
)

ADD_PAYMENT = Statement(
    "fulfilment.add_payment",
    """
    insert into fulfilment_payment
        (id, order_id, source, reference, amount_minor, currency, outcome, transaction, actor, at)
    values ($1, $2, $3, $4, $5, $6, $7, $8, $9, now())
    """,
)

COUNT_RECEIVED = Statement(
    "fulfilment.count_received",
    "update fulfilment_order set received_minor = $2 where id = $1",
)

MARK_CHARGED = Statement(
    "fulfilment.mark_charged",
    "update fulfilment_order set charge = $2 where id = $1",
)

OVERDUE = Statement(
    "fulfilment.overdue",
    # Those that somebody pays or cancels at this moment are his; two who sweep at once share the work.
    """
    select id from fulfilment_order
    where state = 'PENDING_PAYMENT' and reserved_until < now()
    order by reserved_until, id
    limit $1
    for no key update skip locked
    """,
)

LINES_OF = Statement(
    "fulfilment.line_keys",
    "select id from fulfilment_order_line where order_id = any($1::uuid[]) order by id",
)

WRITE_DEFERRED = Statement(
    "fulfilment.write_deferred",
    # As WRITE_ORDERS, for orders that are not paid and delivered in the moment in which they are placed.
    """
    with orders as (
        insert into fulfilment_order
            (id, number, member, idempotency_key, fingerprint, currency, total_minor, charge, state, payment,
             reserved_until, buyer_kind, created_at, paid_at)
        select o.*, now(), case when o.state <> 'PENDING_PAYMENT' then now() end
        from unnest($1::uuid[], $2::text[], $3::uuid[], $4::text[], $5::bytea[], $6::text[], $7::bigint[], $8::uuid[],
                    $9::text[], $10::text[], $11::timestamptz[], $27::text[])
            as o (id, number, member, idempotency_key, fingerprint, currency, total_minor, charge, state, payment,
                  reserved_until, buyer_kind)
        returning id, member, state, buyer_kind
    ), history as (
        insert into fulfilment_order_history (id, order_id, at, from_state, to_state, actor, note)
        select h.id, o.id, now(), case when o.state <> 'PENDING_PAYMENT' then 'PENDING_PAYMENT' end, o.state,
               o.buyer_kind || ':' || o.member,
               case when o.state = 'PENDING_PAYMENT' then 'waits for its payment' else 'paid from the wallet' end
        from orders o
        join unnest($12::uuid[], $1::uuid[]) as h (id, order_id) on h.order_id = o.id
    )
    insert into fulfilment_order_line
        (id, order_id, position, variant, product, sku, titles, quantity, unit_price, unit_cost, total_minor,
         answers, delivery, delivered_quantity, delivery_state, due_at)
    select l.*, case when l.delivered > 0 then 'DELIVERED' else 'PENDING' end,
           case when l.delivered = 0 and o.state <> 'PENDING_PAYMENT' then now() end
    from unnest($13::uuid[], $14::uuid[], $15::smallint[], $16::uuid[], $17::uuid[], $18::text[], $19::jsonb[],
                $20::integer[], $21::bigint[], $22::bigint[], $23::bigint[], $24::jsonb[], $25::text[], $26::integer[])
        as l (id, order_id, position, variant, product, sku, titles, quantity, unit_price, unit_cost, total_minor,
              answers, delivery, delivered)
    join orders o on o.id = l.order_id
    """,
)

TAKE_TURNS = Statement(
    "fulfilment.take_turns",
    # One after the other for each buyer, always in one order, until the transaction ends.
    """
    select pg_advisory_xact_lock(hashtextextended('fulfilment.unpaid:' || buyer, 0))
    from (select buyer from unnest($1::uuid[]) as b (buyer) order by buyer) as b
    """,
)

COUNT_UNPAID = Statement(
    "fulfilment.count_unpaid",
    """
    select member, count(*) as unpaid from fulfilment_order
    where member = any($1::uuid[]) and state = 'PENDING_PAYMENT' and reserved_until > now()
    group by member
    """,
)

HOLD = Statement(
    "fulfilment.hold",
    "update fulfilment_order set held = $2 where id = $1 returning *",
)


FAILED_LINES = Statement(
    "fulfilment.failed_lines",
    """
    select l.id, l.order_id, l.failed_at from fulfilment_order_line l
    where l.delivery_state = 'FAILED' and l.failed_at < now() - $1::interval
    order by l.failed_at, l.id
    limit $2
    """,
)


HISTORY_OF_ORDERS = Statement(
    "fulfilment.history_of_orders",
    # Served by fulfilment_history_by_order.
    """
    select h.* from unnest($1::uuid[]) as o (id)
    cross join lateral (
        select * from fulfilment_order_history where order_id = o.id order by id desc limit $2
    ) h
    order by h.order_id, h.id
    """,
)
