"""``kameng reports``: what was earned, does the ledger agree, and closing days."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from kameng.cli.running import run
from kameng.errors import Refusal
from kameng.money import Money, check_currency
from kameng_analytics.reports.days import business_zones
from kameng_analytics.reports.reading import Asked, Dimension, Grain, Row, labels_of, report_rows
from kameng_analytics.reports.writing import ReportForm, write_report

if TYPE_CHECKING:
    from collections.abc import Callable

    from kameng.kernel import Kernel
    from kameng_analytics.reports.checking import Difference
    from kameng_analytics.reports.closing import ClosedDay
    from kameng_analytics.reports.rebuilding import Rebuilt

_DAY = click.DateTime(["%Y-%m-%d"])


def _about(command: Callable[..., None]) -> Callable[..., None]:
    """The options that say what a report is about."""
    for option in (
        click.option("--currency", default="CNY", show_default=True, help="ISO 4217."),
        click.option("--until", type=_DAY, help="The last business day; without it: today."),
        click.option("--since", type=_DAY, help="The first business day; without it: thirty days."),
        click.option(
            "--by",
            "dimension",
            type=click.Choice([each.value for each in Dimension]),
            default="all",
            show_default=True,
        ),
        click.option(
            "--grain", type=click.Choice([each.value for each in Grain]), default="day", show_default=True
        ),
    ):
        command = option(command)
    return command


def _asked(kernel: Kernel, since: datetime | None, until: datetime | None, given: dict[str, Any]) -> Asked:
    last = until.date() if until else datetime.now(business_zones(kernel).main).date()
    check_currency(given["currency"])
    return Asked(
        since=since.date() if since else last - timedelta(days=29),
        until=last,
        currency=given["currency"],
        grain=Grain(given["grain"]),
        dimension=Dimension(given["dimension"]),
    ).check()


@click.group()
def reports() -> None:
    """Read reports, compare them with the ledger, and close business days."""


@reports.command()
@_about
@click.pass_context
def show(context: click.Context, /, since: datetime | None, until: datetime | None, **given: Any) -> None:
    """Print a report, the newest period first."""

    async def work(kernel: Kernel) -> tuple[list[Row], dict[str, str]]:
        asked = _asked(kernel, since, until, given)
        rows = await report_rows(kernel.db, asked, None)
        return rows, await labels_of(kernel, asked.dimension, [row.value for row in rows], "en")

    rows, labels = _run(context, work)
    names = ("period", "what", "orders", "pieces", "turnover", "refunds", "cost", "profit", "fees", "late")
    click.echo(f"{names[0]:<12}{names[1]:<30}" + "".join(f"{name:>14}" for name in names[2:]))
    for row in rows:
        amounts = [
            f"{Money(minor, given['currency']).amount:f}"
            for minor in (row.turnover, row.refunds, row.cost, row.gross_profit, row.fees)
        ]
        cells = [str(row.orders), str(row.pieces), *amounts, str(row.late)]
        what = labels[row.value] or ("" if given["dimension"] == "all" else "(not known)")
        click.echo(f"{row.period!s:<12}{what[:29]:<30}" + "".join(f"{cell:>14}" for cell in cells))


@reports.command()
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
@_about
@click.option("--locale", type=click.Choice(["zh-CN", "en"]), default="zh-CN", show_default=True)
@click.pass_context
def export(
    context: click.Context,
    /,
    file: Path,
    since: datetime | None,
    until: datetime | None,
    locale: str,
    **given: Any,
) -> None:
    """Write a report to FILE, whose name ends in .csv or .xlsx."""
    form = file.suffix.removeprefix(".")
    if form not in set(ReportForm):
        raise click.BadParameter("name the file .csv or .xlsx.")

    async def work(kernel: Kernel) -> int:
        asked = _asked(kernel, since, until, given)
        with file.open("wb") as opened:
            return await write_report(kernel, asked, ReportForm(form), opened, locale)

    click.echo(f"{_run(context, work)} rows were written to {file}.")


@reports.command()
@click.option("--since", type=_DAY, required=True, help="The first business day.")
@click.option("--until", type=_DAY, required=True, help="The last one.")
@click.pass_context
def gather(context: click.Context, since: datetime, until: datetime) -> None:
    """Book what is in the ledger and in no report yet; a worker does it by itself for the last day."""
    from kameng_analytics.reports.gathering import gather as look

    async def work(kernel: Kernel) -> int:
        zones = business_zones(kernel)
        return await look(kernel, zones.span(since.date())[0], zones.span(until.date())[1])

    click.echo(f"{_run(context, work)} postings were missing.")


@reports.command()
@click.option("--since", type=_DAY, help="The first business day; without it from the beginning.")
@click.option("--until", type=_DAY, help="The last one; without it to the end.")
@click.pass_context
def rebuild(context: click.Context, since: datetime | None, until: datetime | None) -> None:
    """Make the figures of open days anew from their facts, beside a shop that runs."""
    from kameng_analytics.reports.rebuilding import rebuild as anew

    async def work(kernel: Kernel) -> Rebuilt:
        return await anew(kernel, since.date() if since else None, until.date() if until else None)

    done = _run(context, work)
    click.echo(f"{done.days} days were looked at; {len(done.changed)} were wrong and are made anew.")
    for day in done.changed:
        click.echo(str(day))


@reports.command()
@click.option("--since", type=_DAY, required=True, help="The first business day.")
@click.option("--until", type=_DAY, required=True, help="The last one.")
@click.pass_context
def check(context: click.Context, since: datetime, until: datetime) -> None:
    """Compare reports with the ledger; exit code 1 and the differences if there are any."""
    from kameng_analytics.reports.checking import differences

    async def work(kernel: Kernel) -> list[Difference]:
        return await differences(kernel, since.date(), until.date())

    found = _run(context, work)
    for each in found:
        click.echo(str(each))
    if not found:
        click.echo("Reports and ledger agree.")
    context.exit(1 if found else 0)


@reports.command()
@click.argument("day", type=_DAY)
@click.pass_context
def close(context: click.Context, day: datetime) -> None:
    """Close the business day DAY: nothing is booked on it any more. It cannot be opened again."""
    from kameng.auth import VISITOR
    from kameng_analytics.reports.closing import close_day

    chosen: date = day.date()

    async def work(kernel: Kernel) -> ClosedDay:
        # Whoever has the server's shell is nobody that the shop knows.
        return await close_day(kernel, chosen, VISITOR)

    closed = _run(context, work)
    click.echo(f"{closed.day} is closed since {closed.closed_at:%Y-%m-%d %H:%M} UTC.")


def _run(context: click.Context, work: Callable[[Kernel], Any]) -> Any:
    """Do it, and tell a refusal as what it is."""
    try:
        return run(context, work)
    except Refusal as refusal:
        raise click.ClickException(f"{refusal.message} {refusal.cure or ''}".strip()) from refusal
