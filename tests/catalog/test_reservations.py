"""Stock that is kept for order lines until they are paid, or given back."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from uuid import UUID

import asyncpg
import pytest

from kameng.errors import TransactionError
from kameng.ids import new_id
from kameng_catalog.contract import Pick, PickRequest, Sale
from kameng_catalog.overdue import OVERDUE, PATIENCE
from kameng_catalog.stock import expire_cards

from .conftest import Shop
from .stocking import (
    SOON,
    check_stock,
    left,
    mirrored,
    movements,
    pay,
    quota,
    release,
    reusable,
    secrets,
    take,
)


async def all_kinds(shop: Shop, pieces: int) -> dict[str, UUID]:
    """A variant of each kind with so many pieces."""
    return {
        "card": await shop.stocked(cards=pieces),
        "quota": await quota(shop, pieces),
        "reusable": await reusable(shop, pieces),
        "supplier": await mirrored(shop, pieces),
        "unlimited": await shop.stocked("U-1", kind="unlimited"),
    }


async def reserved(shop: Shop, variant: UUID, pieces: int = 1) -> UUID:
    """A line for which so many are kept."""
    line = await take(shop, variant, pieces, "reserve")
    assert isinstance(line, UUID), line
    return line


async def test_what_is_kept_for_one_line_is_not_there_for_others(shop: Shop) -> None:
    variants = await all_kinds(shop, 3)
    for variant in variants.values():
        await reserved(shop, variant, 2)
    assert {
        kind: await take(shop, variant, 2) for kind, variant in variants.items() if kind != "unlimited"
    } | {"supplier": None} == {
        "card": "OUT_OF_STOCK",
        "quota": "OUT_OF_STOCK",
        "reusable": "OUT_OF_STOCK",
        "supplier": None,
    }
    assert [await left(shop, variants[kind]) for kind in ("card", "quota", "reusable")] == [1, 1, 1]
    # and nobody has got anything yet
    assert (await shop.sizes())["sold_card"] == 0
    assert (await shop.sizes())["sold_piece"] == 1
    await check_stock(shop)


async def test_a_paid_reservation_is_handed_over_once(shop: Shop) -> None:
    variants = await all_kinds(shop, 3)
    lines = {kind: await reserved(shop, variant, 2) for kind, variant in variants.items()}
    # When it is paid, twice at once and once later
    both = await asyncio.gather(pay(shop, *lines.values()), pay(shop, *reversed(lines.values())))
    # Then one of them handed it over, whole
    assert sorted(map(len, both)) == [0, 5]
    assert await pay(shop, *lines.values()) == set()
    assert sorted(await secrets(shop, *lines.values())) == ["A-1-000000", "A-1-000001", "the-one"]
    assert await movements(shop, variants["quota"]) == [
        ("adjust", 3),
        ("reserve", -2),
        ("release", 2),
        ("sale", -2),
    ]
    await check_stock(shop)


async def test_a_released_reservation_is_for_sale_again(shop: Shop) -> None:
    variants = await all_kinds(shop, 3)
    lines = [await reserved(shop, variant, 2) for variant in variants.values()]
    await asyncio.gather(release(shop, *lines), release(shop, *reversed(lines), new_id()))
    await release(shop, *lines)
    assert [await left(shop, variants[kind]) for kind in ("card", "quota", "reusable", "supplier")] == [3] * 4
    assert await pay(shop, *lines) == set()
    assert isinstance(await take(shop, variants["card"], 3), UUID)
    await check_stock(shop)


async def test_paying_and_releasing_at_once_does_one_of_the_two(shop: Shop) -> None:
    variants = await all_kinds(shop, 20)
    for kind in ("card", "quota"):
        for _ in range(10):
            line = await reserved(shop, variants[kind], 2)
            paid, _ = await asyncio.gather(pay(shop, line), release(shop, line))
            sold = await shop.kernel.db.fetchval(
                "select count(*) from catalog_stock_movement where line = $1 and kind = 'sale'", line
            )
            assert (line in paid) == (sold == 1)
    await check_stock(shop)


async def test_an_expired_card_is_not_handed_over(shop: Shop) -> None:
    # Given a line for which two cards are kept, of which one has expired meanwhile
    variant = await shop.stocked(cards=3)
    line, other = await reserved(shop, variant, 2), await reserved(shop, variant)
    await shop.kernel.db.execute(
        "update catalog_reserved_card set expires_on = current_date - 2"
        " where card = (select min(card) from catalog_reserved_card where line = $1)",
        line,
    )
    # Then the line is not whole, and keeps what it has until it is released
    assert await pay(shop, line, other) == {other}
    assert (await shop.sizes())["reserved_card"] == 2
    await release(shop, line)
    assert await left(shop, variant) == 1
    await expire_cards(shop.kernel)
    await check_stock(shop, gone=1)


async def test_a_rolled_back_reservation_leaves_nothing(shop: Shop) -> None:
    variants = await all_kinds(shop, 3)

    async def fail() -> None:
        async with shop.kernel.db.transaction():
            picks = await shop.stock.pick([PickRequest(variant=v, quantity=2) for v in variants.values()])
            await shop.stock.reserve(
                [Sale(pick=p, line=new_id()) for p in picks if isinstance(p, Pick)], SOON
            )
            raise TimeoutError

    with pytest.raises(TimeoutError):
        await fail()
    assert [await left(shop, variants[kind]) for kind in ("card", "quota", "reusable", "supplier")] == [3] * 4
    assert (await shop.sizes())["reservation"] == 0
    await check_stock(shop)


async def test_reserving_what_is_not_held_fails(shop: Shop) -> None:
    variant = await shop.stocked(cards=1)
    sale = Sale(pick=Pick(variant=variant, quantity=1, cards=(999,)), line=new_id())
    with pytest.raises(TransactionError, match="only 0 were free"):
        async with shop.kernel.db.transaction():
            await shop.stock.reserve([sale], SOON)
    for call in (
        shop.stock.reserve([], SOON),
        shop.stock.hand_over_reserved([]),
        shop.stock.release([]),
        shop.stock.put_back([]),
        shop.stock.retire([]),
    ):
        with pytest.raises(TransactionError, match="outside a transaction"):
            await call


async def test_a_line_has_one_reservation_at_a_time(shop: Shop) -> None:
    variant = await quota(shop, 5)
    line = await reserved(shop, variant)
    with pytest.raises(asyncpg.UniqueViolationError):
        async with shop.kernel.db.transaction():
            [pick] = await shop.stock.pick([PickRequest(variant=variant, quantity=1)])
            assert isinstance(pick, Pick)
            await shop.stock.reserve([Sale(pick=pick, line=line)], SOON)
    assert await left(shop, variant) == 4
    await check_stock(shop)


async def test_forgotten_reservations_are_found(shop: Shop) -> None:
    variant = await quota(shop, 5)
    line = await reserved(shop, variant)
    found = await shop.kernel.db.fetchrow(OVERDUE, PATIENCE)
    assert found is not None
    assert found["lines"] == 0
    await shop.kernel.db.execute(
        "update catalog_reservation set until = now() - $2::interval where line = $1",
        line,
        PATIENCE + timedelta(minutes=1),
    )
    found = await shop.kernel.db.fetchrow(OVERDUE, PATIENCE)
    assert found is not None
    assert found["lines"] == 1
