"""Business days begin and end by the clocks of their zone; a closed one stays as it is; a kill leaves nothing half done."""

from __future__ import annotations

import asyncio
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

import asyncpg
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kameng.auth import VISITOR
from kameng.db import Statement
from kameng.errors import KamengError
from kameng.testing.kernels import Kernels
from kameng_analytics.reports import booking
from kameng_analytics.reports.checking import check_reports, differences
from kameng_analytics.reports.closing import DayDiffers, DayNotOver, close_day
from kameng_analytics.reports.days import day_of, span_of
from kameng_analytics.reports.rebuilding import rebuild
from kameng_analytics.reports.statements import BOOK, SUM_FIGURES
from tests.analytics.reported import age, figures, settle, today, total, unlike_ledger
from tests.fulfilment.conftest import Shop
from tests.fulfilment.lives import place

KILLED = Statement("tests.killed", "select pg_terminate_backend(pg_backend_pid())")


KILLS = (asyncpg.PostgresError, asyncpg.InterfaceError, ConnectionError, KamengError)
"""What it looks like."""


def killed_at(patch: pytest.MonkeyPatch, shop: Shop, statement: Statement) -> None:
    """Have the server end the connection where this statement would be carried out."""
    execute = shop.kernel.db.execute

    async def killing(sql: str | Statement, *arguments: Any) -> Any:
        return await (execute(KILLED) if sql is statement else execute(sql, *arguments))

    patch.setattr(shop.kernel.db, "execute", killing)


async def sold(shop: Shop, sku: str = "A") -> UUID:
    """An order of one piece at 5.00, of which nobody has been told yet."""
    variant = await shop.stock(sku, "5", [f"{sku}-1"])
    return await place(shop, await shop.member("10"), (variant, 1), outside=False)


async def sold_yesterday(shop: Shop) -> date:
    """The day of a sale that is over."""
    await sold(shop)
    await age(shop.kernel, 2)
    await settle(shop.kernel)
    return today() - timedelta(days=2)


async def test_a_closed_day_stays_as_it_is_and_closing_it_again_is_harmless(shop: Shop) -> None:
    day = await sold_yesterday(shop)
    before = await figures(shop.kernel)
    # when many close it at once
    closed = await asyncio.gather(*(close_day(shop.kernel, day, VISITOR) for _ in range(4)))
    # then all have the same answer, and the audit log has it once
    assert len({each.closed_at for each in closed}) == 1
    assert (
        await shop.kernel.db.fetchval(
            "select count(*) from kernel_audit where action = 'analytics.day_closed'"
        )
        == 1
    )
    # and nobody changes it: not by hand, not by a rebuild
    for change in (
        "update analytics_figure set turnover = 0",
        "delete from analytics_figure",
        "truncate analytics_figure",
        "delete from analytics_closed_day",
        "update analytics_fact set amount = 0",
        f"insert into analytics_figure (day, currency, dimension, value) values ('{day}', 'CNY', 'level', 'x')",
    ):
        with pytest.raises(asyncpg.RestrictViolationError):
            await shop.kernel.db.execute(change)
    await rebuild(shop.kernel)
    assert await figures(shop.kernel) == before


async def test_what_comes_too_late_is_booked_on_the_day_it_comes_and_marked(shop: Shop) -> None:
    # given a closed day
    day = await sold_yesterday(shop)
    await close_day(shop.kernel, day, VISITOR)
    before = [row for row in await figures(shop.kernel) if row[0] == day]
    # when something of that day comes
    await sold(shop, "B")
    await shop.kernel.db.execute("select 1")
    await age_newest(shop)
    await settle(shop.kernel)
    # then the day is as it was, and today says that it has something of another day
    after = await figures(shop.kernel)
    assert [row for row in after if row[0] == day] == before
    assert {row[0] for row in after} == {day, today()}
    assert (await total(shop.kernel))["late"] == 2  # the sale and its cost
    assert (await total(shop.kernel))["turnover"] == 1000
    # and the ledger agrees day by day
    assert await unlike_ledger(shop.kernel) == []


async def age_newest(shop: Shop) -> None:
    """Let the newest order have happened two days ago, with its charge."""
    row = await shop.kernel.db.fetchrow("select id, charge from fulfilment_order order by id desc limit 1")
    assert row is not None
    async with shop.kernel.db.transaction():
        await shop.kernel.db.execute(
            "alter table settlement_ledger_transaction disable trigger settlement_ledger_transaction_never_changed"
        )
        await shop.kernel.db.execute(
            "update settlement_ledger_transaction set posted_at = posted_at - interval '2 days' where id = $1",
            row["charge"],
        )
        await shop.kernel.db.execute(
            "alter table settlement_ledger_transaction"
            " enable always trigger settlement_ledger_transaction_never_changed"
        )
        await shop.kernel.db.execute(
            "update fulfilment_order set completed_at = completed_at - interval '2 days' where id = $1",
            row["id"],
        )


async def test_a_day_is_closed_while_orders_run(shop: Shop) -> None:
    day = await sold_yesterday(shop)
    variant = await shop.stock("C", "5", [f"c-{n}" for n in range(12)])
    member = await shop.member("100")

    async def busy() -> None:
        for _ in range(12):
            order = await place(shop, member, (variant, 1), outside=False)
            await booking.book_orders(shop.kernel, [order])

    await asyncio.gather(busy(), close_day(shop.kernel, day, VISITOR), rebuild(shop.kernel))
    await settle(shop.kernel)
    assert (await total(shop.kernel))["orders"] == 13
    assert await unlike_ledger(shop.kernel) == []


async def test_today_cannot_be_closed(shop: Shop) -> None:
    with pytest.raises(DayNotOver):
        await close_day(shop.kernel, today(), VISITOR)


MAIL = {
    "smtp_host": "localhost",
    "smtp_port": 1,
    "smtp_security": "none",
    "sender": "Kameng <no-reply@shop.example>",
    "staff": ["office@example.com"],
}
"""A server that nobody asks: messages wait for a worker."""


async def test_a_day_that_differs_cannot_be_closed_and_the_staff_is_told_once(make_kernel: Kernels) -> None:
    # given figures that somebody changed by hand
    shop = Shop(await make_kernel(notify=MAIL))
    day = await sold_yesterday(shop)
    await shop.kernel.db.execute(
        "update analytics_figure set turnover = turnover + 1 where dimension = 'all'"
    )
    with pytest.raises(DayDiffers):
        await close_day(shop.kernel, day, VISITOR)
    # when it is looked at every hour
    for _ in range(2):
        await check_reports(shop.kernel)
    # then there is one message, and after a rebuild the day can be closed
    told = await shop.kernel.db.fetchval(
        "select count(*) from notify_message where kind = 'analytics.reports_differ'"
    )
    assert told == 1
    await rebuild(shop.kernel)
    assert (await close_day(shop.kernel, day, VISITOR)).day == day


async def test_a_rebuild_that_is_killed_in_the_middle_leaves_whole_days(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    await sold(shop)
    await settle(shop.kernel)
    live = await figures(shop.kernel)
    await shop.kernel.db.execute("update analytics_figure set orders = orders + 1 where dimension = 'level'")
    spoilt = await figures(shop.kernel)
    # when the server loses it between dropping a day and adding it up
    with monkeypatch.context() as patch:
        killed_at(patch, shop, SUM_FIGURES)
        with pytest.raises(KILLS):
            await rebuild(shop.kernel)
    # then the day is what it was, and the next one makes it right
    assert await figures(shop.kernel) == spoilt
    assert (await rebuild(shop.kernel)).changed == (today(),)
    assert await figures(shop.kernel) == live


async def test_booking_that_is_killed_books_nothing_and_is_done_again(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    order = await sold(shop)
    with monkeypatch.context() as patch:
        killed_at(patch, shop, BOOK)
        with pytest.raises(KILLS):
            await booking.book_orders(shop.kernel, [order])
    assert await figures(shop.kernel) == []
    await settle(shop.kernel)
    assert (await total(shop.kernel))["turnover"] == 500
    assert await differences(shop.kernel, today(), today()) == []


@pytest.mark.parametrize(
    ("zone", "day", "begins", "hours"),
    [
        ("Asia/Shanghai", date(2026, 7, 1), datetime(2026, 6, 30, 16, tzinfo=UTC), 24),
        ("Europe/Berlin", date(2026, 3, 29), datetime(2026, 3, 28, 23, tzinfo=UTC), 23),
        ("Europe/Berlin", date(2026, 10, 25), datetime(2026, 10, 24, 22, tzinfo=UTC), 25),
        # The clock goes from 24:00 to 01:00: the day has no midnight.
        ("America/Sao_Paulo", date(2018, 11, 4), datetime(2018, 11, 4, 3, tzinfo=UTC), 23),
        # It goes from 01:00 back to midnight, which comes twice.
        ("America/Havana", date(2025, 11, 2), datetime(2025, 11, 2, 4, tzinfo=UTC), 25),
    ],
)
def test_days_may_have_23_or_25_hours(zone: str, day: date, begins: datetime, hours: int) -> None:
    since, until = span_of(day, ZoneInfo(zone))
    assert since == begins
    assert until - since == timedelta(hours=hours)


ZONES = ("Asia/Shanghai", "Europe/Berlin", "America/Sao_Paulo", "America/Havana", "Australia/Lord_Howe")


@given(
    st.datetimes(datetime(2000, 1, 1), datetime(2030, 1, 1), timezones=st.just(UTC)),  # noqa: DTZ001 - bounds are naive
    st.sampled_from(ZONES),
)
def test_each_moment_lies_in_its_day_and_days_meet(moment: datetime, zone: str) -> None:
    here = ZoneInfo(zone)
    day = day_of(moment, here)
    since, until = span_of(day, here)
    assert since <= moment < until
    assert span_of(day + timedelta(days=1), here)[0] == until


async def test_a_sale_counts_on_the_day_of_the_configured_zone(make_kernel: Kernels) -> None:
    # given a shop in Berlin, and a sale in the last hour of a day of 25 hours
    shop = Shop(await make_kernel(analytics={"time_zone": "Europe/Berlin"}))
    await sold(shop)
    async with shop.kernel.db.transaction():
        await shop.kernel.db.execute(
            "alter table settlement_ledger_transaction disable trigger settlement_ledger_transaction_never_changed"
        )
        await shop.kernel.db.execute(
            "update settlement_ledger_transaction set posted_at = '2026-10-25T22:59:59Z' where kind = 'charge'"
        )
        await shop.kernel.db.execute(
            "alter table settlement_ledger_transaction"
            " enable always trigger settlement_ledger_transaction_never_changed"
        )
    await shop.kernel.db.execute("update fulfilment_order set completed_at = '2026-10-25T22:59:59Z'")
    await settle(shop.kernel)
    assert {row[0] for row in await figures(shop.kernel)} == {date(2026, 10, 25)}
    assert await differences(shop.kernel, date(2026, 10, 24), date(2026, 10, 27)) == []
