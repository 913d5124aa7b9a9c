"""Fulfilment's part of the admin schema: everybody's orders, without what was delivered."""

from __future__ import annotations

from typing import cast

import strawberry

from kameng.errors import NotFound
from kameng.graphql import Connection, Info
from kameng.graphql.pages import PageRequest
from kameng.ids import global_id, key_of
from kameng_fulfilment.numbers import read_number
from kameng_fulfilment.orders import READ_ORDERS, order_by_number
from kameng_fulfilment.shop import order_page
from kameng_fulfilment.types import Order, OrderState


@strawberry.input(description="Which orders to list; conditions add up.")
class OrderFilter:
    """Which orders to list."""

    state: OrderState | None = None
    member_id: strawberry.ID | None = None


@strawberry.type
class FulfilmentAdminQuery:
    """Queries of the staff."""

    @strawberry.field(description="Orders, the newest first. Needs fulfilment.read_orders.")
    async def orders(
        self,
        info: Info,
        filter: OrderFilter | None = None,  # noqa: A002 - GraphQL's name
        first: int | None = None,
        after: str | None = None,
        last: int | None = None,
        before: str | None = None,
    ) -> Connection[Order]:
        """A page of all orders."""
        info.context.require(READ_ORDERS)
        conditions: list[str] = ["true"]
        values: list[object] = []
        if filter and filter.state:
            values.append(filter.state.value)
            conditions.append(f"state = ${len(values)}")
        if filter and filter.member_id:
            values.append(key_of("Member", filter.member_id))
            conditions.append(f"member = ${len(values)}")
        page = PageRequest.of(first, after, last, before)
        return await order_page(info.context.db, page, " and ".join(conditions), values)

    @strawberry.field(description="An order by its number. Needs fulfilment.read_orders.")
    async def order(self, info: Info, number: str) -> Order:
        """An order by its number."""
        info.context.require(READ_ORDERS)
        order = await order_by_number(info.context.db, read_number(number))
        if order is None:
            raise NotFound("There is no such order.", cure="Check the number.")
        return Order.of(order)


class OrderBuyer:
    """What the staff sees of an order beyond its buyer's view."""

    @strawberry.field(description="The global id of the member who bought.")
    def member_id(self) -> strawberry.ID:
        """The buyer."""
        return strawberry.ID(global_id("Member", cast("Order", self).stored.member))
