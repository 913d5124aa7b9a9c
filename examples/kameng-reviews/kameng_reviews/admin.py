"""The back office's part: reading all reviews, hiding and showing them."""

from __future__ import annotations

import strawberry

from kameng.graphql import Connection, Info, mutation, payload
from kameng.graphql.pages import PageRequest
from kameng.ids import key_of
from kameng_reviews.hiding import HIDE_REVIEW, set_hidden
from kameng_reviews.types import NEWEST, Review


@strawberry.type
class ReviewsAdminQuery:
    """Queries of the back office."""

    @strawberry.field(description="All reviews, the newest first, hidden ones among them.")
    async def reviews(
        self,
        info: Info,
        first: int | None = None,
        after: str | None = None,
        last: int | None = None,
        before: str | None = None,
    ) -> Connection[Review]:
        """A page of all reviews."""
        context = info.context
        context.require(HIDE_REVIEW)
        page = PageRequest.of(first, after, last, before)
        behind, tail, cursor = page.clauses(NEWEST, 1)
        rows = await context.db.fetch(f"select * from reviews_review where {behind} {tail}", *cursor)
        return page.connection(rows, NEWEST, lambda row: [row["id"]], Review.of)


@strawberry.input(description="A review to hide from the shop, or to show again.")
class HideReviewInput:
    """A review to hide or to show again."""

    id: strawberry.ID
    hidden: bool = strawberry.field(default=True, description="False shows it again.")
    reason: str = strawberry.field(default="", description="For the audit log.")


@payload()
class HideReviewPayload:
    """The review as it is now, or why it is as it was."""

    review: Review | None = None


@strawberry.type
class ReviewsAdminMutation:
    """Mutations of the back office."""

    @mutation
    async def hide_review(self, info: Info, input: HideReviewInput) -> HideReviewPayload:  # noqa: A002 - GraphQL's name
        """Hide a review from the shop, or show it again; the product's rating follows."""
        info.context.require(HIDE_REVIEW)
        review = key_of("Review", input.id)
        row = await set_hidden(info.context, review, hidden=input.hidden, reason=input.reason)
        return HideReviewPayload(review=Review.of(row))
