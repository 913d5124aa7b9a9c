"""Words for what becomes of orders after they were placed, on top of the shop of `conftest`."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from kameng.auth import Principal
from kameng.ids import new_id
from kameng.money import Money
from kameng_fulfilment.contract import Payments, PaymentTaken
from kameng_fulfilment.orders import StoredLine, StoredOrder, lines_of_orders, orders_by_id
from kameng_fulfilment.requests import LineRequest, OrderRequest
from kameng_fulfilment.services import Orders

from .conftest import Shop


def buyer(member: Principal) -> UUID:
    """The member's key."""
    assert member.id is not None
    return member.id


async def place(
    shop: Shop, member: Principal, *lines: tuple[UUID, int], key: str | None = None, outside: bool = True
) -> UUID:
    """An order that waits for its payment from outside, or one from the wallet."""
    request = OrderRequest(
        member=buyer(member),
        key=key or str(new_id()),
        lines=tuple(LineRequest(variant, quantity) for variant, quantity in lines),
        currency="CNY",
        outside=outside,
    )
    return await shop.kernel.services.get(Orders).place(request)


async def pay(
    shop: Shop, order: UUID, minor: int, reference: str | None = None, source: str = "manual"
) -> PaymentTaken:
    """Money that comes in from outside."""
    payments = shop.kernel.services.get(Payments)
    return await payments.paid(order, Money(minor, "CNY"), source, reference or str(new_id()))


async def stored(shop: Shop, order: UUID) -> StoredOrder:
    """The order as it stands."""
    return (await orders_by_id(shop.kernel.db, [order]))[order]


async def state(shop: Shop, order: UUID) -> str:
    """Where the order stands."""
    return (await stored(shop, order)).state


async def lines(shop: Shop, order: UUID) -> list[StoredLine]:
    """The order's lines."""
    return (await lines_of_orders(shop.kernel.db, [order]))[order]


async def overdue(shop: Shop, order: UUID) -> None:
    """Let an order's time run out."""
    await shop.kernel.db.execute(
        "update fulfilment_order set reserved_until = now() - interval '1 second' where id = $1", order
    )


async def delivery(shop: Shop, variant: UUID, kind: str) -> None:
    """Have a variant's lines delivered by people or suppliers."""
    await shop.kernel.db.execute("update catalog_variant set delivery = $2 where id = $1", variant, kind)


async def quota(shop: Shop, pieces: int, delivery: str = "manual", sku: str = "QUOTA") -> UUID:
    """A variant at 5.00 of which there are so many, delivered by people unless said otherwise."""
    variant = await shop.stock(sku, "5", [])
    await shop.kernel.db.execute(
        "update catalog_variant set stock_kind = 'quota', delivery = $2 where id = $1", variant, delivery
    )
    await shop.kernel.db.execute(
        "insert into catalog_stock_counter (variant, on_hand, updated_at) values ($1, $2, now())"
        " on conflict (variant) do update set on_hand = excluded.on_hand",
        variant,
        pieces,
    )
    return variant


async def left(shop: Shop, variant: UUID) -> int:
    """How many there are of a variant that is counted."""
    count: int = await shop.kernel.db.fetchval(
        "select on_hand from catalog_stock_counter where variant = $1", variant
    )
    return count


async def events(shop: Shop, order: UUID) -> list[str]:
    """What was published of an order, in order, without the module's name."""
    rows: list[Any] = await shop.kernel.db.fetch(
        "select topic from kernel_outbox where payload->>'order' = $1 order by id", str(order)
    )
    return [row["topic"].removeprefix("fulfilment.") for row in rows]


async def sold(shop: Shop) -> int:
    """How many cards were sold."""
    count: int = await shop.kernel.db.fetchval("select count(*) from catalog_sold_card")
    return count


async def free(shop: Shop) -> int:
    """How many cards are for sale."""
    count: int = await shop.kernel.db.fetchval("select count(*) from catalog_free_card")
    return count
