"""What a refund takes of the lines of an order: pieces, amounts, or all that is left."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

import msgspec

from kameng.errors import InvalidInput, Refusal
from kameng_fulfilment.orders import StoredLine, StoredOrder


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


class RefundPart(msgspec.Struct):
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


def refund_parts(
    order: StoredOrder, lines: Sequence[StoredLine], wanted: Sequence[RefundedLine]
) -> list[RefundPart]:
    """What a refund takes of each line of an order.

    Raises:
        InvalidInput: a line is not the order's, stands there twice, or nothing is asked for.
        RefundTooMuch: less is left of a line, or of the order.
    """
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


def _part(line: StoredLine, wanted: RefundedLine) -> RefundPart:
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
            else RefundPart(line=line, quantity=0, withdrawn=0, amount=wanted.amount_minor)
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
    return RefundPart(line=line, quantity=wanted.quantity, withdrawn=withdrawn, amount=min(share, left))


def _rest(line: StoredLine, amount: int | None = None) -> RefundPart:
    """All that is left of a line."""
    left = line.total_minor - line.refunded_minor
    return RefundPart(
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
