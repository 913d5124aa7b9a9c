"""Reading the ledger: its transactions and the trial balance."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import msgspec

from kameng.db import Database, Statement
from kameng.graphql.pages import Keyset, PageRequest
from kameng_settlement.periods import LedgerDate

TRANSACTIONS = Keyset("ledger-transactions", (("t.id", "uuid"),), descending=True)
"""Ledger transactions, the newest first: their ids grow with time."""

_SIDES = Statement(
    "settlement.read_sides",
    """
    select p.transaction, p.amount, p.currency,
           d.id as debit_id, d.kind as debit_kind, d.owner_kind as debit_owner_kind, d.owner_id as
           debit_owner_id, c.id as credit_id, c.kind as credit_kind, c.owner_kind as credit_owner_kind,
           c.owner_id as credit_owner_id
    from settlement_posting p
    join settlement_account d on d.id = p.debit_account
    join settlement_account c on c.id = p.credit_account
    where p.transaction = any($1::uuid[])
    order by p.transaction, p.seq
    """,
)

_BY_ID = Statement(
    "settlement.read_transactions",
    """
    select t.*, (select r.id from settlement_ledger_transaction r where r.reverses = t.id) as reversed_by
    from settlement_ledger_transaction t where t.id = any($1::uuid[])
    """,
)

_TRIAL_BALANCE = Statement(
    "settlement.trial_balance",
    """
    select a.currency, a.kind, count(distinct a.id) as accounts,
           sum(b.debits)::bigint as debits, sum(b.credits)::bigint as credits
    from settlement_balance b join settlement_account a on a.id = b.account
    group by a.currency, a.kind
    order by a.currency, a.kind
    """,
)


_TRIAL_BALANCE_AS_OF = """
    -- What there is now without what counts only afterwards, of one moment; as far back as one asks, so far one reads.
    with later as materialized (
        select id from settlement_ledger_transaction where posted_at >= $1 and {column} >= $1
        {and_more}
    ), undone as (
        select side.account, sum(side.debit) as debits, sum(side.credit) as credits
        from settlement_posting p
        join later on later.id = p.transaction
        cross join lateral (values (p.debit_account, p.amount, 0), (p.credit_account, 0, p.amount))
            as side(account, debit, credit)
        group by side.account
    ), then_had as (
        select b.account, b.debits - coalesce(u.debits, 0) as debits, b.credits - coalesce(u.credits, 0) as credits
        from (select account, sum(debits) as debits, sum(credits) as credits from settlement_balance group by account) b
        left join undone u using (account)
    )
    select a.currency, a.kind, count(*) as accounts, sum(h.debits)::bigint as debits, sum(h.credits)::bigint as credits
    from then_had h join settlement_account a on a.id = h.account
    where h.debits > 0 or h.credits > 0
    group by a.currency, a.kind
    order by a.currency, a.kind
"""

_AS_OF = {
    LedgerDate.POSTED: Statement(
        "settlement.trial_balance_posted", _TRIAL_BALANCE_AS_OF.format(column="posted_at", and_more="")
    ),
    LedgerDate.EFFECTIVE: Statement(
        "settlement.trial_balance_effective",
        # What was posted before and counts for later; served by settlement_ledger_transaction_effective.
        _TRIAL_BALANCE_AS_OF.format(
            column="effective_at",
            and_more="""
            union all
            select id from settlement_ledger_transaction
            where effective_at <> posted_at and effective_at >= $1 and posted_at < $1
            """,
        ),
    ),
}


class Side(msgspec.Struct, frozen=True):
    """An account as a posting names it."""

    id: UUID
    kind: str
    owner_kind: str
    owner_id: UUID


class StoredPosting(msgspec.Struct, frozen=True):
    """A posting with its two accounts."""

    debit: Side
    credit: Side
    minor: int
    currency: str


class StoredTransaction(msgspec.Struct, frozen=True):
    """A ledger transaction as it is kept."""

    id: UUID
    key: str
    kind: str
    memo: str
    effective_at: datetime
    posted_at: datetime
    reverses: UUID | None
    reversed_by: UUID | None


class KindTotal(msgspec.Struct, frozen=True):
    """What all accounts of a kind and currency have taken in and given out."""

    currency: str
    kind: str
    accounts: int
    debits: int
    credits: int


async def transaction_page(
    db: Database,
    page: PageRequest,
    *,
    kind: str | None = None,
    since: datetime | None = None,
    until: datetime | None = None,
) -> list[StoredTransaction]:
    """A page of ledger transactions, with one more than asked for.

    Args:
        db: where they are.
        page: which page.
        kind: only those of a kind.
        since, until: those that were posted then; the first moment, and the first one after.
    """
    conditions, values = ["true"], list[object]()
    for condition, value in (
        ("t.kind = ${}", kind),
        ("t.posted_at >= ${}", since),
        ("t.posted_at < ${}", until),
        # Keys grow with time, so that a range of them is a range of the index; clocks may differ by some minutes.
        ("t.id >= ${}", since and _first_key(since - _CLOCKS)),
        ("t.id < ${}", until and _first_key(until + _CLOCKS)),
    ):
        if value is not None:
            values.append(value)
            conditions.append(condition.format(len(values)))
    behind, tail, cursor = page.clauses(TRANSACTIONS, len(values) + 1)
    rows = await db.fetch(
        f"""
        select t.*, (select r.id from settlement_ledger_transaction r where r.reverses = t.id) as reversed_by
        from settlement_ledger_transaction t where {" and ".join(conditions)} and {behind} {tail}
        """,
        *values,
        *cursor,
    )
    return [_stored(row) for row in rows]


async def transactions_by_id(db: Database, keys: Sequence[UUID]) -> list[StoredTransaction | None]:
    """Ledger transactions in the order of their keys. One statement."""
    found = {row["id"]: _stored(row) for row in await db.fetch(_BY_ID, list(keys))}
    return [found.get(key) for key in keys]


async def postings_of(db: Database, transactions: Sequence[UUID]) -> list[list[StoredPosting]]:
    """The postings of each transaction. One statement."""
    found: dict[UUID, list[StoredPosting]] = {key: [] for key in transactions}
    for row in await db.fetch(_SIDES, list(found)):
        debit, credit = (
            Side(*(row[f"{side}_{name}"] for name in Side.__struct_fields__)) for side in ("debit", "credit")
        )
        found[row["transaction"]].append(StoredPosting(debit, credit, row["amount"], row["currency"]))
    return [found[key] for key in transactions]


async def trial_balance(
    db: Database, until: datetime | None = None, by: LedgerDate = LedgerDate.POSTED
) -> list[KindTotal]:
    """All accounts added up by currency and kind; debits and credits of a currency are equal. One statement.

    Args:
        db: where they are.
        until: as it was then: the first moment that does not count any more; None: as it is now, with all that counts for later.
        by: which date of a transaction lies before that.
    """
    rows = await (db.fetch(_TRIAL_BALANCE) if until is None else db.fetch(_AS_OF[by], until))
    return [KindTotal(*row.values()) for row in rows]


_CLOCKS = timedelta(minutes=10)
"""How far the clocks of web machines may be off from the database's."""


def _first_key(moment: datetime) -> UUID:
    """The smallest UUIDv7 of a millisecond (RFC 9562 §5.7)."""
    return UUID(int=max(0, int(moment.timestamp() * 1000)) << 80)


def _stored(row: Mapping[str, Any]) -> StoredTransaction:
    return StoredTransaction(**{name: row[name] for name in StoredTransaction.__struct_fields__})
