"""A guest's order in the shop schema."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from uuid import UUID

import strawberry
from strawberry.dataloader import DataLoader

from kameng import money
from kameng.graphql import LOCALES, Context, Info, Money
from kameng_catalog.contract import Variants
from kameng_fulfilment.guests.lookup import FoundOrder, contact_of
from kameng_fulfilment.guests.secrets import secrets_of
from kameng_fulfilment.life_types import OrderHistoryEntry, OrderState, Ticket, shown_history
from kameng_fulfilment.orders import StoredLine
from kameng_fulfilment.reading import OrderReads
from kameng_fulfilment.types import Answer, DeliveredCard, DeliveryState


@strawberry.type(description="A line of a guest's order.")
class GuestOrderLine:
    """A line of a guest's order."""

    stored: strawberry.Private[StoredLine]
    opened: strawberry.Private[bool]
    position: int = strawberry.field(description="Its place in the order, from 1.")
    sku: str = strawberry.field(description="The variant's number.")
    quantity: int
    unit_price: Money = strawberry.field(description="The price of one unit, with four decimals.")
    total: Money
    delivery_state: DeliveryState
    delivered_quantity: int = strawberry.field(description="Units that were delivered.")
    refunded_quantity: int = strawberry.field(description="Units that were refunded.")
    refunded: Money = strawberry.field(description="What of it was refunded.")

    @strawberry.field(description="What was bought, in the language of the request.")
    def title(self, info: Info) -> str:
        """The title as it was when it was bought."""
        titles = self.stored.titles
        return titles.get(info.context.locale) or titles.get(LOCALES[0]) or self.sku

    @strawberry.field(description="What the buyer filled in. Empty unless the order's secret was shown.")
    def answers(self, info: Info) -> list[Answer]:
        """The answers to the product's form, as it was then."""
        locale = info.context.locale
        return [
            Answer(
                name=answer.name,
                label=answer.labels.get(locale) or next(iter(answer.labels.values())),
                value=answer.value,
            )
            for answer in (self.stored.answers if self.opened else ())
        ]

    @strawberry.field(description="The cards that were delivered. Empty unless the order's secret was shown.")
    async def cards(self, info: Info) -> list[DeliveredCard]:
        """The delivered cards, decrypted."""
        if not self.opened:
            return []
        return [
            DeliveredCard.of(card) for card in await info.context.service(OrderReads).cards(self.stored.id)
        ]

    @strawberry.field(
        description="Codes and messages that people or suppliers delivered. Empty unless the order's secret was shown."
    )
    async def texts(self, info: Info) -> list[str]:
        """The delivered texts, decrypted."""
        return await info.context.service(OrderReads).texts(self.stored.id) if self.opened else []

    @strawberry.field(description="What to do with what was delivered, in the language of the request.")
    async def delivery_note(self, info: Info) -> str | None:
        """The variant's note for those who have bought it."""
        if not self.opened or not self.stored.delivered_quantity:
            return None
        notes = await info.context.loader(_NOTES, _note_loader).load(self.stored.variant)
        return notes.get(info.context.locale) or next(iter(notes.values()), None)


_NOTES = object()


def _note_loader(context: Context) -> DataLoader[UUID, Mapping[str, str]]:
    async def load(variants: list[UUID]) -> list[Mapping[str, str]]:
        found = await context.service(Variants).delivery_notes(variants)
        return [found.get(key, {}) for key in variants]

    return DataLoader(load_fn=load)


@strawberry.type(
    description="An order that was placed without an account, for whoever has shown that he may see it."
)
class GuestOrder:
    """A guest's order."""

    found: strawberry.Private[FoundOrder]
    number: str = strawberry.field(description="What the buyer quotes when asking about it.")
    state: OrderState
    total: Money
    created_at: datetime
    reserved_until: datetime | None = strawberry.field(
        description="Until when its stock was kept for its payment."
    )
    paid_at: datetime | None
    completed_at: datetime | None
    refunded: Money = strawberry.field(description="What of it was refunded.")
    opened: bool = strawberry.field(
        description="Whether its secret was shown, and with it what was delivered."
    )

    @strawberry.field(description="How the buyer is reached, with its middle hidden.")
    async def contact(self, info: Info) -> str | None:
        """The contact, masked."""
        contact = await contact_of(info.context.kernel, self.found.order.id)
        return contact.masked if contact else None

    @strawberry.field(
        description="What opens it again, with what was delivered. Null unless it was shown; keep it to yourself."
    )
    async def secret(self, info: Info) -> str | None:
        """The secret, for whoever has shown it, now or a while ago."""
        if not self.found.opened:
            return None
        order = self.found.order
        return (await secrets_of(info.context.kernel, [(order.id, order.number)])).get(order.id)

    @strawberry.field(description="What happened to it, the oldest first. Empty unless its secret was shown.")
    async def history(self, info: Info) -> list[OrderHistoryEntry]:
        """The order's history, as its buyer may see it."""
        if not self.found.opened:
            return []
        entries = await info.context.service(OrderReads).history(self.found.order.id)
        return shown_history(entries, self.found.order, staff=False)

    @strawberry.field(
        description="Tickets about its cards, the oldest first. Empty unless its secret was shown."
    )
    async def tickets(self, info: Info) -> list[Ticket]:
        """The order's tickets."""
        if not self.found.opened:
            return []
        tickets = await info.context.service(OrderReads).tickets(self.found.order.id)
        return [Ticket.of(ticket) for ticket in tickets]

    @strawberry.field(description="What was bought.")
    async def lines(self, info: Info) -> list[GuestOrderLine]:
        """The order's lines, in the order they were asked for."""
        order = self.found.order
        opened = self.found.opened and order.state != "REVIEW"
        return [
            GuestOrderLine(
                stored=line,
                opened=opened,
                position=line.position + 1,
                sku=line.sku,
                quantity=line.quantity,
                unit_price=Money.of(money.UnitPrice(line.unit_price, order.currency)),
                total=Money.of(money.Money(line.total_minor, order.currency)),
                delivery_state=DeliveryState(line.delivery_state),
                delivered_quantity=line.delivered_quantity,
                refunded_quantity=line.refunded_quantity,
                refunded=Money.of(money.Money(line.refunded_minor, order.currency)),
            )
            for line in await info.context.service(OrderReads).lines(order.id)
        ]

    @classmethod
    def of(cls, found: FoundOrder) -> GuestOrder:
        """A found order as GraphQL shows it."""
        order = found.order
        return cls(
            found=found,
            number=order.number,
            state=OrderState(order.state),
            total=Money.of(money.Money(order.total_minor, order.currency)),
            created_at=order.created_at,
            reserved_until=order.reserved_until,
            paid_at=order.paid_at,
            completed_at=order.completed_at,
            refunded=Money.of(money.Money(order.refunded_minor, order.currency)),
            opened=found.opened,
        )
