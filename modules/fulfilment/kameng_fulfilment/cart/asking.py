"""What a request for a cart begins with: whose it is, and whose prices he sees."""

from __future__ import annotations

from kameng.auth import forget_visitor, known_visitor
from kameng.graphql import Context
from kameng_catalog.contract import RETAIL, PriceTiers, Sites
from kameng_fulfilment.cart.merging import merge_carts
from kameng_fulfilment.cart.owners import CartOwner, owner_of
from kameng_fulfilment.guests.openings import follow_log_in


async def cart_owner(context: Context) -> CartOwner | None:
    """Whose cart a request means. What he had put together before he logged in becomes part of a member's cart here, and
    orders that he had opened stay open for him.

    Raises:
        Forbidden: the staff and integrations have no carts.
    """
    owner = owner_of(context)
    if owner is not None and owner.member is not None and (visitor := known_visitor(context)):
        await merge_carts(context.kernel, owner.member, visitor)
        await follow_log_in(context.kernel, visitor, owner.member)
        forget_visitor(context)
    return owner


async def buyer_tier(context: Context) -> str:
    """Whose prices a request sees."""
    tiers = context.kernel.services.find(PriceTiers)
    return await tiers.tier_of(context.principal) if tiers else RETAIL


def buyer_site(context: Context) -> str:
    """In which shop a request is."""
    return context.service(Sites).site_of(context.host)
