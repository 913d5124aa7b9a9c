"""What Piccolo's columns cannot declare: see ``INDEXES`` in ``kameng_membership.tables``."""

from piccolo.apps.migrations.auto.migration_manager import MigrationManager

from kameng.db import ENGINE

ID = "2026-11-22T18:55:00:000000"
VERSION = "1.38.0"
DESCRIPTION = "Search of members by address, and one founder"

CREATE_AND_DROP = (
    (
        ("create index membership_member_email_prefix on membership_member (email text_pattern_ops)"),
        "drop index if exists membership_member_email_prefix",
    ),
    (
        ("create unique index membership_staff_one_founder on membership_staff (founder) where founder"),
        "drop index if exists membership_staff_one_founder",
    ),
)


async def forwards() -> MigrationManager:
    """Create them."""
    manager = MigrationManager(migration_id=ID, app_name="membership", description=DESCRIPTION)

    async def create() -> None:
        for sql, _ in CREATE_AND_DROP:
            await ENGINE.run_ddl(sql)

    async def drop() -> None:
        for _, sql in reversed(CREATE_AND_DROP):
            await ENGINE.run_ddl(sql)

    manager.add_raw(create)
    manager.add_raw_backwards(drop)
    return manager
