"""A shop with everything in it, served as `kameng serve` and `kameng worker` do, and who uses it."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from kameng.auth.passwords import hash_password
from kameng.cli.seed import seed_all
from kameng.embedded.ports import free_port
from kameng.kernel import Kernel
from kameng.testing.databases import Databases, TestServices
from kameng.testing.kernels import Kernels
from kameng_fulfilment.numbers import new_number
from kameng_gateways.calling import LOOPBACK
from tests.composed.filling import OWNER, Filling
from tests.conformance.server import PATIENCE, Server

EXAMPLES = Path(__file__).parents[2] / "examples"
LANTERN = EXAMPLES / "kameng-theme-lantern" / "kameng_theme_lantern"
PASSWORD = "seven green kettles at noon"
MEMBER, STAFF = "lin@example.com", "boss@example.com"
WAIT = 60_000
"""Milliseconds after which a test gives up waiting for something on a page; no measure of anything."""


@dataclass
class Shop:
    """A running shop.

    Attributes:
        url: where it answers.
        server: its web process.
        filling: what is in it.
    """

    url: str
    server: Server
    filling: Filling

    async def log_in(self, page: Any, *, staff: bool = False) -> None:
        """Log in by the form."""
        prefix, next_ = ("/admin", "/admin") if staff else ("", "/account")
        await page.goto(f"{self.url}{prefix}/login")
        await page.fill('input[type="email"]', STAFF if staff else MEMBER)
        await page.fill('input[type="password"]', PASSWORD)
        await page.click('main form button:not([type="button"])')
        await page.wait_for_url(f"{self.url}{next_}*", timeout=WAIT)


@contextmanager
def worker(server: Server, folder: Path, environment: Mapping[str, str]) -> Iterator[None]:
    """A worker on the services of a server."""
    engine = server.kernel.settings.engine
    variables = {
        **{name: value for name, value in os.environ.items() if not name.startswith("KAMENG_")},
        "DATABASE_URL": engine.database_url,
        "REDIS_URL": engine.redis_url,
        "KAMENG_KAMENG__DATA_DIR": str(server.kernel.settings.data_dir),
        "KAMENG_KAMENG__LOG_LEVEL": "warning",
        **environment,
    }
    with (folder / "worker.log").open("wb") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", "kameng", "worker"],
            cwd=folder,
            env=variables,
            stdout=output,
            stderr=output,
        )
    try:
        yield
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(PATIENCE)


@asynccontextmanager
async def running_shop(services: TestServices, new_folder: Callable[[], Path]) -> AsyncIterator[Shop]:
    """The demo shop with orders, tickets, payments, cases and everything else that pages show.

    Args:
        services: PostgreSQL and Valkey.
        new_folder: makes folders for keys, files and logs.
    """
    databases = Databases(services)
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    themes = {"folders": (str(LANTERN),)}
    environment = {
        "KAMENG_KAMENG__PUBLIC_URL": url,
        "KAMENG_THEMES__FOLDERS": json.dumps(themes["folders"]),
        LOOPBACK: "1",
    }
    try:
        async with AsyncExitStack() as stack:
            kernels = Kernels(services, databases, new_folder, stack)
            kernel = await kernels(kameng={"public_url": url}, themes=themes)
            folder = new_folder()
            server = stack.enter_context(
                Server.started(kernel, folder, processes=1, port=port, **environment)
            )
            with kernel.db.in_use():
                await seed_all(kernel, EXAMPLES / "data")
            with kernel.db.in_use():
                filling = Filling(kernel)
                await filling.fill(3)
                await _let_in(filling)
                await _number_orders(kernel)
                await _write(filling)
            stack.enter_context(worker(server, folder, environment))
            yield Shop(server.url, server, filling)
    finally:
        await databases.drop_all()


async def _number_orders(kernel: Kernel) -> None:
    """Give orders that were filled in without a number one that leads to their page."""
    for row in await kernel.db.fetch("select id from fulfilment_order where number like 'D_'"):
        await kernel.db.execute(
            "update fulfilment_order set number = $2 where id = $1", row["id"], new_number()
        )


async def _let_in(filling: Filling) -> None:
    """Let the buyer and the founder log in with a password."""
    assert filling.buyer is not None
    hashed = await hash_password(PASSWORD)
    for table, key, email in (
        ("membership_member", filling.buyer.id, MEMBER),
        ("membership_staff", OWNER.id, STAFF),
    ):
        await filling.kernel.db.execute(
            f"update {table} set email = $2, password_hash = $3 where id = $1", key, email, hashed
        )


async def _write(filling: Filling) -> None:
    """An announcement, a help page, and a recipient whom the buyer has saved."""
    for kind in ("ANNOUNCEMENT", "HELP"):
        article = {
            "kind": kind,
            "slug": kind.lower(),
            "titleZh": "节日发货安排",
            "titleEn": "Deliveries on holidays",
            "bodyZh": "卡密照常**即时**发货。\n\n| 服务 | 时间 |\n|---|---|\n| 人工充值 | 9–18 点 |",
            "bodyEn": "Codes are delivered **at once** as always.\n\n| Service | Hours |\n|---|---|\n| Top-ups by hand | 9–18 |",
            "publishedFrom": "2026-01-01T00:00:00Z",
            "pinned": True,
        }
        await filling.change("admin", "saveArticle", article, "article { id }")
    phone = {"kind": "PHONE", "name": "Mum", "phone": "13800138000"}
    await filling.change("shop", "saveRecipient", phone, "recipient { id }", filling.buyer)
