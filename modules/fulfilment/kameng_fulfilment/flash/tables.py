"""Tables of flash sales: what is offered, and who got how much of it."""

from piccolo.columns import UUID, ForeignKey, Integer, Text, Timestamptz
from piccolo.columns.base import OnDelete, OnUpdate
from piccolo.constraints import Check
from piccolo.table import Table

from kameng.db import Index


class FlashSaleTable(Table, tablename="fulfilment_flash_sale"):
    """So many pieces of a variant, from one moment to another.

    From ``holds_from`` until the sale opens the variant is not sold at all. ``sold`` counts the pieces of orders that were paid
    or wait for their payment; the row is locked by whoever buys, a batch of buyers at a time.
    """

    id = UUID(primary_key=True, default=None)
    variant = UUID(null=False, default=None)
    holds_from = Timestamptz(null=False, default=None)
    opens_at = Timestamptz(null=False, default=None)
    closes_at = Timestamptz(null=False, default=None)
    ended_at = Timestamptz(null=True, default=None, help_text="When staff ended it before its time.")
    quantity = Integer(null=False, default=None)
    per_buyer = Integer(null=False, default=None)
    sold = Integer(null=False, default=0)
    created_by = Text(null=False, default=None, help_text="The principal's key, such as staff:0189….")
    created_at = Timestamptz(null=False, default=None)

    fulfilment_flash_sale_times = Check("holds_from <= opens_at and opens_at < closes_at")
    fulfilment_flash_sale_never_more = Check("sold between 0 and quantity and quantity > 0")
    fulfilment_flash_sale_buyer = Check("per_buyer between 1 and quantity")


class FlashPurchaseTable(Table, tablename="fulfilment_flash_purchase"):
    """Pieces of a sale that an order line took. The line is no foreign key: it is written later in the same transaction."""

    line = UUID(primary_key=True, default=None)
    sale = ForeignKey(
        FlashSaleTable,
        null=False,
        index=False,
        on_delete=OnDelete.restrict,
        on_update=OnUpdate.restrict,
        default=None,
    )
    buyer = UUID(null=False, default=None)
    quantity = Integer(null=False, default=None)

    fulfilment_flash_purchase_quantity = Check("quantity > 0")


TABLES = [FlashSaleTable, FlashPurchaseTable]

INDEXES = (
    Index(
        "fulfilment_flash_sale_running",
        """create index fulfilment_flash_sale_running on fulfilment_flash_sale (variant, closes_at)
           where ended_at is null""",
    ),
    Index(
        "fulfilment_flash_purchase_buyer",
        "create index fulfilment_flash_purchase_buyer on fulfilment_flash_purchase (sale, buyer) include (quantity)",
    ),
)
