"""What Piccolo's columns cannot declare: see ``INDEXES`` in ``kameng_reviews.tables``."""

from piccolo.apps.migrations.auto.migration_manager import MigrationManager

from kameng.db import ENGINE

ID = "2026-11-22T19:10:00:000000"
VERSION = "1.38.0"
DESCRIPTION = "The index of shown reviews"

CREATE = "create index reviews_review_shown on reviews_review (product, id desc) where not hidden"
DROP = "drop index if exists reviews_review_shown"


async def forwards() -> MigrationManager:
    """Create it; drop it on the way back."""
    manager = MigrationManager(migration_id=ID, app_name="reviews", description=DESCRIPTION)

    async def create() -> None:
        await ENGINE.run_ddl(CREATE)

    async def drop() -> None:
        await ENGINE.run_ddl(DROP)

    manager.add_raw(create)
    manager.add_raw_backwards(drop)
    return manager
