"""Writing a review."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from kameng.graphql import Context
from kameng.ids import new_id
from kameng_reviews import statements
from kameng_reviews.events import ReviewWritten
from kameng_reviews.refusals import AlreadyReviewed, NotBought, StarsOutOfRange, TextUnusable
from kameng_reviews.settings import ReviewsSettings


async def write_review(context: Context, member: UUID, product: UUID, stars: int, text: str) -> Any:
    """Write a member's review of a product; returns its row.

    A request that comes again with its idempotency key gets the review that it has written.

    Raises:
        StarsOutOfRange: not 1 to 5.
        TextUnusable: the text is empty or too long.
        NotBought: the member has not bought the product.
        AlreadyReviewed: the member has reviewed it.
    """
    text = _checked(context, stars, text)
    db, key = context.db, context.idempotency_key
    async with db.transaction():
        if not await db.fetchval(statements.HAS_BOUGHT, member, product):
            raise NotBought(
                "Only who bought this reviews it.", cure="Buy it first; a purchase counts after a moment."
            )
        row = await db.fetchrow(statements.WRITE, new_id(), product, member, stars, text, key)
        if row is None:
            written = await db.fetchrow(statements.OF_MEMBER, member, product)
            if written is not None and key is not None and written["idempotency_key"] == key:
                return written
            raise AlreadyReviewed("You have reviewed this.", cure="A product is reviewed once.")
        await db.execute(statements.ADD_TO_RATING, product, stars)
        await context.kernel.events.emit(
            ReviewWritten(review=str(row["id"]), product=str(product), member=str(member), stars=stars)
        )
    return row


def _checked(context: Context, stars: int, text: str) -> str:
    if not 1 <= stars <= 5:
        raise StarsOutOfRange(
            f"A review has 1 to 5 stars, not {stars}.", cure="Choose 1 to 5.", path=("input", "stars")
        )
    longest = context.kernel.settings.section("reviews", ReviewsSettings).longest_text
    text = text.replace("\0", "").strip()
    if not 1 <= len(text) <= longest:
        raise TextUnusable(
            f"A review has 1 to {longest} characters; this has {len(text)}.",
            cure="Write a few words." if not text else "Make it shorter.",
            path=("input", "text"),
        )
    return text
