"""The SQL of guests and of what orders bring along."""

from kameng.db import Statement

TAKE_GUESTS_TURNS = Statement(
    "fulfilment.take_guests_turns",
    # One after the other for each contact and each address, always in one order, until the transaction ends.
    """
    select pg_advisory_xact_lock(hashtextextended('fulfilment.guest:' || encode(mark, 'hex'), 0))
    from (select mark from unnest($1::bytea[]) as m (mark) order by mark) as m
    """,
)

COUNT_UNPAID_OF_CONTACTS = Statement(
    "fulfilment.count_unpaid_of_contacts",
    # Served by fulfilment_contact_unpaid: at most as many rows a contact as the limit allows, and those paid since.
    """
    select c.contact_mark as mark, count(*) as unpaid
    from fulfilment_contact c join fulfilment_order o on o.id = c.order_id
    where c.contact_mark = any($1::bytea[]) and c.open_until > now() and o.state = 'PENDING_PAYMENT'
    group by c.contact_mark
    """,
)

COUNT_UNPAID_OF_ADDRESSES = Statement(
    "fulfilment.count_unpaid_of_addresses",
    """
    select c.address_mark as mark, count(*) as unpaid
    from fulfilment_contact c join fulfilment_order o on o.id = c.order_id
    where c.address_mark = any($1::bytea[]) and c.open_until > now() and o.state = 'PENDING_PAYMENT'
    group by c.address_mark
    """,
)

ADD_CONTACTS = Statement(
    "fulfilment.add_contacts",
    """
    insert into fulfilment_contact
        (id, order_id, kind, sealed, data_key, contact_mark, address_mark, lookup_mark, secret_mark, sealed_secret,
         locale, open_until)
    select c.*, $12
    from unnest($1::uuid[], $2::uuid[], $3::text[], $4::bytea[], $5::uuid[], $6::bytea[], $7::bytea[], $8::bytea[],
                $9::bytea[], $10::bytea[], $11::text[]) as c
    """,
)

NOTE_SITES = Statement(
    "fulfilment.note_sites",
    # Orders that this transaction has written; those of the operator's own site are not touched.
    """
    update fulfilment_order o set site = s.site
    from unnest($1::uuid[], $2::text[]) as s (id, site) where o.id = s.id
    """,
)

ADD_PARTICULARS = Statement(
    "fulfilment.add_particulars",
    """
    insert into fulfilment_particulars (id, order_id, sealed, data_key)
    select * from unnest($1::uuid[], $2::uuid[], $3::bytea[], $4::uuid[])
    """,
)

ORDER_BY_LOOKUP = Statement(
    "fulfilment.order_by_lookup",
    # One probe of one index, whichever of number and contact is wrong.
    "select order_id from fulfilment_contact where lookup_mark = $1",
)

ORDER_BY_SECRET = Statement(
    "fulfilment.order_by_secret",
    "select order_id from fulfilment_contact where secret_mark = $1",
)

CONTACTS_OF_ORDERS = Statement(
    "fulfilment.contacts_of_orders",
    """
    select id, order_id, kind, sealed, data_key, secret_mark, sealed_secret, locale from fulfilment_contact
    where order_id = any($1::uuid[])
    """,
)

CLAIM_ORDER = Statement(
    "fulfilment.claim_order",
    # Its order is locked. The key goes to the claim, where a guest who asks again finds his order; the order gets one that
    # nobody sends, since the member may have used the same.
    """
    with claim as (
        insert into fulfilment_claim (id, order_id, guest, idempotency_key, member, at)
        select $3, id, member, idempotency_key, $2::uuid, now() from fulfilment_order where id = $1
    ), tickets as (
        update fulfilment_ticket set member = $2::uuid where order_id = $1
    )
    update fulfilment_order set member = $2::uuid, buyer_kind = 'member', idempotency_key = $4::text where id = $1
    returning *
    """,
)

CLAIM_OF_ORDER = Statement(
    "fulfilment.claim_of_order",
    "select guest, member from fulfilment_claim where order_id = $1",
)

FIND_CLAIMED = Statement(
    "fulfilment.find_claimed",
    # As FIND_REPEATED, for orders that guests placed and that are in an account since.
    """
    select o.id, c.guest as member, c.idempotency_key, o.fingerprint
    from fulfilment_claim c join fulfilment_order o on o.id = c.order_id
    where c.guest = any($1::uuid[])
    """,
)

COMPLAINTS_OF_CONTACT = Statement(
    "fulfilment.complaints_of_contact",
    # As COMPLAINTS, for the contact of a guest's order: each order of his has a buyer of its own.
    """
    select
        (select count(*)
         from fulfilment_contact c join fulfilment_ticket t on t.order_id = c.order_id
         where c.contact_mark = m.mark and t.opened_at > now() - $2::interval and t.state <> 'WITHDRAWN') as tickets,
        (select coalesce(sum(l.delivered_quantity), 0)::bigint
         from (select order_id from fulfilment_contact where contact_mark = m.mark order by open_until desc limit 1000) c
         join fulfilment_order o on o.id = c.order_id
         join fulfilment_order_line l on l.order_id = c.order_id
         where o.created_at > now() - $2::interval) as cards
    from (select contact_mark as mark from fulfilment_contact where order_id = $1) m
    """,
)

PARTICULARS_OF_ORDERS = Statement(
    "fulfilment.particulars_of_orders",
    "select id, order_id, sealed, data_key from fulfilment_particulars where order_id = any($1::uuid[])",
)
