"""The SQL of holds, all of it set-based."""

from kameng.db import Statement

FIND_HOLDS = Statement(
    "settlement.find_holds", "select key, id, fingerprint from settlement_hold where key = any($1::text[])"
)

PLACE_HOLDS = Statement(
    "settlement.place_holds",
    # The paying accounts are locked by now. The floor's check counts what is pending.
    """
    with wanted as materialized (
        select * from unnest($1::uuid[], $2::text[], $3::bytea[], $4::text[], $5::text[], $6::uuid[], $7::uuid[],
            $8::bigint[], $9::text[], $10::interval[])
            as w(id, key, fingerprint, kind, memo, debit, credit, amount, currency, lasts)
    ), placed as (
        insert into settlement_hold (id, key, fingerprint, kind, memo, debit_account, credit_account, amount,
            currency, placed_at, expires_at, state)
        select id, key, fingerprint, kind, memo, debit, credit, amount, currency, now(), now() + lasts, 'pending'
        from wanted
    )
    update settlement_balance b set pending = b.pending + s.amount
    from (select debit, sum(amount)::bigint as amount from wanted group by debit) s
    where b.account = s.debit and b.bounded
    """,
)

_LOCKED = """
    select id, key, kind, memo, debit_account, credit_account, amount, currency, state, resolution_key, posted,
        transaction, coalesce(expires_at <= clock_timestamp(), false) as over
    from settlement_hold
"""

LOCK_HOLDS = Statement(
    "settlement.lock_holds", f"{_LOCKED} where id = any($1::uuid[]) order by id for no key update"
)

LOCK_EXPIRED = Statement(
    "settlement.lock_expired_holds",
    # Whoever posts or voids one at this moment wins: it is left alone, and is resolved when he is done.
    f"""
    {_LOCKED}
    where state = 'pending' and expires_at <= now() order by expires_at, id limit $1
    for no key update skip locked
    """,
)

RELEASE = Statement(
    "settlement.release_holds",
    # What was held is free; whoever posts it takes it in the next statement of the same transaction.
    """
    update settlement_balance b set pending = b.pending - s.amount
    from (
        select account, sum(amount)::bigint as amount from unnest($1::uuid[], $2::bigint[]) as h(account, amount)
        group by account
    ) s
    where b.account = s.account and b.bounded
    """,
)

CLOSE_HOLDS = Statement(
    "settlement.close_holds",
    """
    update settlement_hold h set state = c.state, resolved_at = now(), resolution_key = c.key, posted = c.posted,
        transaction = c.transaction
    from unnest($1::uuid[], $2::text[], $3::text[], $4::bigint[], $5::uuid[])
        as c(id, state, key, posted, transaction)
    where h.id = c.id
    """,
)
