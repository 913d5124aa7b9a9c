"""Offers: which supplier delivers which variant, under which number, and for how much."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any
from uuid import UUID

import msgspec

from kameng.errors import InvalidInput, NotFound
from kameng.ids import new_id
from kameng.money import UnitPrice
from kameng_catalog.contract import Variants
from kameng_fulfilment.suppliers.connection_statements import SAVE_OFFER
from kameng_fulfilment.suppliers.connections import read_connections

if TYPE_CHECKING:
    from kameng.graphql import Context


class StoredOffer(msgspec.Struct, frozen=True, kw_only=True):
    """An offer as it is stored; see the table."""

    id: UUID
    variant: UUID
    connection: UUID
    their_sku: str
    cost: int
    currency: str
    priority: int
    enabled: bool
    codes: bool
    below_cost: bool
    changed_at: datetime


class OfferDraft(msgspec.Struct, frozen=True, kw_only=True):
    """An offer as somebody wants it.

    Attributes:
        variant: what is sold.
        connection: the account with the supplier.
        their_sku: what the supplier calls it.
        cost: what a piece costs there; more than zero.
        priority: those with a smaller number are tried first.
        enabled: whether it is used.
        codes: whether each piece is a code; otherwise nothing or a message comes back.
        below_cost: whether it is ordered although it costs more than the buyer paid.
    """

    variant: UUID
    connection: UUID
    their_sku: str
    cost: UnitPrice
    priority: int = 100
    enabled: bool = True
    codes: bool = True
    below_cost: bool = False


def offer_of(row: Mapping[str, Any]) -> StoredOffer:
    """A row of ``fulfilment_supplier_offer``."""
    return StoredOffer(**{name: row[name] for name in StoredOffer.__struct_fields__})


async def save_offer(context: Context, draft: OfferDraft) -> StoredOffer:
    """Make an offer, or change the one of this variant, account and number. Orders that were made stay as they are.

    Raises:
        NotFound: there is no such variant or account.
        InvalidInput: the cost is missing or zero, or another value is unusable.
    """
    sku = draft.their_sku.strip()
    if not 1 <= len(sku) <= 200 or not sku.isprintable():
        raise InvalidInput(
            "The supplier's number has 1 to 200 plain characters.", path=("input", "supplierSku")
        )
    if draft.cost.units <= 0:
        raise InvalidInput(
            "A piece costs something: a cost that is not known is not zero.",
            cure="Ask the supplier, and write the cost of one piece.",
            path=("input", "cost"),
        )
    if not 0 <= draft.priority <= 10_000:
        raise InvalidInput("A priority is 0 to 10000.", path=("input", "priority"))
    kernel = context.kernel
    if (await kernel.services.get(Variants).snapshots([draft.variant]))[0] is None:
        raise NotFound("There is no such variant.", cure="Check its id.", path=("input", "variantId"))
    if draft.connection not in await read_connections(kernel, [draft.connection]):
        raise NotFound(
            "There is no such account with a supplier.", cure="Check its id.", path=("input", "accountId")
        )
    async with kernel.db.transaction():
        row = await kernel.db.fetchrow(
            SAVE_OFFER,
            new_id(),
            draft.variant,
            draft.connection,
            sku,
            draft.cost.units,
            draft.cost.currency,
            draft.priority,
            draft.enabled,
            draft.codes,
            draft.below_cost,
        )
        assert row is not None  # noqa: S101 - it was written just now
        offer = offer_of(row)
        await kernel.audit.record(
            "fulfilment.supplier_offer_saved",
            principal=context.principal,
            subject=f"supplier_offer:{offer.id}",
            details={
                "variant": str(draft.variant),
                "connection": str(draft.connection),
                "sku": sku,
                "cost": str(draft.cost.amount),
                "currency": draft.cost.currency,
                "priority": draft.priority,
                "enabled": draft.enabled,
                "codes": draft.codes,
                "below_cost": draft.below_cost,
            },
            correlation_id=context.correlation_id,
            address=context.address,
        )
    return offer
