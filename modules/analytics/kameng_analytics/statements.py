"""The SQL of the roll-ups. Rows go in by key order, so that two workers never wait for each other in a circle."""

from kameng.db import Statement

ADD_DAYS = Statement(
    "analytics.add_days",
    """
    insert into analytics_day (id, day, currency, orders, units, turnover, cost)
    select * from unnest($1::uuid[], $2::date[], $3::text[], $4::int[], $5::bigint[], $6::bigint[], $7::bigint[])
    on conflict (day, currency) do update set
        orders = analytics_day.orders + excluded.orders,
        units = analytics_day.units + excluded.units,
        turnover = analytics_day.turnover + excluded.turnover,
        cost = analytics_day.cost + excluded.cost
    """,
)

ADD_DAY_VARIANTS = Statement(
    "analytics.add_day_variants",
    """
    insert into analytics_day_variant (id, day, currency, product, variant, sku, orders, units, turnover, cost)
    select * from unnest($1::uuid[], $2::date[], $3::text[], $4::uuid[], $5::uuid[], $6::text[],
                         $7::int[], $8::bigint[], $9::bigint[], $10::bigint[])
    on conflict (day, currency, variant) do update set
        orders = analytics_day_variant.orders + excluded.orders,
        units = analytics_day_variant.units + excluded.units,
        turnover = analytics_day_variant.turnover + excluded.turnover,
        cost = analytics_day_variant.cost + excluded.cost
    """,
)

DAYS = Statement(
    "analytics.days",
    # Served by the unique constraint analytics_day_once.
    """
    select day, orders, units, turnover, cost from analytics_day
    where day between $1 and $2 and currency = $3 order by day
    """,
)

PRODUCTS = Statement(
    "analytics.products",
    # Served by the unique constraint analytics_day_variant_once.
    """
    select product, variant, sku, sum(orders)::int as orders, sum(units)::bigint as units,
           sum(turnover)::bigint as turnover, sum(cost)::bigint as cost
    from analytics_day_variant
    where day between $1 and $2 and currency = $3
    group by product, variant, sku
    order by turnover desc, variant
    limit $4
    """,
)
