"""Which supplier a line is ordered at: by priority, then by cost, passing over those that cannot be called now.

An offer that was rejected is not tried again in the same round; one that failed, after the others and after a pause. When
no offer is left, or patience is at its end, the line has failed, and the shop's rule for failures decides.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Final
from uuid import UUID

import msgspec
import structlog

from kameng.errors import NotFound
from kameng.events.failure import DATABASE_OUTAGES, describe
from kameng.ids import new_id
from kameng.money import UnitPrice
from kameng_fulfilment.contract import Deliveries
from kameng_fulfilment.delivering import OrderDeliveries
from kameng_fulfilment.orders import StoredLine, StoredOrder
from kameng_fulfilment.settings import FulfilmentSettings
from kameng_fulfilment.states import WrongDeliveryState
from kameng_fulfilment.suppliers.connection_statements import OFFERS_OF_VARIANT
from kameng_fulfilment.suppliers.records import OPEN_STATES, log_exchange
from kameng_fulfilment.suppliers.statements import (
    BEGIN_PLAN,
    GIVE_WAY,
    ORDERS_OF_LINE,
    PLAN_AGAIN,
    PREPARE,
    UNPLANNED,
)

if TYPE_CHECKING:
    from kameng.kernel import Kernel

LINES_AT_ONCE: Final = 100
"""Lines that one look plans."""

log = structlog.get_logger(__name__)

PAUSES: Final = (15, 60, 180, 600)
"""Seconds before an offer is tried again that failed once, twice, …"""


class Choice(msgspec.Struct, frozen=True, kw_only=True):
    """Where a line goes next.

    Attributes:
        offer: the row of the offer to order at; None: none now.
        wait_until: when to look again; None together with no offer: there is no use in waiting.
        reason: why there is no offer, for people.
    """

    offer: Mapping[str, Any] | None = None
    wait_until: datetime | None = None
    reason: str = ""


async def plan_waiting(kernel: Kernel) -> int:
    """Write down an order at a supplier for each line that has none; returns for how many lines something changed."""
    await kernel.db.execute(GIVE_WAY)
    changed = 0
    for row in await kernel.db.fetch(UNPLANNED, LINES_AT_ONCE):
        try:
            changed += await plan_line(kernel, row["id"])
        except DATABASE_OUTAGES:
            raise
        except Exception as error:  # one line must not stop the others
            log.error("a line could not be planned", line=str(row["id"]), error=describe(error))
    return changed


async def plan_line(kernel: Kernel, line: UUID) -> bool:
    """Write down where a line is ordered, or that it cannot be; whether anything changed. Nobody is called here."""
    settings = kernel.settings.section("fulfilment", FulfilmentSettings)
    async with kernel.db.transaction():
        try:
            order, stored = await OrderDeliveries(kernel).locked(line)
        except (NotFound, WrongDeliveryState):
            return False
        if order.held or stored.delivery != "supplier" or stored.delivery_state == "FAILED":
            return False
        plan = await kernel.db.fetchrow(BEGIN_PLAN, line)
        assert plan is not None  # noqa: S101 - it is there or was just inserted
        before = await kernel.db.fetch(ORDERS_OF_LINE, line)
        if any(row["state"] in OPEN_STATES for row in before):
            return False
        offers = await kernel.db.fetch(OFFERS_OF_VARIANT, stored.variant)
        own_round = [row for row in before if row["round"] == plan["round"]]
        patience = plan["began_at"] + timedelta(minutes=settings.supplier_patience_minutes)
        choice = choose(order, stored, offers, own_round, plan["now"], patience)
        if choice.offer is not None:
            await _prepare(kernel, stored, choice.offer, len(before) + 1, plan["round"])
        elif choice.wait_until is not None:
            await kernel.db.execute(PLAN_AGAIN, line, choice.wait_until)
        else:
            await kernel.services.get(Deliveries).failed(line, choice.reason, "system")
    return True


def choose(
    order: StoredOrder,
    line: StoredLine,
    offers: Sequence[Mapping[str, Any]],
    before: Sequence[Mapping[str, Any]],
    now: datetime,
    patience: datetime,
) -> Choice:
    """Where a line goes next.

    Args:
        order, line: what is owed.
        offers: those that may be used at all, by priority and cost.
        before: the orders of this round.
        now: the database's time.
        patience: until when failures are tried again.
    """
    if not offers:
        return Choice(reason="no supplier offers this")
    paid = line.total_minor * line.remaining // line.quantity
    rejected = {row["offer"] for row in before if row["state"] == "REJECTED"}
    failed: dict[UUID, list[datetime]] = {}
    for row in before:
        # One that gave way before it was sent is no failure of its supplier.
        if row["state"] == "FAILED" and row["sent_at"] is not None:
            failed.setdefault(row["offer"], []).append(row["settled_at"])
    waits: list[datetime] = []
    too_dear = False
    for offer in sorted(offers, key=lambda offer: len(failed.get(offer["id"], ()))):
        if offer["id"] in rejected:
            continue
        if not offer["below_cost"] and (
            offer["currency"] != order.currency
            or UnitPrice(offer["cost"], offer["currency"]).times(line.remaining).minor > paid
        ):
            too_dear = True
            continue
        times = failed.get(offer["id"], [])
        free = max(times) + timedelta(seconds=PAUSES[min(len(times), len(PAUSES)) - 1]) if times else now
        if offer["resting_until"] is not None:
            free = max(free, offer["resting_until"])
        if free <= now and (not times or now < patience):
            return Choice(offer=offer)
        waits.append(free)
    if waits and now < patience:
        return Choice(wait_until=min(waits))
    if waits:
        return Choice(reason="no supplier could be reached")
    return Choice(
        reason="every supplier costs more than was paid"
        if too_dear and not rejected
        else "no supplier can deliver this"
    )


async def _prepare(
    kernel: Kernel, line: StoredLine, offer: Mapping[str, Any], attempt: int, number: int
) -> None:
    own = new_id()
    await kernel.db.execute(
        PREPARE,
        own,
        line.id,
        attempt,
        number,
        offer["connection"],
        offer["id"],
        own.hex,
        offer["their_sku"],
        line.remaining,
        offer["cost"],
        offer["currency"],
        offer["codes"],
    )
    name = offer["connection_name"]
    await log_exchange(kernel, own, "plan", "PREPARED", f"{line.remaining} × {offer['their_sku']}", "system")
    await kernel.services.get(Deliveries).started(line.id, f"supplier:{name}")
