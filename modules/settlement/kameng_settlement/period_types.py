"""GraphQL types of statements of account for a period."""

from __future__ import annotations

from datetime import datetime
from functools import partial
from uuid import UUID

import strawberry
from strawberry.dataloader import DataLoader

from kameng import money
from kameng.graphql import Connection, Context, Info, Money
from kameng.graphql.nested import pages_of
from kameng.graphql.pages import PageRequest
from kameng_settlement.chart import Address
from kameng_settlement.ledger import Ledger
from kameng_settlement.lines import LINES
from kameng_settlement.periods import LedgerDate, Period, Sums, lines_of_period, sums_of_accounts
from kameng_settlement.types import WalletEntry

LedgerDateInput = strawberry.enum(
    LedgerDate,
    name="LedgerDate",
    description="By which date a ledger transaction counts: POSTED, when it was written, or EFFECTIVE, for when it counts.",
)


@strawberry.type(
    description="A wallet in a period: what it had before, what came and went, what it had after."
)
class WalletPeriod:
    """A wallet in a period."""

    address: strawberry.Private[Address]
    period: strawberry.Private[Period]
    since: datetime = strawberry.field(description="Its first moment.")
    until: datetime = strawberry.field(description="The first moment after it.")
    opening: Money = strawberry.field(description="What was there when it began.")
    money_in: Money = strawberry.field(description="What came in.")
    money_out: Money = strawberry.field(description="What went out.")
    closing: Money = strawberry.field(
        description="What was there when it was over: opening plus money in minus money out."
    )

    @strawberry.field(description="What came in and went out, the newest first.")
    async def entries(
        self,
        info: Info,
        first: int | None = None,
        after: str | None = None,
        last: int | None = None,
        before: str | None = None,
    ) -> Connection[WalletEntry]:
        """A page of the wallet's lines in the period."""
        page = PageRequest.of(first, after, last, before)
        load = partial(_entries, info.context, self.period, page)
        name = f"settlement.wallet_period {self.since} {self.until} {self.period.by}"
        return await pages_of(info.context, name, page, LINES, load).load(self.address)


async def load_wallet_period(context: Context, address: Address, period: Period) -> WalletPeriod:
    """A wallet in a period; those of one request come together.

    Raises:
        InvalidInput: the time ends before it begins.
    """
    account = await context.loader(_ACCOUNTS, _account_loader).load(address)
    sums = await load_sums(context, account, period) if account else Sums()
    currency = address.currency

    def shown(minor: int) -> Money:
        return Money.of(money.Money(minor, currency))

    return WalletPeriod(
        address=address,
        period=period,
        since=period.since,
        until=period.until,
        opening=shown(sums.opening),
        money_in=shown(sums.credits),
        money_out=shown(sums.debits),
        closing=shown(sums.closing),
    )


_ACCOUNTS = object()


def _account_loader(context: Context) -> DataLoader[Address, UUID | None]:
    async def load(addresses: list[Address]) -> list[UUID | None]:
        found = await context.service(Ledger).accounts.find(addresses)
        return [found.get(address) for address in addresses]

    return DataLoader(load_fn=load)


async def load_sums(context: Context, account: UUID, period: Period) -> Sums:
    """The sums of an account in a period; those of one request come by one statement."""

    def loader(context: Context) -> DataLoader[UUID, Sums]:
        async def load(accounts: list[UUID]) -> list[Sums]:
            return await sums_of_accounts(context.db, accounts, period)

        return DataLoader(load_fn=load)

    return await context.loader((load_sums, period), loader).load(account)


async def _entries(
    context: Context, period: Period, page: PageRequest, wallets: list[Address]
) -> list[Connection[WalletEntry]]:
    accounts = await context.service(Ledger).accounts.find(wallets)
    keys = list(accounts.values())
    lines = dict(zip(keys, await lines_of_period(context.db, keys, period, page), strict=True))
    return [
        page.connection(
            lines[accounts[wallet]] if wallet in accounts else [],
            LINES,
            lambda line: [line.id],
            WalletEntry.of,
        )
        for wallet in wallets
    ]
