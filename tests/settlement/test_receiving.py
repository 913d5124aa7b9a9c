"""Money from outside: into the wallet once for each reference, out of its source's clearing account."""

from __future__ import annotations

import asyncio
from uuid import UUID

from kameng.errors import Conflict, InvalidInput, Refusal
from kameng.ids import new_id
from kameng.money import Money
from kameng_settlement.chart import CHART, Chart
from kameng_settlement.contract import Receipt, Receipts, Received

from .conftest import Books


def receipt(member: UUID, minor: int, reference: str, source: str = "manual", memo: str = "K-1") -> Receipt:
    return Receipt(source=source, reference=reference, member=member, amount=Money(minor, "CNY"), memo=memo)


async def receive(books: Books, *receipts: Receipt) -> list[Received | Refusal]:
    async with books.kernel.db.transaction():
        return await books.kernel.services.get(Receipts).receive(receipts)


async def test_money_from_outside_is_in_the_wallet_and_owed_by_its_source(books: Books) -> None:
    # Given a buyer without a wallet
    member = new_id()
    # When 5.00 and 2.00 come in by two sources
    answers = await receive(
        books, receipt(member, 500, "B-1"), receipt(member, 200, "4200001", "wechat:1900000109")
    )
    # Then they are in the wallet, and each source's clearing account shows its part
    assert [answer.fresh for answer in answers if isinstance(answer, Received)] == [True, True]
    assert await books.balances([member]) == [700]
    rows = await books.kernel.db.fetch(
        """
        select a.kind, sum(b.debits - b.credits)::int as held
        from settlement_account a join settlement_balance b on b.account = a.id
        where a.kind like 'clearing:%' group by a.kind order by a.kind
        """
    )
    assert [tuple(row) for row in rows] == [("clearing:manual", 500), ("clearing:wechat:1900000109", 200)]
    assert Chart(CHART).title("clearing:manual", "en") == "Clearing with manual"
    assert (await books.verified()).ok


async def test_the_same_payment_again_is_harmless(books: Books) -> None:
    member = new_id()
    [first] = await receive(books, receipt(member, 500, "B-1"))
    again, twin = await receive(books, receipt(member, 500, "B-1"), receipt(member, 500, "B-1"))
    assert isinstance(first, Received)
    assert again == twin == Received(transaction=first.transaction, fresh=False)
    assert await books.balances([member]) == [500]


async def test_a_payment_is_bound_to_its_buyer_amount_and_purpose(books: Books) -> None:
    # Given a payment
    member, other = new_id(), new_id()
    await receive(books, receipt(member, 500, "B-1"))
    # When it is replayed for somebody else, for more, or for another order
    answers = await receive(
        books,
        receipt(other, 500, "B-1"),
        receipt(member, 501, "B-1"),
        receipt(member, 500, "B-1", memo="K-2"),
    )
    # Then none of it counts
    assert [type(answer) for answer in answers] == [Conflict] * 3
    # But the same number at another source is another payment
    [answer] = await receive(books, receipt(member, 500, "B-1", "wechat:1"))
    assert isinstance(answer, Received)
    assert await books.balances([member, other]) == [1000, 0]


async def test_unusable_receipts_are_refused_alone(books: Books) -> None:
    member = new_id()
    answers = await receive(
        books,
        receipt(member, 0, "B-1"),
        receipt(member, 5, ""),
        receipt(member, 5, "x" * 121),
        receipt(member, 5, "B-2", "No Source"),
        receipt(member, 5, "B-3"),
    )
    assert [type(answer) for answer in answers] == [InvalidInput] * 4 + [Received]
    assert await books.balances([member]) == [5]


async def test_a_payment_told_of_by_many_at_once_counts_once(books: Books) -> None:
    # Given a payment that is told of for two buyers by ten clients at once
    members = [new_id(), new_id()]
    answers = await asyncio.gather(
        *(receive(books, receipt(members[number % 2], 500, "B-1")) for number in range(10)),
        return_exceptions=True,
    )
    # Then exactly one of them was first, and everybody else heard of it or a conflict
    fresh = [a for a in answers if isinstance(a, list) and isinstance(a[0], Received) and a[0].fresh]
    assert len(fresh) == 1
    assert all(isinstance(a, list | Conflict) for a in answers)
    assert sorted(await books.balances(members)) == [0, 500]
    assert (await books.verified()).ok
