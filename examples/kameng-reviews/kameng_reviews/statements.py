"""The SQL of reviews, each statement in one place beside its tables."""

from kameng.db import Statement

RECORD_PURCHASES = Statement(
    "reviews.record_purchases",
    """
insert into reviews_purchase (id, member, product, order_number, bought_at)
select * from unnest($1::uuid[], $2::uuid[], $3::uuid[], $4::text[], $5::timestamptz[])
on conflict (member, product) do nothing
""",
)
"""Side by side: ids, members, products, order numbers, times."""

HAS_BOUGHT = Statement(
    "reviews.has_bought",
    "select exists (select from reviews_purchase where member = $1 and product = $2)",
)
"""$1 the member, $2 the product."""

WRITE = Statement(
    "reviews.write",
    """
insert into reviews_review (id, product, member, stars, text, idempotency_key, created_at)
values ($1, $2, $3, $4, $5, $6, now())
on conflict (member, product) do nothing
returning *
""",
)
"""The review's columns in order; no row where the member has reviewed the product already."""

OF_MEMBER = Statement("reviews.of_member", "select * from reviews_review where member = $1 and product = $2")
"""$1 the member, $2 the product."""

ADD_TO_RATING = Statement(
    "reviews.add_to_rating",
    """
insert into reviews_rating as rating (product, reviews, stars) values ($1, 1, $2)
on conflict (product) do update set reviews = rating.reviews + 1, stars = rating.stars + excluded.stars
""",
)
"""$1 the product, $2 the stars."""

TAKE_FROM_RATING = Statement(
    "reviews.take_from_rating",
    "update reviews_rating set reviews = reviews - 1, stars = stars - $2 where product = $1",
)
"""$1 the product, $2 the stars."""

SET_HIDDEN = Statement(
    "reviews.set_hidden",
    "update reviews_review set hidden = $2 where id = $1 and hidden is distinct from $2 returning *",
)
"""$1 the review, $2 whether it is hidden; no row where it is so already, or there is none."""

BY_KEY = Statement("reviews.by_key", "select * from reviews_review where id = any ($1::uuid[])")
"""$1 the reviews."""

RATINGS = Statement("reviews.ratings", "select * from reviews_rating where product = any ($1::uuid[])")
"""$1 the products."""
