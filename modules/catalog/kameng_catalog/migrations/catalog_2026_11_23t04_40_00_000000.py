"""Files that nothing shows: see ``INDEXES`` in ``media.tables``."""

from piccolo.apps.migrations.auto.migration_manager import MigrationManager

from kameng.db import ENGINE

ID = "2026-11-23T04:40:00:000000"
VERSION = "1.38.0"
DESCRIPTION = "The index of files that nothing shows"

INDEX = "create index catalog_media_file_unused on catalog_media_file (unused_since) where unused_since is not null"
NOTE = """
update catalog_media_file f set unused_since = now()
where not exists (select from catalog_product_media m where m.file = f.id)
"""


async def forwards() -> MigrationManager:
    """Create it, and note what nothing shows now; backwards drops it."""
    manager = MigrationManager(migration_id=ID, app_name="catalog", description=DESCRIPTION)

    async def create() -> None:
        await ENGINE.run_ddl(INDEX)
        await ENGINE.run_ddl(NOTE)

    async def drop() -> None:
        await ENGINE.run_ddl("drop index if exists catalog_media_file_unused")

    manager.add_raw(create)
    manager.add_raw_backwards(drop)
    return manager
