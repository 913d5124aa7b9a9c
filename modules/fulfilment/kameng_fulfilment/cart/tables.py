"""Carts and their lines."""

from piccolo.columns import UUID, BigInt, Bytea, ForeignKey, Integer, Timestamptz, Varchar
from piccolo.columns.base import OnDelete, OnUpdate
from piccolo.columns.column_types import JSONB
from piccolo.constraints import Check, Unique
from piccolo.table import Table

from kameng.db import Index


class CartTable(Table, tablename="fulfilment_cart"):
    """A cart of a member, or of a visitor, of whose token the SHA-256 is kept.

    ``recent_keys`` holds 16 bytes for each of the last requests that changed it, so that none is carried out twice.
    """

    id = UUID(primary_key=True, default=None)
    member = UUID(null=True, default=None, unique=True)
    visitor = Bytea(null=True, default=None, unique=True)
    recent_keys = Bytea(null=False, default=b"")
    created_at = Timestamptz(null=False, default=None)
    touched_at = Timestamptz(null=False, default=None)
    left_out = JSONB(
        null=True, default=None, help_text="What was left out when a visitor's cart joined this one."
    )

    fulfilment_cart_owner = Check("(member is null) <> (visitor is null)")


class CartLineTable(Table, tablename="fulfilment_cart_line"):
    """A variant in a cart. ``unit_price`` is what one cost when the line was last changed; null where it had no price.

    What was filled into the product's form is sealed, bound to ``answers_place``, which the line keeps when it moves to
    another cart.
    """

    id = UUID(primary_key=True, default=None)
    cart = ForeignKey(
        CartTable,
        null=False,
        index=False,
        on_delete=OnDelete.cascade,
        on_update=OnUpdate.restrict,
        default=None,
    )
    variant = UUID(null=False, default=None)
    quantity = Integer(null=False, default=None)
    currency = Varchar(length=3, null=False, default=None)
    unit_price = BigInt(null=True, default=None, help_text="Ten-thousandths of the currency's main unit.")
    sealed_answers = Bytea(null=True, default=None)
    data_key = UUID(null=True, default=None)
    answers_place = UUID(null=True, default=None)
    added_at = Timestamptz(null=False, default=None)

    fulfilment_cart_line_once = Unique(["cart", "variant"])
    fulfilment_cart_line_quantity = Check("quantity > 0")
    fulfilment_cart_line_sealed = Check(
        "(sealed_answers is null) = (data_key is null) and (sealed_answers is null) = (answers_place is null)"
    )


TABLES = [CartTable, CartLineTable]

INDEXES = (
    Index(
        "fulfilment_cart_of_visitors",
        "create index fulfilment_cart_of_visitors on fulfilment_cart (touched_at, id) where visitor is not null",
    ),
)
