"""Mutations on prices."""

from __future__ import annotations

import re
from datetime import UTC, datetime

import strawberry

from kameng.errors import InvalidInput
from kameng.graphql import Info, mutation, payload
from kameng.graphql.scalars import MoneyInput
from kameng.ids import key_of
from kameng.money import UnitPrice, check_currency
from kameng_catalog.admin.inputs import checked
from kameng_catalog.admin.loaders import admin_loaders
from kameng_catalog.admin.reasons import short_reason
from kameng_catalog.admin.types import ManagedVariant
from kameng_catalog.contract import RETAIL
from kameng_catalog.editing import change_price
from kameng_catalog.importing import cells
from kameng_catalog.permissions import MANAGE_PRICES
from kameng_catalog.price_writing import PriceBelowCost, PriceChange

_CODE = re.compile(r"[a-z0-9][a-z0-9_-]{0,63}")


@strawberry.input(
    description="While a price holds: from its first instant on until its last, which it does not belong to."
)
class PricePeriodInput:
    """A period."""

    from_: datetime | None = strawberry.field(
        name="from", default=None, description="From now on if it is left out."
    )
    until: datetime | None = strawberry.field(default=None, description="For good if it is left out.")


@strawberry.input(description="What buyers of a tier pay for one piece, from a quantity on.")
class SetVariantPriceInput:
    """A price to set."""

    variant: strawberry.ID
    unit: MoneyInput = strawberry.field(description="The price of one, with at most four decimals.")
    tier: str = strawberry.field(default=RETAIL, description="`retail`, or the code of a level of members.")
    from_quantity: int = strawberry.field(default=1, description="From how many pieces on it holds.")
    site: str = strawberry.field(default="", description="Only on this site; on all if it is empty.")
    period: PricePeriodInput | None = strawberry.field(default=None, description="Always, if it is left out.")
    reason: str = strawberry.field(default="", description="For the history.")


@payload(PriceBelowCost)
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
    site: str = ""
    from_: datetime | None = strawberry.field(
        name="from", default=None, description="When its period begins, if it has one."
    )
    reason: str = strawberry.field(default="", description="For the history.")


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
        starts_at, ends_at = None, None
        if input.period is not None:
            starts_at = input.period.from_ or datetime.now(UTC).replace(microsecond=0)
            ends_at = input.period.until
        change = PriceChange(
            variant=key,
            currency=unit.currency,
            units=unit.units,
            tier=_code(input.tier, "tier"),
            min_quantity=_from(input.from_quantity),
            site=_code(input.site, "site") if input.site else "",
            starts_at=starts_at,
            ends_at=ends_at,
        )
        await change_price(info.context, change, short_reason(input.reason))
        return SetVariantPricePayload(variant=await admin_loaders(info.context).variant.load(key))

    @mutation
    async def remove_variant_price(
        self,
        info: Info,
        input: RemoveVariantPriceInput,  # noqa: A002 - GraphQL's name
    ) -> RemoveVariantPricePayload:
        """Take a price of a variant away; buyers pay what is left, or cannot buy it."""
        info.context.require(MANAGE_PRICES)
        key = key_of("Variant", input.variant)
        change = PriceChange(
            variant=key,
            currency=check_currency(input.currency),
            units=None,
            tier=_code(input.tier, "tier"),
            min_quantity=_from(input.from_quantity),
            site=_code(input.site, "site") if input.site else "",
            starts_at=input.from_,
        )
        await change_price(info.context, change, short_reason(input.reason))
        return RemoveVariantPricePayload(variant=await admin_loaders(info.context).variant.load(key))


def _code(text: str, name: str) -> str:
    if not _CODE.fullmatch(text):
        raise InvalidInput(
            f"{text[:64]!r} is no {name}.", cure="Write its code in small letters.", path=("input", name)
        )
    return text


def _from(quantity: int) -> int:
    return checked("fromQuantity", cells.quantity, str(quantity))
