"""The SQL of carts. Whatever changes a cart or its lines runs while the cart's row is locked."""

from kameng.db import Statement

TAKE_MEMBER_CART = Statement(
    "fulfilment.take_member_cart",
    # Makes the cart where there is none, and locks it in any case.
    """
    insert into fulfilment_cart (id, member, recent_keys, created_at, touched_at)
    values ($1, $2, '', now(), now())
    on conflict (member) do update set touched_at = now()
    returning id, recent_keys
    """,
)

TAKE_VISITOR_CART = Statement(
    "fulfilment.take_visitor_cart",
    """
    insert into fulfilment_cart (id, visitor, recent_keys, created_at, touched_at)
    values ($1, $2, '', now(), now())
    on conflict (visitor) do update set touched_at = now()
    returning id, recent_keys
    """,
)

MEMBER_CART_LINES = Statement(
    "fulfilment.member_cart_lines",
    """
    select l.*, c.left_out from fulfilment_cart c join fulfilment_cart_line l on l.cart = c.id
    where c.member = $1 order by l.added_at, l.id
    """,
)

VISITOR_CART_LINES = Statement(
    "fulfilment.visitor_cart_lines",
    """
    select l.*, c.left_out from fulfilment_cart c join fulfilment_cart_line l on l.cart = c.id
    where c.visitor = $1 order by l.added_at, l.id
    """,
)

MEMBER_CART_SIZE = Statement(
    "fulfilment.member_cart_size",
    """
    select coalesce(sum(l.quantity), 0)::bigint from fulfilment_cart c join fulfilment_cart_line l on l.cart = c.id
    where c.member = $1
    """,
)

VISITOR_CART_SIZE = Statement(
    "fulfilment.visitor_cart_size",
    """
    select coalesce(sum(l.quantity), 0)::bigint from fulfilment_cart c join fulfilment_cart_line l on l.cart = c.id
    where c.visitor = $1
    """,
)

LINES_OF_CART = Statement(
    "fulfilment.lines_of_cart",
    "select * from fulfilment_cart_line where cart = $1 order by added_at, id",
)

LINES_OF_VARIANTS = Statement(
    "fulfilment.cart_lines_of_variants",
    "select id, variant, quantity from fulfilment_cart_line where cart = $1 and variant = any($2::uuid[])",
)

LINE_OF_CART = Statement(
    "fulfilment.cart_line",
    "select * from fulfilment_cart_line where cart = $1 and id = $2",
)

ADD_LINES = Statement(
    "fulfilment.add_cart_lines",
    # Nothing happens where there is no room for all, which is told by the number of rows; at most that many are counted.
    """
    insert into fulfilment_cart_line
        (id, cart, variant, quantity, currency, unit_price, sealed_answers, data_key, answers_place, added_at)
    select l.id, $1::uuid, l.variant, l.quantity, $8::text, l.unit_price, l.sealed, l.data_key, l.place, now()
    from unnest($2::uuid[], $3::uuid[], $4::int[], $5::bigint[], $6::bytea[], $7::uuid[], $9::uuid[])
        as l (id, variant, quantity, unit_price, sealed, data_key, place)
    where (select count(*) from fulfilment_cart_line where cart = $1::uuid) + cardinality($2::uuid[]) <= $10::int
    """,
)

CHANGE_LINES = Statement(
    "fulfilment.change_cart_lines",
    """
    update fulfilment_cart_line l
    set quantity = c.quantity, currency = $7::text, unit_price = c.unit_price,
        sealed_answers = coalesce(c.sealed, l.sealed_answers),
        data_key = coalesce(c.data_key, l.data_key),
        answers_place = coalesce(c.place, l.answers_place)
    from unnest($1::uuid[], $2::int[], $3::bigint[], $4::bytea[], $5::uuid[], $6::uuid[])
        as c (id, quantity, unit_price, sealed, data_key, place)
    where l.id = c.id
    """,
)

REMOVE_LINE = Statement(
    "fulfilment.remove_cart_line",
    "delete from fulfilment_cart_line where cart = $1 and id = $2",
)

CLEAR_CART = Statement(
    "fulfilment.clear_cart",
    "delete from fulfilment_cart_line where cart = $1",
)

REMEMBER_KEY = Statement(
    "fulfilment.remember_cart_key",
    "update fulfilment_cart set recent_keys = $2 where id = $1",
)

MAKE_MEMBER_CART = Statement(
    "fulfilment.make_member_cart",
    """
    insert into fulfilment_cart (id, member, recent_keys, created_at, touched_at)
    values ($1, $2, '', now(), now())
    on conflict (member) do nothing
    """,
)

LOCK_TWO_CARTS = Statement(
    "fulfilment.lock_two_carts",
    "select id, visitor, left_out from fulfilment_cart where member = $1 or visitor = $2 order by id for update",
)

VISITOR_HAS_CART = Statement(
    "fulfilment.visitor_has_cart",
    "select true from fulfilment_cart where visitor = $1",
)

MERGE_LINES = Statement(
    "fulfilment.merge_cart_lines",
    # Whoever has answers keeps them; the other's are taken where there were none.
    """
    update fulfilment_cart_line l
    set quantity = m.quantity,
        sealed_answers = coalesce(l.sealed_answers, g.sealed_answers),
        data_key = case when l.sealed_answers is null then g.data_key else l.data_key end,
        answers_place = case when l.sealed_answers is null then g.answers_place else l.answers_place end
    from unnest($1::uuid[], $2::uuid[], $3::int[]) as m (own, other, quantity)
    join fulfilment_cart_line g on g.id = m.other
    where l.id = m.own
    """,
)

MOVE_LINES = Statement(
    "fulfilment.move_cart_lines",
    """
    update fulfilment_cart_line l set cart = $1, quantity = m.quantity
    from unnest($2::uuid[], $3::int[]) as m (line, quantity)
    where l.id = m.line
    """,
)

NOTE_LEFT_OUT = Statement(
    "fulfilment.note_left_out",
    "update fulfilment_cart set left_out = $2::jsonb where id = $1",
)

FORGET_LEFT_OUT = Statement(
    "fulfilment.forget_left_out",
    "update fulfilment_cart set left_out = null where member = $1 and left_out is not null",
)

DELETE_CART = Statement("fulfilment.delete_cart", "delete from fulfilment_cart where id = $1")

EXPIRE_CARTS = Statement(
    "fulfilment.expire_carts",
    # One that is being changed or merged at this moment is not waited for: it has been touched.
    """
    delete from fulfilment_cart where id in (
        select id from fulfilment_cart
        where visitor is not null and touched_at < now() - $1::interval
        order by touched_at, id
        limit $2
        for update skip locked
    )
    """,
)

LOCK_CARTS = Statement(
    "fulfilment.lock_carts",
    # Whoever had one of them before has committed once this is through; so what is in them is read afterwards.
    "select id from fulfilment_cart where id = any($1::uuid[]) order by id for update",
)

CONTENT_OF_CARTS = Statement(
    "fulfilment.content_of_carts",
    "select cart, variant, quantity from fulfilment_cart_line where cart = any($1::uuid[])",
)

TAKE_OUT_ORDERED = Statement(
    "fulfilment.take_ordered_out_of_carts",
    """
    delete from fulfilment_cart_line l
    using unnest($1::uuid[], $2::uuid[]) as o (cart, variant)
    where l.cart = o.cart and l.variant = o.variant
    """,
)
