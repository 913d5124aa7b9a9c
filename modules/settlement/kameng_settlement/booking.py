"""Posting between accounts of the chart, a batch at a time."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING
from uuid import UUID

from kameng.errors import InvalidInput, Refusal
from kameng.money import check_currency
from kameng_settlement.book_contract import Booked, Booking, Exchange, Holder, Move
from kameng_settlement.chart import EXCHANGE, HOUSE, Address, Chart
from kameng_settlement.contract import InsufficientFunds
from kameng_settlement.ledger import Entry, Ledger, Transfer, key_used
from kameng_settlement.locking import lock_accounts
from kameng_settlement.statements import FIND_TRANSACTIONS

if TYPE_CHECKING:
    from kameng.db import Database

EXCHANGED = "exchange"
"""The kind of ledger transaction that an exchange is."""

LONGEST_KEY = 200
LONGEST_KIND = 60
LONGEST_MEMO = 500


class LedgerBooks:
    """Posts what other modules book.

    Args:
        db: the ledger's database.
        ledger: the ledger.
        chart: the kinds of account that there are.
    """

    def __init__(self, db: Database, ledger: Ledger, chart: Chart) -> None:
        self._db = db
        self._ledger = ledger
        self._chart = chart

    async def book(self, bookings: Sequence[Booking]) -> list[Booked | Refusal]:
        """See `kameng_settlement.contract.Books.book`. Three statements where all accounts exist."""
        sides = [self._sides(booking) for booking in bookings]
        addresses = {
            address for side in sides if not isinstance(side, Refusal) for pair in side for address in pair
        }
        if not addresses:
            return [side for side in sides if isinstance(side, Refusal)]
        accounts = await self._ledger.accounts.open(addresses)
        rooms = await lock_accounts(self._db, accounts.values())
        rows = await self._db.fetch(FIND_TRANSACTIONS, [booking.key for booking in bookings])
        known: dict[str, tuple[UUID, bytes]] = {row["key"]: (row["id"], row["fingerprint"]) for row in rows}
        answers: list[Booked | Refusal] = []
        entries: list[Entry] = []
        for booking, side in zip(bookings, sides, strict=True):
            if isinstance(side, Refusal):
                answers.append(side)
                continue
            entry = _entry(booking, [(accounts[debit], accounts[credit]) for debit, credit in side])
            net = _net(entry)
            if booking.key in known:
                transaction, fingerprint = known[booking.key]
                same = fingerprint == entry.fingerprint
                answers.append(Booked(transaction=transaction, fresh=False) if same else key_used())
            elif any(minor < 0 and a in rooms and rooms[a].minor + minor < 0 for a, minor in net.items()):
                answers.append(_too_little())
            else:
                for account, minor in net.items():
                    if account in rooms:
                        rooms[account].minor += minor
                known[booking.key] = (entry.id, entry.fingerprint)
                entries.append(entry)
                answers.append(Booked(transaction=entry.id, fresh=True))
        if entries:
            await self._ledger.write(entries)
        return answers

    async def exchange(self, exchanges: Sequence[Exchange]) -> list[Booked | Refusal]:
        """See `kameng_settlement.contract.Books.exchange`."""
        between = Holder(EXCHANGE.code)
        bookings: list[Booking] = []
        answers: list[Booked | Refusal | None] = []
        for wanted in exchanges:
            if wanted.given.currency == wanted.taken.currency:
                answers.append(
                    InvalidInput("Both sides of an exchange have one currency.", cure="Book it as a move.")
                )
                continue
            answers.append(None)
            moves = (
                Move(wanted.giver, between, wanted.given),
                Move(between, wanted.taker, wanted.taken),
            )
            bookings.append(Booking(key=wanted.key, kind=EXCHANGED, moves=moves, memo=wanted.memo))
        booked = iter(await self.book(bookings))
        return [next(booked) if answer is None else answer for answer in answers]

    async def reverse(self, transaction: UUID, *, key: str, memo: str = "") -> Booked:
        """See `kameng_settlement.contract.Books.reverse`."""
        posted = await self._ledger.reverse(transaction, key=key, memo=memo)
        return Booked(transaction=posted.transaction, fresh=posted.fresh)

    def _sides(self, booking: Booking) -> list[tuple[Address, Address]] | Refusal:
        """The accounts of each move, or why it cannot be booked."""
        for name, text, longest, least in (
            ("key", booking.key, LONGEST_KEY, 1),
            ("kind", booking.kind, LONGEST_KIND, 1),
            ("memo", booking.memo, LONGEST_MEMO, 0),
        ):
            if not least <= len(text) <= longest or "\0" in text:
                return InvalidInput(
                    f"This {name} cannot be kept.", cure=f"Give {least} to {longest} characters."
                )
        if not booking.moves:
            return InvalidInput("A booking moves something.", cure="Give at least one move.")
        try:
            sides = [
                (self._address(move.debit, move), self._address(move.credit, move)) for move in booking.moves
            ]
        except InvalidInput as error:
            return error
        if any(debit == credit for debit, credit in sides):
            return InvalidInput("Money moves between two accounts.", cure="Name two different ones.")
        return sides

    def _address(self, holder: Holder, move: Move) -> Address:
        kind = self._chart.kind(holder.kind)
        if kind is None:
            raise InvalidInput(
                f"There is no kind of account {holder.kind[:60]!r}.",
                cure="Declare it by `Module.contributes`, or name one of the chart.",
            )
        if (kind.owner_kind == "house") != (holder.owner == HOUSE):
            raise InvalidInput(
                f"Accounts of kind {holder.kind} belong to the {kind.owner_kind}.", cure="Name that owner."
            )
        if move.amount.minor <= 0:
            raise InvalidInput("Only an amount above zero can be moved.", cure="Exchange the two sides.")
        return Address(kind, holder.owner, check_currency(move.amount.currency))


def _entry(booking: Booking, accounts: Sequence[tuple[UUID, UUID]]) -> Entry:
    return Entry(
        key=booking.key,
        kind=booking.kind,
        memo=booking.memo,
        effective_at=booking.effective_at,
        transfers=tuple(
            Transfer(debit, credit, move.amount.minor, move.amount.currency)
            for (debit, credit), move in zip(accounts, booking.moves, strict=True)
        ),
    )


def _net(entry: Entry) -> dict[UUID, int]:
    """What an entry changes in each account, credits above zero."""
    net: dict[UUID, int] = {}
    for transfer in entry.transfers:
        net[transfer.debit] = net.get(transfer.debit, 0) - transfer.minor
        net[transfer.credit] = net.get(transfer.credit, 0) + transfer.minor
    return net


def _too_little() -> InsufficientFunds:
    return InsufficientFunds(
        "The account that should pay holds less than the amount.", cure="Take a smaller amount."
    )
