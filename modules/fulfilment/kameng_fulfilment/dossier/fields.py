"""What the staff sees of an order and its lines from other rooms, each only for those who may see it there."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Any, cast
from uuid import UUID

import strawberry
from strawberry.dataloader import DataLoader

from kameng.audit.office.graphql import AuditEntry
from kameng.audit.office.permissions import READ_AUDIT
from kameng.db import Statement
from kameng.graphql import Context, Info, foreign
from kameng.graphql.node import load_nodes
from kameng.ids import global_id
from kameng.notify.admin import READ as READ_NOTIFICATIONS
from kameng.notify.admin import Notification
from kameng_fulfilment.finding.graphql import LineDelivery
from kameng_fulfilment.reading import OrderReads
from kameng_fulfilment.suppliers.brings import READ_SUPPLIERS
from kameng_fulfilment.suppliers.graphql_types import SELECT_ORDERS, SupplierOrderNode
from kameng_settlement.contract import PaymentFinding

if TYPE_CHECKING:
    from kameng_fulfilment.types import Order, OrderLine

    Member = Any
    Payment = Any

MOST = 100
"""Entries of one kind that an order shows."""

NOTICES = Statement(
    "fulfilment.notices_of_orders",
    # By the unique constraint notify_message_once: what was told carries the key of the order or of its refund.
    """
    select told.about, m.* from (
        select id as about, 'fulfilment.order_completed:' || id as key from unnest($1::uuid[]) as o (id)
        union all select id, 'fulfilment.order_link:' || id from unnest($1::uuid[]) as o (id)
        union all select order_id, 'fulfilment.order_refunded:' || id from fulfilment_refund where order_id = any($1::uuid[])
    ) told join notify_message m on m.unique_key = told.key order by m.id
    """,
)

SUPPLIED = Statement(
    "fulfilment.supplied_of_orders",
    # By the lines of the orders, then by the unique constraint fulfilment_supplier_order_attempt.
    f"{SELECT_ORDERS} where l.order_id = any($1::uuid[]) order by s.id",
)

AUDIT_OF = Statement(
    "fulfilment.audit_of_orders",
    # By the index kernel_audit_by_subject, backwards, as far as is shown of each order.
    f"""
    select wanted.id as about, a.*, null::bigint as position from unnest($1::uuid[]) as wanted (id) cross join lateral (
        select * from kernel_audit a where a.subject = 'order:' || wanted.id order by a.at desc, a.id desc limit {MOST}
    ) a
    """,
)


@strawberry.type(description="A piece of a line that was handed to its buyer, without its secret.")
class HandedOver:
    """A piece that was handed over."""

    key: str = strawberry.field(description="Names it among those of its line.")
    number: str | None = strawberry.field(description="The card's public number, if it has one.")
    at: datetime
    retired: bool = strawberry.field(description="Whether it was found bad.")


@strawberry.type
class OrderDossier:
    """What the staff sees of an order from other rooms."""

    @strawberry.field(description="Whether nobody's account is behind it.")
    def guest(self) -> bool:
        """Whether a guest bought."""
        return cast("Order", self).stored.buyer_kind == "guest"

    @strawberry.field(
        description="The member who bought; null for guests, and without membership.read_members."
    )
    async def buyer(self, info: Info) -> Annotated[Member, foreign("membership")] | None:
        """The buyer."""
        order = cast("Order", self).stored
        if order.buyer_kind == "guest":
            return None
        return await _buyers(info.context).load(order.member)

    @strawberry.field(
        description="What was to be paid for it from outside, in order; empty without settlement.read_payments."
    )
    async def payments(self, info: Info) -> list[Annotated[Payment, foreign("settlement")]]:
        """Payments for it."""
        order = cast("Order", self).stored
        return await _payments(info.context).load(order.id) if order.payment == "OUTSIDE" else []

    @strawberry.field(
        description="What its buyer was told about it, in order; empty without notify.read_messages."
    )
    async def notifications(self, info: Info) -> list[Notification]:
        """Messages about it."""
        if not info.context.principal.may(READ_NOTIFICATIONS):
            return []
        rows = await _rows(info.context, NOTICES, "about").load(cast("Order", self).stored.id)
        return [Notification.of(row) for row in rows]

    @strawberry.field(
        description="What was ordered for it at suppliers, in order; empty without fulfilment.read_suppliers."
    )
    async def supplier_orders(self, info: Info) -> list[SupplierOrderNode]:
        """Orders at suppliers."""
        context = info.context
        if not context.principal.may(READ_SUPPLIERS):
            return []
        rows = await _rows(context, SUPPLIED, "order_id").load(cast("Order", self).stored.id)
        return [SupplierOrderNode.of(row) for row in rows]

    @strawberry.field(
        description="What the staff did to it, the newest first, at most 100; empty without audit.read."
    )
    async def audit(self, info: Info) -> list[AuditEntry]:
        """Entries of the audit log about it."""
        context = info.context
        if not context.principal.may(READ_AUDIT.name):
            return []
        rows = await _rows(context, AUDIT_OF, "about").load(cast("Order", self).stored.id)
        return [AuditEntry.of(row) for row in rows]


@strawberry.type
class LineDossier:
    """What the staff sees of a line from other rooms."""

    @strawberry.field(description="How it is delivered once it is paid.")
    def delivery(self) -> LineDelivery:
        """How it is delivered."""
        return LineDelivery(cast("OrderLine", self).stored.delivery)

    @strawberry.field(description="Units that are neither delivered nor taken back.")
    def remaining_quantity(self) -> int:
        """What is owed of it."""
        return cast("OrderLine", self).stored.remaining

    @strawberry.field(description="The cards that were handed over, without their secrets, in order.")
    async def handed_over(self, info: Info) -> list[HandedOver]:
        """The cards that were handed over."""
        cards = await info.context.service(OrderReads).cards(cast("OrderLine", self).stored.id)
        return [
            HandedOver(key=card.key, number=card.number, at=card.sold_at, retired=card.retired)
            for card in cards
        ]


def _rows(context: Context, statement: Statement, about: str) -> DataLoader[UUID, list[Any]]:
    """Rows of orders, those of one moment together; ``about`` names the column with the order's key."""

    async def load(keys: list[UUID]) -> list[list[Any]]:
        found: dict[UUID, list[Any]] = {key: [] for key in keys}
        for row in await context.db.fetch(statement, keys):
            found[row[about]].append(row)
        return [found[key] for key in keys]

    return context.loader(statement.name, lambda _context: DataLoader(load))


def _buyers(context: Context) -> DataLoader[UUID, Any]:
    async def load(keys: list[UUID]) -> list[Any]:
        nodes = context.kernel.schemas["admin"].nodes
        return list(await load_nodes(context, nodes, [global_id("Member", key) for key in keys]))

    return context.loader(_buyers, lambda _context: DataLoader(load))


def _payments(context: Context) -> DataLoader[UUID, list[Any]]:
    async def load(keys: list[UUID]) -> list[list[Any]]:
        of_orders = await context.kernel.services.get(PaymentFinding).payments_for("order", keys)
        wanted = list(dict.fromkeys(key for payments in of_orders.values() for key in payments))
        nodes = context.kernel.schemas["admin"].nodes
        found: dict[UUID, Any] = {}
        for start in range(0, len(wanted), MOST):
            part = wanted[start : start + MOST]
            ids = [global_id("Payment", key) for key in part]
            found |= dict(zip(part, await load_nodes(context, nodes, ids), strict=True))
        return [
            [found[payment] for payment in of_orders.get(key, ()) if found[payment] is not None]
            for key in keys
        ]

    return context.loader(_payments, lambda _context: DataLoader(load))
