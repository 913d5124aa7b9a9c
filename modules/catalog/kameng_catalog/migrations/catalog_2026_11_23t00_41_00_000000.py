"""Indexes: see ``INDEXES`` in ``kameng_catalog.stock_tables`` and ``piece_tables``."""

from piccolo.apps.migrations.auto.migration_manager import MigrationManager

from kameng.db import ENGINE

ID = "2026-11-23T00:41:00:000000"
VERSION = "1.38.0"
DESCRIPTION = "Where sales, reservations, checks and the back office read the stock"

# An older version knows three kinds of movements. What went or came in another way keeps its quantity, and so the sum.
OLDER_KINDS = """
    alter table catalog_stock_movement disable trigger catalog_stock_movement_append_only;
    update catalog_stock_movement set kind = case when quantity > 0 then 'import' else 'expiry' end
    where kind not in ('import', 'sale', 'expiry');
    alter table catalog_stock_movement enable trigger catalog_stock_movement_append_only;
"""

# Cards that are kept apart are free cards to an older version, unless they were recalled.
FREE_AGAIN = """
    with apart as (
        select card, variant, expires_on from catalog_reserved_card
        union all select card, variant, expires_on from catalog_quarantined_card
    ),
    moved as (
        insert into catalog_stock_movement (variant, kind, quantity, at)
        select variant, 'release', count(*)::int, now() from apart group by variant
    )
    insert into catalog_free_card (card, variant, expires_on) select card, variant, expires_on from apart
"""

OBJECTS = (
    ("update catalog_variant set delivery = 'supplier' where stock_kind = 'supplier'", OLDER_KINDS),
    ("", FREE_AGAIN),
    (
        (
            "create index catalog_free_card_expiring on catalog_free_card (variant, expires_on, card)"
            " where expires_on is not null"
        ),
        "drop index if exists catalog_free_card_expiring",
    ),
    (
        "create index catalog_reserved_card_line on catalog_reserved_card (line, card)",
        "drop index if exists catalog_reserved_card_line",
    ),
    (
        "create index catalog_stock_batch_unsettled on catalog_stock_batch (id) where unsettled",
        "drop index if exists catalog_stock_batch_unsettled",
    ),
    (
        "create index catalog_sold_piece_line on catalog_sold_piece (line, id)",
        "drop index if exists catalog_sold_piece_line",
    ),
    (
        "create index catalog_reservation_until on catalog_reservation (until)",
        "drop index if exists catalog_reservation_until",
    ),
    (
        "create index catalog_bad_card_line on catalog_bad_card (line)",
        "drop index if exists catalog_bad_card_line",
    ),
    (
        "create unique index catalog_stock_alert_open on catalog_stock_alert (variant) where ended_at is null",
        "drop index if exists catalog_stock_alert_open",
    ),
)


async def forwards() -> MigrationManager:
    """Create them; backwards drops them in reverse."""
    manager = MigrationManager(migration_id=ID, app_name="catalog", description=DESCRIPTION)

    async def create() -> None:
        for sql, _ in OBJECTS:
            if sql:
                await ENGINE.run_ddl(sql)

    async def drop() -> None:
        for _, sql in reversed(OBJECTS):
            await ENGINE.run_ddl(sql)

    manager.add_raw(create)
    manager.add_raw_backwards(drop)
    return manager
