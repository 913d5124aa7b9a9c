"""What people do about orders at suppliers. Each step is written into the order's log and into the audit log."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final
from uuid import UUID

from kameng.errors import Conflict, InvalidInput, NotFound
from kameng_fulfilment.contract import Deliveries
from kameng_fulfilment.delivering import TEXTS, OrderDeliveries
from kameng_fulfilment.states import WrongDeliveryState, lock_orders
from kameng_fulfilment.suppliers.records import (
    OPEN_STATES,
    SupplierOrder,
    log_exchange,
    short,
    supplier_order_of,
)
from kameng_fulfilment.suppliers.settling import hand_over, kept_texts
from kameng_fulfilment.suppliers.statements import (
    ASK_NOW,
    LOCK_SUPPLIER_ORDER,
    NEXT_ROUND,
    ORDER_AND_LINE,
    ORDERS_OF_LINE,
    SET_ATTENTION,
    TAKE_KEPT,
    WRITE,
)

if TYPE_CHECKING:
    from datetime import datetime

    from kameng.graphql import Context

LONGEST_REASON: Final = 300
"""Characters that a person may give as a reason."""


class SupplierOrderSettled(Conflict):
    """It is known by now what became of the order at the supplier, or somebody is calling about it at this moment."""

    code = "SUPPLIER_ORDER_SETTLED"


class NothingKept(Conflict):
    """No codes are kept for this order at a supplier."""

    code = "NOTHING_KEPT"


async def ask_now(context: Context, key: UUID) -> None:
    """Have a worker ask the supplier now.

    Raises:
        NotFound: there is no such order.
        SupplierOrderSettled: there is nothing to ask about.
    """
    kernel = context.kernel
    async with kernel.db.transaction():
        order, _ = await _locked(context, key)
        if order.state not in OPEN_STATES or order.state == "PREPARED":
            raise _settled(order)
        await kernel.db.execute(ASK_NOW, key)
        await _note(context, key, "ask", "")
        await kernel.tasks.enqueue("fulfilment.supply")


async def give_up(context: Context, key: UUID, reason: str) -> None:
    """Say that the supplier has not delivered and will not, so that the next one may have a try.

    Nobody else says so for certain: whoever does this has asked the supplier. Should it deliver all the same, what it
    delivers is kept and shown to a person.

    Raises:
        NotFound: there is no such order.
        InvalidInput: there is no reason.
        SupplierOrderSettled: it is settled, or a call about it is under way.
    """
    kernel, why = context.kernel, _reason(reason)
    async with kernel.db.transaction():
        order, now = await _locked(context, key)
        if order.state not in OPEN_STATES or (order.busy_until is not None and order.busy_until > now):
            raise _settled(order)
        attention = "INCOMPLETE" if order.sealed is not None else ""
        await kernel.db.execute(
            WRITE,
            key,
            "FAILED",
            order.next_at,
            attention,
            why,
            "",
            None,
            order.asks,
            order.sealed,
            order.data_key,
            True,
        )
        await _note(context, key, "give_up", why)
        await kernel.tasks.enqueue("fulfilment.supply")


async def search_again(context: Context, line: UUID, reason: str) -> None:
    """Begin a new round for a line: each offer may be tried again, such as after our account was topped up.

    Raises:
        NotFound: there is no such line.
        WrongDeliveryState: nothing of it is owed, or suppliers do not deliver it.
        SupplierOrderSettled: an order of it is open at a supplier.
    """
    kernel, why = context.kernel, _reason(reason)
    async with kernel.db.transaction():
        _, stored = await OrderDeliveries(kernel).locked(line)
        if stored.delivery != "supplier":
            raise WrongDeliveryState(
                f"{stored.sku} is not delivered by suppliers.", cure="Deliver it by hand, or refund it."
            )
        if any(row["state"] in OPEN_STATES for row in await kernel.db.fetch(ORDERS_OF_LINE, line)):
            raise SupplierOrderSettled(
                "An order of this line is open at a supplier.", cure="Ask about it, or give it up first."
            )
        await kernel.db.execute(NEXT_ROUND, line)
        await kernel.services.get(Deliveries).started(line, context.principal.key)
        await _audit(context, "search_again", f"order_line:{line}", why)
        await kernel.tasks.enqueue("fulfilment.supply")


async def resolve(context: Context, key: UUID, reason: str) -> None:
    """Take an order at a supplier off the list of those that need a person.

    Raises:
        NotFound: there is no such order.
        InvalidInput: there is no reason.
    """
    why = _reason(reason)
    async with context.db.transaction():
        await _locked(context, key)
        await context.db.execute(SET_ATTENTION, key, "")
        await _note(context, key, "resolve", why)


async def deliver_kept(context: Context, key: UUID) -> None:
    """Hand to the buyer what came too late, or was not complete, as far as that is still owed.

    Raises:
        NotFound: there is no such order.
        NothingKept: nothing was kept for it, or it was handed over before.
        WrongDeliveryState: fewer are owed by now.
        SupplierOrderSettled: another order of the line is open, which may deliver it too.
    """
    kernel = context.kernel
    async with kernel.db.transaction():
        await kernel.vault.current_key(TEXTS, 2_000)
        order, _ = await _locked(context, key)
        texts = await kept_texts(kernel, order)
        if not texts:
            raise NothingKept("Nothing is kept for this order.", cure="Look at it again.")
        others = await kernel.db.fetch(ORDERS_OF_LINE, order.line)
        if any(row["state"] in OPEN_STATES for row in others):
            raise SupplierOrderSettled(
                "An order of this line is open at a supplier.", cure="Give it up first, or keep these codes."
            )
        await hand_over(kernel, order, texts, context.principal.key)
        await kernel.db.execute(TAKE_KEPT, key)
        await _note(context, key, "deliver_kept", f"{len(texts)}")


async def reveal_kept(context: Context, key: UUID) -> tuple[str, ...]:
    """What is kept for an order: to put it into stock, or to tell the supplier which codes come back. Each look is audited.

    Raises:
        NotFound: there is no such order.
        NothingKept: nothing was kept for it.
    """
    async with context.db.transaction():
        order, _ = await _locked(context, key)
        texts = await kept_texts(context.kernel, order)
        if not texts:
            raise NothingKept("Nothing is kept for this order.", cure="Look at it again.")
        await _note(context, key, "reveal_kept", "")
    return texts


async def _locked(context: Context, key: UUID) -> tuple[SupplierOrder, datetime]:
    place = await context.db.fetchrow(ORDER_AND_LINE, key)
    if place is None:
        raise NotFound("There is no such order at a supplier.", cure="Check its id.")
    await lock_orders(context.kernel, [place["order_id"]])
    row = await context.db.fetchrow(LOCK_SUPPLIER_ORDER, key)
    assert row is not None  # noqa: S101 - orders at suppliers are never deleted
    return supplier_order_of(row), row["now"]


async def _note(context: Context, key: UUID, action: str, why: str) -> None:
    await log_exchange(context.kernel, key, "person", action, short(why), context.principal.key)
    await _audit(context, action, f"supplier_order:{key}", why)


async def _audit(context: Context, action: str, subject: str, why: str) -> None:
    await context.kernel.audit.record(
        f"fulfilment.supplier_{action}",
        principal=context.principal,
        subject=subject,
        details={"reason": why},
        correlation_id=context.correlation_id,
        address=context.address,
    )


def _reason(text: str) -> str:
    reason = text.strip()
    if not 1 <= len(reason) <= LONGEST_REASON or "\0" in reason:
        raise InvalidInput(
            "This needs a reason.", cure=f"Write 1 to {LONGEST_REASON} plain characters.", path=("reason",)
        )
    return reason


def _settled(order: SupplierOrder) -> SupplierOrderSettled:
    return SupplierOrderSettled(
        f"This order is {order.state}, or somebody is calling about it.",
        cure="Look at it again in a moment.",
    )
