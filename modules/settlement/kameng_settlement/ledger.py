"""The ledger: entries of balanced postings, each written once and for ever."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from hashlib import sha256
from uuid import UUID

import asyncpg
import msgspec

from kameng.db import Database
from kameng.errors import Conflict, NotFound
from kameng.ids import new_id
from kameng_settlement.accounts import Accounts
from kameng_settlement.contract import InsufficientFunds
from kameng_settlement.locking import lock_accounts
from kameng_settlement.statements import (
    FIND_TRANSACTION,
    LOCK_REFUNDS,
    MARK_REVERSED,
    OPEN_REFUNDS,
    POST,
    READ_POSTINGS,
)


class AlreadyReversed(Conflict):
    """The ledger transaction was reversed before, or is a reversal itself."""

    code = "ALREADY_REVERSED"


class AlreadyRefunded(Conflict):
    """Something of the charge was refunded, so it cannot be reversed as a whole."""

    code = "ALREADY_REFUNDED"


CHARGE = "charge"
"""The kind of ledger transaction that a charge is."""


class Transfer(msgspec.Struct, frozen=True):
    """An amount from one account to another.

    Attributes:
        debit, credit: the accounts' keys, which differ and have the same currency.
        minor: the amount in minor units, more than zero.
        currency: ISO 4217.
    """

    debit: UUID
    credit: UUID
    minor: int
    currency: str


class Entry(msgspec.Struct, frozen=True, kw_only=True):
    """A ledger transaction to write.

    Attributes:
        key: unique for ever, such as ``order:<id>``; at most 200 characters.
        kind: what happened, such as ``charge``.
        transfers: what moves; at least one.
        memo: for people; at most 500 characters, no personal data.
        effective_at: when it counts; None: now.
        reverses: the transaction that it takes back.
        id: its own key.
    """

    key: str
    kind: str
    transfers: tuple[Transfer, ...]
    memo: str = ""
    effective_at: datetime | None = None
    reverses: UUID | None = None
    id: UUID = msgspec.field(default_factory=new_id)

    @property
    def fingerprint(self) -> bytes:
        """What tells a repetition from another entry under the same key: 32 bytes, over all but the id."""
        return sha256(
            msgspec.msgpack.encode(
                (self.kind, self.transfers, self.memo, self.effective_at, self.reverses),
                order="deterministic",
            )
        ).digest()


class Posted(msgspec.Struct, frozen=True):
    """An entry that is in the ledger.

    Attributes:
        transaction: its key.
        fresh: whether it was written now; false where the same was asked for before.
    """

    transaction: UUID
    fresh: bool


class Ledger:
    """Writes the ledger. All calls that move money belong inside a transaction.

    Args:
        db: where it is.

    Attributes:
        accounts: its accounts.
    """

    def __init__(self, db: Database) -> None:
        self._db = db
        self.accounts = Accounts(db)

    async def write(self, entries: Sequence[Entry]) -> None:
        """Write entries whose bounded accounts are locked and hold enough. One statement.

        Raises:
            Conflict: a key was used before, or a transaction reversed before. The caller's transaction, or
                the savepoint it is in, is lost.
        """
        transfers = [
            (entry.id, number, transfer)
            for entry in entries
            for number, transfer in enumerate(entry.transfers, start=1)
        ]
        try:
            await self._db.execute(
                POST,
                [entry.id for entry in entries],
                [entry.key for entry in entries],
                [entry.fingerprint for entry in entries],
                [entry.kind for entry in entries],
                [entry.memo for entry in entries],
                [entry.effective_at for entry in entries],
                [entry.reverses for entry in entries],
                [transaction for transaction, _, _ in transfers],
                [number for _, number, _ in transfers],
                [transfer.debit for _, _, transfer in transfers],
                [transfer.credit for _, _, transfer in transfers],
                [transfer.minor for _, _, transfer in transfers],
                [transfer.currency for _, _, transfer in transfers],
            )
        except asyncpg.UniqueViolationError as error:
            if error.constraint_name == "settlement_ledger_transaction_reversed":
                raise _already_reversed() from error
            raise key_used() from error

    async def post(self, entry: Entry) -> Posted:
        """Write an entry, or find the one that was written under its key.

        Raises:
            Conflict: the key was used for something else.
            AlreadyReversed: the transaction that it takes back was taken back before.
            InsufficientFunds: a bounded account would go below its floor. Nothing was changed.
        """
        for last_try in (False, True):
            if (known := await self._known(entry)) is not None:
                return Posted(known, fresh=False)
            try:
                async with self._db.transaction():
                    await self._lock(entry)
                    await self.write([entry])
                return Posted(entry.id, fresh=True)
            except AlreadyReversed:
                raise
            except Conflict:
                # Somebody else wrote under this key between our look and our insert, and is committed by now.
                if last_try:
                    raise
        raise AssertionError  # the second try returns or raises

    async def reverse(self, transaction: UUID, *, key: str, memo: str = "") -> Posted:
        """Take a transaction back by a new one with the sides exchanged. That can be done once.

        Args:
            transaction: the one to take back.
            key: the reversal's own idempotency key.
            memo: why.

        Raises:
            NotFound: there is no such transaction.
            AlreadyReversed: it was reversed before, or is a reversal itself.
            Conflict: the key was used for something else.
            AlreadyRefunded: it is a charge of which something was refunded.
            InsufficientFunds: the money is not there any more.
        """
        rows = await self._db.fetch(READ_POSTINGS, transaction)
        if not rows:
            raise NotFound("There is no such ledger transaction.", cure="Check its id.")
        if rows[0]["reverses"] is not None:
            raise AlreadyReversed(
                "This ledger transaction is a reversal, which is final.", cure="Post what was meant anew."
            )
        if rows[0]["reversed_by"] not in (None, key):
            # Whoever asks twice hears this, and not that the money is gone, which went back the first time.
            raise _already_reversed()
        entry = Entry(
            key=key,
            kind="reversal",
            memo=memo,
            reverses=transaction,
            transfers=tuple(
                Transfer(row["credit_account"], row["debit_account"], row["amount"], row["currency"])
                for row in rows
            ),
        )
        if rows[0]["kind"] != CHARGE:
            return await self.post(entry)
        # Refunds and the reversal of one charge take turns, so that the money goes back once.
        async with self._db.transaction():
            await self._db.execute(OPEN_REFUNDS, [transaction])
            if (await self._db.fetch(LOCK_REFUNDS, [transaction]))[0]["refunded"]:
                raise AlreadyRefunded(
                    "Something of this charge was refunded.", cure="Refund the rest instead of reversing it."
                )
            posted = await self.post(entry)
            await self._db.execute(MARK_REVERSED, transaction)
        return posted

    async def _known(self, entry: Entry) -> UUID | None:
        row = await self._db.fetchrow(FIND_TRANSACTION, entry.key)
        if row is None:
            return None
        if row["fingerprint"] != entry.fingerprint:
            raise key_used()
        known: UUID = row["id"]
        return known

    async def _lock(self, entry: Entry) -> None:
        net: dict[UUID, int] = {}
        for transfer in entry.transfers:
            net[transfer.debit] = net.get(transfer.debit, 0) - transfer.minor
            net[transfer.credit] = net.get(transfer.credit, 0) + transfer.minor
        rooms = await lock_accounts(self._db, net)
        for account, room in rooms.items():
            if net[account] < 0 and room.minor + net[account] < 0:
                raise InsufficientFunds(
                    "The account that should pay holds less than the amount.", cure="Take a smaller amount."
                )


def key_used() -> Conflict:
    """The refusal of an idempotency key that was used before."""
    return Conflict(
        "This idempotency key was used for something else.",
        cure="Take a fresh key for something new; repeat the same input to get the first answer again.",
    )


def _already_reversed() -> AlreadyReversed:
    return AlreadyReversed("This ledger transaction was reversed before.", cure="Look at its reversal.")
