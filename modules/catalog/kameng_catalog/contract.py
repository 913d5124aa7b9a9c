"""What other modules may use of the catalogue: variants, prices and stock. No tables.

The calls on the order path are set-based: they take all requests of a batch, run inside the caller's
transaction and answer for each request, in order. Stock goes in two steps, so that nobody's goods are marked
before they are paid: `Stock.pick` locks what is free, `Stock.hand_over` marks what was paid; whatever was
picked and not handed over is free again when the transaction ends.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Protocol
from uuid import UUID

import msgspec

from kameng.auth.principal import Principal
from kameng.errors import Refusal
from kameng.money import Money, UnitPrice
from kameng_catalog.events import CardsImported, ProductsImported
from kameng_catalog.forms import Form, FormAnswerWrong, FormField, checked_answers
from kameng_catalog.price_trace import PriceStep
from kameng_catalog.stock_contract import (
    UNLIMITED,
    DeliveryKind,
    OutOfStock,
    Pick,
    PickRequest,
    RetireRequest,
    Sale,
    SoldCard,
    SoldCost,
    Stock,
    StockKind,
)

__all__ = [
    "RETAIL",
    "UNLIMITED",
    "CardsImported",
    "DeliveryKind",
    "Finding",
    "Form",
    "FormAnswerWrong",
    "FormField",
    "NotForSale",
    "OutOfStock",
    "Pick",
    "PickRequest",
    "PriceStep",
    "PriceTiers",
    "Prices",
    "ProductsImported",
    "Quote",
    "QuoteRequest",
    "RetireRequest",
    "Sale",
    "Sites",
    "SoldCard",
    "SoldCost",
    "Stock",
    "StockKind",
    "VariantSnapshot",
    "Variants",
    "WrongQuantity",
    "checked_answers",
]

RETAIL = "retail"
"""The tier of buyers without a level of their own."""


class NotForSale(Refusal):
    """The variant does not exist, is not published, or has no price for this buyer."""

    code = "NOT_FOR_SALE"


class WrongQuantity(Refusal):
    """The quantity is outside of what the variant allows in one order."""

    code = "WRONG_QUANTITY"


class VariantSnapshot(msgspec.Struct, frozen=True, kw_only=True):
    """A variant as an order remembers it.

    Attributes:
        id, product: keys of the variant and its product.
        sku: the operator's own number.
        titles: product and variant title by locale (``zh-CN``, ``en``).
        min_quantity, max_quantity: how many one order line may hold.
        published: whether it is for sale now.
        form: what a buyer has to fill in, see `checked_answers`.
        stock_kind: what its pieces are taken from.
        delivery: how a paid line is delivered.
    """

    id: UUID
    product: UUID
    sku: str
    titles: Mapping[str, str]
    min_quantity: int
    max_quantity: int
    published: bool
    form: Form = ()
    stock_kind: StockKind = "card"
    delivery: DeliveryKind = "instant"


class QuoteRequest(msgspec.Struct, frozen=True, kw_only=True):
    """Asks what a buyer pays.

    Attributes:
        variant: its key.
        quantity: how many; prices may fall with it.
        tier: the buyer's price tier, such as ``retail`` or a level's code.
        currency: the currency to pay in.
        site: the shop that the buyer is in; empty: the operator's own.
        at: the instant whose prices are asked for; None: now, by the database's clock.
    """

    variant: UUID
    quantity: int = 1
    tier: str = RETAIL
    currency: str = "CNY"
    site: str = ""
    at: datetime | None = None


class Quote(msgspec.Struct, frozen=True, kw_only=True):
    """What a buyer pays, and why.

    Attributes:
        unit: the price of one.
        total: the line's total, rounded once.
        cost: what one costs the operator, if known.
        trace: the steps that led to the price, see `PriceStep`.
    """

    unit: UnitPrice
    total: Money
    cost: UnitPrice | None
    trace: tuple[PriceStep, ...]


class Variants(Protocol):
    """Looking variants up."""

    async def snapshots(self, ids: Sequence[UUID]) -> list[VariantSnapshot | None]:
        """The variants as they are now, in order; None where there is none. One statement."""
        ...

    async def delivery_notes(self, ids: Sequence[UUID]) -> Mapping[UUID, Mapping[str, str]]:
        """What buyers of these variants read once they have paid, by locale, of those that have it. One statement.

        It is the whole delivery of an instant variant whose stock is `quota` or `unlimited`.
        """
        ...


class Prices(Protocol):
    """The one answer to "what does this buyer pay for this now, and why"."""

    async def quote(self, requests: Sequence[QuoteRequest]) -> list[Quote | Refusal]:
        """A quote for each request, in order, or `NotForSale`. One statement for all."""
        ...


class Sites(Protocol):
    """Which site a request is for: lists, products, carts and orders ask here, so that all of them tell the same price."""

    def site_of(self, host: str) -> str:
        """The site's code; empty: the operator's own.

        Args:
            host: that the client asked, as `Context.host` has it; empty where nobody did.
        """
        ...

    def codes(self) -> frozenset[str]:
        """The codes of all sites that there are, the operator's own among them."""
        ...


class PriceTiers(Protocol):
    """Whose prices somebody sees. The catalogue asks; a module above, such as membership, may provide it.

    Where nobody does, everybody sees the prices of the tier `RETAIL`.
    """

    async def tier_of(self, principal: Principal) -> str:
        """The price tier of a principal, `RETAIL` for whoever has no level. At most one statement."""
        ...


class Finding(Protocol):
    """Finding things by what people know of them, for searches of the staff."""

    async def variants_called(self, text: str, at_most: int) -> list[UUID]:
        """Variants of exactly this SKU, and of products whose texts have all these words. One statement."""
        ...

    async def lines_with_card(self, text: str) -> list[UUID]:
        """Order lines that got a card with this secret, or with this number and secret, separated by a blank.

        By the blind index of cards, so that nothing is decrypted; only whoever may see secrets should get an answer. One
        statement.
        """
        ...
