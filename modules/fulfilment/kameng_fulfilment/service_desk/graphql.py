"""The service desk in the back office: the queue, and working on it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from enum import Enum
from typing import Any
from uuid import UUID

import strawberry

from kameng.errors import NotFound
from kameng.graphql import Connection, Context, Info, Node, mutation, payload
from kameng.graphql.pages import Keyset, PageRequest
from kameng.ids import global_id, key_of
from kameng_fulfilment.reading import OrderReads
from kameng_fulfilment.service_desk import working
from kameng_fulfilment.service_desk.brings import MANAGE_SERVICE, SERVE
from kameng_fulfilment.service_desk.working import (
    NothingToServe,
    Service,
    ServiceClaimed,
    ServiceNotClaimed,
    service_of,
)
from kameng_fulfilment.states import WrongDeliveryState
from kameng_fulfilment.types import Order, OrderLine

URGENT = Keyset("services-urgent", (("s.due_by", "timestamptz"), ("s.line", "uuid")))

_SELECT = """
select s.*, l.order_id from fulfilment_service s
join fulfilment_order_line l on l.id = s.line join fulfilment_order o on o.id = l.order_id
"""

_OWED = (
    "s.closed_at is null and l.due_at is not null and o.state in ('PAID', 'DELIVERING', 'PARTLY_DELIVERED')"
)


@strawberry.enum(description="Which lines on the service desk to list.")
class ServiceQueue(Enum):
    """Which lines on the service desk to list."""

    WAITING = strawberry.enum_value("waiting", description="Nobody works on them.")
    MINE = strawberry.enum_value("mine", description="You work on them.")
    CLAIMED = strawberry.enum_value("claimed", description="Somebody works on them.")
    OVERDUE = strawberry.enum_value("overdue", description="Their time is over, whoever works on them.")
    FAILED = strawberry.enum_value("failed", description="They could not be done; claim one to try again.")


_QUEUES = {
    ServiceQueue.WAITING: "l.delivery_state <> 'FAILED' and (s.claimed_until is null or s.claimed_until <= now())",
    ServiceQueue.MINE: "s.claimed_by = $1 and s.claimed_until > now()",
    ServiceQueue.CLAIMED: "s.claimed_until > now()",
    ServiceQueue.OVERDUE: "s.due_by < now()",
    ServiceQueue.FAILED: "l.delivery_state = 'FAILED'",
}


@strawberry.type(name="Service", description="A line of an order that the staff deliver.")
class ServiceNode(Node):
    """A line that the staff deliver."""

    stored: strawberry.Private[Service]
    order_key: strawberry.Private[UUID]
    due_by: datetime = strawberry.field(description="Until when it is to be delivered.")
    claimed_until: datetime | None = strawberry.field(
        description="Until when it is one person's; none where nobody works on it."
    )
    claimed_by: str | None = strawberry.field(description="Who works on it, such as staff:0189….")

    @strawberry.field(description="Whether its time is over and it is still owed.")
    def overdue(self) -> bool:
        """Whether its time is over."""
        return self.stored.closed_at is None and self.stored.due_by < datetime.now(UTC)

    @strawberry.field(description="The order that it belongs to.")
    async def order(self, info: Info) -> Order:
        """The order."""
        (order,) = await info.context.service(OrderReads).orders([self.order_key])
        if order is None:
            raise NotFound("There is no such order.")
        return Order.of(order)

    @strawberry.field(description="The line, with what the buyer filled in.")
    async def line(self, info: Info) -> OrderLine:
        """The line."""
        reads = info.context.service(OrderReads)
        (order,) = await reads.orders([self.order_key])
        lines = await reads.lines(self.order_key)
        if order is None:
            raise NotFound("There is no such order.")
        return OrderLine.of(next(line for line in lines if line.id == self.stored.line), order)

    @classmethod
    def of(cls, row: Mapping[str, Any]) -> ServiceNode:
        """A row with its order's key as GraphQL shows it."""
        service = service_of(row)
        claimed = service.is_claimed(datetime.now(UTC))
        return cls(
            id=strawberry.ID(global_id("Service", service.line)),
            stored=service,
            order_key=row["order_id"],
            due_by=service.due_by,
            claimed_until=service.claimed_until if claimed else None,
            claimed_by=service.claimed_by if claimed else None,
        )


async def service_nodes(context: Context, keys: Sequence[UUID]) -> list[ServiceNode | None]:
    """Services for ``node(id:)``."""
    if not context.principal.may(SERVE):
        return [None for _ in keys]
    rows = await context.db.fetch(f"{_SELECT} where s.line = any($1::uuid[])", list(keys))
    found = {row["line"]: ServiceNode.of(row) for row in rows}
    return [found.get(key) for key in keys]


@payload(WrongDeliveryState, ServiceClaimed)
class ClaimServicePayload:
    """The line that is yours now, or why it is not."""

    service: ServiceNode | None = None


@payload(NothingToServe)
class ClaimNextServicePayload:
    """The line that is yours now, or that there is none."""

    service: ServiceNode | None = None


@payload(WrongDeliveryState, ServiceNotClaimed)
class ReleaseServicePayload:
    """The line, which anybody may take now."""

    service: ServiceNode | None = None


@strawberry.input(description="What was delivered of a line on the service desk.")
class DeliverServiceInput:
    """What was delivered."""

    service_id: strawberry.ID
    texts: list[str] = strawberry.field(
        default_factory=list, description="Codes and messages for the buyer; kept encrypted."
    )
    quantity: int | None = strawberry.field(
        default=None, description="How many units; none: all that are owed."
    )


@payload(WrongDeliveryState, ServiceNotClaimed)
class DeliverServicePayload:
    """The line, or why nothing was delivered."""

    service: ServiceNode | None = None


@payload(WrongDeliveryState, ServiceNotClaimed)
class FailServicePayload:
    """The line, or why it stays as it was."""

    service: ServiceNode | None = None


@payload()
class SetServiceTimePayload:
    """How soon it is to be delivered."""

    minutes: int | None = None


@strawberry.type
class ServiceDeskQuery:
    """Queries on the service desk."""

    @strawberry.field(
        description="Lines that the staff deliver, the most urgent first. Needs fulfilment.serve_orders."
    )
    async def services(
        self,
        info: Info,
        queue: ServiceQueue = ServiceQueue.WAITING,
        first: int | None = None,
        after: str | None = None,
        last: int | None = None,
        before: str | None = None,
    ) -> Connection[ServiceNode]:
        """A page of the queue."""
        context = info.context
        context.require(SERVE)
        page = PageRequest.of(first, after, last, before)
        values = [context.principal.key] if queue is ServiceQueue.MINE else []
        behind, tail, cursor = page.clauses(URGENT, len(values) + 1)
        rows = await context.db.fetch(
            f"{_SELECT} where {_OWED} and not o.held and {_QUEUES[queue]} and {behind} {tail}",
            *values,
            *cursor,
        )
        return page.connection(rows, URGENT, lambda row: [row["due_by"], row["line"]], ServiceNode.of)


@strawberry.type
class ServiceDeskMutation:
    """Mutations on the service desk. All need fulfilment.serve_orders."""

    @mutation
    async def claim_service(self, info: Info, service_id: strawberry.ID) -> ClaimServicePayload:
        """Take a line, or keep it for longer: nobody else works on it meanwhile."""
        info.context.require(SERVE)
        line = key_of("Service", service_id)
        await working.claim(info.context, line)
        return ClaimServicePayload(service=await _shown(info.context, line))

    @mutation
    async def claim_next_service(self, info: Info) -> ClaimNextServicePayload:
        """Take the most urgent line that nobody works on."""
        info.context.require(SERVE)
        service = await working.claim_next(info.context)
        return ClaimNextServicePayload(service=await _shown(info.context, service.line))

    @mutation
    async def release_service(self, info: Info, service_id: strawberry.ID) -> ReleaseServicePayload:
        """Give a line back to the queue; somebody else's with fulfilment.manage_service_desk."""
        info.context.require(SERVE)
        line = key_of("Service", service_id)
        await working.release(info.context, line, anybodys=info.context.principal.may(MANAGE_SERVICE))
        return ReleaseServicePayload(service=await _shown(info.context, line))

    @mutation
    async def deliver_service(self, info: Info, input: DeliverServiceInput) -> DeliverServicePayload:  # noqa: A002 - GraphQL's name
        """Deliver a line that you have claimed, or part of it."""
        info.context.require(SERVE)
        line = key_of("Service", input.service_id)
        await working.deliver(info.context, line, input.texts, input.quantity)
        return DeliverServicePayload(service=await _shown(info.context, line))

    @mutation
    async def fail_service(self, info: Info, service_id: strawberry.ID, reason: str) -> FailServicePayload:
        """Say that a line you have claimed cannot be done: the shop's rule for failures decides, or a person."""
        info.context.require(SERVE)
        line = key_of("Service", service_id)
        await working.fail(info.context, line, reason)
        return FailServicePayload(service=await _shown(info.context, line))

    @mutation
    async def set_service_time(
        self, info: Info, variant_id: strawberry.ID, minutes: int | None = None
    ) -> SetServiceTimePayload:
        """Say how soon a variant is to be delivered that is paid from now on; null: as the settings say.

        Needs fulfilment.manage_service_desk.
        """
        info.context.require(MANAGE_SERVICE)
        await working.set_service_time(info.context, key_of("Variant", variant_id), minutes)
        return SetServiceTimePayload(minutes=minutes)


async def _shown(context: Context, line: UUID) -> ServiceNode | None:
    return (await service_nodes(context, [line]))[0]
