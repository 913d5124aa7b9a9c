"""What the back office sees of accounts: the shop's own, anybody's, what is in them, and their statements for a period."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from functools import partial
from typing import Any, cast
from uuid import UUID

import strawberry
from strawberry.dataloader import DataLoader

from kameng import money
from kameng.errors import InvalidInput
from kameng.graphql import Connection, Context, Info, Money
from kameng.graphql.nested import pages_of
from kameng.graphql.pages import PageRequest
from kameng.ids import key_of
from kameng_settlement.account_reads import (
    ACCOUNTS,
    Figures,
    StoredAccount,
    accounts_by_id,
    figures_of,
    house_accounts,
)
from kameng_settlement.admin_types import READ_LEDGER, LedgerAccount, LedgerLine
from kameng_settlement.chart import HOUSE, WALLET, Address, Chart, wallet_of
from kameng_settlement.journal import Side
from kameng_settlement.ledger import Ledger
from kameng_settlement.lines import LINES
from kameng_settlement.period_types import LedgerDateInput, WalletPeriod, load_sums, load_wallet_period
from kameng_settlement.periods import LedgerDate, Period, days_of_pages, lines_of_period, today_of_pages


@strawberry.type(
    description="An account in a period. Balances are credits minus debits where it grows by credits, else the reverse."
)
class LedgerAccountPeriod:
    """An account in a period."""

    account: strawberry.Private[UUID]
    period: strawberry.Private[Period]
    since: datetime = strawberry.field(description="Its first moment.")
    until: datetime = strawberry.field(description="The first moment after it.")
    opening: Money = strawberry.field(description="The balance when it began.")
    debits: Money
    credits: Money
    closing: Money = strawberry.field(description="The balance when it was over.")

    @strawberry.field(description="What was posted in it, the newest first.")
    async def lines(
        self,
        info: Info,
        first: int | None = None,
        after: str | None = None,
        last: int | None = None,
        before: str | None = None,
    ) -> Connection[LedgerLine]:
        """A page of the account's lines in the period."""
        page = PageRequest.of(first, after, last, before)
        load = partial(_lines, info.context, self.period, page)
        name = f"settlement.account_period {self.since} {self.until} {self.period.by}"
        return await pages_of(info.context, name, page, LINES, load).load(self.account)


async def _lines(
    context: Context, period: Period, page: PageRequest, accounts: list[UUID]
) -> list[Connection[LedgerLine]]:
    found = await lines_of_period(context.db, accounts, period, page)
    return [page.connection(lines, LINES, lambda line: [line.id], LedgerLine.of) for lines in found]


@strawberry.type
class AccountFigures:
    """What an account of the ledger has beside its lines."""

    @strawberry.field(
        description="Credits minus debits where it grows by credits, as wallets and sales do; else the reverse."
    )
    async def balance(self, info: Info) -> Money:
        """The account's balance."""
        account = cast("LedgerAccount", self)
        figures = await _load_figures(info.context, account.key)
        return _shown(info.context, account, figures.credits - figures.debits)

    @strawberry.field(description="What of it is held.")
    async def held(self, info: Info) -> Money:
        """What is pending."""
        account = cast("LedgerAccount", self)
        figures = await _load_figures(info.context, account.key)
        return Money.of(money.Money(figures.pending, account.currency))

    @strawberry.field(description="Below this it never goes; null where it may take anything.")
    async def floor(self, info: Info) -> Money | None:
        """The account's floor."""
        account = cast("LedgerAccount", self)
        floor = (await _load_figures(info.context, account.key)).floor
        return None if floor is None else Money.of(money.Money(floor, account.currency))

    @strawberry.field(
        description="The account on some days of the shop's pages, both included; without them: the last thirty."
    )
    async def days(
        self,
        info: Info,
        since: date | None = None,
        until: date | None = None,
        by: LedgerDateInput = LedgerDate.POSTED,  # type: ignore[valid-type]  # an enum that Strawberry named
    ) -> LedgerAccountPeriod:
        """A statement of the account by days."""
        until = until or today_of_pages(info.context.kernel)
        since = since or until - timedelta(days=29)
        begin, end = days_of_pages(info.context.kernel, since, until)
        return await _period(info, cast("LedgerAccount", self), begin, end, LedgerDate(by))

    @strawberry.field(description="The account in a period.")
    async def period(
        self,
        info: Info,
        since: datetime,
        until: datetime,
        by: LedgerDateInput = LedgerDate.POSTED,  # type: ignore[valid-type]  # an enum that Strawberry named
    ) -> LedgerAccountPeriod:
        """A statement of the account."""
        return await _period(info, cast("LedgerAccount", self), since, until, LedgerDate(by))


async def _period(
    info: Info, account: LedgerAccount, since: datetime, until: datetime, by: LedgerDate
) -> LedgerAccountPeriod:
    period = Period.of(since, until, by)
    sums = await load_sums(info.context, account.key, period)
    return LedgerAccountPeriod(
        account=account.key,
        period=period,
        since=since,
        until=until,
        opening=_shown(info.context, account, sums.opening),
        debits=Money.of(money.Money(sums.debits, account.currency)),
        credits=Money.of(money.Money(sums.credits, account.currency)),
        closing=_shown(info.context, account, sums.closing),
    )


@strawberry.type
class WalletStatements:
    """What a wallet has beside its lines."""

    @strawberry.field(description="The wallet in a period.")
    async def period(
        self,
        info: Info,
        since: datetime,
        until: datetime,
        by: LedgerDateInput = LedgerDate.POSTED,  # type: ignore[valid-type]  # an enum that Strawberry named
    ) -> WalletPeriod:
        """A statement of the wallet."""
        wallet = cast("Any", self)
        return await load_wallet_period(
            info.context, wallet_of(wallet.member, wallet.currency), Period.of(since, until, LedgerDate(by))
        )


@strawberry.type
class AccountQuery:
    """Queries of accounts."""

    @strawberry.field(description="The shop's own accounts, by kind and currency.")
    async def ledger_accounts(
        self,
        info: Info,
        first: int | None = None,
        after: str | None = None,
        last: int | None = None,
        before: str | None = None,
    ) -> Connection[LedgerAccount]:
        """A page of the shop's own accounts."""
        info.context.require(READ_LEDGER)
        page = PageRequest.of(first, after, last, before)
        rows = await house_accounts(info.context.db, page)
        return page.connection(rows, ACCOUNTS, lambda row: [row.kind, row.currency], account_of)

    @strawberry.field(
        description="An account by its kind in the chart and its currency, such as a member's wallet; null if there is none."
    )
    async def ledger_account(
        self, info: Info, currency: str, kind: str = WALLET.code, member_id: strawberry.ID | None = None
    ) -> LedgerAccount | None:
        """An account by its address."""
        context = info.context
        context.require(READ_LEDGER)
        known = context.service(Chart).kind(kind)
        if known is None:
            raise InvalidInput(
                "There is no such kind of account.", cure="Take one of the chart.", path=("kind",)
            )
        owner = HOUSE if member_id is None else key_of("Member", member_id)
        address = Address(known, owner, money.check_currency(currency))
        key = (await context.service(Ledger).accounts.find([address])).get(address)
        return None if key is None else (await account_nodes(context, [key]))[0]


async def account_nodes(context: Context, keys: Sequence[UUID]) -> list[LedgerAccount | None]:
    """Accounts for ``node(id:)``; None for all where the principal may not read the ledger."""
    if not context.principal.may(READ_LEDGER):
        return [None] * len(keys)
    return [account_of(row) if row else None for row in await accounts_by_id(context.db, keys)]


def account_of(row: StoredAccount) -> LedgerAccount:
    """A stored account as GraphQL shows it."""
    return LedgerAccount.of(Side(row.id, row.kind, row.owner_kind, row.owner_id), row.currency)


def _shown(context: Context, account: LedgerAccount, credited: int) -> Money:
    kind = context.service(Chart).kind(account.kind)
    grows_by_debits = kind is not None and kind.normal_side == "debit"
    return Money.of(money.Money(-credited if grows_by_debits else credited, account.currency))


_FIGURES = object()


async def _load_figures(context: Context, account: UUID) -> Figures:
    return await context.loader(_FIGURES, _figures_loader).load(account)


def _figures_loader(context: Context) -> DataLoader[UUID, Figures]:
    async def load(accounts: list[UUID]) -> list[Figures]:
        return await figures_of(context.db, accounts)

    return DataLoader(load_fn=load)
