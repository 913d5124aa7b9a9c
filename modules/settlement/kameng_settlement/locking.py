"""The ledger's only locks: rows of bounded accounts, always in the order of their keys.

Whoever decides on what is in an account locks it here first and decides on the room that this answers. Since
all locks are taken in one order, no two batches can wait for each other in a circle.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from uuid import UUID

from kameng.db import Database
from kameng.errors import TransactionError
from kameng_settlement.statements import LOCK_ACCOUNTS, LOCK_WALLETS


@dataclass(slots=True)
class Room:
    """A locked account and what may leave it.

    Attributes:
        account: its key.
        minor: minor units down to its floor, holds subtracted; whoever spends keeps count here.
    """

    account: UUID
    minor: int


async def lock_accounts(db: Database, accounts: Iterable[UUID]) -> dict[UUID, Room]:
    """Lock the bounded ones among some accounts until the transaction ends. One statement.

    Raises:
        TransactionError: there is no transaction, so the locks would be gone at once.
    """
    _insist_on_transaction(db)
    rows = await db.fetch(LOCK_ACCOUNTS, list(set(accounts)))
    return {row["account"]: Room(row["account"], row["room"]) for row in rows}


async def lock_wallets(db: Database, holders: Iterable[tuple[UUID, str]]) -> dict[tuple[UUID, str], Room]:
    """Lock members' wallets until the transaction ends; who has none is missing from the answer. One
    statement.

    Args:
        db: the ledger's database.
        holders: member and currency of each wallet.

    Raises:
        TransactionError: there is no transaction, so the locks would be gone at once.
    """
    _insist_on_transaction(db)
    wanted = list(set(holders))
    rows = await db.fetch(
        LOCK_WALLETS, [member for member, _ in wanted], [currency for _, currency in wanted]
    )
    return {(row["member"], row["currency"]): Room(row["account"], row["room"]) for row in rows}


def _insist_on_transaction(db: Database) -> None:
    if db.scope is None:
        raise TransactionError(
            "Money is only moved inside a transaction.",
            cure="Call it within `async with kernel.db.transaction():`.",
        )
