"""Reading the ledger by account: the lines of a statement, page by page or by key."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

import msgspec

from kameng.db import Database, Statement
from kameng.graphql.nested import by_owner, for_each
from kameng.graphql.pages import Keyset, PageRequest

LINES = Keyset("account-lines", (("p.id", "bigint"),), descending=True)
"""The lines of an account, the newest first."""

_BY_KEY = Statement(
    "settlement.read_lines",
    """
    select p.id, p.transaction, t.kind, t.memo, t.effective_at, t.posted_at,
           case when w.credit then p.amount else -p.amount end as credited, p.currency,
           a.kind as account_kind, a.owner_id
    from unnest($1::bigint[], $2::bool[]) as w(posting, credit)
    join settlement_posting p on p.id = w.posting
    join settlement_account a on a.id = case when w.credit then p.credit_account else p.debit_account end
    join settlement_ledger_transaction t on t.id = p.transaction
    """,
)

_BALANCE_AFTER = Statement(
    "settlement.balance_after_line",
    # What is there now without what came after: both of the same moment, and a range of each index that is as long as the
    # pages before this one.
    """
    select coalesce((select sum(credits) - sum(debits) from settlement_balance where account = $1), 0)::bigint
        + coalesce((select sum(amount) from settlement_posting where debit_account = $1 and id > $2), 0)::bigint
        - coalesce((select sum(amount) from settlement_posting where credit_account = $1 and id > $2), 0)::bigint
    """,
)

_VARIANT = 8 << 76 | 2 << 62
"""The bits that make sixteen bytes a UUID of our own layout: version 8, variant 2 (RFC 9562 §5.8)."""

_CREDIT_SIDE = 1 << 80
_POSTING = (1 << 62) - 1


class Line(msgspec.Struct, frozen=True):
    """One side of a posting, as the account that it touches sees it.

    Attributes:
        id: the posting's number.
        transaction: the ledger transaction that it belongs to.
        kind, memo, effective_at, posted_at: of that transaction.
        credited: minor units that came in on the credit side; negative where they went out on the debit side.
        currency: ISO 4217.
    """

    id: int
    transaction: UUID
    kind: str
    memo: str
    effective_at: datetime
    posted_at: datetime
    credited: int
    currency: str

    @property
    def key(self) -> UUID:
        """What tells it from all other lines: its posting and its side, in a UUID of our own layout."""
        return UUID(int=_VARIANT | self.id | (_CREDIT_SIDE if self.credited > 0 else 0))


class OwnedLine(Line, frozen=True):
    """A line, and whose it is.

    Attributes:
        account_kind: an entry of the chart of accounts, such as ``wallet``.
        owner_id: who the account belongs to; `HOUSE` for the shop.
    """

    account_kind: str
    owner_id: UUID


async def lines_of_accounts(db: Database, accounts: Sequence[UUID], page: PageRequest) -> list[list[Line]]:
    """A page of each account's lines, and one more than asked for. One statement, which reads two ranges of indexes for
    each account, however many lines it has.
    """
    behind, tail, cursor = page.clauses(LINES, 2)
    side = "select p.id, p.transaction, {sign}p.amount as credited, p.currency from settlement_posting p"
    lines = f"""
        select p.*, t.kind, t.memo, t.effective_at, t.posted_at
        from (
            ({side.format(sign="-")} where p.debit_account = owner.key and {behind} {tail})
            union all
            ({side.format(sign="")} where p.credit_account = owner.key and {behind} {tail})
        ) as p
        join settlement_ledger_transaction t on t.id = p.transaction
        {tail}
        """
    rows = await db.fetch(Statement("settlement.account_lines", for_each(lines)), accounts, *cursor)
    return [
        [Line(**{name: row[name] for name in Line.__struct_fields__}) for row in group]
        for group in by_owner(rows, accounts)
    ]


async def lines_by_key(db: Database, keys: Sequence[UUID]) -> list[OwnedLine | None]:
    """Lines in the order of their keys, whoever's they are; None where there is none. One statement."""
    rows = await db.fetch(
        _BY_KEY, [key.int & _POSTING for key in keys], [bool(key.int & _CREDIT_SIDE) for key in keys]
    )
    lines = [OwnedLine(**{name: row[name] for name in OwnedLine.__struct_fields__}) for row in rows]
    found = {line.key: line for line in lines}
    return [found.get(key) for key in keys]


async def balance_after(db: Database, account: UUID, posting: int) -> int:
    """What was in an account after one of its postings, in minor units. One statement."""
    found: int = await db.fetchval(_BALANCE_AFTER, account, posting)
    return found
