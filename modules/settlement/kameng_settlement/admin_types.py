"""GraphQL types of the admin schema: the ledger as the operator's accountant reads it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from enum import Enum
from functools import partial
from itertools import groupby
from uuid import UUID

import strawberry
from strawberry.dataloader import DataLoader

from kameng import money
from kameng.graphql import Connection, Context, Info, Money, Node
from kameng.graphql.nested import pages_of
from kameng.graphql.pages import PageRequest
from kameng.ids import global_id
from kameng_settlement.chart import Chart, section_of
from kameng_settlement.journal import (
    KindTotal,
    Side,
    StoredPosting,
    StoredTransaction,
    postings_of,
    transactions_by_id,
)
from kameng_settlement.lines import LINES, Line, lines_by_key, lines_of_accounts
from kameng_settlement.types import WalletEntry, entry_of

READ_LEDGER = "settlement.read_ledger"
"""The permission to read everybody's money."""


@strawberry.enum(description="A side of an account.")
class LedgerSide(Enum):
    """A side of an account."""

    DEBIT = "debit"
    CREDIT = "credit"


@strawberry.enum(description="A section of the books.")
class LedgerSection(Enum):
    """The sections of the books."""

    ASSET = "asset"
    LIABILITY = "liability"
    EQUITY = "equity"
    INCOME = "income"
    EXPENSE = "expense"


@strawberry.type(description="A line of an account: one side of a posting.")
class LedgerLine(Node):
    """A line of an account."""

    moved_by: strawberry.Private[UUID]
    side: LedgerSide
    amount: Money
    posted_at: datetime
    effective_at: datetime

    @strawberry.field(description="The transaction that the line belongs to.")
    async def transaction(self, info: Info) -> LedgerTransaction:
        """The transaction that the line belongs to."""
        found = await info.context.loader(_TRANSACTIONS, _transaction_loader).load(self.moved_by)
        assert found is not None  # noqa: S101 - a posting's foreign key
        return found

    @classmethod
    def of(cls, line: Line) -> LedgerLine:
        """A line as GraphQL shows it."""
        return cls(
            id=strawberry.ID(global_id("LedgerLine", line.key)),
            moved_by=line.transaction,
            side=LedgerSide.CREDIT if line.credited > 0 else LedgerSide.DEBIT,
            amount=Money.of(money.Money(abs(line.credited), line.currency)),
            posted_at=line.posted_at,
            effective_at=line.effective_at,
        )


@strawberry.type(description="A place that money can be in.")
class LedgerAccount(Node):
    """An account of the ledger."""

    key: strawberry.Private[UUID]
    kind: str = strawberry.field(description="Its entry in the chart of accounts, such as wallet.")
    currency: str
    owner_id: strawberry.ID | None = strawberry.field(
        description="The member whose it is; null: the shop's own."
    )

    @strawberry.field(description="The kind's name in the language of the request.")
    def title(self, info: Info) -> str:
        """The kind's name."""
        return title_of(info.context, self.kind)

    @strawberry.field(description="What was posted to it, the newest first.")
    async def statement(
        self,
        info: Info,
        first: int | None = None,
        after: str | None = None,
        last: int | None = None,
        before: str | None = None,
    ) -> Connection[LedgerLine]:
        """A page of the account's lines."""
        page = PageRequest.of(first, after, last, before)
        load = partial(_lines, info.context, page)
        return await pages_of(info.context, "settlement.account_lines", page, LINES, load).load(self.key)

    @classmethod
    def of(cls, side: Side, currency: str) -> LedgerAccount:
        """A side of a posting as GraphQL shows it."""
        owner = strawberry.ID(global_id("Member", side.owner_id)) if side.owner_kind == "member" else None
        return cls(
            id=strawberry.ID(global_id("LedgerAccount", side.id)),
            key=side.id,
            kind=side.kind,
            currency=currency,
            owner_id=owner,
        )


async def _lines(context: Context, page: PageRequest, accounts: list[UUID]) -> list[Connection[LedgerLine]]:
    found = await lines_of_accounts(context.db, accounts, page)
    return [page.connection(lines, LINES, lambda line: [line.id], LedgerLine.of) for lines in found]


@strawberry.type(description="An amount that went from one account to another.")
class LedgerPosting:
    """A posting."""

    debit: LedgerAccount
    credit: LedgerAccount
    amount: Money

    @classmethod
    def of(cls, posting: StoredPosting) -> LedgerPosting:
        """A stored posting as GraphQL shows it."""
        return cls(
            debit=LedgerAccount.of(posting.debit, posting.currency),
            credit=LedgerAccount.of(posting.credit, posting.currency),
            amount=Money.of(money.Money(posting.minor, posting.currency)),
        )


@strawberry.type(
    description="Something that moved money, once. It is never changed; a correction is a reversal."
)
class LedgerTransaction(Node):
    """A transaction of the ledger."""

    stored: strawberry.Private[StoredTransaction]
    key: str = strawberry.field(description="The idempotency key under which it was posted.")
    kind: str = strawberry.field(description="What happened: charge, manual_credit, reversal, …")
    memo: str
    effective_at: datetime = strawberry.field(description="When it counts.")
    posted_at: datetime = strawberry.field(description="When it was booked.")

    @strawberry.field(description="What moved.")
    async def postings(self, info: Info) -> list[LedgerPosting]:
        """The transaction's postings, in order."""
        postings = await info.context.loader(_POSTINGS, _posting_loader).load(self.stored.id)
        return [LedgerPosting.of(posting) for posting in postings]

    @strawberry.field(description="The transaction that this one takes back.")
    async def reverses(self, info: Info) -> LedgerTransaction | None:
        """The transaction that this one takes back."""
        return await _other(info.context, self.stored.reverses)

    @strawberry.field(description="The transaction that took this one back.")
    async def reversed_by(self, info: Info) -> LedgerTransaction | None:
        """The transaction that took this one back."""
        return await _other(info.context, self.stored.reversed_by)

    @classmethod
    def of(cls, stored: StoredTransaction) -> LedgerTransaction:
        """A stored transaction as GraphQL shows it."""
        return cls(
            id=strawberry.ID(global_id("LedgerTransaction", stored.id)),
            stored=stored,
            key=stored.key,
            kind=stored.kind,
            memo=stored.memo,
            effective_at=stored.effective_at,
            posted_at=stored.posted_at,
        )


@strawberry.type(description="All accounts of one kind and currency, added up.")
class TrialBalanceLine:
    """A line of a trial balance."""

    kind: str
    accounts: int = strawberry.field(description="How many accounts there are of it.")
    debits: Money
    credits: Money

    @strawberry.field(description="The section of the books that it belongs to; null: the chart lacks it.")
    def section(self, info: Info) -> LedgerSection | None:
        """The section."""
        known = info.context.service(Chart).kind(self.kind)
        return None if known is None else LedgerSection(section_of(known))

    @strawberry.field(
        description="Credits minus debits where it grows by credits, as wallets and sales do; else the reverse."
    )
    def balance(self, info: Info) -> Money:
        """The balance."""
        known = info.context.service(Chart).kind(self.kind)
        credited = self.credits.amount - self.debits.amount
        by_debits = known is not None and known.normal_side == "debit"
        return Money(amount=-credited if by_debits else credited, currency=self.debits.currency)

    @strawberry.field(description="The kind's name in the language of the request.")
    def title(self, info: Info) -> str:
        """The kind's name."""
        return title_of(info.context, self.kind)


@strawberry.type(
    description="All accounts of a currency, added up: debits and credits are equal, or the books are wrong."
)
class TrialBalance:
    """The trial balance of one currency."""

    currency: str
    debits: Money
    credits: Money
    difference: Money = strawberry.field(description="Debits minus credits; zero in sound books.")
    lines: list[TrialBalanceLine]


def trial_balances(totals: Sequence[KindTotal]) -> list[TrialBalance]:
    """The trial balance of each currency, from totals in order of currency."""
    balances = []
    for currency, group in groupby(totals, key=lambda total: total.currency):
        kinds = list(group)
        debits = money.Money(sum(total.debits for total in kinds), currency)
        credits_ = money.Money(sum(total.credits for total in kinds), currency)
        balances.append(
            TrialBalance(
                currency=currency,
                debits=Money.of(debits),
                credits=Money.of(credits_),
                difference=Money.of(debits - credits_),
                lines=[
                    TrialBalanceLine(
                        kind=total.kind,
                        accounts=total.accounts,
                        debits=Money.of(money.Money(total.debits, currency)),
                        credits=Money.of(money.Money(total.credits, currency)),
                    )
                    for total in kinds
                ],
            )
        )
    return balances


def title_of(context: Context, kind: str) -> str:
    """A kind of account's name in the language of the request."""
    return context.service(Chart).title(kind, context.locale)


_TRANSACTIONS, _POSTINGS = object(), object()


async def _other(context: Context, key: UUID | None) -> LedgerTransaction | None:
    return await context.loader(_TRANSACTIONS, _transaction_loader).load(key) if key else None


async def load_transactions(context: Context, keys: Sequence[UUID]) -> list[LedgerTransaction | None]:
    """Ledger transactions by key; None where there is none."""
    stored = await transactions_by_id(context.db, keys)
    return [LedgerTransaction.of(item) if item else None for item in stored]


async def transaction_nodes(context: Context, keys: Sequence[UUID]) -> list[LedgerTransaction | None]:
    """Ledger transactions for ``node(id:)``; None for all where the principal may not read the ledger."""
    if not context.principal.may(READ_LEDGER):
        return [None] * len(keys)
    return await load_transactions(context, keys)


async def line_nodes(context: Context, keys: Sequence[UUID]) -> list[LedgerLine | None]:
    """Lines of accounts for ``node(id:)``; None for all where the principal may not read the ledger."""
    if not context.principal.may(READ_LEDGER):
        return [None] * len(keys)
    lines = await lines_by_key(context.db, keys)
    return [LedgerLine.of(line) if line is not None else None for line in lines]


async def all_entries(context: Context, keys: Sequence[UUID]) -> list[WalletEntry | None]:
    """Lines of wallets for ``node(id:)``; None for all where the principal may not read the ledger."""
    if not context.principal.may(READ_LEDGER):
        return [None] * len(keys)
    return [entry_of(line) if line is not None else None for line in await lines_by_key(context.db, keys)]


def _transaction_loader(context: Context) -> DataLoader[UUID, LedgerTransaction | None]:
    async def load(keys: list[UUID]) -> list[LedgerTransaction | None]:
        return await load_transactions(context, keys)

    return DataLoader(load_fn=load)


def _posting_loader(context: Context) -> DataLoader[UUID, list[StoredPosting]]:
    async def load(transactions: list[UUID]) -> list[list[StoredPosting]]:
        return await postings_of(context.db, transactions)

    return DataLoader(load_fn=load)
