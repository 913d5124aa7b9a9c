"""Reading orders for reports."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from uuid import UUID

import msgspec

from kameng.db import Statement
from kameng.kernel import Kernel
from kameng_fulfilment.figures_contract import (
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
        self._db = kernel.db

    async def orders(self, keys: Sequence[UUID]) -> list[OrderSummary]:
        """See the contract."""
        wanted = list(keys)
        if not wanted:
            return []
        orders = await orders_by_id(self._db, wanted)
        lines = await lines_of_orders(self._db, wanted)
        sources = {row["order_id"]: row["source"] for row in await self._db.fetch(_SOURCES, wanted)}
        refunds: dict[UUID, list[RefundFigures]] = defaultdict(list)
        for row in await self._db.fetch(_REFUNDS, wanted):
            refunds[row["order_id"]].append(
                RefundFigures(
                    refund=row["id"], transaction=row["transaction"], lines=tuple(_read_lines(row["lines"]))
                )
            )
        return [_summary(order, lines[key], refunds[key], sources.get(key)) for key, order in orders.items()]

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
    order: StoredOrder, lines: Sequence[StoredLine], refunds: Sequence[RefundFigures], source: str | None
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
        lines=tuple(
            LineFigures(
                line=line.id,
                product=line.product,
                variant=line.variant,
                sku=line.sku,
                quantity=line.quantity,
                total_minor=line.total_minor,
                cost_minor=line.cost_minor(order.currency),
            )
            for line in lines
        ),
        refunds=tuple(refunds),
    )
