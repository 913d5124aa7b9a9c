"""Paying orders back: whole or in part, by lines, pieces or amounts; never more than was paid."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import TYPE_CHECKING
from uuid import UUID

import msgspec

from kameng.db import as_json
from kameng.errors import Conflict, InvalidInput, Refusal
from kameng.ids import new_id
from kameng.money import Money
from kameng_catalog.contract import Stock
from kameng_fulfilment.events import OrderRefunded
from kameng_fulfilment.guests.claiming import money_follows
from kameng_fulfilment.life_statements import ADD_REFUND, COUNT_REFUNDED, FIND_REFUND, LINES_REFUNDED
from kameng_fulfilment.orders import StoredLine, StoredOrder, lines_of_orders, order_of
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


class RefundTooMuch(Refusal):
    """More would be refunded than is left of the order."""

    code = "REFUND_TOO_MUCH"


class RefundedLine(msgspec.Struct, frozen=True, kw_only=True):
    """What is to be refunded of a line: pieces or an amount; neither means all that is left of it.

    Attributes:
        line: its key.
        quantity: pieces, each at its share of what the line cost. Those that wait for their delivery go first.
        amount_minor: an amount in minor units, which takes no piece back.
        delivered_only: take back none that waits, such as when a delivered card was bad.
    """

    line: UUID
    quantity: int | None = None
    amount_minor: int | None = None
    delivered_only: bool = False


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


class _Part(msgspec.Struct):
    """What a refund takes of one line; `withdrawn` of its pieces were not delivered."""

    line: StoredLine
    quantity: int
    withdrawn: int
    amount: int

    @property
    def state(self) -> str:
        """The line's state after it."""
        line = self.line
        if line.refunded_quantity + self.quantity == line.quantity:
            return "REFUNDED"
        if line.remaining == self.withdrawn and line.delivery_state != "REFUNDED":
            return "DELIVERED"
        return line.delivery_state


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
        parts = _parts(locked, lines, wanted)
        return await _refund(kernel, locked, parts, key, fingerprint, actor, reason)


async def _refund(
    kernel: Kernel,
    order: StoredOrder,
    parts: Sequence[_Part],
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


async def _give_stock_back(kernel: Kernel, parts: Sequence[_Part]) -> None:
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


def _parts(order: StoredOrder, lines: Sequence[StoredLine], wanted: Sequence[RefundedLine]) -> list[_Part]:
    by_key = {line.id: line for line in lines}
    keys = [item.line for item in wanted]
    if len(set(keys)) < len(keys) or not set(keys) <= by_key.keys():
        raise InvalidInput(
            "A line is named twice, or is not of this order.",
            cure="Name each line once, by its position in the order.",
            path=("input", "lines"),
        )
    parts = [_part(by_key[item.line], item) for item in wanted] or [_rest(line) for line in lines]
    if sum(part.amount for part in parts) == order.total_minor - order.refunded_minor > 0:
        # Nothing is left that anybody has paid for, so nothing is owed either.
        named = {part.line.id for part in parts}
        parts = [_rest(part.line, part.amount) for part in parts]
        parts += [_rest(line) for line in lines if line.id not in named]
    parts = [part for part in parts if part.quantity or part.amount]
    if not parts:
        raise RefundTooMuch("Nothing is left to refund.", cure="Look at the refunds made so far.")
    return parts


def _part(line: StoredLine, wanted: RefundedLine) -> _Part:
    left, pieces = line.total_minor - line.refunded_minor, line.quantity - line.refunded_quantity
    if wanted.quantity is None and wanted.amount_minor is None:
        return _rest(line)
    if wanted.amount_minor is not None:
        if wanted.quantity is not None or wanted.amount_minor <= 0:
            raise InvalidInput(
                "A line is refunded by pieces or by an amount above zero.",
                cure="Give one of the two.",
                path=("input", "lines"),
            )
        if wanted.amount_minor > left:
            raise _too_much(line, f"{left} minor units")
        whole = wanted.amount_minor == left
        return (
            _rest(line, wanted.amount_minor)
            if whole
            else _Part(line=line, quantity=0, withdrawn=0, amount=wanted.amount_minor)
        )
    assert wanted.quantity is not None  # noqa: S101 - one of the two is there
    if wanted.quantity <= 0:
        raise InvalidInput(
            "A refund takes one piece or more.", cure="Give a quantity above zero.", path=("input", "lines")
        )
    if wanted.quantity > pieces:
        raise _too_much(line, f"{pieces} pieces")
    if wanted.quantity == pieces:
        return _rest(line)
    withdrawn = 0 if wanted.delivered_only else min(wanted.quantity, line.remaining)
    share = _share(line, line.refunded_quantity + wanted.quantity) - _share(line, line.refunded_quantity)
    return _Part(line=line, quantity=wanted.quantity, withdrawn=withdrawn, amount=min(share, left))


def _rest(line: StoredLine, amount: int | None = None) -> _Part:
    """All that is left of a line."""
    left = line.total_minor - line.refunded_minor
    return _Part(
        line=line,
        quantity=line.quantity - line.refunded_quantity,
        withdrawn=line.remaining,
        amount=left if amount is None else amount,
    )


def _share(line: StoredLine, pieces: int) -> int:
    """What so many pieces of a line cost, rounded down: the last one takes what is left over."""
    return line.total_minor * pieces // line.quantity


def _too_much(line: StoredLine, left: str) -> RefundTooMuch:
    return RefundTooMuch(
        f"Of {line.sku} only {left} are left to refund.",
        cure="Refund at most the rest.",
        path=("input", "lines"),
    )


def _fingerprint(wanted: Sequence[RefundedLine]) -> bytes:
    asked = sorted(
        (item.line.hex, item.quantity or 0, item.amount_minor or 0, item.delivered_only) for item in wanted
    )
    return hashlib.sha256(msgspec.msgpack.encode(asked)).digest()
