"""What a page costs beside the document it shows: its server time by the time that the document takes alone.

``pages/home`` and ``pages/product``: the whole application is asked for the page (routing, sessions, site, document, rendering,
compressing), and the same document with the same variables is executed for the same visitor, in turn and in one process, so that
nothing but the page's own share makes the difference.
"""

import tempfile
import time
from collections.abc import Awaitable, Callable
from pathlib import Path

import httpx

from benchmarks.figures import Figure, median, say
from kameng.cli.seed import DEMO_DATA, seed_all
from kameng.db.migrations import Migrator
from kameng.embedded import temporary_services
from kameng.graphql.context import Context
from kameng.http.app import create_app
from kameng.kernel import Kernel
from kameng.settings import Settings
from kameng.themes import load_themes

ROUNDS = {"small": 7, "full": 21}
TIMES = {"small": 25, "full": 60}
PRODUCT = "/products/steam-us"


async def measure(size: str) -> list[Figure]:
    """Both pages, each beside its document."""
    with (
        tempfile.TemporaryDirectory(prefix="kameng-bench-") as folder,
        temporary_services(durable=False) as running,
    ):
        own = {
            "database_url": running.database_url,
            "redis_url": running.redis_url,
            "data_dir": folder,
            "log_level": "error",
            "public_url": "https://shop.test",
            "trusted_hosts": ["shop.test"],
        }
        settings = Settings({"kameng": own}, root=Path(folder))
        async with Kernel(settings) as kernel:
            await Migrator(kernel.db, kernel.modules).forwards()
            kernel.db.use()
            await seed_all(kernel, DEMO_DATA)
        # In development every page looks whether a file of its theme has changed.
        async with Kernel(settings.with_values("kameng", environment="production")) as kernel:
            return [
                await _figure(kernel, "home", "/", {}, size),
                await _figure(kernel, "product", PRODUCT, {"slug": PRODUCT.rpartition("/")[2]}, size),
            ]


async def _figure(kernel: Kernel, page: str, path: str, variables: dict[str, str], size: str) -> Figure:
    theme = load_themes(kernel).active("storefront")
    source = theme.page_documents[page].source
    executor = kernel.graphql[theme.merged.schema]
    app = httpx.ASGITransport(app=create_app(kernel))
    headers = {"accept-language": "en", "accept-encoding": "gzip"}
    async with httpx.AsyncClient(transport=app, base_url="https://shop.test", headers=headers) as client:

        async def whole() -> None:
            answer = await client.get(path)
            assert answer.status_code == 200, answer.text[:500]

        async def document() -> None:
            context = Context(kernel, locale="en", schema="shop", host="shop.test")
            answer = await executor.execute(source, variables, context)
            assert not answer.errors, answer.errors

        for warming in (whole, document):
            for _ in range(10):
                await warming()
        ours, reference = [], []
        for number in range(ROUNDS[size]):
            ours.append(await _milliseconds(whole, TIMES[size]))
            reference.append(await _milliseconds(document, TIMES[size]))
            say(f"pages/{page} {number + 1}: page {ours[-1]:.2f} ms, document {reference[-1]:.2f} ms")
    return Figure(
        f"pages/{page}", median(ours), median(reference), "its document alone", "ms", "lower",
        "in process; the page's time holds that of a client in the same process",
    )  # fmt: skip


async def _milliseconds(act: Callable[[], Awaitable[None]], times: int) -> float:
    began = time.perf_counter()
    for _ in range(times):
        await act()
    return (time.perf_counter() - began) / times * 1000
