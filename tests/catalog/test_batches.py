"""Batches of cards in quarantine, readmitted and recalled; and cards that go in the order in which they expire."""

from __future__ import annotations

import asyncio
from datetime import date
from uuid import UUID

import pytest

from kameng.errors import Conflict, InvalidInput, NotFound
from kameng.ids import new_id
from kameng.money import UnitPrice
from kameng_catalog import batches
from kameng_catalog.batches import BatchState, set_batch_state, settle_batches, update_batch
from kameng_catalog.contract import Pick, PickRequest, Sale

from .conftest import Shop
from .stocking import check_stock, desk, left, movements, pay, release, secrets, take


async def batch(shop: Shop, cards: int, sku: str = "A-1") -> UUID:
    """A batch of so many cards."""
    report = await shop.cards(sku, cards)
    assert report.batch is not None
    return report.batch


async def put(shop: Shop, key: UUID, state: BatchState) -> int:
    """Give a batch a state; how many cards moved."""
    return await set_batch_state(desk(shop), key, state, "complaints")


async def test_a_batch_in_quarantine_is_not_sold_until_it_is_readmitted(shop: Shop) -> None:
    # Given two batches of a variant, with a card of the first one sold and two reserved
    variant = await shop.stocked()
    bad, good = await batch(shop, 6), await batch(shop, 2)
    sold, kept = await take(shop, variant), await take(shop, variant, 2, "reserve")
    assert isinstance(kept, UUID)
    # When the first one is put into quarantine
    assert await put(shop, bad, "quarantined") == 5
    # Then only the second one is for sale, and what was reserved is not whole any more
    await check_stock(shop)
    assert await left(shop, variant) == 2
    assert await pay(shop, kept) == set()
    await release(shop, kept)
    # When it is readmitted, then all but the sold card are for sale
    assert await put(shop, bad, "sellable") == 5
    assert await left(shop, variant) == 7
    await check_stock(shop)
    assert await movements(shop, variant) == [
        ("import", 6),
        ("import", 2),
        ("sale", -1),
        ("reserve", -2),
        ("quarantine", -3),
        ("release", 2),
        ("quarantine", -2),
        ("readmit", 5),
    ]
    assert isinstance(sold, UUID)
    assert await secrets(shop, sold) == ["A-1-000000"]
    assert await put(shop, good, "sellable") == 0


async def test_a_recalled_batch_never_comes_back(shop: Shop) -> None:
    variant = await shop.stocked()
    bad = await batch(shop, 5)
    sold, kept = await take(shop, variant), await take(shop, variant, 2, "reserve")
    assert isinstance(sold, UUID)
    assert isinstance(kept, UUID)
    await put(shop, bad, "quarantined")
    # When it is recalled, once and again
    assert await put(shop, bad, "recalled") == 4
    assert await put(shop, bad, "recalled") == 0
    # Then four cards lie nowhere, and the sold one is still its buyer's
    await release(shop, kept)
    await check_stock(shop, gone=4)
    assert await left(shop, variant) == 0
    assert await secrets(shop, sold) == ["A-1-000000"]
    for state in ("sellable", "quarantined"):
        with pytest.raises(Conflict, match="for good"):
            await put(shop, bad, state)
    told = await shop.kernel.db.fetchval(
        "select payload->>'sold' from kernel_outbox where topic = 'catalog.batch_recalled'"
    )
    assert told == "1"
    actions = [entry.action for entry in (await shop.kernel.audit.page()).entries]
    assert actions.count("catalog.batch_recalled") == 1
    with pytest.raises(NotFound):
        await put(shop, new_id(), "recalled")


async def test_a_quarantine_waits_for_sales_under_way(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    # Given buyers, reservers and givers-up at work, and chunks of three cards
    monkeypatch.setattr(batches, "CHUNK", 3)
    variant = await shop.stocked()
    first = await batch(shop, 40)
    lines: list[UUID] = []

    async def come(number: int) -> None:
        how = ("buy", "reserve", "look")[number % 3]
        line = await take(shop, variant, 1 + number % 2, how)  # type: ignore[arg-type]  # one of the three
        if isinstance(line, UUID) and how == "reserve":
            lines.append(line)
            if number % 2:
                await release(shop, line)

    # When the batch goes into quarantine meanwhile
    async with asyncio.TaskGroup() as group:
        for number in range(30):
            group.create_task(come(number))
        moved = group.create_task(put(shop, first, "quarantined"))
    # Then nothing of it is left for sale, and nothing is lost
    await check_stock(shop)
    assert await left(shop, variant) == 0
    sold = (await shop.sizes())["sold_card"]
    assert (await shop.sizes())["quarantined_card"] == 40 - sold
    assert moved.result() <= 40 - sold
    assert await pay(shop, *lines) == set()


async def test_states_that_are_set_at_once_end_in_one_of_them(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(batches, "CHUNK", 2)
    variant = await shop.stocked()
    key = await batch(shop, 30)

    async def set_to(state: BatchState) -> None:
        try:
            await put(shop, key, state)
        except Conflict as refusal:
            assert "follows soon" in refusal.message

    await asyncio.gather(*(set_to(state) for state in ("quarantined", "sellable", "quarantined", "sellable")))
    await settle_batches(shop.kernel)
    await check_stock(shop)
    assert await left(shop, variant) in (0, 30)


async def test_a_process_that_died_is_followed_by_the_task(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Given a quarantine that was cut off after its first chunk
    monkeypatch.setattr(batches, "CHUNK", 2)
    variant = await shop.stocked()
    key = await batch(shop, 10)
    moves = dict(batches.statements.MOVES)
    calls = 0

    async def die(*_: object) -> None:
        raise TimeoutError

    real = shop.kernel.db.fetchrow

    async def fetchrow(sql: object, *arguments: object) -> object:
        nonlocal calls
        if sql is moves["free", "quarantined"]:
            calls += 1
            if calls > 1:
                await die()
        return await real(sql, *arguments)  # type: ignore[arg-type]  # passed on as it came

    monkeypatch.setattr(shop.kernel.db, "fetchrow", fetchrow)
    with pytest.raises(TimeoutError):
        await put(shop, key, "quarantined")
    monkeypatch.undo()
    assert await left(shop, variant) == 8
    # When the worker comes by, then it is done
    await settle_batches(shop.kernel)
    assert await left(shop, variant) == 0
    await check_stock(shop)
    assert (
        await shop.kernel.db.fetchval("select unsettled from catalog_stock_batch where id = $1", key) is False
    )


async def test_a_batch_tells_where_it_came_from_and_what_it_cost(shop: Shop) -> None:
    await shop.stocked()
    key = await batch(shop, 1)
    await update_batch(desk(shop), key, source="Wang")
    await update_batch(desk(shop), key, cost=UnitPrice.parse("9.1234", "CNY"))
    row = await shop.kernel.db.fetchrow("select * from catalog_stock_batch where id = $1", key)
    assert row is not None
    assert (row["source"], row["cost_units"], row["cost_currency"]) == ("Wang", 91_234, "CNY")
    with pytest.raises(NotFound):
        await update_batch(desk(shop), new_id(), source="x")


async def expiring(shop: Shop, picking: str) -> UUID:
    """A variant with five cards: two without an end, three that expire in another order than they came."""
    await shop.products()
    await shop.card_text(
        "secret,expires_on\nlasting-1,\nlate,2033-01-01\nearly,2031-01-01\nlasting-2,\nmiddle,2032-01-01\n",
        "A-1",
    )
    variant = await shop.key("A-1")
    await shop.kernel.db.execute("update catalog_variant set picking = $2 where id = $1", variant, picking)
    return variant


@pytest.mark.parametrize(
    ("picking", "order"),
    [
        ("fifo", ["lasting-1", "late", "early", "lasting-2", "middle"]),
        ("soonest_expiring", ["early", "middle", "late", "lasting-1", "lasting-2"]),
    ],
)
async def test_cards_are_sold_in_the_order_of_the_policy(shop: Shop, picking: str, order: list[str]) -> None:
    variant = await expiring(shop, picking)
    [first], [second] = await shop.buy((variant, 1)), await shop.buy((variant, 1))
    assert [first, second] == [order[:1], order[1:2]]
    [rest] = await shop.buy((variant, 3))
    assert sorted(rest) == sorted(order[2:])
    assert await shop.buy((variant, 1)) == ["OUT_OF_STOCK"]
    await check_stock(shop)


async def test_who_takes_more_than_expire_gets_some_that_do_not(shop: Shop) -> None:
    variant = await expiring(shop, "soonest_expiring")
    got = await shop.buy((variant, 4), (variant, 2), (variant, 1))
    assert sorted(got[0]) == ["early", "lasting-1", "late", "middle"]
    assert got[1:] == ["OUT_OF_STOCK", ["lasting-2"]]


async def test_cards_that_others_hold_are_passed_over(shop: Shop) -> None:
    variant = await expiring(shop, "soonest_expiring")
    picked, go_on = asyncio.Event(), asyncio.Event()

    async def slow() -> None:
        async with shop.kernel.db.transaction():
            [pick] = await shop.stock.pick([PickRequest(variant=variant, quantity=1)])
            picked.set()
            await go_on.wait()
            assert isinstance(pick, Pick)
            await shop.stock.hand_over([Sale(pick=pick, line=new_id())])

    async with asyncio.TaskGroup() as group:
        group.create_task(slow())
        await picked.wait()
        async with asyncio.timeout(30):
            assert await shop.buy((variant, 1)) == [["middle"]]
        go_on.set()
    assert await shop.buy((variant, 1)) == [["late"]]
    await check_stock(shop)


async def test_an_import_tells_what_its_cards_cost_and_when_they_expire(shop: Shop) -> None:
    await shop.products()
    report = await shop.card_text(
        "secret,expires_on\nown,2031-01-01\nnone,\n",
        "A-1",
        cost=UnitPrice.parse("9.5", "CNY"),
        expires_on=date(2032, 2, 2),
    )
    row = await shop.kernel.db.fetchrow("select * from catalog_stock_batch where id = $1", report.batch)
    assert row is not None
    assert (row["cost_units"], row["cost_currency"]) == (95_000, "CNY")
    line = await take(shop, await shop.key("A-1"), 2)
    assert isinstance(line, UUID)
    sold = await shop.stock.sold_cards([line])
    assert [(card.secret, card.expires_on) for card in sold] == [
        ("own", "2031-01-01"),
        ("none", "2032-02-02"),
    ]
    for wrong in ({"expires_on": date(2020, 1, 1)}, {"cost": UnitPrice(-1, "CNY")}):
        with pytest.raises(InvalidInput):
            await shop.card_text("secret\nmore\n", "A-1", **wrong)
    assert (await shop.sizes())["stock_batch"] == 1
