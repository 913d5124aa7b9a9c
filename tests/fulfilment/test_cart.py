"""Carts: put in, changed, shown as they stand, ordered, and gone in the end."""

from __future__ import annotations

import asyncio

from kameng.db import counted_statements
from kameng.ids import global_id, new_id
from kameng_fulfilment.cart.expiring import expire_carts

from .carts import ADD, CLEAR, REMOVE, Buyer, codes, notes
from .conftest import OWNER, Shop

FORM = (
    """mutation($input: SetProductFormInput!) { setProductForm(input: $input) { errors { code message } } }"""
)


async def variants(shop: Shop, count: int, cards: int = 2) -> list:
    return [
        await shop.stock(f"S{number:03}", "2.50", [f"S{number}-{card}" for card in range(cards)])
        for number in range(count)
    ]


async def test_a_visitor_has_a_cart_under_a_token_of_his_own(shop: Shop) -> None:
    # Given a visitor who puts something into his cart
    variant = await shop.stock("CARD", "9.85", ["a", "b", "c"])
    ann = Buyer(shop)
    added = await ann.add(variant, 2)
    # Then he gets a token, as text and as a cookie that no script can read, and finds his cart by it
    assert added["visitorToken"] == ann.visitor
    (cookie,) = ann.cookies
    assert cookie.startswith(
        f"__Host-kameng-visitor={ann.visitor}; Max-Age=5184000; Path=/; Secure; HttpOnly"
    )
    cart = await ann.cart()
    assert (cart["quantity"], cart["ready"], cart["total"]) == (
        2,
        True,
        {"amount": "19.70", "currency": "CNY"},
    )
    assert (await ann.ask("{ cartQuantity }"))["cartQuantity"] == 2
    # And nobody else does
    assert await Buyer(shop).content() == {}
    assert await Buyer(shop, visitor=f"kmv_{'x' * 43}").content() == {}
    # And the token itself is not stored
    stored = await shop.kernel.db.fetchval("select visitor from fulfilment_cart")
    assert len(stored) == 32
    assert ann.visitor.encode() not in stored


async def test_a_members_cart_is_the_same_on_all_devices(shop: Shop) -> None:
    variant = await shop.stock("CARD", "1", ["a", "b"])
    ann = await shop.member()
    phone, desk = Buyer(shop, ann), Buyer(shop, ann)
    await phone.add(variant)
    await desk.add(variant)
    assert await phone.content() == await desk.content() == {"Card CARD One": 2}


async def test_the_same_change_sent_twice_is_carried_out_once(shop: Shop) -> None:
    variant = await shop.stock("CARD", "1", ["a", "b"])
    ann = Buyer(shop, await shop.member())
    first, again = await asyncio.gather(*(ann.add(variant, 2, key="k" * 20) for _ in range(2)))
    assert first["errors"] == again["errors"] == []
    third = await ann.add(variant, 2, key="k" * 20)
    assert third["cart"]["quantity"] == 2


async def test_what_is_added_at_the_same_moment_adds_up(shop: Shop) -> None:
    variant = await shop.stock("CARD", "1", ["a"])
    ann = await shop.member()
    await asyncio.gather(*(Buyer(shop, ann).add(variant, 3) for _ in range(8)))
    assert await Buyer(shop, ann).content() == {"Card CARD One": 24}


async def test_what_cannot_be_bought_is_not_put_in(shop: Shop) -> None:
    variant = await shop.stock("CARD", "1", ["a"])
    ann = Buyer(shop, await shop.member())
    assert codes(await ann.add(new_id())) == ["NOT_FOR_SALE"]
    assert codes(await ann.add(variant, 0)) == ["WRONG_QUANTITY"]
    await shop.kernel.db.execute("update catalog_variant set max_quantity = 5 where id = $1", variant)
    await ann.add(variant, 3)
    refused = await ann.add(variant, 3)
    assert codes(refused) == ["WRONG_QUANTITY"]
    assert refused["errors"][0]["path"] == ["input", "lines", "0", "quantity"]
    assert codes(await ann.add(variant, 1, currency="USD")) == ["NOT_FOR_SALE"]
    assert await ann.content() == {"Card CARD One": 3}
    # A refusal uses no key up
    assert codes(await ann.add(variant, 3, key="k" * 20)) == ["WRONG_QUANTITY"]
    assert codes(await ann.add(variant, 2, key="k" * 20)) == []


async def test_several_lines_are_put_in_together_or_not_at_all(shop: Shop) -> None:
    one, two = await variants(shop, 2)
    ann = Buyer(shop, await shop.member())
    lines = [
        {"variantId": global_id("Variant", one), "quantity": 2},
        {"variantId": global_id("Variant", two)},
    ]
    again = [*lines[1:], {"variantId": global_id("Variant", new_id())}]
    for wanted, told in (
        (lines, []),
        (again, ["NOT_FOR_SALE"]),
        ([*lines, lines[0]], ["INVALID_INPUT"]),
        ([], ["INVALID_INPUT"]),
    ):
        answer = await ann.ask(ADD, {"input": {"lines": wanted}, "key": str(new_id())})
        assert codes(answer["addToCart"]) == told
    assert await ann.content() == {"Card S000 One": 2, "Card S001 One": 1}


async def test_lines_are_changed_and_taken_out(shop: Shop) -> None:
    one, two = await variants(shop, 2)
    ann = Buyer(shop, await shop.member())
    await ann.add(one)
    lines = (await ann.add(two))["cart"]["lines"]
    changed = await ann.change(lines[0]["id"], 2)
    assert [line["quantity"] for line in changed["cart"]["lines"]] == [2, 1]
    # 0 takes a line out, and so does taking it out, also twice
    await ann.change(lines[0]["id"], 0)
    for _ in range(2):
        removed = await ann.ask(REMOVE, {"input": {"lineId": lines[1]["id"]}})
        assert removed["removeFromCart"]["cart"]["lines"] == []
    assert codes(await ann.change(lines[1]["id"], 1)) == ["NOT_FOUND"]
    await ann.add(one)
    assert (await ann.ask(CLEAR))["clearCart"]["cart"]["quantity"] == 0
    # Somebody else's line is none
    line = (await ann.add(one))["cart"]["lines"][0]["id"]
    eve = Buyer(shop, await shop.member())
    assert codes(await eve.change(line, 5)) == ["NOT_FOUND"]
    await eve.ask(REMOVE, {"input": {"lineId": line}})
    assert (await ann.cart())["quantity"] == 1


async def test_a_cart_tells_what_has_changed_since(shop: Shop) -> None:
    # Given a cart of four lines
    up, down, out, gone = await variants(shop, 4)
    ann = Buyer(shop, await shop.member())
    for variant in (up, down, out, gone):
        await ann.add(variant, 2)
    assert notes(await ann.cart()) == [[], [], [], []]
    # When prices move, stock goes and a product is withdrawn
    db = shop.kernel.db
    await shop.stock("S000", "3", [])
    await shop.stock("S001", "2", [])
    bob = await shop.member("10")
    await shop.buy(bob, (out, 1))
    await db.execute(
        "update catalog_product set status = 'archived' where id = (select product from catalog_variant where id = $1)",
        gone,
    )
    # Then each line says so, and the total is what can be bought now
    cart = await ann.cart()
    assert notes(cart) == [["PRICE_UP"], ["PRICE_DOWN"], ["OUT_OF_STOCK"], ["NOT_FOR_SALE"]]
    assert [line["notes"][0]["was"] for line in cart["lines"]][:2] == [
        {"amount": "2.5000"},
        {"amount": "2.5000"},
    ]
    assert cart["lines"][2]["notes"][0]["available"] == 1
    assert (cart["ready"], cart["total"]["amount"]) == (False, "15.00")
    # And a changed line has been seen at its new price
    changed = await ann.change(cart["lines"][0]["id"], 1)
    assert notes(changed["cart"])[0] == []


async def test_a_cart_holds_as_many_lines_as_an_order_and_adding_does_not_cost_more_then(shop: Shop) -> None:
    # Given one line, and then as many as there may be
    many = await variants(shop, 51, cards=1)
    ann = Buyer(shop, await shop.member())
    await ann.add(many[0])

    async def statements(variant) -> int:
        source = "mutation($input: AddToCartInput!) { addToCart(input: $input) { errors { code } } }"
        value = {"lines": [{"variantId": global_id("Variant", variant), "quantity": 1}]}
        with counted_statements() as counted:
            await ann.ask(source, {"input": value})
        return len([text for text in counted if not text.lower().startswith(("begin", "commit"))])

    async def shown() -> int:
        with counted_statements() as counted:
            await ann.cart()
        return len(counted)

    early, few = await statements(many[1]), await shown()
    for variant in many[2:49]:
        await ann.add(variant)
    late, lots = await statements(many[49]), await shown()
    # Then the fiftieth took as many statements as the second, and showing all takes as many as showing two
    assert early == late
    assert few == lots
    assert (late <= 10, lots <= 6) == (True, True), (late, lots)
    assert codes(await ann.add(many[50])) == ["CART_FULL"]
    # What is there may grow
    assert codes(await ann.add(many[0])) == []


async def test_answers_are_checked_and_kept_sealed(shop: Shop) -> None:
    variant = await shop.stock("TOPUP", "5", ["a", "b"])
    form = '[{"name": "account", "kind": "text", "labels": {"en": "Account"}, "private": true}]'
    await shop.kernel.db.execute(
        "update catalog_product set form = $1::jsonb where id = (select product from catalog_variant where id = $2)",
        form,
        variant,
    )
    ann = Buyer(shop, await shop.member("100"))
    missing = await ann.add(variant)
    assert codes(missing) == ["FORM_ANSWER_WRONG"]
    assert missing["errors"][0]["path"] == ["input", "lines", "0", "answers", "account"]
    cart = (await ann.add(variant, answers=[{"name": "account", "value": "player-4711"}]))["cart"]
    assert cart["lines"][0]["answers"] == [{"name": "account", "value": "player-4711"}]
    sealed = await shop.kernel.db.fetchval("select sealed_answers from fulfilment_cart_line")
    assert b"4711" not in sealed
    # They stay when the quantity changes, and go into the order
    await ann.change(cart["lines"][0]["id"], 2)
    placed = await ann.order()
    assert placed["errors"] == []
    kept = await shop.kernel.db.fetchval("select answers from fulfilment_order_line")
    assert "player-4711" in kept


async def test_ordering_a_cart_empties_it_and_the_same_request_orders_it_once(shop: Shop) -> None:
    variant = await shop.stock("CARD", "9.85", ["a", "b", "c", "d"])
    other = await shop.stock("NEXT", "1", ["e"])
    ann = Buyer(shop, await shop.member("100"))
    await ann.add(variant, 2)
    total = (await ann.cart())["total"]
    first = await ann.order("key-1", expectedTotal=total)
    assert (first["errors"], first["order"]["state"]) == ([], "COMPLETED")
    assert await ann.content() == {}
    # When the same request comes again, the cart is empty by then, or holds something else
    assert (await ann.order("key-1"))["order"] == first["order"]
    await ann.add(other)
    assert (await ann.order("key-1"))["order"] == first["order"]
    assert await ann.content() == {"Card NEXT One": 1}
    # With a fresh key there must be something to order
    await ann.ask(CLEAR)
    assert codes(await ann.order()) == ["CART_EMPTY"]
    # And a key that was used for lines orders no cart
    await shop.buy(ann.principal, (variant, 1), key="key-2")
    assert codes(await ann.order("key-2")) == ["CONFLICT"]


async def test_a_cart_that_is_ordered_twice_at_once_is_ordered_once(shop: Shop) -> None:
    variant = await shop.stock("CARD", "1", [f"c{number}" for number in range(20)])
    ann = Buyer(shop, await shop.member("100"))
    for _ in range(5):
        await ann.add(variant, 2)
        answers = await asyncio.gather(*(ann.order() for _ in range(3)))
        told = sorted(code for answer in answers for code in codes(answer))
        assert [answer["order"] is not None for answer in answers].count(True) == 1
        assert set(told) <= {"CART_CHANGED", "CART_EMPTY"}
    assert await shop.kernel.db.fetchval("select count(*) from catalog_sold_card") == 10


async def test_a_refused_order_leaves_the_cart(shop: Shop) -> None:
    variant = await shop.stock("CARD", "10", ["a"])
    ann = Buyer(shop, await shop.member("5"))
    await ann.add(variant)
    assert codes(await ann.order()) == ["INSUFFICIENT_FUNDS"]
    assert codes(await ann.order(expectedTotal={"amount": "1.00", "currency": "CNY"})) == ["PRICE_CHANGED"]
    assert await ann.content() == {"Card CARD One": 1}


async def test_notes_and_invoices_are_checked_and_sealed(shop: Shop) -> None:
    variant = await shop.stock("CARD", "1", ["a", "b"])
    ann = Buyer(shop, await shop.member("10"))
    await ann.add(variant)
    invoice = {"title": "Plum Ltd", "taxNumber": "91350100M000100Y4", "email": "Books@Example.com"}
    wrong = await ann.order(invoice={**invoice, "taxNumber": "12"})
    assert wrong["errors"] == [{"code": "INVALID_INPUT", "path": ["input", "invoice", "taxNumber"]}]
    assert codes(await ann.order(note="x" * 501)) == ["INVALID_INPUT"]
    fine = {**invoice, "taxNumber": "91350100M000100Y43"}
    placed = await ann.order("key", note="Please hurry", invoice=fine)
    assert placed["errors"] == []
    row = await shop.kernel.db.fetchrow("select * from fulfilment_particulars")
    assert row is not None
    assert b"hurry" not in row["sealed"]
    opened = await shop.kernel.vault.open(row["data_key"], row["sealed"], row["id"].bytes)
    assert b'"books@example.com"' in opened
    # The same key with another note is another order
    assert codes(await ann.order("key", note="Do not hurry", invoice=fine)) == ["CONFLICT"]


async def test_visitors_carts_end_and_members_stay(shop: Shop) -> None:
    variant = await shop.stock("CARD", "1", ["a"])
    old, young, member = Buyer(shop), Buyer(shop), Buyer(shop, await shop.member())
    for buyer in (old, young, member):
        await buyer.add(variant)
    await shop.kernel.db.execute(
        """update fulfilment_cart set touched_at = now() - interval '31 days'
           where member is not null or visitor = sha256($1::text::bytea)""",
        old.visitor,
    )
    await expire_carts(shop.kernel)
    assert (await old.content(), len(await young.content()), len(await member.content())) == ({}, 1, 1)
    assert await shop.kernel.db.fetchval("select count(*) from fulfilment_cart_line") == 2


async def test_the_staff_has_no_cart(shop: Shop) -> None:
    answer = await shop.ask("shop", "{ cart { quantity } }", None, OWNER)
    assert answer.errors[0]["extensions"]["code"] == "FORBIDDEN"
