"""Checking out: one way to an order for members and guests, from a cart or from lines."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

import msgspec
import strawberry

from kameng.errors import InvalidInput
from kameng.graphql import Context
from kameng.money import Money
from kameng_fulfilment.cart.asking import buyer_site
from kameng_fulfilment.cart.owners import CartOwner
from kameng_fulfilment.cart.refusals import CartEmpty
from kameng_fulfilment.cart.standing import cart_request
from kameng_fulfilment.guests.statements import FIND_CLAIMED
from kameng_fulfilment.outcomes import key_conflict
from kameng_fulfilment.particulars import (
    Particulars,
    SealedGuest,
    Written,
    checked_invoice,
    checked_note,
    seal_written,
)
from kameng_fulfilment.requests import LineRequest, OrderRequest, order_request
from kameng_fulfilment.services import Orders
from kameng_fulfilment.statements import FIND_REPEATED

_NO_CART = UUID(int=0)


@strawberry.input(description="What is wanted on an invoice.")
class InvoiceInput:
    """What is wanted on an invoice."""

    title: str = strawberry.field(description="A person's or a company's name.")
    tax_number: str | None = strawberry.field(
        default=None, description="The company's; left out for a person."
    )
    email: str = strawberry.field(description="Where the invoice is sent to.")


class Checkout(msgspec.Struct, frozen=True, kw_only=True):
    """What somebody asks for at the checkout.

    Attributes:
        buyer: who buys: a member's key, or the one that a guest has for this order.
        cart: whose cart is ordered; None for an order of `lines`.
        lines: what is ordered, where it is no cart.
        currency, expected, outside: as in `OrderRequest`.
        written: the buyer's note and invoice data.
        guest: who orders without an account.
    """

    buyer: UUID
    cart: CartOwner | None
    lines: Sequence[LineRequest] = ()
    currency: str = "CNY"
    expected: Money | None = None
    outside: bool = False
    written: Written = Written()
    guest: SealedGuest | None = None


def written_of(note: str | None, invoice: InvoiceInput | None) -> Written:
    """What a buyer wrote, checked.

    Raises:
        InvalidInput: something cannot be used.
    """
    return Written(
        note=checked_note(note),
        invoice=checked_invoice(invoice.title, invoice.tax_number, invoice.email) if invoice else None,
    )


async def check_out(context: Context, asked: Checkout) -> UUID:
    """Place an order; returns its key. Everything about a person is sealed before anything is locked.

    Raises:
        CartEmpty: the cart has no lines, and no order was placed from it with this key before.
        CartChanged: the cart was changed or ordered while this was under way.
        Refusal: see `kameng_fulfilment.desk.OrderDesk.place`.
    """
    if asked.cart is not None and asked.lines:
        raise InvalidInput(
            "An order is placed from the cart or from lines, not from both.",
            cure="Leave out the lines, or `fromCart`.",
            path=("input", "lines"),
        )
    sealed, mark = await seal_written(context.kernel, asked.written)
    cart, lines = None, list(asked.lines)
    if asked.cart is not None:
        found = await cart_request(context.kernel, asked.cart)
        cart, lines = found or (_NO_CART, [])
    brings = Particulars(cart=cart, guest=asked.guest, written=sealed, mark=mark)
    site = buyer_site(context)
    particulars = brings if cart or asked.guest or sealed or site else None
    if cart == _NO_CART:
        return await _ordered_before(context, asked, brings)
    request = order_request(
        asked.buyer,
        context.idempotency_key,
        lines,
        asked.currency,
        asked.expected,
        outside=asked.outside,
        particulars=particulars,
        site=site,
    )
    return await context.service(Orders).place(request)


async def _ordered_before(context: Context, asked: Checkout, particulars: Particulars) -> UUID:
    """The order that emptied the cart, where this request is that one again."""
    key = context.idempotency_key
    request = OrderRequest(
        member=asked.buyer,
        key=key or "",
        lines=(),
        currency=asked.currency,
        outside=asked.outside,
        particulars=particulars,
    )
    rows = await context.db.fetch(FIND_REPEATED, [asked.buyer], [request.key]) if key else []
    if key and asked.guest and not rows:
        rows = [
            row
            for row in await context.db.fetch(FIND_CLAIMED, [asked.buyer])
            if row["idempotency_key"] == key
        ]
    if not rows:
        raise CartEmpty(
            "Your cart is empty.", cure="Put something into it first.", path=("input", "fromCart")
        )
    if rows[0]["fingerprint"] != request.fingerprint:
        raise key_conflict()
    found: UUID = rows[0]["id"]
    return found
