"""Where orders may stand, and the only way from one state to another.

Whoever changes an order locks it here first, in the order of keys, and decides on what it reads after that. The row of an order
is the lock of all that belongs to it: its lines, its reservation, its payments, its refunds.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from types import MappingProxyType
from typing import TYPE_CHECKING, Final
from uuid import UUID

from kameng.errors import Conflict, NotFound, TransactionError
from kameng.ids import new_id
from kameng_fulfilment.events import (
    OrderCancelled,
    OrderCompleted,
    OrderExpired,
    OrderFact,
    OrderHeld,
    OrderPaid,
    OrderReleased,
    SoldLine,
)
from kameng_fulfilment.life_statements import ADD_HISTORY, LOCK_ORDERS, MOVE_ORDERS
from kameng_fulfilment.live import orders_changed
from kameng_fulfilment.orders import StoredLine, StoredOrder, lines_of_orders, order_of

if TYPE_CHECKING:
    from kameng.events import Event
    from kameng.kernel import Kernel

ALLOWED: Final[Mapping[str, frozenset[str]]] = MappingProxyType(
    {
        "PENDING_PAYMENT": frozenset({"PAID", "EXPIRED", "CANCELLED"}),
        "PAID": frozenset({"DELIVERING", "PARTLY_DELIVERED", "COMPLETED", "REVIEW", "REFUNDED"}),
        "DELIVERING": frozenset({"PAID", "PARTLY_DELIVERED", "COMPLETED", "REVIEW", "REFUNDED"}),
        "PARTLY_DELIVERED": frozenset({"COMPLETED", "REVIEW", "REFUNDED"}),
        "REVIEW": frozenset({"PAID", "DELIVERING", "PARTLY_DELIVERED", "COMPLETED", "REFUNDED"}),
        "COMPLETED": frozenset({"REFUNDED"}),
        # A payment that comes late is delivered where there is stock.
        "EXPIRED": frozenset({"PAID"}),
        "CANCELLED": frozenset(),
        "REFUNDED": frozenset(),
    }
)
"""The state of an order → the states it may go to."""

OWING: Final = frozenset({"PAID", "DELIVERING", "PARTLY_DELIVERED", "REVIEW"})
"""States of orders that are paid and not finished: something is owed to the buyer."""


class WrongOrderState(Conflict):
    """The order stands where this cannot be done."""

    code = "WRONG_ORDER_STATE"


class WrongDeliveryState(Conflict):
    """The line stands where this cannot be done."""

    code = "WRONG_DELIVERY_STATE"


async def lock_orders(kernel: Kernel, orders: Iterable[UUID]) -> dict[UUID, StoredOrder]:
    """Lock orders until the transaction ends, in the order of their keys, and read them. One statement.

    Raises:
        TransactionError: there is no transaction, so the locks would be gone at once.
        NotFound: one of them does not exist.
    """
    if kernel.db.scope is None:
        raise TransactionError(
            "Orders are only changed inside a transaction.",
            cure="Call it within `async with kernel.db.transaction():`.",
        )
    wanted = sorted(set(orders))
    found = {row["id"]: order_of(row) for row in await kernel.db.fetch(LOCK_ORDERS, wanted)}
    if len(found) < len(wanted):
        raise NotFound("There is no such order.", cure="Check the number.")
    return found


async def move(
    kernel: Kernel, orders: Sequence[UUID], to: str, actor: str, note: str = ""
) -> dict[UUID, StoredOrder]:
    """Bring orders into a state: lock them, check, write it and its history, publish it, tell who listens.

    Set-based: four statements, one more where orders become complete.

    Args:
        kernel: whose orders; inside a transaction.
        orders: their keys.
        to: the state.
        actor: who does it: a principal's key, or ``system``.
        note: why, for the order's history, which its buyer reads.

    Returns:
        the orders as they stand now.

    Raises:
        NotFound: one of them does not exist.
        WrongOrderState: one of them cannot go there; none was changed.
    """
    locked = await lock_orders(kernel, orders)
    for order in locked.values():
        if to not in ALLOWED[order.state]:
            raise WrongOrderState(
                f"Order {order.number} is {order.state}; it cannot become {to}.",
                cure="Look at it again: somebody else may have changed it.",
            )
    if not locked:
        return {}
    keys = list(locked)
    rows = await kernel.db.fetch(MOVE_ORDERS, keys, to)
    moved = {row["id"]: order_of(row) for row in rows}
    await note_history(
        kernel, [(key, actor, note) for key in keys], to, before=[locked[key].state for key in keys]
    )
    await kernel.events.emit(*await _facts(kernel, locked, moved, to))
    orders_changed(kernel, [(order.member, order.id) for order in moved.values()])
    return moved


async def note_history(
    kernel: Kernel,
    notes: Sequence[tuple[UUID, str, str]],
    state: str,
    *,
    before: Sequence[str] | None = None,
    kind: str = "state",
    line: UUID | None = None,
    amount_minor: int | None = None,
) -> None:
    """Add to the history of orders that stand in one state, or have just come there. One statement.

    Args:
        kernel: whose orders.
        notes: order, actor and note of each.
        state: where they stand.
        before: where they stood before; None: they have not moved.
        kind: what happened, as the table's check lists it.
        line: the line that it is about.
        amount_minor: the amount that it is about.
    """
    await kernel.db.execute(
        ADD_HISTORY,
        [new_id() for _ in notes],
        [order for order, _, _ in notes],
        list(before) if before is not None else [state for _ in notes],
        state,
        [actor for _, actor, _ in notes],
        [note for _, _, note in notes],
        kind,
        line,
        amount_minor,
    )


def resting_state(order: StoredOrder, lines: Sequence[StoredLine]) -> str:
    """Where a paid order belongs by the state of its lines, holds aside."""
    if all(line.refunded_quantity == line.quantity for line in lines) or (
        order.total_minor > 0 and order.refunded_minor == order.total_minor
    ):
        return "REFUNDED"
    if all(line.remaining == 0 for line in lines):
        return "COMPLETED"
    if any(line.delivered_quantity for line in lines):
        return "PARTLY_DELIVERED"
    if any(line.delivery_state == "DELIVERING" for line in lines):
        return "DELIVERING"
    return "PAID"


async def settle_down(kernel: Kernel, order: StoredOrder, actor: str, note: str = "") -> StoredOrder:
    """Bring a locked, paid order to where its lines say it belongs; one that is held stays in review unless it is refunded.

    Returns:
        the order as it stands now.
    """
    lines = (await lines_of_orders(kernel.db, [order.id]))[order.id]
    to = resting_state(order, lines)
    if order.held and to != "REFUNDED":
        to = "REVIEW"
    if to == order.state:
        orders_changed(kernel, [(order.member, order.id)])
        return order
    return (await move(kernel, [order.id], to, actor, note))[order.id]


def fact_values(order: StoredOrder) -> dict[str, object]:
    """The fields that all events of an order have."""
    return {
        "order": str(order.id),
        "number": order.number,
        "buyer": str(order.member),
        "buyer_kind": order.buyer_kind,
        "total_minor": order.total_minor,
        "currency": order.currency,
        "at": datetime.now(UTC).isoformat(),
    }


_FACTS: Final[Mapping[str, type[OrderFact]]] = MappingProxyType(
    {"PAID": OrderPaid, "CANCELLED": OrderCancelled, "EXPIRED": OrderExpired, "REVIEW": OrderHeld}
)


async def _facts(
    kernel: Kernel, before: Mapping[UUID, StoredOrder], now: Mapping[UUID, StoredOrder], to: str
) -> list[Event]:
    facts: list[Event] = []
    for key, order in now.items():
        came_from = before[key].state
        if came_from == "REVIEW" and to != "REFUNDED":
            facts.append(OrderReleased(**fact_values(order)))  # type: ignore[arg-type]  # the fields of every OrderFact
        if to in _FACTS and (to != "PAID" or came_from in ("PENDING_PAYMENT", "EXPIRED")):
            facts.append(_FACTS[to](**fact_values(order)))  # type: ignore[arg-type]  # the fields of every OrderFact
    if to == "COMPLETED":
        lines = await lines_of_orders(kernel.db, list(now))
        facts += [completed(order, lines[key]) for key, order in now.items()]
    return facts


def completed(order: StoredOrder, lines: Sequence[StoredLine]) -> OrderCompleted:
    """The fact that all that was owed was delivered. What was taken back before that does not count as sold."""
    return OrderCompleted(
        order=str(order.id),
        number=order.number,
        member=str(order.member),
        total_minor=order.total_minor - order.refunded_minor,
        currency=order.currency,
        completed_at=datetime.now(UTC).isoformat(),
        buyer_kind=order.buyer_kind,
        lines=tuple(
            SoldLine(
                line=str(line.id),
                variant=str(line.variant),
                product=str(line.product),
                sku=line.sku,
                quantity=line.delivered_quantity,
                total_minor=line.total_minor - line.refunded_minor,
                cost_minor=line.cost_minor(order.currency),
            )
            for line in lines
            if line.delivered_quantity
        ),
    )
