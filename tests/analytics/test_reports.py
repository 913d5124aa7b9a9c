"""Reports say what the ledger says: live, once, by each dimension, and when everything is made anew."""

from __future__ import annotations

import asyncio
import random
from datetime import timedelta

import pytest

from kameng.ids import new_id
from kameng.money import Money
from kameng_analytics.reports.booking import book_orders
from kameng_analytics.reports.gathering import gather
from kameng_analytics.reports.rebuilding import rebuild
from kameng_catalog.contract import Stock
from kameng_fulfilment.refund_parts import RefundedLine
from kameng_fulfilment.refunding import refund_order
from kameng_fulfilment.tickets import open_ticket, replace_card
from kameng_settlement.contract import Booking, Books, Holder, Move
from kameng_settlement.ledger import Ledger
from tests.analytics.reported import figures, now, settle, total, unlike_ledger
from tests.fulfilment.conftest import OWNER, Shop
from tests.fulfilment.lives import buyer, lines, pay, place, stored
from tests.fulfilment.test_line_costs import batch

LONG_AGO = timedelta(days=100)


async def test_a_sale_counts_once_in_each_dimension(shop: Shop) -> None:
    # given a member's order of two products from the wallet, at a cost of 1.00 a piece
    first = await shop.stock("A", "5", ["a-1", "a-2"])
    second = await shop.stock("B", "3", ["b-1"])
    member = await shop.member("100")
    order = await place(shop, member, (first, 2), (second, 1), outside=False)
    # when its events are handled, and told again and again
    await settle(shop.kernel)
    await asyncio.gather(*(book_orders(shop.kernel, [order, order]) for _ in range(4)))
    # then it stands there once
    once = {"orders": 1, "pieces": 3, "turnover": 1300, "refunds": 0, "cost": 300, "fees": 0, "late": 0}
    assert await total(shop.kernel) == once
    assert await total(shop.kernel, "gateway", "wallet") == once
    assert await total(shop.kernel, "level", "retail") == once
    products = [line.product for line in await lines(shop, order)]
    assert await total(shop.kernel, "product", str(products[0])) == {
        **once,
        "pieces": 2,
        "turnover": 1000,
        "cost": 200,
    }
    category = await shop.kernel.db.fetchval(
        "select category from catalog_product where id = $1", products[0]
    )
    assert await total(shop.kernel, "category", str(category)) == once
    assert await unlike_ledger(shop.kernel) == []


async def test_what_was_sold_cost_what_was_paid_for_the_very_cards(shop: Shop) -> None:
    # given cards of batches that cost differently, one of them in dollars, and one of which nothing is known
    variant = await shop.stock("CARD", "9", [], cost="7.5")
    await batch(shop, ["a1", "a2"], "6.1234")
    await batch(shop, ["b1"], "6.50")
    await batch(shop, ["c1"], "1.00", "USD")
    await batch(shop, ["d1", "d2"])
    ann = await shop.member("100")
    # when some of each are sold, and the event comes again after a batch was told another cost
    order = await place(shop, ann, (variant, 5), outside=False)
    await settle(shop.kernel)
    await shop.kernel.db.execute("update catalog_stock_batch set cost_units = 90000 where cost_units = 65000")
    await book_orders(shop.kernel, [order])
    # then cost of goods is theirs, in the currency that they were paid in, rounded once
    assert await total(shop.kernel) == {
        "orders": 1, "pieces": 5, "turnover": 4500, "refunds": 0, "cost": 1875 + 750 + 100, "fees": 0, "late": 0
    }  # fmt: skip
    facts = await shop.kernel.db.fetch(
        "select currency, pieces, amount from analytics_fact where kind = 'cost' order by currency"
    )
    assert [tuple(row) for row in facts] == [("CNY", 4, 2625), ("USD", 1, 100)]
    # and the row of the report says what was earned
    answer = await shop.ask(
        "admin", "{ report(grain: MONTH) { nodes { cost { amount } grossProfit { amount } } } }", None, OWNER
    )
    assert answer.data["report"]["nodes"] == [
        {"cost": {"amount": "26.25"}, "grossProfit": {"amount": "18.75"}}
    ]
    # when a bad card is replaced, then both cost something
    (line,) = await lines(shop, order)
    card = (await shop.kernel.services.get(Stock).sold_cards([line.id]))[0]
    ticket = await open_ticket(shop.kernel, order, 1, card.key, "used", buyer(ann))
    await replace_card(shop.kernel, ticket.id, "staff:x", "sorry")
    await settle(shop.kernel)
    pieces = await shop.kernel.db.fetchval("select sum(pieces) from analytics_fact where kind = 'cost'")
    assert pieces == 6
    assert await unlike_ledger(shop.kernel) == []


async def test_an_order_paid_outside_counts_when_it_is_paid_by_its_gateway(shop: Shop) -> None:
    variant = await shop.stock("A", "5", ["a-1"])
    order = await place(shop, await shop.member(), (variant, 1))
    await settle(shop.kernel)
    assert await total(shop.kernel) == {
        "orders": 0, "pieces": 0, "turnover": 0, "refunds": 0, "cost": 0, "fees": 0, "late": 0
    }  # fmt: skip
    await pay(shop, order, 500, source="wechat:main")
    await settle(shop.kernel)
    assert (await total(shop.kernel, "gateway", "wechat"))["turnover"] == 500
    assert await unlike_ledger(shop.kernel) == []


async def test_refunds_are_those_of_the_ledger_and_stand_with_what_was_sold(shop: Shop) -> None:
    variant = await shop.stock("A", "5", ["a-1", "a-2"])
    order = await place(shop, await shop.member("10"), (variant, 2), outside=False)
    await settle(shop.kernel)
    [line] = await lines(shop, order)
    await refund_order(
        shop.kernel,
        order,
        [RefundedLine(line=line.id, amount_minor=123)],
        key="r",
        actor="staff",
        reason="bad",
    )
    await settle(shop.kernel)
    reported = await total(shop.kernel, "product", str(line.product))
    assert (reported["turnover"], reported["refunds"], reported["orders"]) == (1000, 123, 1)
    assert await unlike_ledger(shop.kernel) == []


async def test_what_no_event_tells_of_is_found_in_the_ledger(shop: Shop) -> None:
    # given a charge that was reversed, and something that was booked to the sales account by hand
    variant = await shop.stock("A", "5", ["a-1"])
    member = await shop.member("10")
    order = await place(shop, member, (variant, 1), outside=False)
    await settle(shop.kernel)
    stored_order = await stored(shop, order)
    assert stored_order.charge is not None
    async with shop.kernel.db.transaction():
        await shop.kernel.services.get(Ledger).reverse(stored_order.charge, key="back", memo="")
        booking = Booking(
            key="hand",
            kind="by_hand",
            moves=(Move(Holder("operator_funds"), Holder("sales"), Money(77, "CNY")),),
        )
        await shop.kernel.services.get(Books).book([booking])
    told = await unlike_ledger(shop.kernel)
    assert [(each.figure, each.reported, each.posted) for each in told] == [
        ("turnover", 500, 577),
        ("refunds", 0, 500),
    ]
    # when the ledger is looked through, twice
    assert await gather(shop.kernel, now() - LONG_AGO, now()) == 2
    assert await gather(shop.kernel, now() - LONG_AGO, now()) == 0
    # then nothing differs, the reversal stands with its product, and the other thing with none
    assert await unlike_ledger(shop.kernel) == []
    [line] = await lines(shop, order)
    assert (await total(shop.kernel, "product", str(line.product)))["refunds"] == 500
    assert (await total(shop.kernel, "product", ""))["turnover"] == 77
    assert (await total(shop.kernel))["orders"] == 1


async def test_gateways_fees_are_reported_by_gateway(shop: Shop) -> None:
    async with shop.kernel.db.transaction():
        booking = Booking(
            key="gateway-fee:wechat:main:1",
            kind="gateway_fee",
            moves=(Move(Holder("gateway_fees"), Holder("clearing:wechat:main"), Money(6, "CNY")),),
        )
        await shop.kernel.services.get(Books).book([booking])
    await gather(shop.kernel, now() - LONG_AGO, now())
    assert (await total(shop.kernel, "gateway", "wechat"))["fees"] == 6
    assert await unlike_ledger(shop.kernel) == []


@pytest.mark.parametrize("seed", [1, 2, 3])
async def test_whatever_happens_live_figures_rebuilt_ones_and_gathered_ones_are_the_same(
    shop: Shop, seed: int
) -> None:
    # given purchases and refunds at random, some of whose events are handled late and together
    dice = random.Random(seed)
    variants = [
        await shop.stock(sku, price, [f"{sku}-{n}" for n in range(30)])
        for sku, price in (("A", "5"), ("B", "1.33"))
    ]
    members = [await shop.member("1000") for _ in range(3)]
    orders = []
    for _ in range(25):
        step = dice.choice(["buy", "buy", "outside", "refund", "settle"])
        if step in ("buy", "outside"):
            wanted = [(variant, dice.randint(1, 2)) for variant in dice.sample(variants, dice.randint(1, 2))]
            outside = step == "outside"
            order = await place(shop, dice.choice(members), *wanted, outside=outside)
            if outside:
                await pay(
                    shop,
                    order,
                    (await stored(shop, order)).total_minor,
                    source=f"{dice.choice(['wechat', 'alipay'])}:main",
                )
            orders.append(order)
        elif step == "refund" and orders:
            order = dice.choice(orders)
            line = dice.choice(await lines(shop, order))
            left = line.total_minor - line.refunded_minor
            if left:
                wanted_back = RefundedLine(line=line.id, amount_minor=dice.randint(1, left))
                await refund_order(
                    shop.kernel, order, [wanted_back], key=str(new_id()), actor="staff", reason="bad"
                )
        else:
            await settle(shop.kernel)
    await settle(shop.kernel)
    live = await figures(shop.kernel)
    # then they are those of the ledger, and of the orders themselves
    assert await unlike_ledger(shop.kernel) == []
    assert (await total(shop.kernel))["orders"] == len(orders)
    # and made anew from the facts, after some were spoilt
    await shop.kernel.db.execute(
        "update analytics_figure set turnover = turnover + 1 where dimension = 'product'"
    )
    await shop.kernel.db.execute("delete from analytics_figure where dimension = 'gateway'")
    assert [each.figure for each in await unlike_ledger(shop.kernel)] == ["sums"]
    done = await rebuild(shop.kernel)
    assert len(done.changed) >= 1
    assert await figures(shop.kernel) == live
    assert (await rebuild(shop.kernel)).changed == ()
    # and found in the ledger alone
    before = await shop.kernel.db.fetchval("select count(*) from analytics_fact")
    assert await gather(shop.kernel, now() - LONG_AGO, now()) == 0
    assert await shop.kernel.db.fetchval("select count(*) from analytics_fact") == before


async def test_without_any_event_the_ledger_gives_the_same_figures(shop: Shop) -> None:
    variant = await shop.stock("A", "5", [f"a-{n}" for n in range(9)])
    member = await shop.member("100")
    orders = [await place(shop, member, (variant, 2), outside=False) for _ in range(4)]
    [line] = await lines(shop, orders[0])
    await refund_order(shop.kernel, orders[0], [], key="r", actor="staff", reason="bad")
    # when the ledger is read before any event, and the events come afterwards
    assert await gather(shop.kernel, now() - LONG_AGO, now()) == 5
    gathered = await figures(shop.kernel)
    await settle(shop.kernel)
    assert await figures(shop.kernel) == gathered
    assert await total(shop.kernel, "product", str(line.product)) == {
        "orders": 4, "pieces": 8, "turnover": 4000, "refunds": 1000, "cost": 800, "fees": 0, "late": 0
    }  # fmt: skip
    assert await unlike_ledger(shop.kernel) == []


async def test_booking_beside_a_rebuild_loses_nothing(shop: Shop) -> None:
    variant = await shop.stock("A", "5", [f"a-{n}" for n in range(20)])
    member = await shop.member("100")
    orders = [await place(shop, member, (variant, 1), outside=False) for _ in range(20)]
    await asyncio.gather(
        *(book_orders(shop.kernel, [order]) for order in orders), *(rebuild(shop.kernel) for _ in range(5))
    )
    assert (await total(shop.kernel))["orders"] == 20
    assert await unlike_ledger(shop.kernel) == []
