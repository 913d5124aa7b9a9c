"""Suppliers in the back office: accounts, offers, orders there, and deciding by hand."""

from __future__ import annotations

import asyncio
from uuid import UUID

import strawberry

from kameng.errors import InvalidInput, KamengError, NotFound
from kameng.graphql import Context, Info, Money, mutation
from kameng.ids import key_of
from kameng.money import UnitPrice
from kameng_fulfilment.acting import find_line
from kameng_fulfilment.numbers import read_number
from kameng_fulfilment.orders import order_by_number
from kameng_fulfilment.supplier_contract import Supplier
from kameng_fulfilment.suppliers import hands
from kameng_fulfilment.suppliers.brings import MANAGE_SUPPLIERS, SETTLE_SUPPLIER_ORDERS
from kameng_fulfilment.suppliers.connections import (
    open_connection,
    read_connections,
    save_connection,
    set_connection_enabled,
)
from kameng_fulfilment.suppliers.graphql_inputs import (
    AskSupplierPayload,
    ChangeSupplierAccountPayload,
    CreateSupplierAccountPayload,
    DeliverKeptCodesPayload,
    FetchSupplierProductsPayload,
    GiveUpSupplierOrderPayload,
    ResolveSupplierOrderPayload,
    RevealKeptCodesPayload,
    SaveSupplierOfferPayload,
    SearchSuppliersAgainPayload,
    SetSupplierAccountEnabledPayload,
    SupplierAccountInput,
    SupplierOfferInput,
    SuppliersProduct,
    TestSupplierAccountPayload,
)
from kameng_fulfilment.suppliers.graphql_types import (
    SELECT_ORDERS,
    SupplierAccount,
    SupplierOffer,
    SupplierOrderNode,
)
from kameng_fulfilment.suppliers.offers import OfferDraft, save_offer

MOST_PRODUCTS = 10_000
"""Products of a supplier that are shown at once."""


@strawberry.type
class SuppliersMutation:
    """Mutations on suppliers. Accounts and offers need fulfilment.manage_suppliers, orders fulfilment.settle_supplier_orders."""

    @mutation
    async def create_supplier_account(
        self,
        info: Info,
        input: SupplierAccountInput,  # noqa: A002 - GraphQL's name
    ) -> CreateSupplierAccountPayload:
        """Make an account with a supplier."""
        info.context.require(MANAGE_SUPPLIERS)
        key = await save_connection(info.context, input.draft())
        return CreateSupplierAccountPayload(account=await _connection(info.context, key))

    @mutation
    async def change_supplier_account(
        self,
        info: Info,
        id: strawberry.ID,  # noqa: A002 - GraphQL's name
        input: SupplierAccountInput,  # noqa: A002 - GraphQL's name
    ) -> ChangeSupplierAccountPayload:
        """Change an account; settings that are not named stay as they are."""
        info.context.require(MANAGE_SUPPLIERS)
        key = key_of("SupplierAccount", id)
        await save_connection(info.context, input.draft(), key)
        return ChangeSupplierAccountPayload(account=await _connection(info.context, key))

    @mutation
    async def set_supplier_account_enabled(
        self,
        info: Info,
        id: strawberry.ID,  # noqa: A002 - GraphQL's name
        enabled: bool,
    ) -> SetSupplierAccountEnabledPayload:
        """Order at an account from now on, with a clean slate, or no more; what was ordered there is asked about either way."""
        info.context.require(MANAGE_SUPPLIERS)
        key = key_of("SupplierAccount", id)
        await set_connection_enabled(info.context, key, enabled=enabled)
        return SetSupplierAccountEnabledPayload(account=await _connection(info.context, key))

    @mutation(idempotency="none")
    async def test_supplier_account(
        self,
        info: Info,
        id: strawberry.ID,  # noqa: A002 - GraphQL's name
    ) -> TestSupplierAccountPayload:
        """Ask an account for its balance now. Nothing is ordered."""
        info.context.require(MANAGE_SUPPLIERS)
        supplier, seconds = await _opened(info.context, id)
        try:
            async with asyncio.timeout(seconds):
                balances = await supplier.balance()
        except Exception as error:  # whatever a protocol stumbles over is the answer
            return TestSupplierAccountPayload(problem=_problem(error))
        return TestSupplierAccountPayload(reached=True, balances=[Money.of(each) for each in balances])

    @mutation(idempotency="none")
    async def fetch_supplier_products(
        self,
        info: Info,
        id: strawberry.ID,  # noqa: A002 - GraphQL's name
    ) -> FetchSupplierProductsPayload:
        """Ask an account now what it has, to make offers of it."""
        info.context.require(MANAGE_SUPPLIERS)
        supplier, seconds = await _opened(info.context, id)
        try:
            async with asyncio.timeout(seconds):
                products = await supplier.products()
        except Exception as error:  # whatever a protocol stumbles over is the answer
            return FetchSupplierProductsPayload(problem=_problem(error))
        return FetchSupplierProductsPayload(
            products=[
                SuppliersProduct(
                    sku=each.sku,
                    title=each.title,
                    cost=Money.of(each.cost) if each.cost is not None else None,
                    stock=each.stock,
                )
                for each in products[:MOST_PRODUCTS]
            ]
        )

    @mutation
    async def save_supplier_offer(self, info: Info, input: SupplierOfferInput) -> SaveSupplierOfferPayload:  # noqa: A002 - GraphQL's name
        """Say that a supplier delivers a variant, or change what was said of this variant, account and number."""
        info.context.require(MANAGE_SUPPLIERS)
        draft = OfferDraft(
            variant=key_of("Variant", input.variant_id),
            connection=key_of("SupplierAccount", input.account_id),
            their_sku=input.supplier_sku,
            cost=UnitPrice.parse(input.cost.amount, input.cost.currency),
            priority=input.priority,
            enabled=input.enabled,
            codes=input.codes,
            below_cost=input.below_cost,
        )
        return SaveSupplierOfferPayload(offer=SupplierOffer.of(await save_offer(info.context, draft)))

    @mutation
    async def ask_supplier(self, info: Info, id: strawberry.ID) -> AskSupplierPayload:  # noqa: A002 - GraphQL's name
        """Have a worker ask the supplier about an order now."""
        info.context.require(SETTLE_SUPPLIER_ORDERS)
        key = key_of("SupplierOrder", id)
        await hands.ask_now(info.context, key)
        return AskSupplierPayload(supplier_order=await _order(info.context, key))

    @mutation
    async def give_up_supplier_order(
        self,
        info: Info,
        id: strawberry.ID,  # noqa: A002 - GraphQL's name
        reason: str,
    ) -> GiveUpSupplierOrderPayload:
        """Say that a supplier has not delivered and will not, so that the next one has a try. Ask the supplier first."""
        info.context.require(SETTLE_SUPPLIER_ORDERS)
        key = key_of("SupplierOrder", id)
        await hands.give_up(info.context, key, reason)
        return GiveUpSupplierOrderPayload(supplier_order=await _order(info.context, key))

    @mutation
    async def resolve_supplier_order(
        self,
        info: Info,
        id: strawberry.ID,  # noqa: A002 - GraphQL's name
        reason: str,
    ) -> ResolveSupplierOrderPayload:
        """Take an order off the list of those that need a person."""
        info.context.require(SETTLE_SUPPLIER_ORDERS)
        key = key_of("SupplierOrder", id)
        await hands.resolve(info.context, key, reason)
        return ResolveSupplierOrderPayload(supplier_order=await _order(info.context, key))

    @mutation
    async def deliver_kept_codes(self, info: Info, id: strawberry.ID) -> DeliverKeptCodesPayload:  # noqa: A002 - GraphQL's name
        """Hand to the buyer what came too late or was not complete, as far as it is still owed."""
        info.context.require(SETTLE_SUPPLIER_ORDERS)
        key = key_of("SupplierOrder", id)
        await hands.deliver_kept(info.context, key)
        return DeliverKeptCodesPayload(supplier_order=await _order(info.context, key))

    @mutation(idempotency="none")
    async def reveal_kept_codes(self, info: Info, id: strawberry.ID) -> RevealKeptCodesPayload:  # noqa: A002 - GraphQL's name
        """Show codes that came and could not be handed over; each look is written into the audit log."""
        info.context.require(SETTLE_SUPPLIER_ORDERS)
        codes = await hands.reveal_kept(info.context, key_of("SupplierOrder", id))
        return RevealKeptCodesPayload(codes=list(codes))

    @mutation
    async def search_suppliers_again(
        self,
        info: Info,
        order_number: str,
        position: int,
        reason: str,
    ) -> SearchSuppliersAgainPayload:
        """Have all suppliers of a line tried anew, such as after our account was topped up. Lines count from 1."""
        info.context.require(SETTLE_SUPPLIER_ORDERS)
        order = await order_by_number(info.context.db, read_number(order_number))
        if order is None:
            raise NotFound("There is no such order.", cure="Check the number.", path=("orderNumber",))
        line = await find_line(info.context, order, position)
        await hands.search_again(info.context, line.id, reason)
        return SearchSuppliersAgainPayload(queued=True)


async def _connection(context: Context, key: UUID) -> SupplierAccount:
    (found,) = (await read_connections(context.kernel, [key])).values()
    return SupplierAccount.of(found)


async def _order(context: Context, key: UUID) -> SupplierOrderNode:
    rows = await context.db.fetch(f"{SELECT_ORDERS} where s.id = $1", key)
    return SupplierOrderNode.of(rows[0])


async def _opened(context: Context, text: str) -> tuple[Supplier, float]:
    key = key_of("SupplierAccount", text)
    stored = (await read_connections(context.kernel, [key])).get(key)
    if stored is None:
        raise NotFound("There is no such account with a supplier.", cure="Check its id.")
    if context.db.scope is not None:
        raise InvalidInput("A supplier is not called inside a transaction.", cure="Ask for it alone.")
    return await open_connection(context.kernel, stored), stored.timeout_seconds


def _problem(error: Exception) -> str:
    if isinstance(error, KamengError):
        return str(error)
    return "There was no answer in time." if isinstance(error, TimeoutError) else type(error).__name__
