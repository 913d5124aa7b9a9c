"""Settlement's part of the admin schema: reading the ledger, crediting wallets, taking back."""

from __future__ import annotations

from datetime import date
from typing import Any, cast

import strawberry

from kameng.graphql import Connection, Info, mutation, payload
from kameng.graphql.pages import PageRequest
from kameng.graphql.scalars import MoneyInput
from kameng.ids import key_of
from kameng_settlement.account_graphql import AccountQuery
from kameng_settlement.admin_types import (
    READ_LEDGER,
    LedgerTransaction,
    TrialBalance,
    load_transactions,
    trial_balances,
)
from kameng_settlement.contract import InsufficientFunds
from kameng_settlement.crediting import credit_wallet, reverse_transaction
from kameng_settlement.days.graphql import DayQuery
from kameng_settlement.exporting.graphql import LedgerExportMutation
from kameng_settlement.holds.graphql import HoldMutation, HoldQuery
from kameng_settlement.journal import TRANSACTIONS, transaction_page, trial_balance
from kameng_settlement.ledger import AlreadyRefunded, AlreadyReversed
from kameng_settlement.period_types import LedgerDateInput
from kameng_settlement.periods import LedgerDate, days_of_pages
from kameng_settlement.settings import SettlementSettings
from kameng_settlement.types import Wallet, load_wallet

CREDIT_WALLET = "settlement.credit_wallet"
"""The permission to book money into wallets by hand."""

REVERSE_TRANSACTION = "settlement.reverse_transaction"
"""The permission to take ledger transactions back."""


@strawberry.type
class SettlementAdminQuery(AccountQuery, HoldQuery, DayQuery):
    """Queries of the back office."""

    @strawberry.field(
        description="The books added up, by currency: as they are, or as they were at the end of a day of the shop's pages."
    )
    async def trial_balance(
        self,
        info: Info,
        at: date | None = None,
        by: LedgerDateInput = LedgerDate.POSTED,  # type: ignore[valid-type]  # an enum that Strawberry named
    ) -> list[TrialBalance]:
        """The trial balance of each currency."""
        info.context.require(READ_LEDGER)
        until = None if at is None else days_of_pages(info.context.kernel, at, at)[1]
        return trial_balances(await trial_balance(info.context.db, until, LedgerDate(by)))

    @strawberry.field(
        description="The ledger's transactions, the newest first; of a kind, or of some days of the shop's pages."
    )
    async def ledger_transactions(
        self,
        info: Info,
        kind: str | None = None,
        since: date | None = None,
        until: date | None = None,
        first: int | None = None,
        after: str | None = None,
        last: int | None = None,
        before: str | None = None,
    ) -> Connection[LedgerTransaction]:
        """A page of ledger transactions."""
        info.context.require(READ_LEDGER)
        page = PageRequest.of(first, after, last, before)
        kernel = info.context.kernel
        begin = None if since is None else days_of_pages(kernel, since, since)[0]
        end = None if until is None else days_of_pages(kernel, until, until)[1]
        rows = await transaction_page(info.context.db, page, kind=kind, since=begin, until=end)
        return page.connection(rows, TRANSACTIONS, lambda row: [row.id], LedgerTransaction.of)


@strawberry.type
class MemberMoney:
    """What settlement adds to a member in the back office."""

    @strawberry.field(description="The member's wallet in a currency; without one, in the shop's own.")
    async def wallet(self, info: Info, currency: str | None = None) -> Wallet:
        """The member's wallet."""
        info.context.require(READ_LEDGER)
        section = info.context.kernel.settings.section("settlement", SettlementSettings)
        return await load_wallet(
            info.context, key_of("Member", cast("Any", self).id), currency or section.currency
        )


@strawberry.input(description="Money to book into a member's wallet.")
class CreditWalletInput:
    """Money to book into a member's wallet."""

    member_id: strawberry.ID
    amount: MoneyInput
    reason: str = strawberry.field(description="Why; it stays in the books, so it names no person.")


@payload()
class CreditWalletPayload:
    """The wallet after the credit, or why there was none."""

    wallet: Wallet | None = None
    transaction: LedgerTransaction | None = None


@strawberry.input(description="A ledger transaction to take back.")
class ReverseTransactionInput:
    """A ledger transaction to take back."""

    transaction_id: strawberry.ID
    reason: str = strawberry.field(description="Why; it stays in the books, so it names no person.")


@payload(AlreadyRefunded, AlreadyReversed, InsufficientFunds)
class ReverseTransactionPayload:
    """The reversal, or why there is none."""

    reversal: LedgerTransaction | None = None


@strawberry.type
class SettlementAdminMutation(HoldMutation, LedgerExportMutation):
    """Mutations of the back office."""

    @mutation(idempotency="own")
    async def credit_wallet(
        self,
        info: Info,
        input: CreditWalletInput,  # noqa: A002 - GraphQL's name
    ) -> CreditWalletPayload:
        """Book money from the operator's funds into a wallet. Needs an idempotency key; repeating is harmless."""
        context = info.context
        context.require(CREDIT_WALLET)
        member, amount = key_of("Member", input.member_id), input.amount.parsed()
        posted = await credit_wallet(context, member, amount, input.reason)
        return CreditWalletPayload(
            wallet=await load_wallet(context, member, amount.currency),
            transaction=(await load_transactions(context, [posted.transaction]))[0],
        )

    @mutation(idempotency="own")
    async def reverse_transaction(
        self,
        info: Info,
        input: ReverseTransactionInput,  # noqa: A002 - GraphQL's name
    ) -> ReverseTransactionPayload:
        """Take a ledger transaction back, once, by a reversal. Needs an idempotency key; repeating is harmless."""
        context = info.context
        context.require(REVERSE_TRANSACTION)
        key = key_of("LedgerTransaction", input.transaction_id)
        posted = await reverse_transaction(context, key, input.reason)
        return ReverseTransactionPayload(reversal=(await load_transactions(context, [posted.transaction]))[0])
