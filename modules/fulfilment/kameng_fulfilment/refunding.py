"""Paying orders back: whole or in part, by lines, pieces or amounts; never more than was paid."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import TYPE_CHECKING
from uuid import UUID

import msgspec

from kameng.db import as_json
from kameng.errors import Conflict, Refusal
from kameng.ids import new_id
from kameng.money import Money
from kameng_catalog.contract import Stock
from kameng_fulfilment.events import OrderRefunded
from kameng_fulfilment.guests.claiming import money_follows
from kameng_fulfilment.orders import StoredOrder, lines_of_orders, order_of
from kameng_fulfilment.refund_statements import ADD_REFUND, COUNT_REFUNDED, FIND_REFUND, LINES_REFUNDED
from kameng_fulfilment.states import (
    OWING,
    WrongOrderState,
    fact_values,
    lock_orders,
    note_history,
    resting_state,
    settle_down,
)
from kameng_settlement.contract import Charging, Refund

if TYPE_CHECKING:
    from kameng.kernel import Kernel
from kameng_fulfilment.refund_parts import RefundedLine, RefundPart, refund_parts


class RefundMade(msgspec.Struct, frozen=True, kw_only=True):
    """A refund that was made.

    Attributes:
        id: its key.
        amount_minor: what went back into the wallet.
        fresh: false where the same was asked for before.
    """

    id: UUID
    amount_minor: int
    fresh: bool


async def refund_order(
    kernel: Kernel, order: UUID, wanted: Sequence[RefundedLine], *, key: str, actor: str, reason: str
) -> RefundMade:
    """Pay an order back into its buyer's wallet, once for each key.

    What was not delivered goes back into stock where it came from there; what was delivered stays delivered. The order
    becomes `REFUNDED` once nothing of it is left.

    Args:
        kernel: whose order.
        order: its key.
        wanted: the lines; none: all that is left of the order.
        key: names this refund among those of the order.
        actor: who does it.
        reason: why; the buyer reads it.

    Raises:
        NotFound: there is no such order.
        WrongOrderState: it was never paid, or is refunded.
        RefundTooMuch: less is left of a line.
        InvalidInput: a line is not the order's, stands there twice, or nothing is asked for.
        Conflict: the key was used for another refund.
    """
    async with kernel.db.transaction():
        locked = (await lock_orders(kernel, [order]))[order]
        fingerprint = _fingerprint(wanted)
        known = await kernel.db.fetchrow(FIND_REFUND, order, key)
        if known is not None:
            if known["fingerprint"] != fingerprint:
                raise Conflict(
                    "This idempotency key was used for another refund.",
                    cure="Take a fresh key for a new refund.",
                )
            return RefundMade(id=known["id"], amount_minor=known["amount_minor"], fresh=False)
        if locked.state not in OWING and locked.state != "COMPLETED":
            raise WrongOrderState(
                f"Order {locked.number} is {locked.state}: there is nothing to refund.",
                cure="Only what was paid can be refunded, and once.",
            )
        lines = (await lines_of_orders(kernel.db, [order]))[order]
        parts = refund_parts(locked, lines, wanted)
        return await _refund(kernel, locked, parts, key, fingerprint, actor, reason)


async def _refund(
    kernel: Kernel,
    order: StoredOrder,
    parts: Sequence[RefundPart],
    key: str,
    fingerprint: bytes,
    actor: str,
    reason: str,
) -> RefundMade:
    own, amount = new_id(), sum(part.amount for part in parts)
    await _give_stock_back(kernel, parts)
    await kernel.db.execute(
        LINES_REFUNDED,
        [part.line.id for part in parts],
        [part.quantity for part in parts],
        [part.withdrawn for part in parts],
        [part.amount for part in parts],
        [part.state for part in parts],
    )
    transaction = None
    if amount:
        assert order.charge is not None  # noqa: S101 - an order that cost something was charged
        (answer,) = await kernel.services.get(Charging).refund(
            [
                Refund(
                    key=f"refund:{own}",
                    charge=order.charge,
                    amount=Money(amount, order.currency),
                    memo=order.number,
                )
            ]
        )
        if isinstance(answer, Refusal):
            raise answer
        transaction = answer.transaction
        # It goes back to the wallet that paid, which may have been that of a guest whose order is in an account since.
        if order.payment == "OUTSIDE":
            await money_follows(kernel, order.id)
    row = await kernel.db.fetchrow(COUNT_REFUNDED, order.id, amount)
    assert row is not None  # noqa: S101 - it is locked
    now = order_of(row)
    told = [
        {"line": str(part.line.id), "quantity": part.quantity, "amount_minor": part.amount} for part in parts
    ]
    await kernel.db.execute(
        ADD_REFUND, own, order.id, key, fingerprint, amount, as_json(told), transaction, reason, actor
    )
    await note_history(kernel, [(order.id, actor, reason)], order.state, kind="refund", amount_minor=amount)
    lines = (await lines_of_orders(kernel.db, [order.id]))[order.id]
    await kernel.events.emit(
        OrderRefunded(
            **fact_values(now),  # type: ignore[arg-type]  # the fields of every OrderFact
            refund=str(own),
            amount_minor=amount,
            refunded_minor=now.refunded_minor,
            whole=resting_state(now, lines) == "REFUNDED",
        )
    )
    await settle_down(kernel, now, actor, reason)
    return RefundMade(id=own, amount_minor=amount, fresh=True)


async def _give_stock_back(kernel: Kernel, parts: Sequence[RefundPart]) -> None:
    stock = kernel.services.get(Stock)
    # Of a line that others deliver a part is still owed: what was kept for it while it was held is counted as sold, and
    # that part of it stays so.
    in_part = [
        part.line.id
        for part in parts
        if part.line.delivery != "instant" and 0 < part.withdrawn < part.line.remaining
    ]
    if in_part:
        await stock.hand_over_reserved(in_part)
    withdrawn = [part.line for part in parts if part.withdrawn]
    if withdrawn:
        # What was kept for a line that is held; the rest of an instant one is looked for anew when it goes on.
        await stock.release([line.id for line in withdrawn])
    # Numbers that were counted down when the line was paid; secrets that were handed over never come back.
    counted = {
        part.line.id: part.withdrawn for part in parts if part.withdrawn and part.line.delivery != "instant"
    }
    if counted:
        await stock.put_back(list(counted), list(counted.values()))


def _fingerprint(wanted: Sequence[RefundedLine]) -> bytes:
    asked = sorted(
        (item.line.hex, item.quantity or 0, item.amount_minor or 0, item.delivered_only) for item in wanted
    )
    return hashlib.sha256(msgspec.msgpack.encode(asked)).digest()
