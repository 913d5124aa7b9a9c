"""Money that comes in from outside: from a source's clearing account to the buyer's wallet, once for each reference."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from kameng.db import Database
from kameng.errors import InvalidInput, Refusal
from kameng_settlement.chart import Address, clearing_of, house, wallet_of
from kameng_settlement.contract import Receipt, Received
from kameng_settlement.ledger import Entry, Ledger, Transfer, key_used
from kameng_settlement.locking import lock_accounts
from kameng_settlement.statements import FIND_TRANSACTIONS

RECEIPT = "receipt"
"""The kind of ledger transaction that a receipt is."""

LONGEST_REFERENCE = 120
"""Characters of a reference."""


class LedgerReceipts:
    """Takes money in.

    Args:
        db: the ledger's database.
        ledger: the ledger.
    """

    def __init__(self, db: Database, ledger: Ledger) -> None:
        self._db = db
        self._ledger = ledger

    async def receive(self, receipts: Sequence[Receipt]) -> list[Received | Refusal]:
        """See `kameng_settlement.contract.Receipts.receive`."""
        sides = [_sides(receipt) for receipt in receipts]
        addresses = {address for side in sides if not isinstance(side, Refusal) for address in side}
        if not addresses:
            return [side for side in sides if isinstance(side, Refusal)]
        accounts = await self._ledger.accounts.open(addresses)
        # Two copies of one receipt name the same wallet, so they take turns here, and the second one finds the first.
        await lock_accounts(self._db, accounts.values())
        rows = await self._db.fetch(FIND_TRANSACTIONS, [receipt.key for receipt in receipts])
        known: dict[str, tuple[UUID, bytes]] = {row["key"]: (row["id"], row["fingerprint"]) for row in rows}
        answers: list[Received | Refusal] = []
        entries: list[Entry] = []
        for receipt, side in zip(receipts, sides, strict=True):
            if isinstance(side, Refusal):
                answers.append(side)
                continue
            clearing, wallet = (accounts[address] for address in side)
            amount = receipt.amount
            transfer = Transfer(clearing, wallet, amount.minor, amount.currency)
            entry = Entry(key=receipt.key, kind=RECEIPT, memo=receipt.memo, transfers=(transfer,))
            if receipt.key in known:
                transaction, fingerprint = known[receipt.key]
                same = fingerprint == entry.fingerprint
                answers.append(Received(transaction=transaction, fresh=False) if same else key_used())
            else:
                known[receipt.key] = (entry.id, entry.fingerprint)
                entries.append(entry)
                answers.append(Received(transaction=entry.id, fresh=True))
        if entries:
            await self._ledger.write(entries)
        return answers


def _sides(receipt: Receipt) -> tuple[Address, Address] | Refusal:
    """Where the money comes from and where it goes."""
    try:
        clearing = clearing_of(receipt.source)
    except InvalidInput as error:
        return error
    if receipt.amount.minor <= 0:
        return InvalidInput("Only an amount above zero can be received.", cure="Refund what was paid back.")
    if not 1 <= len(receipt.reference) <= LONGEST_REFERENCE or "\0" in receipt.reference:
        return InvalidInput(
            "A payment needs the reference that it has at its source.",
            cure=f"Give one of 1 to {LONGEST_REFERENCE} characters, such as the bank's number of it.",
            path=("input", "reference"),
        )
    currency = receipt.amount.currency
    return house(clearing, currency), wallet_of(receipt.member, currency)
