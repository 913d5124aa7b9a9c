"""The SQL of the order path. Each statement serves a whole batch; ``python -m benchmarks orders`` watches them."""

from kameng.db import Statement

FIND_REPEATED = Statement(
    "fulfilment.find_repeated",
    # Served by the unique constraint fulfilment_order_once.
    """
    select o.id, o.member, o.idempotency_key, o.fingerprint
    from unnest($1::uuid[], $2::text[]) as asked (member, idempotency_key)
    join fulfilment_order o using (member, idempotency_key)
    """,
)

WRITE_ORDERS = Statement(
    "fulfilment.write_orders",
    # Orders, their lines and their first history rows go in together; a repeated key violates fulfilment_order_once and
    # takes the whole batch back, whose members are then tried one by one.
    """
    with orders as (
        insert into fulfilment_order
            (id, number, member, idempotency_key, fingerprint, state, currency, total_minor, charge,
             created_at, paid_at, completed_at)
        select id, number, member, idempotency_key, fingerprint, 'COMPLETED', currency, total_minor, charge,
               now(), now(), now()
        from unnest($1::uuid[], $2::text[], $3::uuid[], $4::text[], $5::bytea[], $6::text[], $7::bigint[], $8::uuid[])
            as o (id, number, member, idempotency_key, fingerprint, currency, total_minor, charge)
        returning id, member
    ), history as (
        insert into fulfilment_order_history (id, order_id, at, from_state, to_state, actor, note)
        select h.id, o.id, now(), 'PENDING_PAYMENT', 'COMPLETED', 'member:' || o.member, 'paid from the wallet'
        from orders o
        join unnest($9::uuid[], $1::uuid[]) as h (id, order_id) on h.order_id = o.id
    )
    insert into fulfilment_order_line
        (id, order_id, position, variant, product, sku, titles, quantity, unit_price, unit_cost, total_minor,
         answers, delivery_state, delivered_quantity)
    select l.*, 'DELIVERED', l.quantity
    from unnest($10::uuid[], $11::uuid[], $12::smallint[], $13::uuid[], $14::uuid[], $15::text[], $16::jsonb[],
                $17::integer[], $18::bigint[], $19::bigint[], $20::bigint[], $21::jsonb[])
        as l (id, order_id, position, variant, product, sku, titles, quantity, unit_price, unit_cost, total_minor, answers)
    """,
)

ORDERS_BY_ID = Statement(
    "fulfilment.orders_by_id",
    "select * from fulfilment_order where id = any($1::uuid[])",
)

ORDER_BY_NUMBER = Statement(
    "fulfilment.order_by_number",
    "select * from fulfilment_order where number = $1",
)

LINES_OF_ORDERS = Statement(
    "fulfilment.lines_of_orders",
    # Served by the unique constraint fulfilment_line_position.
    "select * from fulfilment_order_line where order_id = any($1::uuid[]) order by order_id, position",
)
