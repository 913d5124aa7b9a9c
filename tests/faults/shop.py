"""A shop as its operator runs it, in processes of its own that can be killed."""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import psutil

from kameng.auth import Principal, PrincipalKind
from kameng.embedded import remove_data
from kameng.embedded.ports import free_port
from kameng.ids import new_id
from kameng.settings import Settings

OWNER = Principal(kind=PrincipalKind.STAFF, id=new_id(), permissions=frozenset({"*"}))
"""Who may do everything in the back office."""

PRODUCTS = (
    "sku,product,title_zh,title_en,variant_zh,variant_en,category,category_zh,category_en,kind,face_value,face_currency,"
    "price,cost,currency,description_zh,description_en,tags,status\n"
)
"""The first line of a file of products."""


@dataclass
class Shop:
    """A shop as `kameng dev` runs it, in processes of its own."""

    url: str
    folder: Path
    process: subprocess.Popen[bytes]
    log: Path
    answers: dict[str, Any] = field(default_factory=dict)

    def running(self) -> dict[str, str]:
        return json.loads((self.folder / "running.json").read_text())

    def settings(self) -> Settings:
        noted = self.running()
        own = {
            "database_url": noted["database_url"],
            "redis_url": noted["redis_url"],
            "data_dir": str(self.folder),
        }
        return Settings({"kameng": own}, root=self.folder)

    def victims(self) -> list[tuple[str, int]]:
        """Every process of the shop by what it does: web, worker, PostgreSQL, Valkey and their children."""
        found = []
        for process in psutil.Process(self.process.pid).children(recursive=True):
            try:
                line = " ".join(process.cmdline())
                parent = " ".join(process.parent().cmdline()) if process.parent() else ""
            except psutil.Error:
                continue
            if "valkey-server" in line:
                found.append(("valkey", process.pid))
            elif "bin/postgres -D" in line:
                found.append(("postgres", process.pid))
            for name, mark in (("web", "kameng serve --checked"), ("worker", "kameng worker")):
                if line.endswith(mark):  # a child of the web server bears its parent's command line
                    found.append((f"child of {name}" if parent.endswith(mark) else name, process.pid))
        return found

    async def until_ready(self) -> None:
        """Wait until it can serve, with all that it needs: so much as what was killed last is there again."""
        async with httpx.AsyncClient() as client:
            while True:
                assert self.process.poll() is None, self.log.read_text()
                try:
                    if (await client.get(f"{self.url}/readyz")).status_code == 200:
                        return
                except httpx.TransportError:
                    pass
                await asyncio.sleep(0.1)


@asynccontextmanager
async def running_shop(logs: Path, **environment: str) -> AsyncIterator[Shop]:
    """A shop, started as its operator would.

    Args:
        logs: a folder for what it writes.
        environment: further settings.
    """
    # Open to the account that PostgreSQL runs under, so that nothing of it lies elsewhere.
    base = Path(tempfile.mkdtemp(prefix="kameng-faults-"))
    base.chmod(0o755)
    port, folder, log = free_port(), base / "data", logs / "log"
    values = {
        **{key: value for key, value in os.environ.items() if key not in ("DATABASE_URL", "REDIS_URL")},
        "PORT": str(port),
        "KAMENG_KAMENG__DATA_DIR": str(folder),
        **environment,
    }
    with log.open("wb") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", "kameng", "dev"],
            env=values,
            cwd=logs,
            stdout=output,
            stderr=output,
        )
    shop = Shop(f"http://127.0.0.1:{port}", folder, process, log)
    try:
        await shop.until_ready()
        yield shop
    finally:
        process.send_signal(signal.SIGINT)
        process.wait()
        remove_data(folder)
        shutil.rmtree(base)


async def post(
    client: httpx.AsyncClient,
    shop: Shop,
    source: str,
    variables: dict,
    token: str = "",
    schema: str = "shop",
) -> dict:
    """Ask until there is an answer: whatever is killed meanwhile, a client that repeats itself gets one."""
    headers = {"authorization": f"Bearer {token}"} if token else {}
    while True:
        assert shop.process.poll() is None, shop.log.read_text()[-4000:]
        try:
            response = await client.post(
                f"{shop.url}/graphql/{schema}",
                json={"query": source, "variables": variables},
                headers=headers,
            )
            if response.status_code == 200:
                body = response.json()
                if not body.get("errors"):
                    return body["data"]
        except httpx.TransportError:
            pass
        await asyncio.sleep(0.1)
