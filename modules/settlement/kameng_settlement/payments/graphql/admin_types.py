"""GraphQL types of payments that the back office alone shows."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from enum import Enum
from typing import Any, TypeVar, cast
from uuid import UUID

import strawberry
from strawberry.dataloader import DataLoader

from kameng import money
from kameng.db import Statement, as_json
from kameng.graphql import Context, Info, Money, Node
from kameng.graphql.actors import staff_name
from kameng.graphql.exact import Long
from kameng.ids import global_id
from kameng.settings.fields import SettingField
from kameng_settlement.payments.accounts import (
    StoredAccount,
    account_of,
    notify_url,
    read_accounts,
    shown_settings,
)
from kameng_settlement.payments.graphql.types import Payment, PaymentAttempt, attempts_of, payments_by_id
from kameng_settlement.payments.permissions import READ_PAYMENTS
from kameng_settlement.payments.records import StoredPayment, StoredRefund, attempt_of, refund_of
from kameng_settlement.payments.statements import PROOFS_OF, REFUNDS_OF

T = TypeVar("T")

_HISTORY = Statement(
    "settlement.payment_histories",
    "select * from settlement_payment_history where payment = any($1::uuid[]) order by id",
)

_OBSERVATIONS = Statement(
    "settlement.payment_observations",
    "select * from settlement_payment_observation where payment = any($1::uuid[]) order by id",
)


@strawberry.enum(description="What has become of a refund by a gateway.")
class PaymentRefundState(Enum):
    """What has become of a refund."""

    REQUESTED = strawberry.enum_value("REQUESTED", description="It is being sent, or asked about.")
    ACCEPTED = strawberry.enum_value("ACCEPTED", description="The gateway is at it.")
    SUCCEEDED = strawberry.enum_value("SUCCEEDED", description="The money has gone back.")
    FAILED = strawberry.enum_value("FAILED", description="It has not; it is in the wallet again.")


@strawberry.type(description="A gateway that an installed package brings.")
class GatewayInfo:
    """A gateway."""

    name: str
    title: str
    settings: str = strawberry.field(description="A JSON Schema of an account's settings, as JSON.")
    secrets: list[str] = strawberry.field(description="Settings that are never shown again.")
    fields: list[SettingField] = strawberry.field(description="The settings as a form.")


@strawberry.type(name="MerchantAccount", description="One of the shop's accounts with a gateway.")
class MerchantAccountNode(Node):
    """An account with a gateway."""

    stored: strawberry.Private[StoredAccount]
    gateway: str
    code: str = strawberry.field(description="What the ledger calls it: clearing:<gateway>:<code>.")
    name: str
    merchant: str = strawberry.field(description="What the gateway calls the shop.")
    currencies: list[str]
    sites: list[str] = strawberry.field(
        description="Codes of the sites whose payments it takes; none: all. The empty one is the operator's own."
    )
    minimum_minor: Long = strawberry.field(description="The smallest payment, in minor units.")
    maximum_minor: Long | None = strawberry.field(description="The largest payment, in minor units.")
    fee_ppm: int = strawberry.field(description="What the gateway keeps, in millionths.")
    fee_fixed_minor: int
    priority: int = strawberry.field(description="Those with a smaller number are asked first.")
    weight: int = strawberry.field(description="The share of payments among equals.")
    timeout_seconds: int
    enabled: bool
    failures: int = strawberry.field(description="Calls without an answer since the last one with one.")
    resting_until: datetime | None = strawberry.field(description="Until then it is asked last.")

    @strawberry.field(description="The settings as JSON; secrets are hidden.")
    async def settings(self, info: Info) -> str:
        """The settings without secrets."""
        return as_json(await info.context.loader(_SHOWN, _shown_loader).load(self.stored))

    @strawberry.field(description="Where the gateway tells of payments.")
    def notify_url(self, info: Info) -> str:
        """The address of notifications."""
        return notify_url(info.context.kernel, self.stored)

    @classmethod
    def of(cls, stored: StoredAccount) -> MerchantAccountNode:
        """A stored account as GraphQL shows it."""
        return cls(
            id=strawberry.ID(global_id("MerchantAccount", stored.id)),
            stored=stored,
            gateway=stored.gateway,
            code=stored.code,
            name=stored.name,
            merchant=stored.merchant,
            currencies=stored.currencies,
            sites=stored.sites,
            minimum_minor=Long(stored.minimum_minor),
            maximum_minor=None if stored.maximum_minor is None else Long(stored.maximum_minor),
            fee_ppm=stored.fee_ppm,
            fee_fixed_minor=stored.fee_fixed_minor,
            priority=stored.priority,
            weight=stored.weight,
            timeout_seconds=stored.timeout_seconds,
            enabled=stored.enabled,
            failures=stored.failures,
            resting_until=stored.resting_until,
        )


@strawberry.type(description="Something that happened to a payment.")
class PaymentHistoryEntry:
    """Something that happened to a payment."""

    at: datetime
    from_state: str | None
    to_state: str
    actor: str
    note: str

    @strawberry.field(description="The name of who did it, where that was one of the staff.")
    async def actor_name(self, info: Info) -> str | None:
        """The name of who did it."""
        return await staff_name(info.context, self.actor)


@strawberry.type(description="What a gateway said of a payment, and what came of it.")
class PaymentObservation(Node):
    """What a gateway said."""

    account_key: strawberry.Private[UUID]
    payment_key: strawberry.Private[UUID | None]
    number: str = strawberry.field(description="Our number, as the gateway said it.")
    told_by: str = strawberry.field(description="notification, query, close or person.")
    status: str
    transaction: str | None = strawberry.field(description="The gateway's own number.")
    merchant: str | None
    amount: Money | None
    outcome: str = strawberry.field(description="What came of it, such as PAID, REPEATED or WRONG_AMOUNT.")
    note: str
    at: datetime

    @strawberry.field(description="Whose gateway said it.")
    async def account(self, info: Info) -> MerchantAccountNode:
        """The account."""
        return MerchantAccountNode.of(await load_account(info.context, self.account_key))

    @strawberry.field(description="The payment that it is about, if one is known.")
    async def payment(self, info: Info) -> Payment | None:
        """The payment."""
        return await load_payment(info.context, self.payment_key) if self.payment_key else None

    @classmethod
    def of(cls, row: Mapping[str, Any]) -> PaymentObservation:
        """A row of ``settlement_payment_observation`` as GraphQL shows it."""
        amount = None
        if row["amount_minor"] is not None:
            amount = Money.of(money.Money(row["amount_minor"], row["currency"]))
        return cls(
            id=strawberry.ID(global_id("PaymentObservation", row["id"])),
            account_key=row["account"],
            payment_key=row["payment"],
            number=row["number"],
            told_by=row["told_by"],
            status=row["status"],
            transaction=row["transaction"],
            merchant=row["merchant"],
            amount=amount,
            outcome=row["outcome"],
            note=row["note"],
            at=row["at"],
        )


@strawberry.type(description="Money on its way back by a gateway.")
class PaymentRefund(Node):
    """A refund by a gateway."""

    stored: strawberry.Private[StoredRefund]
    number: str = strawberry.field(description="What it is called at the gateway.")
    amount: Money
    reason: str
    state: PaymentRefundState
    requested_by: str
    gateway_reference: str | None
    note: str = strawberry.field(description="The last that is known of it.")
    created_at: datetime
    settled_at: datetime | None

    @classmethod
    def of(cls, stored: StoredRefund) -> PaymentRefund:
        """A stored refund as GraphQL shows it."""
        return cls(
            id=strawberry.ID(global_id("PaymentRefund", stored.id)),
            stored=stored,
            number=stored.number,
            amount=Money.of(stored.amount),
            reason=stored.reason,
            state=PaymentRefundState(stored.state),
            requested_by=stored.requested_by,
            gateway_reference=stored.gateway_reference,
            note=stored.note,
            created_at=stored.created_at,
            settled_at=stored.settled_at,
        )


@strawberry.type(description="A picture or document by which a payer shows a transfer.")
class TransferProof:
    """A proof of a transfer; openTransferProof shows it."""

    id: strawberry.ID
    media_type: str
    size: int
    at: datetime


@strawberry.type
class OfficePayment:
    """What the back office sees of a payment beside what its payer does."""

    @strawberry.field(description="Whose wallet it is for; null: a guest.")
    def payer_id(self) -> strawberry.ID | None:
        """The payer."""
        stored = _stored(self)
        return strawberry.ID(global_id("Member", stored.payer)) if stored.payer_kind == "member" else None

    @strawberry.field(description="The code of the site that it came from; empty: the operator's own.")
    def site(self) -> str:
        """The site."""
        return _stored(self).site

    @strawberry.field(description="The account that it came in by.")
    async def account(self, info: Info) -> MerchantAccountNode | None:
        """The account."""
        key = _stored(self).paid_to
        return MerchantAccountNode.of(await load_account(info.context, key)) if key else None

    @strawberry.field(description="The gateway's own number of it.")
    def transaction(self) -> str | None:
        """The gateway's own number."""
        return _stored(self).transaction

    @strawberry.field(description="Each try to pay it, in order.")
    async def attempts(self, info: Info) -> list[PaymentAttempt]:
        """The attempts."""
        return [PaymentAttempt.of(each) for each in await attempts_of(info.context, _stored(self).id)]

    @strawberry.field(description="What happened to it, in order.")
    async def history(self, info: Info) -> list[PaymentHistoryEntry]:
        """The history."""
        rows = await info.context.loader(_HISTORY, _rows_of(_HISTORY)).load(_stored(self).id)
        names = ("at", "from_state", "to_state", "actor", "note")
        return [PaymentHistoryEntry(**{name: row[name] for name in names}) for row in rows]

    @strawberry.field(description="What gateways said of it, in order.")
    async def observations(self, info: Info) -> list[PaymentObservation]:
        """The evidence."""
        rows = await info.context.loader(_OBSERVATIONS, _rows_of(_OBSERVATIONS)).load(_stored(self).id)
        return [PaymentObservation.of(row) for row in rows]

    @strawberry.field(description="What of it went back, or is to, in order.")
    async def refunds(self, info: Info) -> list[PaymentRefund]:
        """The refunds."""
        rows = await info.context.loader(REFUNDS_OF, _rows_of(REFUNDS_OF)).load(_stored(self).id)
        return [PaymentRefund.of(refund_of(row)) for row in rows]

    @strawberry.field(description="What its payer has shown of a transfer.")
    async def proofs(self, info: Info) -> list[TransferProof]:
        """The proofs."""
        found = []
        load = info.context.loader(PROOFS_OF, _rows_of(PROOFS_OF, "attempt"))
        for attempt in await attempts_of(info.context, _stored(self).id):
            if attempt.flow == "manual":
                found += await load.load(attempt.id)
        return [
            TransferProof(
                id=strawberry.ID(global_id("TransferProof", row["id"])),
                media_type=row["media_type"],
                size=row["size"],
                at=row["at"],
            )
            for row in found
        ]


def _stored(payment: object) -> StoredPayment:
    return cast("Payment", payment).stored


_SHOWN, _ACCOUNTS, _PAYMENTS = object(), object(), object()


def _rows_of(
    statement: Statement, column: str = "payment"
) -> Callable[[Context], DataLoader[UUID, list[Mapping[str, Any]]]]:
    def make(context: Context) -> DataLoader[UUID, list[Mapping[str, Any]]]:
        async def load(keys: list[UUID]) -> list[list[Mapping[str, Any]]]:
            found: dict[UUID, list[Mapping[str, Any]]] = {key: [] for key in keys}
            for row in await context.db.fetch(statement, keys):
                found[row[column]].append(row)
            return [found[key] for key in keys]

        return DataLoader(load)

    return make


def _shown_loader(context: Context) -> DataLoader[StoredAccount, dict[str, Any]]:
    async def load(accounts: list[StoredAccount]) -> list[dict[str, Any]]:
        return await shown_settings(context.kernel, accounts)

    return DataLoader(load, cache_key_fn=lambda account: account.id)


async def load_account(context: Context, key: UUID) -> StoredAccount:
    """An account; those asked for in one request come by one statement."""

    def make(context: Context) -> DataLoader[UUID, StoredAccount]:
        async def load(keys: list[UUID]) -> list[StoredAccount]:
            found = await read_accounts(context.kernel, keys)
            return [found[key] for key in keys]

        return DataLoader(load)

    return await context.loader(_ACCOUNTS, make).load(key)


async def load_payment(context: Context, key: UUID) -> Payment | None:
    """A payment; those asked for in one request come by one statement."""

    def make(context: Context) -> DataLoader[UUID, Payment | None]:
        async def load(keys: list[UUID]) -> list[Payment | None]:
            return [
                None if each is None else Payment.of(each) for each in await payments_by_id(context, keys)
            ]

        return DataLoader(load)

    return await context.loader(_PAYMENTS, make).load(key)


def _nodes(table: str, make: Callable[[Mapping[str, Any]], T]) -> Any:
    async def load(context: Context, keys: Sequence[UUID]) -> list[T | None]:
        if not context.principal.may(READ_PAYMENTS):
            return [None] * len(keys)
        rows = await context.db.fetch(f"select * from {table} where id = any($1::uuid[])", list(keys))
        found = {row["id"]: make(row) for row in rows}
        return [found.get(key) for key in keys]

    return load


async def all_payments(context: Context, keys: Sequence[UUID]) -> list[Payment | None]:
    """Payments for ``node(id:)`` in the back office."""
    if not context.principal.may(READ_PAYMENTS):
        return [None] * len(keys)
    return [None if each is None else Payment.of(each) for each in await payments_by_id(context, keys)]


ADMIN_NODES = {
    "Payment": all_payments,
    "PaymentAttempt": _nodes("settlement_payment_attempt", lambda row: PaymentAttempt.of(attempt_of(row))),
    "MerchantAccount": _nodes(
        "settlement_merchant_account", lambda row: MerchantAccountNode.of(account_of(row))
    ),
    "PaymentObservation": _nodes("settlement_payment_observation", PaymentObservation.of),
    "PaymentRefund": _nodes("settlement_payment_refund", lambda row: PaymentRefund.of(refund_of(row))),
}
"""How ``node(id:)`` finds them in the back office."""
