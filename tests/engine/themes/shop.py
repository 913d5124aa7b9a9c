"""A small shop to put themes on: two modules, no database."""

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import Decimal
from enum import Enum
from pathlib import Path
from typing import Any
from uuid import UUID

import strawberry
from litestar import Request

from kameng.auth.principal import VISITOR, Principal, PrincipalKind
from kameng.errors import Conflict, InvalidInput, Unauthenticated
from kameng.graphql import Context, Info, Money, mutation, payload
from kameng.kernel import Kernel
from kameng.module import Module, SchemaPart, Slot
from kameng.settings import Settings

FIXTURES = Path(__file__).parent / "fixtures"
PACKAGE = "tests.engine.themes.fixtures.themed_reviews"
MEMBER = UUID("01890000-0000-7000-8000-000000000001")
SESSION = UUID("01890000-0000-7000-8000-0000000000aa")


@dataclass
class Seen:
    """What resolvers were called with."""

    orders: list[dict[str, Any]] = field(default_factory=list)
    keys: list[str | None] = field(default_factory=list)
    filters: list[Any] = field(default_factory=list)


SEEN = Seen()


@strawberry.enum
class Kind(Enum):
    """What is sold."""

    CARD = "card"
    TOP_UP = "top_up"


@strawberry.input
class ProductFilter:
    """Which products."""

    kind: Kind | None = None
    text: str | None = None
    max_price: Decimal | None = None


@strawberry.type
class Product:
    """Something for sale."""

    slug: str
    name: str
    description: str = "A card."
    released_at: str = "2026-01-31T20:00:00+00:00"

    @strawberry.field
    def price(self) -> Money:
        """What it costs."""
        return Money(amount=Decimal("98.50"), currency="CNY")


PRODUCTS = {
    "steam": Product(slug="steam", name="Steam <script>alert(1)</script>"),
    "q-coins": Product(slug="q-coins", name='Q币 "100" & more'),
    "none": Product(slug="none", name="Third"),
}


@strawberry.type
class Order:
    """Something sold."""

    number: str

    @strawberry.field
    def total(self) -> Money:
        """What it cost."""
        return Money(amount=Decimal("197.00"), currency="CNY")


@strawberry.type
class Query:
    """Roots."""

    @strawberry.field
    def products(self, first: int = 20, filter: ProductFilter | None = None) -> list[Product]:  # noqa: A002
        """Some products."""
        SEEN.filters.append(filter)
        return list(PRODUCTS.values())[:first]

    @strawberry.field
    def product(self, slug: str) -> Product | None:
        """One product."""
        if slug == "crash":
            raise RuntimeError("the database is on fire")
        return PRODUCTS.get(slug)

    @strawberry.field
    def order(self, info: Info, number: str) -> Order | None:
        """One order."""
        info.context.principal.require_kind(PrincipalKind.MEMBER)
        return Order(number=number) if number.startswith("K") else None


@strawberry.input
class OrderLineInput:
    """One line."""

    slug: str
    quantity: int


@strawberry.input
class PlaceOrderInput:
    """An order."""

    lines: list[OrderLineInput]
    password: str | None = None
    note: str | None = None


class OutOfStock(Conflict):
    """There is less in stock than asked for."""

    code = "OUT_OF_STOCK"


@payload(OutOfStock)
class PlaceOrderPayload:
    """The order, or why there is none."""

    order: Order | None = None


@strawberry.input
class LogInInput:
    """Credentials."""

    name: str
    password: str


@payload()
class LogInPayload:
    """Who logged in."""

    name: str | None = None


@strawberry.type
class Mutation:
    """Roots."""

    @mutation(idempotency="own")
    async def place_order(self, info: Info, input: PlaceOrderInput) -> PlaceOrderPayload:  # noqa: A002
        """Order something."""
        SEEN.keys.append(info.context.idempotency_key)
        SEEN.orders.append(
            {"lines": [(line.slug, line.quantity) for line in input.lines], "note": input.note}
        )
        for number, line in enumerate(input.lines):
            if line.quantity > 100:
                raise OutOfStock(
                    "Only 100 are left.", cure="Take fewer.", path=("input", "lines", str(number), "quantity")
                )
            if line.quantity == 13:
                raise RuntimeError("the ledger is on fire")
            if line.quantity == 14:
                raise Unauthenticated("Log in first.")
        # The slash shows whether a value from an answer can leave its path segment.
        return PlaceOrderPayload(order=Order(number="K/1"))

    @mutation(idempotency="own")
    async def log_in(self, info: Info, input: LogInInput) -> LogInPayload:  # noqa: A002
        """Begin a session."""
        if input.password != "right":
            raise InvalidInput("Name or password are wrong.", path=("input", "password"))
        info.context.cookies.append("__Host-kameng=kms_new; Path=/; Secure; HttpOnly; SameSite=Lax")
        return LogInPayload(name=input.name)


@strawberry.type
class AdminQuery:
    """Roots."""

    @strawberry.field
    def answer(self) -> int:
        """The answer."""
        return 42


SHOP = Module(
    name="shop",
    version="0.1.0",
    shop=SchemaPart(query=Query, mutation=Mutation),
    admin=SchemaPart(query=AdminQuery),
)


@strawberry.type
class Rating:
    """What buyers think."""

    stars: int
    by: str


@strawberry.type
class ProductRating:
    """Added to a product."""

    @strawberry.field
    def rating(self) -> Rating:
        """Never null, so that its failure takes the product along."""
        if self.slug == "none":  # type: ignore[attr-defined]  # self is a Product
            raise RuntimeError("the reviews are on fire")
        return Rating(stars=4, by="<b>Ann</b>")


def reviews(*slots: Slot) -> Module:
    """A module that fills slots."""
    return Module(
        name="reviews",
        version="0.1.0",
        requires={"shop": ">=0.1"},
        shop=SchemaPart(extend={"Product": ProductRating}),
        slots=slots,
    )


RATING = Slot(
    place="product.after_description",
    template=f"{PACKAGE}:templates/slots/rating.html",
    fragment="fragment Rated on Product { rating { ...Parts } } fragment Parts on Rating { stars by }",
)


def settings(*folders: Path, **themes: Any) -> Settings:
    """Settings with themes."""
    section = {
        "folders": [str(folder) for folder in folders or (FIXTURES,)],
        "storefront": "shop",
        "admin": "",
        **themes,
    }
    return Settings({"themes": section}, root=FIXTURES)


def kernel(*modules: Module, config: Settings | None = None) -> Kernel:
    """A kernel that has not been entered: it has schemas, but neither database nor broker."""
    return Kernel(config or settings(), [SHOP, *modules])


async def make_context_for(serving: Kernel, request: Request[Any, Any, Any], schema: str) -> Context:
    """Who asks, as the cookie ``who`` says."""
    kind = request.cookies.get("who", "")
    principal = VISITOR
    if kind:
        rights = frozenset(filter(None, request.cookies.get("rights", "").split(" ")))
        principal = Principal(kind=PrincipalKind(kind), id=MEMBER, session=SESSION, permissions=rights)
    return Context(serving, principal=principal, schema=schema, correlation_id="ref-1")
