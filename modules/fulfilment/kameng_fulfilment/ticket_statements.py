"""The SQL of tickets about cards. What changes one runs while the row of its order is locked."""

from kameng.db import Statement

TICKETS_OF_CARD = Statement(
    "fulfilment.tickets_of_card",
    "select state from fulfilment_ticket where card = $1",
)


ADD_TICKET = Statement(
    "fulfilment.add_ticket",
    """
    insert into fulfilment_ticket
        (id, order_id, line, card, member, state, sealed_evidence, data_key, answer, opened_at, closed_by)
    values ($1, $2, $3, $4, $5, 'OPEN', $6, $7, '', now(), '')
    returning *
    """,
)


TICKETS_BY_ID = Statement(
    "fulfilment.tickets_by_id",
    "select * from fulfilment_ticket where id = any($1::uuid[])",
)


TICKETS_OF_ORDERS = Statement(
    "fulfilment.tickets_of_orders",
    "select * from fulfilment_ticket where order_id = any($1::uuid[]) order by order_id, id",
)


TICKET_BY_ID = Statement(
    "fulfilment.ticket_by_id",
    "select * from fulfilment_ticket where id = $1",
)


CLOSE_TICKET = Statement(
    "fulfilment.close_ticket",
    """
    update fulfilment_ticket set state = $2, answer = $3, closed_by = $4, closed_at = now()
    where id = $1 and state = 'OPEN'
    returning *
    """,
)


COMPLAINTS = Statement(
    "fulfilment.complaints",
    # What a buyer complained about lately, taken-back complaints aside, and how many pieces he was delivered: of his last
    # thousand orders, which is enough to tell a share, and as fast for an agent with a million.
    """
    select
        (select count(*) from fulfilment_ticket
         where member = $1 and opened_at > now() - $2::interval and state <> 'WITHDRAWN') as tickets,
        (select coalesce(sum(l.delivered_quantity), 0)::bigint
         from (select id, created_at from fulfilment_order where member = $1 order by id desc limit 1000) o
         join fulfilment_order_line l on l.order_id = o.id
         where o.created_at > now() - $2::interval) as cards
    """,
)
