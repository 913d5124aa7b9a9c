"""A member's own orders and complaints: found again, copied, and forgotten as far as the books allow."""

from __future__ import annotations

from typing import Any

from kameng.auth import Principal, PrincipalKind
from kameng_fulfilment.personal_data import PERSONAL_DATA
from kameng_fulfilment.ticket_reading import evidence_of, ticket_of
from kameng_fulfilment.tickets import open_ticket, reject_ticket

from . import lives
from .conftest import Shop
from .test_tickets import bought, cards

ORDERS = "query ($state: OrderState, $number: String) { viewer { orders(state: $state, number: $number) { nodes { number } } } }"
TICKETS = "{ viewer { tickets { nodes { state evidence order { number } } } } }"


async def numbers(shop: Shop, member: Principal, **values: Any) -> list[str]:
    data = await shop.ask("shop", ORDERS, values, member)
    return [node["number"] for node in data.data["viewer"]["orders"]["nodes"]]


async def test_orders_are_found_by_where_they_stand_and_by_the_beginning_of_their_number(shop: Shop) -> None:
    # Given a paid order, an unpaid one, and somebody else's
    variant = await shop.stock("CARD", "5", [f"c{n}" for n in range(9)])
    ann, bob = await shop.member("50"), await shop.member("50")
    keys = [await lives.place(shop, ann, (variant, 1), outside=outside) for outside in (False, True)]
    await lives.place(shop, bob, (variant, 1), outside=False)
    paid, unpaid = [(await lives.stored(shop, key)).number for key in keys]
    # Then each is found
    assert await numbers(shop, ann) == [unpaid, paid]
    assert await numbers(shop, ann, state="PENDING_PAYMENT") == [unpaid]
    assert await numbers(shop, ann, number=f" {paid[:5].lower()}-{paid[5:9]} ") == [paid]
    assert await numbers(shop, ann, number=paid, state="PENDING_PAYMENT") == []
    assert await numbers(shop, ann, number="") == [unpaid, paid]
    assert await numbers(shop, ann, number="%") == []
    assert await numbers(shop, bob, number=paid) == []


async def test_complaints_are_listed_with_their_orders_copied_and_forgotten(shop: Shop) -> None:
    # Given a complaint
    order, buyer, (bad, _) = await bought(shop)
    ticket = await open_ticket(shop.kernel, order, 1, bad, "It says: used already", buyer)
    ann = Principal(kind=PrincipalKind.MEMBER, id=buyer)
    number = (await lives.stored(shop, order)).number
    listed = (await shop.ask("shop", TICKETS, {}, ann)).data["viewer"]["tickets"]["nodes"]
    assert listed == [{"state": "OPEN", "evidence": "It says: used already", "order": {"number": number}}]
    orders, complaints = PERSONAL_DATA
    # Then nothing can be erased while it is open,
    assert orders.unsettled is not None
    assert await orders.unsettled(shop.kernel, buyer) == "0 orders and 1 complaints are still open."
    await reject_ticket(shop.kernel, ticket.id, "staff:x", "It worked for us")
    assert await orders.unsettled(shop.kernel, buyer) is None
    # a copy holds both, without the codes,
    copied = [*await orders.collect(shop.kernel, buyer), *await complaints.collect(shop.kernel, buyer)]
    assert [(row.get("number"), row.get("evidence")) for row in copied] == [
        (number, None),
        (None, "It says: used already"),
    ]
    assert "c0" not in str(copied)
    # and the words are gone afterwards, while order and card stay.
    for part in PERSONAL_DATA:
        assert part.erase is not None
        await part.erase(shop.kernel, buyer)
    row = await shop.kernel.db.fetchrow("select * from fulfilment_ticket")
    assert row is not None
    assert await evidence_of(shop.kernel, ticket_of(row)) == ""
    assert len(await cards(shop, order)) == 2
