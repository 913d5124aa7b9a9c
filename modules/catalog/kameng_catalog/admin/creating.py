"""Mutations that make products and variants."""

from __future__ import annotations

import strawberry

from kameng.errors import InvalidInput
from kameng.graphql import Info, mutation, payload
from kameng.graphql.scalars import MoneyInput
from kameng.ids import key_of
from kameng.money import Money, UnitPrice
from kameng_catalog.admin.inputs import LocalizedTextInput, checked, checked_texts
from kameng_catalog.admin.loaders import admin_loaders
from kameng_catalog.admin.types import ManagedProduct, ManagedVariant, StockKind
from kameng_catalog.creating import create_product, create_variant
from kameng_catalog.importing import cells
from kameng_catalog.permissions import MANAGE_PRODUCTS


@strawberry.input(description="A product to make.")
class CreateProductInput:
    """A product to make."""

    slug: str = strawberry.field(description="Its name in addresses.")
    category: str = strawberry.field(description="The path of its category.")
    titles: list[LocalizedTextInput]


@payload()
class CreateProductPayload:
    """The product, a draft, or why there is none."""

    product: ManagedProduct | None = None


@strawberry.input(description="A variant to make.")
class CreateVariantInput:
    """A variant to make."""

    product: strawberry.ID
    sku: str
    titles: list[LocalizedTextInput]
    stock_kind: StockKind = strawberry.field(description="It cannot change later.")
    face_value: MoneyInput | None = strawberry.field(default=None, description="What the card is worth.")
    cost: MoneyInput | None = strawberry.field(default=None, description="What one costs us.")
    min_quantity: int = 1
    max_quantity: int = 100


@payload()
class CreateVariantPayload:
    """The variant, a draft, or why there is none."""

    variant: ManagedVariant | None = None


@strawberry.type
class CreatingMutation:
    """Mutations that make products and variants."""

    @mutation
    async def create_product(self, info: Info, input: CreateProductInput) -> CreateProductPayload:  # noqa: A002 - GraphQL's name
        """Make a product: a draft without variants."""
        info.context.require(MANAGE_PRODUCTS)
        slug = checked("slug", cells.slug, input.slug)
        titles = checked_texts("titles", input.titles, cells.LONGEST_TITLE)
        key = await create_product(info.context, slug, input.category.strip("/"), titles)
        return CreateProductPayload(product=await admin_loaders(info.context).product.load(key))

    @mutation
    async def create_variant(self, info: Info, input: CreateVariantInput) -> CreateVariantPayload:  # noqa: A002 - GraphQL's name
        """Make a variant: a draft, behind those that the product has."""
        info.context.require(MANAGE_PRODUCTS)
        face = input.face_value and Money.parse(input.face_value.amount, input.face_value.currency)
        if face and face.minor < 0:
            raise InvalidInput("A face value is never negative.", path=("input", "faceValue"))
        cost = input.cost and UnitPrice.parse(input.cost.amount, input.cost.currency)
        key = await create_variant(
            info.context,
            key_of("Product", input.product),
            checked("sku", cells.sku, input.sku),
            checked_texts("titles", input.titles, cells.LONGEST_TITLE),
            {
                "stock_kind": input.stock_kind.value,
                "face_minor": face and face.minor,
                "face_currency": face and face.currency,
                "cost_units": cost and cost.units,
                "cost_currency": cost and cost.currency,
                "min_quantity": checked("minQuantity", cells.quantity, str(input.min_quantity)),
                "max_quantity": checked("maxQuantity", cells.quantity, str(input.max_quantity)),
            },
        )
        return CreateVariantPayload(variant=await admin_loaders(info.context).variant.load(key))
