"""Indexes on parts of the tables, which Piccolo's columns cannot declare: see ``INDEXES`` in ``kameng.auth.tables``."""

from piccolo.apps.migrations.auto.migration_manager import MigrationManager

from kameng.db import ENGINE

ID = "2026-11-22T18:40:00:000000"
VERSION = "1.38.0"
DESCRIPTION = "Indexes of sessions and tokens"

INDEXES = {
    "kernel_session_live": (
        "create index kernel_session_live on kernel_session (principal_kind, principal_id, created_at desc)"
        " where revoked_at is null"
    ),
    "kernel_session_expiry": "create index kernel_session_expiry on kernel_session (expires_at)",
    "kernel_api_token_principal": (
        "create index kernel_api_token_principal on kernel_api_token"
        " (principal_kind, principal_id, created_at desc)"
    ),
    "kernel_one_time_token_open": (
        "create index kernel_one_time_token_open on kernel_one_time_token (purpose, subject) where used_at is null"
    ),
    "kernel_one_time_token_expiry": (
        "create index kernel_one_time_token_expiry on kernel_one_time_token (expires_at)"
    ),
}


async def forwards() -> MigrationManager:
    """Create them."""
    manager = MigrationManager(migration_id=ID, app_name="kernel_auth", description=DESCRIPTION)

    async def create() -> None:
        for sql in INDEXES.values():
            await ENGINE.run_ddl(sql)

    async def drop() -> None:
        for name in INDEXES:
            await ENGINE.run_ddl(f"drop index if exists {name}")

    manager.add_raw(create)
    manager.add_raw_backwards(drop)
    return manager
