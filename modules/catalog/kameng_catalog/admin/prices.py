"""Mutations on prices."""

from __future__ import annotations

import re

import strawberry

from kameng.errors import InvalidInput
from kameng.graphql import Info, mutation, payload
from kameng.graphql.scalars import MoneyInput
from kameng.ids import key_of
from kameng.money import UnitPrice, check_currency
from kameng_catalog.admin.inputs import checked
from kameng_catalog.admin.loaders import admin_loaders
from kameng_catalog.admin.types import ManagedVariant
from kameng_catalog.contract import RETAIL
from kameng_catalog.editing import remove_price, set_price
from kameng_catalog.importing import cells
from kameng_catalog.permissions import MANAGE_PRICES

_TIER = re.compile(r"[a-z0-9][a-z0-9_-]{0,63}")


@strawberry.input(description="What buyers of a tier pay for one piece, from a quantity on.")
class SetVariantPriceInput:
    """A price to set."""

    variant: strawberry.ID
    unit: MoneyInput = strawberry.field(description="The price of one, with at most four decimals.")
    tier: str = strawberry.field(default=RETAIL, description="`retail`, or the code of a level of members.")
    from_quantity: int = strawberry.field(default=1, description="From how many pieces on it holds.")


@payload()
class SetVariantPricePayload:
    """The variant with its prices, or why nothing changed."""

    variant: ManagedVariant | None = None


@strawberry.input(description="A price to take away.")
class RemoveVariantPriceInput:
    """A price to take away."""

    variant: strawberry.ID
    currency: str
    tier: str = RETAIL
    from_quantity: int = 1


@payload()
class RemoveVariantPricePayload:
    """The variant with its prices, or why nothing changed."""

    variant: ManagedVariant | None = None


@strawberry.type
class PricesMutation:
    """Mutations on prices."""

    @mutation
    async def set_variant_price(self, info: Info, input: SetVariantPriceInput) -> SetVariantPricePayload:  # noqa: A002 - GraphQL's name
        """Set a price of a variant."""
        info.context.require(MANAGE_PRICES)
        key = key_of("Variant", input.variant)
        unit = UnitPrice.parse(input.unit.amount, input.unit.currency)
        await set_price(info.context, key, _tier(input.tier), _from(input.from_quantity), unit)
        return SetVariantPricePayload(variant=await admin_loaders(info.context).variant.load(key))

    @mutation
    async def remove_variant_price(
        self,
        info: Info,
        input: RemoveVariantPriceInput,  # noqa: A002 - GraphQL's name
    ) -> RemoveVariantPricePayload:
        """Take a price of a variant away; buyers pay what is left, or cannot buy it."""
        info.context.require(MANAGE_PRICES)
        key, currency = key_of("Variant", input.variant), check_currency(input.currency)
        await remove_price(info.context, key, _tier(input.tier), _from(input.from_quantity), currency)
        return RemoveVariantPricePayload(variant=await admin_loaders(info.context).variant.load(key))


def _tier(text: str) -> str:
    if not _TIER.fullmatch(text):
        raise InvalidInput(
            f"{text[:64]!r} is no tier.", cure="Write `retail` or a level's code.", path=("input", "tier")
        )
    return text


def _from(quantity: int) -> int:
    return checked("fromQuantity", cells.quantity, str(quantity))
