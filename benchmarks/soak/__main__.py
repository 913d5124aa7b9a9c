"""``python -m benchmarks.soak``."""

from __future__ import annotations

import argparse
import asyncio
import os
import signal
import sys
import time
from asyncio.subprocess import Process
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import httpx

from benchmarks.figures import say
from benchmarks.orders.shop import seed
from benchmarks.running import services
from benchmarks.soak.clients import Clients
from benchmarks.soak.memory import Watch
from kameng.embedded.ports import free_port
from kameng.ids import global_id
from kameng.kernel import Kernel
from kameng.settings import Settings

CARDS_A_MINUTE = 24_000
"""More than the clients buy, of each product."""

ALARMING = ("[error", "[critical", "Traceback", "killed")
"""What makes a line of the server's log a fault; that it warns of a busy machine is none."""


@asynccontextmanager
async def served(settings: Settings, processes: int, log: Path) -> AsyncIterator[tuple[str, Process]]:
    """`kameng serve`, as production runs it, until the block ends."""
    port = free_port()
    environment = {
        **os.environ,
        "DATABASE_URL": settings.engine.database_url,
        "REDIS_URL": settings.engine.redis_url,
        "KAMENG_KAMENG__DATA_DIR": str(settings.data_dir),
        "KAMENG_KAMENG__LOG_LEVEL": "warning",
    }
    command = [sys.executable, "-m", "kameng", "serve", "--port", str(port), "--processes", str(processes)]
    with log.open("wb") as output:
        server = await asyncio.create_subprocess_exec(*command, env=environment, stdout=output, stderr=output)
    url = f"http://127.0.0.1:{port}"
    try:
        async with httpx.AsyncClient() as client:
            while True:
                if server.returncode is not None:
                    raise RuntimeError(f"the server ended: {log.read_text()}")
                try:
                    if (await client.get(f"{url}/readyz")).status_code == 200:
                        break
                except httpx.TransportError:
                    pass
                await asyncio.sleep(0.1)
        yield url, server
    finally:
        if server.returncode is None:
            server.send_signal(signal.SIGTERM)
            await server.wait()


async def watch_and_reload(watch: Watch, server: Process, seconds: float, every: float) -> int:
    """Look at the memory all the time, and reload now and then, but not in the last third; returns how many reloads."""
    start = last = watch.quiet_since = time.monotonic()
    reloads = 0
    while time.monotonic() < start + seconds:
        watch.look()
        now = time.monotonic()
        if now - last >= every and now + every / 2 < start + seconds * 2 / 3:
            before, reloads = watch.workers(), reloads + 1
            server.send_signal(signal.SIGHUP)
            while watch.workers() & before and time.monotonic() < start + seconds:
                watch.look()
                await asyncio.sleep(1)
            last = watch.quiet_since = time.monotonic()
        await asyncio.sleep(1)
    return reloads


async def soak(minutes: float, reload_seconds: float, processes: int) -> bool:
    """Run it; whether all was well."""
    seconds = minutes * 60
    async with services() as (_, settings):
        say("seeding ...")
        async with Kernel(settings) as kernel:
            kernel.db.use()
            keys, tokens = await seed(kernel, int(CARDS_A_MINUTE * max(minutes, 1)))
            slugs = [row["slug"] for row in await kernel.db.fetch("select slug from catalog_product")]
        variants = [global_id("Variant", key) for key in keys]
        with TemporaryDirectory(prefix="kameng-soak-") as folder:
            log = Path(folder) / "log"
            async with served(settings, processes, log) as (url, server):
                clients, watch = Clients(url, tokens, variants, slugs), Watch(server.pid)
                say(f"{minutes:g} minutes on {processes} processes, a reload every {reload_seconds:g} s ...")
                _, reloads = await asyncio.gather(
                    clients.run(seconds), watch_and_reload(watch, server, seconds, reload_seconds)
                )
            written = log.read_text("utf-8", errors="replace")
        async with Kernel(settings) as kernel:
            kernel.db.use()
            rows = await kernel.db.fetch("select number from fulfilment_order")
            sold = await kernel.db.fetchval("select count(*) from catalog_sold_card")
    return told(clients, watch, reloads, {row["number"] for row in rows}, sold, server.returncode, written)


def told(
    clients: Clients, watch: Watch, reloads: int, orders: set[str], sold: int, code: int | None, log: str
) -> bool:
    """Say what was seen; whether all was well."""
    tally = clients.tally
    say(f"{reloads} reloads; the server ended with {code}")
    say("right:   " + ", ".join(f"{kind} {count:,}" for kind, count in sorted(tally.right.items())))
    say("refused: " + ", ".join(f"{code} {count:,}" for code, count in sorted(tally.refused.items())))
    say("again:   " + (", ".join(f"{what} {count}" for what, count in sorted(tally.again.items())) or "none"))
    say(f"orders:  {len(tally.numbers):,} answered, {len(orders):,} there, {sold:,} cards sold")
    for line in watch.report():
        say(line)
    for name, before, after in watch.growth():
        say(f"  {name:8} without reloads: {before / 1e6:.1f} MB warm, {after / 1e6:.1f} MB at the end")
    faults = [*watch.faults(), *tally.wrong]
    if tally.wrong_count > len(tally.wrong):
        faults.append(f"and {tally.wrong_count - len(tally.wrong)} more")
    if tally.numbers != orders or sold != len(orders):
        faults.append("orders that were answered, orders that are there and cards that were sold differ")
    faults += [
        f"nothing came of: {kind}"
        for kind in ("query", "purchase", "subscription", "batch")
        if not tally.right[kind]
    ]
    if code != 0:
        faults.append(f"the server ended with {code}")
    for line in log.splitlines()[:100]:
        (faults.append if any(mark in line for mark in ALARMING) else say)(
            f"  the server wrote: {line[:300]}"
        )
    for fault in faults:
        say(f"WRONG: {fault}")
    say("failed" if faults else "all was well")
    return not faults


def main() -> None:
    """Run it as the command line says."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.soak", description=__doc__)
    parser.add_argument("--minutes", type=float, default=5)
    parser.add_argument("--reload-seconds", type=float, default=45)
    parser.add_argument("--processes", type=int, default=2)
    given = parser.parse_args()
    sys.exit(0 if asyncio.run(soak(given.minutes, given.reload_seconds, given.processes)) else 1)


if __name__ == "__main__":
    main()
