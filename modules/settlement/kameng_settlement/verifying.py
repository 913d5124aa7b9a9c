"""Proving the ledger: every balance recomputed from the postings, the books in balance, and the days as they were sealed."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING
from uuid import UUID

import msgspec

from kameng.db import Database
from kameng_settlement.days.proving import Anchor, prove_days, read_days
from kameng_settlement.journal import trial_balance
from kameng_settlement.verifying_statements import BROKEN, COUNTS, DIFFERENCES, EMPTY, PENDING

if TYPE_CHECKING:
    from kameng.vault import Vault

SHOWN = 100
"""Differences of each kind that a report lists; it counts all of them."""


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
        broken: what else is wrong, for people, at most `SHOWN`: holds, floors, rows that belong to nothing.
        chain: what differs from the sealed days; at most `SHOWN`.
        sealed: how many days are sealed.
        head: the newest of them; None where there is none, or the chain was not looked at.
        found: how many things are wrong altogether.
    """

    accounts: int
    transactions: int
    postings: int
    differences: tuple[Difference, ...]
    different: int
    empty: tuple[UUID, ...]
    unbalanced: dict[str, int]
    broken: tuple[str, ...] = ()
    chain: tuple[str, ...] = ()
    sealed: int = 0
    head: Anchor | None = None
    found: int = 0

    @property
    def ok(self) -> bool:
        """Whether the ledger is whole."""
        return not self.found

    @property
    def findings(self) -> list[str]:
        """Everything that is wrong, for people."""
        lines = [
            f"{currency}: debits minus credits is {minor}" for currency, minor in self.unbalanced.items()
        ]
        lines += [str(difference) for difference in self.differences]
        if self.different > len(self.differences):
            lines.append(f"… and {self.different - len(self.differences)} more accounts")
        lines += [f"transaction {key} has no posting" for key in self.empty]
        return [*lines, *self.broken, *self.chain]

    def __str__(self) -> str:
        looked = f"{self.accounts} accounts, {self.transactions} transactions, {self.postings} postings"
        if self.ok:
            lines = [f"The ledger is whole: {looked}; the trial balance of every currency is zero."]
        else:
            lines = [f"The ledger is NOT whole ({looked}):", *(f"  {finding}" for finding in self.findings)]
        if self.head is not None:
            lines.append(f"{self.sealed} days are sealed, the newest one is {self.head.day}.")
            lines.append(f"Anchor (keep it elsewhere, and give it to the next verification): {self.head}")
        return "\n".join(lines)


async def verify_ledger(
    db: Database, vault: Vault | None = None, *, newest: int | None = None, anchor: Anchor | None = None
) -> LedgerReport:
    """Recompute everything and compare, in one snapshot while the shop runs on.

    Args:
        db: the ledger's.
        vault: holds the key with which days are signed; None: the chain is not looked at.
        newest: of how many sealed days the content is hashed anew; None: of all.
        anchor: a sealed day that was noted down elsewhere.
    """
    async with db.transaction():
        await db.execute("set transaction isolation level repeatable read, read only")
        counts = await db.fetchrow(COUNTS)
        assert counts is not None  # noqa: S101 - a select without FROM has one row
        differences = await balance_differences(db)
        empty = [row["id"] for row in await db.fetch(EMPTY)]
        broken = [row["finding"] for row in await db.fetch(PENDING)]
        broken += [row["finding"] for row in await db.fetch(BROKEN)]
        unbalanced: dict[str, int] = {}
        for total in await trial_balance(db):
            unbalanced[total.currency] = unbalanced.get(total.currency, 0) + total.debits - total.credits
        unbalanced = {currency: minor for currency, minor in unbalanced.items() if minor}
        days = await read_days(db) if vault else []
        chain = await prove_days(db, vault, days, newest=newest, anchor=anchor) if vault else []
    return LedgerReport(
        **dict(counts),
        differences=tuple(differences[:SHOWN]),
        different=len(differences),
        empty=tuple(empty[:SHOWN]),
        unbalanced=unbalanced,
        broken=tuple(broken[:SHOWN]),
        chain=tuple(chain[:SHOWN]),
        sealed=len(days),
        head=Anchor(days[-1].day, days[-1].hash) if days else None,
        found=len(differences) + len(empty) + len(unbalanced) + len(broken) + len(chain),
    )


async def balance_differences(db: Database) -> list[Difference]:
    """All accounts whose kept balance is not what the journal adds up to. One statement over all postings."""
    return [
        Difference(row["account"], *(int(value) for value in tuple(row.values())[1:]))
        for row in await db.fetch(DIFFERENCES)
    ]


async def anchors(db: Database, since: date | None = None) -> list[Anchor]:
    """The sealed days as anchors, the oldest first; all of them, or those from a day on."""
    return [
        Anchor(sealed.day, sealed.hash)
        for sealed in await read_days(db)
        if since is None or sealed.day >= since
    ]
