"""Mutations on the pictures of products."""

from __future__ import annotations

import strawberry

from kameng.graphql import Info, mutation, payload
from kameng.graphql.uploads import UploadedFile
from kameng.ids import key_of
from kameng_catalog.admin.inputs import LocalizedTextInput, checked_position, checked_texts
from kameng_catalog.admin.loaders import admin_loaders
from kameng_catalog.admin.types import ManagedProduct
from kameng_catalog.media.keeping import add_picture, remove_picture, replace_picture, update_picture
from kameng_catalog.media.refusals import MediaRefused
from kameng_catalog.permissions import MANAGE_PRODUCTS

_LONGEST_ALT = 300


@strawberry.input(description="A picture to show with a product.")
class AddProductMediaInput:
    """A picture to show."""

    product: strawberry.ID
    file: UploadedFile = strawberry.field(description="PNG, JPEG or WebP.")
    alts: list[LocalizedTextInput] | None = strawberry.field(
        default=None, description="What stands for it where it cannot be seen."
    )


@payload(MediaRefused)
class AddProductMediaPayload:
    """The product with its pictures, or why there is no new one."""

    product: ManagedProduct | None = None


@strawberry.input(description="What changes of a picture; what is left out stays.")
class UpdateProductMediaInput:
    """What changes of a picture."""

    id: strawberry.ID
    alts: list[LocalizedTextInput] | None = None
    position: int | None = None


@payload()
class UpdateProductMediaPayload:
    """The product with its pictures, or why nothing changed."""

    product: ManagedProduct | None = None


@strawberry.input(description="A picture to show no more.")
class RemoveProductMediaInput:
    """A picture to show no more."""

    id: strawberry.ID


@payload()
class RemoveProductMediaPayload:
    """The product with its pictures, or why nothing changed."""

    product: ManagedProduct | None = None


@strawberry.input(description="A picture to show in the place of another.")
class ReplaceProductMediaInput:
    """A picture to show in the place of another."""

    id: strawberry.ID = strawberry.field(
        description="The one that it replaces; its texts and its place stay."
    )
    file: UploadedFile = strawberry.field(description="PNG, JPEG or WebP.")


@payload(MediaRefused)
class ReplaceProductMediaPayload:
    """The product with its pictures, or why they are those they were."""

    product: ManagedProduct | None = None


@strawberry.type
class MediaMutation:
    """Mutations on pictures."""

    # The name of a picture is made of its content, so adding it again is adding it once; and bringing it to the store needs
    # the network, for which no transaction waits.
    @mutation(idempotency="none")
    async def add_product_media(self, info: Info, input: AddProductMediaInput) -> AddProductMediaPayload:  # noqa: A002 - GraphQL's name
        """Show a picture with a product, behind those that it has."""
        info.context.require(MANAGE_PRODUCTS)
        alts = {
            locale: text
            for locale, text in checked_texts("alts", input.alts or [], _LONGEST_ALT).items()
            if text
        }
        await add_picture(info.context, key_of("Product", input.product), input.file, alts)
        return AddProductMediaPayload(
            product=await admin_loaders(info.context).product.load(key_of("Product", input.product))
        )

    @mutation
    async def update_product_media(
        self,
        info: Info,
        input: UpdateProductMediaInput,  # noqa: A002 - GraphQL's name
    ) -> UpdateProductMediaPayload:
        """Describe a picture, or move it among the others."""
        info.context.require(MANAGE_PRODUCTS)
        alts = None if input.alts is None else checked_texts("alts", input.alts, _LONGEST_ALT)
        place = None if input.position is None else checked_position(input.position)
        product = await update_picture(info.context, key_of("ProductMedia", input.id), alts, place)
        return UpdateProductMediaPayload(product=await admin_loaders(info.context).product.load(product))

    @mutation
    async def remove_product_media(
        self,
        info: Info,
        input: RemoveProductMediaInput,  # noqa: A002 - GraphQL's name
    ) -> RemoveProductMediaPayload:
        """Show a picture no more."""
        info.context.require(MANAGE_PRODUCTS)
        product = await remove_picture(info.context, key_of("ProductMedia", input.id))
        return RemoveProductMediaPayload(product=await admin_loaders(info.context).product.load(product))

    @mutation(idempotency="none")
    async def replace_product_media(
        self,
        info: Info,
        input: ReplaceProductMediaInput,  # noqa: A002 - GraphQL's name
    ) -> ReplaceProductMediaPayload:
        """Show another picture in the place of one. What nothing shows any more is deleted some days later."""
        info.context.require(MANAGE_PRODUCTS)
        product = await replace_picture(info.context, key_of("ProductMedia", input.id), input.file)
        return ReplaceProductMediaPayload(product=await admin_loaders(info.context).product.load(product))
