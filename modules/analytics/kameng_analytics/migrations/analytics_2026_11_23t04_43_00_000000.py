"""What Piccolo's columns cannot declare: see ``INDEXES`` in ``kameng_analytics.reports.tables``."""

from piccolo.apps.migrations.auto.migration_manager import MigrationManager

from kameng.db import ENGINE

ID = "2026-11-23T04:43:00:000000"
VERSION = "1.38.0"
DESCRIPTION = "Indexes and triggers of reports"

STEPS = (
    (
        "analytics_fact_day",
        """create index analytics_fact_day on analytics_fact (day, currency, id)""",
        """drop index if exists analytics_fact_day""",
    ),
    (
        "analytics_fact_product",
        """create index analytics_fact_product on analytics_fact (product, day, id) where product is not null""",
        """drop index if exists analytics_fact_product""",
    ),
    (
        "analytics_fact_line",
        """create index analytics_fact_line on analytics_fact (line) where line is not null""",
        """drop index if exists analytics_fact_line""",
    ),
    (
        "analytics_fact_transaction",
        """create index analytics_fact_transaction on analytics_fact (transaction)""",
        """drop index if exists analytics_fact_transaction""",
    ),
    (
        "analytics_fact_own_day",
        """create index analytics_fact_own_day on analytics_fact (own_day, currency, kind) include (amount)""",
        """drop index if exists analytics_fact_own_day""",
    ),
    (
        "analytics_figure_dimension",
        """create index analytics_figure_dimension on analytics_figure (dimension, currency, day)""",
        """drop index if exists analytics_figure_dimension""",
    ),
    (
        "analytics_never_changed",
        """
        create function analytics_never_changed() returns trigger language plpgsql as $$
        begin
            raise exception '% is only added to', tg_table_name
                using errcode = 'restrict_violation', hint = 'What was booked stays as it is.';
        end $$
        """,
        """drop function if exists analytics_never_changed()""",
    ),
    (
        "analytics_fact_never_changed",
        """
        do $$ begin
            create trigger analytics_fact_never_changed before update or delete or truncate on analytics_fact
                for each statement execute function analytics_never_changed();
            alter table analytics_fact enable always trigger analytics_fact_never_changed;
        end $$
        """,
        """drop trigger if exists analytics_fact_never_changed on analytics_fact""",
    ),
    (
        "analytics_closed_day_never_changed",
        """
        do $$ begin
            create trigger analytics_closed_day_never_changed before update or delete or truncate on analytics_closed_day
                for each statement execute function analytics_never_changed();
            alter table analytics_closed_day enable always trigger analytics_closed_day_never_changed;
        end $$
        """,
        """drop trigger if exists analytics_closed_day_never_changed on analytics_closed_day""",
    ),
    (
        "analytics_closed",
        """
        create function analytics_closed() returns trigger language plpgsql as $$
        begin
            if (tg_op <> 'INSERT' and exists (select from analytics_closed_day c where c.day = old.day))
                or (tg_op <> 'DELETE' and exists (select from analytics_closed_day c where c.day = new.day)) then
                raise exception 'a closed day cannot be changed'
                    using errcode = 'restrict_violation', hint = 'Book it on an open day.';
            end if;
            if tg_op = 'DELETE' then return old; end if;
            return new;
        end $$
        """,
        """drop function if exists analytics_closed()""",
    ),
    (
        "analytics_fact_closed",
        """
        do $$ begin
            create trigger analytics_fact_closed before insert or update or delete on analytics_fact
                for each row execute function analytics_closed();
            alter table analytics_fact enable always trigger analytics_fact_closed;
        end $$
        """,
        """drop trigger if exists analytics_fact_closed on analytics_fact""",
    ),
    (
        "analytics_figure_closed",
        """
        do $$ begin
            create trigger analytics_figure_closed before insert or update or delete on analytics_figure
                for each row execute function analytics_closed();
            alter table analytics_figure enable always trigger analytics_figure_closed;
        end $$
        """,
        """drop trigger if exists analytics_figure_closed on analytics_figure""",
    ),
    (
        "analytics_figure_kept",
        """
        do $$ begin
            create trigger analytics_figure_kept before truncate on analytics_figure
                for each statement execute function analytics_never_changed();
            alter table analytics_figure enable always trigger analytics_figure_kept;
        end $$
        """,
        """drop trigger if exists analytics_figure_kept on analytics_figure""",
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
