"""Stock Strawberry on Litestar, as its documentation shows it: the same rows, its own view and execution."""

from datetime import datetime
from decimal import Decimal

import asyncpg
import strawberry
from litestar import Litestar, Request
from strawberry.litestar import make_graphql_controller
from strawberry.types import Info

from benchmarks.references.rows import PAGE, PRODUCT, VARIANTS, amount
from kameng.ids import global_id
from kameng.settings import read_settings


@strawberry.type
class Money:
    amount: Decimal
    currency: str


@strawberry.type
class Variant:
    id: strawberry.ID
    sku: str
    title: str
    min_quantity: int
    max_quantity: int
    price: Money | None


@strawberry.type
class Product:
    id: strawberry.ID
    slug: str
    title: str
    description: str
    tags: list[str]
    created_at: datetime
    price_from: Money | None
    key: strawberry.Private[object]

    @strawberry.field
    async def variants(self, info: Info) -> list[Variant]:
        return [
            Variant(
                id=strawberry.ID(global_id("Variant", v["id"])), sku=v["sku"], title=v["title"],
                min_quantity=v["min_quantity"], max_quantity=v["max_quantity"], price=money(v["units"]),
            )
            for v in await info.context["pool"].fetch(VARIANTS, self.key)
        ]  # fmt: skip


@strawberry.type
class Products:
    nodes: list[Product]


def money(units: int | None) -> Money | None:
    return Money(amount=Decimal(amount(units)), currency="CNY") if units is not None else None


def product(row: asyncpg.Record) -> Product:
    return Product(
        id=strawberry.ID(global_id("Product", row["id"])), slug=row["slug"], title=row["title"],
        description=row["description"], tags=row["tags"], created_at=row["created_at"],
        price_from=money(row.get("price_from")), key=row["id"],
    )  # fmt: skip


@strawberry.type
class Query:
    @strawberry.field
    async def products(self, info: Info, first: int) -> Products:
        return Products(nodes=[product(row) for row in await info.context["pool"].fetch(PAGE, first)])

    @strawberry.field
    async def product(self, info: Info, slug: str) -> Product | None:
        row = await info.context["pool"].fetchrow(PRODUCT, slug)
        return product(row) if row else None


async def context(request: Request) -> dict[str, object]:
    return {"pool": request.app.state.pool}


async def open_pool(app: Litestar) -> None:
    async def keep(_connection: asyncpg.Connection) -> None: ...

    app.state.pool = await asyncpg.create_pool(read_settings().engine.database_url, max_size=10, reset=keep)


controller = make_graphql_controller(strawberry.Schema(Query), path="/graphql/shop", context_getter=context)
app = Litestar([controller], on_startup=[open_pool], openapi_config=None)
