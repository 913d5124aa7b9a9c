"""What Piccolo cannot declare, see ``INDEXES`` in ``kameng.sites.tables``; and the operator's own site, which is always there."""

from piccolo.apps.migrations.auto.migration_manager import MigrationManager

from kameng.db import ENGINE

ID = "2026-11-23T07:10:00:000000"
VERSION = "1.38.0"
DESCRIPTION = "History of looks that never changes; the operator's own site"

FORWARDS = (
    """
create function sites_version_refuse() returns trigger language plpgsql as $$
begin
    raise exception '% is append-only: % refused', tg_table_name, lower(tg_op)
        using errcode = 'restrict_violation', hint = 'Publish another version.';
end $$
    """,
    """
    do $$ begin
        create trigger sites_version_never_changed before update or delete or truncate on sites_version
            for each statement execute function sites_version_refuse();
        alter table sites_version enable always trigger sites_version_never_changed;
    end $$
    """,
    """
    insert into sites_site (id, code, title, created_at, changed_at)
    values (gen_random_uuid(), '', 'Main shop', now(), now())
    on conflict (code) do nothing
    """,
)

BACKWARDS = (
    "drop trigger if exists sites_version_never_changed on sites_version",
    "drop function if exists sites_version_refuse()",
)


async def forwards() -> MigrationManager:
    """Create them."""
    manager = MigrationManager(migration_id=ID, app_name="sites", description=DESCRIPTION)

    async def create() -> None:
        for sql in FORWARDS:
            await ENGINE.run_ddl(sql)

    async def drop() -> None:
        for sql in BACKWARDS:
            await ENGINE.run_ddl(sql)

    manager.add_raw(create)
    manager.add_raw_backwards(drop)
    return manager
