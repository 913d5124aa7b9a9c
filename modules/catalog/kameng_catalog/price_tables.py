"""Prices that hold on one site or for a while, and the history of all prices.

The ordinary price list is ``catalog_price``, beside the variants: what holds always and everywhere, so that reading it
stays two steps in one index. What is special lies here, and a variant says whether it has any (``specially_priced``).
"""

from piccolo.columns import (
    UUID,
    BigInt,
    BigSerial,
    ForeignKey,
    Integer,
    OnDelete,
    OnUpdate,
    Text,
    Timestamptz,
)
from piccolo.constraints import Check
from piccolo.table import Table

from kameng.db import Index
from kameng_catalog.tables import Variant


class SpecialPrice(Table, tablename="catalog_special_price"):
    """What buyers of a tier pay for one on a site, or while a period lasts, or both."""

    id = UUID(primary_key=True, default=None)
    # The unique index below begins with the variant and serves as its index.
    variant = ForeignKey(
        Variant,
        null=False,
        default=None,
        index=False,
        on_delete=OnDelete.restrict,
        on_update=OnUpdate.restrict,
    )
    currency = Text(null=False, default=None)
    # Empty: on all sites.
    site = Text(null=False, default="")
    tier = Text(null=False, default="retail")
    min_quantity = Integer(null=False, default=1)
    # It holds from the first instant on, and at the last one no more; null: always, and for good.
    starts_at = Timestamptz(null=True, default=None)
    ends_at = Timestamptz(null=True, default=None)
    units = BigInt(null=False, default=None)
    updated_at = Timestamptz(null=False)

    catalog_special_price_is_special = Check("site <> '' or starts_at is not null")
    catalog_special_price_period = Check("ends_at is null or starts_at < ends_at and starts_at is not null")
    catalog_special_price_not_negative = Check("units >= 0")
    catalog_special_price_quantity_positive = Check("min_quantity >= 1")
    catalog_special_price_tier_shape = Check("tier ~ '^[a-z0-9][a-z0-9_-]{0,63}$'")
    catalog_special_price_site_shape = Check("site ~ '^([a-z0-9][a-z0-9_-]{0,63})?$'")
    catalog_special_price_currency_shape = Check("currency ~ '^[A-Z]{3}$'")


class PriceChange(Table, tablename="catalog_price_change"):
    """A price or cost that was set, changed or taken away. Append-only: a trigger refuses everything else."""

    id = BigSerial(primary_key=True)
    variant = UUID(null=False, default=None)
    # A price, or what one costs us.
    what = Text(null=False, default="price")
    currency = Text(null=False, default=None)
    site = Text(null=False, default="")
    tier = Text(null=False, default="")
    min_quantity = Integer(null=False, default=1)
    starts_at = Timestamptz(null=True, default=None)
    ends_at = Timestamptz(null=True, default=None)
    old_units = BigInt(null=True, default=None)
    new_units = BigInt(null=True, default=None)
    changed_by = Text(null=False, default=None)
    source = Text(null=False, default=None)
    reason = Text(null=False, default="")
    at = Timestamptz(null=False)

    catalog_price_change_what_known = Check("what in ('price', 'cost')")
    catalog_price_change_changes = Check("old_units is not null or new_units is not null")


NOTE_SPECIAL = """
create function catalog_note_special() returns trigger language plpgsql as $$
begin
    update catalog_variant v set specially_priced = c.special
    from (
        select r.variant, exists (select from catalog_special_price s where s.variant = r.variant) as special
        from (select distinct variant from changed_rows order by variant) r
    ) c
    where v.id = c.variant and v.specially_priced <> c.special;
    return null;
end $$
"""

INDEXES = (
    Index(
        "catalog_special_price_one_each",
        "create unique index catalog_special_price_one_each on catalog_special_price"
        " (variant, currency, site, tier, min_quantity, starts_at) nulls not distinct",
    ),
    # What is over, for the schedule that takes it away.
    Index(
        "catalog_special_price_over",
        "create index catalog_special_price_over on catalog_special_price (ends_at) where ends_at is not null",
    ),
    Index(
        "catalog_price_change_variant",
        "create index catalog_price_change_variant on catalog_price_change (variant, id)",
    ),
    Index(
        "catalog_keep_history",
        "create function catalog_keep_history() returns trigger language plpgsql as $$ begin"
        " raise exception '% is append-only', tg_table_name; end $$",
        "drop function if exists catalog_keep_history()",
    ),
    Index(
        "catalog_price_change_append_only",
        "create trigger catalog_price_change_append_only before update or delete or truncate"
        " on catalog_price_change for each statement execute function catalog_keep_history()",
        "drop trigger if exists catalog_price_change_append_only on catalog_price_change",
    ),
    Index("catalog_note_special", NOTE_SPECIAL, "drop function if exists catalog_note_special() cascade"),
    Index(
        "catalog_special_price_new",
        "create trigger catalog_special_price_new after insert on catalog_special_price"
        " referencing new table as changed_rows for each statement execute function catalog_note_special()",
        "drop trigger if exists catalog_special_price_new on catalog_special_price",
    ),
    Index(
        "catalog_special_price_gone",
        "create trigger catalog_special_price_gone after delete on catalog_special_price"
        " referencing old table as changed_rows for each statement execute function catalog_note_special()",
        "drop trigger if exists catalog_special_price_gone on catalog_special_price",
    ),
)
"""One price for each place in the list, the order of the history, and what keeps both in order."""
