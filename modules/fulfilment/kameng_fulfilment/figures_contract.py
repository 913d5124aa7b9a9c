"""What reports may read of orders: what was sold, what it cost, and what was paid back. No secret, nobody's address."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol
from uuid import UUID

import msgspec


class CostFigures(msgspec.Struct, frozen=True):
    """What the delivered pieces of a line cost the shop, those of one currency together.

    Attributes:
        currency: ISO 4217.
        pieces: how many; a bad card and its replacement both count.
        minor: what they cost together, in minor units.
    """

    currency: str
    pieces: int
    minor: int


class LineFigures(msgspec.Struct, frozen=True, kw_only=True):
    """A line of an order.

    Attributes:
        line, product, variant: keys.
        sku: the variant's number.
        quantity: pieces that were sold.
        total_minor: what they cost the buyer, in minor units.
        costs: what the pieces that were delivered so far cost the shop: cards what was paid for their batches, others what
            their variant cost when it was sold; none where that is not known.
    """

    line: UUID
    product: UUID
    variant: UUID
    sku: str
    quantity: int
    total_minor: int
    costs: tuple[CostFigures, ...]


class RefundedFigures(msgspec.Struct, frozen=True):
    """What a refund gave back of a line.

    Attributes:
        line: its key.
        quantity: pieces.
        amount_minor: in minor units.
    """

    line: UUID
    quantity: int
    amount_minor: int


class RefundFigures(msgspec.Struct, frozen=True, kw_only=True):
    """A refund.

    Attributes:
        refund: its key.
        transaction: the ledger transaction that carries it; None where nothing was paid back.
        lines: what it gave back of each line.
    """

    refund: UUID
    transaction: UUID | None
    lines: tuple[RefundedFigures, ...]


class OrderSummary(msgspec.Struct, frozen=True, kw_only=True):
    """An order as reports see it.

    Attributes:
        order: its key.
        number: its number, as buyers see it.
        buyer, buyer_kind: the buyer's key; ``member`` or ``guest``.
        currency: ISO 4217.
        total_minor: what it costs, in minor units.
        charge: the ledger transaction that charged it; None until then, or where it cost nothing.
        paid_at, completed_at: when; None until then.
        source: who took in the payment from outside that paid it, such as ``wechat:1900000109``; None where it was paid from
            what was in the wallet.
        site: the code of the site that it was placed in; empty: the operator's own.
        lines: what was sold.
        refunds: what was paid back.
    """

    order: UUID
    number: str
    buyer: UUID
    buyer_kind: str
    currency: str
    total_minor: int
    charge: UUID | None
    paid_at: datetime | None
    completed_at: datetime | None
    source: str | None
    site: str
    lines: tuple[LineFigures, ...]
    refunds: tuple[RefundFigures, ...]


class OrderFigures(Protocol):
    """Reading orders for reports."""

    async def orders(self, keys: Sequence[UUID]) -> list[OrderSummary]:
        """The orders with these keys, those that exist. Six statements, however many."""
        ...

    async def charged_under(self, keys: Sequence[str]) -> list[UUID]:
        """The orders whose charges and refunds the ledger keeps under these idempotency keys; others are passed over. One
        statement.
        """
        ...
