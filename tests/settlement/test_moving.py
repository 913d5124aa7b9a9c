"""Money that follows its owner from one wallet to another: all of it, in every currency, once for each occasion."""

from __future__ import annotations

import asyncio
from uuid import UUID

import pytest

from kameng.errors import InvalidInput, TransactionError
from kameng.ids import new_id
from kameng.kernel import Kernel
from kameng.money import Money
from kameng.testing.kernels import Kernels
from kameng_settlement.contract import Charge, Charging, Moved, Receipt, Receipts, WalletMoves, Wallets
from kameng_settlement.journal import trial_balance


async def receive(kernel: Kernel, owner: UUID, minor: int, currency: str = "CNY") -> None:
    """Money from outside."""
    receipt = Receipt(source="manual", reference=str(new_id()), member=owner, amount=Money(minor, currency))
    async with kernel.db.transaction():
        await kernel.services.get(Receipts).receive([receipt])


async def empty(kernel: Kernel, giver: UUID, taker: UUID, key: str) -> list[Moved]:
    """Move all that somebody has."""
    async with kernel.db.transaction():
        return await kernel.services.get(WalletMoves).empty(giver, taker, key)


async def balance(kernel: Kernel, owner: UUID, currency: str = "CNY") -> int:
    (found,) = await kernel.services.get(Wallets).wallets([owner], currency)
    return found.balance.minor


async def test_all_currencies_move_once(make_kernel: Kernels) -> None:
    # Given somebody with money of two currencies
    kernel = await make_kernel()
    guest, member = new_id(), new_id()
    await receive(kernel, guest, 500)
    await receive(kernel, guest, 70, "USD")
    await receive(kernel, member, 1)
    # When it moves, and the same is asked for again
    moved = await empty(kernel, guest, member, "claim:1")
    assert [one.amount for one in moved] == [Money(500, "CNY"), Money(70, "USD")]
    assert await empty(kernel, guest, member, "claim:1") == []
    # Then the other one has all of it
    assert (await balance(kernel, guest), await balance(kernel, member)) == (0, 501)
    assert (await balance(kernel, guest, "USD"), await balance(kernel, member, "USD")) == (0, 70)
    # And a key that was used moves nothing that came later, while a fresh one does
    await receive(kernel, guest, 9)
    assert await empty(kernel, guest, member, "claim:1") == []
    assert [one.amount for one in await empty(kernel, guest, member, "claim:2")] == [Money(9, "CNY")]
    totals = await trial_balance(kernel.db)
    for currency in ("CNY", "USD"):
        kinds = [total for total in totals if total.currency == currency]
        assert sum(total.debits for total in kinds) == sum(total.credits for total in kinds)


async def test_who_has_nothing_moves_nothing(make_kernel: Kernels) -> None:
    kernel = await make_kernel()
    assert await empty(kernel, new_id(), new_id(), "claim:1") == []
    assert await kernel.db.fetchval("select count(*) from settlement_ledger_transaction") == 0


async def test_what_cannot_be_asked_for(make_kernel: Kernels) -> None:
    kernel = await make_kernel()
    one = new_id()
    await receive(kernel, one, 5)
    with pytest.raises(InvalidInput):
        await empty(kernel, one, one, "claim:1")
    with pytest.raises(InvalidInput):
        await empty(kernel, one, new_id(), "")
    with pytest.raises(TransactionError):
        await kernel.services.get(WalletMoves).empty(one, new_id(), "claim:1")
    assert await balance(kernel, one) == 5


async def test_moves_charges_and_receipts_at_once_lose_nothing(make_kernel: Kernels) -> None:
    kernel = await make_kernel()
    for turn in range(10):
        guest, ann, bob = new_id(), new_id(), new_id()
        await receive(kernel, guest, 100)

        async def spend(turn: int = turn, guest: UUID = guest) -> None:
            async with kernel.db.transaction():
                charge = Charge(key=f"order:{turn}", member=guest, amount=Money(60, "CNY"))
                await kernel.services.get(Charging).charge([charge])

        # When two want all of it, it is spent from, and more comes in, all at once
        await asyncio.gather(
            empty(kernel, guest, ann, f"a:{turn}"),
            spend(),
            empty(kernel, guest, bob, f"b:{turn}"),
            receive(kernel, guest, 30),
            empty(kernel, ann, bob, f"c:{turn}"),
            empty(kernel, bob, ann, f"d:{turn}"),
        )
        # Then every cent is with one of them, or was spent once
        left = [await balance(kernel, who) for who in (guest, ann, bob)]
        paid = await kernel.db.fetchval(
            "select count(*) from settlement_ledger_transaction where key = $1", f"order:{turn}"
        )
        assert sum(left) + 60 * paid == 130
        assert min(left) >= 0
