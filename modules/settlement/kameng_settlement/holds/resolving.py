"""Resolving holds: each is posted, voided or expires, once."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING
from uuid import UUID

import asyncpg

from kameng.errors import InvalidInput, NotFound, Refusal
from kameng.money import Money
from kameng_settlement.events import HoldExpired
from kameng_settlement.hold_contract import (
    HoldClosed,
    HoldExceeded,
    HoldPosted,
    HoldPosting,
    HoldVoided,
    HoldVoiding,
)
from kameng_settlement.holds.statements import CLOSE_HOLDS, LOCK_EXPIRED, LOCK_HOLDS, RELEASE
from kameng_settlement.ledger import Entry, Ledger, Transfer, key_used
from kameng_settlement.locking import lock_accounts

if TYPE_CHECKING:
    from kameng.db import Database
    from kameng.kernel import Kernel

AT_ONCE = 500
"""Holds that expire in one transaction."""


@dataclass(slots=True)
class _Locked:
    """A locked hold; whoever resolves it says so here."""

    id: UUID
    key: str
    kind: str
    memo: str
    debit_account: UUID
    credit_account: UUID
    amount: int
    currency: str
    state: str
    resolution_key: str | None
    posted: int | None
    transaction: UUID | None
    over: bool

    def resolve(self, state: str, key: str | None) -> None:
        self.state, self.resolution_key = state, key


async def post_holds(
    db: Database, ledger: Ledger, postings: Sequence[HoldPosting]
) -> list[HoldPosted | Refusal]:
    """See `kameng_settlement.contract.Holds.post`. Five statements, however many postings."""
    holds = await _lock(db, (posting.hold for posting in postings))
    answers: list[HoldPosted | Refusal] = []
    entries: list[Entry] = []
    resolved: list[_Locked] = []
    for posting in postings:
        hold = holds.get(posting.hold)
        minor = None if hold is None else hold.amount if posting.amount is None else posting.amount.minor
        if hold is None or minor is None:
            answers.append(_unknown())
        elif hold.state == "posted" and hold.resolution_key == posting.key and hold.transaction is not None:
            same = hold.posted == minor
            answers.append(HoldPosted(transaction=hold.transaction, fresh=False) if same else key_used())
        elif (refusal := _closed(hold) or _unfit(hold, posting)) is not None:
            answers.append(refusal)
        else:
            transfer = Transfer(hold.debit_account, hold.credit_account, minor, hold.currency)
            entry = Entry(key=posting.key, kind=hold.kind, memo=hold.memo, transfers=(transfer,))
            hold.resolve("posted", posting.key)
            hold.posted, hold.transaction = minor, entry.id
            resolved.append(hold)
            entries.append(entry)
            answers.append(HoldPosted(transaction=entry.id, fresh=True))
    if entries:
        await _release(db, resolved)
        await ledger.write(entries)
        await _close(db, resolved)
    return answers


async def void_holds(db: Database, voidings: Sequence[HoldVoiding]) -> list[HoldVoided | Refusal]:
    """See `kameng_settlement.contract.Holds.void`. Four statements, however many voidings."""
    holds = await _lock(db, (voiding.hold for voiding in voidings))
    answers: list[HoldVoided | Refusal] = []
    resolved: list[_Locked] = []
    for voiding in voidings:
        hold = holds.get(voiding.hold)
        if hold is None:
            answers.append(_unknown())
        elif hold.state == "voided" and hold.resolution_key == voiding.key:
            answers.append(HoldVoided(fresh=False))
        elif hold.state != "pending":
            answers.append(_closed(hold) or _unknown())
        else:
            hold.resolve("voided", voiding.key)
            resolved.append(hold)
            answers.append(HoldVoided(fresh=True))
    if resolved:
        await _release(db, resolved)
        await _close(db, resolved)
    return answers


async def expire_holds(kernel: Kernel) -> None:
    """Free what was held for too long. Run every minute; safe at any time and any number of times at once."""
    while True:
        async with kernel.db.transaction():
            rows = await kernel.db.fetch(LOCK_EXPIRED, AT_ONCE)
            holds = [_Locked(**row) for row in rows]
            if holds:
                await lock_accounts(kernel.db, {hold.debit_account for hold in holds})
                for hold in holds:
                    hold.resolve("expired", None)
                await _release(kernel.db, holds)
                await _close(kernel.db, holds)
                await kernel.events.emit(
                    *(
                        HoldExpired(
                            hold=str(hold.id), key=hold.key, amount_minor=hold.amount, currency=hold.currency
                        )
                        for hold in holds
                    )
                )
        if len(rows) < AT_ONCE:
            return


async def _lock(db: Database, wanted: Iterable[UUID]) -> dict[UUID, _Locked]:
    """Holds first, in the order of their keys, then the accounts that they touch, in the order of theirs."""
    rows = await db.fetch(LOCK_HOLDS, sorted(set(wanted)))
    holds = {row["id"]: _Locked(**row) for row in rows}
    await lock_accounts(
        db, {account for hold in holds.values() for account in (hold.debit_account, hold.credit_account)}
    )
    return holds


async def _release(db: Database, holds: Sequence[_Locked]) -> None:
    await db.execute(RELEASE, [hold.debit_account for hold in holds], [hold.amount for hold in holds])


async def _close(db: Database, holds: Sequence[_Locked]) -> None:
    try:
        await db.execute(
            CLOSE_HOLDS,
            [hold.id for hold in holds],
            [hold.state for hold in holds],
            [hold.resolution_key for hold in holds],
            [hold.posted for hold in holds],
            [hold.transaction for hold in holds],
        )
    except asyncpg.UniqueViolationError as error:
        raise key_used() from error


def _unknown() -> NotFound:
    return NotFound("There is no such hold.", cure="Give the hold that was answered when it was placed.")


def _closed(hold: _Locked) -> HoldClosed | None:
    if hold.state == "pending" and not hold.over:
        return None
    how = (
        "has expired"
        if hold.state == "pending"
        else {"expired": "has expired"}.get(hold.state, f"was {hold.state}")
    )
    return HoldClosed(f"This hold {how}.", cure="Place another one.")


def _unfit(hold: _Locked, posting: HoldPosting) -> Refusal | None:
    amount = posting.amount
    if amount is None:
        return None
    if amount.currency != hold.currency:
        return InvalidInput(
            f"{hold.currency} is held, not {amount.currency}.", cure="Post it in the currency that is held."
        )
    if amount.minor <= 0:
        return InvalidInput("Only an amount above zero can be posted.", cure="Void the hold instead.")
    if amount.minor > hold.amount:
        return HoldExceeded(
            f"{Money(hold.amount, hold.currency).amount} {hold.currency} are held, not {amount.amount}.",
            cure="Post at most what is held.",
        )
    return None
