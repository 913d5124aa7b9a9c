"""What lines cost."""

from piccolo.columns import UUID, BigInt, ForeignKey, Integer, Timestamptz, Varchar
from piccolo.columns.base import OnDelete, OnUpdate
from piccolo.constraints import Check, Unique
from piccolo.table import Table

from kameng_fulfilment.tables import OrderLineTable


class LineCostTable(Table, tablename="fulfilment_line_cost"):
    """What pieces of a line cost the shop, those of one source and currency together.

    ``source`` tells how that is known: ``batch`` by the batches that its cards came from, ``variant`` by what the variant cost
    when it was sold, for pieces whose batch tells nothing or that came from none.
    """

    id = UUID(primary_key=True, default=None)
    line = ForeignKey(
        OrderLineTable,
        null=False,
        index=False,
        on_delete=OnDelete.restrict,
        on_update=OnUpdate.restrict,
        default=None,
    )
    source = Varchar(length=10, null=False, default=None)
    currency = Varchar(length=3, null=False, default=None)
    pieces = Integer(null=False, default=None)
    units = BigInt(null=False, default=None, help_text="Ten-thousandths of the currency's main unit.")
    at = Timestamptz(null=False, default=None)

    fulfilment_line_cost_once = Unique(["line", "source", "currency"])
    fulfilment_line_cost_source = Check("source in ('batch', 'variant')")
    fulfilment_line_cost_counted = Check("pieces >= 0 and units >= 0")


TABLES = [LineCostTable]
