"""Buying without an account, in the shop schema."""

from __future__ import annotations

from uuid import UUID

import strawberry

from kameng.auth import PrincipalKind
from kameng.errors import Forbidden, InvalidInput, NotFound
from kameng.graphql import Context, Info, mutation, payload
from kameng.graphql.scalars import MoneyInput
from kameng_catalog.contract import FormAnswerWrong, NotForSale, OutOfStock, WrongQuantity
from kameng_fulfilment.cart.asking import cart_owner
from kameng_fulfilment.cart.owners import CartOwner
from kameng_fulfilment.cart.refusals import CartChanged, CartEmpty
from kameng_fulfilment.checkout import Checkout, InvoiceInput, check_out, written_of
from kameng_fulfilment.flash.admitting import FlashSaleLimit, FlashSaleNotOpen, FlashSaleSoldOut
from kameng_fulfilment.guests.contacts import Contact, read_contact
from kameng_fulfilment.guests.lookup import FoundOrder, find_by_contact, find_order
from kameng_fulfilment.guests.mailing import ask_for_link
from kameng_fulfilment.guests.openings import remember
from kameng_fulfilment.guests.refusals import OrderClaimed, order_claimed
from kameng_fulfilment.guests.secrets import make_pass, secrets_of
from kameng_fulfilment.guests.types import GuestOrder
from kameng_fulfilment.numbers import read_number
from kameng_fulfilment.particulars import seal_guest
from kameng_fulfilment.reading import OrderReads
from kameng_fulfilment.requests import IdempotencyKeyMissing, PriceChanged
from kameng_fulfilment.settings import FulfilmentSettings
from kameng_fulfilment.shop import OrderLineInput, line_request
from kameng_fulfilment.unpaid import TooManyUnpaidOrders

SHORTEST_KEY = 16
"""Characters of a guest's idempotency key: whoever knows it with the contact gets the order's secret again."""


class GuestOrdersClosed(Forbidden):
    """The shop takes orders from members alone."""

    code = "GUEST_ORDERS_CLOSED"


@strawberry.input(description="An order without an account, paid from outside.")
class PlaceGuestOrderInput:
    """An order without an account."""

    contact: str = strawberry.field(
        description="An e-mail address or a phone number; it opens the order again together with its number."
    )
    lines: list[OrderLineInput] | None = None
    from_cart: bool = strawberry.field(
        default=False, description="Order this visitor's cart instead of lines."
    )
    currency: str = strawberry.field(default="CNY", description="The currency to pay in, ISO 4217.")
    expected_total: MoneyInput | None = strawberry.field(
        default=None, description="The total that the buyer saw; another one refuses the order."
    )
    note: str | None = strawberry.field(default=None, description="Something for the shop to know.")
    invoice: InvoiceInput | None = None


@payload(
    OutOfStock,
    WrongQuantity,
    NotForSale,
    FormAnswerWrong,
    PriceChanged,
    IdempotencyKeyMissing,
    TooManyUnpaidOrders,
    CartEmpty,
    CartChanged,
    GuestOrdersClosed,
    FlashSaleNotOpen,
    FlashSaleSoldOut,
    FlashSaleLimit,
    OrderClaimed,
)
class PlaceGuestOrderPayload:
    """The order that was placed, with what opens it, or why it was not."""

    order: GuestOrder | None = None
    secret: str | None = strawberry.field(
        default=None,
        description="Opens the order, with what was delivered, to whoever has it: keep it, and keep it to yourself.",
    )
    visitor_token: str | None = strawberry.field(
        default=None,
        description="This visitor has opened the order for half an hour: browsers get this as a cookie, others send it in the "
        "header Kameng-Visitor.",
    )


@strawberry.input(description="What a guest still knows of an order.")
class LookUpOrderInput:
    """What a guest still knows of an order."""

    number: str
    contact: str = strawberry.field(
        description="The e-mail address or phone number that it was ordered with."
    )


@payload()
class LookUpOrderPayload:
    """A pass to the order, or the one answer to all that is wrong."""

    number: str | None = None
    token: str | None = strawberry.field(
        default=None, description="Opens the order for half an hour, without what was delivered."
    )
    visitor_token: str | None = strawberry.field(
        default=None,
        description="This visitor has opened the order for half an hour, so he needs no pass: browsers get this as a cookie, "
        "others send it in the header Kameng-Visitor.",
    )


@strawberry.input(description="What a guest still knows of an order whose link he has lost.")
class SendOrderLinkInput:
    """What a guest still knows of an order."""

    number: str
    contact: str = strawberry.field(description="The e-mail address that it was ordered with.")


@payload()
class SendOrderLinkPayload:
    """That it was taken in; whether there is such an order is told by the mail alone."""

    accepted: bool = False


@strawberry.type
class GuestQuery:
    """Queries of the shop."""

    @strawberry.field(
        description="A guest's order by its number and its secret, or a pass from `lookUpOrder`, which shows less. Without "
        "either it is one that this visitor or member has opened within the last half hour. Addresses are logged: send a "
        "secret in the body of a POST."
    )
    async def guest_order(self, info: Info, number: str, token: str | None = None) -> GuestOrder:
        """A guest's order. Whatever is wrong, there is none; nor is one that is in an account, which only its secret tells."""
        try:
            return GuestOrder.of(await find_order(info.context, number, token))
        except OrderClaimed as claimed:
            # For a page there is no such order any more.
            raise NotFound(claimed.message, cure=claimed.cure) from claimed


@strawberry.type
class GuestMutation:
    """Mutations of the shop."""

    @mutation(idempotency="own")
    async def place_guest_order(
        self,
        info: Info,
        input: PlaceGuestOrderInput,  # noqa: A002 - GraphQL's name
    ) -> PlaceGuestOrderPayload:
        """Order without an account: the stock is kept for a while and waits for a payment. Needs an idempotency key."""
        context = info.context
        contact = read_contact(input.contact)
        owner = await _admitted(context)
        key = await check_out(
            context,
            Checkout(
                buyer=_buyer(context, contact),
                cart=(owner or CartOwner(visitor=b"")) if input.from_cart else None,
                lines=[line_request(line) for line in input.lines or ()],
                currency=input.currency,
                expected=input.expected_total.parsed() if input.expected_total else None,
                outside=True,
                written=written_of(input.note, input.invoice),
                guest=await seal_guest(context.kernel, contact, context.address, context.locale),
            ),
        )
        (order,) = await context.service(OrderReads).orders([key])
        if order is None:  # it has just been committed
            return PlaceGuestOrderPayload()
        if order.buyer_kind != "guest":
            raise order_claimed()
        known = await remember(context, order.number, order.id, opened=True)
        return PlaceGuestOrderPayload(
            order=GuestOrder.of(FoundOrder(order, opened=True)),
            secret=(await secrets_of(context.kernel, [(order.id, order.number)])).get(order.id),
            visitor_token=context.visitor if known else None,
        )

    @mutation(idempotency="none")
    async def look_up_order(self, info: Info, input: LookUpOrderInput) -> LookUpOrderPayload:  # noqa: A002 - GraphQL's name
        """Find an order again that was placed without an account. Wrong numbers and wrong contacts are answered alike."""
        context = info.context
        order = await find_by_contact(context, input.number, input.contact)
        number = read_number(input.number)
        known = await remember(context, number, order, opened=False)
        return LookUpOrderPayload(
            number=number,
            token=make_pass(context.kernel, order),
            visitor_token=(context.visitor or None) if known else None,
        )

    @mutation(idempotency="none")
    async def send_order_link(self, info: Info, input: SendOrderLinkInput) -> SendOrderLinkPayload:  # noqa: A002 - GraphQL's name
        """Have the link that opens an order mailed to the address that it was ordered with, if there is such an order."""
        await ask_for_link(info.context, input.number, input.contact)
        return SendOrderLinkPayload(accepted=True)


async def _admitted(context: Context) -> CartOwner | None:
    """Whether this visitor may order without an account; whose cart he has."""
    settings = context.kernel.settings.section("fulfilment", FulfilmentSettings)
    if context.principal.kind is not PrincipalKind.VISITOR:
        raise Forbidden("You are logged in.", cure="Place the order as a member: placeOrder.")
    if not settings.guest_orders:
        raise GuestOrdersClosed("This shop sells to members alone.", cure="Log in, or become a member.")
    if len(context.idempotency_key or "x" * SHORTEST_KEY) < SHORTEST_KEY:
        raise InvalidInput(
            f"The idempotency key of an order without an account has at least {SHORTEST_KEY} characters.",
            cure="Take a fresh UUID for each order.",
        )
    if context.address:
        await context.kernel.auth.limiter.check(
            "guest_order", context.address, settings.guest_orders_per_address
        )
    return await cart_owner(context)


def _buyer(context: Context, contact: Contact) -> UUID:
    """A buyer of this one order: the same again for the same key and contact, so that a repeated request finds it."""
    text = contact.text + b"\0" + (context.idempotency_key or "").encode()
    return UUID(bytes=context.kernel.vault.blind_index("fulfilment.guest_buyers", text), version=5)
