"""The SQL of a verification. Each looks at a whole table once; none depends on a constraint or trigger that is tried."""

from kameng.db import Statement

DIFFERENCES = Statement(
    "settlement.verify_balances",
    # Added up from the journal alone, by the two sides apart, so that the server can use several processes.
    """
    select account, coalesce(d.amount, 0) as debits, coalesce(c.amount, 0) as credits,
           coalesce(k.debits, 0) as kept_debits, coalesce(k.credits, 0) as kept_credits
    from (select debit_account as account, sum(amount) as amount from settlement_posting group by 1) d
    full join (select credit_account as account, sum(amount) as amount from settlement_posting group by 1) c
        using (account)
    full join (
        select account, sum(debits) as debits, sum(credits) as credits from settlement_balance group by 1
    ) k using (account)
    where coalesce(d.amount, 0) <> coalesce(k.debits, 0) or coalesce(c.amount, 0) <> coalesce(k.credits, 0)
    order by account
    """,
)

EMPTY = Statement(
    "settlement.verify_transactions",
    """
    select t.id from settlement_ledger_transaction t
    where not exists (select from settlement_posting p where p.transaction = t.id)
    order by t.id
    """,
)

COUNTS = Statement(
    "settlement.count_journals",
    """
    select (select count(*) from settlement_account) as accounts,
           (select count(*) from settlement_ledger_transaction) as transactions,
           (select count(*) from settlement_posting) as postings
    """,
)

PENDING = Statement(
    "settlement.verify_holds",
    """
    select format('account %s: holds say %s is pending; the balance says %s', account, coalesce(h.amount, 0),
        coalesce(b.pending, 0)) as finding
    from (
        select debit_account as account, sum(amount) as amount from settlement_hold where state = 'pending' group by 1
    ) h
    full join (select account, sum(pending) as pending from settlement_balance group by 1) b using (account)
    where coalesce(h.amount, 0) <> coalesce(b.pending, 0)
    union all
    select format('hold %s: it was posted with %s by transaction %s, which carries %s', h.id, h.posted,
        h.transaction, coalesce(p.amount, 0))
    from settlement_hold h left join settlement_posting p on p.transaction = h.transaction and p.seq = 1
    where h.state = 'posted' and p.amount is distinct from h.posted
    order by finding
    """,
)

BROKEN = Statement(
    "settlement.verify_rows",
    """
    select format('account %s: %s is below its floor of %s', account, credits - debits - pending, floor) as finding
    from settlement_balance where credits - debits - pending < floor
    union all
    select format('account %s: it has a floor, and %s balance rows instead of one', a.id, count(b.id))
    from settlement_account a left join settlement_balance b on b.account = a.id
    where a.bounded group by a.id having count(b.id) <> 1
    union all
    select format('balance %s belongs to no account', b.id)
    from settlement_balance b left join settlement_account a on a.id = b.account where a.id is null
    union all
    select format('posting %s belongs to no transaction', p.id)
    from settlement_posting p left join settlement_ledger_transaction t on t.id = p.transaction where t.id is null
    union all
    select format('posting %s: its accounts do not exist, or are not of its currency %s', p.id, p.currency)
    from settlement_posting p
    left join settlement_account d on d.id = p.debit_account
    left join settlement_account c on c.id = p.credit_account
    where d.currency is distinct from p.currency or c.currency is distinct from p.currency
    union all
    select format('transaction %s reverses %s, which does not exist', r.id, r.reverses)
    from settlement_ledger_transaction r left join settlement_ledger_transaction t on t.id = r.reverses
    where r.reverses is not null and t.id is null
    order by finding
    """,
)
