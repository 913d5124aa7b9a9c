"""Charging wallets on the order path, a batch at a time."""

from __future__ import annotations

from collections.abc import Sequence

from kameng.db import Database
from kameng.errors import InvalidInput, Refusal
from kameng.money import Money
from kameng_settlement.chart import SALES, house
from kameng_settlement.contract import Charge, Charged, InsufficientFunds, Refund, Refunded
from kameng_settlement.ledger import CHARGE, Entry, Ledger, Transfer, key_used
from kameng_settlement.locking import lock_wallets
from kameng_settlement.refunding import refund_charges
from kameng_settlement.statements import ANY_KEY_USED


class LedgerCharging:
    """Charges wallets in two round trips: lock and look, then write what can be paid; a third where money lacks.

    In between it is decided here, charge by charge in the batch's order, exactly as if each had come alone.

    Args:
        db: the ledger's database.
        ledger: the ledger.
    """

    def __init__(self, db: Database, ledger: Ledger) -> None:
        self._db = db
        self._ledger = ledger

    async def charge(self, charges: Sequence[Charge]) -> list[Charged | Refusal]:
        """See `kameng_settlement.contract.Charging.charge`."""
        if not charges:
            return []
        wallets = await lock_wallets(
            self._db, [(charge.member, charge.amount.currency) for charge in charges]
        )
        addresses = {charge.amount.currency: house(SALES, charge.amount.currency) for charge in charges}
        sales = await self._ledger.accounts.open(addresses.values())
        answers: list[Charged | Refusal] = []
        entries: list[Entry] = []
        short: list[str] = []
        for charge in charges:
            amount = charge.amount
            room = wallets.get((charge.member, amount.currency))
            if amount.minor <= 0:
                answers.append(_nothing_to_pay())
            elif room is None or room.minor < amount.minor:
                answers.append(_too_little(amount, room.minor if room else 0))
                short.append(charge.key)
            else:
                room.minor -= amount.minor
                income = sales[addresses[amount.currency]]
                entry = Entry(
                    key=charge.key,
                    kind=CHARGE,
                    memo=charge.memo,
                    transfers=(Transfer(room.account, income, amount.minor, amount.currency),),
                )
                entries.append(entry)
                answers.append(Charged(transaction=entry.id))
        # Whoever asks again, since he never heard that his charge was paid, must not hear that he cannot pay. The
        # wallets are locked, so what was paid before is to be seen by now.
        if short and await self._db.fetchval(ANY_KEY_USED, short):
            raise key_used()
        if entries:
            await self._ledger.write(entries)
        return answers

    async def refund(self, refunds: Sequence[Refund]) -> list[Refunded | Refusal]:
        """See `kameng_settlement.contract.Charging.refund`."""
        return await refund_charges(self._db, self._ledger, refunds)


def _nothing_to_pay() -> InvalidInput:
    return InvalidInput("Only an amount above zero can be charged.", cure="Leave out what costs nothing.")


def _too_little(amount: Money, held: int) -> InsufficientFunds:
    return InsufficientFunds(
        f"The wallet has {Money(max(held, 0), amount.currency).amount} {amount.currency} left;"
        f" this costs {amount.amount} {amount.currency}.",
        cure="Top the wallet up, or order less.",
    )
