"""Proving the ledger: every balance recomputed from the postings, and the books in balance."""

from __future__ import annotations

from uuid import UUID

import msgspec

from kameng.db import Database, Statement
from kameng_settlement.journal import trial_balance

SHOWN = 100
"""Differences that a report lists; it counts all of them."""

_DIFFERENCES = Statement(
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

_EMPTY = Statement(
    "settlement.verify_transactions",
    """
    select t.id from settlement_ledger_transaction t
    where not exists (select from settlement_posting p where p.transaction = t.id)
    order by t.id
    """,
)

_COUNTS = Statement(
    "settlement.count_journals",
    """
    select (select count(*) from settlement_account) as accounts,
           (select count(*) from settlement_ledger_transaction) as transactions,
           (select count(*) from settlement_posting) as postings
    """,
)


class Difference(msgspec.Struct, frozen=True):
    """An account whose kept balance is not what its postings add up to.

    Attributes:
        account: its key.
        debits, credits: what the postings add up to, in minor units.
        kept_debits, kept_credits: what the balance says.
    """

    account: UUID
    debits: int
    credits: int
    kept_debits: int
    kept_credits: int

    def __str__(self) -> str:
        return (
            f"account {self.account}: postings say debits {self.debits}, credits {self.credits};"
            f" the balance says {self.kept_debits}, {self.kept_credits}"
        )


class LedgerReport(msgspec.Struct, frozen=True, kw_only=True):
    """What a verification found.

    Attributes:
        accounts, transactions, postings: how many were looked at.
        differences: accounts whose balance is wrong, at most `SHOWN`.
        different: how many there are.
        empty: transactions without a posting, at most `SHOWN`.
        unbalanced: currencies whose debits and credits differ → debits minus credits, in minor units.
    """

    accounts: int
    transactions: int
    postings: int
    differences: tuple[Difference, ...]
    different: int
    empty: tuple[UUID, ...]
    unbalanced: dict[str, int]

    @property
    def ok(self) -> bool:
        """Whether the ledger is whole."""
        return not (self.different or self.empty or self.unbalanced)

    def __str__(self) -> str:
        looked = f"{self.accounts} accounts, {self.transactions} transactions, {self.postings} postings"
        if self.ok:
            return f"The ledger is whole: {looked}; the trial balance of every currency is zero."
        lines = [f"The ledger is NOT whole ({looked}):"]
        lines += [
            f"  {currency}: debits minus credits is {minor}" for currency, minor in self.unbalanced.items()
        ]
        lines += [f"  {difference}" for difference in self.differences]
        if self.different > len(self.differences):
            lines.append(f"  … and {self.different - len(self.differences)} more accounts")
        lines += [f"  transaction {key} has no posting" for key in self.empty]
        return "\n".join(lines)


async def verify_ledger(db: Database) -> LedgerReport:
    """Recompute all balances and compare, in one snapshot while the shop runs on."""
    async with db.transaction():
        await db.execute("set transaction isolation level repeatable read, read only")
        counts = await db.fetchrow(_COUNTS)
        assert counts is not None  # noqa: S101 - a select without FROM has one row
        differences = [
            Difference(row["account"], *(int(value) for value in tuple(row.values())[1:]))
            for row in await db.fetch(_DIFFERENCES)
        ]
        empty = await db.fetch(_EMPTY)
        totals: dict[str, int] = {}
        for total in await trial_balance(db):
            totals[total.currency] = totals.get(total.currency, 0) + total.debits - total.credits
    return LedgerReport(
        **dict(counts),
        differences=tuple(differences[:SHOWN]),
        different=len(differences),
        empty=tuple(row["id"] for row in empty[:SHOWN]),
        unbalanced={currency: minor for currency, minor in totals.items() if minor},
    )
