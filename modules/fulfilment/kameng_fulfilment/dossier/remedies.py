"""Remedies that the staff has without a ticket: another card for a bad one, and a look at what was delivered."""

from __future__ import annotations

import strawberry

from kameng.errors import Conflict, NotFound, Refusal
from kameng.graphql import Context, Info, mutation, payload
from kameng.module import Permission
from kameng_catalog.contract import OutOfStock, PickRequest, RetireRequest, Sale, Stock
from kameng_fulfilment import permissions
from kameng_fulfilment.acting import find_line, find_order, order_now, plain_text, record
from kameng_fulfilment.costs.recording import keep_costs
from kameng_fulfilment.events import LineCostChanged
from kameng_fulfilment.live import orders_changed
from kameng_fulfilment.orders import StoredLine, StoredOrder
from kameng_fulfilment.reading import OrderReads
from kameng_fulfilment.states import WrongOrderState, fact_values, lock_orders, note_history
from kameng_fulfilment.ticket_statements import TICKETS_OF_CARD
from kameng_fulfilment.types import Order

REVEAL_DELIVERED = Permission(
    "fulfilment.reveal_delivered", "See what was delivered to buyers", "查看已交付给买家的内容"
)
"""Secrets that belong to buyers; each look stays in the audit log."""


class CardSettled(Conflict):
    """The card was replaced or refunded before, or a ticket about it is open."""

    code = "CARD_SETTLED"


@strawberry.input(description="A card that was handed over and is bad.")
class ReplaceCardInput:
    """A card that is bad."""

    number: str = strawberry.field(description="The order's number.")
    position: int = strawberry.field(description="The line's place in the order, from 1.")
    card_key: str = strawberry.field(description="HandedOver.key of the card.")
    reason: str = strawberry.field(description="Why; it stays in the order's history.")


@payload(CardSettled, OutOfStock, WrongOrderState)
class ReplaceCardPayload:
    """The order after the replacement, or why there was none."""

    order: Order | None = None


@strawberry.input(description="A line whose delivered secrets are to be seen.")
class RevealDeliveredInput:
    """A line whose delivered secrets are to be seen."""

    number: str = strawberry.field(description="The order's number.")
    position: int = strawberry.field(description="The line's place in the order, from 1.")
    reason: str = strawberry.field(description="Why; it stays in the audit log.")


@strawberry.type(description="Something that was delivered, in the clear.")
class RevealedPiece:
    """Something that was delivered."""

    number: str | None = strawberry.field(description="A card's public number, if it has one.")
    secret: str = strawberry.field(description="A card's secret, or a delivered text.")
    retired: bool = strawberry.field(description="Whether it was found bad.")


@payload()
class RevealDeliveredPayload:
    """What was delivered, or why it is not shown."""

    pieces: list[RevealedPiece] = strawberry.field(default_factory=list)


@strawberry.type
class RemediesMutation:
    """Mutations of the staff about what was delivered."""

    @mutation
    async def replace_card(self, info: Info, input: ReplaceCardInput) -> ReplaceCardPayload:  # noqa: A002 - GraphQL's name
        """Hand over another card for a bad one, which is marked; the buyer is not asked. Needs fulfilment.settle_tickets."""
        context = info.context
        context.require(permissions.SETTLE_TICKETS)
        order, reason = await find_order(context, input.number), plain_text(input.reason)
        line = await find_line(context, order, input.position)
        async with context.db.transaction():
            locked = (await lock_orders(context.kernel, [order.id]))[order.id]
            await _replace(context, locked, line, input.card_key.strip(), reason)
            await record(context, "replace_card", order, line=str(line.id), reason=reason)
        return ReplaceCardPayload(order=await order_now(context, order))

    # A stored answer would be somebody's secret in the clear. Each look is an entry of its own anyway.
    @mutation(idempotency="none")
    async def reveal_delivered(self, info: Info, input: RevealDeliveredInput) -> RevealDeliveredPayload:  # noqa: A002 - GraphQL's name
        """Show what a line delivered; who saw it, and why, goes into the audit log. Needs fulfilment.reveal_delivered."""
        context = info.context
        context.require(REVEAL_DELIVERED)
        order, reason = await find_order(context, input.number), plain_text(input.reason)
        line = await find_line(context, order, input.position)
        # The entry is there before anybody sees anything, whatever happens to the answer.
        async with context.db.transaction():
            await record(context, "reveal_delivered", order, line=str(line.id), reason=reason)
        reads = context.service(OrderReads)
        pieces = [
            RevealedPiece(number=card.number, secret=card.secret, retired=card.retired)
            for card in await reads.cards(line.id)
        ]
        pieces += [
            RevealedPiece(number=None, secret=text, retired=False) for text in await reads.texts(line.id)
        ]
        return RevealDeliveredPayload(pieces=pieces)


async def _replace(context: Context, order: StoredOrder, line: StoredLine, key: str, reason: str) -> None:
    kernel, stock = context.kernel, context.kernel.services.get(Stock)
    sold = next((card for card in await stock.sold_cards([line.id]) if card.key == key), None)
    if sold is None:
        raise NotFound(
            "There is no such card in this line.", cure="Take it from the order.", path=("input", "cardKey")
        )
    if order.state in ("REFUNDED", "CANCELLED", "EXPIRED"):
        raise WrongOrderState(f"Order {order.number} is {order.state}.", cure="Nothing is replaced in it.")
    states = {row["state"] for row in await kernel.db.fetch(TICKETS_OF_CARD, f"{line.id}:{key}")}
    if sold.retired or states & {"OPEN", "REPLACED", "REFUNDED"}:
        raise CardSettled(
            "This card was settled before, or its buyer has complained about it.",
            cure="Answer the ticket, if there is one.",
        )
    (pick,) = await stock.pick([PickRequest(variant=line.variant, quantity=1)])
    if isinstance(pick, Refusal):
        raise type(pick)(pick.message, cure="Refund it, or add stock first.")
    await stock.hand_over([Sale(pick=pick, line=line.id)])
    await stock.retire([RetireRequest(line=line.id, key=key, reason=reason, by=context.principal.key)])
    await keep_costs(kernel, [line.id])
    await kernel.events.emit(
        LineCostChanged(**fact_values(order), line=str(line.id))  # type: ignore[arg-type]  # the fields of every OrderFact
    )
    note = f"card replaced: {reason}"
    await note_history(
        kernel, [(order.id, context.principal.key, note)], order.state, kind="ticket", line=line.id
    )
    orders_changed(kernel, [(order.member, order.id)])
