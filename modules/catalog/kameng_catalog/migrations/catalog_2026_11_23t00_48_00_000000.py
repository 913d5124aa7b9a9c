"""Indexes and triggers of prices, windows and media: see ``INDEXES`` in ``price_tables``, ``tables`` and ``media.tables``."""

from piccolo.apps.migrations.auto.migration_manager import MigrationManager

from kameng.db import ENGINE

ID = "2026-11-23T00:48:00:000000"
VERSION = "1.38.0"
DESCRIPTION = "What keeps special prices and the history of prices in order"

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

OBJECTS = (
    (
        "create index catalog_product_lowest_until on catalog_product (lowest_until) where lowest_until is not null",
        "drop index if exists catalog_product_lowest_until",
    ),
    (
        "create index catalog_product_windows on catalog_product ((least(publish_at, unpublish_at))) where publish_at is not null or unpublish_at is not null",
        "drop index if exists catalog_product_windows",
    ),
    (
        "create unique index catalog_special_price_one_each on catalog_special_price (variant, currency, site, tier, min_quantity, starts_at) nulls not distinct",
        "drop index if exists catalog_special_price_one_each",
    ),
    (
        "create index catalog_special_price_over on catalog_special_price (ends_at) where ends_at is not null",
        "drop index if exists catalog_special_price_over",
    ),
    (
        "create index catalog_price_change_variant on catalog_price_change (variant, id)",
        "drop index if exists catalog_price_change_variant",
    ),
    (
        "create function catalog_keep_history() returns trigger language plpgsql as $$ begin raise exception '% is append-only', tg_table_name; end $$",
        "drop function if exists catalog_keep_history()",
    ),
    (
        "create trigger catalog_price_change_append_only before update or delete or truncate on catalog_price_change for each statement execute function catalog_keep_history()",
        "drop trigger if exists catalog_price_change_append_only on catalog_price_change",
    ),
    (NOTE_SPECIAL, "drop function if exists catalog_note_special() cascade"),
    (
        "create trigger catalog_special_price_new after insert on catalog_special_price referencing new table as changed_rows for each statement execute function catalog_note_special()",
        "drop trigger if exists catalog_special_price_new on catalog_special_price",
    ),
    (
        "create trigger catalog_special_price_gone after delete on catalog_special_price referencing old table as changed_rows for each statement execute function catalog_note_special()",
        "drop trigger if exists catalog_special_price_gone on catalog_special_price",
    ),
    (
        "create index catalog_product_media_shown on catalog_product_media (product, position, id)",
        "drop index if exists catalog_product_media_shown",
    ),
)


async def forwards() -> MigrationManager:
    """Create them; backwards drops them in reverse."""
    manager = MigrationManager(migration_id=ID, app_name="catalog", description=DESCRIPTION)

    async def create() -> None:
        for sql, _ in OBJECTS:
            await ENGINE.run_ddl(sql)

    async def drop() -> None:
        for _, sql in reversed(OBJECTS):
            await ENGINE.run_ddl(sql)

    manager.add_raw(create)
    manager.add_raw_backwards(drop)
    return manager
