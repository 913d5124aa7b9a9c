"""Giving charges back, a batch at a time: never more than was charged."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from kameng.db import Database
from kameng.errors import Conflict, InvalidInput, NotFound, Refusal
from kameng_settlement.contract import Refund, Refunded, RefundTooLarge
from kameng_settlement.ledger import Entry, Ledger, Transfer, key_used
from kameng_settlement.locking import lock_accounts
from kameng_settlement.statements import COUNT_REFUNDS, FIND_TRANSACTIONS, LOCK_REFUNDS, OPEN_REFUNDS

REFUND = "refund"
"""The kind of ledger transaction that a refund is."""


@dataclass(slots=True)
class _Refundable:
    """A locked charge; whoever refunds keeps count of its room, in minor units."""

    wallet: UUID
    income: UUID
    currency: str
    room: int
    reversed: bool


async def refund_charges(db: Database, ledger: Ledger, refunds: Sequence[Refund]) -> list[Refunded | Refusal]:
    """See `kameng_settlement.contract.Charging.refund`. Six statements, however many refunds.

    Charges are locked in the order of their keys, then their wallets in the order of theirs; everything that
    decides is read after that.
    """
    if not refunds:
        return []
    charges = await _locked(db, {refund.charge for refund in refunds})
    await lock_accounts(db, {charge.wallet for charge in charges.values()})
    rows = await db.fetch(FIND_TRANSACTIONS, [refund.key for refund in refunds])
    known: dict[str, tuple[UUID, bytes]] = {row["key"]: (row["id"], row["fingerprint"]) for row in rows}
    answers: list[Refunded | Refusal] = []
    entries: list[Entry] = []
    counted: list[tuple[UUID, UUID, int]] = []
    for refund in refunds:
        charge = charges.get(refund.charge)
        entry = _entry(refund, charge)
        if isinstance(entry, Refusal):
            answers.append(entry)
        elif refund.key in known:
            transaction, fingerprint = known[refund.key]
            same = fingerprint == entry.fingerprint
            answers.append(Refunded(transaction=transaction, fresh=False) if same else key_used())
        elif (refusal := _refusal(refund, charge)) is not None:
            answers.append(refusal)
        else:
            assert charge is not None  # noqa: S101 - an entry has a charge
            charge.room -= refund.amount.minor
            known[refund.key] = (entry.id, entry.fingerprint)
            entries.append(entry)
            counted.append((entry.id, refund.charge, refund.amount.minor))
            answers.append(Refunded(transaction=entry.id, fresh=True))
    if entries:
        await ledger.write(entries)
        await db.execute(COUNT_REFUNDS, *map(list, zip(*counted, strict=True)))
    return answers


async def _locked(db: Database, charges: set[UUID]) -> dict[UUID, _Refundable]:
    wanted = sorted(charges)
    await db.execute(OPEN_REFUNDS, wanted)
    return {
        row["charge"]: _Refundable(
            row["wallet"], row["income"], row["currency"], row["room"], row["reversed"]
        )
        for row in await db.fetch(LOCK_REFUNDS, wanted)
    }


def _entry(refund: Refund, charge: _Refundable | None) -> Entry | Refusal:
    if charge is None:
        return NotFound("There is no such charge.", cure="Give the ledger transaction that charged it.")
    if refund.amount.minor <= 0:
        return InvalidInput("Only an amount above zero can be refunded.", cure="Leave it out.")
    if refund.amount.currency != charge.currency:
        return InvalidInput(
            f"This was charged in {charge.currency}, not in {refund.amount.currency}.",
            cure="Refund it in the currency that it was charged in.",
        )
    transfer = Transfer(charge.income, charge.wallet, refund.amount.minor, charge.currency)
    return Entry(key=refund.key, kind=REFUND, memo=refund.memo, transfers=(transfer,))


def _refusal(refund: Refund, charge: _Refundable | None) -> Refusal | None:
    if charge is None or charge.reversed:
        return Conflict("This charge was reversed: the money is back.", cure="There is nothing to refund.")
    if refund.amount.minor > charge.room:
        return RefundTooLarge(
            f"Of this charge {type(refund.amount)(charge.room, charge.currency).amount} {charge.currency} can be"
            f" refunded, not {refund.amount.amount}.",
            cure="Refund at most the rest.",
        )
    return None
