"""Other modules book between accounts of the chart, kinds of their own among them, in several currencies."""

from __future__ import annotations

import asyncio
from collections import Counter
from datetime import UTC, datetime
from uuid import UUID

import pytest

from kameng.db import counted_statements
from kameng.errors import Conflict, FaultsFound, InvalidInput, Refusal
from kameng.ids import new_id
from kameng.module import Module
from kameng.money import Money
from kameng.testing.kernels import Kernels
from kameng_membership import module as membership
from kameng_settlement import module as settlement
from kameng_settlement.chart import CHART, Chart, section_of
from kameng_settlement.contract import (
    AccountKind,
    Booked,
    Booking,
    Exchange,
    Holder,
    InsufficientFunds,
    Move,
)
from kameng_settlement.contract import Books as BookContract
from kameng_settlement.ledger import AlreadyReversed

from .conftest import CATALOG, Books

SUPPLIERS = AccountKind("supplier_payable", "supplier", "credit", True, "Owed to a supplier", "应付供应商")
COSTS = AccountKind("cost_of_goods", "house", "debit", False, "Cost of goods", "商品成本", "expense")

BUYING = Module(name="buying", version="1.0.0", contributes={AccountKind: (SUPPLIERS, COSTS)})


@pytest.fixture
async def shop(make_kernel: Kernels) -> Books:
    """A ledger in a shop with a module that brings kinds of account."""
    return Books(await make_kernel([CATALOG, membership, settlement, BUYING]))


async def book(books: Books, *bookings: Booking) -> list[Booked | Refusal]:
    async with books.kernel.db.transaction():
        return await books.kernel.services.get(BookContract).book(bookings)


async def exchange(books: Books, *exchanges: Exchange) -> list[Booked | Refusal]:
    async with books.kernel.db.transaction():
        return await books.kernel.services.get(BookContract).exchange(exchanges)


def move(debit: Holder, credit: Holder, minor: int, currency: str = "CNY") -> Move:
    return Move(debit, credit, Money(minor, currency))


def wallet(member: UUID) -> Holder:
    return Holder("wallet", member)


async def held(books: Books, holder: Holder, currency: str = "CNY") -> int:
    """Credits minus debits of an account."""
    return int(
        await books.kernel.db.fetchval(
            """
            select coalesce(sum(b.credits - b.debits), 0) from settlement_account a
            join settlement_balance b on b.account = a.id where a.kind = $1 and a.owner_id = $2 and a.currency = $3
            """,
            holder.kind,
            holder.owner,
            currency,
        )
    )


async def test_a_module_books_between_accounts_of_its_own_kinds(shop: Books) -> None:
    # Given a supplier to whom nothing is owed
    supplier = Holder("supplier_payable", new_id())
    costs = Holder("cost_of_goods")
    bill = Booking(key="bill:1", kind="supplier_bill", moves=(move(costs, supplier, 700),), memo="B-1")
    # When his bill is booked, twice
    [first] = await book(shop, bill)
    [again] = await book(shop, bill)
    # Then it is owed once, and what is paid never exceeds it
    assert isinstance(first, Booked)
    assert again == Booked(transaction=first.transaction, fresh=False)
    funds = Holder("operator_funds")
    answers = await book(
        shop,
        Booking(key="pay:1", kind="supplier_payment", moves=(move(supplier, funds, 701),)),
        Booking(key="pay:2", kind="supplier_payment", moves=(move(supplier, funds, 500),)),
        Booking(key="pay:3", kind="supplier_payment", moves=(move(supplier, funds, 201),)),
    )
    assert [type(answer) for answer in answers] == [InsufficientFunds, Booked, InsufficientFunds]
    assert (await held(shop, supplier), await held(shop, costs)) == (200, -700)
    assert (await shop.verified()).ok


async def test_a_booking_of_several_currencies_balances_in_each(shop: Books) -> None:
    # Given one booking with moves in three currencies, for an earlier day
    costs, funds = Holder("cost_of_goods"), Holder("operator_funds")
    day = datetime(2026, 11, 1, tzinfo=UTC)
    moves = (move(costs, funds, 100), move(costs, funds, 200, "USD"), move(costs, funds, 300, "JPY"))
    [answer] = await book(shop, Booking(key="mixed:1", kind="costs", moves=moves, effective_at=day))
    assert isinstance(answer, Booked)
    # Then each currency is in balance, and both moments are kept
    assert [await held(shop, costs, currency) for currency in ("CNY", "USD", "JPY")] == [-100, -200, -300]
    row = await shop.kernel.db.fetchrow(
        "select effective_at, posted_at::date = now()::date as today from settlement_ledger_transaction where id = $1",
        answer.transaction,
    )
    assert row is not None
    assert tuple(row.values()) == (day, True)
    report = await shop.verified()
    assert (report.ok, report.postings) == (True, 3)


async def test_an_exchange_goes_through_the_exchange_accounts(shop: Books) -> None:
    # Given somebody with 72.00 yuan
    member = await shop.rich(7200)
    wanted = Exchange(
        key="exchange:1",
        giver=wallet(member),
        given=Money(7200, "CNY"),
        taker=wallet(member),
        taken=Money(1000, "USD"),
    )
    # When he changes all of it for dollars, and tries again with another key
    [first] = await exchange(shop, wanted)
    [again] = await exchange(shop, wanted)
    [more] = await exchange(
        shop, Exchange(**{**{f: getattr(wanted, f) for f in wanted.__struct_fields__}, "key": "e:2"})
    )
    # Then he has dollars, once, and the shop's position is open in both
    assert isinstance(first, Booked)
    assert again == Booked(transaction=first.transaction, fresh=False)
    assert isinstance(more, InsufficientFunds)
    assert (await shop.balances([member]), await shop.balances([member], "USD")) == ([0], [1000])
    between = Holder("exchange")
    assert (await held(shop, between), await held(shop, between, "USD")) == (7200, -1000)
    assert (await shop.verified()).ok
    # And it is taken back in both currencies, once
    books = shop.kernel.services.get(BookContract)
    async with shop.kernel.db.transaction():
        await books.reverse(first.transaction, key="reversal:1")
    assert (await shop.balances([member]), await shop.balances([member], "USD")) == ([7200], [0])
    with pytest.raises(AlreadyReversed):
        async with shop.kernel.db.transaction():
            await books.reverse(first.transaction, key="reversal:2")
    assert (await shop.verified()).ok


async def test_an_exchange_needs_two_currencies(shop: Books) -> None:
    member = await shop.rich(100)
    one = Money(1, "CNY")
    [answer] = await exchange(
        shop, Exchange(key="e:1", giver=wallet(member), given=one, taker=wallet(new_id()), taken=one)
    )
    assert isinstance(answer, InvalidInput)


@pytest.mark.parametrize(
    "moves",
    [
        (),
        (move(Holder("nonsense"), Holder("sales"), 1),),
        (move(Holder("wallet"), Holder("sales"), 1),),  # a wallet has an owner
        (move(Holder("sales", UUID(int=7)), Holder("operator_funds"), 1),),  # sales have none
        (move(Holder("sales"), Holder("sales"), 1),),
        (move(Holder("operator_funds"), Holder("sales"), 0),),
        (move(Holder("operator_funds"), Holder("sales"), 1, "QQQ"),),
        (move(Holder("clearing:"), Holder("sales"), 1),),
    ],
)
async def test_what_cannot_be_booked_is_refused_alone(shop: Books, moves: tuple[Move, ...]) -> None:
    good = Booking(key="good:1", kind="costs", moves=(move(Holder("operator_funds"), Holder("sales"), 5),))
    answers = await book(shop, Booking(key="bad:1", kind="costs", moves=moves), good)
    assert [type(answer) for answer in answers] == [InvalidInput, Booked]
    assert await shop.size() == (1, 1)


async def test_the_same_key_for_something_else_is_a_conflict(shop: Books) -> None:
    costs, funds = Holder("cost_of_goods"), Holder("operator_funds")
    await book(shop, Booking(key="k:1", kind="costs", moves=(move(costs, funds, 1),)))
    [answer] = await book(shop, Booking(key="k:1", kind="costs", moves=(move(costs, funds, 2),)))
    assert isinstance(answer, Conflict)
    assert await held(shop, costs) == -1


@pytest.mark.parametrize("count", [1, 100])
async def test_statements_do_not_depend_on_the_bookings(shop: Books, count: int) -> None:
    suppliers = [Holder("supplier_payable", new_id()) for _ in range(count)]
    costs = Holder("cost_of_goods")

    def bills(name: str) -> list[Booking]:
        return [
            Booking(key=f"{name}:{supplier.owner}", kind="bill", moves=(move(costs, supplier, 5),))
            for supplier in suppliers
        ]

    await book(shop, *bills("first"))
    with counted_statements() as statements:
        await book(shop, *bills("second"))
    assert [text.splitlines()[0] for text in statements] == [
        "-- settlement.find_accounts",
        "-- settlement.lock_accounts",
        "-- settlement.find_transactions",
        "-- settlement.post",
    ]


async def test_many_exchanges_at_once_make_and_lose_no_money(shop: Books) -> None:
    # Given 30 members with 10.00 yuan each, who all change what they can at the same time, each three times
    members = [await shop.rich(1000) for _ in range(30)]

    async def one(member: UUID, number: int) -> Booked | Refusal:
        [answer] = await exchange(
            shop,
            Exchange(
                key=f"e:{member}:{number}",
                giver=wallet(member),
                given=Money(400, "CNY"),
                taker=wallet(members[0]),
                taken=Money(56, "USD"),
            ),
        )
        return answer

    answers = await asyncio.gather(*(one(member, number) for member in members for number in range(3)))
    assert Counter(type(answer) for answer in answers) == {Booked: 60, InsufficientFunds: 30}
    assert await shop.balances(members) == [200] * 30
    assert await shop.balances([members[0]], "USD") == [60 * 56]
    assert (await shop.verified()).ok


def test_every_kind_has_a_section() -> None:
    sections = {code: section_of(kind) for code, kind in CHART.items()}
    assert sections["wallet"] == "liability"
    assert sections["operator_funds"] == "asset"
    assert sections["sales"] == "income"
    assert sections["exchange"] == "equity"
    assert section_of(COSTS) == "expense"


@pytest.mark.parametrize(
    ("kind", "fault"),
    [
        (AccountKind("wallet", "member", "credit", True, "x", "x"), "duplicate_account_kind"),
        (AccountKind("Bad Code", "house", "credit", False, "x", "x"), "unusable_account_kind"),
        (AccountKind("points", "member", "credit", False, "x", "x"), "unusable_account_kind"),
    ],
)
def test_a_kind_that_does_not_fit_is_told_with_its_module(kind: AccountKind, fault: str) -> None:
    with pytest.raises(FaultsFound) as found:
        Chart.of([Module(name="buying", version="1.0.0", contributes={AccountKind: (kind,)})])
    assert [(each.kind, each.package) for each in found.value.faults] == [(fault, "buying")]


async def test_a_kind_of_a_module_has_its_name_in_the_trial_balance(shop: Books) -> None:
    chart = shop.kernel.services.get(Chart)
    assert chart.title("cost_of_goods", "zh-CN") == "商品成本"
    assert chart.title("gone", "en") == "gone"
    assert SUPPLIERS in chart.kinds
