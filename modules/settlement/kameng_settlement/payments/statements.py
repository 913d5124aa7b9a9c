"""The SQL of payments. What changes a payment runs while its row is locked."""

from kameng.db import Statement

ACCOUNTS = Statement(
    "settlement.merchant_accounts",
    "select * from settlement_merchant_account where id = any($1::uuid[])",
)

LOCK_ACCOUNT = Statement(
    "settlement.lock_merchant_account",
    "select * from settlement_merchant_account where id = $1 for no key update",
)

ADD_ACCOUNT = Statement(
    "settlement.add_merchant_account",
    """
    insert into settlement_merchant_account
        (id, gateway, code, name, merchant, sealed_settings, data_key, currencies, sites, minimum_minor, maximum_minor,
         fee_ppm, fee_fixed_minor, priority, weight, timeout_seconds, enabled, failures, created_at, changed_at)
    values ($1, $2, $3, $4, $5, $6, $7, $8::text[], $9::text[], $10, $11, $12, $13, $14, $15, $16, false, 0, now(), now())
    """,
)

CHANGE_ACCOUNT = Statement(
    "settlement.change_merchant_account",
    """
    update settlement_merchant_account
    set gateway = $2, code = $3, name = $4, merchant = $5, sealed_settings = $6, data_key = $7, currencies = $8::text[],
        sites = $9::text[], minimum_minor = $10, maximum_minor = $11, fee_ppm = $12, fee_fixed_minor = $13, priority = $14,
        weight = $15, timeout_seconds = $16, changed_at = now()
    where id = $1
    """,
)

ENABLE_ACCOUNT = Statement(
    "settlement.enable_merchant_account",
    """
    update settlement_merchant_account
    set enabled = $2, changed_at = now(), failures = case when $2 then 0 else failures end,
        resting_until = case when $2 then null else resting_until end
    where id = $1 returning id
    """,
)

ACCOUNT_ANSWERED = Statement(
    "settlement.merchant_account_answered",
    """
    update settlement_merchant_account set failures = 0, resting_until = null
    where id = $1 and (failures > 0 or resting_until is not null)
    """,
)

ACCOUNT_FAILED = Statement(
    "settlement.merchant_account_failed",
    # After the third failure in a row it rests: 30 s, then twice as long each time, for an hour at most.
    """
    update settlement_merchant_account
    set failures = failures + 1,
        resting_until = case when failures + 1 < 3 then resting_until
            else now() + least(interval '1 hour', interval '30 seconds' * power(2, least(failures + 1 - 3, 7))) end
    where id = $1
    """,
)

ENABLED_ACCOUNTS = Statement(
    "settlement.enabled_merchant_accounts",
    "select * from settlement_merchant_account where enabled order by priority, id",
)

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

TAKEN = Statement(
    "settlement.taken_payment_transaction",
    """
    select id, payment, number, amount_minor, currency from settlement_payment_observation
    where account = $1 and transaction = $2 and taken
    """,
)

ADD_OBSERVATION = Statement(
    "settlement.add_payment_observation",
    """
    insert into settlement_payment_observation
        (id, account, payment, number, told_by, status, transaction, merchant, amount_minor, currency, fee_minor, digest,
         outcome, taken, posted, note, paid_at, at)
    values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, now())
    on conflict (account, number, digest, outcome) do nothing
    """,
)

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

ADD_CONFIRMATION = Statement(
    "settlement.add_transfer_confirmation",
    """
    insert into settlement_transfer_confirmation
        (id, about, reference, place, person, amount_minor, currency, at)
    values ($1, $2, $3, $4, $5, $6, $7, now())
    on conflict (about, reference, place) do nothing
    returning id
    """,
)

CONFIRMATIONS = Statement(
    "settlement.transfer_confirmations",
    """
    select person, amount_minor, currency, place from settlement_transfer_confirmation
    where about = $1 and reference = $2 order by place
    """,
)

VERDICTS_OF = Statement(
    "settlement.verdicts_of_refunds",
    "select about, reference from settlement_transfer_confirmation where about = any($1::uuid[]) order by at, id",
)

ADD_PROOF = Statement(
    "settlement.add_transfer_proof",
    """
    insert into settlement_transfer_proof (id, attempt, media_type, size, digest, sealed, data_key, at)
    values ($1, $2, $3, $4, $5, $6, $7, now())
    on conflict (attempt, digest) do nothing
    """,
)

COUNT_PROOFS = Statement(
    "settlement.count_transfer_proofs",
    "select count(*) from settlement_transfer_proof where attempt = $1",
)

PROOFS_OF = Statement(
    "settlement.transfer_proofs",
    "select * from settlement_transfer_proof where attempt = any($1::uuid[]) order by id",
)

PROOF = Statement(
    "settlement.transfer_proof",
    "select * from settlement_transfer_proof where id = $1",
)

OPEN_PAYMENTS_FOR = Statement(
    "settlement.open_payments_for",
    """
    select id from settlement_payment
    where subject = $1 and purpose = $2 and state in ('CREATED', 'PENDING') order by id
    """,
)
