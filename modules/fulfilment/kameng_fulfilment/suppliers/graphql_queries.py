"""Suppliers in the back office: lists of accounts, offers and orders there."""

from __future__ import annotations

import msgspec
import strawberry

from kameng.db import as_json
from kameng.graphql import LOCALES, Connection, Info
from kameng.graphql.pages import Keyset, PageRequest
from kameng.ids import key_of
from kameng_fulfilment.numbers import read_number
from kameng_fulfilment.suppliers.brings import READ_SUPPLIERS
from kameng_fulfilment.suppliers.graphql_nodes import connection_row, offer_row
from kameng_fulfilment.suppliers.graphql_types import (
    SELECT_ORDERS,
    SupplierAccount,
    SupplierAttention,
    SupplierOffer,
    SupplierOrderNode,
    SupplierOrderState,
    SupplierProtocolInfo,
)
from kameng_fulfilment.suppliers.protocols import known_protocols

CONNECTIONS = Keyset("supplier-accounts-newest", (("id", "uuid"),), descending=True)


OFFERS = Keyset("supplier-offers-newest", (("id", "uuid"),), descending=True)


ORDERS = Keyset("supplier-orders-newest", (("s.id", "uuid"),), descending=True)


@strawberry.input(description="Which orders at suppliers to list; conditions add up.")
class SupplierOrderFilter:
    """Which orders at suppliers to list."""

    account_id: strawberry.ID | None = None
    state: SupplierOrderState | None = None
    attention: SupplierAttention | None = None
    needs_attention: bool = strawberry.field(default=False, description="Only those that wait for a person.")
    order_number: str | None = strawberry.field(default=None, description="Only those of a buyer's order.")


@strawberry.type
class SuppliersQuery:
    """Queries on suppliers. All need fulfilment.read_suppliers."""

    @strawberry.field(
        description="The protocols that installed packages speak. Needs fulfilment.read_suppliers."
    )
    def supplier_protocols(self, info: Info) -> list[SupplierProtocolInfo]:
        """The protocols."""
        info.context.require(READ_SUPPLIERS)
        chinese = info.context.locale == LOCALES[0]
        return [
            SupplierProtocolInfo(
                name=each.name,
                title=each.title_zh if chinese else each.title_en,
                settings=as_json(msgspec.json.schema(each.settings)),
                secrets=sorted(each.secrets),
            )
            for each in known_protocols().values()
        ]

    @strawberry.field(
        description="Accounts with suppliers, the newest first. Needs fulfilment.read_suppliers."
    )
    async def supplier_accounts(
        self,
        info: Info,
        first: int | None = None,
        after: str | None = None,
        last: int | None = None,
        before: str | None = None,
    ) -> Connection[SupplierAccount]:
        """A page of accounts."""
        info.context.require(READ_SUPPLIERS)
        page = PageRequest.of(first, after, last, before)
        behind, tail, cursor = page.clauses(CONNECTIONS, 1)
        rows = await info.context.db.fetch(
            f"select * from fulfilment_supplier_connection where {behind} {tail}", *cursor
        )
        return page.connection(rows, CONNECTIONS, lambda row: [row["id"]], connection_row)

    @strawberry.field(
        description="Offers of suppliers, the newest first; of a variant or an account. Needs fulfilment.read_suppliers."
    )
    async def supplier_offers(
        self,
        info: Info,
        variant_id: strawberry.ID | None = None,
        account_id: strawberry.ID | None = None,
        first: int | None = None,
        after: str | None = None,
        last: int | None = None,
        before: str | None = None,
    ) -> Connection[SupplierOffer]:
        """A page of offers."""
        info.context.require(READ_SUPPLIERS)
        conditions, values = ["true"], list[object]()
        if variant_id:
            values.append(key_of("Variant", variant_id))
            conditions.append(f"variant = ${len(values)}")
        if account_id:
            values.append(key_of("SupplierAccount", account_id))
            conditions.append(f"connection = ${len(values)}")
        page = PageRequest.of(first, after, last, before)
        behind, tail, cursor = page.clauses(OFFERS, len(values) + 1)
        rows = await info.context.db.fetch(
            f"select * from fulfilment_supplier_offer where {' and '.join(conditions)} and {behind} {tail}",
            *values,
            *cursor,
        )
        return page.connection(rows, OFFERS, lambda row: [row["id"]], offer_row)

    @strawberry.field(description="Orders at suppliers, the newest first. Needs fulfilment.read_suppliers.")
    async def supplier_orders(
        self,
        info: Info,
        filter: SupplierOrderFilter | None = None,  # noqa: A002 - GraphQL's name
        first: int | None = None,
        after: str | None = None,
        last: int | None = None,
        before: str | None = None,
    ) -> Connection[SupplierOrderNode]:
        """A page of orders at suppliers."""
        info.context.require(READ_SUPPLIERS)
        conditions, values = ["true"], list[object]()
        if filter and filter.account_id:
            values.append(key_of("SupplierAccount", filter.account_id))
            conditions.append(f"s.connection = ${len(values)}")
        if filter and filter.order_number:
            values.append(read_number(filter.order_number))
            conditions.append(
                "s.line in (select m.id from fulfilment_order_line m join fulfilment_order o on o.id = m.order_id"
                f" where o.number = ${len(values)})"
            )
        if filter and filter.needs_attention:
            conditions.append("s.attention <> ''")
        # Literals, so that the partial indexes can be used; the enums give nothing but their values.
        if filter and filter.state:
            conditions.append(f"s.state = '{filter.state.value}'")
        if filter and filter.attention:
            conditions.append(f"s.attention = '{filter.attention.value}' and s.attention <> ''")
        page = PageRequest.of(first, after, last, before)
        behind, tail, cursor = page.clauses(ORDERS, len(values) + 1)
        rows = await info.context.db.fetch(
            f"{SELECT_ORDERS} where {' and '.join(conditions)} and {behind} {tail}", *values, *cursor
        )
        return page.connection(rows, ORDERS, lambda row: [row["id"]], SupplierOrderNode.of)
