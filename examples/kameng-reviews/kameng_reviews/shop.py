"""The shop's part: reviews on products, and writing one."""

from __future__ import annotations

from typing import cast
from uuid import UUID

import strawberry

from kameng.auth import PrincipalKind
from kameng.graphql import Connection, Info, Node, mutation, payload
from kameng.graphql.pages import PageRequest
from kameng.ids import key_of
from kameng_reviews.loaders import ratings, review_pages
from kameng_reviews.refusals import AlreadyReviewed, NotBought, StarsOutOfRange, TextUnusable
from kameng_reviews.types import Review
from kameng_reviews.writing import write_review


class ProductReviews:
    """What a product gets from reviews. ``self`` is the catalogue's object, of which only its id is used here."""

    @strawberry.field(
        description="The average of its reviews' stars, with two decimals; null without a review."
    )
    async def average_stars(self, info: Info) -> float | None:
        """One row a product."""
        return (await ratings(info.context).load(_product(self))).average

    @strawberry.field(description="How many reviews it has.")
    async def review_count(self, info: Info) -> int:
        """The same row."""
        return (await ratings(info.context).load(_product(self))).reviews

    @strawberry.field(description="What buyers say of it, the newest first.")
    async def reviews(
        self,
        info: Info,
        first: int | None = None,
        after: str | None = None,
        last: int | None = None,
        before: str | None = None,
    ) -> Connection[Review]:
        """A page of its reviews."""
        page = PageRequest.of(first, after, last, before)
        return await review_pages(info.context, page).load(_product(self))


def _product(owner: object) -> UUID:
    return key_of("Product", cast("Node", owner).id)


@strawberry.input(description="A review of a product that you bought.")
class ReviewProductInput:
    """A review to write."""

    product_id: strawberry.ID
    stars: int = strawberry.field(description="1 to 5.")
    text: str = strawberry.field(description="Plain text.")


@payload(NotBought, AlreadyReviewed, StarsOutOfRange, TextUnusable)
class ReviewProductPayload:
    """The review, or why there is none."""

    review: Review | None = None


@strawberry.type
class ReviewsMutation:
    """Mutations of the shop."""

    @mutation
    async def review_product(self, info: Info, input: ReviewProductInput) -> ReviewProductPayload:  # noqa: A002 - GraphQL's name
        """Review a product that you bought, once."""
        context = info.context
        member = context.principal.require_kind(PrincipalKind.MEMBER)
        product = key_of("Product", input.product_id)
        row = await write_review(context, member, product, input.stars, input.text)
        return ReviewProductPayload(review=Review.of(row))
