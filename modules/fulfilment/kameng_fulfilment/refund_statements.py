"""The SQL of refunds. All of it runs while the row of the order is locked."""

from kameng.db import Statement

FIND_REFUND = Statement(
    "fulfilment.find_refund",
    "select id, fingerprint, amount_minor from fulfilment_refund where order_id = $1 and key = $2",
)


LINES_REFUNDED = Statement(
    "fulfilment.lines_refunded",
    """
    update fulfilment_order_line l
    set refunded_quantity = l.refunded_quantity + r.quantity,
        withdrawn_quantity = l.withdrawn_quantity + r.withdrawn,
        refunded_minor = l.refunded_minor + r.amount,
        delivery_state = r.state,
        failed_at = case when r.state = 'FAILED' then l.failed_at end,
        due_at = case when l.delivered_quantity + l.withdrawn_quantity + r.withdrawn < l.quantity then l.due_at end
    from unnest($1::uuid[], $2::int[], $3::int[], $4::bigint[], $5::text[]) as r (line, quantity, withdrawn, amount, state)
    where l.id = r.line
    """,
)


COUNT_REFUNDED = Statement(
    "fulfilment.count_refunded",
    "update fulfilment_order set refunded_minor = refunded_minor + $2 where id = $1 returning *",
)


ADD_REFUND = Statement(
    "fulfilment.add_refund",
    """
    insert into fulfilment_refund
        (id, order_id, key, fingerprint, amount_minor, lines, transaction, reason, actor, at)
    values ($1, $2, $3, $4, $5, $6, $7, $8, $9, now())
    """,
)
