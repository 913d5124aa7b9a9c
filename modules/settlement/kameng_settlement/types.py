"""GraphQL types that both schemas show: a wallet and its lines."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import datetime
from functools import partial
from uuid import UUID

import strawberry
from strawberry.dataloader import DataLoader

from kameng import money
from kameng.auth import PrincipalKind
from kameng.graphql import Connection, Context, Info, Money, Node
from kameng.graphql.nested import pages_of
from kameng.graphql.pages import PageRequest
from kameng.ids import global_id
from kameng_settlement import contract
from kameng_settlement.chart import WALLET, Address, wallet_of
from kameng_settlement.ledger import Ledger
from kameng_settlement.lines import (
    LINES,
    Line,
    OwnedLine,
    balance_after,
    lines_by_key,
    lines_of_accounts,
)
from kameng_settlement.wallets import LedgerWallets


class Running:
    """The running balances of a page of lines: worked out once, by one statement, if anybody asks.

    Args:
        account: whose lines they are.
        lines: those of the page, the newest first.
    """

    def __init__(self, account: UUID, lines: Sequence[Line]) -> None:
        self._account, self._lines = account, lines
        self._newest: asyncio.Task[int] | None = None

    async def after(self, context: Context, index: int) -> int:
        """What was in the account after a line, in minor units."""
        if self._newest is None:
            self._newest = asyncio.ensure_future(balance_after(context.db, self._account, self._lines[0].id))
        return await self._newest - sum(line.credited for line in self._lines[:index])


@strawberry.type(description="Money that came into a wallet, or went out of it.")
class WalletEntry(Node):
    """A line of a wallet's statement."""

    running: strawberry.Private[tuple[Running, int] | None] = None
    kind: str = strawberry.field(description="What happened: charge, manual_credit, reversal, …")
    memo: str = strawberry.field(description="What it was for.")
    amount: Money = strawberry.field(description="Above zero where money came in, below where it went out.")
    posted_at: datetime = strawberry.field(description="When it was booked.")
    effective_at: datetime = strawberry.field(description="When it counts.")

    @strawberry.field(description="What was there after it; null for an entry that was asked for by its id.")
    async def balance_after(self, info: Info) -> Money | None:
        """The running balance."""
        if self.running is None:
            return None
        page, index = self.running
        return Money.of(money.Money(await page.after(info.context, index), self.amount.currency))

    @classmethod
    def of(cls, line: Line, running: tuple[Running, int] | None = None) -> WalletEntry:
        """A line of a wallet's account, as its holder sees it.

        Args:
            line: the line.
            running: the page that it stands on and its place there, for its running balance.
        """
        return cls(
            running=running,
            id=strawberry.ID(global_id("WalletEntry", line.key)),
            kind=line.kind,
            memo=line.memo,
            amount=Money.of(money.Money(line.credited, line.currency)),
            posted_at=line.posted_at,
            effective_at=line.effective_at,
        )


@strawberry.type(description="A member's money of one currency.")
class Wallet:
    """A member's money of one currency."""

    member: strawberry.Private[UUID]
    currency: str = strawberry.field(description="ISO 4217.")
    balance: Money = strawberry.field(description="What is there, holds included.")
    available: Money = strawberry.field(description="What can be spent now.")

    @strawberry.field(description="What came in and went out, the newest first.")
    async def statement(
        self,
        info: Info,
        first: int | None = None,
        after: str | None = None,
        last: int | None = None,
        before: str | None = None,
    ) -> Connection[WalletEntry]:
        """A page of the wallet's lines."""
        page = PageRequest.of(first, after, last, before)
        load = partial(_entries, info.context, page)
        loader = pages_of(info.context, "settlement.wallet_entries", page, LINES, load)
        return await loader.load(wallet_of(self.member, self.currency))

    @classmethod
    def of(cls, wallet: contract.Wallet) -> Wallet:
        """A wallet of the contract as GraphQL shows it."""
        return cls(
            member=wallet.member,
            currency=wallet.balance.currency,
            balance=Money.of(wallet.balance),
            available=Money.of(wallet.available),
        )


async def _entries(
    context: Context, page: PageRequest, wallets: list[Address]
) -> list[Connection[WalletEntry]]:
    """A page of each wallet's lines; none of one that was never used."""
    accounts = await context.service(Ledger).accounts.find(wallets)
    keys = list(accounts.values())
    lines = dict(zip(keys, await lines_of_accounts(context.db, keys, page), strict=True))
    return [
        _page(page, accounts[wallet], lines[accounts[wallet]])
        if wallet in accounts
        else _page(page, None, [])
        for wallet in wallets
    ]


def _page(page: PageRequest, account: UUID | None, lines: Sequence[Line]) -> Connection[WalletEntry]:
    kept = page.kept(lines)
    running = None if account is None else Running(account, kept)
    entries = [
        WalletEntry.of(line, None if running is None else (running, index)) for index, line in enumerate(kept)
    ]
    return page.connection_of(lines, LINES, lambda line: [line.id], entries)


async def own_entries(context: Context, keys: Sequence[UUID]) -> list[WalletEntry | None]:
    """Lines of wallets for ``node(id:)``: in the shop everybody sees only his own."""
    principal = context.principal
    if principal.kind is not PrincipalKind.MEMBER or principal.scopes is not None:
        return [None] * len(keys)
    lines = await lines_by_key(context.db, keys)
    return [entry_of(line) if line is not None and line.owner_id == principal.id else None for line in lines]


def entry_of(line: OwnedLine) -> WalletEntry | None:
    """A line as its holder sees it; None where it is not a wallet's."""
    return WalletEntry.of(line) if line.account_kind == WALLET.code else None


_WALLETS = object()


async def load_wallet(context: Context, member: UUID, currency: str) -> Wallet:
    """A member's wallet; those asked for in one request come by one statement.

    Raises:
        InvalidInput: there is no such currency.
    """
    money.check_currency(currency)
    return await context.loader(_WALLETS, _wallet_loader).load((member, currency))


def _wallet_loader(context: Context) -> DataLoader[tuple[UUID, str], Wallet]:
    async def load(holders: list[tuple[UUID, str]]) -> list[Wallet]:
        return [Wallet.of(wallet) for wallet in await LedgerWallets(context.db).of(holders)]

    return DataLoader(load_fn=load)
