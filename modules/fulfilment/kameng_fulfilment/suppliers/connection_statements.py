"""The SQL of accounts with suppliers, and of what they offer."""

from kameng.db import Statement
from kameng_fulfilment.suppliers.statements import CIRCUIT_FAILURES

CONNECTIONS = Statement(
    "fulfilment.supplier_connections",
    "select * from fulfilment_supplier_connection where id = any($1::uuid[])",
)


LOCK_CONNECTION = Statement(
    "fulfilment.lock_supplier_connection",
    "select * from fulfilment_supplier_connection where id = $1 for no key update",
)


ADD_CONNECTION = Statement(
    "fulfilment.add_supplier_connection",
    """
    insert into fulfilment_supplier_connection
        (id, name, protocol, state, sealed_settings, data_key, timeout_seconds, concurrency, failures, created_at,
         changed_at)
    values ($1, $2, $3, 'enabled', $4, $5, $6, $7, 0, now(), now())
    """,
)


CHANGE_CONNECTION = Statement(
    "fulfilment.change_supplier_connection",
    """
    update fulfilment_supplier_connection
    set name = $2, protocol = $3, sealed_settings = $4, data_key = $5, timeout_seconds = $6, concurrency = $7,
        changed_at = now()
    where id = $1
    """,
)


SET_CONNECTION_STATE = Statement(
    "fulfilment.set_supplier_connection_state",
    "update fulfilment_supplier_connection set state = $2, changed_at = now() where id = $1 returning id",
)


REST_OVER = Statement(
    "fulfilment.supplier_rest_over",
    "update fulfilment_supplier_connection set failures = 0, resting_until = null where id = $1",
)


CALL_ANSWERED = Statement(
    "fulfilment.supplier_answered",
    """
    update fulfilment_supplier_connection set failures = 0, resting_until = null
    where id = $1 and (failures > 0 or resting_until is not null)
    """,
)


CALL_FAILED = Statement(
    "fulfilment.supplier_failed",
    f"""
    update fulfilment_supplier_connection
    set failures = failures + 1,
        resting_until = case when failures + 1 >= {CIRCUIT_FAILURES} then
            now() + $2::interval * least(power(2, failures + 1 - {CIRCUIT_FAILURES}), 30) else resting_until end
    where id = $1
    """,
)
"""$2 how long an account rests at first; it doubles with each further failure, up to thirty times as long."""


OFFERS_OF_VARIANT = Statement(
    "fulfilment.offers_of_variant",
    """
    select o.*, c.name as connection_name, c.resting_until
    from fulfilment_supplier_offer o join fulfilment_supplier_connection c on c.id = o.connection
    where o.variant = $1 and o.enabled and c.state = 'enabled'
    order by o.priority, o.cost, o.id
    """,
)


SAVE_OFFER = Statement(
    "fulfilment.save_offer",
    """
    insert into fulfilment_supplier_offer
        (id, variant, connection, their_sku, cost, currency, priority, enabled, codes, below_cost, changed_at)
    values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, now())
    on conflict (variant, connection, their_sku) do update
    set cost = excluded.cost, currency = excluded.currency, priority = excluded.priority, enabled = excluded.enabled,
        codes = excluded.codes, below_cost = excluded.below_cost, changed_at = now()
    returning *
    """,
)


ENABLED_CONNECTIONS = Statement(
    "fulfilment.enabled_supplier_connections",
    """
    select * from fulfilment_supplier_connection
    where state = 'enabled' and (resting_until is null or resting_until <= now())
    """,
)


ENABLED_OFFERS = Statement(
    "fulfilment.enabled_supplier_offers",
    """
    select o.variant, o.connection, o.their_sku from fulfilment_supplier_offer o
    join fulfilment_supplier_connection c on c.id = o.connection
    where o.enabled and c.state = 'enabled'
    """,
)
