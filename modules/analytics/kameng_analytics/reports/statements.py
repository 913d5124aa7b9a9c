"""The SQL of reports. Figures are always written in the order of their keys, so that nobody waits for anybody in a circle."""

from kameng.db import Statement

BOOKING_LOCK = 0x616E6C7963726570
"""The advisory lock of booking: whoever books shares it, whoever closes a day or makes figures anew has it alone."""

SHARE_BOOKING = Statement("analytics.share_booking", f"select pg_advisory_xact_lock_shared({BOOKING_LOCK})")

STOP_BOOKING = Statement("analytics.stop_booking", f"select pg_advisory_xact_lock({BOOKING_LOCK})")

TAKE_TURNS = Statement(
    "analytics.take_turns",
    # One after the other for each order, always in one order, until the transaction ends: who comes later sees more.
    """
    select pg_advisory_xact_lock(hashtextextended('analytics.order:' || id, 0))
    from (select id from unnest($1::uuid[]) as o (id) order by id) as o
    """,
)

_SUMS = """
    count(distinct f.order_id) filter (where f.kind = 'sale') as orders,
    coalesce(sum(f.pieces) filter (where f.kind = 'sale'), 0)::bigint as pieces,
    coalesce(sum(f.amount) filter (where f.kind in ('sale', 'correction')), 0)::bigint as turnover,
    coalesce(sum(f.pieces) filter (where f.kind = 'refund'), 0)::bigint as refunded_pieces,
    coalesce(sum(f.amount) filter (where f.kind = 'refund'), 0)::bigint as refunds,
    coalesce(sum(f.amount) filter (where f.kind = 'cost'), 0)::bigint as cost,
    coalesce(sum(f.amount) filter (where f.kind = 'fee'), 0)::bigint as fees,
    count(*) filter (where f.day <> f.own_day) as late
"""

_DIMENSIONS = """
    cross join lateral (values
        ('all', ''), ('product', coalesce(f.product::text, '')), ('category', coalesce(f.category::text, '')),
        ('gateway', f.gateway), ('level', f.level), ('site', f.site)
    ) as d (dimension, value)
"""

_FIGURE_COLUMNS = (
    "day, currency, dimension, value, orders, pieces, turnover, refunded_pieces, refunds, cost, fees, late"
)

BOOK = Statement(
    "analytics.book",
    # What is known already counts nothing; the sums take in what was added.
    f"""
    with added as (
        insert into analytics_fact (id, key, kind, day, own_day, at, currency, order_id, number, line, product, category,
                                    gateway, level, site, transaction, pieces, amount)
        select * from unnest(
            $1::uuid[], $2::text[], $3::text[], $4::date[], $5::date[], $6::timestamptz[], $7::text[], $8::uuid[], $9::text[],
            $10::uuid[], $11::uuid[], $12::uuid[], $13::text[], $14::text[], $15::text[], $16::uuid[], $17::int[],
            $18::bigint[]
        )
        on conflict (key) do nothing
        returning *
    )
    insert into analytics_figure ({_FIGURE_COLUMNS})
    select f.day, f.currency, d.dimension, d.value, {_SUMS}
    from added f {_DIMENSIONS}
    group by 1, 2, 3, 4
    order by 1, 2, 3, 4
    on conflict (day, currency, dimension, value) do update set
        orders = analytics_figure.orders + excluded.orders,
        pieces = analytics_figure.pieces + excluded.pieces,
        turnover = analytics_figure.turnover + excluded.turnover,
        refunded_pieces = analytics_figure.refunded_pieces + excluded.refunded_pieces,
        refunds = analytics_figure.refunds + excluded.refunds,
        cost = analytics_figure.cost + excluded.cost,
        fees = analytics_figure.fees + excluded.fees,
        late = analytics_figure.late + excluded.late
    """,
)

KNOWN_LINES = Statement(
    "analytics.known_lines",
    # Where a line was sold, and what of its cost is booked, by currency; served by analytics_fact_line.
    """
    select line, currency, min(category::text)::uuid as category, min(gateway) filter (where kind = 'sale') as gateway,
           min(level) filter (where kind = 'sale') as level,
           coalesce(sum(amount) filter (where kind = 'cost'), 0)::bigint as cost,
           coalesce(sum(pieces) filter (where kind = 'cost'), 0)::int as pieces,
           count(*) filter (where kind = 'cost')::int as costed
    from analytics_fact where line = any($1::uuid[]) group by line, currency
    """,
)

KNOWN_KEYS = Statement(
    "analytics.known_transactions",
    "select distinct transaction from analytics_fact where transaction = any($1::uuid[])",
)

FACTS_OF = Statement(
    "analytics.facts_of",
    "select * from analytics_fact where transaction = any($1::uuid[]) and kind in ('sale', 'refund') order by key",
)

CLOSED_DAYS = Statement(
    "analytics.closed_days", "select day from analytics_closed_day where day = any($1::date[])"
)

CLOSED_OF = Statement(
    "analytics.closed_days_of", "select * from analytics_closed_day where day = any($1::date[])"
)

OPEN_DAYS = Statement(
    "analytics.open_days",
    # Days with facts or with figures, so that figures without a fact go away too.
    """
    select day from (select day from analytics_figure union select day from analytics_fact) as d
    where ($1::date is null or day >= $1) and ($2::date is null or day <= $2)
        and not exists (select from analytics_closed_day c where c.day = d.day)
    order by day
    """,
)

DROP_FIGURES = Statement("analytics.drop_figures", "delete from analytics_figure where day = $1")

SUM_FIGURES = Statement(
    "analytics.sum_figures",
    f"""
    insert into analytics_figure ({_FIGURE_COLUMNS})
    select f.day, f.currency, d.dimension, d.value, {_SUMS}
    from analytics_fact f {_DIMENSIONS}
    where f.day = $1
    group by 1, 2, 3, 4
    order by 1, 2, 3, 4
    """,
)

UNLIKE_FIGURES = Statement(
    "analytics.unlike_figures",
    # Figures that are not the sum of their facts, or facts without figures.
    f"""
    with summed as (
        select f.day, f.currency, d.dimension, d.value, {_SUMS}
        from analytics_fact f {_DIMENSIONS}
        where f.day = any($1::date[])
        group by 1, 2, 3, 4
    ), kept as (
        select {_FIGURE_COLUMNS} from analytics_figure where day = any($1::date[])
    )
    select day, count(*) from ((table summed except all table kept) union all (table kept except all table summed)) as unlike
    group by day order by day
    """,
)

BOOKED_IN = Statement(
    "analytics.booked_in",
    # By the moment in which it happened, whenever it was booked; served by analytics_fact_at alone.
    """
    select span.place::int as place, f.currency,
           coalesce(sum(f.amount) filter (where f.kind in ('sale', 'correction')), 0)::bigint as sales,
           coalesce(sum(f.amount) filter (where f.kind = 'refund'), 0)::bigint as given_back,
           coalesce(sum(f.amount) filter (where f.kind = 'fee'), 0)::bigint as fees
    from unnest($1::timestamptz[], $2::timestamptz[]) with ordinality as span(since, until, place)
    join analytics_fact f on f.at >= span.since and f.at < span.until and f.kind <> 'cost'
    group by span.place, f.currency
    """,
)

CLOSE_DAY = Statement(
    "analytics.close_day",
    "insert into analytics_closed_day (day, time_zone, closed_at, closed_by) values ($1, $2, now(), $3)",
)

FIND_CLOSED = Statement("analytics.find_closed", "select * from analytics_closed_day where day = $1")
