"""Stock on the order path: who gets what, and that nobody gets what another one has."""

from __future__ import annotations

import asyncio
from collections import Counter
from datetime import date, timedelta
from itertools import chain
from uuid import UUID

import asyncpg
import pytest

from kameng.db import counted_statements
from kameng.errors import Refusal, TransactionError
from kameng.ids import new_id
from kameng.testing.kernels import Kernels
from kameng_catalog import low_water
from kameng_catalog import module as catalog
from kameng_catalog.contract import UNLIMITED, OutOfStock, Pick, PickRequest, Sale, SoldCard
from kameng_catalog.stock import expire_cards

from .conftest import Shop


async def test_requests_are_served_in_order(shop: Shop) -> None:
    # Given five cards, when four want 2, 4, 2 and 1 of them
    variant = await shop.stocked(cards=5)
    got = await shop.buy((variant, 2), (variant, 4), (variant, 2), (variant, 1))
    # Then who cannot have all gets none, and what was meant for him goes to those after him
    assert got == [
        ["A-1-000000", "A-1-000001"],
        "OUT_OF_STOCK",
        ["A-1-000002", "A-1-000003"],
        ["A-1-000004"],
    ]
    assert (await shop.stock.available([variant]))[variant] == 0


async def test_variants_of_a_batch_keep_apart(shop: Shop) -> None:
    one, two = await shop.stocked("A-1", 2), await shop.stocked("A-2", 1)
    got = await shop.buy((two, 1), (one, 1), (two, 1), (one, 1))
    assert got == [["A-2-000000"], ["A-1-000000"], "OUT_OF_STOCK", ["A-1-000001"]]


async def test_a_variant_that_does_not_exist_and_a_quantity_that_cannot_be(shop: Shop) -> None:
    variant = await shop.stocked(cards=1)
    got = await shop.buy((new_id(), 1), (variant, 0), (variant, -1), (variant, 2**40))
    assert got == ["OUT_OF_STOCK", "WRONG_QUANTITY", "WRONG_QUANTITY", "OUT_OF_STOCK"]


async def test_what_never_runs_out(shop: Shop) -> None:
    variant = await shop.stocked("U-1", kind="unlimited")
    async with shop.kernel.db.transaction():
        [pick] = await shop.stock.pick([PickRequest(variant=variant, quantity=7)])
        assert pick == Pick(variant=variant, quantity=7, kind="unlimited")
        line = new_id()
        await shop.stock.hand_over([Sale(pick=pick, line=line)])
    assert await shop.stock.sold_cards([line]) == []
    moved = await shop.kernel.db.fetchrow("select kind, quantity, line from catalog_stock_movement")
    assert moved is not None
    assert tuple(moved) == ("sale", -7, line)
    assert (await shop.stock.available([variant], 100))[variant] == 100
    assert (await shop.stock.available([variant]))[variant] == UNLIMITED


async def test_what_is_not_handed_over_is_free_again(shop: Shop) -> None:
    variant = await shop.stocked(cards=3)
    async with shop.kernel.db.transaction():
        [kept, dropped] = await shop.stock.pick([PickRequest(variant=variant, quantity=n) for n in (1, 2)])
        assert isinstance(kept, Pick)
        assert isinstance(dropped, Pick)
        await shop.stock.hand_over([Sale(pick=kept, line=new_id())])
    assert (await shop.stock.available([variant]))[variant] == 2
    assert await shop.buy((variant, 2)) == [["A-1-000001", "A-1-000002"]]


async def test_a_failed_transaction_frees_all(shop: Shop) -> None:
    variant = await shop.stocked(cards=2)

    async def fail() -> None:
        async with shop.kernel.db.transaction():
            [pick] = await shop.stock.pick([PickRequest(variant=variant, quantity=2)])
            assert isinstance(pick, Pick)
            await shop.stock.hand_over([Sale(pick=pick, line=new_id())])
            raise RuntimeError("the buyer has no money")

    with pytest.raises(RuntimeError):
        await fail()
    sizes = await shop.sizes()
    assert (sizes["free_card"], sizes["sold_card"]) == (2, 0)
    assert await shop.buy((variant, 2)) == [["A-1-000000", "A-1-000001"]]


async def locked_first_card(shop: Shop, variant: UUID) -> list[list[str] | str]:
    """What somebody gets while somebody else holds the first card, and gives it back then."""
    async with shop.kernel.db.connection() as other, other.transaction():
        await other.execute(
            "select from catalog_free_card where card = (select min(card) from catalog_free_card) for update"
        )
        # Who waits here waits for himself: better to fail than to hang.
        async with asyncio.timeout(30):
            return await shop.buy((variant, 1))


async def test_locked_cards_are_passed_over_and_found_when_stock_runs_short(shop: Shop) -> None:
    variant = await shop.stocked(cards=3)
    assert await locked_first_card(shop, variant) == [["A-1-000001"]]
    # The process goes on where it found something, and looks back before it says that there is nothing
    assert await shop.buy((variant, 1)) == [["A-1-000002"]]
    assert await shop.buy((variant, 1)) == [["A-1-000000"]]
    assert await shop.buy((variant, 1)) == ["OUT_OF_STOCK"]


async def test_cards_that_were_given_back_are_found_after_a_while(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(low_water, "SECONDS", 0.0)
    variant = await shop.stocked(cards=3)
    assert await locked_first_card(shop, variant) == [["A-1-000001"]]
    assert await shop.buy((variant, 1)) == [["A-1-000000"]]


async def test_a_card_is_handed_over_once(shop: Shop) -> None:
    variant = await shop.stocked(cards=2)
    async with shop.kernel.db.transaction():
        [pick] = await shop.stock.pick([PickRequest(variant=variant, quantity=1)])
        assert isinstance(pick, Pick)
        await shop.stock.hand_over([Sale(pick=pick, line=new_id())])
    for sales in ([Sale(pick=pick, line=new_id())], [Sale(pick=pick, line=new_id())] * 2):
        with pytest.raises(TransactionError, match=r"Of \d cards to hand over only 0 were free"):
            await shop.stock.hand_over(sales)
    # not even by the database's own hand
    card = pick.cards[0]
    with pytest.raises(asyncpg.UniqueViolationError):
        await shop.kernel.db.execute(
            "insert into catalog_sold_card (card, line, sold_at) values ($1, $2, now())", card, new_id()
        )


async def test_picking_needs_a_transaction(shop: Shop) -> None:
    with pytest.raises(TransactionError, match="outside a transaction"):
        await shop.stock.pick([])


async def test_sold_cards_are_opened_in_the_order_they_were_sold(shop: Shop) -> None:
    await shop.products()
    await shop.card_text("number,secret,expires_on\n77,first,2031-05-06\n,second,\n", "A-1")
    variant = await shop.key("A-1")
    line = new_id()
    async with shop.kernel.db.transaction():
        [pick] = await shop.stock.pick([PickRequest(variant=variant, quantity=2)])
        assert isinstance(pick, Pick)
        await shop.stock.hand_over([Sale(pick=pick, line=line)])
    first, second = await shop.stock.sold_cards([line])
    assert first == SoldCard(
        line=line,
        number="77",
        secret="first",
        expires_on="2031-05-06",
        sold_at=first.sold_at,
        key=first.key,
    )
    assert (second.number, second.secret, second.expires_on) == (None, "second", None)
    assert "first" not in repr(first)


async def test_a_delivery_of_thousands_is_complete(shop: Shop) -> None:
    await shop.products({"max_quantity": "5000"})
    await shop.cards("A-1", 2_500)
    [bought] = await shop.buy((await shop.key("A-1"), 2_500))
    assert bought == [f"A-1-{number:06d}" for number in range(2_500)]


async def test_expired_cards_are_not_sold_and_leave_the_stock(make_kernel: Kernels) -> None:
    shop = Shop(await make_kernel([catalog], catalog={"time_zone": "Asia/Shanghai"}))
    variant = await shop.stocked(cards=3)
    today: date = await shop.kernel.db.fetchval("select (now() at time zone 'Asia/Shanghai')::date")
    # Given one card that expired yesterday, one that is good until today, one without an end
    for card, day in enumerate((today - timedelta(days=1), today), start=1):
        await shop.kernel.db.execute(
            "update catalog_free_card set expires_on = $2 where card = $1", card, day
        )
    # Then two are for sale
    assert (await shop.stock.available([variant]))[variant] == 2
    assert await shop.buy((variant, 3), (variant, 2)) == ["OUT_OF_STOCK", ["A-1-000001", "A-1-000002"]]
    # and the first one is put away when the worker comes by
    await expire_cards(shop.kernel)
    assert (await shop.sizes())["free_card"] == 0
    moved = await shop.kernel.db.fetch(
        "select quantity from catalog_stock_movement where kind = 'expiry' and variant = $1", variant
    )
    assert [row["quantity"] for row in moved] == [-1]


async def test_movements_are_append_only(shop: Shop) -> None:
    await shop.stocked(cards=1)
    for statement in (
        "update catalog_stock_movement set quantity = 5",
        "delete from catalog_stock_movement",
        "truncate catalog_stock_movement",
    ):
        with pytest.raises(asyncpg.RaiseError, match="append-only"):
            await shop.kernel.db.execute(statement)


async def test_counting_stops_where_it_may(shop: Shop) -> None:
    full, empty, unknown = await shop.stocked("A-1", 30), await shop.stocked("A-2"), new_id()
    assert await shop.stock.available([full, empty, unknown], 10) == {full: 10, empty: 0, unknown: 0}
    assert await shop.stock.available([full, empty]) == {full: 30, empty: 0}


async def test_the_number_of_statements_does_not_depend_on_the_batch(shop: Shop) -> None:
    variants = [await shop.stocked(f"A-{number}", 10) for number in range(4)]
    counts = []
    for size in (1, 32):
        async with shop.kernel.db.transaction():
            with counted_statements() as statements:
                picks = await shop.stock.pick(
                    [PickRequest(variant=variants[n % 4], quantity=1) for n in range(size)]
                )
                await shop.stock.hand_over(
                    [Sale(pick=pick, line=new_id()) for pick in picks if isinstance(pick, Pick)]
                )
        counts.append(len(statements))
    assert counts == [2, 2]


async def invariants(shop: Shop) -> None:
    """Each card is free or sold, never both; movements tell the same story as the rows."""
    db = shop.kernel.db
    assert (
        await db.fetchval(
            """
            select count(*) from catalog_card c
            left join catalog_free_card f on f.card = c.id left join catalog_sold_card s on s.card = c.id
            where (f.card is null) = (s.card is null)
            """
        )
        == 0
    )
    moved = await db.fetch("select variant, sum(quantity) from catalog_stock_movement group by variant")
    for variant, total in moved:
        assert (await shop.stock.available([variant]))[variant] == total


@pytest.mark.parametrize("round_", range(5))
async def test_a_duel_over_the_last_cards(shop: Shop, round_: int) -> None:
    # Given ten cards and two hundred buyers, each in a transaction of his own, some of whom give up
    variant = await shop.stocked(cards=10)

    async def buy(buyer: int) -> list[str]:
        try:
            async with shop.kernel.db.transaction():
                [pick] = await shop.stock.pick([PickRequest(variant=variant, quantity=1 + buyer % 2)])
                if isinstance(pick, Refusal):
                    assert isinstance(pick, OutOfStock)
                    return []
                line = new_id()
                await shop.stock.hand_over([Sale(pick=pick, line=line)])
                if buyer % 7 == 0:
                    raise TimeoutError
        except TimeoutError:
            return []
        return [card.secret for card in await shop.stock.sold_cards([line])]

    # When all come at once
    answers = await asyncio.gather(*(buy(buyer) for buyer in range(200)))
    # Then no card went twice
    sold = Counter(chain.from_iterable(answers))
    assert set(sold.values()) <= {1}
    assert set(sold) <= {f"A-1-{number:06d}" for number in range(10)}
    await invariants(shop)
    # and what those left who gave up can still be bought
    left = (await shop.stock.available([variant]))[variant]
    assert left == 10 - len(sold)
    if left:
        [rest] = await shop.buy((variant, left))
        assert set(rest) == {f"A-1-{number:06d}" for number in range(10)} - set(sold)
    assert await shop.buy((variant, 1)) == ["OUT_OF_STOCK"]


async def test_batches_of_many_buyers_over_several_variants(shop: Shop) -> None:
    # Given five variants with 40 cards each
    variants = [await shop.stocked(f"A-{number}", 40) for number in range(5)]
    # When batches of buyers, in different orders, want more than there is
    batches = [[(variants[(n * step + step) % 5], 1 + n % 3) for n in range(12)] for step in range(1, 25)]
    answers = await asyncio.gather(*(shop.buy(*batch) for batch in batches))
    # Then no card went twice, nobody got half of what he wanted, and nothing is lost
    sold = Counter(chain.from_iterable(got for batch in answers for got in batch if isinstance(got, list)))
    assert set(sold.values()) == {1}
    for batch, got in zip(batches, answers, strict=True):
        assert all(
            isinstance(cards, str) or len(cards) == n for (_, n), cards in zip(batch, got, strict=True)
        )
    await invariants(shop)
    left = sum((await shop.stock.available(variants)).values())
    assert len(sold) + left == 200
