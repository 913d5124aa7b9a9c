"""What counts in reports: facts, made from orders and from movements of the ledger. Nothing here asks the database."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime
from uuid import UUID

import msgspec

from kameng_fulfilment.figures_contract import LineFigures, OrderSummary
from kameng_settlement.figures_contract import FEES, Movement

WALLET = "wallet"
"""The gateway of what was paid from money that was in the wallet."""

_CLEARING = "clearing:"


class Known(msgspec.Struct, frozen=True):
    """What is known of a line from facts, or from elsewhere where there are none.

    Attributes:
        category: of its product when it was sold.
        gateway, level: of its order.
        costs: what is booked as its cost, by currency: minor units, and of how many pieces.
        costed: in how many facts.
    """

    category: UUID | None
    gateway: str
    level: str
    costs: Mapping[str, tuple[int, int]] = {}
    costed: int = 0


class Fact(msgspec.Struct, frozen=True, kw_only=True):
    """See `kameng_analytics.reports.tables.FactTable`, whose columns but for the days these are."""

    key: str
    kind: str
    at: datetime
    currency: str
    amount: int
    pieces: int = 0
    order: UUID | None = None
    number: str = ""
    line: UUID | None = None
    product: UUID | None = None
    category: UUID | None = None
    gateway: str = ""
    level: str = ""
    site: str = ""
    transaction: UUID | None = None


def gateway_of(source: str | None) -> str:
    """The gateway of a source of payments, such as ``wechat`` of ``wechat:1900000109``."""
    return source.partition(":")[0] if source else WALLET


def facts_of_order(
    order: OrderSummary, movements: Mapping[UUID, list[Movement]], known: Mapping[UUID, Known], now: datetime
) -> Iterator[Fact]:
    """All facts of an order that there are so far; those that are known already have the keys that they have.

    Args:
        order: the order.
        movements: by ledger transaction.
        known: of each of its lines.
        now: when a change of its cost counts that has no time of its own.
    """
    lines = {line.line: line for line in order.lines}
    if order.charge is not None:
        parts = [(line.line, line.quantity, line.total_minor) for line in order.lines]
        for movement in movements.get(order.charge, ()):
            yield from _of_lines("sale", movement, parts, order, lines, known)
    elif order.total_minor == 0 and order.paid_at is not None:
        for line in order.lines:
            key = f"free:{line.line}"
            yield _fact(key, "sale", order.paid_at, order, line, known[line.line], pieces=line.quantity)
    for refund in order.refunds:
        if refund.transaction is None:
            continue
        parts = [(part.line, part.quantity, part.amount_minor) for part in refund.lines]
        for movement in movements.get(refund.transaction, ()):
            yield from _of_lines("refund", movement, parts, order, lines, known)
    for line in order.lines:
        yield from _costs(order, line, known[line.line], now)


def _costs(order: OrderSummary, line: LineFigures, known: Known, now: datetime) -> Iterator[Fact]:
    """What a line cost and is not booked yet. It changes with the pieces that were delivered: what a batch cost is taken as it
    was known then."""
    costs = {cost.currency: (cost.minor, cost.pieces) for cost in line.costs}
    booked = known.costed
    for currency in sorted(costs.keys() | known.costs.keys()):
        (minor, pieces), (minor_before, before) = (
            costs.get(currency, (0, 0)),
            known.costs.get(currency, (0, 0)),
        )
        if minor == minor_before or pieces == before:
            continue
        yield _fact(
            f"cost:{line.line}:{booked}",
            "cost",
            # The first time, a line that was delivered with its order cost something when that was complete.
            order.completed_at if order.completed_at and not known.costed else now,
            order,
            line,
            known,
            pieces=pieces - before,
            amount=minor - minor_before,
            currency=currency,
        )
        booked += 1


def fact_of_movement(movement: Movement, site: str = "") -> Fact:
    """A movement that belongs to no order: a fee, or something that was booked to the sales account otherwise.

    Args:
        movement: what the ledger says.
        site: of the payment that the fee is for.
    """
    if movement.account == FEES:
        source = movement.other.removeprefix(_CLEARING) if movement.other.startswith(_CLEARING) else None
        kind, amount, gateway = "fee", -movement.credited, gateway_of(source) if source else ""
    else:
        kind, amount = ("correction" if movement.credited > 0 else "refund"), abs(movement.credited)
        gateway = ""
    return Fact(
        key=f"{movement.posting}:{movement.account}",
        kind=kind,
        at=movement.posted_at,
        currency=movement.currency,
        amount=amount,
        gateway=gateway,
        site=site,
        transaction=movement.transaction,
    )


def facts_of_reversal(movement: Movement, reversed_facts: list[Fact], site: str = "") -> list[Fact]:
    """A reversal takes back what its transaction did, line by line; as a whole where that is not known or not as much."""
    amount = abs(movement.credited)
    if movement.account == FEES or sum(fact.amount for fact in reversed_facts) != amount:
        return [fact_of_movement(movement, site)]
    kind = "correction" if movement.credited > 0 else "refund"
    return [
        msgspec.structs.replace(
            fact,
            key=f"{movement.posting}:{fact.line or '-'}",
            kind=kind,
            at=movement.posted_at,
            transaction=movement.transaction,
            pieces=fact.pieces if kind == "refund" else 0,
        )
        for fact in reversed_facts
    ]


def _of_lines(
    kind: str,
    movement: Movement,
    parts: list[tuple[UUID, int, int]],
    order: OrderSummary,
    lines: Mapping[UUID, LineFigures],
    known: Mapping[UUID, Known],
) -> Iterator[Fact]:
    """A movement of an order, divided among its lines; what they do not account for stands by itself."""
    rest = abs(movement.credited)
    for line, pieces, amount in parts:
        rest -= amount
        yield _fact(
            f"{movement.posting}:{line}",
            kind,
            movement.posted_at,
            order,
            lines[line],
            known[line],
            pieces=pieces,
            amount=amount,
            transaction=movement.transaction,
        )
    if rest:
        yield Fact(
            key=f"{movement.posting}:-",
            kind="correction" if kind == "sale" else kind,
            at=movement.posted_at,
            currency=movement.currency,
            amount=rest,
            order=order.order,
            number=order.number,
            site=order.site,
            transaction=movement.transaction,
        )


def _fact(
    key: str,
    kind: str,
    at: datetime,
    order: OrderSummary,
    line: LineFigures,
    known: Known,
    *,
    pieces: int = 0,
    amount: int = 0,
    transaction: UUID | None = None,
    currency: str = "",
) -> Fact:
    return Fact(
        key=key,
        kind=kind,
        at=at,
        currency=currency or order.currency,
        amount=amount,
        pieces=pieces,
        order=order.order,
        number=order.number,
        line=line.line,
        product=line.product,
        category=known.category,
        gateway=known.gateway,
        level=known.level,
        site=order.site,
        transaction=transaction,
    )
