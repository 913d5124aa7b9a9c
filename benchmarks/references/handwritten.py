"""A hand-written Litestar handler: asyncpg, msgspec, no GraphQL."""

import asyncpg
import msgspec
from litestar import Litestar, Response, get
from litestar.datastructures import State

from benchmarks.references.rows import PAGE, PRODUCT, VARIANTS, amount
from kameng.ids import global_id
from kameng.settings import read_settings


class MoneyOut(msgspec.Struct):
    amount: str | None
    currency: str = "CNY"


class ProductOut(msgspec.Struct):
    id: str
    slug: str
    title: str
    description: str
    tags: list[str]
    createdAt: str  # noqa: N815 - the JSON's name
    priceFrom: MoneyOut  # noqa: N815 - the JSON's name


class VariantOut(msgspec.Struct):
    id: str
    sku: str
    title: str
    minQuantity: int  # noqa: N815 - the JSON's name
    maxQuantity: int  # noqa: N815 - the JSON's name
    price: MoneyOut


class DetailOut(msgspec.Struct):
    id: str
    slug: str
    title: str
    description: str
    tags: list[str]
    createdAt: str  # noqa: N815 - the JSON's name
    variants: list[VariantOut]


encode = msgspec.json.Encoder().encode


@get("/list")
async def page(state: State) -> Response[bytes]:
    """A page of products."""
    rows = await state.pool.fetch(PAGE, 20)
    nodes = [
        ProductOut(
            global_id("Product", row["id"]), row["slug"], row["title"], row["description"], row["tags"],
            row["created_at"].isoformat(), MoneyOut(amount(row["price_from"])),
        )
        for row in rows
    ]  # fmt: skip
    return Response(encode({"data": {"products": {"nodes": nodes}}}), media_type="application/json")


@get("/detail/{slug:str}")
async def detail(state: State, slug: str) -> Response[bytes]:
    """A product with its variants."""
    row = await state.pool.fetchrow(PRODUCT, slug)
    variants = [
        VariantOut(
            global_id("Variant", v["id"]), v["sku"], v["title"], v["min_quantity"], v["max_quantity"],
            MoneyOut(amount(v["units"])),
        )
        for v in await state.pool.fetch(VARIANTS, row["id"])
    ]  # fmt: skip
    found = DetailOut(
        global_id("Product", row["id"]), row["slug"], row["title"], row["description"], row["tags"],
        row["created_at"].isoformat(), variants,
    )  # fmt: skip
    return Response(encode({"data": {"product": found}}), media_type="application/json")


async def open_pool(app: Litestar) -> None:
    """As ours: a pool without resets between uses."""

    async def keep(_connection: asyncpg.Connection) -> None: ...

    app.state.pool = await asyncpg.create_pool(read_settings().engine.database_url, max_size=10, reset=keep)


app = Litestar([page, detail], on_startup=[open_pool], openapi_config=None)
