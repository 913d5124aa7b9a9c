"""Indexes of the audit log and the triggers that keep it: see ``INDEXES`` in ``kameng.audit.tables``."""

from piccolo.apps.migrations.auto.migration_manager import MigrationManager

from kameng.db import ENGINE

ID = "2026-11-22T18:50:00:000000"
VERSION = "1.38.0"
DESCRIPTION = "Indexes and append-only triggers of the audit log"

OBJECTS = (
    (
        "create index kernel_audit_by_time on kernel_audit (at, id)",
        "drop index if exists kernel_audit_by_time",
    ),
    (
        "create index kernel_audit_by_action on kernel_audit (action, at, id)",
        "drop index if exists kernel_audit_by_action",
    ),
    (
        "create index kernel_audit_by_principal on kernel_audit (principal_id, at, id) where principal_id is not null",
        "drop index if exists kernel_audit_by_principal",
    ),
    (
        "create index kernel_audit_by_subject on kernel_audit (subject, at, id)",
        "drop index if exists kernel_audit_by_subject",
    ),
    (
        """
create function kernel_audit_refuse() returns trigger language plpgsql as $$
begin
    raise exception '% is append-only: % refused', tg_table_name, lower(tg_op)
        using errcode = 'restrict_violation', hint = 'Correct it by another entry.';
end $$
""",
        "drop function if exists kernel_audit_refuse()",
    ),
    (
        "create trigger kernel_audit_append_only before update or delete or truncate on kernel_audit for each statement execute function kernel_audit_refuse()",
        "drop trigger if exists kernel_audit_append_only on kernel_audit",
    ),
    (
        "create trigger kernel_audit_chain_append_only before update or delete or truncate on kernel_audit_chain for each statement execute function kernel_audit_refuse()",
        "drop trigger if exists kernel_audit_chain_append_only on kernel_audit_chain",
    ),
    (
        "create trigger kernel_audit_head_append_only before delete or truncate on kernel_audit_head for each statement execute function kernel_audit_refuse()",
        "drop trigger if exists kernel_audit_head_append_only on kernel_audit_head",
    ),
    (
        """
create function kernel_audit_head_forward() returns trigger language plpgsql as $$
begin
    if new.day <> old.day or new.position <= old.position then
        raise exception 'kernel_audit_head only moves forward: day %, position %', old.day, old.position
            using errcode = 'restrict_violation';
    end if;
    return new;
end $$
""",
        "drop function if exists kernel_audit_head_forward()",
    ),
    (
        "create trigger kernel_audit_head_moves before update on kernel_audit_head for each row execute function kernel_audit_head_forward()",
        "drop trigger if exists kernel_audit_head_moves on kernel_audit_head",
    ),
)


async def forwards() -> MigrationManager:
    """Create them; backwards drops them in reverse."""
    manager = MigrationManager(migration_id=ID, app_name="kernel_audit", description=DESCRIPTION)

    async def create() -> None:
        for sql, _ in OBJECTS:
            await ENGINE.run_ddl(sql)

    async def drop() -> None:
        for _, sql in reversed(OBJECTS):
            await ENGINE.run_ddl(sql)

    manager.add_raw(create)
    manager.add_raw_backwards(drop)
    return manager
