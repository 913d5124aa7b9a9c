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

ADD_QUARTERS = Statement(
    "analytics.add_quarters",
    """
    insert into analytics_quarter (id, day, quarter, currency, orders, units, turnover, cost)
    select * from unnest($1::uuid[], $2::date[], $3::smallint[], $4::text[],
                         $5::int[], $6::bigint[], $7::bigint[], $8::bigint[])
    on conflict (day, currency, quarter) do update set
        orders = analytics_quarter.orders + excluded.orders,
        units = analytics_quarter.units + excluded.units,
        turnover = analytics_quarter.turnover + excluded.turnover,
        cost = analytics_quarter.cost + excluded.cost
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

HOURS = Statement(
    "analytics.hours",
    # Served by the unique constraint analytics_quarter_once; at most 168 rows come out.
    """
    select extract(isodow from day)::int as weekday, quarter / 4 as hour, sum(orders)::bigint as orders,
           sum(units)::bigint as units, sum(turnover)::bigint as turnover, sum(cost)::bigint as cost
    from analytics_quarter
    where day between $1 and $2 and currency = $3
    group by 1, 2
    """,
)

BEFORE_QUARTER = Statement(
    "analytics.before_quarter",
    # Served by the unique constraint analytics_quarter_once.
    """
    select coalesce(sum(orders), 0)::bigint as orders, coalesce(sum(units), 0)::bigint as units,
           coalesce(sum(turnover), 0)::bigint as turnover, coalesce(sum(cost), 0)::bigint as cost
    from analytics_quarter
    where day = $1 and currency = $2 and quarter < $3
    """,
)
