"""Delivering what was paid: from stock as far as there is some, and by the hands of others."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING
from uuid import UUID

import structlog

from kameng.errors import InvalidInput, NotFound, Refusal
from kameng.ids import new_id
from kameng_catalog.contract import CardsImported, Pick, PickRequest, Sale, Stock
from kameng_fulfilment.events import OrderLineDelivered
from kameng_fulfilment.life_statements import (
    ADD_TEXTS,
    COUNT_DELIVERED,
    FAIL_LINE,
    NOTE_DELIVERIES,
    OF_ONE_LINE,
    OWED_FROM_STOCK,
    START_LINE,
    WAITING_VARIANTS,
)
from kameng_fulfilment.orders import StoredLine, StoredOrder, lines_of_orders, order_of, text_place
from kameng_fulfilment.states import OWING, WrongDeliveryState, fact_values, lock_orders, settle_down

if TYPE_CHECKING:
    from kameng.kernel import Kernel

log = structlog.get_logger(__name__)

TEXTS = "fulfilment.delivered_text"
"""The scope of the data keys that seal delivered texts."""

LONGEST_TEXT = 10_000
"""Characters of one delivered text."""

MOST_TEXTS = 1_000
"""Texts of one delivery."""

ORDERS_AT_ONCE = 50
"""Orders that one transaction delivers again."""

PIECES_AT_ONCE = 5_000
"""Pieces that one transaction looks for in stock."""


@dataclass(frozen=True, slots=True)
class Delivered:
    """Pieces of a line that were delivered now."""

    order: StoredOrder
    line: StoredLine
    quantity: int


async def deliver_from_stock(kernel: Kernel, orders: Sequence[StoredOrder], actor: str) -> int:
    """Deliver what locked, paid orders are owed from stock: what is kept for them, else what is there; returns how many pieces.

    The first orders get first. A line that is short of stock gets what there is, and the rest of it waits. The number of
    statements does not depend on the number of orders, but for their states.
    """
    stock = kernel.services.get(Stock)
    lines = await lines_of_orders(kernel.db, [order.id for order in orders])
    owed = [(order, line) for order in orders for line in lines[order.id] if line.remaining > 0]
    whole = await stock.hand_over_reserved([line.id for _, line in owed])
    done = [Delivered(order, line, line.remaining) for order, line in owed if line.id in whole]
    # Pieces of lines that people or suppliers deliver were only counted; they are delivered by them.
    done = [item for item in done if item.line.delivery == "instant"]
    wanting = [
        (order, line)
        for order, line in owed
        if line.id not in whole
        and line.delivery == "instant"
        and line.delivery_state in ("PENDING", "PARTLY_DELIVERED")
    ]
    if wanting:
        await stock.release([line.id for _, line in wanting])
        done += await _pick_what_is_there(stock, wanting)
    if done:
        await note_delivered(kernel, done, actor)
    for order in orders:
        await settle_down(kernel, order, actor)
    return sum(item.quantity for item in done)


async def _pick_what_is_there(
    stock: Stock, wanting: Sequence[tuple[StoredOrder, StoredLine]]
) -> list[Delivered]:
    # Piece by piece, in order: so a line that is short gets what there is, before those after it.
    asked: list[tuple[StoredOrder, StoredLine]] = []
    for order, line in wanting:
        asked += [(order, line)] * min(line.remaining, PIECES_AT_ONCE - len(asked))
    picks = await stock.pick([PickRequest(variant=line.variant, quantity=1) for _, line in asked])
    found: dict[UUID, list[Pick]] = {}
    for (_, line), pick in zip(asked, picks, strict=True):
        if not isinstance(pick, Refusal):
            found.setdefault(line.id, []).append(pick)
    if not found:
        return []
    await stock.hand_over([Sale(pick=_joined(pieces), line=line) for line, pieces in found.items()])
    return [Delivered(order, line, len(found[line.id])) for order, line in wanting if line.id in found]


def _joined(pieces: Sequence[Pick]) -> Pick:
    first = pieces[0]
    return Pick(
        variant=first.variant,
        quantity=len(pieces),
        cards=tuple(card for piece in pieces for card in piece.cards),
        kind=first.kind,
    )


async def note_delivered(kernel: Kernel, done: Sequence[Delivered], actor: str) -> None:
    """Count what was delivered of lines of locked orders, add it to their history and publish it. Three statements."""
    await kernel.db.execute(
        COUNT_DELIVERED, [item.line.id for item in done], [item.quantity for item in done]
    )
    await kernel.db.execute(
        NOTE_DELIVERIES,
        [new_id() for _ in done],
        [item.order.id for item in done],
        [item.line.id for item in done],
        actor,
        [f"{item.quantity} × {item.line.sku}" for item in done],
    )
    await kernel.events.emit(
        *(
            OrderLineDelivered(
                **fact_values(item.order),  # type: ignore[arg-type]  # the fields of every OrderFact
                line=str(item.line.id),
                variant=str(item.line.variant),
                sku=item.line.sku,
                quantity=item.quantity,
                remaining=item.line.remaining - item.quantity,
            )
            for item in done
        )
    )


async def deliver_waiting(kernel: Kernel) -> None:
    """Deliver what paid orders wait for, the oldest first, as far as there is stock. Run often by a worker.

    Any number of processes may do this at the same time: an order that another one is at is passed over.
    """
    stock = kernel.services.get(Stock)
    variants = [row["variant"] for row in await kernel.db.fetch(WAITING_VARIANTS)]
    free = await stock.available(variants, 1) if variants else {}
    for variant in variants:
        while free.get(variant):
            async with kernel.db.transaction():
                rows = await kernel.db.fetch(OWED_FROM_STOCK, variant, ORDERS_AT_ONCE)
                orders = [order_of(row) for row in rows]
                delivered = await deliver_from_stock(kernel, orders, "system") if orders else 0
            if delivered:
                log.info("waiting orders were delivered", orders=len(orders), pieces=delivered)
            if not delivered or len(orders) < ORDERS_AT_ONCE:
                break


async def deliver_after_import(kernel: Kernel, _event: CardsImported) -> None:
    """New stock: have a worker deliver what waits for it."""
    await kernel.tasks.enqueue("fulfilment.deliver_waiting")


class OrderDeliveries:
    """`kameng_fulfilment.contract.Deliveries`.

    Args:
        kernel: whose orders.
    """

    def __init__(self, kernel: Kernel) -> None:
        self._kernel = kernel
        self._db = kernel.db

    async def started(self, line: UUID, actor: str) -> None:
        """See the contract."""
        async with self._db.transaction():
            order, stored = await self.locked(line)
            if stored.delivery_state != "DELIVERING":
                await self._db.execute(START_LINE, line)
                await settle_down(self._kernel, order, actor)

    async def delivered(
        self, line: UUID, texts: Sequence[str], actor: str, quantity: int | None = None
    ) -> None:
        """See the contract."""
        _check_texts(texts)
        async with self._db.transaction():
            # Before anything is locked: the key may have to be waited for.
            key = await self._kernel.vault.current_key(TEXTS, len(texts)) if texts else None
            order, stored = await self.locked(line)
            pieces = stored.remaining if quantity is None else quantity
            if not 1 <= pieces <= stored.remaining:
                raise WrongDeliveryState(
                    f"{stored.remaining} of {stored.sku} are owed, not {pieces}.",
                    cure="Deliver at most what is owed.",
                )
            if key is not None:
                ids = [new_id() for _ in texts]
                sealed = await self._kernel.vault.seal_many(
                    key,
                    [(text.encode(), text_place(line, own)) for own, text in zip(ids, texts, strict=True)],
                )
                await self._db.execute(ADD_TEXTS, ids, line, sealed, key.id, actor)
            if stored.delivery == "instant":
                # What was kept for it is not needed any more.
                await self._kernel.services.get(Stock).release([line])
            await note_delivered(self._kernel, [Delivered(order, stored, pieces)], actor)
            await settle_down(self._kernel, order, actor)

    async def failed(self, line: UUID, reason: str, actor: str) -> None:
        """See the contract."""
        async with self._db.transaction():
            order, _ = await self.locked(line)
            await self._db.execute(FAIL_LINE, line, reason[:500], new_id(), order.id, order.state, actor)
            await settle_down(self._kernel, order, actor)

    async def locked(self, line: UUID) -> tuple[StoredOrder, StoredLine]:
        """A line of which something is owed, with its order locked.

        Raises:
            NotFound: there is no such line.
            WrongDeliveryState: nothing of it is owed.
        """
        key = await self._db.fetchval(OF_ONE_LINE, line)
        if key is None:
            raise NotFound("There is no such line.", cure="Check the order's number and the line's position.")
        order = (await lock_orders(self._kernel, [key]))[key]
        (stored,) = (each for each in (await lines_of_orders(self._db, [key]))[key] if each.id == line)
        if order.state not in OWING or stored.remaining == 0:
            raise WrongDeliveryState(
                f"Nothing of {stored.sku} in order {order.number} is owed.",
                cure="Look at the order: it is not paid, or this was delivered or refunded.",
            )
        return order, stored


def _check_texts(texts: Sequence[str]) -> None:
    if len(texts) > MOST_TEXTS or any(not 1 <= len(text) <= LONGEST_TEXT or "\0" in text for text in texts):
        raise InvalidInput(
            "These texts cannot be delivered.",
            cure=f"Give at most {MOST_TEXTS} of 1 to {LONGEST_TEXT} plain characters.",
            path=("input", "texts"),
        )
