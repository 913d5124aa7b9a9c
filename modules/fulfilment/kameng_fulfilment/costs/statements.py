"""The SQL of what lines cost."""

from kameng.db import Statement

LINES_TO_COST = Statement(
    "fulfilment.lines_to_cost",
    # What the order path wrote down when the line was sold.
    """
    select l.id, l.delivered_quantity, l.unit_cost, o.currency
    from fulfilment_order_line l join fulfilment_order o on o.id = l.order_id
    where l.id = any($1::uuid[])
    """,
)

TAKE_COST_TURNS = Statement(
    "fulfilment.take_cost_turns",
    # One after the other for each line, always in one order, until the transaction ends: who comes later sees more. The rows of
    # the lines themselves are left alone.
    """
    select pg_advisory_xact_lock(hashtextextended('fulfilment.cost:' || line, 0))
    from (select line from unnest($1::uuid[]) as l (line) order by line) as l
    """,
)

KEEP_COSTS = Statement(
    "fulfilment.keep_costs",
    """
    insert into fulfilment_line_cost (id, line, source, currency, pieces, units, at)
    select c.*, now() from unnest($1::uuid[], $2::uuid[], $3::text[], $4::text[], $5::int[], $6::bigint[])
        as c (id, line, source, currency, pieces, units)
    order by c.line, c.source, c.currency
    on conflict (line, source, currency) do update
    set pieces = excluded.pieces, units = excluded.units, at = excluded.at
    where (excluded.pieces, excluded.units) <> (fulfilment_line_cost.pieces, fulfilment_line_cost.units)
    """,
)

DROP_OTHER_COSTS = Statement(
    "fulfilment.drop_other_costs",
    # A batch may have been told its cost between two deliveries, so that pieces are known in another way than before.
    """
    delete from fulfilment_line_cost c
    where c.line = any($1::uuid[]) and not exists (
        select from unnest($2::uuid[], $3::text[], $4::text[]) as k (line, source, currency)
        where (k.line, k.source, k.currency) = (c.line, c.source, c.currency)
    )
    """,
)

COSTS_OF_LINES = Statement(
    "fulfilment.costs_of_lines",
    # Served by the unique constraint fulfilment_line_cost_once.
    "select * from fulfilment_line_cost where line = any($1::uuid[]) order by line, source, currency",
)
