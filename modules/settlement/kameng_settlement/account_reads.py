"""Finding accounts and what is in them, for whoever keeps the books."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

import msgspec

from kameng.db import Database, Statement
from kameng.graphql.pages import Keyset, PageRequest
from kameng_settlement.chart import HOUSE

ACCOUNTS = Keyset("ledger-accounts", (("a.kind", "text"), ("a.currency", "text")), descending=False)
"""The shop's own accounts, by kind and currency, of which there is one each."""

_BY_ID = Statement(
    "settlement.read_accounts",
    "select id, kind, owner_kind, owner_id, currency, bounded from settlement_account where id = any($1::uuid[])",
)

_FIGURES = Statement(
    "settlement.read_account_figures",
    """
    select account, sum(debits)::bigint as debits, sum(credits)::bigint as credits, sum(pending)::bigint as pending,
        sum(floor)::bigint as floor
    from settlement_balance where account = any($1::uuid[]) group by account
    """,
)


class StoredAccount(msgspec.Struct, frozen=True):
    """An account as it is kept.

    Attributes:
        id: its key.
        kind, owner_kind, owner_id, currency, bounded: see `kameng_settlement.tables.Account`.
    """

    id: UUID
    kind: str
    owner_kind: str
    owner_id: UUID
    currency: str
    bounded: bool


class Figures(msgspec.Struct, frozen=True):
    """What is in an account, in minor units.

    Attributes:
        debits, credits: what it has given out and taken in.
        pending: what is held.
        floor: below which it never goes; None where it has none.
    """

    debits: int = 0
    credits: int = 0
    pending: int = 0
    floor: int | None = None


async def house_accounts(db: Database, page: PageRequest) -> list[StoredAccount]:
    """A page of the shop's own accounts, with one more than asked for."""
    behind, tail, cursor = page.clauses(ACCOUNTS, 2)
    rows = await db.fetch(
        f"""
        select a.id, a.kind, a.owner_kind, a.owner_id, a.currency, a.bounded
        from settlement_account a where a.owner_id = $1 and {behind} {tail}
        """,
        HOUSE,
        *cursor,
    )
    return [StoredAccount(*row.values()) for row in rows]


async def accounts_by_id(db: Database, keys: Sequence[UUID]) -> list[StoredAccount | None]:
    """Accounts in the order of their keys. One statement."""
    found = {row["id"]: StoredAccount(*row.values()) for row in await db.fetch(_BY_ID, list(keys))}
    return [found.get(key) for key in keys]


async def figures_of(db: Database, keys: Sequence[UUID]) -> list[Figures]:
    """What is in each account, in order. One statement."""
    found = {
        row["account"]: Figures(*tuple(row.values())[1:]) for row in await db.fetch(_FIGURES, list(keys))
    }
    return [found.get(key, Figures()) for key in keys]
