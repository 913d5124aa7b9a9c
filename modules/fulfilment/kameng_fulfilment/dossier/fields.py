"""What the staff sees of an order and its lines from other rooms, each only for those who may see it there."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Any, cast

import strawberry

from kameng.audit.office.graphql import AuditEntry
from kameng.audit.office.permissions import READ_AUDIT
from kameng.db import Statement
from kameng.graphql import Info, foreign
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
    "fulfilment.notices_of_order",
    # By the unique constraint notify_message_once: what was told carries the key of the order or of its refund.
    """
    select * from notify_message where unique_key = any (
        select 'fulfilment.order_completed:' || $1::uuid
        union all select 'fulfilment.order_link:' || $1::uuid
        union all select 'fulfilment.order_refunded:' || id from fulfilment_refund where order_id = $1::uuid
    ) order by id limit 100
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
        nodes = info.context.kernel.schemas["admin"].nodes
        (found,) = await load_nodes(info.context, nodes, [global_id("Member", order.member)])
        return found

    @strawberry.field(
        description="What was to be paid for it from outside, in order; empty without settlement.read_payments."
    )
    async def payments(self, info: Info) -> list[Annotated[Payment, foreign("settlement")]]:
        """Payments for it."""
        order, kernel = cast("Order", self).stored, info.context.kernel
        if order.payment != "OUTSIDE":
            return []
        keys = await kernel.services.get(PaymentFinding).payments_for("order", order.id)
        nodes = kernel.schemas["admin"].nodes
        ids = [global_id("Payment", key) for key in keys[:MOST]]
        return [payment for payment in await load_nodes(info.context, nodes, ids) if payment is not None]

    @strawberry.field(
        description="What its buyer was told about it, in order; empty without notify.read_messages."
    )
    async def notifications(self, info: Info) -> list[Notification]:
        """Messages about it."""
        if not info.context.principal.may(READ_NOTIFICATIONS):
            return []
        rows = await info.context.db.fetch(NOTICES, cast("Order", self).stored.id)
        return [Notification.of(row) for row in rows]

    @strawberry.field(
        description="What was ordered for it at suppliers, in order; empty without fulfilment.read_suppliers."
    )
    async def supplier_orders(self, info: Info) -> list[SupplierOrderNode]:
        """Orders at suppliers."""
        context = info.context
        if not context.principal.may(READ_SUPPLIERS):
            return []
        lines = await context.service(OrderReads).lines(cast("Order", self).stored.id)
        supplied = [line.id for line in lines if line.delivery == "supplier"]
        if not supplied:
            return []
        rows = await context.db.fetch(
            f"{SELECT_ORDERS} where s.line = any($1::uuid[]) order by s.id limit {MOST}", supplied
        )
        return [SupplierOrderNode.of(row) for row in rows]

    @strawberry.field(
        description="What the staff did to it, the newest first, at most 100; empty without audit.read."
    )
    async def audit(self, info: Info) -> list[AuditEntry]:
        """Entries of the audit log about it."""
        context = info.context
        if not context.principal.may(READ_AUDIT.name):
            return []
        subject = f"order:{cast('Order', self).stored.id}"
        page = await context.kernel.audit.page(subject=subject, limit=MOST)
        return [AuditEntry.of_entry(entry) for entry in page.entries]


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
