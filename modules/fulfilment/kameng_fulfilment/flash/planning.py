"""Planning flash sales, and ending them before their time."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any
from uuid import UUID

import msgspec

from kameng.errors import InvalidInput, NotFound, Refusal
from kameng.ids import new_id
from kameng_catalog.contract import Variants
from kameng_fulfilment.flash.known import NOTICE_SECONDS
from kameng_fulfilment.flash.statements import CREATE_SALE, END_SALE, ONE_AT_A_TIME

if TYPE_CHECKING:
    from kameng.graphql import Context

MANAGE_FLASH_SALES = "fulfilment.manage_flash_sales"
"""The permission to plan flash sales and to end them."""

MOST_PIECES = 10_000_000
"""Pieces of one sale."""


class FlashSaleOverlaps(Refusal):
    """The variant has another flash sale at that time, or the sale would open too soon."""

    code = "FLASH_SALE_OVERLAPS"


class Plan(msgspec.Struct, frozen=True, kw_only=True):
    """A sale that is planned.

    Attributes:
        variant: what is sold.
        holds_from: from here until it opens the variant is not sold; now, if it lies in the past.
        opens_at, closes_at: when it is sold.
        quantity, per_buyer: pieces in all, and for one buyer.
    """

    variant: UUID
    holds_from: datetime
    opens_at: datetime
    closes_at: datetime
    quantity: int
    per_buyer: int


async def plan_sale(context: Context, plan: Plan) -> UUID:
    """Plan a flash sale; gives its key.

    Raises:
        InvalidInput: the times or the numbers make no sale.
        NotFound: there is no such variant.
        FlashSaleOverlaps: the variant has another sale then, or this one opens too soon.
    """
    _check(plan)
    (variant,) = await context.service(Variants).snapshots([plan.variant])
    if variant is None:
        raise NotFound("There is no such variant.", cure="Check the id.", path=("input", "variantId"))
    key = new_id()
    async with context.db.transaction():
        await context.db.execute(ONE_AT_A_TIME, plan.variant)
        made = await context.db.fetchval(
            CREATE_SALE,
            key,
            plan.variant,
            plan.holds_from,
            plan.opens_at,
            plan.closes_at,
            plan.quantity,
            plan.per_buyer,
            context.principal.key,
            NOTICE_SECONDS,
        )
        if made is None:
            raise FlashSaleOverlaps(
                f"{variant.sku} has another flash sale at that time, or this one would open within {NOTICE_SECONDS} seconds.",
                cure="Choose another time, or end the other sale first.",
                path=("input", "opensAt"),
            )
        await _record(context, "fulfilment.plan_flash_sale", key, msgspec.to_builtins(plan, str_keys=True))
    return key


async def end_sale(context: Context, sale: UUID) -> Any:
    """End a sale before its time; from the next second on the variant is sold as ever. Gives the sale's row.

    Raises:
        NotFound: there is no such sale, or it is over.
    """
    async with context.db.transaction():
        row = await context.db.fetchrow(END_SALE, sale)
        if row is None:
            raise NotFound(
                "There is no such flash sale, or it is over already.",
                cure="Look at the list of flash sales.",
                path=("input", "id"),
            )
        await _record(context, "fulfilment.end_flash_sale", sale, {"sold": row["sold"]})
    return row


def _check(plan: Plan) -> None:
    if not plan.opens_at < plan.closes_at:
        raise InvalidInput(
            "A sale closes after it opens.", cure="Change one of the times.", path=("input", "closesAt")
        )
    if not 1 <= plan.quantity <= MOST_PIECES:
        raise InvalidInput(
            f"A sale has 1 to {MOST_PIECES} pieces.", cure="Change it.", path=("input", "quantity")
        )
    if not 1 <= plan.per_buyer <= plan.quantity:
        raise InvalidInput(
            "A buyer gets at least one piece and at most all of them.",
            cure="Change it.",
            path=("input", "perBuyer"),
        )


async def _record(context: Context, action: str, sale: UUID, details: dict[str, Any]) -> None:
    await context.kernel.audit.record(
        action,
        principal=context.principal,
        subject=f"flash_sale:{sale}",
        details=details,
        correlation_id=context.correlation_id,
        address=context.address,
    )
