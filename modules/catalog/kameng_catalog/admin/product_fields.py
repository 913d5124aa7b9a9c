"""What a product tells the staff beside its texts: windows, pictures, attributes, words for search engines, metadata."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any
from uuid import UUID

import orjson
import strawberry

from kameng.graphql import Info
from kameng.ids import global_id
from kameng_catalog.admin.localized import LocalizedText, localized
from kameng_catalog.media.stores import Media, file_name
from kameng_catalog.shop.product_fields import (
    MetadataItem,
    ProductAttribute,
    Thumbnail,
    items_of,
    stated,
    thumbnails_of,
)
from kameng_catalog.shop.types import loaders_of

if TYPE_CHECKING:
    from kameng_catalog.admin.loaders import AdminLoaders


@strawberry.type(description="What search engines show, in one language.")
class LocalizedSeo:
    """Words for search engines."""

    locale: str
    title: str
    description: str


@strawberry.type(name="Media", description="A picture of a product.")
class ManagedPicture:
    """A picture as the staff sees it."""

    id: strawberry.ID
    url: str = strawberry.field(description="What is there never changes.")
    width: int
    height: int
    size_bytes: int
    position: int = strawberry.field(description="Smaller comes first in the shop.")
    alts: list[LocalizedText] = strawberry.field(description="What stands for it where it cannot be seen.")
    thumbnails: list[Thumbnail] = strawberry.field(description="Smaller copies, the smallest first.")


@strawberry.type
class ManagedExtras:
    """Fields of a product beside its texts and variants."""

    key: strawberry.Private[UUID]
    category_key: strawberry.Private[UUID]
    publish_at: datetime | None = strawberry.field(description="When it goes on sale by itself.")
    unpublish_at: datetime | None = strawberry.field(description="When it goes off sale by itself.")
    stored_attributes: strawberry.Private[str]
    stored_seo: strawberry.Private[str]
    stored_public_metadata: strawberry.Private[str]
    stored_private_metadata: strawberry.Private[str]

    @strawberry.field(description="Its pictures, in the shop's order.")
    async def media(self, info: Info) -> list[ManagedPicture]:
        """Those of several products are read together."""
        return await _loaders(info).media.load(self.key)

    @strawberry.field(description="What it states in the attributes of its category.")
    async def attributes(self, info: Info) -> list[ProductAttribute]:
        """In the order of the definitions."""
        loaders = loaders_of(info)
        category = await loaders.category(self.category_key)
        if category is None:
            return []
        definitions = (await loaders.definitions()).of(category.path)
        return stated(definitions, orjson.loads(self.stored_attributes), info.context.locale)

    @strawberry.field(description="What search engines show instead of title and description.")
    def seo(self) -> list[LocalizedSeo]:
        """In all languages that have it."""
        return [
            LocalizedSeo(
                locale=locale, title=words.get("title", ""), description=words.get("description", "")
            )
            for locale, words in orjson.loads(self.stored_seo).items()
        ]

    @strawberry.field(description="What integrations keep with it, for everybody to read.")
    def public_metadata(self) -> list[MetadataItem]:
        """By key."""
        return items_of(self.stored_public_metadata)

    @strawberry.field(description="What integrations keep with it, for the staff alone.")
    def private_metadata(self) -> list[MetadataItem]:
        """By key."""
        return items_of(self.stored_private_metadata)


def extras_of(row: Any) -> Mapping[str, Any]:
    """The values of `ManagedExtras` in a row."""
    return {
        "publish_at": row["publish_at"],
        "unpublish_at": row["unpublish_at"],
        "stored_attributes": row["attributes"],
        "stored_seo": row["seo"],
        "stored_public_metadata": row["public_metadata"],
        "stored_private_metadata": row["private_metadata"],
    }


def picture_of(row: Any, media: Media) -> ManagedPicture:
    """The picture in a row."""
    return ManagedPicture(
        id=strawberry.ID(global_id("ProductMedia", row["id"])),
        url=media.address(file_name(row["content_hash"], row["extension"])),
        width=row["width"],
        height=row["height"],
        size_bytes=row["size_bytes"],
        position=row["position"],
        alts=localized(orjson.loads(row["alts"])),
        thumbnails=thumbnails_of(row, media),
    )


def _loaders(info: Info) -> AdminLoaders:
    from kameng_catalog.admin.loaders import admin_loaders  # the loaders make these types

    return admin_loaders(info.context)
