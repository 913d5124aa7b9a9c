"""A visitor's cart joins a member's when he logs in: by rules that hold for all carts, and exactly once."""

from __future__ import annotations

import asyncio
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kameng_fulfilment.cart.merging import HeldLine, plan_merge

from .carts import Buyer
from .conftest import Shop

VARIANTS = [UUID(int=number) for number in range(1, 9)]
quantities = st.dictionaries(st.sampled_from(VARIANTS), st.integers(1, 200), max_size=8)


def held(content: dict[UUID, int], offset: int) -> list[HeldLine]:
    return [HeldLine(UUID(int=variant.int + offset), variant, count) for variant, count in content.items()]


@given(own=quantities, other=quantities, most=st.dictionaries(st.sampled_from(VARIANTS), st.integers(1, 150)))
def test_quantities_add_up_to_the_most_that_one_order_may_hold(
    own: dict[UUID, int], other: dict[UUID, int], most: dict[UUID, int]
) -> None:
    merge = plan_merge(held(own, 100), held(other, 200), most, room=6)
    after = dict(own)
    for mine, _, quantity in merge.summed:
        after[UUID(int=mine.int - 100)] = quantity
    for line, quantity in merge.moved:
        after[UUID(int=line.int - 200)] = quantity
    # Nothing that the member had becomes less or is lost
    assert all(after[variant] >= quantity for variant, quantity in own.items())
    # Each of the visitor's lines is summed, moved or had no room
    full = [variant for variant, _, reason in merge.left_out if reason == "CART_FULL"]
    assert len(merge.summed) + len(merge.moved) + len(full) == len(other)
    assert {UUID(int=theirs.int - 200) for _, theirs, _ in merge.summed} == set(own) & set(other)
    assert len(after) <= max(6, len(own))
    assert len(full) == max(0, len(set(other) - set(own)) - max(0, 6 - len(own)))
    # And every piece is in the cart or named, with why
    named = {variant: (quantity, reason) for variant, quantity, reason in merge.left_out}
    assert len(named) == len(merge.left_out)
    for variant in set(own) | set(other):
        together = own.get(variant, 0) + other.get(variant, 0)
        lost, reason = named.get(variant, (0, ""))
        assert after.get(variant, 0) + lost == together
        assert reason == (
            ""
            if not lost
            else "CART_FULL"
            if variant in full
            else "TOO_MANY"
            if variant in most
            else "NOT_FOR_SALE"
        )
    for variant, quantity in after.items():
        together = own.get(variant, 0) + other.get(variant, 0)
        assert 1 <= quantity <= together
        if variant in most and variant in other:
            assert quantity == max(own.get(variant, 0), min(together, most[variant]))


async def test_what_a_visitor_put_together_is_his_after_the_log_in(shop: Shop) -> None:
    # Given a member with one line, and the same person as a visitor with two
    one, two = await shop.stock("ONE", "1", ["a"]), await shop.stock("TWO", "1", ["b"])
    await shop.kernel.db.execute("update catalog_variant set max_quantity = 5 where id = $1", one)
    ann = await shop.member()
    await Buyer(shop, ann).add(one, 3)
    visitor = Buyer(shop)
    await visitor.add(one, 4)
    await visitor.add(two, 2)
    # When he comes back logged in
    here = Buyer(shop, ann, visitor=visitor.visitor)
    assert await here.content() == {"Card ONE One": 5, "Card TWO One": 2}
    # Then the visitor's cart and his token are gone
    assert here.visitor == ""
    assert here.cookies[-1].startswith("__Host-kameng-visitor=; Max-Age=0;")
    assert await shop.kernel.db.fetchval("select count(*) from fulfilment_cart") == 1
    assert await Buyer(shop, visitor=visitor.visitor).content() == {}


async def test_a_cart_is_merged_once_however_many_log_in_at_the_same_moment(shop: Shop) -> None:
    one, two = await shop.stock("ONE", "1", ["a"]), await shop.stock("TWO", "1", ["b"])
    for _ in range(5):
        # Given a visitor's cart that two people know, and members with carts of their own or none
        ann, bob = await shop.member(), await shop.member()
        await Buyer(shop, ann).add(one, 1)
        visitor = Buyer(shop)
        await visitor.add(one, 2)
        await visitor.add(two, 4)
        # When both come with it several times at once
        await asyncio.gather(
            *(Buyer(shop, who, visitor=visitor.visitor).cart() for who in (ann, bob, ann, bob, ann))
        )
        # Then one of them has it, once
        found = [await Buyer(shop, who).content() for who in (ann, bob)]
        assert found in (
            [{"Card ONE One": 3, "Card TWO One": 4}, {}],
            [{"Card ONE One": 1}, {"Card ONE One": 2, "Card TWO One": 4}],
        )


async def test_adding_while_merging_loses_nothing(shop: Shop) -> None:
    one = await shop.stock("ONE", "1", ["a"])
    for _ in range(5):
        ann = await shop.member()
        visitor = Buyer(shop)
        await visitor.add(one, 1)
        late = Buyer(shop, visitor=visitor.visitor)
        await asyncio.gather(
            Buyer(shop, ann).add(one, 10),
            Buyer(shop, ann, visitor=visitor.visitor).cart(),
            late.add(one, 5),
        )
        # What the visitor added after the merge is in a cart of its own under his token, until it is merged too
        await Buyer(shop, ann, visitor=visitor.visitor).cart()
        assert await Buyer(shop, ann).content() == {"Card ONE One": 16}


LEFT_OUT = "{ cart { lines { title quantity } leftOut { title quantity reason variant { sku } } } }"


async def test_what_does_not_come_along_is_told_until_it_was_seen(shop: Shop) -> None:
    # Given a member with three of what one order may hold five of, and a visitor with four, and with things for a full cart
    one, two, three = [await shop.stock(sku, "1", ["a" + sku]) for sku in ("ONE", "TWO", "THREE")]
    await shop.kernel.db.execute("update catalog_variant set max_quantity = 5 where id = $1", one)
    ann = await shop.member()
    await Buyer(shop, ann).add(one, 3)
    visitor = Buyer(shop)
    await visitor.add(one, 4)
    await visitor.add(two, 1)
    await visitor.add(three, 7)
    await shop.kernel.db.execute(
        "update catalog_variant set max_quantity = 5 where id = $1",
        three,
    )
    # When he logs in, and the first thing that is asked is the number on a button
    await Buyer(shop, ann, visitor=visitor.visitor).ask("{ cartQuantity }")
    # Then whoever looks at the cart is told what was left out, in the language of the request
    for _ in range(2):
        cart = (await Buyer(shop, ann).ask(LEFT_OUT))["cart"]
        assert sorted(cart["leftOut"], key=lambda left: left["title"]) == [
            {"title": "Card ONE One", "quantity": 2, "reason": "TOO_MANY", "variant": {"sku": "ONE"}},
            {"title": "Card THREE One", "quantity": 2, "reason": "TOO_MANY", "variant": {"sku": "THREE"}},
        ]
    # Until he has seen it
    dismiss = "mutation { dismissLeftOut { cart { leftOut { title } } errors { code } } }"
    for _ in range(2):
        answer = await Buyer(shop, ann).ask(dismiss)
        assert answer["dismissLeftOut"] == {"cart": {"leftOut": []}, "errors": []}
    assert (await Buyer(shop, ann).ask(LEFT_OUT))["cart"]["leftOut"] == []


async def test_a_full_cart_takes_nothing_more_and_says_so(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        "kameng_fulfilment.cart.merging.plan_merge",
        lambda own, other, most: plan_merge(own, other, most, room=1),
    )
    one, two, three = [await shop.stock(sku, "1", ["a" + sku]) for sku in ("ONE", "TWO", "THREE")]
    ann = await shop.member()
    await Buyer(shop, ann).add(one, 1)
    # Given two visitors' carts that join a full one, one after the other
    for variant, quantity in ((two, 4), (three, 2)):
        visitor = Buyer(shop)
        await visitor.add(variant, quantity)
        here = Buyer(shop, ann, visitor=visitor.visitor)
        added = await here.add(one, 1)
        assert added["errors"] == []
    # Then both are told of
    cart = (await Buyer(shop, ann).ask(LEFT_OUT))["cart"]
    assert cart["lines"] == [{"title": "Card ONE One", "quantity": 3}]
    assert [(left["title"], left["quantity"], left["reason"]) for left in cart["leftOut"]] == [
        ("Card TWO One", 4, "CART_FULL"),
        ("Card THREE One", 2, "CART_FULL"),
    ]
    # And a day later not any more
    await shop.kernel.db.execute(
        """update fulfilment_cart set left_out = (
               select jsonb_agg(jsonb_set(n, '{at}', '"2020-01-01T00:00:00Z"')) from jsonb_array_elements(left_out) n)"""
    )
    assert (await Buyer(shop, ann).ask(LEFT_OUT))["cart"]["leftOut"] == []


async def test_a_visitor_has_nothing_to_dismiss(shop: Shop) -> None:
    answer = await Buyer(shop).ask("mutation { dismissLeftOut { errors { code } } }")
    assert [error["code"] for error in answer["dismissLeftOut"]["errors"]] == ["UNAUTHENTICATED"]
