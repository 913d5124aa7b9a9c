"""Orders as they change: the signal on the order path, and the subscription that hears it."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Iterable
from typing import TYPE_CHECKING
from uuid import UUID

import strawberry

from kameng.auth import PrincipalKind
from kameng.errors import NotFound
from kameng.graphql import Context, Info
from kameng.graphql.live import MISSED
from kameng_fulfilment.numbers import read_number
from kameng_fulfilment.orders import StoredOrder, order_by_number
from kameng_fulfilment.reading import OrderReads
from kameng_fulfilment.types import Order

if TYPE_CHECKING:
    from kameng.kernel import Kernel


def orders_changed(kernel: Kernel, orders: Iterable[tuple[UUID, UUID]]) -> None:
    """Tell buyers that orders of theirs were placed or have changed, once the transaction around has committed.

    Args:
        kernel: whose subscribers to tell.
        orders: pairs of the buyer's key and the order's.
    """
    kernel.live.publish_all((_topic(member), str(order)) for member, order in orders)


def _topic(member: UUID) -> str:
    return f"fulfilment.orders:{member}"


@strawberry.type
class FulfilmentSubscription:
    """Subscriptions of the shop."""

    @strawberry.subscription(
        description="An order of yours: as it stands now, then each time it has changed. "
        "Without a number: each of your orders when it is placed or has changed."
    )
    async def order_changed(self, info: Info, number: str | None = None) -> AsyncGenerator[Order, None]:
        """The viewer's orders as they change. Refused at once if there is no such order."""
        context = info.context
        member = context.principal.require_kind(PrincipalKind.MEMBER)
        if number is None:
            return _all(context, member)
        order = await order_by_number(context.db, read_number(number))
        if order is None or order.member != member:
            raise NotFound(
                "There is no such order among yours.", cure="Check the number, or log in as its buyer."
            )
        return _one(context, order)


async def _one(context: Context, order: StoredOrder) -> AsyncGenerator[Order, None]:
    async with context.kernel.live.subscribe(_topic(order.member)) as signals:
        # Read only now: what changes from here on is signalled.
        last = await _read(context, order.id)
        if last is not None:
            yield Order.of(last)
        async for signal in signals:
            if signal not in (MISSED, str(order.id)):
                continue
            now = await _read(context, order.id)
            if now is not None and (now != last or signal is not MISSED):
                last = now
                yield Order.of(now)


async def _all(context: Context, member: UUID) -> AsyncGenerator[Order, None]:
    async with context.kernel.live.subscribe(_topic(member)) as signals:
        async for signal in signals:
            # What was missed while the line was down stands in the list of orders; there is no one order to tell.
            if signal is not MISSED and (order := await _read(context, UUID(signal))) is not None:
                yield Order.of(order)


async def _read(context: Context, order: UUID) -> StoredOrder | None:
    (found,) = await context.service(OrderReads).orders([order])
    return found
