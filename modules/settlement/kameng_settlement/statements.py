"""The ledger's SQL. All of it is set-based: the number of statements never depends on how much is posted."""

from kameng.db import Statement

OPEN_ACCOUNTS = Statement(
    "settlement.open_accounts",
    # Both rows come to be together, so a bounded account always has its one balance row. Whoever lost the
    # race for an account finds it by FIND_ACCOUNTS afterwards.
    """
    with wanted as (
        select * from unnest($1::uuid[], $2::text[], $3::text[], $4::uuid[], $5::text[], $6::text[],
        $7::bool[])
            as w(id, kind, owner_kind, owner_id, currency, normal_side, bounded)
    ), opened as (
        insert into settlement_account
            (id, kind, owner_kind, owner_id, currency, normal_side, bounded, opened_at)
        select id, kind, owner_kind, owner_id, currency, normal_side, bounded, now() from wanted
        order by owner_id, kind, currency, owner_kind
        on conflict (owner_id, kind, currency, owner_kind) do nothing
        returning id, bounded
    )
    insert into settlement_balance (account, bounded, debits, credits, pending, floor)
    select id, true, 0, 0, 0, 0 from opened where bounded
    """,
)

FIND_ACCOUNTS = Statement(
    "settlement.find_accounts",
    """
    select a.id, a.kind, a.owner_id, a.currency
    from unnest($1::text[], $2::text[], $3::uuid[], $4::text[]) as w(kind, owner_kind, owner_id, currency)
    join settlement_account a using (kind, owner_kind, owner_id, currency)
    """,
)

LOCK_ACCOUNTS = Statement(
    "settlement.lock_accounts",
    """
    select account, credits - debits - pending - floor as room
    from settlement_balance
    where account = any($1::uuid[]) and bounded
    order by account
    for no key update
    """,
)

LOCK_WALLETS = Statement(
    "settlement.lock_wallets",
    """
    select a.owner_id as member, a.currency, b.account, b.credits - b.debits - b.pending - b.floor as room
    from unnest($1::uuid[], $2::text[]) as w(member, currency)
    join settlement_account a
        on a.owner_id = w.member and a.kind = 'wallet' and a.currency = w.currency and a.owner_kind = 'member'
    join settlement_balance b on b.account = a.id and b.bounded
    order by b.account
    for no key update of b
    """,
)

POST = Statement(
    "settlement.post",
    # Bounded accounts are locked by now, so the update waits for nobody. What is not bounded gets a row of
    # its own: an insert never waits either.
    """
    with pair as materialized (
        select * from unnest($8::uuid[], $9::smallint[], $10::uuid[], $11::uuid[], $12::bigint[], $13::text[])
            as p(transaction, seq, debit, credit, amount, currency)
    ), entered as (
        insert into settlement_ledger_transaction
            (id, key, fingerprint, kind, memo, effective_at, posted_at, reverses)
        select id, key, fingerprint, kind, memo, coalesce(effective_at, now()), now(), reverses
        from unnest($1::uuid[], $2::text[], $3::bytea[], $4::text[], $5::text[], $6::timestamptz[],
        $7::uuid[])
            as e(id, key, fingerprint, kind, memo, effective_at, reverses)
    ), posted as (
        insert into settlement_posting (transaction, seq, debit_account, credit_account, amount, currency)
        select transaction, seq, debit, credit, amount, currency from pair
    ), movement as materialized (
        select account, sum(debit)::bigint as debits, sum(credit)::bigint as credits
        from (
            select debit as account, amount as debit, 0 as credit from pair
            union all
            select credit, 0, amount from pair
        ) as side
        group by account
    ), moved as (
        update settlement_balance b
        set debits = b.debits + m.debits, credits = b.credits + m.credits
        from movement m
        where b.account = m.account and b.bounded
        returning b.account
    )
    insert into settlement_balance (account, bounded, debits, credits, pending, floor)
    select account, false, debits, credits, 0, null from movement
    where account not in (select account from moved)
    """,
)

FIND_TRANSACTION = Statement(
    "settlement.find_transaction",
    "select id, fingerprint from settlement_ledger_transaction where key = $1",
)

ANY_KEY_USED = Statement(
    "settlement.any_key_used",
    "select exists (select from settlement_ledger_transaction where key = any($1::text[]))",
)

FIND_TRANSACTIONS = Statement(
    "settlement.find_transactions",
    "select key, id, fingerprint from settlement_ledger_transaction where key = any($1::text[])",
)

READ_POSTINGS = Statement(
    "settlement.read_postings",
    """
    select p.debit_account, p.credit_account, p.amount, p.currency, t.reverses, t.kind,
        (select r.key from settlement_ledger_transaction r where r.reverses = t.id) as reversed_by
    from settlement_ledger_transaction t join settlement_posting p on p.transaction = t.id
    where t.id = $1
    order by p.seq
    """,
)

FOLD = Statement(
    "settlement.fold_balances",
    # Each row is taken away once and what it held is added once, however many processes fold at the same time:
    # each leaves alone what another one is at.
    """
    with piled as (
        select id from settlement_balance
        where not bounded and account in (
            select account from settlement_balance where not bounded group by account having count(*) > 1
        )
        for update skip locked
    ), gone as (
        delete from settlement_balance b using piled where b.id = piled.id
        returning b.account, b.debits, b.credits, b.pending
    )
    insert into settlement_balance (account, bounded, debits, credits, pending, floor)
    select account, false, sum(debits), sum(credits), sum(pending), null from gone group by account
    """,
)

READ_WALLETS = Statement(
    "settlement.read_wallets",
    """
    select w.place, b.credits - b.debits as balance, b.credits - b.debits - b.pending - b.floor as available
    from unnest($1::uuid[], $2::text[]) with ordinality as w(member, currency, place)
    join settlement_account a
        on a.owner_id = w.member and a.kind = 'wallet' and a.currency = w.currency and a.owner_kind = 'member'
    join settlement_balance b on b.account = a.id and b.bounded
    """,
)

OPEN_REFUNDS = Statement(
    "settlement.open_refunds",
    # What can be locked and counted. Whoever lost the race for a charge waits here until the other's row is to be seen.
    """
    insert into settlement_charge_refund (charge, charged, refunded, reversed)
    select t.id, p.amount, 0, exists (select from settlement_ledger_transaction r where r.reverses = t.id)
    from settlement_ledger_transaction t join settlement_posting p on p.transaction = t.id and p.seq = 1
    where t.id = any($1::uuid[]) and t.kind = 'charge'
    order by t.id
    on conflict (charge) do nothing
    """,
)

LOCK_REFUNDS = Statement(
    "settlement.lock_refunds",
    """
    select c.charge, c.charged - c.refunded as room, c.refunded, c.reversed,
           p.debit_account as wallet, p.credit_account as income, p.currency
    from settlement_charge_refund c join settlement_posting p on p.transaction = c.charge and p.seq = 1
    where c.charge = any($1::uuid[])
    order by c.charge
    for no key update of c
    """,
)

COUNT_REFUNDS = Statement(
    "settlement.count_refunds",
    # The check of the table refuses whatever would exceed the charge, should a caller ever have counted wrongly.
    """
    with given as materialized (
        select * from unnest($1::uuid[], $2::uuid[], $3::bigint[]) as g(transaction, charge, amount)
    ), noted as (
        insert into settlement_refund (transaction, charge, amount) select transaction, charge, amount from given
    )
    update settlement_charge_refund c set refunded = c.refunded + s.amount
    from (select charge, sum(amount)::bigint as amount from given group by charge) s
    where c.charge = s.charge
    """,
)

MARK_REVERSED = Statement(
    "settlement.mark_reversed",
    "update settlement_charge_refund set reversed = true where charge = $1",
)
