"""What a request reads of products' reviews: one statement for each kind of thing, however many products it shows."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from strawberry.dataloader import DataLoader

from kameng.graphql import Connection, Context
from kameng.graphql.pages import PageRequest
from kameng_reviews.statements import RATINGS
from kameng_reviews.types import NEWEST, Review


@dataclass(frozen=True, slots=True)
class Rating:
    """What the shown reviews of a product come to.

    Attributes:
        reviews: how many.
        stars: the sum of their stars.
    """

    reviews: int = 0
    stars: int = 0

    @property
    def average(self) -> float | None:
        """Stars with two decimals; None without a review."""
        return round(self.stars / self.reviews, 2) if self.reviews else None


def ratings(context: Context) -> DataLoader[UUID, Rating]:
    """Ratings by product."""

    async def load(products: list[UUID]) -> list[Rating]:
        rows = await context.db.fetch(RATINGS, products)
        found = {row["product"]: Rating(row["reviews"], row["stars"]) for row in rows}
        return [found.get(product, Rating()) for product in products]

    return context.loader("reviews.ratings", lambda _: DataLoader(load_fn=load))


def review_pages(context: Context, page: PageRequest) -> DataLoader[UUID, Connection[Review]]:
    """The same page of the reviews of each product."""

    async def load(products: list[UUID]) -> list[Connection[Review]]:
        behind, tail, cursor = page.clauses(NEWEST, 2)
        rows = await context.db.fetch(
            f"""
            select review.* from unnest($1::uuid[]) as wanted (product)
            cross join lateral (
              select * from reviews_review
              where reviews_review.product = wanted.product and not hidden and {behind} {tail}
            ) as review
            """,
            products,
            *cursor,
        )
        of_product: dict[UUID, list[Any]] = defaultdict(list)
        for row in rows:
            of_product[row["product"]].append(row)
        # A lateral join promises no order of its own.
        for found in of_product.values():
            found.sort(key=lambda row: row["id"].int, reverse=not page.backward)
        return [
            page.connection(of_product[product], NEWEST, lambda row: [row["id"]], Review.of)
            for product in products
        ]

    return context.loader(("reviews.pages", page), lambda _: DataLoader(load_fn=load))
