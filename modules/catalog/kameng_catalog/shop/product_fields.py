"""What a product tells beside its texts and prices: pictures, attributes, and words for search engines and integrations."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from enum import Enum
from typing import TYPE_CHECKING, Any, Protocol
from uuid import UUID

import orjson
import strawberry

from kameng.graphql import Info
from kameng_catalog.attributes.definitions import Definition
from kameng_catalog.media.stores import Media, file_name, thumbnail_name
from kameng_catalog.texts import text_in

if TYPE_CHECKING:
    from strawberry.dataloader import DataLoader

    from kameng_catalog.attributes.definitions import Definitions
    from kameng_catalog.shop.types import Category

_LONGEST_SNIPPET = 160
"""Characters of a description that search engines show."""


class ExtraLoaders(Protocol):
    """What products turn to for these fields; see `ShopLoaders`."""

    @property
    def media(self) -> DataLoader[UUID, list[Picture]]: ...
    async def category(self, key: UUID) -> Category | None: ...
    async def definitions(self) -> Definitions: ...


@strawberry.enum(description="What values an attribute has.")
class AttributeKind(Enum):
    """What values an attribute has."""

    TEXT = "text"
    NUMBER = "number"
    BOOLEAN = strawberry.enum_value("boolean", description="`true` or `false`.")
    CHOICE = strawberry.enum_value("choice", description="One of the choices.")
    CHOICES = strawberry.enum_value("choices", description="Some of the choices.")


@strawberry.type(description="One of the values to choose from.")
class AttributeChoice:
    """One of the values to choose from."""

    value: str
    label: str = strawberry.field(description="What people read, in the language of the request.")


@strawberry.type(description="An attribute that products of a category state.")
class Attribute:
    """A definition as everybody sees it."""

    code: str
    title: str = strawberry.field(description="In the language of the request.")
    kind: AttributeKind
    unit: str | None = strawberry.field(description="Of a number, such as GB.")
    required: bool
    filterable: bool = strawberry.field(description="Whether lists can be filtered by it.")
    choices: list[AttributeChoice]

    @classmethod
    def of(cls, definition: Definition, locale: str) -> Attribute:
        """A definition in one language."""
        return cls(
            code=definition.code,
            title=text_in(definition.titles, locale),
            kind=AttributeKind(definition.kind),
            unit=definition.unit or None,
            required=definition.required,
            filterable=definition.filterable,
            choices=[
                AttributeChoice(value=choice.value, label=text_in(choice.labels, locale))
                for choice in definition.choices
            ],
        )


@strawberry.type(description="What a product states in an attribute of its category.")
class ProductAttribute:
    """A value of a product, or several."""

    attribute: Attribute
    values: list[str] = strawberry.field(description="As they are stored, for programs.")
    labels: list[str] = strawberry.field(description="What people read, in the language of the request.")


@strawberry.type(description="A picture in one size.")
class Thumbnail:
    """A small copy."""

    width: int
    url: str


@strawberry.type(name="Media", description="A picture of a product.")
class Picture:
    """A picture."""

    url: str = strawberry.field(description="What is there never changes.")
    width: int
    height: int
    alts: strawberry.Private[Mapping[str, str]]
    thumbnails: list[Thumbnail] = strawberry.field(description="Smaller copies, the smallest first.")

    @strawberry.field(
        description="What stands for it where it cannot be seen, in the language of the request."
    )
    def alt(self, info: Info) -> str:
        """The text in the request's language."""
        return text_in(self.alts, info.context.locale)


@strawberry.type(description="What search engines and links show of a product.")
class Seo:
    """Words for search engines."""

    title: str
    description: str


@strawberry.type(description="Something that an integration keeps with a product.")
class MetadataItem:
    """A key and its value."""

    key: str
    value: str


@strawberry.type
class ProductExtras:
    """Fields of a product that are read where somebody asks for them."""

    key: strawberry.Private[UUID]
    category_key: strawberry.Private[UUID]
    title: str = strawberry.field(description="In the language of the request.")
    description: str = strawberry.field(description="In the language of the request; plain text.")
    stored_seo: strawberry.Private[str]
    stored_metadata: strawberry.Private[str]
    stored_attributes: strawberry.Private[str]
    loaders: strawberry.Private[ExtraLoaders]

    @strawberry.field(description="Its pictures, in the shop's order.")
    async def media(self) -> list[Picture]:
        """Those of several products are read together."""
        return await self.loaders.media.load(self.key)

    @strawberry.field(description="What it states in the attributes of its category.")
    async def attributes(self, info: Info) -> list[ProductAttribute]:
        """In the order of the definitions."""
        category = await self.loaders.category(self.category_key)
        if category is None:
            return []
        definitions = (await self.loaders.definitions()).of(category.path)
        return stated(definitions, orjson.loads(self.stored_attributes), info.context.locale)

    @strawberry.field(
        description="What search engines show: its own words, else its title and the beginning of its description."
    )
    def seo(self, info: Info) -> Seo:
        """In the language of the request."""
        own = orjson.loads(self.stored_seo).get(info.context.locale, {})
        snippet = " ".join(self.description.split())
        if len(snippet) > _LONGEST_SNIPPET:
            snippet = f"{snippet[: _LONGEST_SNIPPET - 1]}…"
        return Seo(title=own.get("title") or self.title, description=own.get("description") or snippet)

    @strawberry.field(description="What integrations keep with it, for everybody to read.")
    def metadata(self) -> list[MetadataItem]:
        """By key."""
        return items_of(self.stored_metadata)


def stated(
    definitions: Sequence[Definition], values: Mapping[str, list[str]], locale: str
) -> list[ProductAttribute]:
    """What a product states, in one language."""
    return [
        ProductAttribute(
            attribute=Attribute.of(definition, locale),
            values=values[definition.code],
            labels=list(_labels(definition, values[definition.code], locale)),
        )
        for definition in definitions
        if definition.code in values
    ]


def _labels(definition: Definition, values: Iterable[str], locale: str) -> Iterable[str]:
    labels = {choice.value: text_in(choice.labels, locale) for choice in definition.choices}
    if definition.kind == "boolean":
        labels = {"true": "是", "false": "否"} if locale == "zh-CN" else {"true": "yes", "false": "no"}
    unit = f" {definition.unit}" if definition.unit else ""
    # A choice that was taken away from the definition stays what it was called.
    return (f"{labels.get(value, value)}{unit}" for value in values)


def items_of(stored: str) -> list[MetadataItem]:
    """Metadata as they are stored."""
    return [MetadataItem(key=key, value=value) for key, value in sorted(orjson.loads(stored).items())]


def picture_of(row: Any, media: Media) -> Picture:
    """The picture in a row."""
    return Picture(
        url=media.address(file_name(row["content_hash"], row["extension"])),
        width=row["width"],
        height=row["height"],
        alts=orjson.loads(row["alts"]),
        thumbnails=thumbnails_of(row, media),
    )


def thumbnails_of(row: Any, media: Media) -> list[Thumbnail]:
    """The small copies in a row."""
    return [
        Thumbnail(width=width, url=media.address(thumbnail_name(row["content_hash"], width)))
        for width in sorted(row["thumbnails"])
    ]
