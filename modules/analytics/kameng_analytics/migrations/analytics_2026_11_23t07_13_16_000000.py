"""What Piccolo's columns cannot declare of sites in reports: see ``kameng_analytics.reports.tables``."""

from piccolo.apps.migrations.auto.migration_manager import MigrationManager

from kameng.db import ENGINE

ID = "2026-11-23T07:13:16:000000"
VERSION = "1.38.0"
DESCRIPTION = "Figures by site; facts are found by their moment"

STEPS = (
    (
        "analytics_figure_dimension",
        """
        alter table analytics_figure drop constraint analytics_figure_dimension,
            add constraint analytics_figure_dimension
                check (dimension in ('all', 'product', 'category', 'gateway', 'level', 'site'))
        """,
        """
        alter table analytics_figure drop constraint analytics_figure_dimension,
            add constraint analytics_figure_dimension
                check (dimension in ('all', 'product', 'category', 'gateway', 'level'))
        """,
    ),
    (
        # Of what was booked before no site is known, so the empty one is all of it, on closed days too.
        "analytics_figures_by_site",
        """
        do $$ begin
            alter table analytics_figure disable trigger analytics_figure_closed;
            insert into analytics_figure (day, currency, dimension, value, orders, pieces, turnover, refunded_pieces,
                                          refunds, cost, fees, late)
            select day, currency, 'site', '', orders, pieces, turnover, refunded_pieces, refunds, cost, fees, late
            from analytics_figure where dimension = 'all';
            alter table analytics_figure enable always trigger analytics_figure_closed;
        end $$
        """,
        """
        do $$ begin
            alter table analytics_figure disable trigger analytics_figure_closed;
            delete from analytics_figure where dimension = 'site';
            alter table analytics_figure enable always trigger analytics_figure_closed;
        end $$
        """,
    ),
    (
        "analytics_fact_at",
        """create index analytics_fact_at on analytics_fact (at, currency, kind) include (amount)""",
        """drop index if exists analytics_fact_at""",
    ),
    (
        "analytics_fact_own_day",
        """drop index if exists analytics_fact_own_day""",
        """create index analytics_fact_own_day on analytics_fact (own_day, currency, kind) include (amount)""",
    ),
)
"""Name, what makes it, what takes it back."""


async def forwards() -> MigrationManager:
    """Take the steps; the other way on the way back."""
    manager = MigrationManager(migration_id=ID, app_name="analytics", description=DESCRIPTION)

    async def make() -> None:
        for _, sql, _ in STEPS:
            await ENGINE.run_ddl(sql)

    async def take_back() -> None:
        for _, _, sql in reversed(STEPS):
            await ENGINE.run_ddl(sql)

    manager.add_raw(make)
    manager.add_raw_backwards(take_back)
    return manager
