"""Fulfilment's part of the shop schema: placing orders, reading one's own, and what was delivered."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Annotated, Any, cast
from uuid import UUID

import strawberry
from strawberry.dataloader import DataLoader

from kameng.auth import PrincipalKind
from kameng.errors import NotFound
from kameng.graphql import Connection, Context, Info, foreign, mutation, payload
from kameng.graphql.node import load_nodes
from kameng.graphql.pages import Keyset, PageRequest
from kameng.graphql.scalars import MoneyInput
from kameng.ids import global_id, key_of
from kameng_catalog.contract import FormAnswerWrong, NotForSale, OutOfStock, Variants, WrongQuantity
from kameng_fulfilment.cart.asking import cart_owner
from kameng_fulfilment.cart.refusals import CartChanged, CartEmpty
from kameng_fulfilment.checkout import Checkout, InvoiceInput, check_out, written_of
from kameng_fulfilment.flash.admitting import FlashSaleLimit, FlashSaleNotOpen, FlashSaleSoldOut
from kameng_fulfilment.life_types import OrderState, Ticket
from kameng_fulfilment.numbers import read_beginning, read_number
from kameng_fulfilment.orders import may_read, order_by_number, order_of
from kameng_fulfilment.reading import OrderReads
from kameng_fulfilment.requests import IdempotencyKeyMissing, LineRequest, PriceChanged
from kameng_fulfilment.ticket_reading import ticket_of
from kameng_fulfilment.types import DeliveredCard, Order, OrderLine, PaymentMethod
from kameng_fulfilment.unpaid import TooManyUnpaidOrders
from kameng_settlement.contract import InsufficientFunds

if TYPE_CHECKING:
    from kameng.db import Database

    Variant = Any

NEWEST = Keyset("orders-newest", (("id", "uuid"),), descending=True)
NEWEST_TICKETS = Keyset("own-tickets-newest", (("id", "uuid"),), descending=True)


@strawberry.input(description="What the buyer filled into a field of a product's form.")
class AnswerInput:
    """An answer to a field of a form."""

    name: str = strawberry.field(description="The field's name.")
    value: str


@strawberry.input(description="A line of an order to place.")
class OrderLineInput:
    """A line of an order to place."""

    variant_id: strawberry.ID = strawberry.field(description="The id of the variant.")
    quantity: int = strawberry.field(default=1, description="How many.")
    answers: list[AnswerInput] | None = strawberry.field(
        default=None, description="What the buyer filled into the product's form; see `Product.form`."
    )


def answers_of(answers: list[AnswerInput] | None) -> tuple[tuple[str, str], ...]:
    """Answers as the order path takes them."""
    return tuple((answer.name, answer.value) for answer in answers or ())


def line_request(line: OrderLineInput) -> LineRequest:
    """A line as the order path takes it."""
    return LineRequest(key_of("Variant", line.variant_id), line.quantity, answers_of(line.answers))


@strawberry.input(description="An order to place.")
class PlaceOrderInput:
    """An order to place."""

    lines: list[OrderLineInput] | None = None
    from_cart: bool = strawberry.field(default=False, description="Order your cart instead of lines.")
    currency: str = strawberry.field(default="CNY", description="The currency to pay in, ISO 4217.")
    expected_total: MoneyInput | None = strawberry.field(
        default=None, description="The total that the buyer saw; another one refuses the order."
    )
    payment: PaymentMethod = strawberry.field(
        default=PaymentMethod.WALLET,
        description="OUTSIDE keeps the stock for a while and waits for a payment.",
    )
    note: str | None = strawberry.field(default=None, description="Something for the shop to know.")
    invoice: InvoiceInput | None = None


@payload(
    OutOfStock,
    InsufficientFunds,
    WrongQuantity,
    NotForSale,
    FormAnswerWrong,
    PriceChanged,
    IdempotencyKeyMissing,
    TooManyUnpaidOrders,
    CartEmpty,
    CartChanged,
    FlashSaleNotOpen,
    FlashSaleSoldOut,
    FlashSaleLimit,
)
class PlaceOrderPayload:
    """The order that was placed, or why it was not."""

    order: Order | None = None


@strawberry.type
class FulfilmentMutation:
    """Mutations of the shop."""

    @mutation(idempotency="own")
    async def place_order(self, info: Info, input: PlaceOrderInput) -> PlaceOrderPayload:  # noqa: A002 - GraphQL's name
        """Buy, from your wallet at once or paid from outside. Needs an idempotency key, by which it is carried out once."""
        context = info.context
        member = context.principal.require_kind(PrincipalKind.MEMBER)
        key = await check_out(
            context,
            Checkout(
                buyer=member,
                cart=await cart_owner(context) if input.from_cart else None,
                lines=[line_request(line) for line in input.lines or ()],
                currency=input.currency,
                expected=input.expected_total.parsed() if input.expected_total else None,
                outside=input.payment is PaymentMethod.OUTSIDE,
                written=written_of(input.note, input.invoice),
            ),
        )
        (order,) = await context.service(OrderReads).orders([key])
        return PlaceOrderPayload(order=Order.of(order) if order else None)


@strawberry.type
class FulfilmentQuery:
    """Queries of the shop."""

    @strawberry.field(description="An order of yours by its number; somebody else's does not exist for you.")
    async def order(self, info: Info, number: str) -> Order:
        """An order by its number; dashes, spaces and case do not matter."""
        order = await order_by_number(info.context.db, read_number(number))
        if order is None or not may_read(info.context.principal, order):
            raise NotFound(
                "There is no such order among yours.", cure="Check the number, or log in as its buyer."
            )
        return Order.of(order)


class MemberOrders:
    """What a member gets from fulfilment."""

    @strawberry.field(description="Your orders, the newest first.")
    async def orders(
        self,
        info: Info,
        state: Annotated[
            OrderState | None, strawberry.argument(description="Only those that stand there.")
        ] = None,
        number: Annotated[
            str | None,
            strawberry.argument(
                description="Only those whose number begins so; case and dashes do not matter."
            ),
        ] = None,
        first: int | None = None,
        after: str | None = None,
        last: int | None = None,
        before: str | None = None,
    ) -> Connection[Order]:
        """The viewer's orders."""
        member = info.context.principal.require_kind(PrincipalKind.MEMBER)
        condition = "member = $1"
        values: list[object] = [member]
        if state is not None:
            values.append(state.value)
            condition += f" and state = ${len(values)}"
        if number and number.strip():
            beginning = read_beginning(number)
            values.append("" if beginning is None else f"{beginning}%")
            condition += f" and number like ${len(values)}"
        return await order_page(
            info.context.db, PageRequest.of(first, after, last, before), condition, values
        )

    @strawberry.field(description="Your complaints about cards, the newest first.")
    async def tickets(
        self,
        info: Info,
        first: int | None = None,
        after: str | None = None,
        last: int | None = None,
        before: str | None = None,
    ) -> Connection[Ticket]:
        """The viewer's tickets."""
        member = info.context.principal.require_kind(PrincipalKind.MEMBER)
        page = PageRequest.of(first, after, last, before)
        behind, tail, cursor = page.clauses(NEWEST_TICKETS, 2)
        # Served by fulfilment_ticket_by_member.
        rows = await info.context.db.fetch(
            f"select * from fulfilment_ticket where member = $1 and {behind} {tail}", member, *cursor
        )
        return page.connection(
            rows, NEWEST_TICKETS, lambda row: [row["id"]], lambda row: Ticket.of(ticket_of(row))
        )


class OwnTicket:
    """What a buyer sees of a ticket beside what it says."""

    @strawberry.field(description="The order that it is about; null where it is not in your account.")
    async def order(self, info: Info) -> Order | None:
        """The ticket's order."""
        stored = cast("Ticket", self).stored
        return await info.context.loader(_ORDERS, _order_loader).load(stored.order_id)


class BoughtCards:
    """What the shop adds to a line: the variant as it is now, and the goods themselves for the buyer alone."""

    @strawberry.field(description="The variant as it is now, if it is still for sale.")
    async def variant(self, info: Info) -> Annotated[Variant, foreign("catalog")] | None:
        """The variant as it is now."""
        line = cast("OrderLine", self)
        return await info.context.loader(_VARIANTS, _variant_loader).load(line.stored.variant)

    @strawberry.field(description="The cards that were delivered. Only their buyer sees them.")
    async def cards(self, info: Info) -> list[DeliveredCard]:
        """The delivered cards, decrypted; none while the order is in review."""
        line = _own(info, cast("OrderLine", self))
        if line.in_review:
            return []
        return [
            DeliveredCard.of(card) for card in await info.context.service(OrderReads).cards(line.stored.id)
        ]

    @strawberry.field(
        description="Codes and messages that people or suppliers delivered. Only their buyer sees them."
    )
    async def texts(self, info: Info) -> list[str]:
        """The delivered texts, decrypted; none while the order is in review."""
        line = _own(info, cast("OrderLine", self))
        return [] if line.in_review else await info.context.service(OrderReads).texts(line.stored.id)

    @strawberry.field(description="What to do with what was delivered, in the language of the request.")
    async def delivery_note(self, info: Info) -> str | None:
        """The variant's note for those who have bought it."""
        line = _own(info, cast("OrderLine", self))
        if line.in_review or not line.delivered_quantity:
            return None
        notes = await info.context.loader(_NOTES, _note_loader).load(line.stored.variant)
        return notes.get(info.context.locale) or next(iter(notes.values()), None)


def _own(info: Info, line: OrderLine) -> OrderLine:
    if info.context.principal.require_kind(PrincipalKind.MEMBER) != line.buyer:
        raise NotFound("This was bought by somebody else.", cure="Log in as the buyer.")
    return line


_ORDERS = object()


def _order_loader(context: Context) -> DataLoader[UUID, Order | None]:
    async def load(keys: list[UUID]) -> list[Order | None]:
        return await order_nodes(context, keys)

    return DataLoader(load_fn=load)


_NOTES = object()


def _note_loader(context: Context) -> DataLoader[UUID, Mapping[str, str]]:
    async def load(variants: list[UUID]) -> list[Mapping[str, str]]:
        found = await context.service(Variants).delivery_notes(variants)
        return [found.get(key, {}) for key in variants]

    return DataLoader(load_fn=load)


_VARIANTS = object()


def _variant_loader(context: Context) -> DataLoader[UUID, Any]:
    nodes = context.kernel.schemas["shop"].nodes

    async def load(variants: list[UUID]) -> list[Any]:
        return await load_nodes(context, nodes, [global_id("Variant", key) for key in variants])

    return DataLoader(load_fn=load)


async def order_page(
    db: Database, page: PageRequest, condition: str, values: Sequence[object], keyset: Keyset = NEWEST
) -> Connection[Order]:
    """A page of orders, the newest first, or in another order.

    Args:
        db: where they are.
        page: which page.
        condition: a constant SQL condition with ``$1``… for the values.
        values: its parameters.
        keyset: the order that they come in.
    """
    behind, tail, cursor = page.clauses(keyset, len(values) + 1)
    rows = await db.fetch(
        f"select * from fulfilment_order where ({condition}) and {behind} {tail}", *values, *cursor
    )
    return page.connection(rows, keyset, lambda row: [row["id"]], lambda row: Order.of(order_of(row)))


async def order_nodes(context: Context, keys: Sequence[UUID]) -> list[Order | None]:
    """Orders by key; None for those that the principal may not see."""
    return [
        Order.of(order) if order and may_read(context.principal, order) else None
        for order in await context.service(OrderReads).orders(keys)
    ]
