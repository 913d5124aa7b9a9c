"""The stock's SQL."""

from kameng.db import Statement

# Locks what is free, first in first out, without waiting for others; nothing is marked yet. Each variant is
# read from a card on, see `low_water`. The days are those of the operator's time zone: a card can be sold on
# its last day.
PICK = Statement(
    "catalog.pick",
    """
    with asked as (
        select variant, sum(quantity)::bigint as total, min(start) as start
        from unnest($1::uuid[], $2::int[], $4::bigint[]) as r (variant, quantity, start) group by variant
    )
    select a.variant, case when v.picking = 'fifo' or v.stock_kind <> 'card' then v.stock_kind else v.picking end,
        free.card
    from asked a join catalog_variant v on v.id = a.variant
    left join lateral (
        select card from catalog_free_card
        where variant = a.variant and card >= a.start and v.stock_kind = 'card' and v.picking = 'fifo'
            and (expires_on is null or expires_on >= (now() at time zone $3)::date)
        order by card
        limit a.total
        for update skip locked
    ) free on true
    order by free.card
    """,
)

# The same for variants whose cards go in the order in which they expire: first those that expire at all, then,
# where they do not suffice, those that never do.
PICK_EXPIRING = Statement(
    "catalog.pick_expiring",
    """
    select a.variant, free.card
    from unnest($1::uuid[], $2::bigint[]) as a (variant, total)
    cross join lateral (
        select card from catalog_free_card
        where variant = a.variant and expires_on >= (now() at time zone $3)::date
        order by expires_on, card
        limit a.total
        for update skip locked
    ) free
    """,
)

PICK_LASTING = Statement(
    "catalog.pick_lasting",
    """
    select a.variant, free.card
    from unnest($1::uuid[], $2::bigint[]) as a (variant, total)
    cross join lateral (
        select card from catalog_free_card
        where variant = a.variant and expires_on is null
        order by card
        limit a.total
        for update skip locked
    ) free
    """,
)

# The answer tells how many cards were free indeed.
HAND_OVER = Statement(
    "catalog.hand_over",
    """
    with taken as (
        delete from catalog_free_card free using unnest($1::bigint[], $2::uuid[]) as sale (card, line)
        where free.card = sale.card
        returning free.card, free.variant, sale.line
    ),
    sold as (
        insert into catalog_sold_card (card, line, sold_at) select card, line, now() from taken
    ),
    moved as (
        insert into catalog_stock_movement (variant, kind, quantity, line, at)
        select variant, 'sale', -count(*)::int, line, now() from taken group by variant, line
    )
    select count(*) from taken
    """,
)

SOLD_CARDS = Statement(
    "catalog.sold_cards",
    """
    select sold.line, sold.sold_at, card.variant, card.number, card.sealed, card.data_key, card.blind_index,
        card.expires_on, exists (select from catalog_bad_card bad where bad.card = sold.card) as retired,
        sold.card as place
    from catalog_sold_card sold join catalog_card card on card.id = sold.card
    where sold.line = any($1::uuid[])
    union all
    select sold.line, sold.sold_at, secret.variant, secret.number, secret.sealed, secret.data_key,
        secret.blind_index, null, exists (select from catalog_bad_card bad where bad.piece = sold.id), sold.id
    from catalog_sold_piece sold join catalog_reusable_secret secret on secret.id = sold.secret
    where sold.line = any($1::uuid[])
    order by sold_at, place
    """,
)

# Served by catalog_sold_card_line, then by keys.
COSTS_OF = Statement(
    "catalog.costs_of",
    """
    select sold.line, batch.cost_currency as currency, coalesce(sum(batch.cost_units), 0)::bigint as units,
        count(*)::int as pieces
    from catalog_sold_card sold join catalog_card card on card.id = sold.card
    join catalog_stock_batch batch on batch.id = card.batch
    where sold.line = any($1::uuid[])
    group by sold.line, batch.cost_currency
    """,
)

# By the line and what names a card there. A secret that a line got twice is bad both times.
RETIRE = Statement(
    "catalog.retire",
    """
    with found as (
        select a.place, sold.card, null::bigint as piece, a.line, a.reason, a.actor
        from unnest($1::uuid[], $2::bytea[], $3::text[], $4::text[]) with ordinality
            as a (line, blind_index, reason, actor, place)
        join catalog_sold_card sold on sold.line = a.line
        join catalog_card card on card.id = sold.card and card.blind_index = a.blind_index
        union all
        select a.place, null, sold.id, a.line, a.reason, a.actor
        from unnest($1::uuid[], $2::bytea[], $3::text[], $4::text[]) with ordinality
            as a (line, blind_index, reason, actor, place)
        join catalog_sold_piece sold on sold.line = a.line
        join catalog_reusable_secret secret on secret.id = sold.secret and secret.blind_index = a.blind_index
    ),
    marked as (
        insert into catalog_bad_card (card, piece, line, reason, actor, at)
        select card, piece, line, reason, actor, now() from found order by card, piece
        on conflict do nothing
    )
    select count(distinct place) from found
    """,
)

# Counts from the newest card on, where no dead entries of sold cards lie, and no further than it has to.
_COUNTED = """
    case v.stock_kind
        when 'unlimited' then $2
        when 'card' then (
            select count(*) from (
                select from catalog_free_card free
                where free.variant = v.id
                    and (free.expires_on is null or free.expires_on >= (now() at time zone $3)::date)
                order by free.card desc
                limit $2
            ) counted
        )
        else coalesce(
            (select least(on_hand, $2) from catalog_stock_counter where variant = v.id), 0
        )
    end
"""

AVAILABLE = Statement(
    "catalog.available",
    f"""
    select v.id as variant, {_COUNTED} as available
    from catalog_variant v where v.id = any($1::uuid[])
    """,
)

MOST_OF_PRODUCTS = Statement(
    "catalog.most_of_products",
    f"""
    select v.product, max({_COUNTED}) as most
    from catalog_variant v where v.product = any($1::uuid[]) and v.status = 'published'
    group by v.product
    """,
)

# Variant by variant, since so the index on what expires finds them among ten million cards.
EXPIRE = Statement(
    "catalog.expire_cards",
    """
    with expired as (
        delete from catalog_free_card where card in (
            select late.card from catalog_variant v cross join lateral (
                select card from catalog_free_card
                where variant = v.id and expires_on < (now() at time zone $1)::date
                limit $2
                for update skip locked
            ) late
            where v.stock_kind = 'card'
            limit $2
        )
        returning variant
    ),
    moved as (
        insert into catalog_stock_movement (variant, kind, quantity, at)
        select variant, 'expiry', -count(*)::int, now() from expired group by variant
    )
    select count(*) from expired
    """,
)
