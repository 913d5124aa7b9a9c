"""What Piccolo's columns cannot declare: see ``INDEXES`` in the tables of articles, recipients and privacy, and the states of a member."""

from piccolo.apps.migrations.auto.migration_manager import MigrationManager

from kameng.db import ENGINE

ID = "2026-11-23T07:05:00:000000"
VERSION = "1.38.0"
DESCRIPTION = "Indexes of articles, recipients, data exports and erasure requests; members who are erased"

CREATE_AND_DROP = (
    (
        (
            "create index membership_article_shown on membership_article (kind, published_from desc, id desc)"
            " where published_from is not null"
        ),
        "drop index if exists membership_article_shown",
    ),
    (
        "create index membership_recipient_of_member on membership_recipient (member, id)",
        "drop index if exists membership_recipient_of_member",
    ),
    (
        "create index membership_data_export_of_member on membership_data_export (member, id desc)",
        "drop index if exists membership_data_export_of_member",
    ),
    (
        "create index membership_data_export_ending on membership_data_export (expires_at) where state = 'READY'",
        "drop index if exists membership_data_export_ending",
    ),
    (
        "create unique index membership_data_export_one on membership_data_export (member) where state = 'WAITING'",
        "drop index if exists membership_data_export_one",
    ),
    (
        "create unique index membership_erasure_one_open on membership_erasure_request (member) where state = 'OPEN'",
        "drop index if exists membership_erasure_one_open",
    ),
    (
        "create index membership_erasure_of_member on membership_erasure_request (member, id desc)",
        "drop index if exists membership_erasure_of_member",
    ),
    (
        "create index membership_erasure_open on membership_erasure_request (id) where state = 'OPEN'",
        "drop index if exists membership_erasure_open",
    ),
    (
        """
        alter table membership_member drop constraint membership_member_state_known,
            add constraint membership_member_state_known check (state in ('active', 'blocked', 'erased'))
        """,
        """
        update membership_member set state = 'blocked' where state = 'erased';
        alter table membership_member drop constraint membership_member_state_known,
            add constraint membership_member_state_known check (state in ('active', 'blocked'))
        """,
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
