"""The SQL of tries to pay."""

from kameng.db import Statement

ADD_ATTEMPT = Statement(
    "settlement.add_payment_attempt",
    """
    insert into settlement_payment_attempt
        (id, payment, account, number, flow, method, state, note, asks, next_at, started_at, expires_at)
    values ($1, $2, $3, $4, $5, $6, 'STARTING', '', 0, now() + $8::interval, now(), $7)
    """,
)

OPEN_ATTEMPTS = Statement(
    "settlement.open_payment_attempts",
    """
    select * from settlement_payment_attempt
    where payment = $1 and state in ('STARTING', 'WAITING', 'UNKNOWN') order by id desc
    """,
)

ATTEMPTS_OF = Statement(
    "settlement.attempts_of_payments",
    "select * from settlement_payment_attempt where payment = any($1::uuid[]) order by id",
)

ATTEMPT_BY_NUMBER = Statement(
    "settlement.payment_attempt_by_number",
    "select * from settlement_payment_attempt where number = $1",
)

ATTEMPT_STARTED = Statement(
    "settlement.payment_attempt_started",
    # Somebody may have found out by asking meanwhile that it was paid; that stays.
    """
    update settlement_payment_attempt
    set state = 'WAITING', answer = $2, gateway_reference = $3, expires_at = $4, next_at = now() + $5::interval
    where id = $1 and state in ('STARTING', 'UNKNOWN') returning id
    """,
)

ATTEMPT_UNKNOWN = Statement(
    "settlement.payment_attempt_unknown",
    "update settlement_payment_attempt set state = 'UNKNOWN', note = $2 where id = $1 and state = 'STARTING'",
)

END_ATTEMPT = Statement(
    "settlement.end_payment_attempt",
    """
    update settlement_payment_attempt
    set state = $2, note = $3, ended_at = now(), next_at = null, busy_until = null
    where id = $1 and state in ('STARTING', 'WAITING', 'UNKNOWN')
    """,
)

ATTEMPT_PAID = Statement(
    "settlement.payment_attempt_paid",
    """
    update settlement_payment_attempt
    set state = 'PAID', ended_at = now(), next_at = null, busy_until = null, note = '' where id = $1
    """,
)

HURRY_ATTEMPTS = Statement(
    "settlement.hurry_payment_attempts",
    """
    update settlement_payment_attempt set next_at = now()
    where payment = $1 and state in ('STARTING', 'WAITING', 'UNKNOWN')
    """,
)

CLAIM_ATTEMPTS = Statement(
    "settlement.claim_payment_attempts",
    """
    update settlement_payment_attempt a
    set busy_until = now() + $2::interval, asks = least(asks + 1, 1000),
        next_at = now() + least(interval '10 minutes', interval '10 seconds' * power(2, least(asks, 6)))
    where id in (
        select id from settlement_payment_attempt
        where state in ('STARTING', 'WAITING', 'UNKNOWN') and next_at <= now()
            and (busy_until is null or busy_until <= now())
        order by next_at limit $1 for update skip locked
    )
    returning a.*
    """,
)

RELEASE_ATTEMPT = Statement(
    "settlement.release_payment_attempt",
    """
    update settlement_payment_attempt
    set busy_until = null, note = case when $2 = '' then note else $2 end where id = $1
    """,
)
