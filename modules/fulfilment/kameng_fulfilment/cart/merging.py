"""A visitor's cart becomes part of a member's when he logs in: exactly once, whoever else does so at the same moment."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING
from uuid import UUID

import msgspec

from kameng.ids import new_id
from kameng_catalog.contract import Variants
from kameng_fulfilment.cart.left_out import note
from kameng_fulfilment.cart.statements import (
    DELETE_CART,
    LINES_OF_CART,
    LOCK_TWO_CARTS,
    MAKE_MEMBER_CART,
    MERGE_LINES,
    MOVE_LINES,
    NOTE_LEFT_OUT,
    VISITOR_HAS_CART,
)
from kameng_fulfilment.requests import MAX_LINES

if TYPE_CHECKING:
    from kameng.kernel import Kernel


class HeldLine(msgspec.Struct, frozen=True):
    """A line as far as merging is concerned."""

    id: UUID
    variant: UUID
    quantity: int


class Merge(msgspec.Struct, frozen=True):
    """What to do with a visitor's lines.

    Attributes:
        summed: the member's line, the visitor's line, and the quantity that the member's gets.
        moved: lines that change the cart, and their quantities.
        left_out: what does not come along: the variant, how many pieces, and why, as `left_out.LeftOutReason` has it.
    """

    summed: list[tuple[UUID, UUID, int]]
    moved: list[tuple[UUID, int]]
    left_out: list[tuple[UUID, int, str]]


def plan_merge(
    own: Sequence[HeldLine], other: Sequence[HeldLine], most: Mapping[UUID, int], room: int = MAX_LINES
) -> Merge:
    """Decide what becomes of a visitor's lines.

    Quantities are summed up to what one order may hold of the variant; a quantity that was above that before stays. Lines
    come over in order as long as the cart has room. Whatever does not come along is named.

    Args:
        own: the member's lines, no variant twice.
        other: the visitor's, no variant twice.
        most: how many one order may hold of each variant; one that is not there is not for sale any more.
        room: how many lines a cart may have.
    """
    mine = {line.variant: line for line in own}
    summed: list[tuple[UUID, UUID, int]] = []
    moved: list[tuple[UUID, int]] = []
    left_out: list[tuple[UUID, int, str]] = []
    for line in other:
        known = mine.get(line.variant)
        limit = most.get(line.variant, 0)
        if known is not None:
            together = max(known.quantity, min(known.quantity + line.quantity, limit))
            summed.append((known.id, line.id, together))
            lost = known.quantity + line.quantity - together
            reason = "TOO_MANY" if limit else "NOT_FOR_SALE"
        elif len(own) + len(moved) < room:
            kept = min(line.quantity, limit) if limit else line.quantity
            moved.append((line.id, kept))
            lost, reason = line.quantity - kept, "TOO_MANY"
        else:
            lost, reason = line.quantity, "CART_FULL"
        if lost:
            left_out.append((line.variant, lost, reason))
    return Merge(summed, moved, left_out)


async def merge_carts(kernel: Kernel, member: UUID, visitor: bytes) -> bool:
    """Put a visitor's cart into a member's and end it; whether there was one. At most nine statements.

    What does not come along is noted in the member's cart.

    Of several who try at once the first gets it, and the others find none.
    """
    if not await kernel.db.fetchval(VISITOR_HAS_CART, visitor):
        return False
    async with kernel.db.transaction():
        await kernel.db.execute(MAKE_MEMBER_CART, new_id(), member)
        locked = await kernel.db.fetch(LOCK_TWO_CARTS, member, visitor)
        carts = {row["visitor"] is not None: row["id"] for row in locked}
        noted = next((row["left_out"] for row in locked if row["visitor"] is None), None)
        if True not in carts:
            return False
        own = [_held(row) for row in await kernel.db.fetch(LINES_OF_CART, carts[False])]
        other = [_held(row) for row in await kernel.db.fetch(LINES_OF_CART, carts[True])]
        snapshots = await kernel.services.get(Variants).snapshots([line.variant for line in other])
        most = {found.id: found.max_quantity for found in snapshots if found is not None}
        merge = plan_merge(own, other, most)
        if merge.summed:
            await kernel.db.execute(MERGE_LINES, *map(list, zip(*merge.summed, strict=True)))
        if merge.moved:
            await kernel.db.execute(MOVE_LINES, carts[False], *map(list, zip(*merge.moved, strict=True)))
        if merge.left_out:
            titles = {found.id: found.titles for found in snapshots if found is not None}
            await kernel.db.execute(NOTE_LEFT_OUT, carts[False], note(noted, merge.left_out, titles))
        await kernel.db.execute(DELETE_CART, carts[True])
    return True


def _held(row: Mapping[str, UUID | int]) -> HeldLine:
    return HeldLine(row["id"], row["variant"], row["quantity"])  # type: ignore[arg-type]  # columns of the table
