"""The worker's side: plan, claim, call, write down; many accounts side by side, none waiting for another.

Claims are leases in the database. An order is marked as sent before it is sent; if its worker dies in between or after, it is
unknown, and asked about. In a process at most one run is under way; further tasks only wake it.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from datetime import timedelta
from typing import TYPE_CHECKING, Final
from uuid import UUID

import structlog
from prometheus_client import Counter

from kameng.errors import KamengError, NotFound
from kameng.events.failure import DATABASE_OUTAGES, describe
from kameng_fulfilment.delivering import OrderDeliveries
from kameng_fulfilment.settings import FulfilmentSettings
from kameng_fulfilment.states import WrongDeliveryState
from kameng_fulfilment.supplier_contract import (
    CallNotSent,
    CallUnanswered,
    NotSent,
    Outcome,
    Supplier,
    SupplierRequest,
    Unknown,
)
from kameng_fulfilment.suppliers.connection_statements import CALL_ANSWERED, CALL_FAILED
from kameng_fulfilment.suppliers.connections import (
    StoredConnection,
    hidden_values,
    open_connection,
    read_connections,
)
from kameng_fulfilment.suppliers.planning import plan_waiting
from kameng_fulfilment.suppliers.records import SupplierOrder, log_exchange, supplier_order_of, tell_attention
from kameng_fulfilment.suppliers.settling import settle
from kameng_fulfilment.suppliers.statements import (
    CLAIM,
    LOCK_SUPPLIER_ORDER,
    MARK_SENT,
    SOON,
    TAKES_LONG,
    WRITE,
)

if TYPE_CHECKING:
    from kameng.kernel import Kernel

RUN_SECONDS: Final = 30.0
"""How long a run goes on claiming before it makes room for other tasks, and enqueues itself anew."""

POLL_SECONDS: Final = 0.25
"""How often a run that waits for answers looks for further work."""

CALLS_AT_ONCE: Final = 32
"""Calls under way in one process."""

REST: Final = timedelta(seconds=30)
"""How long an account is left alone at first that does not answer again and again."""

CALLS = Counter(
    "kameng_supplier_calls_total", "Calls to suppliers by kind and what came of them.", ["kind", "outcome"]
)

log = structlog.get_logger(__name__)


def callback_url(kernel: Kernel, connection: UUID) -> str:
    """Where a supplier tells of its orders."""
    return f"{kernel.settings.public_url}/callbacks/suppliers/{connection}"


class SupplierWork:
    """Does what is due with suppliers.

    Args:
        kernel: an open kernel.
    """

    def __init__(self, kernel: Kernel) -> None:
        self._kernel = kernel
        self._db = kernel.db
        self._running = False
        self._again = False

    async def run(self) -> None:
        """Plan, send and ask until nothing is due, or for `RUN_SECONDS`. Returns at once where a run is under way here."""
        self._again = True
        if self._running:
            return
        self._running = True
        flying: set[asyncio.Task[None]] = set()
        try:
            await self._run(flying)
        finally:
            self._running = False
            # What is broken off is asked about when its lease ends.
            for each in flying:
                each.cancel()
            await asyncio.gather(*flying, return_exceptions=True)

    async def _run(self, flying: set[asyncio.Task[None]]) -> None:
        ends = time.monotonic() + RUN_SECONDS
        while True:
            self._again = False
            planned, claims = 0, list[SupplierOrder]()
            if time.monotonic() < ends and len(flying) < CALLS_AT_ONCE:
                planned = await plan_waiting(self._kernel)
                claims = await self._claim(CALLS_AT_ONCE - len(flying))
                flying |= {asyncio.create_task(self._work_all(part)) for part in _by_connection(claims)}
            if flying:
                done, _ = await asyncio.wait(
                    flying, timeout=POLL_SECONDS, return_when=asyncio.FIRST_COMPLETED
                )
                flying -= done
                for each in done:
                    if (error := each.exception()) is not None:
                        raise error
                continue
            if time.monotonic() >= ends:
                await self._kernel.tasks.enqueue("fulfilment.supply")
                return
            if planned or self._again:
                continue
            soon = await self._db.fetchval(SOON)
            if soon is None:
                return
            await asyncio.sleep(min(max(soon, 0.01), 1.0))

    async def _claim(self, most: int) -> list[SupplierOrder]:
        async with self._db.transaction():
            rows = await self._db.fetch(CLAIM, most)
        return [supplier_order_of(row) for row in rows]

    async def _work_all(self, orders: Sequence[SupplierOrder]) -> None:
        """Call about what was claimed of one account."""
        key = orders[0].connection
        connection = (await read_connections(self._kernel, [key]))[key]
        try:
            supplier = await open_connection(self._kernel, connection)
        except KamengError as error:
            # Its package is gone, or its settings do not fit any more: as good as unreachable.
            log.error(
                "an account with a supplier cannot be opened", supplier=connection.name, error=str(error)
            )
            await self._db.execute(CALL_FAILED, key, REST)
            return
        async with asyncio.TaskGroup() as group:
            for order in orders:
                group.create_task(self._work(supplier, connection, order))

    async def _work(self, supplier: Supplier, connection: StoredConnection, order: SupplierOrder) -> None:
        if order.state != "PREPARED":
            await self._ask(supplier, connection, order)
            return
        began = time.monotonic()
        request = await self._begin(connection, order)
        if request is not None:
            await self._send(supplier, connection, order, request, began)

    async def _begin(self, connection: StoredConnection, order: SupplierOrder) -> SupplierRequest | None:
        """Mark an order as sent, if its line is still owed all of it. Committed before anybody is called."""
        async with self._db.transaction():
            try:
                buyers, line = await OrderDeliveries(self._kernel).locked(order.line)
                owed = line.remaining == order.quantity and line.delivery_state != "FAILED"
            except (NotFound, WrongDeliveryState):
                owed = False
            row = await self._db.fetchrow(LOCK_SUPPLIER_ORDER, order.id)
            if row is None or row["state"] != "PREPARED":
                return None
            if not owed or buyers.held:
                # Refunded, changed or held meanwhile. When it goes on, it is planned anew.
                await self._drop(order)
                return None
            await self._db.execute(MARK_SENT, order.id)
        return SupplierRequest(
            reference=order.reference,
            sku=order.their_sku,
            quantity=order.quantity,
            answers={answer.name: answer.value for answer in line.answers},
            at_most=order.expected,
            callback_url=callback_url(self._kernel, connection.id),
        )

    async def _drop(self, order: SupplierOrder) -> None:
        note = "not sent: the line is not owed as it was"
        await self._db.execute(
            WRITE, order.id, "FAILED", order.next_at, "", note, "", None, order.asks, None, None, True
        )
        await log_exchange(self._kernel, order.id, "plan", "dropped", note, "system")

    async def _send(
        self,
        supplier: Supplier,
        connection: StoredConnection,
        order: SupplierOrder,
        request: SupplierRequest,
        began: float,
    ) -> None:
        outcome: Outcome
        try:
            if time.monotonic() - began > connection.timeout_seconds:
                # By now others may have asked about it, and taken silence for a no.
                raise CallNotSent("The worker was held up before it could call.")
            async with asyncio.timeout(connection.timeout_seconds):
                outcome = await supplier.order(request)
        except CallNotSent as error:
            outcome = NotSent(reason=error.message)
        except Exception as error:  # whatever a protocol stumbles over: the order may have been taken
            outcome = Unknown(note=_told(error))
        await self._settled(connection, order, outcome, "send", began)

    async def _ask(self, supplier: Supplier, connection: StoredConnection, order: SupplierOrder) -> None:
        began = time.monotonic()
        outcome: Outcome
        try:
            async with asyncio.timeout(connection.timeout_seconds):
                outcome = await supplier.ask(order.reference, order.their_reference)
        except Exception as error:  # whatever it was: nothing is known
            outcome = Unknown(note=_told(error))
        if isinstance(outcome, NotSent):  # a protocol's mistake: what was not asked is not known
            outcome = Unknown(note="the supplier could not be asked")
        await self._settled(connection, order, outcome, "ask", began)

    async def _settled(
        self, connection: StoredConnection, order: SupplierOrder, outcome: Outcome, kind: str, began: float
    ) -> None:
        took = int((time.monotonic() - began) * 1000)
        CALLS.labels(kind, type(outcome).__name__).inc()
        try:
            await settle(
                self._kernel,
                order.id,
                outcome,
                kind=kind,
                actor=connection.actor,
                milliseconds=took,
                hidden=await hidden_values(self._kernel, connection),
                timeout=connection.timeout_seconds,
            )
            failed = isinstance(outcome, NotSent) or (isinstance(outcome, Unknown) and not outcome.answered)
            await self._db.execute(
                CALL_FAILED if failed else CALL_ANSWERED, connection.id, *((REST,) if failed else ())
            )
        except DATABASE_OUTAGES:
            raise
        except (
            Exception
        ) as error:  # one order must not stop the others; it is asked about when its lease ends
            log.error(
                "a supplier's answer could not be written down", order=str(order.id), error=describe(error)
            )


def _by_connection(orders: Sequence[SupplierOrder]) -> list[list[SupplierOrder]]:
    parts: dict[UUID, list[SupplierOrder]] = {}
    for order in orders:
        parts.setdefault(order.connection, []).append(order)
    return list(parts.values())


def _told(error: BaseException) -> str:
    """What went wrong, without values: libraries put those into their messages."""
    if isinstance(error, CallUnanswered | CallNotSent):
        return error.message
    return "there was no answer in time" if isinstance(error, TimeoutError) else type(error).__name__


async def supply(kernel: Kernel) -> None:
    """The task: show to people what takes long, then do what is due."""
    minutes = kernel.settings.section("fulfilment", FulfilmentSettings).supplier_attention_minutes
    async with kernel.db.transaction():
        rows = await kernel.db.fetch(TAKES_LONG, timedelta(minutes=minutes))
        await tell_attention(kernel, [row["id"] for row in rows])
    await kernel.services.get(SupplierWork).run()
