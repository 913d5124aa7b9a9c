"""``kameng ledger trial-balance`` and ``kameng ledger statement``: what is in accounts, now or as of a day."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING

import click

from kameng.cli.running import run
from kameng.errors import NotFound, Refusal
from kameng.graphql.pages import PageRequest, write_cursor
from kameng.money import Money, check_currency
from kameng_membership.contract import Members
from kameng_settlement.chart import HOUSE, Address, Chart
from kameng_settlement.journal import KindTotal, trial_balance
from kameng_settlement.ledger import Ledger
from kameng_settlement.lines import LINES, Line
from kameng_settlement.periods import (
    LedgerDate,
    Period,
    days_of_pages,
    lines_of_period,
    sums_of_accounts,
    today_of_pages,
)

if TYPE_CHECKING:
    from uuid import UUID

    from kameng.kernel import Kernel

AT_ONCE = 100
"""Lines that are read together."""

_DAY = click.DateTime(["%Y-%m-%d"])

_BY = click.option(
    "--by",
    type=click.Choice([each.value for each in LedgerDate]),
    default=LedgerDate.POSTED.value,
    show_default=True,
    help="Which date of a transaction counts: when it was posted, or the one for which it is effective.",
)


@click.command("trial-balance")
@click.option("--at", type=_DAY, help="As it was at the end of this day of the shop; without it: now.")
@_BY
@click.pass_context
def print_trial_balance(context: click.Context, at: datetime | None, by: str) -> None:
    """Print all accounts added up by currency and kind; exit code 1 if a currency is not in balance."""

    async def work(kernel: Kernel) -> list[KindTotal]:
        until = days_of_pages(kernel, at.date(), at.date())[1] if at else None
        return await trial_balance(kernel.db, until, LedgerDate(by))

    totals = run(context, work)
    click.echo(f"{'currency':<10}{'kind':<40}{'accounts':>10}{'debits':>20}{'credits':>20}")
    balanced = True
    for currency in sorted({total.currency for total in totals}):
        own = [total for total in totals if total.currency == currency]
        for total in own:
            click.echo(_total(currency, total.kind, str(total.accounts), total.debits, total.credits))
        debits, credits_ = sum(total.debits for total in own), sum(total.credits for total in own)
        click.echo(_total(currency, "", "", debits, credits_))
        balanced = balanced and debits == credits_
    if not balanced:
        click.echo("The books are NOT in balance.")
    context.exit(0 if balanced else 1)


def _total(currency: str, kind: str, accounts: str, debits: int, credits_: int) -> str:
    shown = [f"{Money(minor, currency).amount:f}" for minor in (debits, credits_)]
    return f"{currency:<10}{kind:<40}{accounts:>10}{shown[0]:>20}{shown[1]:>20}"


@click.command()
@click.argument("kind")
@click.option("--member", default="", help="Whose account it is, by e-mail address; without it: the shop's.")
@click.option("--currency", default="CNY", show_default=True, help="ISO 4217.")
@click.option("--since", type=_DAY, help="The first day of the shop; without it: thirty days.")
@click.option("--until", type=_DAY, help="The last one; without it: today.")
@_BY
@click.pass_context
def statement(
    context: click.Context,
    kind: str,
    member: str,
    currency: str,
    since: datetime | None,
    until: datetime | None,
    by: str,
) -> None:
    """Print the account of a KIND of the chart, such as `wallet` or `sales`: what was in it, what came and went, what is.

    Lines are in the order of posting, debits and credits in columns of their own, with what the account had after each; by the
    effective date that is what it had of the lines above.
    """

    async def work(kernel: Kernel) -> None:
        last = until.date() if until else today_of_pages(kernel)
        first = since.date() if since else last - timedelta(days=29)
        period = Period.of(*days_of_pages(kernel, first, last), LedgerDate(by))
        account = await _account(kernel, kind, member, currency)
        await _print(kernel, account, period, currency, first, last)

    try:
        run(context, work)
    except Refusal as refusal:
        raise click.ClickException(f"{refusal.message} {refusal.cure or ''}".strip()) from refusal


async def _account(kernel: Kernel, kind: str, member: str, currency: str) -> UUID:
    known = kernel.services.get(Chart).kind(kind)
    if known is None:
        raise NotFound(
            f"There is no kind of account {kind!r}.", cure="Look at `kameng ledger trial-balance`."
        )
    owner = HOUSE
    if member:
        found = await kernel.services.get(Members).find(member)
        if found is None:
            raise NotFound(f"There is no member {member!r}.", cure="Give the e-mail address to log in with.")
        owner = found.id
    address = Address(known, owner, check_currency(currency))
    account = (await kernel.services.get(Ledger).accounts.find([address])).get(address)
    if account is None:
        raise NotFound("Nothing was ever posted to this account.", cure="Check its kind, owner and currency.")
    return account


async def _print(
    kernel: Kernel, account: UUID, period: Period, currency: str, first: date, last: date
) -> None:
    def shown(minor: int) -> str:
        return f"{Money(minor, currency).amount:f}"

    [sums] = await sums_of_accounts(kernel.db, [account], period)
    zone = period.since.tzinfo
    click.echo(f"{first} to {last}, by the date of {period.by}; amounts in {currency}, credits less debits.")
    click.echo(f"{'date':<18}{'kind':<24}{'debit':>16}{'credit':>16}{'balance':>18}  memo")
    click.echo(f"{'':<18}{'opening':<24}{'':>16}{'':>16}{shown(sums.opening):>18}")
    balance = sums.opening
    async for line in _lines(kernel, account, period):
        balance += line.credited
        moment = line.posted_at if period.by is LedgerDate.POSTED else line.effective_at
        sides = ("", shown(line.credited)) if line.credited > 0 else (shown(-line.credited), "")
        click.echo(
            f"{moment.astimezone(zone):%Y-%m-%d %H:%M}  {line.kind[:23]:<24}{sides[0]:>16}{sides[1]:>16}"
            f"{shown(balance):>18}  {line.memo}".rstrip()
        )
    click.echo(
        f"{'':<18}{'closing':<24}{shown(sums.debits):>16}{shown(sums.credits):>16}{shown(sums.closing):>18}"
    )


async def _lines(kernel: Kernel, account: UUID, period: Period) -> AsyncIterator[Line]:
    """The account's lines, the oldest first; a page of them is in memory at a time."""
    cursor: str | None = None
    while True:
        page = PageRequest.of(None, None, AT_ONCE, cursor)
        [lines] = await lines_of_period(kernel.db, [account], period, page)
        kept = page.kept(lines)
        # Pages list the newest first, and this goes through them from their end.
        for line in reversed(kept):
            yield line
        if len(lines) <= AT_ONCE:
            return
        cursor = write_cursor(LINES, [kept[0].id])
