"""Money that follows its owner: all that one wallet's owner has goes to another's, such as a guest's to the member he becomes."""

from __future__ import annotations

from uuid import UUID

from kameng.db import Database, Statement
from kameng.errors import InvalidInput
from kameng.money import Money
from kameng_settlement.chart import wallet_of
from kameng_settlement.contract import Moved
from kameng_settlement.ledger import Entry, Ledger, Transfer
from kameng_settlement.locking import lock_accounts
from kameng_settlement.statements import FIND_TRANSACTIONS

WALLET_MOVE = "wallet_move"
"""The kind of ledger transaction that such a move is."""

LONGEST_KEY = 190
"""Characters of a caller's key; the currency is added to it."""

_WALLETS_OF = Statement(
    "settlement.wallets_of_one",
    # Served by the unique constraint on owner, kind, currency and owner's kind.
    """
    select id, currency from settlement_account
    where owner_id = $1 and kind = 'wallet' and owner_kind = 'member'
    order by currency
    """,
)


class LedgerMoves:
    """Empties wallets into others.

    Args:
        db: the ledger's database.
        ledger: the ledger.
    """

    def __init__(self, db: Database, ledger: Ledger) -> None:
        self._db = db
        self._ledger = ledger

    async def empty(self, giver: UUID, taker: UUID, key: str, memo: str = "") -> list[Moved]:
        """See `kameng_settlement.contract.WalletMoves.empty`. One statement where the giver has no wallet, else at most six."""
        if giver == taker:
            raise InvalidInput("Nobody moves money to himself.", cure="Name two owners.")
        if not 1 <= len(key) <= LONGEST_KEY:
            raise InvalidInput(
                "A move of money needs a key.", cure=f"Give one of 1 to {LONGEST_KEY} characters."
            )
        given = {row["currency"]: row["id"] for row in await self._db.fetch(_WALLETS_OF, giver)}
        if not given:
            return []
        addresses = {currency: wallet_of(taker, currency) for currency in given}
        taken = await self._ledger.accounts.open(addresses.values())
        # Both sides of all currencies at once, in the order of their keys; what decides is read after that.
        rooms = await lock_accounts(self._db, [*given.values(), *taken.values()])
        keys = {currency: f"{key}:{currency}" for currency in given}
        known = {row["key"] for row in await self._db.fetch(FIND_TRANSACTIONS, list(keys.values()))}
        entries, moved = [], []
        for currency, account in given.items():
            minor = rooms[account].minor
            if minor <= 0 or keys[currency] in known:
                continue
            transfer = Transfer(account, taken[addresses[currency]], minor, currency)
            entry = Entry(key=keys[currency], kind=WALLET_MOVE, memo=memo, transfers=(transfer,))
            entries.append(entry)
            moved.append(Moved(transaction=entry.id, amount=Money(minor, currency)))
        if entries:
            await self._ledger.write(entries)
        return moved
