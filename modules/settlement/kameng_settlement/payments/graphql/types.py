"""GraphQL types of payments that both schemas show."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from enum import Enum
from typing import Any
from uuid import UUID

import msgspec
import strawberry
from strawberry.dataloader import DataLoader

from kameng import money
from kameng.auth import PrincipalKind
from kameng.graphql import LOCALES, Context, Info, Money, Node
from kameng.ids import global_id
from kameng_settlement.gateway_contract import Flow
from kameng_settlement.payments.accounts import StoredAccount
from kameng_settlement.payments.gateways import gateway
from kameng_settlement.payments.records import (
    OPEN_STATES,
    StoredAttempt,
    StoredPayment,
    attempt_of,
    payment_of,
)
from kameng_settlement.payments.routing import Offer, enabled_accounts, fitting, ways
from kameng_settlement.payments.starting import wanted
from kameng_settlement.payments.statements import ATTEMPTS_OF, PAYMENTS_BY_ID


@strawberry.enum(description="What has become of a payment.")
class PaymentState(Enum):
    """What has become of a payment."""

    CREATED = strawberry.enum_value("CREATED", description="Nobody has begun to pay it.")
    PENDING = strawberry.enum_value("PENDING", description="Somebody has begun to pay it.")
    PAID = strawberry.enum_value("PAID", description="The money is there.")
    CLOSED = strawberry.enum_value("CLOSED", description="Nobody waits for it any more.")
    EXPIRED = strawberry.enum_value("EXPIRED", description="Nobody paid it in time.")
    FAILED = strawberry.enum_value("FAILED", description="It cannot be paid.")


@strawberry.enum(description="How one gets to pay.")
class PaymentFlow(Enum):
    """How one gets to pay."""

    QR = strawberry.enum_value("qr", description="Show the text as a QR code.")
    REDIRECT = strawberry.enum_value("redirect", description="Go to the address, or post the form there.")
    IN_APP = strawberry.enum_value("in_app", description="Hand the parameters to the app around.")
    BALANCE = strawberry.enum_value("balance", description="From one's own wallet, at once.")
    MANUAL = strawberry.enum_value("manual", description="By a transfer that the shop's staff confirm.")


@strawberry.enum(description="What has become of a try to pay.")
class PaymentAttemptState(Enum):
    """What has become of a try to pay."""

    STARTING = strawberry.enum_value("STARTING", description="The gateway is being told.")
    WAITING = strawberry.enum_value("WAITING", description="It can be paid.")
    UNKNOWN = strawberry.enum_value("UNKNOWN", description="The gateway did not answer; it is asked.")
    PAID = strawberry.enum_value("PAID", description="It was paid.")
    CLOSED = strawberry.enum_value("CLOSED", description="It cannot be paid any more.")
    FAILED = strawberry.enum_value("FAILED", description="The gateway would not.")


@strawberry.type(description="A way to pay.")
class PaymentWay:
    """A way to pay."""

    gateway: str = strawberry.field(description="What startPayment wants to know.")
    flow: PaymentFlow
    title: str = strawberry.field(description="Its name in the language of the request.")


@strawberry.type(description="A name and a value.")
class PaymentParameter:
    """A name and a value."""

    name: str
    value: str


@strawberry.type(description="A try to pay: what the payer goes on with.")
class PaymentAttempt(Node):
    """A try to pay."""

    stored: strawberry.Private[StoredAttempt]
    number: str = strawberry.field(description="What it is called at the gateway.")
    flow: PaymentFlow
    state: PaymentAttemptState
    started_at: datetime
    expires_at: datetime
    qr: str | None = strawberry.field(description="The text of a QR code.")
    redirect_url: str | None = strawberry.field(
        description="Where the browser goes. Coming back proves nothing: look at the payment's state."
    )
    form: list[PaymentParameter] = strawberry.field(description="What is posted there; empty: it is fetched.")
    parameters: list[PaymentParameter] = strawberry.field(
        description="What the app around wants to know; of a transfer: where to, and which reference."
    )

    @classmethod
    def of(cls, stored: StoredAttempt) -> PaymentAttempt:
        """A stored attempt as GraphQL shows it."""
        answer: dict[str, Any] = msgspec.json.decode(stored.answer) if stored.answer else {}
        return cls(
            id=strawberry.ID(global_id("PaymentAttempt", stored.id)),
            stored=stored,
            number=stored.number,
            flow=PaymentFlow(stored.flow),
            state=PaymentAttemptState(stored.state),
            started_at=stored.started_at,
            expires_at=stored.expires_at,
            qr=answer.get("qr"),
            redirect_url=answer.get("redirect_url"),
            form=_parameters(answer.get("form")),
            parameters=_parameters(answer.get("params")),
        )


@strawberry.type(description="Something that is to be paid, or was, by a gateway.")
class Payment(Node):
    """A payment."""

    stored: strawberry.Private[StoredPayment]
    number: str = strawberry.field(description="By which its payer finds it.")
    purpose: str = strawberry.field(description="What for: order, top_up, …")
    memo: str = strawberry.field(description="What for, for people.")
    amount: Money
    refunded: Money = strawberry.field(description="What of it has gone back by its gateway.")
    state: PaymentState
    created_at: datetime
    expires_at: datetime = strawberry.field(
        description="Until when it can be begun. Later money is taken in too."
    )
    paid_at: datetime | None

    @strawberry.field(description="The ways to pay it, the preferred one first; empty where it is over.")
    async def ways(self, info: Info) -> list[PaymentWay]:
        """The ways to pay it."""
        return await info.context.loader(_WAYS, _way_loader).load(self.stored)

    @strawberry.field(description="The last try to pay it.")
    async def attempt(self, info: Info) -> PaymentAttempt | None:
        """The last try."""
        found = await attempts_of(info.context, self.stored.id)
        return PaymentAttempt.of(found[-1]) if found else None

    @classmethod
    def of(cls, stored: StoredPayment) -> Payment:
        """A stored payment as GraphQL shows it."""
        return cls(
            id=strawberry.ID(global_id("Payment", stored.id)),
            stored=stored,
            number=stored.number,
            purpose=stored.purpose,
            memo=stored.memo,
            amount=Money.of(stored.amount),
            refunded=Money.of(money.Money(stored.refunded_minor, stored.currency)),
            state=PaymentState(stored.state),
            created_at=stored.created_at,
            expires_at=stored.expires_at,
            paid_at=stored.paid_at,
        )


_ATTEMPTS, _WAYS = object(), object()


async def attempts_of(context: Context, payment: UUID) -> list[StoredAttempt]:
    """The attempts of a payment, in order; those asked for in one request come by one statement."""
    return await context.loader(_ATTEMPTS, _attempt_loader).load(payment)


def _attempt_loader(context: Context) -> DataLoader[UUID, list[StoredAttempt]]:
    async def load(keys: list[UUID]) -> list[list[StoredAttempt]]:
        found: dict[UUID, list[StoredAttempt]] = {key: [] for key in keys}
        for row in await context.db.fetch(ATTEMPTS_OF, keys):
            found[row["payment"]].append(attempt_of(row))
        return [found[key] for key in keys]

    return DataLoader(load)


def _way_loader(context: Context) -> DataLoader[StoredPayment, list[PaymentWay]]:
    async def load(payments: list[StoredPayment]) -> list[list[PaymentWay]]:
        offered = await enabled_accounts(context.kernel)
        return [_ways(context, offered, each) if each.state in OPEN_STATES else [] for each in payments]

    return DataLoader(load, cache_key_fn=lambda payment: payment.id)


def _ways(context: Context, offered: Sequence[StoredAccount], payment: StoredPayment) -> list[PaymentWay]:
    return ways_shown(context, fitting(offered, wanted(context.kernel, payment)))


def ways_shown(context: Context, offers: Sequence[Offer]) -> list[PaymentWay]:
    """The ways to pay that some accounts offer, in the language of the request."""
    chinese = context.locale == LOCALES[0]
    found = []
    for way in ways(offers):
        title = gateway(way.gateway).title
        flow = PaymentFlow(way.flow.value)
        found.append(PaymentWay(gateway=way.gateway, flow=flow, title=title.zh if chinese else title.en))
    return found


def _parameters(value: Mapping[str, str] | None) -> list[PaymentParameter]:
    return [PaymentParameter(name=name, value=text) for name, text in (value or {}).items()]


def flow_of(flow: PaymentFlow) -> Flow:
    """The contract's word for a flow."""
    return Flow(flow.value)


async def own_payments(context: Context, keys: Sequence[UUID]) -> list[Payment | None]:
    """Payments for ``node(id:)`` in the shop: everybody sees only his own."""
    principal = context.principal
    if principal.kind is not PrincipalKind.MEMBER or principal.scopes is not None:
        return [None] * len(keys)
    found = await payments_by_id(context, keys)
    return [Payment.of(each) if each and each.payer == principal.id else None for each in found]


async def payments_by_id(context: Context, keys: Sequence[UUID]) -> list[StoredPayment | None]:
    """Payments by key, in order. One statement."""
    found = {row["id"]: payment_of(row) for row in await context.db.fetch(PAYMENTS_BY_ID, list(keys))}
    return [found.get(key) for key in keys]


async def own_attempts(context: Context, keys: Sequence[UUID]) -> list[PaymentAttempt | None]:
    """Attempts for ``node(id:)`` in the shop: everybody sees only his own."""
    principal = context.principal
    if principal.kind is not PrincipalKind.MEMBER or principal.scopes is not None:
        return [None] * len(keys)
    rows = await context.db.fetch(
        """select a.* from settlement_payment_attempt a join settlement_payment p on p.id = a.payment
           where a.id = any($1::uuid[]) and p.payer = $2""",
        list(keys),
        principal.id,
    )
    found = {row["id"]: PaymentAttempt.of(attempt_of(row)) for row in rows}
    return [found.get(key) for key in keys]
