"""What fulfilment keeps about a member: his orders with what he filled in, and his complaints.

Orders stay for the books. What was filled into forms, written to an order and complained about is erased; which codes were
delivered is in the vault of the stock, and leads to nobody once the member is erased.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final
from uuid import UUID

import orjson

from kameng.db import Statement
from kameng.money import Money
from kameng_fulfilment.ticket_reading import EVIDENCE, evidence_of, evidence_place, ticket_of
from kameng_membership.contract import PersonalData

if TYPE_CHECKING:
    from kameng.kernel import Kernel

MOST: Final = 20_000
"""The latest orders that a copy of a member's data holds."""

_ORDERS = Statement(
    "fulfilment.personal_orders",
    """
    select o.number, o.state, o.currency, o.total_minor, o.created_at,
           (select jsonb_agg(jsonb_build_object('sku', l.sku, 'quantity', l.quantity, 'answers',
                             (select jsonb_object_agg(a->>'name', a->>'value') from jsonb_array_elements(l.answers) a))
                             order by l.position)
            from fulfilment_order_line l where l.order_id = o.id)::text as lines
    from fulfilment_order o where o.member = $1 order by o.id desc limit $2
    """,
)

_TICKETS = Statement(
    "fulfilment.personal_tickets",
    "select * from fulfilment_ticket where member = $1 order by id desc limit $2",
)

_ERASE_ANSWERS = Statement(
    "fulfilment.erase_answers",
    """
    update fulfilment_order_line l set answers = null
    from fulfilment_order o where o.member = $1 and l.order_id = o.id and l.answers is not null
    """,
)

_ERASE_PARTICULARS = Statement(
    "fulfilment.erase_particulars",
    "delete from fulfilment_particulars p using fulfilment_order o where o.member = $1 and p.order_id = o.id",
)

_ERASE_EVIDENCE = Statement(
    "fulfilment.erase_evidence",
    """
    update fulfilment_ticket t set sealed_evidence = e.sealed, data_key = $3
    from unnest($1::uuid[], $2::bytea[]) as e (id, sealed) where t.id = e.id
    """,
)

_OPEN = Statement(
    "fulfilment.personal_open",
    """
    select count(*) from fulfilment_order
    where member = $1 and state not in ('COMPLETED', 'CANCELLED', 'EXPIRED', 'REFUNDED')
    """,
)

_OPEN_TICKETS = Statement(
    "fulfilment.personal_open_tickets",
    "select count(*) from fulfilment_ticket where member = $1 and state = 'OPEN'",
)


async def collect_orders(kernel: Kernel, member: UUID) -> Sequence[Mapping[str, Any]]:
    """A member's orders, the newest first, without the codes: those stay on the pages of his orders."""
    return [
        {
            "number": row["number"],
            "state": row["state"],
            "total": str(Money(row["total_minor"], row["currency"]).amount),
            "currency": row["currency"],
            "placedAt": row["created_at"].isoformat(),
            "lines": orjson.loads(row["lines"] or "[]"),
        }
        for row in await kernel.db.fetch(_ORDERS, member, MOST)
    ]


async def collect_tickets(kernel: Kernel, member: UUID) -> Sequence[Mapping[str, Any]]:
    """A member's complaints, the newest first."""
    tickets = [ticket_of(row) for row in await kernel.db.fetch(_TICKETS, member, MOST)]
    return [
        {
            "state": ticket.state,
            "openedAt": ticket.opened_at.isoformat(),
            "evidence": await evidence_of(kernel, ticket),
            "answer": ticket.answer,
        }
        for ticket in tickets
    ]


async def unsettled(kernel: Kernel, member: UUID) -> str | None:
    """Orders and complaints that are still under way."""
    orders = await kernel.db.fetchval(_OPEN, member)
    tickets = await kernel.db.fetchval(_OPEN_TICKETS, member)
    return f"{orders} orders and {tickets} complaints are still open." if orders or tickets else None


async def erase_orders(kernel: Kernel, member: UUID) -> None:
    """Forget what a member filled into forms and wrote to his orders."""
    await kernel.db.execute(_ERASE_ANSWERS, member)
    await kernel.db.execute(_ERASE_PARTICULARS, member)


async def erase_tickets(kernel: Kernel, member: UUID) -> None:
    """Write an empty text over what a member complained with."""
    rows = await kernel.db.fetch(_TICKETS, member, MOST)
    if not rows:
        return
    key = await kernel.vault.current_key(EVIDENCE, len(rows))
    ids = [row["id"] for row in rows]
    sealed = await kernel.vault.seal_many(key, [(b"", evidence_place(UUID(int=own.int))) for own in ids])
    await kernel.db.execute(_ERASE_EVIDENCE, ids, sealed, key.id)


PERSONAL_DATA: Final = (
    PersonalData(name="orders", collect=collect_orders, erase=erase_orders, unsettled=unsettled),
    PersonalData(name="complaints", collect=collect_tickets, erase=erase_tickets),
)
