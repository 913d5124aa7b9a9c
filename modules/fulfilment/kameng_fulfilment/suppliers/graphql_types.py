"""GraphQL types of the back office: accounts with suppliers, their offers, orders there and what was exchanged."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from enum import Enum
from typing import TYPE_CHECKING, Annotated, Any
from uuid import UUID

import strawberry
from strawberry.dataloader import DataLoader

from kameng import money
from kameng.db import as_json
from kameng.graphql import Context, Info, Money, Node, foreign
from kameng.graphql.node import load_nodes
from kameng.ids import global_id
from kameng_fulfilment.orders import orders_by_id
from kameng_fulfilment.suppliers.connections import (
    StoredConnection,
    read_connections,
    shown_settings,
)
from kameng_fulfilment.suppliers.offers import StoredOffer
from kameng_fulfilment.suppliers.records import SupplierOrder, supplier_order_of
from kameng_fulfilment.types import Order

if TYPE_CHECKING:
    Variant = Any

MOST_EXCHANGES = 200
"""Exchanges of one order that are shown, the last ones."""


@strawberry.enum(description="Whether something is ordered at an account.")
class SupplierAccountState(Enum):
    """Whether something is ordered at an account."""

    ENABLED = "enabled"
    DISABLED = "disabled"


@strawberry.enum(description="Where an order at a supplier stands.")
class SupplierOrderState(Enum):
    """Where an order at a supplier stands."""

    PREPARED = strawberry.enum_value("PREPARED", description="Written down, and not sent.")
    SENT = strawberry.enum_value("SENT", description="A call is under way, or its worker is gone.")
    ACCEPTED = strawberry.enum_value("ACCEPTED", description="The supplier is at it.")
    UNKNOWN = strawberry.enum_value("UNKNOWN", description="Nobody knows; it is asked about.")
    DELIVERED = strawberry.enum_value("DELIVERED", description="The supplier has delivered.")
    REJECTED = strawberry.enum_value("REJECTED", description="The supplier will not deliver.")
    FAILED = strawberry.enum_value("FAILED", description="The supplier never got it, or it was given up.")


@strawberry.enum(description="Why a person has to look at an order at a supplier.")
class SupplierAttention(Enum):
    """Why a person has to look at it."""

    SLOW = strawberry.enum_value("SLOW", description="The supplier has been at it for long.")
    UNKNOWN = strawberry.enum_value("UNKNOWN", description="Nobody has known for long what became of it.")
    INCOMPLETE = strawberry.enum_value("INCOMPLETE", description="Some of the codes came; they are kept.")
    LATE = strawberry.enum_value(
        "LATE", description="It came after the line was refunded, given up or delivered; it is kept."
    )
    COST = strawberry.enum_value("COST", description="The supplier took something else than was expected.")
    CONTRADICTS = strawberry.enum_value("CONTRADICTS", description="The supplier says one thing and another.")


@strawberry.type(description="A protocol that suppliers speak, brought by an installed package.")
class SupplierProtocolInfo:
    """A protocol."""

    name: str
    title: str
    settings: str = strawberry.field(description="A JSON Schema of an account's settings, as JSON.")
    secrets: list[str] = strawberry.field(description="Settings that are never shown again.")


@strawberry.type(description="An account with a supplier.")
class SupplierAccount(Node):
    """An account with a supplier."""

    stored: strawberry.Private[StoredConnection]
    name: str
    protocol: str
    state: SupplierAccountState
    timeout_seconds: float
    concurrency: int = strawberry.field(description="Calls under way at once, in the whole deployment.")
    failures: int = strawberry.field(description="Calls without an answer since the last one with one.")
    resting_until: datetime | None = strawberry.field(
        description="Until then nothing is ordered there, since it did not answer again and again."
    )

    @strawberry.field(description="The settings as JSON; secrets are hidden.")
    async def settings(self, info: Info) -> str:
        """The settings without secrets."""
        return as_json(await _shown(info.context).load(self.stored))

    @strawberry.field(description="Where the supplier tells of its orders.")
    def callback_url(self, info: Info) -> str:
        """The address of callbacks."""
        return f"{info.context.kernel.settings.public_url}/callbacks/suppliers/{self.stored.id}"

    @classmethod
    def of(cls, stored: StoredConnection) -> SupplierAccount:
        """A stored account as GraphQL shows it."""
        return cls(
            id=strawberry.ID(global_id("SupplierAccount", stored.id)),
            stored=stored,
            name=stored.name,
            protocol=stored.protocol,
            state=SupplierAccountState(stored.state),
            timeout_seconds=stored.timeout_seconds,
            concurrency=stored.concurrency,
            failures=stored.failures,
            resting_until=stored.resting_until,
        )


@strawberry.type(description="That a supplier delivers a variant, and for how much.")
class SupplierOffer(Node):
    """An offer."""

    stored: strawberry.Private[StoredOffer]
    supplier_sku: str = strawberry.field(description="What the supplier calls it.")
    cost: Money = strawberry.field(description="What a piece costs, with four decimals.")
    priority: int = strawberry.field(description="Those with a smaller number are tried first.")
    enabled: bool
    codes: bool = strawberry.field(description="Whether each piece is a code.")
    below_cost: bool = strawberry.field(
        description="Whether it is ordered although it costs more than the buyer paid."
    )

    @strawberry.field(description="The account with the supplier.")
    async def account(self, info: Info) -> SupplierAccount:
        """The account."""
        return SupplierAccount.of(await _connections(info.context).load(self.stored.connection))

    @strawberry.field(description="The variant, if it is still there.")
    async def variant(self, info: Info) -> Annotated[Variant, foreign("catalog")] | None:
        """The variant."""
        return await office_variants(info.context).load(self.stored.variant)

    @classmethod
    def of(cls, stored: StoredOffer) -> SupplierOffer:
        """A stored offer as GraphQL shows it."""
        return cls(
            id=strawberry.ID(global_id("SupplierOffer", stored.id)),
            stored=stored,
            supplier_sku=stored.their_sku,
            cost=Money.of(money.UnitPrice(stored.cost, stored.currency)),
            priority=stored.priority,
            enabled=stored.enabled,
            codes=stored.codes,
            below_cost=stored.below_cost,
        )


@strawberry.type(description="One exchange about an order at a supplier, or what a person did to it.")
class SupplierExchange:
    """One exchange."""

    at: datetime
    kind: str = strawberry.field(description="plan, send, ask, callback or person.")
    outcome: str
    milliseconds: int | None
    note: str = strawberry.field(description="A few words, without codes and secrets.")
    actor: str


@strawberry.type(name="SupplierOrder", description="An order at a supplier, for a line of a buyer's order.")
class SupplierOrderNode(Node):
    """An order at a supplier."""

    stored: strawberry.Private[SupplierOrder]
    order_key: strawberry.Private[UUID]
    state: SupplierOrderState
    attention: SupplierAttention | None = strawberry.field(description="Why a person has to look at it.")
    reference: str = strawberry.field(description="Our name of it at the supplier.")
    supplier_reference: str | None = strawberry.field(description="The supplier's own, if known.")
    supplier_sku: str
    quantity: int
    attempt: int = strawberry.field(description="Which one of its line it is, from 1.")
    expected: Money = strawberry.field(description="What it was expected to cost.")
    charged: Money | None = strawberry.field(
        description="What the supplier says it took; null: it did not say."
    )
    note: str = strawberry.field(description="The last that is known of it.")
    kept: bool = strawberry.field(description="Whether codes came that could not be handed to the buyer.")
    created_at: datetime
    sent_at: datetime | None
    settled_at: datetime | None

    @strawberry.field(description="The account with the supplier.")
    async def account(self, info: Info) -> SupplierAccount:
        """The account."""
        return SupplierAccount.of(await _connections(info.context).load(self.stored.connection))

    @strawberry.field(description="The buyer's order.")
    async def order(self, info: Info) -> Order:
        """The buyer's order."""
        return Order.of(await _orders(info.context).load(self.order_key))

    @strawberry.field(description="What was exchanged about it, in order.")
    async def exchanges(self, info: Info) -> list[SupplierExchange]:
        """The timeline."""
        rows = await _exchanges(info.context).load(self.stored.id)
        return [
            SupplierExchange(
                at=row["at"],
                kind=row["kind"],
                outcome=row["outcome"],
                milliseconds=row["milliseconds"],
                note=row["note"],
                actor=row["actor"],
            )
            for row in reversed(rows)
        ]

    @classmethod
    def of(cls, row: Mapping[str, Any]) -> SupplierOrderNode:
        """A row with the key of the buyer's order as GraphQL shows it."""
        stored = supplier_order_of(row)
        charged = None
        if stored.charged_minor is not None:
            charged = Money.of(money.Money(stored.charged_minor, stored.currency))
        return cls(
            id=strawberry.ID(global_id("SupplierOrder", stored.id)),
            stored=stored,
            order_key=row["order_id"],
            state=SupplierOrderState(stored.state),
            attention=SupplierAttention(stored.attention) if stored.attention else None,
            reference=stored.reference,
            supplier_reference=stored.their_reference,
            supplier_sku=stored.their_sku,
            quantity=stored.quantity,
            attempt=stored.attempt,
            expected=Money.of(stored.expected),
            charged=charged,
            note=stored.note,
            kept=stored.sealed is not None,
            created_at=stored.created_at,
            sent_at=stored.sent_at,
            settled_at=stored.settled_at,
        )


def _connections(context: Context) -> DataLoader[UUID, StoredConnection]:
    async def load(keys: list[UUID]) -> list[Any]:
        found = await read_connections(context.kernel, keys)
        return [found[key] for key in keys]

    return context.loader(_connections, lambda _context: DataLoader(load))


def _shown(context: Context) -> DataLoader[StoredConnection, dict[str, Any]]:
    async def load(connections: list[StoredConnection]) -> list[Any]:
        return list(await shown_settings(context.kernel, connections))

    return context.loader(_shown, lambda _context: DataLoader(load))


def _orders(context: Context) -> DataLoader[UUID, Any]:
    async def load(keys: list[UUID]) -> list[Any]:
        found = await orders_by_id(context.db, keys)
        return [found[key] for key in keys]

    return context.loader(_orders, lambda _context: DataLoader(load))


def office_variants(context: Context) -> DataLoader[UUID, Any]:
    """Variants as the admin schema shows them, those of one moment together."""

    async def load(keys: list[UUID]) -> list[Any]:
        nodes = context.kernel.schemas["admin"].nodes
        return list(await load_nodes(context, nodes, [global_id("Variant", key) for key in keys]))

    return context.loader(office_variants, lambda _context: DataLoader(load))


def _exchanges(context: Context) -> DataLoader[UUID, list[Any]]:
    async def load(keys: list[UUID]) -> list[list[Any]]:
        rows = await context.db.fetch(
            f"""
            select found.* from unnest($1::uuid[]) as wanted (key) cross join lateral (
                select * from fulfilment_supplier_attempt a where a.supplier_order = wanted.key
                order by a.id desc limit {MOST_EXCHANGES}
            ) as found
            """,
            keys,
        )
        found: dict[UUID, list[Any]] = {key: [] for key in keys}
        for row in rows:
            found[row["supplier_order"]].append(row)
        return [found[key] for key in keys]

    return context.loader(_exchanges, lambda _context: DataLoader(load))


SELECT_ORDERS = """
select s.*, l.order_id from fulfilment_supplier_order s join fulfilment_order_line l on l.id = s.line
"""
