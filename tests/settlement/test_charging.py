"""Charging wallets, a batch at a time and many batches at once."""

from __future__ import annotations

import asyncio
from collections import Counter
from contextvars import Context

import pytest

from kameng.db import counted_statements
from kameng.errors import Conflict, InvalidInput, Refusal, TransactionError
from kameng.ids import new_id
from kameng_settlement.contract import Charge, Charged, Charging, InsufficientFunds

from .conftest import Books, order


async def test_a_charge_moves_money_from_the_wallet_to_sales(books: Books) -> None:
    # Given a wallet with 10.00
    member = await books.rich(1000)
    # When 3.50 are charged
    [answer] = await books.charge(order(member, 350, key="order:1"))
    # Then the wallet holds 6.50, sales 3.50, and the posting says from where to where
    assert isinstance(answer, Charged)
    assert await books.balances([member]) == [650]
    assert await books.sales() == 350
    row = await books.kernel.db.fetchrow(
        """
        select t.key, t.kind, t.memo, d.kind as debit, d.owner_id, c.kind as credit, p.amount, p.currency, p.seq
        from settlement_posting p
        join settlement_ledger_transaction t on t.id = p.transaction
        join settlement_account d on d.id = p.debit_account
        join settlement_account c on c.id = p.credit_account
        where t.id = $1
        """,
        answer.transaction,
    )
    assert row is not None
    assert tuple(row.values()) == ("order:1", "charge", "K-1", "wallet", member, "sales", 350, "CNY", 1)


async def test_a_wallet_pays_in_the_order_of_the_batch_as_far_as_it_goes(books: Books) -> None:
    # Given 10.00 in one wallet, nothing in another, and no wallet at all
    some, empty, nobody = await books.rich(1000), await books.rich(100), new_id()
    await books.charge(order(empty, 100))
    # When a batch asks for more than is there
    answers = await books.charge(
        order(some, 600),
        order(empty, 1),
        order(some, 500),  # 4.00 are left: refused
        order(nobody, 1),
        order(some, 300),
        order(some, 100),
        order(some, 1),  # nothing is left
    )
    # Then each is answered as if it had come alone, in order
    assert [type(answer) for answer in answers] == [
        Charged,
        InsufficientFunds,
        InsufficientFunds,
        InsufficientFunds,
        Charged,
        Charged,
        InsufficientFunds,
    ]
    assert await books.balances([some, empty, nobody]) == [0, 0, 0]
    assert await books.sales() == 1100
    assert answers[2].message == "The wallet has 4.00 CNY left; this costs 5.00 CNY."


async def test_currencies_are_wallets_of_their_own(books: Books) -> None:
    # Given one member with two wallets
    member = await books.rich(1000, "CNY")
    await books.credit(member, 500, "USD")
    # When both are charged in one batch
    answers = await books.charge(
        order(member, 501, "USD"), order(member, 500, "USD"), order(member, 1000, "CNY")
    )
    # Then neither pays for the other
    assert [isinstance(answer, Charged) for answer in answers] == [False, True, True]
    assert await books.balances([member], "CNY") == [0]
    assert await books.balances([member], "USD") == [0]
    assert (await books.sales("CNY"), await books.sales("USD")) == (1000, 500)


async def test_an_amount_that_is_not_above_zero_is_refused_alone(books: Books) -> None:
    member = await books.rich(100)
    answers = await books.charge(order(member, 0), order(member, -5), order(member, 100))
    assert [type(answer) for answer in answers] == [InvalidInput, InvalidInput, Charged]
    assert await books.balances([member]) == [0]


async def test_an_empty_batch_asks_nothing(books: Books) -> None:
    with counted_statements() as statements:
        assert await books.charge() == []
    assert statements == []


async def test_a_used_key_refuses_the_whole_batch_and_changes_nothing(books: Books) -> None:
    # Given a charge under a key
    member, other = await books.rich(1000), await books.rich(1000)
    await books.charge(order(member, 100, key="order:used"))
    before = await books.size()
    # When a batch holds that key again
    with pytest.raises(Conflict) as refused:
        await books.charge(order(other, 100), order(member, 100, key="order:used"), order(other, 100))
    # Then nobody paid
    assert refused.value.code == "CONFLICT"
    assert await books.balances([member, other]) == [900, 1000]
    assert await books.size() == before


async def test_a_used_key_is_a_conflict_even_if_the_wallet_is_empty_by_now(books: Books) -> None:
    # Given a charge that took all there was, and whose answer was lost
    member = await books.rich(100)
    await books.charge(order(member, 100, key="order:used"))
    # When it is sent again, then it is not told that the money lacks
    with pytest.raises(Conflict):
        await books.charge(order(member, 100, key="order:used"))


async def test_a_key_twice_in_one_batch_refuses_the_whole_batch(books: Books) -> None:
    member = await books.rich(1000)
    with pytest.raises(Conflict):
        await books.charge(order(member, 1, key="order:twin"), order(member, 1, key="order:twin"))
    assert await books.balances([member]) == [1000]


async def test_after_a_conflict_the_members_of_a_batch_can_be_tried_one_by_one(books: Books) -> None:
    # Given a batch of which one key was used
    member = await books.rich(1000)
    await books.charge(order(member, 100, key="order:used"))
    batch = [order(member, 10), order(member, 100, key="order:used"), order(member, 20)]
    # When each is tried in a savepoint of one transaction
    outcomes: list[str] = []
    async with books.kernel.db.transaction():
        for charge in batch:
            try:
                async with books.kernel.db.transaction():
                    [answer] = await books.kernel.services.get(Charging).charge([charge])
                outcomes.append(type(answer).__name__)
            except Conflict:
                outcomes.append("Conflict")
    # Then only the used one is refused
    assert outcomes == ["Charged", "Conflict", "Charged"]
    assert await books.balances([member]) == [870]


async def test_money_is_only_moved_inside_a_transaction(books: Books) -> None:
    member = await books.rich(1000)
    with pytest.raises(TransactionError):
        await books.kernel.services.get(Charging).charge([order(member, 1)])


async def test_a_batch_that_is_rolled_back_leaves_no_trace(books: Books) -> None:
    member = await books.rich(1000)
    before = await books.size()
    with pytest.raises(RuntimeError, match="stock ran out"):
        async with books.kernel.db.transaction():
            await books.kernel.services.get(Charging).charge([order(member, 400)])
            raise RuntimeError("stock ran out")
    assert await books.balances([member]) == [1000]
    assert await books.size() == before
    assert (await books.verified()).ok


@pytest.mark.parametrize("count", [1, 128])
async def test_a_batch_costs_two_statements_whatever_its_size(books: Books, count: int) -> None:
    # Given wallets, and the shop's own account known since the first sale
    members = [await books.rich(1000) for _ in range(count)]
    await books.charge(order(members[0], 1))
    # When they are charged in one batch
    with counted_statements() as statements:
        await books.charge(*(order(member, 1) for member in members))
    # Then there is one to lock and look, and one to write
    assert [text.splitlines()[0] for text in statements] == [
        "-- settlement.lock_wallets",
        "-- settlement.post",
    ]


async def test_of_a_hundred_charges_at_once_a_wallet_with_money_for_seven_pays_seven(books: Books) -> None:
    # Given money for seven
    member = await books.rich(7 * 100 + 99)
    # When a hundred charges come at the same time
    answers = await asyncio.gather(*(books.charge(order(member, 100)) for _ in range(100)))
    # Then exactly seven are paid
    assert Counter(type(answer) for [answer] in answers) == {Charged: 7, InsufficientFunds: 93}
    assert await books.balances([member]) == [99]
    assert await books.sales() == 700
    assert (await books.verified()).ok


async def test_batches_over_the_same_wallets_in_any_order_do_not_deadlock(books: Books) -> None:
    # Given twenty wallets
    members = [await books.rich(1_000) for _ in range(20)]
    # When batches name them forwards, backwards and shuffled at the same time
    batches = [members[shift:] + members[:shift] for shift in range(20)]
    batches += [list(reversed(batch)) for batch in batches]
    answers = await asyncio.gather(*(books.charge(*(order(m, 10) for m in batch)) for batch in batches))
    # Then all are paid, once each
    assert all(isinstance(answer, Charged) for batch in answers for answer in batch)
    assert await books.balances(members) == [1_000 - 10 * 40] * 20
    assert (await books.verified()).ok


async def test_the_same_key_from_many_at_once_is_charged_once(books: Books) -> None:
    member = await books.rich(1_000)
    tries = (books.charge(order(member, 10, key="order:once")) for _ in range(20))
    answers = await asyncio.gather(*tries, return_exceptions=True)
    assert Counter(type(answer) for answer in answers) == {list: 1, Conflict: 19}
    assert await books.balances([member]) == [990]


async def test_sales_of_different_wallets_do_not_wait_for_each_other(books: Books) -> None:
    # Given a charge whose transaction is still open
    first, second = await books.rich(100), await books.rich(100)
    await books.charge(order(first, 1), order(second, 1))
    async with books.kernel.db.transaction():
        await books.kernel.services.get(Charging).charge([order(first, 10)])
        # When somebody else buys, whose money goes to the same account of the shop, outside of this transaction
        other = asyncio.create_task(_charge_apart(books, order(second, 10)), context=Context())
        # Then it is done before the first one ends
        [answer] = await asyncio.wait_for(other, timeout=30)
        assert isinstance(answer, Charged)
    assert await books.sales() == 22


async def _charge_apart(books: Books, charge: Charge) -> list[Charged | Refusal]:
    with books.kernel.db.in_use():
        return await books.charge(charge)
