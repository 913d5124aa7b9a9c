"""What Piccolo's columns cannot declare: see ``INDEXES`` in ``kameng_analytics.tables``."""

from piccolo.apps.migrations.auto.migration_manager import MigrationManager

from kameng.db import ENGINE

ID = "2026-11-22T18:50:00:000000"
VERSION = "1.38.0"
DESCRIPTION = "Indexes and triggers of analytics"

STEPS = (
    (
        "analytics_day_variant_by_product",
        """create index analytics_day_variant_by_product on analytics_day_variant (product, day)""",
        """drop index if exists analytics_day_variant_by_product""",
    ),
)
"""Name, what creates it, what drops it."""


async def forwards() -> MigrationManager:
    """Create them; drop them on the way back."""
    manager = MigrationManager(migration_id=ID, app_name="analytics", description=DESCRIPTION)

    async def create() -> None:
        for _, sql, _ in STEPS:
            await ENGINE.run_ddl(sql)

    async def drop() -> None:
        for _, _, sql in reversed(STEPS):
            await ENGINE.run_ddl(sql)

    manager.add_raw(create)
    manager.add_raw_backwards(drop)
    return manager
