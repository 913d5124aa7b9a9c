"""What a term may mean: a number, a contact, a member, a product, a payment, a card, a supplier's reference.

Each meaning is looked up by an index of its own, whatever the others find; together they are a constant number of
statements. What is found are keys: of orders, of members, and of variants.
"""

from __future__ import annotations

from typing import TYPE_CHECKING
from uuid import UUID

import msgspec

from kameng.auth import Principal
from kameng.db import Statement
from kameng.errors import InvalidInput
from kameng_catalog.contract import Finding
from kameng_fulfilment.guests.contacts import read_contact
from kameng_fulfilment.numbers import read_number
from kameng_fulfilment.particulars import CONTACTS
from kameng_membership.contract import Members
from kameng_settlement.contract import PaymentFinding

if TYPE_CHECKING:
    from kameng.kernel import Kernel

SHORTEST = 2
"""Characters of a term; less finds nothing, since it would find everything."""

LONGEST = 200
"""Characters of a term that are looked at."""

MOST = 50
"""Members or variants that one term stands for; whoever means more writes more of it."""

MOST_ORDERS = 500
"""Orders that are found by number, contact, payment, card or supplier's reference."""

SEE_SECRETS = "catalog.reveal_cards"
"""The permission without which nobody finds an order by a card's secret."""

ORDERS_CALLED = Statement(
    "fulfilment.orders_called",
    # The unique index of numbers, fulfilment_contact_unpaid, and the two of suppliers' references.
    """
    select id from fulfilment_order where number = $1
    union
    (select order_id from fulfilment_contact where contact_mark = $2 limit 500)
    union
    select l.order_id from fulfilment_supplier_order s join fulfilment_order_line l on l.id = s.line where s.reference = $3
    union
    (
        select l.order_id from fulfilment_supplier_order s join fulfilment_order_line l on l.id = s.line
        where s.their_reference = $3 limit 500
    )
    """,
)

ORDERS_OF_LINES = Statement(
    "fulfilment.orders_of_lines",
    "select order_id from fulfilment_order_line where id = any($1::uuid[])",
)


class Found(msgspec.Struct, frozen=True):
    """What a term stands for.

    Attributes:
        orders: keys of orders.
        members: keys of members, whose orders are meant.
        variants: keys of variants, whose orders are meant.
    """

    orders: tuple[UUID, ...] = ()
    members: tuple[UUID, ...] = ()
    variants: tuple[UUID, ...] = ()


async def meanings(kernel: Kernel, principal: Principal, term: str) -> Found:
    """What a term stands for, as far as this principal may know; nothing, where it is too short. At most six statements."""
    text = " ".join(term.replace("\0", " ").split())[:LONGEST]
    if len(text) < SHORTEST:
        return Found()
    mark = _contact_mark(kernel, text)
    rows = await kernel.db.fetch(ORDERS_CALLED, _number(text), mark, text)
    orders = {row["id"] for row in rows}
    orders.update(await kernel.services.get(PaymentFinding).subjects_paid(text, "order"))
    finding = kernel.services.get(Finding)
    if principal.may(SEE_SECRETS) and (lines := await finding.lines_with_card(text)):
        orders.update(row["order_id"] for row in await kernel.db.fetch(ORDERS_OF_LINES, lines))
    return Found(
        orders=tuple(orders)[:MOST_ORDERS],
        members=tuple(await kernel.services.get(Members).called(text, MOST)),
        variants=tuple(await finding.variants_called(text, MOST)),
    )


def _number(text: str) -> str:
    try:
        return read_number(text)
    except InvalidInput:
        return ""


def _contact_mark(kernel: Kernel, text: str) -> bytes:
    try:
        return kernel.vault.blind_index(CONTACTS, read_contact(text).text)
    except InvalidInput:
        return b""
