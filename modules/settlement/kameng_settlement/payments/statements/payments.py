"""The SQL of payments. What changes one runs while its row is locked."""

from kameng.db import Statement

ADD_PAYMENT = Statement(
    "settlement.add_payment",
    """
    insert into settlement_payment
        (id, number, key, purpose, subject, payer, payer_kind, amount_minor, currency, site, memo, state, refunded_minor,
         created_at, expires_at)
    values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, 'CREATED', 0, now(), $12)
    on conflict (key) do nothing
    returning *
    """,
)

PAYMENT_BY_KEY = Statement(
    "settlement.payment_by_key",
    "select * from settlement_payment where key = $1",
)

PAYMENT_BY_NUMBER = Statement(
    "settlement.payment_by_number",
    "select * from settlement_payment where number = $1",
)

PAYMENTS_BY_ID = Statement(
    "settlement.payments_by_id",
    "select * from settlement_payment where id = any($1::uuid[])",
)

LOCK_PAYMENT = Statement(
    "settlement.lock_payment",
    "select * from settlement_payment where id = $1 for no key update",
)

MOVE_PAYMENT = Statement(
    "settlement.move_payment",
    "update settlement_payment set state = $2 where id = $1 returning *",
)

PAY = Statement(
    "settlement.pay",
    """
    update settlement_payment
    set state = 'PAID', paid_at = coalesce($2, now()), paid_to = $3, paid_attempt = $4, transaction = $5
    where id = $1 returning *
    """,
)

ADD_HISTORY = Statement(
    "settlement.add_payment_history",
    """
    insert into settlement_payment_history (id, payment, at, from_state, to_state, actor, note)
    values ($1, $2, now(), $3, $4, $5, $6)
    """,
)

EXPIRE_PAYMENTS = Statement(
    "settlement.expire_payments",
    # Whoever is being paid at this moment holds the row, and is passed over.
    """
    with over as (
        select id, state from settlement_payment w
        where state in ('CREATED', 'PENDING') and expires_at <= now()
            and not exists (
                select from settlement_payment_attempt a
                where a.payment = w.id and a.state in ('STARTING', 'WAITING', 'UNKNOWN')
            )
        order by expires_at limit 200 for no key update skip locked
    )
    update settlement_payment p set state = 'EXPIRED' from over where p.id = over.id
    returning p.id, p.number, over.state as was
    """,
)

OPEN_PAYMENTS_FOR = Statement(
    "settlement.open_payments_for",
    """
    select id from settlement_payment
    where subject = $1 and purpose = $2 and state in ('CREATED', 'PENDING') order by id
    """,
)
