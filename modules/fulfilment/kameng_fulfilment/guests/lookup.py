"""Finding a guest's order again, without telling anybody else which orders there are.

Everything that a guest sees or does begins here: `find_order` alone turns what he shows into his order.
"""

from __future__ import annotations

from typing import TYPE_CHECKING
from uuid import UUID

import msgspec

from kameng.errors import InvalidInput, NotFound
from kameng.graphql import Context
from kameng_fulfilment.guests.contacts import Contact, read_contact
from kameng_fulfilment.guests.openings import remembered
from kameng_fulfilment.guests.refusals import order_claimed, secret_needed
from kameng_fulfilment.guests.secrets import lookup_mark, read_pass, secret_mark
from kameng_fulfilment.guests.statements import CONTACTS_OF_ORDERS, ORDER_BY_LOOKUP, ORDER_BY_SECRET
from kameng_fulfilment.numbers import read_number
from kameng_fulfilment.orders import StoredOrder
from kameng_fulfilment.reading import OrderReads
from kameng_fulfilment.settings import FulfilmentSettings

if TYPE_CHECKING:
    from kameng.kernel import Kernel

_LONGEST = 60
"""Characters that are looked at of what is no number and no contact."""


class FoundOrder(msgspec.Struct, frozen=True):
    """A guest's order, for somebody who has shown that he may see it.

    Attributes:
        order: the order.
        opened: whether what was delivered may be shown.
    """

    order: StoredOrder
    opened: bool


async def find_by_contact(context: Context, number: str, contact: str) -> UUID:
    """The key of the order of this number and contact.

    A number that there is not, a contact of another order, and texts that are neither, are answered alike and take the
    same way: the same counters, one blind index, one probe of it.

    Raises:
        NotFound: there is none.
        RateLimited: too many look-ups from this network address, of this number, or of this contact.
        UnavailableError: look-ups cannot be counted at the moment, so none is allowed.
    """
    read, whom = await count_tries(context, number, contact)
    mark = lookup_mark(context.kernel, read, whom)
    order: UUID | None = await context.db.fetchval(ORDER_BY_LOOKUP, mark)
    if order is None:
        raise not_found()
    return order


async def count_tries(context: Context, number: str, contact: str) -> tuple[str, Contact]:
    """Read what somebody still knows of an order, and count it against each of the limits.

    Raises:
        RateLimited: too many look-ups from this network address, of this number, or of this contact.
        UnavailableError: look-ups cannot be counted at the moment, so none is allowed.
    """
    settings = context.kernel.settings.section("fulfilment", FulfilmentSettings)
    limiter = context.kernel.auth.limiter
    read, whom = _read_number(number), _read_contact(contact)
    await count_lookup(context)
    await limiter.check("order_lookup", f"number:{read}", settings.lookups_per_number, closed=True)
    await limiter.check("order_lookup", f"contact:{whom.value}", settings.lookups_per_contact, closed=True)
    return read, whom


async def find_order(
    context: Context, number: str, token: str | None = None, *, claimed_by: UUID | None = None
) -> FoundOrder:
    """The order of this number that a secret or a pass opens, or that whoever asks has opened a while ago.

    Args:
        context: the request.
        number: as somebody typed it.
        token: the secret or the pass; None: what is remembered of this visitor or member counts.
        claimed_by: a member to whom the order is shown also where he has taken it into his account before.

    Raises:
        NotFound: it opens none, or another one; nothing is remembered.
        OrderClaimed: the order is in an account since.
        RateLimited: too many look-ups from this network address.
        UnavailableError: look-ups cannot be counted, or openings not looked up, so none is allowed.
    """
    read = _read_number(number)
    key: UUID | None
    if token is None:
        opening = await remembered(context, read)
        if opening is None:
            await count_lookup(context)
            raise not_found()
        key, opened = opening.order, opening.opened
    else:
        await count_lookup(context)
        key = read_pass(context.kernel, token)
        opened = key is None
        if key is None:
            key = await context.db.fetchval(ORDER_BY_SECRET, secret_mark(read, token))
    (order,) = await context.service(OrderReads).orders([key]) if key else [None]
    if order is None or order.number != read:
        raise not_found()
    if order.buyer_kind != "guest" and order.member != claimed_by:
        raise order_claimed()
    return FoundOrder(order, opened)


async def own_order(
    context: Context, number: str, secret: str | None, *, claimed_by: UUID | None = None
) -> StoredOrder:
    """The order of a guest who may do with it what a member may with his: who has shown its secret.

    Raises:
        OrderSecretNeeded: he has shown its number and contact alone.
        Refusal: as `find_order`.
    """
    found = await find_order(context, number, secret, claimed_by=claimed_by)
    if not found.opened:
        raise secret_needed()
    return found.order


async def contact_of(kernel: Kernel, order: UUID) -> Contact | None:
    """How the guest of an order is reached; None for an order of a member."""
    row = await kernel.db.fetchrow(CONTACTS_OF_ORDERS, [order])
    if row is None:
        return None
    value = await kernel.vault.open(row["data_key"], row["sealed"], row["id"].bytes)
    return Contact(row["kind"], value.decode())


def not_found() -> NotFound:
    """The one answer to a look-up that fails, whatever is wrong."""
    return NotFound(
        "There is no such order, or it belongs to another contact.",
        cure="Check the number and the e-mail address or phone number that it was ordered with.",
    )


async def count_lookup(context: Context) -> None:
    """Count a look-up from a network address, whether it finds something or not."""
    if context.address:
        settings = context.kernel.settings.section("fulfilment", FulfilmentSettings)
        await context.kernel.auth.limiter.check(
            "order_lookup", f"address:{context.address}", settings.lookups_per_address, closed=True
        )


# What is no number and no contact is looked up and counted as it was typed, and so takes the same way as what is one.
def _read_number(text: str) -> str:
    try:
        return read_number(text)
    except InvalidInput:
        return f"?{text[:_LONGEST]}"


def _read_contact(text: str) -> Contact:
    try:
        return read_contact(text)
    except InvalidInput:
        return Contact("email", f"?{text[:_LONGEST]}")
