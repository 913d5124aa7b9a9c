"""What the back office sees of holds, and how it lets one go."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from enum import Enum
from uuid import UUID

import strawberry
from strawberry.dataloader import DataLoader

from kameng import money
from kameng.errors import Refusal
from kameng.graphql import Connection, Context, Info, Money, Node, mutation, payload
from kameng.graphql.pages import PageRequest
from kameng.ids import global_id, key_of
from kameng_settlement.account_graphql import account_of
from kameng_settlement.account_reads import StoredAccount, accounts_by_id
from kameng_settlement.admin_types import READ_LEDGER, LedgerAccount, LedgerTransaction, load_transactions
from kameng_settlement.crediting import checked_reason, key_of_request
from kameng_settlement.hold_contract import HoldClosed, Holds, HoldVoiding
from kameng_settlement.holds.reading import HOLDS, StoredHold, hold_page, holds_by_id

VOID_HOLD = "settlement.void_hold"
"""The permission to let held money go."""


@strawberry.enum(description="What became of a hold.")
class HoldState(Enum):
    """What became of a hold."""

    PENDING = strawberry.enum_value("pending", description="The money is set aside.")
    POSTED = strawberry.enum_value("posted", description="It was taken, in whole or part; the rest is free.")
    VOIDED = strawberry.enum_value("voided", description="It is free again.")
    EXPIRED = strawberry.enum_value("expired", description="It is free again, since nobody took it in time.")


@strawberry.type(
    description="Money of an account that is set aside until it is posted, voided or has expired."
)
class LedgerHold(Node):
    """A hold."""

    stored: strawberry.Private[StoredHold]
    kind: str = strawberry.field(description="The kind of ledger transaction that it becomes.")
    memo: str
    amount: Money
    state: HoldState
    placed_at: datetime
    expires_at: datetime | None
    resolved_at: datetime | None
    posted: Money | None = strawberry.field(description="What was taken of it.")

    @strawberry.field(description="The account that pays.")
    async def debit(self, info: Info) -> LedgerAccount:
        """The account that pays."""
        return await _account(info.context, self.stored.debit_account)

    @strawberry.field(description="The account that gets it.")
    async def credit(self, info: Info) -> LedgerAccount:
        """The account that gets it."""
        return await _account(info.context, self.stored.credit_account)

    @strawberry.field(description="The ledger transaction that carries what was taken.")
    async def transaction(self, info: Info) -> LedgerTransaction | None:
        """The ledger transaction that carries what was taken."""
        key = self.stored.transaction
        return None if key is None else await info.context.loader(_TRANSACTIONS, _transactions).load(key)

    @classmethod
    def of(cls, stored: StoredHold) -> LedgerHold:
        """A stored hold as GraphQL shows it."""
        posted = stored.posted
        return cls(
            id=strawberry.ID(global_id("LedgerHold", stored.id)),
            stored=stored,
            kind=stored.kind,
            memo=stored.memo,
            amount=Money.of(money.Money(stored.amount, stored.currency)),
            state=HoldState(stored.state),
            placed_at=stored.placed_at,
            expires_at=stored.expires_at,
            resolved_at=stored.resolved_at,
            posted=None if posted is None else Money.of(money.Money(posted, stored.currency)),
        )


@strawberry.type
class HoldQuery:
    """Queries of holds."""

    @strawberry.field(description="Money that is or was set aside, the newest first.")
    async def holds(
        self,
        info: Info,
        pending: bool = True,
        first: int | None = None,
        after: str | None = None,
        last: int | None = None,
        before: str | None = None,
    ) -> Connection[LedgerHold]:
        """A page of holds: those that wait, or all."""
        info.context.require(READ_LEDGER)
        page = PageRequest.of(first, after, last, before)
        rows = await hold_page(info.context.db, page, pending=pending)
        return page.connection(rows, HOLDS, lambda row: [row.id], LedgerHold.of)


@strawberry.input(description="Held money to let go.")
class VoidHoldInput:
    """Held money to let go."""

    hold_id: strawberry.ID
    reason: str = strawberry.field(description="For the audit log.")


@payload(HoldClosed)
class VoidHoldPayload:
    """The hold, or why it stays."""

    hold: LedgerHold | None = None


@strawberry.type
class HoldMutation:
    """Mutations of holds."""

    @mutation(idempotency="own")
    async def void_hold(
        self,
        info: Info,
        input: VoidHoldInput,  # noqa: A002 - GraphQL's name
    ) -> VoidHoldPayload:
        """Let held money go. Needs an idempotency key; repeating is harmless."""
        context = info.context
        context.require(VOID_HOLD)
        key, reason = key_of_request(context, "void_hold"), checked_reason(input.reason)
        hold = key_of("LedgerHold", input.hold_id)
        async with context.db.transaction():
            [answer] = await context.service(Holds).void([HoldVoiding(key=key, hold=hold)])
            if isinstance(answer, Refusal):
                raise answer
            if answer.fresh:
                await context.kernel.audit.record(
                    "settlement.void_hold",
                    principal=context.principal,
                    subject=f"hold:{hold}",
                    details={"reason": reason},
                    correlation_id=context.correlation_id,
                    address=context.address,
                )
        [stored] = await holds_by_id(context.db, [hold])
        return VoidHoldPayload(hold=LedgerHold.of(stored) if stored else None)


async def hold_nodes(context: Context, keys: Sequence[UUID]) -> list[LedgerHold | None]:
    """Holds for ``node(id:)``; None for all where the principal may not read the ledger."""
    if not context.principal.may(READ_LEDGER):
        return [None] * len(keys)
    return [LedgerHold.of(row) if row else None for row in await holds_by_id(context.db, keys)]


_ACCOUNTS, _TRANSACTIONS = object(), object()


async def _account(context: Context, key: UUID) -> LedgerAccount:
    stored = await context.loader(_ACCOUNTS, _accounts).load(key)
    assert stored is not None  # noqa: S101 - a hold's foreign key
    return account_of(stored)


def _accounts(context: Context) -> DataLoader[UUID, StoredAccount | None]:
    async def load(keys: list[UUID]) -> list[StoredAccount | None]:
        return await accounts_by_id(context.db, keys)

    return DataLoader(load_fn=load)


def _transactions(context: Context) -> DataLoader[UUID, LedgerTransaction | None]:
    async def load(keys: list[UUID]) -> list[LedgerTransaction | None]:
        return await load_transactions(context, keys)

    return DataLoader(load_fn=load)
