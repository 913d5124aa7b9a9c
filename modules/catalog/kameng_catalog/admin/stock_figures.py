"""Mutations on how a variant is delivered and how its stock is kept."""

from __future__ import annotations

from typing import Any

import strawberry

from kameng.errors import InvalidInput
from kameng.graphql import Info, mutation, payload
from kameng.ids import key_of
from kameng_catalog.admin.inputs import LocalizedTextInput, checked, checked_texts
from kameng_catalog.admin.loaders import admin_loaders
from kameng_catalog.admin.reasons import reason_of
from kameng_catalog.admin.stock_types import Picking
from kameng_catalog.admin.types import ManagedVariant
from kameng_catalog.alerts import check_stock
from kameng_catalog.counting import adjust_stock, set_mirrored, set_reusable_secret
from kameng_catalog.delivery_kinds import DeliveryKind
from kameng_catalog.editing import update_variant
from kameng_catalog.importing import cells
from kameng_catalog.permissions import IMPORT_STOCK, MANAGE_STOCK

LONGEST_SECRET = 4_000
MOST_PIECES = 1_000_000_000


@strawberry.input(description="How a variant is delivered and its stock kept; what is left out stays.")
class UpdateVariantStockInput:
    """What changes of a variant's stock."""

    variant: strawberry.ID
    delivery: DeliveryKind | None = None
    delivery_notes: list[LocalizedTextInput] | None = strawberry.field(
        default=None, description="Texts of these languages are replaced; an empty one takes it away."
    )
    picking: Picking | None = None
    low_stock: int | None = strawberry.field(
        default=strawberry.UNSET, description="Null for the figure of the settings, 0 for no alerts."
    )


@payload()
class UpdateVariantStockPayload:
    """The variant as it is now, or why it is as it was."""

    variant: ManagedVariant | None = None


@strawberry.input(description="A number of pieces to set or to change. Give one of `to` and `by`.")
class AdjustStockInput:
    """A number of pieces to set or to change."""

    variant: strawberry.ID
    reason: str = strawberry.field(description="Why; it stays with the movement.")
    to: int | None = strawberry.field(default=None, description="How many there are now.")
    by: int | None = strawberry.field(default=None, description="How many more, or fewer, there are now.")


@payload()
class AdjustStockPayload:
    """The variant with its figures, or why they are as they were."""

    variant: ManagedVariant | None = None


@strawberry.input(description="The secret that a reusable variant sells from now on.")
class SetReusableSecretInput:
    """A secret that is sold many times."""

    variant: strawberry.ID
    secret: str
    reason: str = strawberry.field(description="Why; it stays in the audit log.")
    number: str = strawberry.field(default="", description="Its public number, if it has one.")


@payload()
class SetReusableSecretPayload:
    """The variant, or why its secret is the one that it was."""

    variant: ManagedVariant | None = None


@strawberry.input(description="What a supplier has of a variant, until he tells another figure.")
class SetMirroredStockInput:
    """What a supplier has."""

    variant: strawberry.ID
    available: int
    reason: str = strawberry.field(description="Why; it stays in the audit log.")


@payload()
class SetMirroredStockPayload:
    """The variant with its figures, or why they are as they were."""

    variant: ManagedVariant | None = None


@strawberry.type
class StockFiguresMutation:
    """Mutations on a variant's stock."""

    @mutation
    async def update_variant_stock(
        self,
        info: Info,
        input: UpdateVariantStockInput,  # noqa: A002 - GraphQL's name
    ) -> UpdateVariantStockPayload:
        """Change how a variant is delivered, which cards go first, and when stock is low."""
        info.context.require(MANAGE_STOCK)
        values: dict[str, Any] = {}
        if input.delivery is not None:
            values["delivery"] = input.delivery.value
        if input.delivery_notes is not None:
            values["delivery_notes"] = checked_texts(
                "deliveryNotes", input.delivery_notes, cells.LONGEST_DESCRIPTION
            )
        if input.picking is not None:
            values["picking"] = input.picking.value
        if input.low_stock is not strawberry.UNSET:
            values["low_stock"] = input.low_stock if input.low_stock is None else _pieces(input.low_stock)
        key = key_of("Variant", input.variant)
        await update_variant(info.context, key, values)
        if "low_stock" in values:
            await check_stock(info.context.kernel, [key])
        return UpdateVariantStockPayload(variant=await _variant(info, input.variant))

    @mutation
    async def adjust_stock(self, info: Info, input: AdjustStockInput) -> AdjustStockPayload:  # noqa: A002 - GraphQL's name
        """Set or change how many pieces of a quota, or uses of a reusable secret, can still be sold."""
        info.context.require(MANAGE_STOCK)
        key = key_of("Variant", input.variant)
        await adjust_stock(info.context, key, reason_of(input.reason), to=input.to, by=input.by)
        return AdjustStockPayload(variant=await _variant(info, input.variant))

    @mutation
    async def set_reusable_secret(
        self,
        info: Info,
        input: SetReusableSecretInput,  # noqa: A002 - GraphQL's name
    ) -> SetReusableSecretPayload:
        """Set the secret that a reusable variant sells from now on; buyers keep what they bought."""
        info.context.require(IMPORT_STOCK)
        secret, number = (
            checked(name, lambda text: cells.plain(text, LONGEST_SECRET), getattr(input, name))
            for name in ("secret", "number")
        )
        if not secret:
            raise InvalidInput("There is no secret.", cure="Write one.", path=("input", "secret"))
        key = key_of("Variant", input.variant)
        await set_reusable_secret(info.context, key, secret, number, reason_of(input.reason))
        return SetReusableSecretPayload(variant=await _variant(info, input.variant))

    @mutation
    async def set_mirrored_stock(
        self,
        info: Info,
        input: SetMirroredStockInput,  # noqa: A002 - GraphQL's name
    ) -> SetMirroredStockPayload:
        """Set by hand what a supplier has of a variant."""
        info.context.require(MANAGE_STOCK)
        key = key_of("Variant", input.variant)
        await set_mirrored(info.context, key, input.available, reason_of(input.reason))
        return SetMirroredStockPayload(variant=await _variant(info, input.variant))


def _pieces(figure: int) -> int:
    if not 0 <= figure <= MOST_PIECES:
        raise InvalidInput(
            f"{figure} is no threshold.", cure=f"Give 0 to {MOST_PIECES:,}.", path=("input", "lowStock")
        )
    return figure


async def _variant(info: Info, text: strawberry.ID) -> ManagedVariant | None:
    return await admin_loaders(info.context).variant.load(key_of("Variant", text))
