"""Mutations on the tree of categories."""

from __future__ import annotations

import strawberry

from kameng.graphql import Info, mutation, payload
from kameng_catalog.admin.inputs import LocalizedTextInput, checked, checked_texts
from kameng_catalog.categories import create_category, move_category
from kameng_catalog.importing import cells
from kameng_catalog.permissions import MANAGE_PRODUCTS
from kameng_catalog.shop.types import Category, loaders_of


@strawberry.input(description="A category to make.")
class CreateCategoryInput:
    """A category to make."""

    slug: str = strawberry.field(description="The last part of its path, such as `pc`.")
    titles: list[LocalizedTextInput]
    parent: str = strawberry.field(
        default="", description="The path of the category it lies in; empty for a root."
    )


@payload()
class CreateCategoryPayload:
    """The category, or why there is none."""

    category: Category | None = None


@strawberry.input(description="A category to move, with all that lies in it.")
class MoveCategoryInput:
    """A category to move."""

    path: str
    parent: str = strawberry.field(
        description="The path of the category it shall lie in; empty to make it a root."
    )
    slug: str | None = strawberry.field(
        default=None, description="The last part of its new path, if it changes."
    )


@payload()
class MoveCategoryPayload:
    """The category at its new place, or why it is where it was."""

    category: Category | None = None


@strawberry.type
class CategoriesMutation:
    """Mutations on the tree of categories."""

    @mutation
    async def create_category(self, info: Info, input: CreateCategoryInput) -> CreateCategoryPayload:  # noqa: A002 - GraphQL's name
        """Make a category."""
        info.context.require(MANAGE_PRODUCTS)
        slug = checked("slug", cells.slug, input.slug)
        titles = checked_texts("titles", input.titles, cells.LONGEST_TITLE)
        key = await create_category(info.context, input.parent.strip("/"), slug, titles)
        return CreateCategoryPayload(category=(await loaders_of(info).category_tree()).by_key[key])

    @mutation
    async def move_category(self, info: Info, input: MoveCategoryInput) -> MoveCategoryPayload:  # noqa: A002 - GraphQL's name
        """Move a category below another one, with all categories and products that lie in it."""
        info.context.require(MANAGE_PRODUCTS)
        slug = None if input.slug is None else checked("slug", cells.slug, input.slug)
        key = await move_category(info.context, input.path.strip("/"), input.parent.strip("/"), slug)
        return MoveCategoryPayload(category=(await loaders_of(info).category_tree()).by_key[key])
