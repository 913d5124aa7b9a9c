"""The back office's types: products, variants and stock as the staff sees them."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from enum import Enum
from typing import TYPE_CHECKING, Any
from uuid import UUID

import orjson
import strawberry

from kameng.graphql import Connection, Info, Money, Node
from kameng.graphql.exact import Long
from kameng.graphql.pages import PageRequest
from kameng.ids import global_id
from kameng.money import Money as Amount
from kameng_catalog.admin.localized import LocalizedText
from kameng_catalog.admin.localized import localized as _texts
from kameng_catalog.admin.price_types import PriceFields
from kameng_catalog.admin.product_fields import ManagedExtras, extras_of
from kameng_catalog.admin.stock_types import BatchFields, StockFields, batch_fields
from kameng_catalog.forms import FormField, read_form
from kameng_catalog.prices_shown import price_shown
from kameng_catalog.shop.form_types import FormCharacters, FormFieldKind
from kameng_catalog.shop.types import Category, loaders_of
from kameng_catalog.texts import text_in

if TYPE_CHECKING:
    from kameng_catalog.admin.loaders import AdminLoaders


@strawberry.enum(description="Whether something is prepared, for sale, or kept for the sake of old orders.")
class Status(Enum):
    """The statuses of products and variants."""

    DRAFT = "draft"
    PUBLISHED = "published"
    ARCHIVED = "archived"


@strawberry.enum(description="What a piece of a variant is taken from.")
class StockKind(Enum):
    """The kinds of stock."""

    CARD = strawberry.enum_value("card", description="One secret, one sale.")
    REUSABLE = strawberry.enum_value("reusable", description="One secret, many sales.")
    QUOTA = strawberry.enum_value("quota", description="A number.")
    UNLIMITED = strawberry.enum_value("unlimited", description="It never runs out.")
    SUPPLIER = strawberry.enum_value("supplier", description="What a supplier has.")


@strawberry.enum(description="Where a card is.")
class CardState(Enum):
    """Where a card is."""

    FREE = "free"
    RESERVED = strawberry.enum_value("reserved", description="It is kept for an order that is not paid.")
    QUARANTINED = strawberry.enum_value("quarantined", description="It is not sold for the time being.")
    SOLD = "sold"
    EXPIRED = "expired"
    RECALLED = strawberry.enum_value("recalled", description="It will never be sold.")


@strawberry.type(name="Variant", description="What is bought: one denomination or edition of a product.")
class ManagedVariant(PriceFields, StockFields, Node):
    """A variant as the staff sees it."""

    product_key: strawberry.Private[UUID]
    titles_by_locale: strawberry.Private[Mapping[str, str]]
    sku: str
    stock_kind: StockKind
    face_value: Money | None
    cost: Money | None = strawberry.field(description="What one costs us.")
    below_cost: bool = strawberry.field(
        description="Whether it may be sold below its cost; otherwise its cost is the floor of every price."
    )
    min_quantity: int
    max_quantity: int
    status: Status

    @strawberry.field(description="In the language of the request.")
    def title(self, info: Info) -> str:
        """The title in the request's language."""
        return text_in(self.titles_by_locale, info.context.locale)

    @strawberry.field(description="In all languages that it has.")
    def titles(self) -> list[LocalizedText]:
        """All titles."""
        return _texts(self.titles_by_locale)

    @strawberry.field
    async def product(self, info: Info) -> ManagedProduct | None:
        """The product that it is a variant of."""
        return await _loaders(info).product.load(self.product_key)

    @strawberry.field(description="How many can be sold now, counted up to 100,000.")
    async def available(self, info: Info) -> int:
        """Read from the stock."""
        return await _loaders(info).available.load(self.key)


@strawberry.type(name="FormChoice", description="One of the answers to choose from.")
class ManagedFormChoice:
    """One of the answers to choose from."""

    value: str
    labels: list[LocalizedText]


@strawberry.type(name="FormField", description="A field that buyers of a product fill in.")
class ManagedFormField:
    """A field of a form as the staff sees it."""

    name: str
    kind: FormFieldKind
    labels: list[LocalizedText]
    help: list[LocalizedText]
    required: bool
    characters: FormCharacters
    min_length: int
    max_length: int
    region: str
    carriers: list[str]
    choices: list[ManagedFormChoice]
    private: bool

    @classmethod
    def of(cls, field: FormField) -> ManagedFormField:
        """A stored field."""
        return cls(
            name=field.name,
            kind=FormFieldKind(field.kind),
            labels=_texts(field.labels),
            help=_texts(field.help),
            required=field.required,
            characters=FormCharacters(field.characters),
            min_length=field.min_length,
            max_length=field.max_length,
            region=field.region,
            carriers=list(field.carriers),
            choices=[
                ManagedFormChoice(value=choice.value, labels=_texts(choice.labels))
                for choice in field.choices
            ],
            private=field.private,
        )


@strawberry.type(name="Product", description="Something that the shop sells, in one or more variants.")
class ManagedProduct(ManagedExtras, Node):
    """A product as the staff sees it."""

    titles_by_locale: strawberry.Private[Mapping[str, str]]
    descriptions_by_locale: strawberry.Private[Mapping[str, str]]
    slug: str
    tags: list[str]
    status: Status
    position: int = strawberry.field(description="Smaller comes first in the shop.")
    popularity: Long = strawberry.field(description="Pieces sold lately.")
    created_at: datetime
    updated_at: datetime
    stored_form: strawberry.Private[str | None]

    @strawberry.field(description="What buyers fill in.")
    def form(self) -> list[ManagedFormField]:
        """The fields of its form, in their order."""
        return [ManagedFormField.of(field) for field in read_form(self.stored_form)]

    @strawberry.field(description="In the language of the request.")
    def title(self, info: Info) -> str:
        """The title in the request's language."""
        return text_in(self.titles_by_locale, info.context.locale)

    @strawberry.field(description="In all languages that it has.")
    def titles(self) -> list[LocalizedText]:
        """All titles."""
        return _texts(self.titles_by_locale)

    @strawberry.field(description="In all languages that it has.")
    def descriptions(self) -> list[LocalizedText]:
        """All descriptions."""
        return _texts(self.descriptions_by_locale)

    @strawberry.field(description="The shelf it stands on.")
    async def category(self, info: Info) -> Category | None:
        """From the tree, which a request reads once."""
        return (await loaders_of(info).category_tree()).by_key.get(self.category_key)

    @strawberry.field(description="All variants, whatever their status.")
    async def variants(self, info: Info) -> list[ManagedVariant]:
        """All variants."""
        return await _loaders(info).variants_of.load(self.key)


@strawberry.type(description="A card of the vault; its secret is not shown here.")
class Card(Node):
    """A card as the staff sees it."""

    variant_key: strawberry.Private[UUID]
    number: str | None = strawberry.field(description="The card's public number, its middle hidden.")
    state: CardState
    expires_on: date | None
    sold_at: datetime | None
    line: UUID | None = strawberry.field(description="The order line that it went to.")
    bad_reason: str | None = strawberry.field(description="Why it was bad, if its buyer found that it is.")

    @strawberry.field
    async def variant(self, info: Info) -> ManagedVariant | None:
        """What it is a card of."""
        return await _loaders(info).variant.load(self.variant_key)


@strawberry.type(description="Cards that came together.")
class StockBatch(BatchFields, Node):
    """A batch as the staff sees it."""

    source: str
    file_name: str
    card_count: int = strawberry.field(description="How many cards came.")
    created_by: str
    created_at: datetime

    @strawberry.field(description="Its cards in the order of the file.")
    async def cards(
        self,
        info: Info,
        first: int | None = None,
        after: str | None = None,
        last: int | None = None,
        before: str | None = None,
    ) -> Connection[Card]:
        """A page of its cards."""
        from kameng_catalog.admin.stock_lists import list_cards  # the list makes these types

        return await list_cards(info.context, PageRequest.of(first, after, last, before), self.key)

    @strawberry.field(
        description="Those of its cards that were sold, with the order lines that got them: whom a recall concerns."
    )
    async def sold_cards(
        self,
        info: Info,
        first: int | None = None,
        after: str | None = None,
        last: int | None = None,
        before: str | None = None,
    ) -> Connection[Card]:
        """A page of its cards that were sold."""
        from kameng_catalog.admin.stock_lists import list_sold_cards  # the list makes these types

        return await list_sold_cards(info.context, PageRequest.of(first, after, last, before), self.key)


def _loaders(info: Info) -> AdminLoaders:
    from kameng_catalog.admin.loaders import admin_loaders  # the loaders make these types

    return admin_loaders(info.context)


def product_of(row: Any) -> ManagedProduct:
    """The product in a row."""
    return ManagedProduct(
        id=strawberry.ID(global_id("Product", row["id"])),
        key=row["id"],
        category_key=row["category"],
        titles_by_locale=orjson.loads(row["titles"]),
        descriptions_by_locale=orjson.loads(row["descriptions"]),
        slug=row["slug"],
        tags=row["tags"],
        status=Status(row["status"]),
        position=row["position"],
        popularity=Long(row["popularity"]),
        created_at=row["created_at"],
        updated_at=row["updated_at"],
        stored_form=row["form"],
        **extras_of(row),
    )


def variant_of(row: Any) -> ManagedVariant:
    """The variant in a row."""
    face, cost = row["face_minor"], row["cost_units"]
    return ManagedVariant(
        id=strawberry.ID(global_id("Variant", row["id"])),
        key=row["id"],
        product_key=row["product"],
        titles_by_locale=orjson.loads(row["titles"]),
        sku=row["sku"],
        stock_kind=StockKind(row["stock_kind"]),
        face_value=None if face is None else Money.of(Amount(face, row["face_currency"])),
        cost=None if cost is None else price_shown(cost, row["cost_currency"]),
        below_cost=row["below_cost"],
        min_quantity=row["min_quantity"],
        max_quantity=row["max_quantity"],
        status=Status(row["status"]),
    )


def batch_of(row: Any) -> StockBatch:
    """The batch in a row."""
    return StockBatch(
        id=strawberry.ID(global_id("StockBatch", row["id"])),
        **batch_fields(row),
        source=row["source"],
        file_name=row["file_name"],
        card_count=row["card_count"],
        created_by=row["created_by"],
        created_at=row["created_at"],
    )


def card_of(row: Any) -> Card:
    """The card in a row."""
    return Card(
        id=card_id(row["id"]),
        variant_key=row["variant"],
        number=masked(row["number"]),
        state=CardState(row["state"]),
        expires_on=row["expires_on"],
        sold_at=row["sold_at"],
        line=row["line"],
        bad_reason=row["bad_reason"],
    )


def card_id(number: int) -> strawberry.ID:
    """The global id of a card, whose key is a number."""
    return strawberry.ID(global_id("Card", UUID(int=number)))


def masked(number: str | None) -> str | None:
    """A card number with only its ends."""
    if number is None:
        return None
    shown = 4 if len(number) >= 12 else len(number) // 4
    return f"{number[:shown]}…{number[len(number) - shown :]}"
