"""Working on lines that the staff deliver: one person at each at a time, for as long as his claim lasts.

The order is locked first, so two who claim at once take turns: one gets it, the other is told whose it is.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any
from uuid import UUID

import msgspec

from kameng.errors import Conflict, InvalidInput, NotFound
from kameng_fulfilment.contract import Deliveries
from kameng_fulfilment.delivering import TEXTS, OrderDeliveries
from kameng_fulfilment.orders import StoredLine, StoredOrder
from kameng_fulfilment.service_desk.statements import (
    CLAIM_SERVICE,
    CLOSE_SERVICE,
    DROP_SERVICE_TIME,
    FREE_SERVICE,
    MOST_URGENT,
    OPEN_SERVICES,
    SERVICE,
    SET_SERVICE_TIME,
)
from kameng_fulfilment.settings import FulfilmentSettings
from kameng_fulfilment.states import WrongDeliveryState

if TYPE_CHECKING:
    from kameng.graphql import Context
    from kameng.kernel import Kernel

LONGEST_REASON = 500
"""Characters of a reason."""


class ServiceClaimed(Conflict):
    """Somebody else is working on it."""

    code = "SERVICE_CLAIMED"


class ServiceNotClaimed(Conflict):
    """It is not yours to work on."""

    code = "SERVICE_NOT_CLAIMED"


class NothingToServe(NotFound):
    """Nothing waits that nobody works on."""

    code = "NOTHING_TO_SERVE"


class Service(msgspec.Struct, frozen=True, kw_only=True):
    """A line on the service desk as it is stored; see the table."""

    line: UUID
    due_by: datetime
    overdue_at: datetime | None
    claimed_by: str | None
    claimed_until: datetime | None
    closed_at: datetime | None

    def is_claimed(self, now: datetime) -> bool:
        """Whether somebody works on it."""
        return self.claimed_until is not None and self.claimed_until > now


def service_of(row: Mapping[str, Any]) -> Service:
    """A row of ``fulfilment_service``."""
    return Service(**{name: row[name] for name in Service.__struct_fields__})


async def open_services(kernel: Kernel, orders: Sequence[UUID] | None = None) -> None:
    """Put onto the desk what the staff owe, of some orders or of all; what is there stays. One statement."""
    minutes = kernel.settings.section("fulfilment", FulfilmentSettings).service_minutes
    await kernel.db.execute(OPEN_SERVICES, minutes, None if orders is None else list(orders))


async def claim(context: Context, line: UUID) -> Service:
    """Take a line, or keep it for longer; nobody else works on it meanwhile.

    Raises:
        NotFound: there is no such line.
        WrongDeliveryState: nothing of it is owed, it is held, or the staff do not deliver it.
        ServiceClaimed: somebody else has it.
    """
    kernel = context.kernel
    minutes = kernel.settings.section("fulfilment", FulfilmentSettings).claim_minutes
    async with kernel.db.transaction():
        order, _ = await _owed(kernel, line)
        await open_services(kernel, [order.id])
        row = await kernel.db.fetchrow(CLAIM_SERVICE, line, context.principal.key, timedelta(minutes=minutes))
        if row is None:
            raise await _claimed(kernel, line)
        await kernel.services.get(Deliveries).started(line, context.principal.key)
        await _audit(context, "service_claimed", line, {})
    return service_of(row)


async def claim_next(context: Context) -> Service:
    """Take the most urgent line that nobody works on.

    Raises:
        NothingToServe: there is none.
    """
    await open_services(context.kernel)
    for row in await context.db.fetch(MOST_URGENT):
        try:
            return await claim(context, row["line"])
        except (ServiceClaimed, WrongDeliveryState):
            continue  # somebody was quicker
    raise NothingToServe("Nothing waits that nobody works on.", cure="Look again later.")


async def release(context: Context, line: UUID, *, anybodys: bool = False) -> Service:
    """Give a line back to the queue.

    Args:
        context: who asks.
        line: its key.
        anybodys: whether it may be somebody else's.

    Raises:
        NotFound: it is not on the desk.
        ServiceNotClaimed: it is not his.
    """
    kernel = context.kernel
    async with kernel.db.transaction():
        order_line = await OrderDeliveries(kernel).locked(line)
        row = await kernel.db.fetchrow(SERVICE, line)
        if row is None:
            raise NotFound(f"{order_line[1].sku} is not on the service desk.", cure="Claim it first.")
        if row["claimed_by"] is None or (row["claimed_by"] != context.principal.key and not anybodys):
            raise _not_yours()
        await kernel.db.execute(FREE_SERVICE, line)
        await _audit(context, "service_released", line, {"was": row["claimed_by"]})
        return await _read(kernel, line)


async def deliver(context: Context, line: UUID, texts: Sequence[str], quantity: int | None = None) -> Service:
    """Deliver what one has claimed, or part of it. The texts are sealed at once.

    Args:
        context: who delivers.
        line: its key.
        texts: codes and messages for the buyer; may be empty where the service was done elsewhere.
        quantity: how many pieces that was; None: all that are owed.

    Raises:
        NotFound: there is no such line.
        WrongDeliveryState: fewer are owed, or the order is held.
        ServiceNotClaimed: it is not his; a claim that ran out holds until somebody else takes the line.
        InvalidInput: the texts cannot be delivered.
    """
    kernel = context.kernel
    async with kernel.db.transaction():
        if texts:
            # Before anything is locked: the key may have to be waited for.
            await kernel.vault.current_key(TEXTS, 2 * len(texts))
        await _owed(kernel, line)
        await _mine(context, line)
        await kernel.services.get(Deliveries).delivered(line, texts, context.principal.key, quantity)
        await kernel.db.execute(CLOSE_SERVICE, line)
        await _audit(context, "service_delivered", line, {"texts": len(texts), "quantity": quantity})
        return await _read(kernel, line)


async def fail(context: Context, line: UUID, reason: str) -> Service:
    """Say that it cannot be done: the shop's rule for failures decides, or whoever claims it again.

    Raises:
        NotFound: there is no such line.
        WrongDeliveryState: nothing of it is owed, or the order is held.
        ServiceNotClaimed: it is not his.
        InvalidInput: there is no reason.
    """
    kernel, why = context.kernel, reason.strip()
    if not 1 <= len(why) <= LONGEST_REASON or "\0" in why:
        raise InvalidInput(
            "This needs a reason; the buyer may read it.",
            cure=f"Write 1 to {LONGEST_REASON} plain characters.",
            path=("reason",),
        )
    async with kernel.db.transaction():
        await _owed(kernel, line)
        await _mine(context, line)
        await kernel.services.get(Deliveries).failed(line, why, context.principal.key)
        await kernel.db.execute(FREE_SERVICE, line)
        await _audit(context, "service_failed", line, {"reason": why})
        return await _read(kernel, line)


async def set_service_time(context: Context, variant: UUID, minutes: int | None) -> None:
    """Say how soon lines of a variant are to be delivered that are paid from now on; None: as the settings say.

    Raises:
        InvalidInput: the time is unusable.
    """
    if minutes is not None and not 1 <= minutes <= 525_600:
        raise InvalidInput("A service takes 1 minute to a year.", cure="Give minutes.", path=("minutes",))
    async with context.db.transaction():
        if minutes is None:
            await context.db.execute(DROP_SERVICE_TIME, variant)
        else:
            await context.db.execute(SET_SERVICE_TIME, variant, minutes)
        await context.kernel.audit.record(
            "fulfilment.service_time_set",
            principal=context.principal,
            subject=f"variant:{variant}",
            details={"minutes": minutes},
            correlation_id=context.correlation_id,
            address=context.address,
        )


async def _owed(kernel: Kernel, line: UUID) -> tuple[StoredOrder, StoredLine]:
    order, stored = await OrderDeliveries(kernel).locked(line)
    if stored.delivery != "manual":
        raise WrongDeliveryState(f"{stored.sku} is not delivered by the staff.", cure="Look at its delivery.")
    if order.held:
        raise WrongDeliveryState(
            f"Order {order.number} is held.", cure="Have it released before anything of it is delivered."
        )
    return order, stored


async def _mine(context: Context, line: UUID) -> None:
    row = await context.db.fetchrow(SERVICE, line)
    if row is None or row["claimed_by"] != context.principal.key:
        raise _not_yours()


async def _read(kernel: Kernel, line: UUID) -> Service:
    row = await kernel.db.fetchrow(SERVICE, line)
    assert row is not None  # noqa: S101 - rows are never deleted
    return service_of(row)


async def _claimed(kernel: Kernel, line: UUID) -> ServiceClaimed:
    service = await _read(kernel, line)
    until = service.claimed_until.strftime("%H:%M UTC") if service.claimed_until else "its end"
    return ServiceClaimed(f"Somebody works on this until {until}.", cure="Take another one.")


def _not_yours() -> ServiceNotClaimed:
    return ServiceNotClaimed("You have not claimed this.", cure="Claim it first.")


async def _audit(context: Context, action: str, line: UUID, details: dict[str, Any]) -> None:
    await context.kernel.audit.record(
        f"fulfilment.{action}",
        principal=context.principal,
        subject=f"order_line:{line}",
        details=details,
        correlation_id=context.correlation_id,
        address=context.address,
    )
