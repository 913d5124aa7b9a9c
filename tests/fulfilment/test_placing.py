"""The sale: everything of it, or nothing."""

import asyncio

import pytest

from kameng.auth import VISITOR, Principal, PrincipalKind
from kameng.db import counted_statements
from kameng.ids import global_id, new_id
from kameng_catalog.contract import Stock

ORDER = "query($number: String!) { order(number: $number) { number lines { cards { secret } } } }"


def code(payload):
    assert payload["order"] is None
    (error,) = payload["errors"]
    return error["code"]


async def test_a_member_buys_a_card_and_receives_it(shop):
    # given ten yuan and a card for 9.85
    variant = await shop.stock("CARD-10", "9.85", ["SECRET-1"])
    member = await shop.member("10.00")
    # when it is bought
    payload = await shop.buy(member, (variant, 1))
    # then it is delivered, and paid
    assert payload["errors"] == []
    order = payload["order"]
    assert order["state"] == "COMPLETED"
    assert order["total"] == {"amount": "9.85", "currency": "CNY"}
    assert order["lines"] == [
        {
            "sku": "CARD-10",
            "quantity": 1,
            "title": order["lines"][0]["title"],
            "cards": [{"number": None, "secret": "SECRET-1"}],
        }
    ]
    assert "Card CARD-10" in order["lines"][0]["title"]
    assert await shop.balance(member) == "0.15"


async def test_several_lines_and_units_come_complete(shop):
    one = await shop.stock("ONE", "1.0050", [f"one-{n}" for n in range(3)])
    two = await shop.stock("TWO", "2.00", [f"two-{n}" for n in range(5)])
    payload = await shop.buy(await shop.member("100"), (one, 3), (two, 5))
    lines = payload["order"]["lines"]
    assert sorted(card["secret"] for card in lines[0]["cards"]) == ["one-0", "one-1", "one-2"]
    assert len(lines[1]["cards"]) == 5
    # 3 × 1.0050 is 3.015, rounded half to even once: 3.02
    assert payload["order"]["total"]["amount"] == "13.02"


async def test_out_of_stock_changes_nothing(shop):
    variant = await shop.stock("CARD", "1", ["a"])
    member = await shop.member("10")
    before = await shop.state()
    payload = await shop.buy(member, (variant, 2))
    assert code(payload) == "OUT_OF_STOCK"
    assert payload["errors"][0]["path"] == ["input", "lines", "0"]
    assert await shop.state() == before
    assert await shop.balance(member) == "10.00"
    assert (await shop.buy(member, (variant, 1)))["errors"] == []


async def test_one_line_out_of_stock_leaves_the_others_on_the_shelf(shop):
    there, gone = await shop.stock("THERE", "1", ["a"]), await shop.stock("GONE", "1", [])
    member = await shop.member("10")
    before = await shop.state()
    assert code(await shop.buy(member, (there, 1), (gone, 1))) == "OUT_OF_STOCK"
    assert await shop.state() == before


async def test_too_little_money_changes_nothing(shop):
    variant = await shop.stock("CARD", "5.01", ["a"])
    member = await shop.member("5.00")
    before = await shop.state()
    assert code(await shop.buy(member, (variant, 1))) == "INSUFFICIENT_FUNDS"
    assert await shop.state() == before
    assert await shop.balance(member) == "5.00"


@pytest.mark.parametrize("quantity", [0, -1, 1_000_000])
async def test_a_wrong_quantity_changes_nothing(shop, quantity):
    variant = await shop.stock("CARD", "1", ["a"])
    before = await shop.state()
    payload = await shop.buy(await shop.member(), (variant, quantity))
    assert code(payload) == "WRONG_QUANTITY"
    assert payload["errors"][0]["path"] == ["input", "lines", "0", "quantity"]
    assert await shop.state() == before


async def test_what_is_not_there_is_not_for_sale(shop):
    assert code(await shop.buy(await shop.member("9"), (new_id(), 1))) == "NOT_FOR_SALE"


async def test_the_same_variant_twice_is_told(shop):
    variant = await shop.stock("CARD", "1", ["a", "b"])
    payload = await shop.buy(await shop.member("9"), (variant, 1), (variant, 1))
    assert (code(payload), payload["errors"][0]["path"]) == (
        "INVALID_INPUT",
        ["input", "lines", "1", "variantId"],
    )


async def test_a_changed_total_is_told_before_anything_is_paid(shop):
    variant = await shop.stock("CARD", "2", ["a"])
    member = await shop.member("9")
    before = await shop.state()
    payload = await shop.buy(member, (variant, 1), expectedTotal={"amount": "1.99", "currency": "CNY"})
    assert code(payload) == "PRICE_CHANGED"
    assert await shop.state() == before


async def test_an_order_needs_a_key(shop):
    variant = await shop.stock("CARD", "1", ["a"])
    source = "mutation($input: PlaceOrderInput!) { placeOrder(input: $input) { errors { code } } }"
    lines = {"lines": [{"variantId": global_id("Variant", variant)}]}
    answer = await shop.ask("shop", source, {"input": lines}, await shop.member("9"))
    assert answer.data["placeOrder"]["errors"] == [{"code": "IDEMPOTENCY_KEY_MISSING"}]
    answer = await shop.ask(
        "shop", source, {"input": lines}, await shop.member("9"), idempotency_key="from-the-header"
    )
    assert answer.data["placeOrder"]["errors"] == []


async def test_a_repeated_request_is_carried_out_once(shop):
    variant = await shop.stock("CARD", "1", ["a", "b", "c"])
    member = await shop.member("10")
    first = await shop.buy(member, (variant, 1), key="k")
    again = await shop.buy(member, (variant, 1), key="k")
    assert again == first
    assert await shop.balance(member) == "9.00"


async def test_a_key_used_for_something_else_is_a_conflict(shop):
    variant = await shop.stock("CARD", "1", ["a", "b", "c"])
    member = await shop.member("10")
    await shop.buy(member, (variant, 1), key="k")
    before = await shop.state()
    assert code(await shop.buy(member, (variant, 2), key="k")) == "CONFLICT"
    assert await shop.state() == before


async def test_another_members_key_is_another_key(shop):
    variant = await shop.stock("CARD", "1", ["a", "b"])
    for member in (await shop.member("10"), await shop.member("10")):
        assert (await shop.buy(member, (variant, 1), key="k"))["errors"] == []


async def test_a_double_click_buys_once(shop):
    variant = await shop.stock("CARD", "1", [f"c{n}" for n in range(40)])
    member = await shop.member("40")
    payloads = await asyncio.gather(*(shop.buy(member, (variant, 1), key="click") for _ in range(20)))
    assert len({payload["order"]["number"] for payload in payloads}) == 1
    assert await shop.balance(member) == "39.00"


async def test_the_same_key_for_two_things_at_once_sells_one(shop):
    variant = await shop.stock("CARD", "1", [f"c{n}" for n in range(9)])
    member = await shop.member("9")
    payloads = await asyncio.gather(*(shop.buy(member, (variant, 1 + n % 2), key="k") for n in range(6)))
    placed = [payload for payload in payloads if not payload["errors"]]
    refused = [payload["errors"][0]["code"] for payload in payloads if payload["errors"]]
    assert len({payload["order"]["number"] for payload in placed}) == 1
    assert refused == ["CONFLICT"] * 3


async def test_sixty_buyers_of_the_last_ten_cards(shop):
    secrets = [f"last-{n}" for n in range(10)]
    variant = await shop.stock("LAST", "1", secrets)
    members = [await shop.member("1") for _ in range(60)]
    payloads = await asyncio.gather(*(shop.buy(member, (variant, 1)) for member in members))
    sold = [
        card["secret"]
        for p in payloads
        if p["order"]
        for line in p["order"]["lines"]
        for card in line["cards"]
    ]
    assert sorted(sold) == sorted(secrets)
    assert [p["errors"][0]["code"] for p in payloads if p["errors"]] == ["OUT_OF_STOCK"] * 50
    balances = [await shop.balance(member) for member in members]
    assert (balances.count("0.00"), balances.count("1.00")) == (10, 50)


async def test_what_a_poor_buyer_gives_back_goes_to_the_next(shop):
    # given one card, and poor buyers before a rich one in the same batch
    variant = await shop.stock("ONLY", "5", ["only"])
    poor, rich = [await shop.member("1") for _ in range(5)], await shop.member("5")
    payloads = await asyncio.gather(*(shop.buy(member, (variant, 1)) for member in [*poor, rich]))
    assert payloads[-1]["errors"] == []
    assert {p["errors"][0]["code"] for p in payloads[:-1]} <= {"INSUFFICIENT_FUNDS", "OUT_OF_STOCK"}
    assert await shop.state() == (1, 1, 7, 1)


async def test_cards_that_somebody_else_holds_for_a_moment_are_waited_for(shop, monkeypatch):
    # given the only card, locked by a transaction that will give it back
    variant = await shop.stock("HELD", "1", ["held"])
    member = await shop.member("1")
    stock = shop.kernel.services.get(Stock)
    asked, available = asyncio.Event(), stock.available

    async def noticed(*arguments):
        asked.set()
        return await available(*arguments)

    monkeypatch.setattr(stock, "available", noticed)
    async with shop.kernel.db.connection() as other:
        await other.execute("begin")
        await other.execute("select * from catalog_free_card for update")
        buying = asyncio.create_task(shop.buy(member, (variant, 1)))
        await asked.wait()
        await other.execute("rollback")
    # then the buyer gets it
    assert (await buying)["errors"] == []


async def test_a_wallet_pays_several_orders_at_once_only_as_far_as_it_goes(shop):
    variant = await shop.stock("CARD", "3", [f"c{n}" for n in range(20)])
    member = await shop.member("10")
    payloads = await asyncio.gather(*(shop.buy(member, (variant, 1)) for _ in range(10)))
    assert sum(not payload["errors"] for payload in payloads) == 3
    assert await shop.balance(member) == "1.00"


async def test_a_stranger_does_not_find_the_order(shop):
    variant = await shop.stock("CARD", "1", ["a"])
    owner, stranger = await shop.member("1"), await shop.member()
    order = (await shop.buy(owner, (variant, 1)))["order"]
    answer = await shop.ask("shop", ORDER, {"number": order["number"]}, owner)
    assert answer.data["order"]["lines"][0]["cards"] == [{"secret": "a"}]
    for other in (stranger, VISITOR):
        answer = await shop.ask("shop", ORDER, {"number": order["number"]}, other)
        assert answer.data is None
        assert answer.errors[0]["extensions"]["code"] == "NOT_FOUND"
        node = await shop.ask("shop", "query($id: ID!) { node(id: $id) { id } }", {"id": order["id"]}, other)
        assert node.data == {"node": None}


async def test_staff_reads_the_order_but_not_the_cards(shop):
    variant = await shop.stock("CARD", "1", ["a"])
    order = (await shop.buy(await shop.member("1"), (variant, 1)))["order"]
    clerk = Principal(
        kind=PrincipalKind.STAFF, id=new_id(), permissions=frozenset({"fulfilment.read_orders"})
    )
    found = await shop.ask(
        "admin", "query($n: String!) { order(number: $n) { number memberId } }", {"n": order["number"]}, clerk
    )
    assert found.data["order"]["number"] == order["number"]
    answer = await shop.ask("shop", ORDER, {"number": order["number"]}, clerk)
    assert answer.errors[0]["extensions"]["code"] == "FORBIDDEN"
    nobody = Principal(kind=PrincipalKind.STAFF, id=new_id())
    answer = await shop.ask("admin", "{ orders { nodes { id } } }", None, nobody)
    assert answer.errors[0]["extensions"]["code"] == "FORBIDDEN"


async def test_a_visitor_cannot_buy(shop):
    variant = await shop.stock("CARD", "1", ["a"])
    assert code(await shop.buy(VISITOR, (variant, 1))) == "UNAUTHENTICATED"


async def test_the_statements_of_a_batch_do_not_depend_on_its_size(shop):
    variant = await shop.stock("CARD", "1", [f"c{n}" for n in range(60)])
    from kameng_fulfilment.placing import Placing
    from kameng_fulfilment.requests import LineRequest, order_request

    members = [await shop.member("5") for _ in range(33)]
    placing = Placing(shop.kernel)

    async def cost(batch):
        requests = [order_request(m.id, str(new_id()), [LineRequest(variant, 1)], "CNY") for m in batch]
        with counted_statements() as seen:
            result = await placing.place(requests)
        assert all(not isinstance(outcome, Exception) for outcome in result.outcomes)
        return len(seen)

    await cost(members[:1])
    assert await cost(members[:1]) == await cost(members[1:])
    assert shop.kernel.services.get(Stock)


async def test_a_page_of_orders_costs_the_same_however_long_it_is(shop):
    variant = await shop.stock("CARD", "1", [f"c{n}" for n in range(12)])
    member = await shop.member("12")
    for _ in range(12):
        await shop.buy(member, (variant, 1))
    source = """query($n: Int!) {
      viewer { orders(first: $n) { nodes { number lines { sku variant { sku } cards { secret } } } } }
    }"""

    async def cost(size):
        with counted_statements() as seen:
            answer = await shop.ask("shop", source, {"n": size}, member)
        assert answer.errors is None, answer.errors
        assert len(answer.data["viewer"]["orders"]["nodes"]) == size
        return len(seen)

    await cost(1)
    assert await cost(1) == await cost(12)
