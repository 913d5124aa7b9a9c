"""Mutations on what products have beside texts, prices and pictures: attributes and metadata."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from enum import Enum
from typing import cast

import strawberry

from kameng.errors import InvalidInput
from kameng.graphql import Info, mutation, payload
from kameng.ids import key_of, new_id
from kameng_catalog.admin.inputs import LocalizedTextInput, checked, checked_position, checked_texts
from kameng_catalog.admin.loaders import admin_loaders
from kameng_catalog.admin.types import ManagedProduct
from kameng_catalog.attributes.definitions import Definition, Kind
from kameng_catalog.attributes.editing import define_attribute, remove_attribute, set_attributes
from kameng_catalog.forms import Choice
from kameng_catalog.importing import cells
from kameng_catalog.metadata import Column, change_metadata
from kameng_catalog.permissions import MANAGE_PRODUCTS
from kameng_catalog.shop.product_fields import AttributeKind
from kameng_catalog.shop.types import Category, loaders_of

_CODE = re.compile(r"[a-z][a-z0-9_]{0,31}")
_VALUE = re.compile(r"\S(.{0,62}\S)?")
_LONGEST_LABEL = 100
_LONGEST_UNIT = 20


@strawberry.input(description="One of the values to choose from.")
class AttributeChoiceInput:
    """One of the values to choose from."""

    value: str = strawberry.field(description="What is stored and filtered by.")
    labels: list[LocalizedTextInput]


@strawberry.input(description="An attribute of a category.")
class DefineAttributeInput:
    """An attribute of a category."""

    category: str = strawberry.field(description="The path of its category; categories below have it too.")
    code: str = strawberry.field(description="What requests call it: small letters, digits and `_`.")
    kind: AttributeKind = strawberry.field(description="It cannot change later.")
    titles: list[LocalizedTextInput]
    unit: str = strawberry.field(default="", description="Of a number, such as GB.")
    choices: list[AttributeChoiceInput] | None = None
    required: bool = False
    filterable: bool = False
    position: int = 0


@payload()
class DefineAttributePayload:
    """The category with its attributes, or why nothing changed."""

    category: Category | None = None


@strawberry.input(
    description="A definition to take away; products keep what they stated, but it is not shown."
)
class RemoveAttributeInput:
    """A definition to take away."""

    category: str
    code: str


@payload()
class RemoveAttributePayload:
    """The category with its attributes, or why nothing changed."""

    category: Category | None = None


@strawberry.input(description="What a product states in an attribute.")
class AttributeValueInput:
    """Values of an attribute."""

    code: str
    values: list[str] = strawberry.field(
        description="One, or several of CHOICES; a number as text, `true` or `false` of a BOOLEAN; none leaves it out."
    )


@strawberry.input(description="All that a product states.")
class SetProductAttributesInput:
    """All that a product states."""

    id: strawberry.ID
    attributes: list[AttributeValueInput] = strawberry.field(description="Those left out are stated no more.")


@payload()
class SetProductAttributesPayload:
    """The product with its attributes, or why it has those it had."""

    product: ManagedProduct | None = None


@strawberry.enum(description="Who can read metadata.")
class MetadataVisibility(Enum):
    """Who can read metadata."""

    PUBLIC = strawberry.enum_value("public_metadata", description="Everybody.")
    PRIVATE = strawberry.enum_value("private_metadata", description="The staff.")


@strawberry.input(description="A key and its value.")
class MetadataItemInput:
    """A key and its value."""

    key: str
    value: str


@strawberry.input(description="What changes of a product's metadata; other keys stay.")
class UpdateProductMetadataInput:
    """What changes of metadata."""

    id: strawberry.ID
    visibility: MetadataVisibility
    set: list[MetadataItemInput] | None = None
    remove: list[str] | None = None


@payload()
class UpdateProductMetadataPayload:
    """The product with its metadata, or why nothing changed."""

    product: ManagedProduct | None = None


@strawberry.type
class ExtrasMutation:
    """Mutations on attributes, pictures and metadata."""

    @mutation
    async def define_attribute(self, info: Info, input: DefineAttributeInput) -> DefineAttributePayload:  # noqa: A002 - GraphQL's name
        """Define an attribute of a category and of all below it, or change its definition."""
        info.context.require(MANAGE_PRODUCTS)
        definition = Definition(
            id=new_id(),
            path=input.category.strip("/"),
            code=_matching("code", _CODE, input.code),
            kind=cast("Kind", input.kind.value),
            titles=_texts("titles", input.titles, _LONGEST_LABEL),
            unit=checked("unit", lambda text: cells.plain(text, _LONGEST_UNIT), input.unit),
            choices=tuple(
                Choice(
                    value=_matching("choices", _VALUE, choice.value),
                    labels=_texts("choices", choice.labels, _LONGEST_LABEL),
                )
                for choice in input.choices or []
            ),
            required=input.required,
            filterable=input.filterable,
            position=checked_position(input.position),
        )
        await define_attribute(info.context, definition)
        return DefineAttributePayload(category=await _category(info, definition.path))

    @mutation
    async def remove_attribute(self, info: Info, input: RemoveAttributeInput) -> RemoveAttributePayload:  # noqa: A002 - GraphQL's name
        """Take the definition of an attribute away."""
        info.context.require(MANAGE_PRODUCTS)
        path = input.category.strip("/")
        await remove_attribute(info.context, path, input.code)
        return RemoveAttributePayload(category=await _category(info, path))

    @mutation
    async def set_product_attributes(
        self,
        info: Info,
        input: SetProductAttributesInput,  # noqa: A002 - GraphQL's name
    ) -> SetProductAttributesPayload:
        """Set all that a product states in the attributes of its category."""
        info.context.require(MANAGE_PRODUCTS)
        twice = [
            code for code, count in Counter(given.code for given in input.attributes).items() if count > 1
        ]
        if twice:
            raise InvalidInput(f"{twice[0][:40]!r} is stated twice.", path=("input", "attributes"))
        values = {given.code: given.values for given in input.attributes}
        await set_attributes(info.context, key_of("Product", input.id), values)
        return SetProductAttributesPayload(product=await _product(info, input.id))

    @mutation
    async def update_product_metadata(
        self,
        info: Info,
        input: UpdateProductMetadataInput,  # noqa: A002 - GraphQL's name
    ) -> UpdateProductMetadataPayload:
        """Set and take away what integrations keep with a product."""
        info.context.require(MANAGE_PRODUCTS)
        await change_metadata(
            info.context,
            key_of("Product", input.id),
            cast("Column", input.visibility.value),
            {item.key: item.value for item in input.set or []},
            input.remove or [],
        )
        return UpdateProductMetadataPayload(product=await _product(info, input.id))


def _texts(name: str, given: Sequence[LocalizedTextInput], longest: int) -> dict[str, str]:
    return {locale: text for locale, text in checked_texts(name, given, longest).items() if text}


def _matching(name: str, pattern: re.Pattern[str], text: str) -> str:
    if not pattern.fullmatch(text):
        raise InvalidInput(f"{text[:64]!r} cannot be used here.", path=("input", name))
    return text


async def _category(info: Info, path: str) -> Category | None:
    tree = await loaders_of(info).category_tree()
    return next((category for category in tree.by_key.values() if category.path == path), None)


async def _product(info: Info, text: str) -> ManagedProduct | None:
    return await admin_loaders(info.context).product.load(key_of("Product", text))
