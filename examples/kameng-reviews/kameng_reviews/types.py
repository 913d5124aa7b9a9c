"""The GraphQL type of a review, in both schemas."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

import strawberry

from kameng.graphql import Context, Node
from kameng.graphql.pages import Keyset
from kameng.ids import global_id
from kameng_reviews.hiding import HIDE_REVIEW
from kameng_reviews.statements import BY_KEY

NEWEST = Keyset("reviews-newest", (("id", "uuid"),), descending=True)
"""Ids grow with time."""


@strawberry.type(description="What a buyer says of a product.")
class Review(Node):
    """A review."""

    product_id: strawberry.ID = strawberry.field(description="The id of the product.")
    stars: int = strawberry.field(description="1 to 5.")
    text: str
    hidden: bool = strawberry.field(description="Whether the staff has hidden it from the shop.")
    created_at: datetime

    @classmethod
    def of(cls, row: Any) -> Review:
        """The review in a row."""
        return cls(
            id=strawberry.ID(global_id("Review", row["id"])),
            product_id=strawberry.ID(global_id("Product", row["product"])),
            stars=row["stars"],
            text=row["text"],
            hidden=row["hidden"],
            created_at=row["created_at"],
        )


async def _reviews(context: Context, keys: Sequence[UUID]) -> list[Review | None]:
    found = {row["id"]: Review.of(row) for row in await context.db.fetch(BY_KEY, list(keys))}
    return [found.get(key) for key in keys]


async def shown_review_nodes(context: Context, keys: Sequence[UUID]) -> list[Review | None]:
    """Reviews by key, as the shop shows them: a hidden one does not exist."""
    found = await _reviews(context, keys)
    return [None if review is None or review.hidden else review for review in found]


async def all_review_nodes(context: Context, keys: Sequence[UUID]) -> list[Review | None]:
    """Reviews by key, for who may hide them."""
    if not context.principal.may(HIDE_REVIEW):
        return [None] * len(keys)
    return await _reviews(context, keys)
