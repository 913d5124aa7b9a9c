"""GraphQL beside a hand-written handler and stock Strawberry: the same rows of the same database, one web process each.

``graphql/list``: a page of 20 products × 8 fields with prices; ``graphql/detail``: a product by slug with its variants. And those
of `million`: a page out of a million products beside one out of ten thousand.
"""

import json
import sys
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path

from benchmarks import million
from benchmarks.figures import Figure, median, say
from benchmarks.load import Load, lua, run_wrk
from benchmarks.running import process, services, web
from kameng.embedded.ports import free_port
from kameng.kernel import Kernel
from kameng.settings import Settings

LIST = (
    "query List($first: Int!) { products(first: $first) { nodes { id slug title description tags createdAt "
    "priceFrom { amount currency } } } }"
)
DETAIL = (
    "query Detail($slug: String!) { product(slug: $slug) { id slug title description tags createdAt "
    "variants { id sku title minQuantity maxQuantity price { amount currency } } } }"
)
DATA = Path(__file__).resolve().parent.parent / "examples" / "data"
CONNECTIONS = 16

POST = """
wrk.method = "POST"
wrk.path = "/graphql/shop"
wrk.headers["content-type"] = "application/json"
wrk.body = %s
"""
GET = """
wrk.path = %s
"""


@dataclass(frozen=True)
class Size:
    """How much a run measures."""

    rounds: int
    seconds: float


SIZES = {"small": Size(rounds=3, seconds=4), "full": Size(rounds=7, seconds=8)}


async def measure(size: str) -> list[Figure]:
    """Both documents, against both references, in turn; then pages of large shops."""
    return [*await _beside_references(size), *await million.measure(size)]


async def _beside_references(size: str) -> list[Figure]:
    wanted = SIZES[size]
    async with services() as (_, settings), AsyncExitStack() as stack:
        slug = await _seed(settings)
        ours = await stack.enter_async_context(web(settings))
        hand = await _reference(stack, settings, "benchmarks.references.handwritten:app", "/list")
        stock = await _reference(stack, settings, "benchmarks.references.stock:app", "/graphql/shop")
        figures = []
        for name, document, variables, path in (
            ("list", LIST, {"first": 20}, "/list"),
            ("detail", DETAIL, {"slug": slug}, f"/detail/{slug}"),
        ):
            body = POST % lua(json.dumps({"query": document, "variables": variables}))
            runs: dict[str, list[Load]] = {"ours": [], "hand": [], "stock": []}
            for number in range(wanted.rounds + 1):
                for who, url, script in (
                    ("ours", ours, body),
                    ("hand", hand, GET % lua(path)),
                    ("stock", stock, body),
                ):
                    seconds = wanted.seconds if number else 1
                    load = await run_wrk(url, script, connections=CONNECTIONS, seconds=seconds)
                    if number:  # the first round warms up
                        runs[who].append(load)
                if number:
                    say(
                        f"{name} {number}: "
                        + ", ".join(f"{who} {loads[-1].rate:.0f}/s" for who, loads in runs.items())
                    )
            figures += [
                _figure(
                    f"graphql/{name}",
                    runs["ours"],
                    runs["hand"],
                    "hand-written Litestar handler, asyncpg and msgspec",
                ),
                _figure(f"graphql/{name}-stock", runs["ours"], runs["stock"], "stock Strawberry on Litestar"),
            ]
        return figures


def _figure(name: str, ours: list[Load], theirs: list[Load], what: str) -> Figure:
    failed = sum(load.failed for load in (*ours, *theirs))
    return Figure(
        name=name,
        ours=median([load.rate for load in ours]),
        reference=median([load.rate for load in theirs]),
        reference_is=what,
        unit="requests/s",
        better="higher",
        notes=f"p50 {median([load.p50 for load in ours]):.1f} ms beside {median([load.p50 for load in theirs]):.1f} ms"
        + (f", failed {failed}" if failed else ""),
    )


async def _reference(stack: AsyncExitStack, settings: Settings, target: str, ready: str) -> str:
    port = free_port()
    command = [
        sys.executable, "-m", "granian", target, "--interface", "asgi", "--port", str(port), "--loop", "uvloop",
        "--workers", "1", "--no-log",
    ]  # fmt: skip
    url = f"http://127.0.0.1:{port}"
    await stack.enter_async_context(process(command, url + ready, settings))
    return url


async def _seed(settings: Settings) -> str:
    async with Kernel(settings) as kernel:
        kernel.db.use()
        for module in kernel.modules:
            if module.seed:
                say(await module.seed(kernel, DATA))
        await kernel.db.execute("vacuum analyze")
        row = await kernel.db.fetchrow(
            """select p.slug, count(*) from catalog_product p join catalog_variant v on v.product = p.id
               where p.status = 'published' group by p.slug having count(*) >= 8 order by 2, 1 limit 1"""
        )
        if row is None:
            raise RuntimeError("the demo data has no product with 8 variants")
        return str(row["slug"])
