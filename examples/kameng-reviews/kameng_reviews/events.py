"""The facts that reviews publish."""

from kameng.events import Event


class ReviewWritten(Event, frozen=True, kw_only=True):
    """A buyer has reviewed a product.

    Attributes:
        review, product, member: keys.
        stars: 1 to 5.
    """

    name = "reviews.review_written"
    review: str
    product: str
    member: str
    stars: int
