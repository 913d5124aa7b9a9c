"""Roll-ups: coarse, so that a year of a large shop is a few thousand rows."""

from piccolo.columns import UUID, BigInt, Date, Integer, SmallInt, Varchar
from piccolo.constraints import Check, Unique
from piccolo.table import Table

from kameng.db import Index


class DayTable(Table, tablename="analytics_day"):
    """What was sold on a business day in one currency. Amounts in minor units."""

    id = UUID(primary_key=True, default=None)
    day = Date(null=False, default=None)
    currency = Varchar(length=3, null=False, default=None)
    orders = Integer(null=False, default=0)
    units = BigInt(null=False, default=0)
    turnover = BigInt(null=False, default=0)
    cost = BigInt(null=False, default=0)

    analytics_day_once = Unique(["day", "currency"])
    analytics_day_counts = Check("orders >= 0 and units >= 0")


class DayVariantTable(Table, tablename="analytics_day_variant"):
    """What was sold of one variant on a business day in one currency. Amounts in minor units."""

    id = UUID(primary_key=True, default=None)
    day = Date(null=False, default=None)
    currency = Varchar(length=3, null=False, default=None)
    product = UUID(null=False, default=None)
    variant = UUID(null=False, default=None)
    sku = Varchar(length=64, null=False, default=None)
    orders = Integer(null=False, default=0)
    units = BigInt(null=False, default=0)
    turnover = BigInt(null=False, default=0)
    cost = BigInt(null=False, default=0)

    analytics_day_variant_once = Unique(["day", "currency", "variant"])
    analytics_day_variant_counts = Check("orders >= 0 and units >= 0")


class QuarterTable(Table, tablename="analytics_quarter"):
    """What was sold in one quarter of an hour of a business day in one currency. Amounts in minor units.

    Fine enough to tell how today compares with yesterday at this time; 96 rows a day at most.
    """

    id = UUID(primary_key=True, default=None)
    day = Date(null=False, default=None)
    quarter = SmallInt(null=False, default=None, help_text="Of the business's clock: 0 begins at midnight.")
    currency = Varchar(length=3, null=False, default=None)
    orders = Integer(null=False, default=0)
    units = BigInt(null=False, default=0)
    turnover = BigInt(null=False, default=0)
    cost = BigInt(null=False, default=0)

    analytics_quarter_once = Unique(["day", "currency", "quarter"])
    analytics_quarter_counts = Check("orders >= 0 and units >= 0 and quarter between 0 and 95")


TABLES = [DayTable, DayVariantTable, QuarterTable]

INDEXES = (
    Index(
        "analytics_day_variant_by_product",
        "create index analytics_day_variant_by_product on analytics_day_variant (product, day)",
    ),
)
