"""Who bought what, what they said of it, and what it comes to."""

from piccolo.columns import UUID, BigInt, Boolean, SmallInt, Text, Timestamptz, Varchar
from piccolo.constraints import Check, Unique
from piccolo.table import Table

from kameng.db import Index


class PurchaseTable(Table, tablename="reviews_purchase"):
    """A member has bought a product, so may review it. Keys of other modules' rows; no foreign keys across modules."""

    id = UUID(primary_key=True, default=None)
    member = UUID(null=False, default=None)
    product = UUID(null=False, default=None)
    order_number = Varchar(length=16, null=False, default=None, help_text="The first order with it.")
    bought_at = Timestamptz(null=False, default=None)

    reviews_purchase_once = Unique(["member", "product"])


class ReviewTable(Table, tablename="reviews_review"):
    """A review; a member writes one of a product. ``idempotency_key`` tells a request that is sent twice from a second try."""

    id = UUID(primary_key=True, default=None)
    product = UUID(null=False, default=None)
    member = UUID(null=False, default=None)
    stars = SmallInt(null=False, default=None)
    text = Text(null=False, default=None)
    idempotency_key = Varchar(length=128, null=True, default=None)
    hidden = Boolean(null=False, default=False)
    created_at = Timestamptz(null=False, default=None)

    reviews_review_once = Unique(["member", "product"])
    reviews_review_stars = Check("stars between 1 and 5")


class RatingTable(Table, tablename="reviews_rating"):
    """What the shown reviews of a product come to, kept with each of them, so that showing it costs one row."""

    product = UUID(primary_key=True, default=None)
    reviews = BigInt(null=False, default=None)
    stars = BigInt(null=False, default=None, help_text="The sum of all stars.")

    reviews_rating_possible = Check("reviews >= 0 and stars between reviews and 5 * reviews")


TABLES = [PurchaseTable, ReviewTable, RatingTable]

INDEXES = (
    Index(
        "reviews_review_shown",
        "create index reviews_review_shown on reviews_review (product, id desc) where not hidden",
    ),
)
