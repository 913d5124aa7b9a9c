"""The SQL of flash sales. ``python -m benchmarks orders`` watches it."""

from kameng.db import Statement

KNOWN_SALES = Statement(
    "fulfilment.known_flash_sales",
    # Few rows: sales to come and those that run.
    """
    select id, variant, holds_from, opens_at, closes_at, quantity, per_buyer, sold
    from fulfilment_flash_sale
    where ended_at is null and closes_at > now()
    order by holds_from, id
    """,
)

LOCK_SALES = Statement(
    "fulfilment.lock_flash_sales",
    # Served by fulfilment_flash_sale_running. A variant has one sale at a time at most.
    """
    select id, variant, opens_at, quantity, per_buyer, sold, now() as at
    from fulfilment_flash_sale
    where variant = any($1::uuid[]) and ended_at is null and holds_from <= now() and closes_at > now()
    order by id
    for no key update
    """,
)

TAKEN_BY_BUYERS = Statement(
    "fulfilment.flash_taken_by_buyers",
    # Served by fulfilment_flash_purchase_buyer.
    """
    select p.sale, p.buyer, sum(p.quantity)::int as quantity
    from fulfilment_flash_purchase p
    where p.sale = any($1::uuid[]) and p.buyer = any($2::uuid[])
    group by p.sale, p.buyer
    """,
)

BOOK_PURCHASES = Statement(
    "fulfilment.book_flash_purchases",
    """
    with booked as (
        insert into fulfilment_flash_purchase (line, sale, buyer, quantity)
        select * from unnest($1::uuid[], $2::uuid[], $3::uuid[], $4::int[])
        returning sale, quantity
    )
    update fulfilment_flash_sale s set sold = s.sold + taken.quantity
    from (select sale, sum(quantity)::int as quantity from booked group by sale) taken
    where s.id = taken.sale
    """,
)

GIVE_BACK = Statement(
    "fulfilment.give_flash_pieces_back",
    """
    with gone as (
        delete from fulfilment_flash_purchase where line = any($1::uuid[]) returning sale, quantity
    ),
    locked as (
        select id from fulfilment_flash_sale where id in (select sale from gone) order by id for no key update
    )
    update fulfilment_flash_sale s set sold = s.sold - back.quantity
    from (select sale, sum(quantity)::int as quantity from gone group by sale) back, locked
    where s.id = back.sale and locked.id = s.id
    """,
)

CREATE_SALE = Statement(
    "fulfilment.create_flash_sale",
    """
    insert into fulfilment_flash_sale
        (id, variant, holds_from, opens_at, closes_at, quantity, per_buyer, sold, created_by, created_at)
    select $1::uuid, $2::uuid, greatest(now(), least($3::timestamptz, $4::timestamptz)), $4::timestamptz,
        $5::timestamptz, $6::int, $7::int, 0, $8::text, now()
    where $4::timestamptz >= now() + make_interval(secs => $9::int) and not exists (
        select from fulfilment_flash_sale
        where variant = $2::uuid and ended_at is null and holds_from < $5::timestamptz and closes_at > least($3, $4)
    )
    returning id
    """,
)

ONE_AT_A_TIME = Statement(
    "fulfilment.flash_sales_one_at_a_time",
    # Whoever plans a sale of a variant waits for others who do, so that both look at the same sales.
    "select pg_advisory_xact_lock(hashtextextended('fulfilment.flash_sale:' || $1::uuid, 0))",
)

END_SALE = Statement(
    "fulfilment.end_flash_sale",
    """
    update fulfilment_flash_sale set ended_at = now()
    where id = $1::uuid and ended_at is null and closes_at > now()
    returning *
    """,
)

SALES_BY_ID = Statement(
    "fulfilment.flash_sales_by_id", "select * from fulfilment_flash_sale where id = any($1::uuid[])"
)
