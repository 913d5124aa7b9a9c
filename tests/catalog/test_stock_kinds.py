"""Stock that is no cards: numbers, secrets that are sold many times, what suppliers have, what never runs out."""

from __future__ import annotations

import asyncio
from collections import Counter
from uuid import UUID

import asyncpg
import pytest

from kameng.db import counted_statements
from kameng.errors import InvalidInput, NotFound, Refusal, TransactionError
from kameng.ids import new_id
from kameng_catalog.contract import UNLIMITED, Pick, PickRequest, RetireRequest, Sale
from kameng_catalog.counting import adjust_stock, set_mirrored, set_reusable_secret

from .conftest import Shop
from .stocking import (
    cards,
    check_stock,
    desk,
    expiring,
    left,
    mirrored,
    movements,
    put_back,
    quota,
    reusable,
    secrets,
    take,
)


async def test_a_quota_is_sold_until_nothing_is_left(shop: Shop) -> None:
    # Given five pieces
    variant = await quota(shop, 5)
    # When three, three and two are wanted
    first, second, third = [await take(shop, variant, pieces) for pieces in (3, 3, 2)]
    # Then the second one is refused, and no secret was handed over
    assert isinstance(first, UUID)
    assert second == "OUT_OF_STOCK"
    assert isinstance(third, UUID)
    assert await secrets(shop, first, third) == []
    assert await left(shop, variant) == 0
    assert await movements(shop, variant) == [("adjust", 5), ("sale", -3), ("sale", -2)]
    await check_stock(shop)


async def test_requests_for_a_quota_are_served_in_order(shop: Shop) -> None:
    variant, card = await quota(shop, 4), await shop.stocked(cards=1)
    async with shop.kernel.db.transaction():
        picks = await shop.stock.pick(
            [
                PickRequest(variant=v, quantity=n)
                for v, n in ((variant, 3), (card, 1), (variant, 2), (variant, 1))
            ]
        )
    assert [pick.code if isinstance(pick, Refusal) else pick.kind for pick in picks] == [
        "quota",
        "card",
        "OUT_OF_STOCK",
        "quota",
    ]
    # and whatever was not handed over is still there
    assert await left(shop, variant) == 4


async def test_who_only_looks_does_not_make_it_look_sold_out(shop: Shop) -> None:
    # Given one piece, and somebody who has picked it and will not pay
    variant = await quota(shop, 1)
    picked, give_up = asyncio.Event(), asyncio.Event()

    async def poor() -> None:
        async with shop.kernel.db.transaction():
            await shop.stock.pick([PickRequest(variant=variant, quantity=1)])
            picked.set()
            await give_up.wait()

    async with asyncio.TaskGroup() as group:
        group.create_task(poor())
        await picked.wait()
        # When somebody else wants it, then he waits, and gets it
        rich = group.create_task(take(shop, variant))
        await asyncio.sleep(0.05)
        assert not rich.done()
        give_up.set()
    assert isinstance(rich.result(), UUID)
    await check_stock(shop)


async def test_counters_are_locked_in_the_order_of_their_keys(shop: Shop) -> None:
    # Given two quotas that buyers want in different orders; without an order they would wait for each other
    one, two = await quota(shop, 200, "Q-1"), await quota(shop, 200, "Q-2")

    async def buy(variants: tuple[UUID, UUID]) -> None:
        async with shop.kernel.db.transaction():
            picks = await shop.stock.pick([PickRequest(variant=v, quantity=1) for v in variants])
            await shop.stock.hand_over([Sale(pick=p, line=new_id()) for p in picks if isinstance(p, Pick)])

    await asyncio.gather(*(buy((one, two) if n % 2 else (two, one)) for n in range(60)))
    assert [await left(shop, one), await left(shop, two)] == [140, 140]
    await check_stock(shop)


async def test_a_reusable_secret_goes_to_every_buyer_up_to_its_cap(shop: Shop) -> None:
    variant = await reusable(shop, 3)
    lines = [await take(shop, variant, pieces) for pieces in (1, 2, 1)]
    assert lines[2] == "OUT_OF_STOCK"
    bought = [line for line in lines if isinstance(line, UUID)]
    assert await secrets(shop, *bought) == ["the-one", "the-one"]
    await check_stock(shop)


async def test_buyers_keep_the_secret_that_they_bought(shop: Shop) -> None:
    # Given a secret that somebody bought
    variant = await reusable(shop, 5)
    before = await take(shop, variant)
    # When it is replaced
    await set_reusable_secret(desk(shop), variant, "the-other", "N-7", "leaked")
    after = await take(shop, variant)
    # Then each has what was sold when he came
    assert isinstance(before, UUID)
    assert isinstance(after, UUID)
    assert await secrets(shop, before) == ["the-one"]
    [card] = await shop.stock.sold_cards([after])
    assert (card.secret, card.number, card.retired) == ("the-other", "N-7", False)
    assert "the-one" not in str(await shop.kernel.db.fetch("select * from catalog_reusable_secret"))


async def test_suppliers_stock_is_what_they_said_last(shop: Shop) -> None:
    variant = await mirrored(shop, 2)
    [snapshot] = await shop.variants.snapshots([variant])
    assert snapshot is not None
    assert (snapshot.stock_kind, snapshot.delivery) == ("supplier", "supplier")
    card = await shop.stocked(cards=1)
    # A figure is no promise: picking checks it and takes nothing from it
    assert await take(shop, variant, 3) == "OUT_OF_STOCK"
    line = await take(shop, variant, 2)
    assert isinstance(line, UUID)
    assert await left(shop, variant) == 2
    # When the supplier tells figures, then those of other kinds of stock are passed over
    await shop.stock.mirror({variant: 1, card: 99, new_id(): 5})
    assert await shop.stock.available([variant, card]) == {variant: 1, card: 1}
    await check_stock(shop)


async def test_nothing_is_there_before_somebody_counts(shop: Shop) -> None:
    variants = [await shop.stocked(f"N-{kind}", kind=kind) for kind in ("quota", "reusable", "supplier")]
    assert [await take(shop, variant) for variant in variants] == ["OUT_OF_STOCK"] * 3
    assert set((await shop.stock.available(variants)).values()) == {0}
    assert await shop.stock.available(variants, 10) == dict.fromkeys(variants, 0)


async def test_what_was_not_delivered_comes_back_once(shop: Shop) -> None:
    # Given lines that bought of each kind
    variants = {
        "quota": await quota(shop, 3),
        "reusable": await reusable(shop, 3),
        "supplier": await mirrored(shop, 3),
        "unlimited": await shop.stocked("U-1", kind="unlimited"),
        "card": await shop.stocked(cards=3),
    }
    lines = {kind: await take(shop, variant, 2) for kind, variant in variants.items()}
    bought = [line for line in lines.values() if isinstance(line, UUID)]
    assert len(bought) == 5
    # When they are paid back before delivery, twice
    await asyncio.gather(put_back(shop, *bought), put_back(shop, *reversed(bought), new_id()))
    # Then numbers come back once, and what was handed over does not
    assert {kind: await left(shop, variant) for kind, variant in variants.items()} == {
        "quota": 3,
        "reusable": 1,
        "supplier": 3,
        "unlimited": UNLIMITED,
        "card": 1,
    }
    assert await movements(shop, variants["unlimited"]) == [("sale", -2), ("return", 2)]
    await check_stock(shop)


async def test_figures_that_cannot_be(shop: Shop) -> None:
    request = desk(shop)
    number, secret = await quota(shop, 3), await shop.stocked("R-1", kind="reusable")
    card = await shop.stocked(cards=1)
    for change in ({"by": -4}, {"to": -1}, {"to": 2**31}, {"by": 2**31}, {}, {"by": 1, "to": 1}):
        with pytest.raises(InvalidInput):
            await adjust_stock(request, number, "why", **change)
    with pytest.raises(InvalidInput, match="no secret to sell"):
        await adjust_stock(request, secret, "why", to=5)
    with pytest.raises(InvalidInput, match="kind 'card'"):
        await adjust_stock(request, card, "why", to=5)
    with pytest.raises(InvalidInput, match="kind 'quota'"):
        await set_mirrored(request, number, 5, "why")
    with pytest.raises(InvalidInput, match="kind 'quota'"):
        await set_reusable_secret(request, number, "secret", "", "why")
    with pytest.raises(NotFound):
        await adjust_stock(request, new_id(), "why", to=5)
    assert await left(shop, number) == 3
    # and the database itself refuses a number below zero
    with pytest.raises(asyncpg.CheckViolationError):
        await shop.kernel.db.execute("update catalog_stock_counter set on_hand = -1")


async def test_a_change_is_written_down_with_its_reason(shop: Shop) -> None:
    variant = await quota(shop, 3)
    assert await adjust_stock(desk(shop), variant, "found two more", by=2) == 5
    assert await adjust_stock(desk(shop), variant, "nothing changed", to=5) == 5
    row = await shop.kernel.db.fetchrow("select * from catalog_stock_movement order by id desc limit 1")
    assert row is not None
    assert (row["kind"], row["quantity"], row["reason"]) == ("adjust", 2, "found two more")
    assert row["actor"] == desk(shop).principal.key
    entries = (await shop.kernel.audit.page()).entries
    assert [entry.action for entry in entries].count("catalog.stock_adjusted") == 2
    assert (
        await shop.kernel.db.fetchval(
            "select count(*) from kernel_outbox where topic = 'catalog.stock_adjusted'"
        )
        == 2
    )


async def test_more_than_was_picked_cannot_be_handed_over(shop: Shop) -> None:
    unknown = Pick(variant=new_id(), quantity=1, kind="quota")
    with pytest.raises(TransactionError, match="only 0 were free"):
        await shop.stock.hand_over([Sale(pick=unknown, line=new_id())])
    variant = await quota(shop, 1)
    with pytest.raises(asyncpg.CheckViolationError):
        await shop.stock.hand_over(
            [Sale(pick=Pick(variant=variant, quantity=2, kind="quota"), line=new_id())]
        )
    assert await left(shop, variant) == 1


async def test_bad_cards_are_marked_and_replaced(shop: Shop) -> None:
    # Given a line with two cards and one with a reusable secret
    card, shared = await shop.stocked(cards=3), await reusable(shop, 5)
    line, other = await take(shop, card, 2), await take(shop, shared)
    assert isinstance(line, UUID)
    assert isinstance(other, UUID)
    keys = {sold.secret: sold.key for sold in await shop.stock.sold_cards([line, other])}
    assert len(set(keys.values())) == 3
    # When one of each turns out to be bad, and one is replaced
    bad = [
        RetireRequest(line=line, key=keys["A-1-000001"], reason="already used", by="staff:1"),
        RetireRequest(line=other, key=keys["the-one"], reason="revoked", by="staff:1"),
    ]
    async with shop.kernel.db.transaction():
        await shop.stock.retire(bad)
        await shop.stock.retire(bad)
        [pick] = await shop.stock.pick([PickRequest(variant=card, quantity=1)])
        assert isinstance(pick, Pick)
        await shop.stock.hand_over([Sale(pick=pick, line=line)])
    # Then the line has all three, and tells which is bad
    sold = await shop.stock.sold_cards([line])
    assert [(one.secret, one.retired) for one in sold] == [
        ("A-1-000000", False),
        ("A-1-000001", True),
        ("A-1-000002", False),
    ]
    assert [one.retired for one in await shop.stock.sold_cards([other])] == [True]
    assert (await shop.sizes())["bad_card"] == 2
    await check_stock(shop)


@pytest.mark.parametrize("key", ["", "no key", "00" * 16])
async def test_what_a_line_does_not_have_cannot_be_bad(shop: Shop, key: str) -> None:
    variant = await shop.stocked(cards=2)
    line, other = await take(shop, variant), await take(shop, variant)
    assert isinstance(line, UUID)
    assert isinstance(other, UUID)
    [foreign] = await shop.stock.sold_cards([other])
    for wrong in (key, foreign.key):
        with pytest.raises(NotFound, match="does not belong"):
            async with shop.kernel.db.transaction():
                await shop.stock.retire([RetireRequest(line=line, key=wrong, reason="bad", by="staff:1")])
    assert (await shop.sizes())["bad_card"] == 0


async def test_the_rare_kinds_cost_a_constant_number_of_statements(shop: Shop) -> None:
    variants = [await quota(shop, 50), await reusable(shop, 50), await mirrored(shop, 50)]
    variants.append(await shop.stocked(cards=50))
    counts = []
    for size in (4, 32):
        async with shop.kernel.db.transaction():
            with counted_statements() as statements:
                picks = await shop.stock.pick(
                    [PickRequest(variant=variants[n % 4], quantity=1) for n in range(size)]
                )
                await shop.stock.hand_over(
                    [Sale(pick=pick, line=new_id()) for pick in picks if isinstance(pick, Pick)]
                )
        counts.append(len(statements))
    # pick, counters, mirrored figures; cards, pieces
    assert counts == [5, 5]


@pytest.mark.parametrize("make", [quota, reusable, cards, expiring])
async def test_a_duel_over_the_last_pieces(shop: Shop, make: object) -> None:
    # Given ten pieces and a hundred and fifty buyers, of whom some only look, some reserve and come back later
    assert callable(make)
    variant: UUID = await make(shop, 10)

    async def come(buyer: int) -> tuple[str, int]:
        pieces = 1 + buyer % 2
        how = ("buy", "reserve", "look", "buy")[buyer % 4]
        line = await take(shop, variant, pieces, how)  # type: ignore[arg-type]  # one of the three words
        if not isinstance(line, UUID) or how == "look":
            return "nothing", 0
        if how == "reserve":
            async with shop.kernel.db.transaction():
                if buyer % 3:
                    assert await shop.stock.hand_over_reserved([line]) == {line}
                    return "sold", pieces
                await shop.stock.release([line])
            return "released", 0
        return "sold", pieces

    answers = await asyncio.gather(*(come(buyer) for buyer in range(150)))
    # Then no more than ten were sold, and what is left can still be bought
    sold = sum(pieces for _, pieces in answers)
    assert Counter(kind for kind, _ in answers)["sold"] > 0
    assert await left(shop, variant) == 10 - sold
    await check_stock(shop)
    if sold < 10:
        assert isinstance(await take(shop, variant, 10 - sold), UUID)
    assert await take(shop, variant) == "OUT_OF_STOCK"
