"""Suppliers in the back office: accounts, offers, orders there, and deciding by hand."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from uuid import UUID

import msgspec
import strawberry

from kameng.db import as_json
from kameng.errors import InvalidInput, KamengError, NotFound
from kameng.graphql import LOCALES, Connection, Context, Info, Money, mutation, payload
from kameng.graphql.pages import Keyset, PageRequest
from kameng.graphql.scalars import MoneyInput
from kameng.ids import key_of
from kameng.money import UnitPrice
from kameng_fulfilment.acting import find_line
from kameng_fulfilment.numbers import read_number
from kameng_fulfilment.orders import order_by_number
from kameng_fulfilment.states import WrongDeliveryState
from kameng_fulfilment.supplier_contract import Supplier
from kameng_fulfilment.suppliers import hands
from kameng_fulfilment.suppliers.brings import MANAGE_SUPPLIERS, READ_SUPPLIERS, SETTLE_SUPPLIER_ORDERS
from kameng_fulfilment.suppliers.connections import (
    ConnectionDraft,
    SupplierSettingsWrong,
    open_connection,
    read_connections,
    save_connection,
    set_connection_enabled,
)
from kameng_fulfilment.suppliers.graphql_types import (
    SELECT_ORDERS,
    SupplierAccount,
    SupplierAttention,
    SupplierOffer,
    SupplierOrderNode,
    SupplierOrderState,
    SupplierProtocolInfo,
    connection_nodes,
    connection_row,
    offer_nodes,
    offer_row,
    supplier_order_nodes,
)
from kameng_fulfilment.suppliers.hands import NothingKept, SupplierOrderSettled
from kameng_fulfilment.suppliers.offers import OfferDraft, save_offer
from kameng_fulfilment.suppliers.protocols import known_protocols

CONNECTIONS = Keyset("supplier-accounts-newest", (("id", "uuid"),), descending=True)
OFFERS = Keyset("supplier-offers-newest", (("id", "uuid"),), descending=True)
ORDERS = Keyset("supplier-orders-newest", (("s.id", "uuid"),), descending=True)

MOST_PRODUCTS = 10_000
"""Products of a supplier that are shown at once."""


@strawberry.input(description="Which orders at suppliers to list; conditions add up.")
class SupplierOrderFilter:
    """Which orders at suppliers to list."""

    account_id: strawberry.ID | None = None
    state: SupplierOrderState | None = None
    attention: SupplierAttention | None = None
    needs_attention: bool = strawberry.field(default=False, description="Only those that wait for a person.")
    order_number: str | None = strawberry.field(default=None, description="Only those of a buyer's order.")


@strawberry.type(description="Something that a supplier has.")
class SuppliersProduct:
    """Something that a supplier has."""

    sku: str
    title: str
    cost: Money | None = strawberry.field(description="What a piece costs; null: the supplier does not say.")
    stock: int | None = strawberry.field(description="How many there are; null: the supplier does not say.")


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


@strawberry.input(description="An account with a supplier as it is wanted.")
class SupplierAccountInput:
    """An account with a supplier as it is wanted."""

    name: str
    protocol: str = strawberry.field(description="A name from supplierProtocols.")
    settings: str = strawberry.field(
        default="{}",
        description="JSON in the protocol's form; kept encrypted. Of an account that is there: what changes.",
    )
    timeout_seconds: float = strawberry.field(default=15.0, description="How long one call may take.")
    concurrency: int = strawberry.field(default=4, description="Calls under way at once.")

    def draft(self) -> ConnectionDraft:
        """The draft.

        Raises:
            SupplierSettingsWrong: the settings are no JSON object.
        """
        try:
            settings = msgspec.json.decode(self.settings, type=dict[str, object])
        except (msgspec.DecodeError, UnicodeEncodeError) as error:
            raise SupplierSettingsWrong(
                "The settings are no JSON object.",
                cure="Write them as the protocol's JSON Schema says.",
                path=("input", "settings"),
            ) from error
        return ConnectionDraft(
            name=self.name,
            protocol=self.protocol,
            settings=settings,
            timeout_seconds=self.timeout_seconds,
            concurrency=self.concurrency,
        )


@strawberry.input(description="An offer of a supplier as it is wanted.")
class SupplierOfferInput:
    """An offer as it is wanted."""

    variant_id: strawberry.ID
    account_id: strawberry.ID
    supplier_sku: str = strawberry.field(description="What the supplier calls it.")
    cost: MoneyInput = strawberry.field(description="What a piece costs, with up to four decimals.")
    priority: int = 100
    enabled: bool = True
    codes: bool = strawberry.field(default=True, description="Whether each piece is a code.")
    below_cost: bool = strawberry.field(
        default=False, description="Order it although it costs more than the buyer paid."
    )


@payload(SupplierSettingsWrong)
class CreateSupplierAccountPayload:
    """The new account, or why there is none."""

    account: SupplierAccount | None = None


@payload(SupplierSettingsWrong)
class ChangeSupplierAccountPayload:
    """The account, or why it stays as it was."""

    account: SupplierAccount | None = None


@payload()
class SetSupplierAccountEnabledPayload:
    """The account, or why nothing was changed."""

    account: SupplierAccount | None = None


@payload(SupplierSettingsWrong)
class TestSupplierAccountPayload:
    """What the supplier answered."""

    reached: bool = strawberry.field(default=False, description="Whether it answered as it should.")
    problem: str = strawberry.field(default="", description="What went wrong, if something did.")
    balances: list[Money] = strawberry.field(default_factory=list)


@payload(SupplierSettingsWrong)
class FetchSupplierProductsPayload:
    """What the supplier has."""

    products: list[SuppliersProduct] = strawberry.field(default_factory=list)
    problem: str = ""


@payload()
class SaveSupplierOfferPayload:
    """The offer, or why it was not saved."""

    offer: SupplierOffer | None = None


@payload(SupplierOrderSettled)
class AskSupplierPayload:
    """The order; a worker asks about it at once."""

    supplier_order: SupplierOrderNode | None = None


@payload(SupplierOrderSettled)
class GiveUpSupplierOrderPayload:
    """The order that was given up; the next supplier has a try."""

    supplier_order: SupplierOrderNode | None = None


@payload()
class ResolveSupplierOrderPayload:
    """The order, which nobody has to look at any more."""

    supplier_order: SupplierOrderNode | None = None


@payload(NothingKept, SupplierOrderSettled, WrongDeliveryState)
class DeliverKeptCodesPayload:
    """The order whose codes the buyer has now."""

    supplier_order: SupplierOrderNode | None = None


@payload(NothingKept)
class RevealKeptCodesPayload:
    """The codes."""

    codes: list[str] = strawberry.field(default_factory=list)


@payload(WrongDeliveryState, SupplierOrderSettled)
class SearchSuppliersAgainPayload:
    """Whether a worker does it."""

    queued: bool = False


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


NODES: Mapping[str, Callable[[Context, Sequence[UUID]], Awaitable[Sequence[object | None]]]] = {
    "SupplierAccount": connection_nodes,
    "SupplierOffer": offer_nodes,
    "SupplierOrder": supplier_order_nodes,
}
"""How ``node(id:)`` finds what suppliers bring to the back office."""
