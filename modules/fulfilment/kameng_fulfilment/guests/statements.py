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
        (id, order_id, kind, sealed, data_key, contact_mark, address_mark, lookup_mark, secret_mark, open_until)
    select c.*, $10
    from unnest($1::uuid[], $2::uuid[], $3::text[], $4::bytea[], $5::uuid[], $6::bytea[], $7::bytea[], $8::bytea[],
                $9::bytea[]) as c
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
    "select id, order_id, kind, sealed, data_key, secret_mark from fulfilment_contact where order_id = any($1::uuid[])",
)

PARTICULARS_OF_ORDERS = Statement(
    "fulfilment.particulars_of_orders",
    "select id, order_id, sealed, data_key from fulfilment_particulars where order_id = any($1::uuid[])",
)
