"""Looking at wallets."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from kameng.db import Database
from kameng.money import Money
from kameng_settlement.contract import Wallet
from kameng_settlement.statements import READ_WALLETS


class LedgerWallets:
    """Members' wallets as the ledger has them.

    Args:
        db: the ledger's database.
    """

    def __init__(self, db: Database) -> None:
        self._db = db

    async def wallets(self, members: Sequence[UUID], currency: str) -> list[Wallet]:
        """See `kameng_settlement.contract.Wallets.wallets`."""
        return await self.of([(member, currency) for member in members])

    async def of(self, holders: Sequence[tuple[UUID, str]]) -> list[Wallet]:
        """The wallet of each member in each currency, in order; an unused one is empty. One statement."""
        rows = await self._db.fetch(
            READ_WALLETS, [member for member, _ in holders], [currency for _, currency in holders]
        )
        held = {row["place"]: (row["balance"], row["available"]) for row in rows}
        return [
            Wallet(member=member, balance=Money(balance, currency), available=Money(available, currency))
            for place, (member, currency) in enumerate(holders, start=1)
            for balance, available in (held.get(place, (0, 0)),)
        ]
