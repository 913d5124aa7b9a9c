"""GraphQL types that both schemas show."""

from __future__ import annotations

from datetime import date, datetime
from enum import Enum
from uuid import UUID

import strawberry

from kameng import money
from kameng.graphql import LOCALES, Info, Money, Node
from kameng.ids import global_id
from kameng_catalog.contract import SoldCard
from kameng_fulfilment.life_types import OrderHistoryEntry, OrderState, Ticket, shown_history
from kameng_fulfilment.orders import StoredLine, StoredOrder
from kameng_fulfilment.reading import OrderReads


@strawberry.enum(description="Where the delivery of a line stands.")
class DeliveryState(Enum):
    """Where the delivery of a line stands."""

    PENDING = "PENDING"
    DELIVERING = "DELIVERING"
    PARTLY_DELIVERED = "PARTLY_DELIVERED"
    DELIVERED = "DELIVERED"
    FAILED = "FAILED"
    REFUNDED = "REFUNDED"


@strawberry.enum(description="How an order is paid.")
class PaymentMethod(Enum):
    """How an order is paid."""

    WALLET = strawberry.enum_value("WALLET", description="From the buyer's wallet, at once.")
    OUTSIDE = strawberry.enum_value(
        "OUTSIDE", description="From outside, within the time for which its stock is kept."
    )


@strawberry.type(description="A card that was bought. Shown to its buyer alone.")
class DeliveredCard:
    """A card that was bought."""

    number: str | None = strawberry.field(description="The card's public number, if it has one.")
    secret: str = strawberry.field(description="What to redeem.")
    expires_on: date | None = strawberry.field(
        description="The last day on which it can be redeemed, if known."
    )
    key: str = strawberry.field(description="Names it among the cards of its line, for a ticket about it.")
    retired: bool = strawberry.field(description="Whether it was found bad, and replaced or refunded.")

    @classmethod
    def of(cls, card: SoldCard) -> DeliveredCard:
        """A card of the vault as its buyer sees it."""
        expires = date.fromisoformat(card.expires_on) if card.expires_on else None
        return cls(
            number=card.number,
            secret=card.secret,
            expires_on=expires,
            key=card.key,
            retired=card.retired,
        )


@strawberry.type(description="What a buyer filled into a field of a product's form.")
class Answer:
    """An answer to a field of a form."""

    name: str = strawberry.field(description="The field's name.")
    label: str = strawberry.field(description="What the field was called, in the language of the request.")
    value: str = strawberry.field(description="The answer; a phone number as E.164.")


@strawberry.type(description="A line of an order: one variant, as it was when it was bought.")
class OrderLine:
    """A line of an order."""

    stored: strawberry.Private[StoredLine]
    buyer: strawberry.Private[UUID]
    in_review: strawberry.Private[bool]
    position: int = strawberry.field(description="Its place in the order, from 1.")
    sku: str = strawberry.field(description="The variant's number.")
    quantity: int = strawberry.field(description="Units bought.")
    unit_price: Money = strawberry.field(description="The price of one unit, with four decimals.")
    total: Money = strawberry.field(description="What the line cost.")
    delivery_state: DeliveryState
    delivered_quantity: int = strawberry.field(description="Units that were delivered.")
    refunded_quantity: int = strawberry.field(description="Units that were refunded.")
    refunded: Money = strawberry.field(description="What of it was refunded.")

    @strawberry.field(description="What the buyer filled in.")
    def answers(self, info: Info) -> list[Answer]:
        """The answers to the product's form, as it was then."""
        locale = info.context.locale
        return [
            Answer(
                name=answer.name,
                label=answer.labels.get(locale) or next(iter(answer.labels.values())),
                value=answer.value,
            )
            for answer in self.stored.answers
        ]

    @strawberry.field(description="What was bought, in the language of the request.")
    def title(self, info: Info) -> str:
        """The title as it was when it was bought."""
        titles = self.stored.titles
        return titles.get(info.context.locale) or titles.get(LOCALES[0]) or self.sku

    @classmethod
    def of(cls, line: StoredLine, order: StoredOrder) -> OrderLine:
        """A stored line as GraphQL shows it."""
        currency = order.currency
        return cls(
            stored=line,
            buyer=order.member,
            in_review=order.state == "REVIEW",
            position=line.position + 1,
            sku=line.sku,
            quantity=line.quantity,
            unit_price=Money.of(money.UnitPrice(line.unit_price, currency)),
            total=Money.of(money.Money(line.total_minor, currency)),
            delivery_state=DeliveryState(line.delivery_state),
            delivered_quantity=line.delivered_quantity,
            refunded_quantity=line.refunded_quantity,
            refunded=Money.of(money.Money(line.refunded_minor, currency)),
        )


@strawberry.type(description="An order.")
class Order(Node):
    """An order."""

    stored: strawberry.Private[StoredOrder]
    number: str = strawberry.field(description="What the buyer quotes when asking about it.")
    state: OrderState
    total: Money
    created_at: datetime
    paid_at: datetime | None
    completed_at: datetime | None
    payment: PaymentMethod
    reserved_until: datetime | None = strawberry.field(
        description="Until when its stock was kept for a payment from outside."
    )
    refunded: Money = strawberry.field(description="What of it was refunded.")

    @strawberry.field(description="What was bought.")
    async def lines(self, info: Info) -> list[OrderLine]:
        """The order's lines, in the order they were asked for."""
        lines = await info.context.service(OrderReads).lines(self.stored.id)
        return [OrderLine.of(line, self.stored) for line in lines]

    @strawberry.field(description="What happened to it, the oldest first.")
    async def history(self, info: Info) -> list[OrderHistoryEntry]:
        """The order's history; notes and reasons of the staff are for the staff alone."""
        entries = await info.context.service(OrderReads).history(self.stored.id)
        return shown_history(entries, self.stored, staff=info.context.schema == "admin")

    @strawberry.field(description="Tickets about its cards, the oldest first.")
    async def tickets(self, info: Info) -> list[Ticket]:
        """The order's tickets."""
        tickets = await info.context.service(OrderReads).tickets(self.stored.id)
        return [Ticket.of(ticket) for ticket in tickets]

    @classmethod
    def of(cls, order: StoredOrder) -> Order:
        """A stored order as GraphQL shows it."""
        return cls(
            id=strawberry.ID(global_id("Order", order.id)),
            stored=order,
            number=order.number,
            state=OrderState(order.state),
            total=Money.of(money.Money(order.total_minor, order.currency)),
            created_at=order.created_at,
            paid_at=order.paid_at,
            completed_at=order.completed_at,
            payment=PaymentMethod(order.payment),
            reserved_until=order.reserved_until,
            refunded=Money.of(money.Money(order.refunded_minor, order.currency)),
        )
