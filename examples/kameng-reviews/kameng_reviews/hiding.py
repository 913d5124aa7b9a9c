"""Hiding a review, and showing it again; who did it stands in the audit log."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from kameng.errors import NotFound
from kameng.graphql import Context
from kameng_reviews import statements

HIDE_REVIEW = "reviews.hide_review"
"""The permission to do so, and to read all reviews."""


async def set_hidden(context: Context, review: UUID, *, hidden: bool, reason: str) -> Any:
    """Hide a review or show it again; returns its row. Doing it again changes nothing.

    Raises:
        NotFound: there is no such review.
    """
    db = context.db
    async with db.transaction():
        row = await db.fetchrow(statements.SET_HIDDEN, review, hidden)
        if row is None:
            rows = await db.fetch(statements.BY_KEY, [review])
            if not rows:
                raise NotFound("There is no such review.", cure="`reviews` lists them.")
            return rows[0]
        change = statements.TAKE_FROM_RATING if hidden else statements.ADD_TO_RATING
        await db.execute(change, row["product"], row["stars"])
        await context.kernel.audit.record(
            HIDE_REVIEW if hidden else "reviews.show_review",
            principal=context.principal,
            subject=f"review:{review}",
            details={"reason": reason[:500]},
            correlation_id=context.correlation_id,
            address=context.address,
        )
    return row
