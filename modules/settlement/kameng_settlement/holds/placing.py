"""Placing holds."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from hashlib import sha256
from typing import TYPE_CHECKING
from uuid import UUID

import asyncpg
import msgspec

from kameng.errors import InvalidInput, Refusal
from kameng.ids import new_id
from kameng.money import Money
from kameng_settlement.contract import InsufficientFunds
from kameng_settlement.hold_contract import Held
from kameng_settlement.holds.statements import FIND_HOLDS, PLACE_HOLDS
from kameng_settlement.ledger import CHARGE, key_used
from kameng_settlement.locking import lock_accounts

if TYPE_CHECKING:
    from kameng.db import Database


class Placement(msgspec.Struct, frozen=True, kw_only=True):
    """Money of an account that is to be set aside for another.

    Attributes:
        key: unique for ever; at most 200 characters.
        debit: the account that will pay; a bounded one, since only these have a floor to count against.
        credit: the account that will get it, of the same currency.
        minor: the amount in minor units, more than zero.
        currency: ISO 4217.
        kind, memo: of the ledger transaction that it becomes.
        lasts: after this it expires; None: never.
    """

    key: str
    debit: UUID
    credit: UUID
    minor: int
    currency: str
    kind: str = CHARGE
    memo: str = ""
    lasts: timedelta | None = None

    @property
    def fingerprint(self) -> bytes:
        """What tells a repetition from another placement under the same key: 32 bytes."""
        return sha256(
            msgspec.msgpack.encode(
                (self.debit, self.credit, self.minor, self.currency, self.kind, self.memo, self.lasts)
            )
        ).digest()


async def place_holds(db: Database, placements: Sequence[Placement]) -> list[Held | Refusal]:
    """Set money aside, in order. Three statements, however many placements.

    Raises:
        Conflict: a key was used at the same moment in another transaction; the caller's one is lost.
        TransactionError: there is no transaction.
    """
    if not placements:
        return []
    rooms = await lock_accounts(db, {placement.debit for placement in placements})
    rows = await db.fetch(FIND_HOLDS, [placement.key for placement in placements])
    known: dict[str, tuple[UUID, bytes]] = {row["key"]: (row["id"], row["fingerprint"]) for row in rows}
    answers: list[Held | Refusal] = []
    fresh: list[tuple[UUID, Placement]] = []
    for placement in placements:
        room = rooms.get(placement.debit)
        if placement.key in known:
            hold, fingerprint = known[placement.key]
            same = fingerprint == placement.fingerprint
            answers.append(Held(hold=hold, fresh=False) if same else key_used())
        elif (refusal := _refusal(placement, room is not None)) is not None or room is None:
            answers.append(refusal or _unbounded())
        elif room.minor < placement.minor:
            answers.append(_too_little(placement, room.minor))
        else:
            room.minor -= placement.minor
            hold = new_id()
            known[placement.key] = (hold, placement.fingerprint)
            fresh.append((hold, placement))
            answers.append(Held(hold=hold, fresh=True))
    if fresh:
        await _write(db, fresh)
    return answers


async def _write(db: Database, fresh: Sequence[tuple[UUID, Placement]]) -> None:
    placements = [placement for _, placement in fresh]
    try:
        await db.execute(
            PLACE_HOLDS,
            [hold for hold, _ in fresh],
            [placement.key for placement in placements],
            [placement.fingerprint for placement in placements],
            [placement.kind for placement in placements],
            [placement.memo for placement in placements],
            [placement.debit for placement in placements],
            [placement.credit for placement in placements],
            [placement.minor for placement in placements],
            [placement.currency for placement in placements],
            [placement.lasts for placement in placements],
        )
    except asyncpg.UniqueViolationError as error:
        raise key_used() from error


def _refusal(placement: Placement, bounded: bool) -> Refusal | None:
    if placement.minor <= 0:
        return InvalidInput("Only an amount above zero can be held.", cure="Leave out what costs nothing.")
    if placement.lasts is not None and placement.lasts <= timedelta(0):
        return InvalidInput("A hold lasts for a while.", cure="Give a time above zero, or none.")
    return None if bounded else _unbounded()


def _unbounded() -> InvalidInput:
    return InvalidInput("Money can be held only of an account that has a floor.", cure="Hold it of a wallet.")


def _too_little(placement: Placement, held: int) -> InsufficientFunds:
    currency = placement.currency
    return InsufficientFunds(
        f"The account has {Money(max(held, 0), currency).amount} {currency} left;"
        f" {Money(placement.minor, currency).amount} {currency} should be held.",
        cure="Top it up, or hold less.",
    )
