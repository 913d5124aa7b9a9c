"""Orders that are not paid and delivered in the moment in which they are placed: those that are paid from outside, and those
with lines that people or suppliers deliver. The ordinary purchase never comes here.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from kameng.ids import new_id
from kameng_catalog.contract import Sale, Stock
from kameng_fulfilment.drafts import DraftLine, DraftOrder, line_columns, order_columns
from kameng_fulfilment.events import OrderPaid, OrderPlaced
from kameng_fulfilment.guests.placing import guest_of, too_many_of_guests
from kameng_fulfilment.life_statements import WRITE_DEFERRED
from kameng_fulfilment.live import orders_changed
from kameng_fulfilment.settings import FulfilmentSettings
from kameng_fulfilment.unpaid import TooManyUnpaidOrders, unpaid_of

if TYPE_CHECKING:
    from kameng.events import Event
    from kameng.kernel import Kernel


class Deferring:
    """Writes such orders of a batch, in the batch's transaction.

    Args:
        kernel: whose orders.
    """

    def __init__(self, kernel: Kernel) -> None:
        self._kernel = kernel
        self._stock = kernel.services.get(Stock)
        settings = kernel.settings.section("fulfilment", FulfilmentSettings)
        self._kept = timedelta(minutes=settings.reservation_minutes)
        self._most = settings.max_unpaid_orders

    async def too_many(self, orders: Sequence[DraftOrder]) -> dict[int, TooManyUnpaidOrders]:
        """Those orders that would be one too many for their buyer, by their place in the batch."""
        counts = await unpaid_of(self._kernel, [order.request.member for order in orders])
        refused: dict[int, TooManyUnpaidOrders] = {}
        for order in orders:
            buyer = order.request.member
            if counts[buyer] >= self._most:
                refused[order.place] = TooManyUnpaidOrders(
                    f"{counts[buyer]} orders wait for their payment already.",
                    cure="Pay or cancel one of them first.",
                )
            else:
                counts[buyer] += 1
        if guests := [order for order in orders if guest_of(order.request) and order.place not in refused]:
            refused |= await too_many_of_guests(self._kernel, guests)
        return refused

    async def write(self, orders: Sequence[DraftOrder]) -> None:
        """Write the orders: reserve for those that wait for a payment, hand over to those that have paid."""
        until = datetime.now(UTC) + self._kept
        lines = [(order, line) for order in orders for line in order.lines]
        await self._kernel.db.execute(
            WRITE_DEFERRED,
            *order_columns(orders),
            [_state(order) for order in orders],
            ["OUTSIDE" if order.outside else "WALLET" for order in orders],
            [until if order.outside else None for order in orders],
            [new_id() for _ in orders],
            *line_columns(orders),
            [line.variant.delivery for _, line in lines],
            [_delivered(order, line) for order, line in lines],
            [_buyer_kind(order) for order in orders],
        )
        await self._move_stock(orders, until)
        await self._kernel.events.emit(*(event for order in orders for event in _facts(order, until)))
        orders_changed(self._kernel, [(order.request.member, order.id) for order in orders])

    async def _move_stock(self, orders: Sequence[DraftOrder], until: datetime) -> None:
        kept = [_sale(line) for order in orders if order.outside for line in order.lines]
        sold = [_sale(line) for order in orders if not order.outside for line in order.lines]
        if kept:
            await self._stock.reserve(kept, until)
        if sold:
            await self._stock.hand_over(sold)


def _sale(line: DraftLine) -> Sale:
    assert line.pick is not None  # noqa: S101 - orders whose lines were not found are refused before
    return Sale(pick=line.pick, line=line.id)


def _buyer_kind(order: DraftOrder) -> str:
    return "guest" if guest_of(order.request) else "member"


def _delivered(order: DraftOrder, line: DraftLine) -> int:
    return line.quantity if not order.outside and line.variant.delivery == "instant" else 0


def _state(order: DraftOrder) -> str:
    if order.outside:
        return "PENDING_PAYMENT"
    return "PARTLY_DELIVERED" if any(_delivered(order, line) for line in order.lines) else "PAID"


def _facts(order: DraftOrder, until: datetime) -> list[Event]:
    common: dict[str, str | int] = {
        "order": str(order.id),
        "number": order.number,
        "buyer": str(order.request.member),
        "buyer_kind": _buyer_kind(order),
        "total_minor": order.total.minor,
        "currency": order.total.currency,
        "at": datetime.now(UTC).isoformat(),
    }
    placed = OrderPlaced(
        **common,  # type: ignore[arg-type]  # the fields of every OrderFact
        payment="OUTSIDE" if order.outside else "WALLET",
        reserved_until=until.isoformat() if order.outside else None,
    )
    if order.outside:
        return [placed]
    return [placed, OrderPaid(**common)]  # type: ignore[arg-type]  # the fields of every OrderFact
