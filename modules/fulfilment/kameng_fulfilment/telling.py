"""Telling buyers what became of their orders: by the number and a link, and never by the goods unless the shop wants that."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING
from uuid import UUID

from kameng.audit import JSON
from kameng.auth import PrincipalKind
from kameng.module import NotificationKind
from kameng.money import Money
from kameng.notify import Addressee, Notice, Notifications
from kameng_fulfilment.guests.mailing import guest_values
from kameng_fulfilment.guests.secrets import secrets_of
from kameng_fulfilment.reading import OrderReads
from kameng_fulfilment.settings import FulfilmentSettings
from kameng_membership.contract import Members

if TYPE_CHECKING:
    from kameng.kernel import Kernel
    from kameng_fulfilment.events import OrderCompleted, OrderRefunded

TEMPLATES = "kameng_fulfilment:notifications"
COMPLETED = NotificationKind(
    name="order_completed", title_en="My order was delivered", title_zh="订单已完成", templates=TEMPLATES
)
REFUNDED = NotificationKind(
    name="order_refunded", title_en="My order was refunded", title_zh="订单已退款", templates=TEMPLATES
)

GUEST_MAIL = """
select id, order_id, data_key, sealed, locale from fulfilment_contact where order_id = any ($1::uuid[]) and kind = 'email'
"""


@dataclass(frozen=True, slots=True)
class Bought:
    """An order, as far as its buyer is to be told of it.

    Attributes:
        order, number: its key and its number.
        buyer, guest: the buyer's key, and whether that is a guest.
    """

    order: UUID
    number: str
    buyer: UUID
    guest: bool


async def tell_completed(kernel: Kernel, events: Sequence[OrderCompleted]) -> None:
    """Tell buyers that their orders are complete."""
    notifications = kernel.services.find(Notifications)
    if notifications is None or not notifications.reaches("email"):
        return
    orders = [
        Bought(UUID(event.order), event.number, UUID(event.member), event.buyer_kind == "guest")
        for event in events
    ]
    addressees = await addressees_of(kernel, orders)
    common = await _common(kernel, [order for order in orders if order.order in addressees])
    cards = kernel.settings.section("fulfilment", FulfilmentSettings).mail_cards
    notices = []
    for order, event in zip(orders, events, strict=True):
        if (to := addressees.get(order.order)) is None:
            continue
        lines: list[JSON] = [{"sku": line.sku, "quantity": line.quantity} for line in event.lines]
        values: dict[str, JSON] = {
            **common[order.order],
            "total": f"{Money(event.total_minor, event.currency).amount} {event.currency}",
            "lines": lines,
            "cards": await _cards(kernel, event) if cards else [],
        }
        notices.append(Notice(kind="fulfilment.order_completed", key=event.order, to=to, values=values))
    await notifications.tell(notices)


async def tell_refunded(kernel: Kernel, events: Sequence[OrderRefunded]) -> None:
    """Tell buyers that something was paid back."""
    notifications = kernel.services.find(Notifications)
    if notifications is None or not notifications.reaches("email"):
        return
    orders = [
        Bought(UUID(event.order), event.number, UUID(event.buyer), event.buyer_kind == "guest")
        for event in events
    ]
    addressees = await addressees_of(kernel, orders)
    common = await _common(kernel, [order for order in orders if order.order in addressees])
    notices = [
        Notice(
            kind="fulfilment.order_refunded",
            key=event.refund,
            to=addressees[order.order],
            values={
                **common[order.order],
                "amount": f"{Money(event.amount_minor, event.currency).amount} {event.currency}",
                "whole": event.whole,
            },
        )
        for order, event in zip(orders, events, strict=True)
        if order.order in addressees
    ]
    await notifications.tell(notices)


async def addressees_of(kernel: Kernel, orders: Sequence[Bought]) -> dict[UUID, Addressee]:
    """How the buyers of orders are reached by mail, by order; those who are not are missing. A statement for members and one
    for guests, whatever the number."""
    found: dict[UUID, Addressee] = {}
    members = [order for order in orders if not order.guest]
    if members:
        contacts = await kernel.services.get(Members).contacts([order.buyer for order in members])
        for order, contact in zip(members, contacts, strict=True):
            if contact is not None:
                found[order.order] = Addressee(
                    addresses={"email": contact.email},
                    locale=contact.locale,
                    kind=PrincipalKind.MEMBER,
                    id=contact.id,
                )
    guests = [order.order for order in orders if order.guest]
    if guests:
        rows = await kernel.db.fetch(GUEST_MAIL, guests)
        opened = await kernel.vault.open_many(
            [(row["data_key"], row["sealed"], row["id"].bytes) for row in rows]
        )
        for row, value in zip(rows, opened, strict=True):
            found[row["order_id"]] = Addressee(addresses={"email": value.decode()}, locale=row["locale"])
    return found


async def _common(kernel: Kernel, orders: Sequence[Bought]) -> dict[UUID, dict[str, JSON]]:
    """What all templates know, by order. A statement where there are guests among them."""
    guests = [(order.order, order.number) for order in orders if order.guest]
    secrets = await secrets_of(kernel, guests) if guests else {}
    shop = kernel.settings.public_url
    return {
        order.order: {"guest": True, **guest_values(kernel, order.number, secrets.get(order.order))}
        if order.guest
        else {"guest": False, "number": order.number, "secret": "", "url": f"{shop}/orders/{order.number}"}
        for order in orders
    }


async def _cards(kernel: Kernel, event: OrderCompleted) -> list[JSON]:
    reads = kernel.services.get(OrderReads)
    return [
        {"sku": line.sku, "number": card.number or "", "secret": card.secret}
        for line in event.lines
        for card in await reads.cards(UUID(line.line))
    ]
