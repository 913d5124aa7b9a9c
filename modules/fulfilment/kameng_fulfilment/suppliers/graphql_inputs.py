"""What the back office asks for of suppliers, and the answers."""

from __future__ import annotations

import msgspec
import strawberry

from kameng.graphql import Money, payload
from kameng.graphql.scalars import MoneyInput
from kameng_fulfilment.states import WrongDeliveryState
from kameng_fulfilment.suppliers.connections import (
    ConnectionDraft,
    SupplierSettingsWrong,
)
from kameng_fulfilment.suppliers.graphql_types import (
    SupplierAccount,
    SupplierOffer,
    SupplierOrderNode,
)
from kameng_fulfilment.suppliers.hands import NothingKept, SupplierOrderSettled


@strawberry.type(description="Something that a supplier has.")
class SuppliersProduct:
    """Something that a supplier has."""

    sku: str
    title: str
    cost: Money | None = strawberry.field(description="What a piece costs; null: the supplier does not say.")
    stock: int | None = strawberry.field(description="How many there are; null: the supplier does not say.")


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
