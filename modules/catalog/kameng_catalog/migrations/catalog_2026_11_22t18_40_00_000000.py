"""Indexes, triggers and storage settings: see ``INDEXES`` in ``kameng_catalog.tables`` and ``stock_tables``."""

from piccolo.apps.migrations.auto.migration_manager import MigrationManager

from kameng.db import ENGINE

ID = "2026-11-22T18:40:00:000000"
VERSION = "1.38.0"
DESCRIPTION = "Indexes, and what keeps the stock in order"

OBJECTS = (
    (
        "create index catalog_product_newest on catalog_product (id) where status = 'published'",
        "drop index if exists catalog_product_newest",
    ),
    (
        "create index catalog_product_arranged on catalog_product (position, id) where status = 'published'",
        "drop index if exists catalog_product_arranged",
    ),
    (
        "create index catalog_product_popular on catalog_product (popularity desc, id desc) where status = 'published'",
        "drop index if exists catalog_product_popular",
    ),
    (
        "create index catalog_product_search on catalog_product using gin (search_terms)",
        "drop index if exists catalog_product_search",
    ),
    (
        "create index catalog_card_batch on catalog_card (batch, id)",
        "drop index if exists catalog_card_batch",
    ),
    (
        "create index catalog_free_card_pick on catalog_free_card (variant, card)",
        "drop index if exists catalog_free_card_pick",
    ),
    (
        "create index catalog_sold_card_line on catalog_sold_card (line, card)",
        "drop index if exists catalog_sold_card_line",
    ),
    (
        "create index catalog_stock_movement_variant on catalog_stock_movement (variant, id)",
        "drop index if exists catalog_stock_movement_variant",
    ),
    (
        "create index catalog_stock_movement_time on catalog_stock_movement using brin (at)",
        "drop index if exists catalog_stock_movement_time",
    ),
    (
        "alter table catalog_free_card set (autovacuum_vacuum_scale_factor = 0.01, autovacuum_vacuum_threshold = 2000, autovacuum_vacuum_cost_delay = 0, autovacuum_analyze_scale_factor = 0.05, vacuum_index_cleanup = on)",
        "alter table catalog_free_card reset (autovacuum_vacuum_scale_factor, autovacuum_vacuum_threshold, autovacuum_vacuum_cost_delay, autovacuum_analyze_scale_factor, vacuum_index_cleanup)",
    ),
    (
        "create function catalog_refuse_change() returns trigger language plpgsql as $$ begin raise exception '% is append-only', tg_table_name; end $$",
        "drop function if exists catalog_refuse_change()",
    ),
    (
        "create trigger catalog_stock_movement_append_only before update or delete or truncate on catalog_stock_movement for each statement execute function catalog_refuse_change()",
        "drop trigger if exists catalog_stock_movement_append_only on catalog_stock_movement",
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
