"""What an outcome means for an order at a supplier, and for the line it was made for.

One function takes whatever becomes known, from an answer, a question, a callback or a person, any number of times and in any
order. The buyer's order is locked first, so a refund and a delivery take turns: what comes after the refund goes to a person.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING
from uuid import UUID

import msgspec
import structlog

from kameng.errors import Refusal
from kameng_fulfilment.contract import Deliveries
from kameng_fulfilment.delivering import MOST_TEXTS, TEXTS
from kameng_fulfilment.states import lock_orders
from kameng_fulfilment.supplier_contract import (
    Accepted,
    Delivered,
    NeverReceived,
    NotSent,
    Outcome,
    Rejected,
    Unknown,
)
from kameng_fulfilment.suppliers.records import (
    OPEN_STATES,
    SupplierOrder,
    log_exchange,
    short,
    supplier_order_of,
    tell_attention,
)
from kameng_fulfilment.suppliers.statements import LOCK_SUPPLIER_ORDER, ORDER_AND_LINE, WRITE

if TYPE_CHECKING:
    from kameng.kernel import Kernel
from kameng_fulfilment.suppliers.changes import (
    ASK_PAUSES,
    Change,
    accepted,
    never_received,
    not_sent,
    note_charge,
    pause_after,
    rejected,
    unknown,
    words_of,
)

log = structlog.get_logger(__name__)


async def settle(
    kernel: Kernel,
    key: UUID,
    outcome: Outcome,
    *,
    kind: str,
    actor: str,
    milliseconds: int | None = None,
    hidden: Sequence[str] = (),
    timeout: float = 60.0,  # noqa: ASYNC109 - it says how long the call might have taken; nothing is waited for here
) -> str:
    """Write down what became known of an order at a supplier, and do what follows from it. One transaction.

    Args:
        kernel: whose order.
        key: the order at the supplier.
        outcome: what became known.
        kind: how: ``send``, ``ask``, ``callback`` or ``person``.
        actor: by whom: a supplier's or a principal's key.
        milliseconds: how long the call took.
        hidden: secrets that are struck out of the supplier's words, beside the codes that came.
        timeout: how many seconds a call may take.

    Returns:
        the state in which it stands now.
    """
    texts = outcome.texts if isinstance(outcome, Delivered) else ()
    async with kernel.db.transaction():
        # Before anything is locked: the key may have to be waited for.
        if texts:
            await kernel.vault.current_key(TEXTS, 2 * len(texts))
        place = await kernel.db.fetchrow(ORDER_AND_LINE, key)
        assert place is not None  # noqa: S101 - orders at suppliers are never deleted
        await lock_orders(kernel, [place["order_id"]])
        row = await kernel.db.fetchrow(LOCK_SUPPLIER_ORDER, key)
        assert row is not None  # noqa: S101 - it was there just now
        order, now = supplier_order_of(row), row["now"]
        note = short(words_of(outcome), (*texts, *hidden))
        change = Change(
            state=order.state,
            next_at=order.next_at,
            attention=order.attention,
            note=note or order.note,
            asks=order.asks + (kind == "ask"),
            sealed=order.sealed,
            data_key=order.data_key,
            outcome=type(outcome).__name__,
        )
        match outcome:
            case Delivered():
                await _delivered(kernel, order, outcome, change, actor, now)
            case Accepted():
                accepted(order, outcome, change, now)
            case Rejected():
                rejected(order, change, now)
            case NeverReceived():
                never_received(kernel, order, change, now, timeout)
            case NotSent():
                not_sent(order, outcome, change, now)
            case Unknown():
                unknown(order, change, now)
        if change.state in ("REJECTED", "FAILED") and change.attention in ("SLOW", "UNKNOWN"):
            change.attention = ""
        await _write(kernel, order, change, free=kind in ("send", "ask"))
        await log_exchange(kernel, key, kind, change.outcome, note, actor, milliseconds)
        if change.attention and change.attention != order.attention:
            await tell_attention(kernel, [key])
    if change.attention and change.attention != order.attention:
        log.warning("a supplier's order needs a person", order=str(key), attention=change.attention)
    return change.state


async def _delivered(
    kernel: Kernel, order: SupplierOrder, outcome: Delivered, change: Change, actor: str, now: datetime
) -> None:
    if order.state == "DELIVERED":
        change.outcome = "repeated"
        change.note = order.note
        return
    change.number = outcome.number[:200]
    note_charge(order, outcome.charged, change)
    if order.state not in OPEN_STATES:
        # It was given up, and perhaps another supplier has the line by now.
        change.state, change.attention = "DELIVERED", "LATE"
        await _keep(kernel, order, outcome, change)
        return
    if order.codes and len(outcome.texts) != order.quantity:
        # A delivery is complete or it is an error. The rest may come; what came is not lost.
        change.state, change.attention, change.outcome = "ACCEPTED", "INCOMPLETE", "incomplete"
        change.note = f"{len(outcome.texts)} of {order.quantity} codes"
        change.next_at = now + pause_after(ASK_PAUSES, change.asks)
        await _keep(kernel, order, outcome, change)
        return
    try:
        async with kernel.db.transaction():
            await hand_over(kernel, order, outcome.texts, actor)
    except Refusal as refusal:
        # Refunded or delivered meanwhile, or nothing that a buyer can be given: a person decides.
        change.state, change.attention = "DELIVERED", "LATE"
        change.note = short(refusal.message, outcome.texts)
        await _keep(kernel, order, outcome, change)
        return
    change.state, change.sealed, change.data_key = "DELIVERED", None, None
    if change.attention != "COST":
        change.attention = ""


async def hand_over(kernel: Kernel, order: SupplierOrder, texts: tuple[str, ...], actor: str) -> None:
    """Deliver what came to the buyer, in the transaction around.

    Raises:
        Refusal: it is not owed any more, or is nothing that can be delivered.
    """
    deliveries = kernel.services.get(Deliveries)
    if not order.codes:
        await deliveries.delivered(order.line, texts, actor, order.quantity)
        return
    for first in range(0, len(texts), MOST_TEXTS):
        part = texts[first : first + MOST_TEXTS]
        await deliveries.delivered(order.line, part, actor, len(part))


async def _keep(kernel: Kernel, order: SupplierOrder, outcome: Delivered, change: Change) -> None:
    """Seal what came and could not be handed over; more of it takes the place of less."""
    if not outcome.texts or (
        order.sealed is not None and len(await kept_texts(kernel, order)) >= len(outcome.texts)
    ):
        return
    key = await kernel.vault.current_key(TEXTS)
    content = msgspec.json.encode(outcome.texts)
    [change.sealed] = await kernel.vault.seal_many(key, [(content, kept_place(order.id))])
    change.data_key = key.id


async def kept_texts(kernel: Kernel, order: SupplierOrder) -> tuple[str, ...]:
    """What came for an order and could not be handed over. The caller has checked who asks."""
    if order.sealed is None or order.data_key is None:
        return ()
    opened = await kernel.vault.open(order.data_key, order.sealed, kept_place(order.id))
    return msgspec.json.decode(opened, type=tuple[str, ...])


def kept_place(order: UUID) -> bytes:
    """What binds kept texts to their order."""
    return b"fulfilment.supplier_order" + order.bytes


async def _write(kernel: Kernel, order: SupplierOrder, change: Change, *, free: bool) -> None:
    await kernel.db.execute(
        WRITE,
        order.id,
        change.state,
        change.next_at,
        change.attention,
        change.note,
        change.number,
        change.charged_minor,
        min(change.asks, 32_000),
        change.sealed,
        change.data_key,
        free,
    )
