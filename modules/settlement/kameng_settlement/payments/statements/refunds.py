"""The SQL of refunds by gateways. What changes one runs while its payment's row is locked."""

from kameng.db import Statement

ADD_REFUND = Statement(
    "settlement.add_payment_refund",
    """
    insert into settlement_payment_refund
        (id, payment, account, number, key, amount_minor, currency, reason, state, requested_by, posted, note, sends, asks,
         next_at, created_at)
    values ($1, $2, $3, $4, $5, $6, $7, $8, 'REQUESTED', $9, $10, '', 0, 0, now(), now())
    """,
)

REFUND_BY_KEY = Statement(
    "settlement.payment_refund_by_key",
    "select * from settlement_payment_refund where key = $1",
)

REFUND_BY_NUMBER = Statement(
    "settlement.payment_refund_by_number",
    "select * from settlement_payment_refund where number = $1",
)

REFUNDS_OF = Statement(
    "settlement.refunds_of_payments",
    "select * from settlement_payment_refund where payment = any($1::uuid[]) order by id",
)

COUNT_REFUNDED = Statement(
    "settlement.count_payment_refunded",
    "update settlement_payment set refunded_minor = refunded_minor + $2 where id = $1",
)

CLAIM_REFUNDS = Statement(
    "settlement.claim_payment_refunds",
    """
    update settlement_payment_refund r
    set busy_until = now() + $2::interval, asks = least(asks + 1, 1000),
        next_at = now() + least(interval '1 hour', interval '15 seconds' * power(2, least(asks, 8)))
    where id in (
        select id from settlement_payment_refund
        where state in ('REQUESTED', 'ACCEPTED') and next_at <= now()
            and (busy_until is null or busy_until <= now())
        order by next_at limit $1 for update skip locked
    )
    returning r.*
    """,
)

REFUND_SENT = Statement(
    "settlement.payment_refund_sent",
    "update settlement_payment_refund set sends = sends + 1 where id = $1",
)

REFUND_NOT_SENT = Statement(
    "settlement.payment_refund_not_sent",
    # There was no connection, so nobody got it.
    "update settlement_payment_refund set sends = sends - 1 where id = $1",
)

LOCK_REFUND = Statement(
    "settlement.lock_payment_refund",
    "select * from settlement_payment_refund where id = $1 for no key update",
)

WRITE_REFUND = Statement(
    "settlement.write_payment_refund",
    """
    update settlement_payment_refund
    set state = $2::text, note = $3, gateway_reference = coalesce($4, gateway_reference), returned = $5,
        settled_at = case when $2::text in ('SUCCEEDED', 'FAILED') then coalesce($6, now()) end,
        next_at = case when $2::text in ('SUCCEEDED', 'FAILED') then null else next_at end, busy_until = null
    where id = $1
    """,
)

NOTE_REFUND = Statement(
    "settlement.note_payment_refund",
    "update settlement_payment_refund set note = $2, busy_until = null where id = $1",
)

VERDICTS_OF = Statement(
    "settlement.verdicts_of_refunds",
    "select about, reference from settlement_transfer_confirmation where about = any($1::uuid[]) order by at, id",
)
