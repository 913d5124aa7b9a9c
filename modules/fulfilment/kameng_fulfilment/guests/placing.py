"""What placing a batch of orders does for those that bring something along. The ordinary purchase never comes here."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING
from uuid import UUID

from kameng.errors import Refusal
from kameng_fulfilment.cart.refusals import CartChanged
from kameng_fulfilment.cart.statements import CONTENT_OF_CARTS, LOCK_CARTS, TAKE_OUT_ORDERED
from kameng_fulfilment.guests.secrets import lookup_mark, secret_mark
from kameng_fulfilment.guests.statements import (
    ADD_CONTACTS,
    ADD_PARTICULARS,
    COUNT_UNPAID_OF_ADDRESSES,
    COUNT_UNPAID_OF_CONTACTS,
    FIND_CLAIMED,
    NOTE_SITES,
    TAKE_GUESTS_TURNS,
)
from kameng_fulfilment.settings import FulfilmentSettings
from kameng_fulfilment.unpaid import TooManyUnpaidOrders

if TYPE_CHECKING:
    from kameng.kernel import Kernel
    from kameng_fulfilment.drafts import DraftOrder
    from kameng_fulfilment.particulars import SealedGuest
    from kameng_fulfilment.requests import OrderRequest


async def changed_carts(kernel: Kernel, requests: Mapping[int, OrderRequest]) -> dict[int, Refusal]:
    """Lock the carts that are ordered; why some cannot be, by their place: somebody else has ordered or changed them.

    Args:
        kernel: whose carts.
        requests: requests that order a cart, by their place in the batch.
    """
    carts = {place: request.particulars.cart for place, request in requests.items() if request.particulars}
    keys = sorted({cart for cart in carts.values() if cart})
    await kernel.db.fetch(LOCK_CARTS, keys)
    rows = await kernel.db.fetch(CONTENT_OF_CARTS, keys)
    there = {(row["cart"], row["variant"]): row["quantity"] for row in rows}
    refused: dict[int, Refusal] = {}
    for place, request in requests.items():
        wanted = {(carts[place], line.variant): line.quantity for line in request.lines}
        if all(there.get(key) == quantity for key, quantity in wanted.items()):
            for key in wanted:
                del there[key]
        else:
            refused[place] = CartChanged(
                "The cart was changed or ordered meanwhile.", cure="Load it again and look through it."
            )
    return refused


async def claimed_before(kernel: Kernel, requests: Mapping[int, OrderRequest]) -> dict[int, UUID | None]:
    """The orders that guests' requests led to before and that are in an account since, by the requests' place; None where the
    request asks for something else than its key did then. One statement where there are guests.

    Asked after the orders that nobody has claimed, so that none slips through in between.
    """
    guests = [request.member for request in requests.values() if guest_of(request)]
    if not guests:
        return {}
    rows = await kernel.db.fetch(FIND_CLAIMED, guests)
    known = {(row["member"], row["idempotency_key"]): row for row in rows}
    found = {place: known.get((request.member, request.key)) for place, request in requests.items()}
    return {
        place: row["id"] if row["fingerprint"] == requests[place].fingerprint else None
        for place, row in found.items()
        if row is not None
    }


async def too_many_of_guests(kernel: Kernel, orders: Sequence[DraftOrder]) -> dict[int, TooManyUnpaidOrders]:
    """Those guests' orders that would be one too many for their contact or their network address. Three statements."""
    settings = kernel.settings.section("fulfilment", FulfilmentSettings)
    guests = [(order, guest) for order in orders if (guest := guest_of(order.request))]
    contacts = sorted({guest.contact_mark for _, guest in guests})
    addresses = sorted({guest.address_mark for _, guest in guests if guest.address_mark})
    await kernel.db.execute(TAKE_GUESTS_TURNS, contacts + addresses)
    counts: dict[bytes, int] = {}
    for statement, marks in ((COUNT_UNPAID_OF_CONTACTS, contacts), (COUNT_UNPAID_OF_ADDRESSES, addresses)):
        counts |= {row["mark"]: row["unpaid"] for row in await kernel.db.fetch(statement, marks)}
    refused: dict[int, TooManyUnpaidOrders] = {}
    for order, guest in guests:
        limits = {guest.contact_mark: settings.guest_unpaid_per_contact}
        if guest.address_mark:
            limits[guest.address_mark] = settings.guest_unpaid_per_address
        if any(counts.get(mark, 0) >= limit for mark, limit in limits.items()):
            refused[order.place] = TooManyUnpaidOrders(
                "Too many orders without an account wait for their payment.",
                cure="Pay one of them first, wait until they expire, or log in.",
            )
        else:
            for mark in limits:
                counts[mark] = counts.get(mark, 0) + 1
    return refused


async def write_particulars(kernel: Kernel, orders: Sequence[DraftOrder]) -> None:
    """Write what placed orders bring along, and take what they ordered out of carts. At most four statements.

    Args:
        kernel: whose orders.
        orders: orders that were placed and have particulars.
    """
    kept = timedelta(minutes=kernel.settings.section("fulfilment", FulfilmentSettings).reservation_minutes)
    guests = [(order, guest) for order in orders if (guest := guest_of(order.request))]
    if guests:
        await kernel.db.execute(
            ADD_CONTACTS,
            [guest.id for _, guest in guests],
            [order.id for order, _ in guests],
            [guest.contact.kind for _, guest in guests],
            [guest.sealed for _, guest in guests],
            [guest.data_key for _, guest in guests],
            [guest.contact_mark for _, guest in guests],
            [guest.address_mark for _, guest in guests],
            [lookup_mark(kernel, order.number, guest.contact) for order, guest in guests],
            [secret_mark(order.number, guest.secret) for order, guest in guests],
            [guest.sealed_secret for _, guest in guests],
            [guest.locale for _, guest in guests],
            datetime.now(UTC) + kept,
        )
    if placed := [order for order in orders if order.request.site]:
        await kernel.db.execute(
            NOTE_SITES, [order.id for order in placed], [order.request.site for order in placed]
        )
    written = [
        (order.id, order.request.particulars.written)
        for order in orders
        if order.request.particulars and order.request.particulars.written
    ]
    if written:
        await kernel.db.execute(
            ADD_PARTICULARS,
            [row.id for _, row in written],
            [order for order, _ in written],
            [row.sealed for _, row in written],
            [row.data_key for _, row in written],
        )
    ordered: list[tuple[UUID, UUID]] = [
        (order.request.particulars.cart, line.variant.id)
        for order in orders
        if order.request.particulars and order.request.particulars.cart
        for line in order.lines
    ]
    if ordered:
        await kernel.db.execute(
            TAKE_OUT_ORDERED, [cart for cart, _ in ordered], [variant for _, variant in ordered]
        )


def guest_of(request: OrderRequest) -> SealedGuest | None:
    """The guest who asks for an order; None where a member does."""
    return request.particulars.guest if request.particulars else None
