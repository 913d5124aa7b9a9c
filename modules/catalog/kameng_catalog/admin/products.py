"""Mutations on products, variants and categories."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import strawberry

from kameng.errors import InvalidInput
from kameng.graphql import Info, mutation, payload
from kameng.graphql.scalars import MoneyInput
from kameng.ids import key_of
from kameng.money import Money, UnitPrice
from kameng_catalog.admin.inputs import LocalizedTextInput, checked, checked_texts
from kameng_catalog.admin.loaders import admin_loaders
from kameng_catalog.admin.types import ManagedProduct, ManagedVariant, Status
from kameng_catalog.editing import unarchive_product, update_category, update_product, update_variant
from kameng_catalog.importing import cells
from kameng_catalog.permissions import MANAGE_PRICES, MANAGE_PRODUCTS
from kameng_catalog.shop.types import Category, loaders_of

_LONGEST_SEO_TITLE = 200
_LONGEST_SEO_DESCRIPTION = 500


@strawberry.input(
    description="What search engines show in one language, where it is not title and description."
)
class SeoInput:
    """Words for search engines."""

    locale: str = strawberry.field(description="Such as zh-CN or en.")
    title: str = ""
    description: str = ""


@strawberry.input(description="What changes of a product; what is left out stays.")
class UpdateProductInput:
    """What changes of a product."""

    id: strawberry.ID
    titles: list[LocalizedTextInput] | None = strawberry.field(
        default=None, description="Texts of these languages are replaced; an empty one takes it away."
    )
    descriptions: list[LocalizedTextInput] | None = None
    tags: list[str] | None = None
    category: str | None = strawberry.field(default=None, description="The path of its category.")
    position: int | None = None
    status: Status | None = None
    publish_at: datetime | None = strawberry.field(
        default=strawberry.UNSET, description="When it goes on sale by itself; null: it does not."
    )
    unpublish_at: datetime | None = strawberry.field(
        default=strawberry.UNSET, description="When it goes off sale by itself; null: it does not."
    )
    seo: list[SeoInput] | None = strawberry.field(
        default=None, description="Those of these languages are replaced; one without words takes it away."
    )


@payload()
class UpdateProductPayload:
    """The product as it is now, or why it is as it was."""

    product: ManagedProduct | None = None


@strawberry.input(description="A product to put on sale.")
class PublishProductInput:
    """A product to put on sale."""

    id: strawberry.ID


@payload()
class PublishProductPayload:
    """The product on sale, or why it is not."""

    product: ManagedProduct | None = None


@strawberry.input(description="A product to take off sale, for good or for a while.")
class ArchiveProductInput:
    """A product to take off sale."""

    id: strawberry.ID


@payload()
class ArchiveProductPayload:
    """The product off sale, or why it is not."""

    product: ManagedProduct | None = None


@strawberry.input(description="An archived product to work on again.")
class UnarchiveProductInput:
    """An archived product."""

    id: strawberry.ID


@payload()
class UnarchiveProductPayload:
    """The product as a draft, or why it is not."""

    product: ManagedProduct | None = None


@strawberry.input(description="What changes of a variant; what is left out stays.")
class UpdateVariantInput:
    """What changes of a variant."""

    id: strawberry.ID
    titles: list[LocalizedTextInput] | None = None
    min_quantity: int | None = None
    max_quantity: int | None = None
    position: int | None = None
    status: Status | None = None
    cost: MoneyInput | None = strawberry.field(default=None, description="What one costs us.")
    face_value: MoneyInput | None = strawberry.field(default=None, description="What the card is worth.")
    below_cost: bool | None = strawberry.field(
        default=None, description="Whether it may be sold below its cost."
    )


@payload()
class UpdateVariantPayload:
    """The variant as it is now, or why it is as it was."""

    variant: ManagedVariant | None = None


@strawberry.input(description="What changes of a category; what is left out stays.")
class UpdateCategoryInput:
    """What changes of a category."""

    path: str
    titles: list[LocalizedTextInput] | None = None
    position: int | None = None


@payload()
class UpdateCategoryPayload:
    """The category as it is now, or why it is as it was."""

    category: Category | None = None


@strawberry.type
class ProductsMutation:
    """Mutations on products."""

    @mutation
    async def update_product(self, info: Info, input: UpdateProductInput) -> UpdateProductPayload:  # noqa: A002 - GraphQL's name
        """Change a product."""
        info.context.require(MANAGE_PRODUCTS)
        values = _texts(input.titles, input.descriptions)
        if input.tags is not None:
            values["tags"] = list(checked("tags", cells.tags, ";".join(input.tags)))
        values |= _given(position=input.position, status=input.status and input.status.value)
        for name in ("publish_at", "unpublish_at"):
            if getattr(input, name) is not strawberry.UNSET:
                values[name] = getattr(input, name)
        if input.seo is not None:
            values["seo"] = _seo(input.seo)
        key = key_of("Product", input.id)
        await update_product(info.context, key, values, input.category)
        return UpdateProductPayload(product=await _product(info, input.id))

    @mutation
    async def publish_product(self, info: Info, input: PublishProductInput) -> PublishProductPayload:  # noqa: A002 - GraphQL's name
        """Put a product on sale: those of its variants that are published."""
        info.context.require(MANAGE_PRODUCTS)
        await update_product(info.context, key_of("Product", input.id), {"status": "published"})
        return PublishProductPayload(product=await _product(info, input.id))

    @mutation
    async def archive_product(self, info: Info, input: ArchiveProductInput) -> ArchiveProductPayload:  # noqa: A002 - GraphQL's name
        """Take a product off sale; orders keep what they remember of it."""
        info.context.require(MANAGE_PRODUCTS)
        await update_product(info.context, key_of("Product", input.id), {"status": "archived"})
        return ArchiveProductPayload(product=await _product(info, input.id))

    @mutation
    async def unarchive_product(self, info: Info, input: UnarchiveProductInput) -> UnarchiveProductPayload:  # noqa: A002 - GraphQL's name
        """Make an archived product a draft, which nobody buys until it is published."""
        info.context.require(MANAGE_PRODUCTS)
        await unarchive_product(info.context, key_of("Product", input.id))
        return UnarchiveProductPayload(product=await _product(info, input.id))

    @mutation
    async def update_variant(self, info: Info, input: UpdateVariantInput) -> UpdateVariantPayload:  # noqa: A002 - GraphQL's name
        """Change a variant."""
        info.context.require(MANAGE_PRODUCTS)
        values = _texts(input.titles)
        for name in ("min_quantity", "max_quantity"):
            quantity = getattr(input, name)
            if quantity is not None:
                values[name] = checked(name, cells.quantity, str(quantity))
        if input.cost is not None:
            cost = UnitPrice.parse(input.cost.amount, input.cost.currency)
            values |= {"cost_units": cost.units, "cost_currency": cost.currency}
        if input.face_value is not None:
            face = Money.parse(input.face_value.amount, input.face_value.currency)
            if face.minor < 0:
                raise InvalidInput("A face value is never negative.", path=("input", "faceValue"))
            values |= {"face_minor": face.minor, "face_currency": face.currency}
        if input.below_cost is not None:
            info.context.require(MANAGE_PRICES)
            values["below_cost"] = input.below_cost
        values |= _given(position=input.position, status=input.status and input.status.value)
        key = key_of("Variant", input.id)
        await update_variant(info.context, key, values)
        return UpdateVariantPayload(variant=await admin_loaders(info.context).variant.load(key))

    @mutation
    async def update_category(self, info: Info, input: UpdateCategoryInput) -> UpdateCategoryPayload:  # noqa: A002 - GraphQL's name
        """Change a category."""
        info.context.require(MANAGE_PRODUCTS)
        values = _texts(input.titles) | _given(position=input.position)
        key = await update_category(info.context, input.path, values)
        tree = await loaders_of(info).category_tree()
        return UpdateCategoryPayload(category=tree.by_key[key])


def _texts(
    titles: Sequence[LocalizedTextInput] | None, descriptions: Sequence[LocalizedTextInput] | None = None
) -> dict[str, Any]:
    values: dict[str, Any] = {}
    if titles is not None:
        values["titles"] = checked_texts("titles", titles, cells.LONGEST_TITLE)
    if descriptions is not None:
        values["descriptions"] = checked_texts("descriptions", descriptions, cells.LONGEST_DESCRIPTION)
    return values


def _seo(given: Sequence[SeoInput]) -> dict[str, dict[str, str]]:
    titles, descriptions = (
        checked_texts(
            "seo",
            [LocalizedTextInput(locale=item.locale, text=getattr(item, name)) for item in given],
            longest,
        )
        for name, longest in (("title", _LONGEST_SEO_TITLE), ("description", _LONGEST_SEO_DESCRIPTION))
    )
    words = {
        locale: {"title": title, "description": descriptions[locale]} for locale, title in titles.items()
    }
    return {locale: {name: text for name, text in named.items() if text} for locale, named in words.items()}


def _given(**values: int | str | None) -> dict[str, Any]:
    given = {name: value for name, value in values.items() if value is not None}
    position = given.get("position", 0)
    if isinstance(position, int) and not -(2**31) <= position < 2**31:
        raise InvalidInput(f"{position} is no position.", path=("input", "position"))
    return given


async def _product(info: Info, text: str) -> ManagedProduct | None:
    return await admin_loaders(info.context).product.load(key_of("Product", text))
