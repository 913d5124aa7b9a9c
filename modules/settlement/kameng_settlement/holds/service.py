"""Holds of members' wallets, as other modules use them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from kameng.errors import Refusal
from kameng.money import check_currency
from kameng_settlement.chart import SALES, house, wallet_of
from kameng_settlement.hold_contract import (
    Held,
    Hold,
    HoldPosted,
    HoldPosting,
    HoldVoided,
    HoldVoiding,
)
from kameng_settlement.holds.placing import Placement, place_holds
from kameng_settlement.holds.resolving import post_holds, void_holds

if TYPE_CHECKING:
    from kameng.db import Database
    from kameng_settlement.ledger import Ledger


class LedgerHolds:
    """Sets money aside.

    Args:
        db: the ledger's database.
        ledger: the ledger.
    """

    def __init__(self, db: Database, ledger: Ledger) -> None:
        self._db = db
        self._ledger = ledger

    async def place(self, holds: Sequence[Hold]) -> list[Held | Refusal]:
        """See `kameng_settlement.contract.Holds.place`."""
        sides = [
            (
                wallet_of(hold.member, check_currency(hold.amount.currency)),
                house(SALES, hold.amount.currency),
            )
            for hold in holds
        ]
        accounts = await self._ledger.accounts.open(address for side in sides for address in side)
        return await place_holds(
            self._db,
            [
                Placement(
                    key=hold.key,
                    debit=accounts[wallet],
                    credit=accounts[sales],
                    minor=hold.amount.minor,
                    currency=hold.amount.currency,
                    memo=hold.memo,
                    lasts=hold.lasts,
                )
                for hold, (wallet, sales) in zip(holds, sides, strict=True)
            ],
        )

    async def post(self, postings: Sequence[HoldPosting]) -> list[HoldPosted | Refusal]:
        """See `kameng_settlement.contract.Holds.post`."""
        return await post_holds(self._db, self._ledger, postings)

    async def void(self, voidings: Sequence[HoldVoiding]) -> list[HoldVoided | Refusal]:
        """See `kameng_settlement.contract.Holds.void`."""
        return await void_holds(self._db, voidings)
