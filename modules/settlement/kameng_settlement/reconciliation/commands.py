"""``kameng reconcile``: bills in, days compared, cases listed."""

from __future__ import annotations

from datetime import date, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from kameng.kernel import Kernel
    from kameng_settlement.reconciliation.importing import Imported
    from kameng_settlement.reconciliation.running import Run

_DAY = click.DateTime(["%Y-%m-%d"])


@click.group()
def reconcile() -> None:
    """Hold gateways' bills against what the shop recorded."""


@reconcile.command(name="import")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option(
    "--account", "source", required=True, metavar="GATEWAY:CODE", help="Whose bill, such as wechat:main."
)
@click.option("--format", "form", required=True, help="Such as wechat-trade, or the name of a description.")
@click.option("--day", type=_DAY, help="Of the bill; that of its first row if it is left out.")
@click.pass_context
def import_file(context: click.Context, file: Path, source: str, form: str, day: datetime | None) -> None:
    """Take in a bill: read whole and held against its own totals, or nothing of it."""
    from kameng.auth.principal import Principal, PrincipalKind
    from kameng.cli.running import run
    from kameng_settlement.reconciliation.importing import import_bill

    async def work(kernel: Kernel) -> Imported:
        with file.open("rb") as content:
            return await import_bill(
                kernel,
                content,
                source=source,
                form=form,
                principal=Principal(kind=PrincipalKind.STAFF),
                day=None if day is None else day.date(),
                file_name=file.name,
            )

    taken = run(context, work)
    told = "taken in" if taken.fresh else "was there already"
    click.echo(f"The bill of {taken.source} for {taken.day} ({taken.rows} rows) {told}.")


@reconcile.command(name="run")
@click.option("--account", "source", required=True, metavar="GATEWAY:CODE", help="Such as wechat:main.")
@click.option("--day", type=_DAY, required=True, help="Which day, in the gateway's own time zone.")
@click.pass_context
def run_day(context: click.Context, source: str, day: datetime) -> None:
    """Compare a day whose bill was imported; exit code 1 if it opened cases. Repeating it is harmless."""
    from kameng.auth.principal import Principal, PrincipalKind
    from kameng.cli.running import run
    from kameng_settlement.reconciliation.running import reconcile as compare_day

    async def work(kernel: Kernel) -> Run:
        return await compare_day(kernel, source, day.date(), principal=Principal(kind=PrincipalKind.STAFF))

    done = run(context, work)
    click.echo(f"{done.source} {done.day}: {done.matched} matched, {done.carried} carried over.")
    for difference, count in sorted(done.opened.items()):
        click.echo(f"{difference}\t{count}")
    if done.cleared:
        click.echo(f"{done.cleared} earlier cases cleared.")
    context.exit(1 if done.opened else 0)


@reconcile.command()
@click.pass_context
def fetch(context: click.Context) -> None:
    """Ask the gateways for the bills of the last days, as a worker does every half hour; then list what became of each."""
    from kameng.cli.running import run
    from kameng_settlement.reconciliation.downloading import download_bills

    async def work(kernel: Kernel) -> list[tuple[str, date, str, str, int, str]]:
        await download_bills(kernel)
        rows = await kernel.db.fetch(
            "select source, day, kind, state, tries, message from settlement_bill_fetch"
            " where last_at > now() - interval '5 days' order by day desc, source, kind"
        )
        return [tuple(row) for row in rows]

    for row in run(context, work):
        click.echo("\t".join(str(cell) for cell in row))


@reconcile.command()
@click.option("--account", "source", default="", metavar="GATEWAY:CODE", help="Only of this account.")
@click.option("--all", "settled", is_flag=True, help="Settled ones as well.")
@click.option("--most", default=100, show_default=True, help="How many, the newest first.")
@click.pass_context
def cases(context: click.Context, source: str, settled: bool, most: int) -> None:
    """List cases, tab by tab: account, day, difference, number, amount, fee, state, owner."""
    from kameng.cli.running import run
    from kameng.money import Money

    async def work(kernel: Kernel) -> list[tuple[str, date, str, str, int, int, str, str, str]]:
        rows = await kernel.db.fetch(
            """
            select source, day, difference, number, effect_minor, fee_effect_minor, currency, state,
                   coalesce(owner, '') as owner
            from settlement_case
            where ($1 = '' or source = $1) and ($2 or state in ('DOUBTFUL', 'OPEN'))
            order by id desc limit $3
            """,
            source,
            settled,
            most,
        )
        return [tuple(row) for row in rows]

    for account, day, difference, number, effect, fee, currency, state, owner in run(context, work):
        amounts = f"{Money(effect, currency).amount}\t{Money(fee, currency).amount} {currency}"
        click.echo(f"{account}\t{day}\t{difference}\t{number}\t{amounts}\t{state}\t{owner}")
