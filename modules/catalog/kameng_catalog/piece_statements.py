"""The SQL of stock that is no cards, and of reservations.

Rows are always locked in this order: reservations by line, batches, cards by number, counters by variant.
"""

from kameng.db import Statement

# Waits for whoever has them: they may have come only to look, and a counter that is passed over would look empty.
LOCK_COUNTERS = Statement(
    "catalog.lock_counters",
    """
    select variant, on_hand from catalog_stock_counter where variant = any($1::uuid[])
    order by variant
    for no key update
    """,
)

# What suppliers said last is no promise, so there is nothing to lock.
MIRRORED = Statement(
    "catalog.mirrored_stock",
    "select variant, on_hand from catalog_stock_counter where variant = any($1::uuid[])",
)

# The counters are locked by the pick. The answer tells how many of them there were indeed.
HAND_OVER_PIECES = Statement(
    "catalog.hand_over_pieces",
    """
    with sold as (
        insert into catalog_sold_piece (line, variant, kind, quantity, secret, sold_at)
        select s.line, s.variant, s.kind, s.quantity, case s.kind when 'reusable' then c.secret end, now()
        from unnest($1::uuid[], $2::uuid[], $3::text[], $4::int[]) as s (line, variant, kind, quantity)
        left join catalog_stock_counter c on c.variant = s.variant
        returning line, variant, kind, quantity
    ),
    moved as (
        insert into catalog_stock_movement (variant, kind, quantity, line, at)
        select variant, 'sale', -quantity, line, now() from sold
    ),
    counted as (
        update catalog_stock_counter c set on_hand = c.on_hand - s.quantity, updated_at = now()
        from (
            select variant, sum(quantity)::int as quantity from sold where kind in ('quota', 'reusable')
            group by variant
        ) s
        where c.variant = s.variant
        returning c.variant
    )
    select count(*) from counted
    """,
)

# Cards and lines; and of each sale its line, variant, kind and quantity.
RESERVE = Statement(
    "catalog.reserve",
    """
    with taken as (
        delete from catalog_free_card free using unnest($1::bigint[], $2::uuid[]) as sale (card, line)
        where free.card = sale.card
        returning free.card, free.variant, free.expires_on, sale.line
    ),
    kept as (
        insert into catalog_reserved_card (card, line, variant, expires_on)
        select card, line, variant, expires_on from taken
    ),
    noted as (
        insert into catalog_reservation (line, variant, kind, quantity, until, created_at)
        select line, variant, kind, quantity, $7, now()
        from unnest($3::uuid[], $4::uuid[], $5::text[], $6::int[]) as s (line, variant, kind, quantity)
        returning line, variant, kind, quantity
    ),
    moved as (
        insert into catalog_stock_movement (variant, kind, quantity, line, at)
        select variant, 'reserve', -quantity, line, now() from noted
    ),
    counted as (
        update catalog_stock_counter c set on_hand = c.on_hand - n.quantity, updated_at = now()
        from (
            select variant, sum(quantity)::int as quantity from noted where kind in ('quota', 'reusable')
            group by variant
        ) n
        where c.variant = n.variant
        returning c.variant
    )
    select (select count(*) from taken) + (select count(*) from counted)
    """,
)

# A sale of what was reserved comes back into stock and is sold in the same moment, so that the movements add up. Of a
# line that lost a card to a quarantine, or one of whose cards expired, nothing is touched.
HAND_OVER_RESERVED = Statement(
    "catalog.hand_over_reserved",
    """
    with asked as materialized (
        select line, variant, kind, quantity from catalog_reservation where line = any($1::uuid[])
        order by line
        for update
    ),
    held as materialized (
        select r.card, r.line, r.expires_on from catalog_reserved_card r join asked a on a.line = r.line
        order by r.card
        for update of r
    ),
    whole as materialized (
        select a.line, a.variant, a.kind, a.quantity from asked a
        where a.kind <> 'card' or a.quantity = (
            select count(*) from held h
            where h.line = a.line and (h.expires_on is null or h.expires_on >= (now() at time zone $2)::date)
        )
    ),
    ended as (
        delete from catalog_reservation r using whole w where r.line = w.line
    ),
    taken as (
        delete from catalog_reserved_card r using held h join whole w on w.line = h.line
        where r.card = h.card
        returning r.card, r.line
    ),
    sold as (
        insert into catalog_sold_card (card, line, sold_at) select card, line, now() from taken
    ),
    pieces as (
        insert into catalog_sold_piece (line, variant, kind, quantity, secret, sold_at)
        select w.line, w.variant, w.kind, w.quantity, case w.kind when 'reusable' then c.secret end, now()
        from whole w left join catalog_stock_counter c on c.variant = w.variant
        where w.kind <> 'card'
    ),
    moved as (
        insert into catalog_stock_movement (variant, kind, quantity, line, at)
        select w.variant, m.kind, m.sign * w.quantity, w.line, now()
        from whole w cross join (values ('release', 1), ('sale', -1)) as m (kind, sign)
    )
    select line from whole
    """,
)

# A card whose batch was put into quarantine or recalled meanwhile follows its batch. Cards that a quarantine took out of
# a reservation have had their movement then, so only those that are left come back here.
RELEASE = Statement(
    "catalog.release",
    """
    with asked as materialized (
        select line, variant, kind, quantity from catalog_reservation where line = any($1::uuid[])
        order by line
        for update
    ),
    batches as materialized (
        select b.id, b.state from catalog_stock_batch b
        where b.id in (
            select c.batch from asked a join catalog_reserved_card r on r.line = a.line
            join catalog_card c on c.id = r.card
        )
        order by b.id
        for share
    ),
    held as materialized (
        select r.card, b.state
        from catalog_reserved_card r join asked a on a.line = r.line
        join catalog_card c on c.id = r.card join batches b on b.id = c.batch
        order by r.card
        for update of r
    ),
    ended as (
        delete from catalog_reservation r using asked a where r.line = a.line
    ),
    freed as (
        delete from catalog_reserved_card r using held h where r.card = h.card
        returning r.card, r.line, r.variant, r.expires_on, h.state
    ),
    back as (
        insert into catalog_free_card (card, variant, expires_on)
        select card, variant, expires_on from freed where state = 'sellable'
    ),
    apart as (
        insert into catalog_quarantined_card (card, variant, expires_on)
        select card, variant, expires_on from freed where state = 'quarantined'
    ),
    pieces as (
        select line, variant, kind, quantity from asked where kind <> 'card'
    ),
    locked as materialized (
        select variant from catalog_stock_counter
        where variant in (select variant from pieces where kind in ('quota', 'reusable'))
        order by variant
        for no key update
    ),
    counted as (
        update catalog_stock_counter c set on_hand = c.on_hand + p.quantity, updated_at = now()
        from (
            select variant, sum(quantity)::int as quantity from pieces where kind in ('quota', 'reusable')
            group by variant
        ) p join locked l on l.variant = p.variant
        where c.variant = p.variant
    ),
    moved as (
        insert into catalog_stock_movement (variant, kind, quantity, line, at)
        select variant, 'release', quantity, line, now() from pieces
        union all
        select variant, 'release', count(*)::int, line, now() from freed group by variant, line
        union all
        select variant, case state when 'recalled' then 'recall' else 'quarantine' end, -count(*)::int, line, now()
        from freed where state <> 'sellable' group by variant, state, line
    )
    select count(*) from asked
    """,
)

# A line may have bought pieces several times: the first of them come back first.
PUT_BACK = Statement(
    "catalog.put_back",
    """
    with sold as materialized (
        select id, line, variant, kind, quantity - returned as left_of_it from catalog_sold_piece
        where line = any($1::uuid[]) and kind <> 'reusable' and returned < quantity
        order by id
        for update
    ),
    asked as materialized (
        select s.id, s.line, s.variant, s.kind, s.quantity from (
            select o.*, least(o.left_of_it, greatest(0, w.quantity - o.before_it))::int as quantity
            from (
                select sold.*, sum(left_of_it) over (partition by line order by id) - left_of_it as before_it
                from sold
            ) o join unnest($1::uuid[], $2::int[]) as w (line, quantity) on w.line = o.line
        ) s
        where s.quantity > 0
    ),
    back as (
        update catalog_sold_piece p set returned = p.returned + a.quantity from asked a where p.id = a.id
    ),
    locked as materialized (
        select variant from catalog_stock_counter
        where variant in (select variant from asked where kind = 'quota')
        order by variant
        for no key update
    ),
    counted as (
        update catalog_stock_counter c set on_hand = c.on_hand + a.quantity, updated_at = now()
        from (select variant, sum(quantity)::int as quantity from asked where kind = 'quota' group by variant) a
        join locked l on l.variant = a.variant
        where c.variant = a.variant
    )
    insert into catalog_stock_movement (variant, kind, quantity, line, at)
    select variant, 'return', quantity, line, now() from asked
    """,
)

# What did not change is not written, so that a figure that suppliers repeat costs nothing.
MIRROR = Statement(
    "catalog.mirror_stock",
    """
    insert into catalog_stock_counter as c (variant, on_hand, updated_at)
    select v.id, f.on_hand, now()
    from unnest($1::uuid[], $2::int[]) as f (variant, on_hand)
    join catalog_variant v on v.id = f.variant and v.stock_kind = 'supplier'
    order by v.id
    on conflict (variant) do update set on_hand = excluded.on_hand, updated_at = excluded.updated_at
    where c.on_hand <> excluded.on_hand
    """,
)

NEW_COUNTER = Statement(
    "catalog.new_counter",
    "insert into catalog_stock_counter (variant, on_hand, updated_at) values ($1, 0, now()) on conflict do nothing",
)

LOCK_COUNTER = Statement(
    "catalog.lock_counter",
    "select on_hand, secret from catalog_stock_counter where variant = $1 for no key update",
)

COUNT = Statement(
    "catalog.count_stock",
    """
    with counted as (
        update catalog_stock_counter set on_hand = on_hand + $2, updated_at = now() where variant = $1
    )
    insert into catalog_stock_movement (variant, kind, quantity, reason, actor, at)
    values ($1, 'adjust', $2, $3, $4, now())
    """,
)

ADD_SECRET = Statement(
    "catalog.add_reusable_secret",
    """
    with added as (
        insert into catalog_reusable_secret
            (id, variant, number, sealed, data_key, blind_index, created_by, created_at)
        values ($1, $2, $3, $4, $5, $6, $7, now())
        returning id, variant
    )
    update catalog_stock_counter c set secret = a.id, updated_at = now() from added a where c.variant = a.variant
    """,
)
