"""What a line cost: what was paid for the very cards that it delivered."""

from __future__ import annotations

import asyncio
from typing import Any
from uuid import UUID

from kameng.auth import Principal, PrincipalKind
from kameng.ids import new_id
from kameng.tasks import drain
from kameng_catalog.contract import Stock
from kameng_fulfilment.contract import Deliveries
from kameng_fulfilment.costs.recording import keep_costs
from kameng_fulfilment.tickets import open_ticket, replace_card

from . import lives
from .conftest import OWNER, Shop

COSTS = """query($number: String!) { order(number: $number) { lines {
  costs { source pieces amount { amount currency } } } } }"""


async def batch(shop: Shop, cards: list[str], cost: str | None = None, currency: str = "CNY") -> None:
    """A batch of cards, and what one of them cost."""
    text = "sku,number,secret,expires_on\n" + "".join(f"CARD,,{secret},\n" for secret in cards)
    value: dict[str, Any] = {"content": text}
    if cost:
        value["cost"] = {"amount": cost, "currency": currency}
    await shop._import("importCards", "ImportCardsInput", value)


async def kept(shop: Shop, order: UUID) -> list[tuple[str, str, int, int]]:
    rows = await shop.kernel.db.fetch(
        "select c.source, c.currency, c.pieces, c.units from fulfilment_line_cost c"
        " join fulfilment_order_line l on l.id = c.line where l.order_id = $1"
        " order by l.position, c.source, c.currency",
        order,
    )
    return [tuple(row) for row in rows]


async def test_a_line_costs_what_its_cards_batches_cost(shop: Shop) -> None:
    # Given cards of four batches: two that cost differently, one in dollars, and one of which nothing is known
    variant = await shop.stock("CARD", "9", [], cost="7.5")
    await batch(shop, ["a1", "a2"], "6.1234")
    await batch(shop, ["b1"], "6.50")
    await batch(shop, ["c1"], "1.00", "USD")
    await batch(shop, ["d1", "d2"])
    ann = await shop.member("100")
    # When an ordinary purchase takes one or more of each
    order = await lives.place(shop, ann, (variant, 5), outside=False)
    await drain(shop.kernel)
    # Then each has its cost, and what is not known by its batch the variant's
    assert await kept(shop, order) == [
        ("batch", "CNY", 3, 187_468),
        ("batch", "USD", 1, 10_000),
        ("variant", "CNY", 1, 75_000),
    ]
    # And the staff reads it, rounded once
    number = (await lives.stored(shop, order)).number
    answer = await shop.ask("admin", COSTS, {"number": number}, OWNER)
    assert answer.errors is None, answer.errors
    assert answer.data["order"]["lines"][0]["costs"] == [
        {"source": "BATCH", "pieces": 3, "amount": {"amount": "18.75", "currency": "CNY"}},
        {"source": "BATCH", "pieces": 1, "amount": {"amount": "1.00", "currency": "USD"}},
        {"source": "VARIANT", "pieces": 1, "amount": {"amount": "7.50", "currency": "CNY"}},
    ]


async def test_what_a_batch_is_said_to_have_cost_later_changes_nothing(shop: Shop) -> None:
    variant = await shop.stock("CARD", "9", [], cost="7")
    await batch(shop, ["a1", "a2", "a3"], "6")
    order = await lives.place(shop, await shop.member("100"), (variant, 1), outside=False)
    await drain(shop.kernel)
    await shop.kernel.db.execute("update catalog_stock_batch set cost_units = 10000")
    await drain(shop.kernel)
    assert await kept(shop, order) == [("batch", "CNY", 1, 60_000)]


async def test_events_that_come_twice_or_at_once_count_once(shop: Shop) -> None:
    variant = await shop.stock("CARD", "9", [], cost="7")
    await batch(shop, ["a1", "a2", "a3"], "6")
    ann = await shop.member("100")
    orders = [await lives.place(shop, ann, (variant, 1), outside=False) for _ in range(3)]
    lines = [(await lives.lines(shop, order))[0].id for order in orders]
    await asyncio.gather(*(keep_costs(shop.kernel, lines if n % 2 else lines[::-1]) for n in range(6)))
    await drain(shop.kernel)
    assert [await kept(shop, order) for order in orders] == [[("batch", "CNY", 1, 60_000)]] * 3


async def test_a_replacement_costs_what_it_cost(shop: Shop) -> None:
    # Given a delivered card of a batch whose cost is told only afterwards
    variant = await shop.stock("CARD", "9", [], cost="7")
    await batch(shop, ["a1"])
    ann = await shop.member("100")
    order = await lives.place(shop, ann, (variant, 1), outside=False)
    await drain(shop.kernel)
    assert await kept(shop, order) == [("variant", "CNY", 1, 70_000)]
    await shop.kernel.db.execute(
        "update catalog_stock_batch set cost_units = 65000, cost_currency = 'CNY' where card_count = 1"
    )
    await batch(shop, ["b1"], "5")
    # When it was bad, and is replaced
    (line,) = await lives.lines(shop, order)
    (card,) = await shop.kernel.services.get(Stock).sold_cards([line.id])
    ticket = await open_ticket(shop.kernel, order, 1, card.key, "used", lives.buyer(ann))
    await replace_card(shop.kernel, ticket.id, "staff:x", "sorry")
    # Then both count, each piece once
    assert await kept(shop, order) == [("batch", "CNY", 2, 115_000)]


async def test_what_people_deliver_costs_what_its_variant_did(shop: Shop) -> None:
    variant = await lives.quota(shop, 5)
    await shop.kernel.db.execute(
        "update catalog_variant set cost_units = 23456, cost_currency = 'CNY' where id = $1", variant
    )
    order = await lives.place(shop, await shop.member("100"), (variant, 3), outside=False)
    (line,) = await lives.lines(shop, order)
    await shop.kernel.services.get(Deliveries).delivered(line.id, ["done"], "staff:x", 2)
    await drain(shop.kernel)
    assert await kept(shop, order) == [("variant", "CNY", 2, 46_912)]


async def test_costs_are_for_those_who_may_know_them(shop: Shop) -> None:
    variant = await shop.stock("CARD", "9", ["a1"], cost="7")
    order = await lives.place(shop, await shop.member("100"), (variant, 1), outside=False)
    number = (await lives.stored(shop, order)).number
    clerk = Principal(
        kind=PrincipalKind.STAFF, id=new_id(), permissions=frozenset({"fulfilment.read_orders"})
    )
    answer = await shop.ask("admin", COSTS, {"number": number}, clerk)
    assert answer.errors[0]["extensions"]["code"] == "FORBIDDEN"
