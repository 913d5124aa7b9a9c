"""Setting stock that is a number: quotas, reusable secrets and how often they are sold, what suppliers have.

Each change is one transaction with its movement and its entry in the audit log. A sale waits for it, and it for a sale.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from uuid import UUID

from kameng.errors import InvalidInput, NotFound
from kameng.ids import new_id
from kameng_catalog import piece_statements as statements
from kameng_catalog.contract import UNLIMITED, Stock
from kameng_catalog.events import StockAdjusted
from kameng_catalog.sealing import fingerprint_of, sealed_for

if TYPE_CHECKING:
    from kameng.graphql import Context

REUSABLE_DOMAIN = "catalog.reusable"
"""The domain of blind indexes of reusable secrets, and the first part of the scope of their data keys."""


async def adjust_stock(
    context: Context, variant: UUID, reason: str, *, to: int | None = None, by: int | None = None
) -> int:
    """Set or change how many pieces of a quota, or uses of a reusable secret, can still be sold; returns how many.

    Args:
        context: the request.
        variant: its key.
        reason: why, for people; it stays with the movement.
        to: how many there are now.
        by: how many more (or, below zero, fewer) there are now. Give one of the two.

    Raises:
        NotFound: there is no such variant.
        InvalidInput: its stock is no such number, the number would be below zero or too large, or a reusable secret is
            still missing.
    """
    if (to is None) == (by is None):
        raise InvalidInput(
            "Stock is set to a figure or changed by one.", cure="Give one of the two.", path=("input",)
        )
    async with context.db.transaction():
        sku, kind = await _variant(context, variant, "quota", "reusable")
        on_hand, secret = await _locked(context, variant)
        if kind == "reusable" and secret is None:
            raise InvalidInput(
                "There is no secret to sell yet.", cure="Set the secret first.", path=("input", "variant")
            )
        change = to - on_hand if to is not None else by or 0
        if not 0 <= on_hand + change <= UNLIMITED:
            raise InvalidInput(
                f"There are {on_hand} now; {on_hand + change} there cannot be.",
                cure=f"Leave between 0 and {UNLIMITED}.",
                path=("input", "to" if by is None else "by"),
            )
        if change:
            actor = context.principal.key
            await context.db.execute(statements.COUNT, variant, change, reason, actor)
            await context.kernel.events.emit(
                StockAdjusted(
                    variant=str(variant),
                    sku=sku,
                    change=change,
                    on_hand=on_hand + change,
                    reason=reason,
                    by=actor,
                )
            )
            await _record(
                context,
                "catalog.stock_adjusted",
                variant,
                {"from": on_hand, "to": on_hand + change, "reason": reason},
            )
        return on_hand + change


async def set_reusable_secret(context: Context, variant: UUID, secret: str, number: str, reason: str) -> None:
    """Set the secret that a reusable variant sells from now on; buyers keep what they bought.

    Raises:
        NotFound: there is no such variant.
        InvalidInput: its stock is no reusable secret.
    """
    vault = context.kernel.vault
    await _variant(context, variant, "reusable")
    key = await vault.current_key(f"{REUSABLE_DOMAIN}:{variant}")
    index = vault.blind_index(REUSABLE_DOMAIN, fingerprint_of(number, secret))
    [sealed] = await vault.seal_many(key, [(secret.encode(), sealed_for(variant, index))])
    async with context.db.transaction():
        await _locked(context, variant)
        await context.db.execute(
            statements.ADD_SECRET,
            new_id(),
            variant,
            number or None,
            sealed,
            key.id,
            index,
            context.principal.key,
        )
        await _record(context, "catalog.reusable_replaced", variant, {"reason": reason})


async def set_mirrored(context: Context, variant: UUID, figure: int, reason: str) -> None:
    """Set by hand what a supplier has of a variant, until the supplier tells another figure.

    Raises:
        NotFound: there is no such variant.
        InvalidInput: it is not a supplier's, or the figure is below zero or too large.
    """
    if not 0 <= figure <= UNLIMITED:
        raise InvalidInput(
            f"{figure} is no stock.", cure=f"Give between 0 and {UNLIMITED}.", path=("input", "available")
        )
    async with context.db.transaction():
        await _variant(context, variant, "supplier")
        await context.service(Stock).mirror({variant: figure})
        await _record(context, "catalog.mirror_set", variant, {"to": figure, "reason": reason})


async def _variant(context: Context, variant: UUID, *kinds: str) -> tuple[str, str]:
    """SKU and kind of stock of a variant."""
    row = await context.db.fetchrow("select sku, stock_kind from catalog_variant where id = $1", variant)
    if row is None:
        raise NotFound("There is no such variant.", path=("input", "variant"))
    if row["stock_kind"] not in kinds:
        raise InvalidInput(
            f"The stock of {row['sku']} is of the kind {row['stock_kind']!r}.",
            cure=f"This is for the kinds {', '.join(kinds)}.",
            path=("input", "variant"),
        )
    return row["sku"], row["stock_kind"]


async def _locked(context: Context, variant: UUID) -> tuple[int, UUID | None]:
    """The variant's counter, locked: how many there are, and which secret is sold."""
    await context.db.execute(statements.NEW_COUNTER, variant)
    row = await context.db.fetchrow(statements.LOCK_COUNTER, variant)
    return (0, None) if row is None else (row["on_hand"], row["secret"])


async def _record(context: Context, action: str, variant: UUID, details: dict[str, Any]) -> None:
    await context.kernel.audit.record(
        action,
        principal=context.principal,
        subject=f"variant:{variant}",
        details=details,
        correlation_id=context.correlation_id,
        address=context.address,
    )
