"""Giving charges back: in part or whole, once for each key, never more than was charged."""

from __future__ import annotations

import asyncio
from uuid import UUID

import asyncpg
import pytest

from kameng.errors import Conflict, InvalidInput, NotFound, Refusal
from kameng.ids import new_id
from kameng.money import Money
from kameng_settlement.contract import Charged, Charging, Refund, Refunded, RefundTooLarge
from kameng_settlement.ledger import AlreadyRefunded

from .conftest import Books, order


async def charged(books: Books, member: UUID, minor: int) -> UUID:
    """A charge of the member's wallet."""
    [answer] = await books.charge(order(member, minor))
    assert isinstance(answer, Charged)
    return answer.transaction


def back(charge: UUID, minor: int, key: str | None = None, currency: str = "CNY") -> Refund:
    return Refund(key=key or f"refund:{new_id()}", charge=charge, amount=Money(minor, currency), memo="K-1")


async def refund(books: Books, *refunds: Refund) -> list[Refunded | Refusal]:
    async with books.kernel.db.transaction():
        return await books.kernel.services.get(Charging).refund(refunds)


async def test_a_refund_goes_from_sales_back_to_the_wallet(books: Books) -> None:
    # Given a charge of 3.50 on a wallet of 10.00
    member = await books.rich(1000)
    charge = await charged(books, member, 350)
    # When 1.50 of it are refunded
    [answer] = await refund(books, back(charge, 150, "refund:1"))
    # Then the wallet has 8.00, sales keep 2.00, and the journal says what it was
    assert isinstance(answer, Refunded)
    assert answer.fresh
    assert await books.balances([member]) == [800]
    assert await books.sales() == 200
    kind = await books.kernel.db.fetchval(
        "select kind from settlement_ledger_transaction where id = $1", answer.transaction
    )
    assert kind == "refund"
    assert (await books.verified()).ok


async def test_the_whole_charge_can_be_refunded_in_parts_and_no_more(books: Books) -> None:
    member = await books.rich(1000)
    charge = await charged(books, member, 1000)
    # When one batch asks for more than was charged
    answers = await refund(books, back(charge, 400), back(charge, 601), back(charge, 600), back(charge, 1))
    # Then each is answered as if it had come alone
    assert [type(answer) for answer in answers] == [Refunded, RefundTooLarge, Refunded, RefundTooLarge]
    assert answers[1].message == "Of this charge 6.00 CNY can be refunded, not 6.01."  # type: ignore[union-attr]  # a refusal
    assert await books.balances([member]) == [1000]


async def test_the_same_refund_twice_is_one(books: Books) -> None:
    member = await books.rich(100)
    charge = await charged(books, member, 100)
    [first] = await refund(books, back(charge, 60, "refund:k"))
    again, twin = await refund(books, back(charge, 60, "refund:k"), back(charge, 60, "refund:k"))
    assert isinstance(first, Refunded)
    assert again == twin == Refunded(transaction=first.transaction, fresh=False)
    # And something else under its key is a conflict
    [other] = await refund(books, back(charge, 40, "refund:k"))
    assert isinstance(other, Conflict)
    assert await books.balances([member]) == [60]


async def test_what_cannot_be_refunded_changes_nothing(books: Books) -> None:
    member = await books.rich(100)
    charge = await charged(books, member, 100)
    credit = (await books.credit(member, 50)).transaction
    before = await books.size()
    answers = await refund(
        books,
        back(new_id(), 1),
        back(credit, 1),
        back(charge, 0),
        back(charge, -5),
        back(charge, 1, currency="USD"),
    )
    assert [type(answer) for answer in answers] == [
        NotFound,
        NotFound,
        InvalidInput,
        InvalidInput,
        InvalidInput,
    ]
    assert await books.size() == before


async def test_a_reversed_charge_is_not_refunded_and_a_refunded_one_not_reversed(books: Books) -> None:
    # Given two charges
    member = await books.rich(200)
    one, two = await charged(books, member, 100), await charged(books, member, 100)
    # When one is reversed and something of the other refunded
    async with books.kernel.db.transaction():
        await books.ledger.reverse(one, key="reversal:1")
    await refund(books, back(two, 30))
    # Then the money of neither goes back twice
    [answer] = await refund(books, back(one, 1))
    assert isinstance(answer, Conflict)
    with pytest.raises(AlreadyRefunded):
        async with books.kernel.db.transaction():
            await books.ledger.reverse(two, key="reversal:2")
    assert await books.balances([member]) == [130]


async def test_the_table_itself_refuses_more_than_was_charged(books: Books) -> None:
    charge = await charged(books, await books.rich(100), 100)
    await refund(books, back(charge, 100))
    with pytest.raises(asyncpg.CheckViolationError):
        await books.kernel.db.execute(
            "update settlement_charge_refund set refunded = 101 where charge = $1", charge
        )
    with pytest.raises(asyncpg.RestrictViolationError):
        await books.kernel.db.execute("delete from settlement_refund")


async def test_refunds_at_once_never_exceed_the_charge(books: Books) -> None:
    # Given three charges of 10.00 each
    members = [await books.rich(1000) for _ in range(3)]
    charges = [await charged(books, member, 1000) for member in members]

    # When twenty clients each refund 1.50 of all three, in whatever order
    async def client(number: int) -> int:
        mine = charges if number % 2 else charges[::-1]
        answers = await refund(books, *(back(charge, 150) for charge in mine))
        return sum(isinstance(answer, Refunded) for answer in answers)

    done = sum(await asyncio.gather(*(client(number) for number in range(20))))
    # Then six times 1.50 went back of each, and the rest of 1.00 stayed
    assert done == 18
    assert await books.balances(members) == [900, 900, 900]
    assert (await books.verified()).ok


async def test_a_refund_and_a_reversal_at_once_give_the_money_back_once(books: Books) -> None:
    members = [await books.rich(100) for _ in range(10)]
    charges = [await charged(books, member, 100) for member in members]

    async def reverse(charge: UUID) -> None:
        async with books.kernel.db.transaction():
            await books.ledger.reverse(charge, key=f"reversal:{charge}")

    await asyncio.gather(
        *(refund(books, back(charge, 100)) for charge in charges),
        *(reverse(charge) for charge in charges),
        return_exceptions=True,
    )
    assert await books.balances(members) == [100] * 10


async def test_the_same_refund_by_many_at_once_is_one(books: Books) -> None:
    member = await books.rich(1000)
    charge = await charged(books, member, 1000)
    answers = await asyncio.gather(*(refund(books, back(charge, 10, "refund:same")) for _ in range(10)))
    assert sum(answer[0].fresh for answer in answers if isinstance(answer[0], Refunded)) == 1
    assert len({answer[0].transaction for answer in answers if isinstance(answer[0], Refunded)}) == 1
    assert await books.balances([member]) == [10]
