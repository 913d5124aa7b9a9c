"""The rows without which nobody could register or run the shop: the level ``retail`` and the role ``owner``."""

from piccolo.apps.migrations.auto.migration_manager import MigrationManager

from kameng.db import ENGINE

ID = "2026-11-22T18:56:00:000000"
VERSION = "1.38.0"
DESCRIPTION = "The level retail and the role owner"

CREATE_AND_DROP = (
    (
        """
        insert into membership_level (id, code, title_zh, title_en, position)
        values ('01890000-0000-7000-8000-00000000a001', 'retail', '零售会员', 'Retail', 0)
        on conflict (code) do nothing
        """,
        """
        delete from membership_level l
        where code = 'retail' and not exists (select from membership_member m where m.level = l.id)
        """,
    ),
    (
        """
        insert into membership_role (id, name, title_zh, title_en, permissions)
        values ('01890000-0000-7000-8000-00000000b001', 'owner', '店主', 'Owner', '["*"]')
        on conflict (name) do nothing
        """,
        """
        delete from membership_role r
        where name = 'owner' and not exists (select from membership_staff_role s where s.role = r.id)
        """,
    ),
)


async def forwards() -> MigrationManager:
    """Insert them."""
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
