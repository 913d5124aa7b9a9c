"""Booking facts: everything that there is of an order or a posting, once, however often and by how many it is told."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, Any
from uuid import UUID

from kameng.ids import new_id
from kameng_analytics.reports.days import business_zones, day_of
from kameng_analytics.reports.facts import (
    Fact,
    Known,
    fact_of_movement,
    facts_of_order,
    facts_of_reversal,
    gateway_of,
)
from kameng_analytics.reports.statements import (
    BOOK,
    CLOSED_DAYS,
    FACTS_OF,
    KNOWN_LINES,
    SHARE_BOOKING,
    TAKE_TURNS,
)
from kameng_catalog.shelves_contract import Shelves
from kameng_fulfilment.contract import (
    LineCostChanged,
    OrderCompleted,
    OrderLineDelivered,
    OrderPaid,
    OrderRefunded,
)
from kameng_fulfilment.figures_contract import OrderFigures, OrderSummary
from kameng_membership.contract import Members
from kameng_settlement.contract import PaymentSucceeded
from kameng_settlement.figures_contract import SALES, LedgerFigures, Movement

if TYPE_CHECKING:
    from kameng.kernel import Kernel

GUEST = "guest"
"""The level of those who are no members."""


async def report_completed(kernel: Kernel, events: Sequence[OrderCompleted]) -> None:
    """Book what is new of orders that were completed."""
    await book_orders(kernel, [UUID(event.order) for event in events])


async def report_changed(
    kernel: Kernel, events: Sequence[OrderPaid | OrderLineDelivered | OrderRefunded | LineCostChanged]
) -> None:
    """Book what is new of orders that were paid, delivered in part or refunded, or cost more."""
    await book_orders(kernel, [UUID(event.order) for event in events])


async def report_fees(kernel: Kernel, events: Sequence[PaymentSucceeded]) -> None:
    """Book what gateways kept of payments."""
    ledger = kernel.services.get(LedgerFigures)
    fees = await ledger.fee_of([(event.source, event.reference) for event in events])
    await book_movements(kernel, await ledger.movements(fees))


async def book_orders(kernel: Kernel, orders: Sequence[UUID]) -> None:
    """Book all facts of orders that are not booked yet. The number of statements does not depend on that of the orders."""
    wanted = sorted(set(orders))
    if not wanted:
        return
    async with kernel.db.transaction():
        await kernel.db.execute(SHARE_BOOKING)
        await kernel.db.execute(TAKE_TURNS, wanted)
        # Read after the locks: who had them before has booked by now.
        found = await kernel.services.get(OrderFigures).orders(wanted)
        transactions = [order.charge for order in found if order.charge is not None]
        transactions += [
            refund.transaction
            for order in found
            for refund in order.refunds
            if refund.transaction is not None
        ]
        movements: dict[UUID, list[Movement]] = defaultdict(list)
        for movement in await kernel.services.get(LedgerFigures).movements(transactions):
            if movement.account == SALES:
                movements[movement.transaction].append(movement)
        known = await _known_lines(kernel, found)
        now = datetime.now(UTC)
        await _book(
            kernel, [fact for order in found for fact in facts_of_order(order, movements, known, now)]
        )


async def book_movements(kernel: Kernel, movements: Sequence[Movement]) -> None:
    """Book movements of the ledger that belong to no order: fees, reversals, and what else came to the sales account."""
    if not movements:
        return
    async with kernel.db.transaction():
        await kernel.db.execute(SHARE_BOOKING)
        reversed_ = sorted({movement.reverses for movement in movements if movement.reverses is not None})
        known: dict[UUID, list[Fact]] = defaultdict(list)
        if reversed_:
            for row in await kernel.db.fetch(FACTS_OF, reversed_):
                known[row["transaction"]].append(
                    Fact(
                        **{name: row[name] for name in Fact.__struct_fields__ if name != "order"},
                        order=row["order_id"],
                    )
                )
        sites = await kernel.services.get(LedgerFigures).sites_of_fees(
            sorted({movement.reverses or movement.transaction for movement in movements})
        )
        facts: list[Fact] = []
        for movement in movements:
            site = sites.get(movement.reverses or movement.transaction, "")
            if movement.reverses is None:
                facts.append(fact_of_movement(movement, site))
            else:
                facts += facts_of_reversal(movement, known[movement.reverses], site)
        await _book(kernel, facts)


async def _known_lines(kernel: Kernel, orders: Sequence[OrderSummary]) -> dict[UUID, Known]:
    """What is known of the lines: from the time of their sale where they are booked, as it is now where they are not."""
    booked: dict[UUID, list[Mapping[str, Any]]] = defaultdict(list)
    for row in await kernel.db.fetch(KNOWN_LINES, [line.line for order in orders for line in order.lines]):
        booked[row["line"]].append(row)
    products = sorted({line.product for order in orders for line in order.lines})
    shelves = await kernel.services.get(Shelves).of(products)
    buyers = sorted({order.buyer for order in orders if order.buyer_kind != GUEST})
    members = await kernel.services.get(Members).snapshots(buyers)
    tiers = {member.id: member.tier for member in members if member is not None}
    known = {}
    for order in orders:
        level = GUEST if order.buyer_kind == GUEST else tiers.get(order.buyer, "")
        for line in order.lines:
            rows, shelf = booked[line.line], shelves.get(line.product)
            sold = next((row for row in rows if row["gateway"] is not None), None)
            known[line.line] = Known(
                category=sold["category"] if sold else shelf.category if shelf else None,
                gateway=sold["gateway"] if sold else gateway_of(order.source),
                level=sold["level"] if sold else level,
                costs={row["currency"]: (row["cost"], row["pieces"]) for row in rows if row["costed"]},
                costed=sum(row["costed"] for row in rows),
            )
    return known


async def _book(kernel: Kernel, facts: Sequence[Fact]) -> None:
    if not facts:
        return
    zones, now = business_zones(kernel), datetime.now(UTC)
    own = [day_of(fact.at, zones.of(fact.site)) for fact in facts]
    closed: set[date] = {row["day"] for row in await kernel.db.fetch(CLOSED_DAYS, sorted(set(own)))}
    rows = [
        (
            new_id(),
            fact.key,
            fact.kind,
            # Today is never closed, on whatever site, so whatever comes too late has a day to go to.
            max(day_of(now, zones.of(fact.site)), day) if day in closed else day,
            day,
            fact.at,
            fact.currency,
            fact.order,
            fact.number,
            fact.line,
            fact.product,
            fact.category,
            fact.gateway,
            fact.level,
            fact.site,
            fact.transaction,
            fact.pieces,
            fact.amount,
        )
        for fact, day in sorted(zip(facts, own, strict=True), key=lambda pair: pair[0].key)
    ]
    await kernel.db.execute(BOOK, *(list(column) for column in zip(*rows, strict=True)))
