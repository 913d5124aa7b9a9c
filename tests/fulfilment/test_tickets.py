"""Cards that do not work: complained about, replaced or refunded once, or turned down."""

from __future__ import annotations

import asyncio
from uuid import UUID

import pytest

from kameng.errors import InvalidInput, NotFound, Refusal
from kameng.ids import new_id
from kameng.testing.kernels import Kernels
from kameng_catalog.contract import OutOfStock, Stock
from kameng_fulfilment.ticket_reading import StoredTicket, evidence_of
from kameng_fulfilment.tickets import (
    TicketClosed,
    TicketNotAllowed,
    TicketTooLate,
    open_ticket,
    refund_card,
    reject_ticket,
    replace_card,
    withdraw_ticket,
)

from . import lives
from .conftest import Shop


async def bought(shop: Shop, quantity: int = 2, stock: int = 4) -> tuple[UUID, UUID, list[str]]:
    """An order of a buyer with money, the buyer's key, and the keys of its cards."""
    variant = await shop.stock("CARD", "5", [f"c{n}" for n in range(stock)])
    ann = await shop.member("50")
    order = await lives.place(shop, ann, (variant, quantity), outside=False)
    return order, lives.buyer(ann), await cards(shop, order)


async def cards(shop: Shop, order: UUID) -> list[str]:
    """The keys of the cards of an order's first line that are not retired."""
    (line, *_) = await lives.lines(shop, order)
    sold = await shop.kernel.services.get(Stock).sold_cards([line.id])
    return [card.key for card in sold if not card.retired]


async def complain(shop: Shop, order: UUID, buyer: UUID, card: str) -> StoredTicket:
    return await open_ticket(shop.kernel, order, 1, card, "It says: used already", buyer)


async def balance(shop: Shop, order: UUID) -> int:
    value: int = await shop.kernel.db.fetchval(
        "select refunded_minor from fulfilment_order where id = $1", order
    )
    return value


async def test_a_bad_card_is_replaced_on_the_same_line(shop: Shop) -> None:
    order, buyer, (bad, good) = await bought(shop)
    ticket = await complain(shop, order, buyer, bad)
    assert ticket.state == "OPEN"
    assert await evidence_of(shop.kernel, ticket) == "It says: used already"
    # When somebody replaces it
    closed = await replace_card(shop.kernel, ticket.id, "staff:x", "sorry")
    # Then the buyer has another one beside the good one, and the bad one is marked
    assert (closed.state, closed.answer, closed.closed_by) == ("REPLACED", "sorry", "staff:x")
    now = await cards(shop, order)
    assert len(now) == 2
    assert good in now
    assert bad not in now
    assert (await lives.sold(shop), await lives.state(shop, order)) == (3, "COMPLETED")


async def test_a_card_is_settled_once(shop: Shop) -> None:
    order, buyer, (bad, _) = await bought(shop, stock=9)
    ticket = await complain(shop, order, buyer, bad)
    # While it is open, there is no second one; when many settle it at once, one does
    with pytest.raises(TicketNotAllowed):
        await complain(shop, order, buyer, bad)
    answers = await asyncio.gather(
        *(replace_card(shop.kernel, ticket.id, f"staff:{n}", "sorry") for n in range(4)),
        *(refund_card(shop.kernel, ticket.id, f"staff:{n}", "sorry") for n in range(4)),
        reject_ticket(shop.kernel, ticket.id, "staff:x", "no"),
        withdraw_ticket(shop.kernel, ticket.id, buyer),
        return_exceptions=True,
    )
    assert sum(isinstance(answer, StoredTicket) for answer in answers) == 1
    assert all(isinstance(a, TicketClosed) for a in answers if not isinstance(a, StoredTicket))


async def test_a_replaced_card_is_not_complained_about_again(shop: Shop) -> None:
    order, buyer, (bad, _) = await bought(shop)
    await replace_card(shop.kernel, (await complain(shop, order, buyer, bad)).id, "staff:x", "sorry")
    with pytest.raises(TicketNotAllowed):
        await complain(shop, order, buyer, bad)
    # But its replacement may be bad as well
    (new,) = set(await cards(shop, order)) - {bad, (await cards(shop, order))[0]}
    assert (await complain(shop, order, buyer, new)).state == "OPEN"


async def test_two_tickets_at_once_about_one_card_are_one(shop: Shop) -> None:
    order, buyer, (bad, _) = await bought(shop)
    answers = await asyncio.gather(
        *(complain(shop, order, buyer, bad) for _ in range(4)), return_exceptions=True
    )
    assert sum(isinstance(answer, StoredTicket) for answer in answers) == 1
    assert all(isinstance(a, TicketNotAllowed) for a in answers if not isinstance(a, StoredTicket))


async def test_a_bad_card_is_refunded_at_its_share(shop: Shop) -> None:
    order, buyer, (bad, good) = await bought(shop)
    ticket = await complain(shop, order, buyer, bad)
    assert (await refund_card(shop.kernel, ticket.id, "staff:x", "sorry")).state == "REFUNDED"
    assert (await balance(shop, order), await lives.state(shop, order)) == (500, "COMPLETED")
    assert await cards(shop, order) == [good]
    # And the other one makes the order whole again
    other = await complain(shop, order, buyer, good)
    await refund_card(shop.kernel, other.id, "staff:x", "sorry")
    assert (await balance(shop, order), await lives.state(shop, order)) == (1000, "REFUNDED")


async def test_a_ticket_that_was_rejected_or_withdrawn_may_be_opened_again(shop: Shop) -> None:
    order, buyer, (bad, _) = await bought(shop)
    await reject_ticket(shop.kernel, (await complain(shop, order, buyer, bad)).id, "staff:x", "works here")
    await withdraw_ticket(shop.kernel, (await complain(shop, order, buyer, bad)).id, buyer)
    assert (await complain(shop, order, buyer, bad)).state == "OPEN"


async def test_nothing_to_replace_with_leaves_the_ticket_open(shop: Shop) -> None:
    order, buyer, (bad, _) = await bought(shop, stock=2)
    ticket = await complain(shop, order, buyer, bad)
    with pytest.raises(OutOfStock):
        await replace_card(shop.kernel, ticket.id, "staff:x", "sorry")
    assert len(await cards(shop, order)) == 2
    assert await shop.kernel.db.fetchval("select state from fulfilment_ticket") == "OPEN"


async def test_tickets_are_the_buyers_own_and_about_his_cards(shop: Shop) -> None:
    order, buyer, (bad, _) = await bought(shop)
    with pytest.raises(NotFound):
        await open_ticket(shop.kernel, order, 1, bad, "x", new_id())
    for position, card in ((2, bad), (0, bad), (1, "nonsense")):
        with pytest.raises(NotFound):
            await open_ticket(shop.kernel, order, position, card, "x", buyer)
    with pytest.raises(InvalidInput):
        await open_ticket(shop.kernel, order, 1, bad, "  ", buyer)
    ticket = await complain(shop, order, buyer, bad)
    with pytest.raises(NotFound):
        await withdraw_ticket(shop.kernel, ticket.id, new_id())


async def test_there_is_a_deadline(make_kernel: Kernels) -> None:
    shop = Shop(await make_kernel(fulfilment={"ticket_days": 0}))
    order, buyer, (bad, _) = await bought(shop)
    with pytest.raises(TicketTooLate):
        await complain(shop, order, buyer, bad)


async def test_cheap_cards_of_honest_buyers_are_replaced_without_a_person(make_kernel: Kernels) -> None:
    # Given a shop that replaces what costs less than 6.00
    shop = Shop(await make_kernel(fulfilment={"replace_below_minor": 600}))
    order, buyer, (first, second) = await bought(shop)
    # Then the first complaint is settled at once, the second one goes to a person
    assert (await complain(shop, order, buyer, first)).state == "REPLACED"
    assert (await complain(shop, order, buyer, second)).state == "OPEN"
    assert await lives.sold(shop) == 3


async def test_the_rule_leaves_dear_cards_and_empty_shelves_to_a_person(make_kernel: Kernels) -> None:
    for below, stock in ((500, 4), (600, 2)):
        shop = Shop(await make_kernel(fulfilment={"replace_below_minor": below}))
        order, buyer, (bad, _) = await bought(shop, stock=stock)
        ticket = await complain(shop, order, buyer, bad)
        assert ticket.state == "OPEN"
        assert not isinstance(ticket, Refusal)
        assert len(await cards(shop, order)) == 2
