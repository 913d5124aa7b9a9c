"""Orders at suppliers as they are stored, and the log of what was exchanged about them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final
from uuid import UUID

import msgspec

from kameng.ids import new_id
from kameng.money import Money, UnitPrice
from kameng_fulfilment.suppliers.events import SupplierOrderNeedsAttention
from kameng_fulfilment.suppliers.statements import LOG, TOLD_OF

if TYPE_CHECKING:
    from kameng.kernel import Kernel

OPEN_STATES: Final = frozenset({"PREPARED", "SENT", "ACCEPTED", "UNKNOWN"})
"""States in which it is not known yet what becomes of it."""

LONGEST_NOTE: Final = 300
"""Characters of what is kept of a supplier's words."""

_CONTROL = re.compile(r"[\x00-\x20\x7f]+")


class SupplierOrder(msgspec.Struct, frozen=True, kw_only=True):
    """An order at a supplier as it is stored; see the table."""

    id: UUID
    line: UUID
    attempt: int
    round: int
    connection: UUID
    offer: UUID
    reference: str
    their_sku: str
    their_reference: str | None
    quantity: int
    cost: int
    currency: str
    charged_minor: int | None
    codes: bool
    state: str
    sends: int
    asks: int
    next_at: datetime
    busy_until: datetime | None
    attention: str
    note: str
    sealed: bytes | None
    data_key: UUID | None
    created_at: datetime
    sent_at: datetime | None
    settled_at: datetime | None

    @property
    def expected(self) -> Money:
        """What all of it is expected to cost."""
        return UnitPrice(self.cost, self.currency).times(self.quantity)


def supplier_order_of(row: Mapping[str, Any]) -> SupplierOrder:
    """A row of ``fulfilment_supplier_order``."""
    return SupplierOrder(**{name: row[name] for name in SupplierOrder.__struct_fields__})


def short(text: str, secrets: Iterable[str] = ()) -> str:
    """Words of a supplier as they are kept: one line, not long, and none of the codes that came with them."""
    for secret in secrets:
        if len(secret) >= 4:
            text = text.replace(secret, "***")
    return _CONTROL.sub(" ", text).strip()[:LONGEST_NOTE]


async def log_exchange(
    kernel: Kernel,
    order: UUID,
    kind: str,
    outcome: str,
    note: str,
    actor: str,
    milliseconds: int | None = None,
) -> None:
    """Add to the log of an order at a supplier."""
    await kernel.db.execute(LOG, new_id(), order, kind, outcome, milliseconds, note, actor)


async def tell_attention(kernel: Kernel, orders: Sequence[UUID]) -> None:
    """Publish that a person has to look at these, in the transaction that says so."""
    if orders:
        await kernel.events.emit(
            *(
                SupplierOrderNeedsAttention(
                    supplier_order=str(row["id"]),
                    supplier=row["supplier"],
                    order=str(row["order_id"]),
                    number=row["number"],
                    line=str(row["line"]),
                    sku=row["sku"],
                    attention=row["attention"],
                )
                for row in await kernel.db.fetch(TOLD_OF, list(orders))
            )
        )
