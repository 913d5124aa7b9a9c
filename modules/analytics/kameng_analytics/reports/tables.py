"""Tables of reports: facts, their sums, and the days that are closed."""

from piccolo.columns import UUID, BigInt, BigSerial, Date, Integer, Text, Timestamptz, Varchar
from piccolo.constraints import Check, Unique
from piccolo.table import Table

from kameng.db import Index, append_only


class FactTable(Table, tablename="analytics_fact"):
    """Something that counts in reports, once. Amounts in minor units, never changed after they were written.

    ``own_day`` is the business day in which it happened, ``day`` the one that it counts for: another one where its own was closed
    when it came. Of sales ``amount`` is what came in, of refunds what went out; ``correction`` came to the sales account and is
    no sale of an order. Columns that are null are not known.
    """

    id = UUID(primary_key=True, default=None)
    key = Text(null=False, default=None, unique=True)
    kind = Varchar(length=10, null=False, default=None)
    day = Date(null=False, default=None)
    own_day = Date(null=False, default=None)
    at = Timestamptz(null=False, default=None)
    currency = Varchar(length=3, null=False, default=None)
    order_id = UUID(null=True, default=None)
    number = Varchar(length=16, null=False, default="")
    line = UUID(null=True, default=None)
    product = UUID(null=True, default=None)
    category = UUID(null=True, default=None)
    gateway = Text(null=False, default="")
    level = Text(null=False, default="")
    site = Text(null=False, default="", help_text="Its code; empty: the operator's own.")
    transaction = UUID(null=True, default=None, help_text="The ledger transaction.")
    pieces = Integer(null=False, default=0)
    amount = BigInt(null=False, default=None)

    analytics_fact_kind = Check("kind in ('sale', 'correction', 'refund', 'cost', 'fee')")
    analytics_fact_not_before = Check("day >= own_day")


class FigureTable(Table, tablename="analytics_figure"):
    """The sum of a day's facts in one currency and for one value of one dimension; ``all`` has one value, the empty one.

    The empty value of other dimensions stands for facts of which it is not known; of sites, for the operator's own, and for what
    belongs to none.
    """

    id = BigSerial(primary_key=True)
    day = Date(null=False, default=None)
    currency = Varchar(length=3, null=False, default=None)
    dimension = Varchar(length=10, null=False, default=None)
    value = Text(null=False, default=None)
    orders = BigInt(null=False, default=0)
    pieces = BigInt(null=False, default=0)
    turnover = BigInt(null=False, default=0)
    refunded_pieces = BigInt(null=False, default=0)
    refunds = BigInt(null=False, default=0)
    cost = BigInt(null=False, default=0)
    fees = BigInt(null=False, default=0)
    late = BigInt(null=False, default=0, help_text="Facts of days that were closed when they came.")

    analytics_figure_once = Unique(["day", "currency", "dimension", "value"])
    analytics_figure_dimension = Check(
        "dimension in ('all', 'product', 'category', 'gateway', 'level', 'site')"
    )


class ClosedDayTable(Table, tablename="analytics_closed_day"):
    """A business day that is closed: nothing is booked on it any more."""

    day = Date(primary_key=True, null=False, default=None)
    time_zone = Text(null=False, default=None)
    closed_at = Timestamptz(null=False, default=None)
    closed_by = Text(null=False, default=None, help_text="The principal's key, or system.")


TABLES = [FactTable, FigureTable, ClosedDayTable]


def _closed(table: str) -> Index:
    name = f"{table}_closed"
    return Index(
        name,
        f"""
        do $$ begin
            create trigger {name} before insert or update or delete on {table}
                for each row execute function analytics_closed();
            alter table {table} enable always trigger {name};
        end $$
        """,
        f"drop trigger if exists {name} on {table}",
    )


INDEXES: tuple[Index, ...] = (
    Index("analytics_fact_day", "create index analytics_fact_day on analytics_fact (day, currency, id)"),
    Index(
        "analytics_fact_product",
        "create index analytics_fact_product on analytics_fact (product, day, id) where product is not null",
    ),
    Index(
        "analytics_fact_line",
        "create index analytics_fact_line on analytics_fact (line) where line is not null",
    ),
    Index(
        "analytics_fact_transaction",
        "create index analytics_fact_transaction on analytics_fact (transaction)",
    ),
    Index(
        "analytics_fact_at",
        "create index analytics_fact_at on analytics_fact (at, currency, kind) include (amount)",
    ),
    Index(
        "analytics_figure_dimension",
        "create index analytics_figure_dimension on analytics_figure (dimension, currency, day)",
    ),
    Index(
        "analytics_never_changed",
        """
        create function analytics_never_changed() returns trigger language plpgsql as $$
        begin
            raise exception '% is only added to', tg_table_name
                using errcode = 'restrict_violation', hint = 'What was booked stays as it is.';
        end $$
        """,
        "drop function if exists analytics_never_changed()",
    ),
    append_only("analytics_fact", "analytics_never_changed"),
    append_only("analytics_closed_day", "analytics_never_changed"),
    Index(
        "analytics_closed",
        """
        create function analytics_closed() returns trigger language plpgsql as $$
        begin
            if (tg_op <> 'INSERT' and exists (select from analytics_closed_day c where c.day = old.day))
                or (tg_op <> 'DELETE' and exists (select from analytics_closed_day c where c.day = new.day)) then
                raise exception 'a closed day cannot be changed'
                    using errcode = 'restrict_violation', hint = 'Book it on an open day.';
            end if;
            if tg_op = 'DELETE' then return old; end if;
            return new;
        end $$
        """,
        "drop function if exists analytics_closed()",
    ),
    _closed("analytics_fact"),
    _closed("analytics_figure"),
    Index(
        "analytics_figure_kept",
        """
        do $$ begin
            create trigger analytics_figure_kept before truncate on analytics_figure
                for each statement execute function analytics_never_changed();
            alter table analytics_figure enable always trigger analytics_figure_kept;
        end $$
        """,
        "drop trigger if exists analytics_figure_kept on analytics_figure",
    ),
)
"""How facts are found, and what keeps them and closed days as they are."""
