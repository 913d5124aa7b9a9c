"""Reading orders for reports."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from uuid import UUID

import msgspec

from kameng.db import Statement
from kameng.kernel import Kernel
from kameng.money import UnitPrice
from kameng_fulfilment.costs.recording import costs_by_now
from kameng_fulfilment.figures_contract import (
    CostFigures,
    LineFigures,
    OrderSummary,
    RefundedFigures,
    RefundFigures,
)
from kameng_fulfilment.orders import StoredLine, StoredOrder, lines_of_orders, orders_by_id

_REFUNDS = Statement(
    "fulfilment.figures_refunds",
    "select id, order_id, transaction, lines from fulfilment_refund where order_id = any($1::uuid[]) order by id",
)

_SOURCES = Statement(
    "fulfilment.figures_sources",
    # The payment that completed the sum; what came before it was not enough.
    """
    select order_id, source from fulfilment_payment
    where order_id = any($1::uuid[]) and outcome in ('PAID', 'PAID_LATE')
    """,
)

_ORDERS_OF_REFUNDS = Statement(
    "fulfilment.figures_orders_of_refunds",
    """
    select id from fulfilment_order where id = any($1::uuid[])
    union
    select order_id from fulfilment_refund where id = any($2::uuid[])
    """,
)

_read_lines = msgspec.json.Decoder(list[RefundedFigures]).decode


class StoredFigures:
    """`kameng_fulfilment.figures_contract.OrderFigures`.

    Args:
        kernel: whose orders.
    """

    def __init__(self, kernel: Kernel) -> None:
        self._kernel = kernel
        self._db = kernel.db

    async def orders(self, keys: Sequence[UUID]) -> list[OrderSummary]:
        """See the contract."""
        wanted = list(keys)
        if not wanted:
            return []
        orders = await orders_by_id(self._db, wanted)
        lines = await lines_of_orders(self._db, wanted)
        costs = await self._costs([line.id for own in lines.values() for line in own])
        sources = {row["order_id"]: row["source"] for row in await self._db.fetch(_SOURCES, wanted)}
        refunds: dict[UUID, list[RefundFigures]] = defaultdict(list)
        for row in await self._db.fetch(_REFUNDS, wanted):
            refunds[row["order_id"]].append(
                RefundFigures(
                    refund=row["id"], transaction=row["transaction"], lines=tuple(_read_lines(row["lines"]))
                )
            )
        return [
            _summary(order, lines[key], costs, refunds[key], sources.get(key))
            for key, order in orders.items()
        ]

    async def _costs(self, lines: Sequence[UUID]) -> dict[UUID, list[CostFigures]]:
        """What lines cost by now; not as it was kept, since that comes at about the same time."""
        units: dict[tuple[UUID, str], tuple[int, int]] = {}
        for line, _, currency, pieces, cost in await costs_by_now(self._kernel, lines):
            before = units.get((line, currency), (0, 0))
            units[line, currency] = (before[0] + pieces, before[1] + cost)
        found: dict[UUID, list[CostFigures]] = defaultdict(list)
        for (line, currency), (pieces, cost) in units.items():
            found[line].append(CostFigures(currency, pieces, UnitPrice(cost, currency).times(1).minor))
        return found

    async def charged_under(self, keys: Sequence[str]) -> list[UUID]:
        """See the contract."""
        named: dict[str, list[UUID]] = {"order": [], "refund": []}
        for key in keys:
            kind, _, rest = key.partition(":")
            if kind in named:
                try:
                    named[kind].append(UUID(rest))
                except ValueError:
                    continue
        return [
            row["id"] for row in await self._db.fetch(_ORDERS_OF_REFUNDS, named["order"], named["refund"])
        ]


def _summary(
    order: StoredOrder,
    lines: Sequence[StoredLine],
    costs: Mapping[UUID, Sequence[CostFigures]],
    refunds: Sequence[RefundFigures],
    source: str | None,
) -> OrderSummary:
    return OrderSummary(
        order=order.id,
        number=order.number,
        buyer=order.member,
        buyer_kind=order.buyer_kind,
        currency=order.currency,
        total_minor=order.total_minor,
        charge=order.charge,
        paid_at=order.paid_at,
        completed_at=order.completed_at,
        source=source,
        site=order.site,
        lines=tuple(
            LineFigures(
                line=line.id,
                product=line.product,
                variant=line.variant,
                sku=line.sku,
                quantity=line.quantity,
                total_minor=line.total_minor,
                costs=tuple(costs.get(line.id, ())),
            )
            for line in lines
        ),
        refunds=tuple(refunds),
    )
