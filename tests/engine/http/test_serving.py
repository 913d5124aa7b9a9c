"""`kameng serve` in processes of its own: stopped and reloaded at every moment, it loses nothing and nobody has to be killed."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import httpx
import psutil
import pytest
import pytest_asyncio

from kameng.embedded.ports import free_port
from kameng.kernel import Kernel
from kameng.testing.kernels import Kernels

PATIENCE = 120.0
"""Seconds after which a test gives up waiting; no measure of anything."""

PROCESSES = 2

pytestmark = pytest.mark.slow


@dataclass
class Served:
    """A running `kameng serve`."""

    url: str
    process: subprocess.Popen[bytes]
    config: Path
    log: Path

    def workers(self) -> set[int]:
        """The web processes."""
        return {child.pid for child in psutil.Process(self.process.pid).children()}

    def told(self) -> str:
        return self.log.read_text("utf-8")

    async def until(self, holds: Callable[[], Awaitable[bool]]) -> None:
        async with asyncio.timeout(PATIENCE):
            while not await holds():
                assert self.process.poll() is None, self.told()
                await asyncio.sleep(0.02)

    async def until_forked(self) -> None:
        async def forked() -> bool:
            return len(self.workers()) == PROCESSES

        await self.until(forked)

    async def until_ready(self) -> None:
        async with httpx.AsyncClient() as client:

            async def ready() -> bool:
                try:
                    return (await client.get(f"{self.url}/readyz")).status_code == 200
                except httpx.TransportError:
                    return False

            await self.until(ready)

    async def until_replaced(self, before: set[int]) -> None:
        """Wait until none of these processes is left and as many others run."""

        async def replaced() -> bool:
            now = self.workers()
            return len(now) == PROCESSES and not now & before

        await self.until(replaced)

    async def ended(self) -> int:
        """The exit code."""
        return await asyncio.wait_for(asyncio.to_thread(self.process.wait), PATIENCE)


@pytest_asyncio.fixture(loop_scope="session")
async def kernel(make_kernel: Kernels) -> Kernel:
    return await make_kernel()


@pytest.fixture
def serve(kernel: Kernel, tmp_path: Path) -> Iterator[Served]:
    engine, port, log = kernel.settings.engine, free_port(), tmp_path / "log"
    config = tmp_path / "kameng.toml"
    config.write_text("[catalog]\n")
    environment = {
        **{name: value for name, value in os.environ.items() if not name.startswith("KAMENG_")},
        "DATABASE_URL": engine.database_url,
        "REDIS_URL": engine.redis_url,
        "KAMENG_KAMENG__DATA_DIR": str(kernel.settings.data_dir),
        "KAMENG_KAMENG__LOG_LEVEL": "warning",
        "KAMENG_KAMENG__STOP_SECONDS": "100",  # that a machine is busy shall kill nobody here
    }
    command = [sys.executable, "-m", "kameng", "--config", str(config), "serve", "--port", str(port)]
    with log.open("wb") as output:
        process = subprocess.Popen(
            [*command, "--processes", str(PROCESSES)],
            cwd=tmp_path,
            env=environment,
            stdout=output,
            stderr=output,
            start_new_session=True,
        )
    try:
        yield Served(f"http://127.0.0.1:{port}", process, config, log)
    finally:
        if process.poll() is None:
            process.terminate()
            process.wait(PATIENCE)


@dataclass
class Load:
    """What clients saw."""

    answered: int = 0
    wrong: list[str] = field(default_factory=list)


@asynccontextmanager
async def loaded(served: Served, clients: int = 6) -> AsyncIterator[Load]:
    """Ask from several clients all the time until the block ends."""
    load, over = Load(), asyncio.Event()

    async def ask() -> None:
        async with httpx.AsyncClient(timeout=60) as client:
            while not over.is_set():
                for attempt in (1, 2, 3):
                    try:
                        answer = await client.post(
                            f"{served.url}/graphql/shop", json={"query": "{ engineVersion }"}
                        )
                    except httpx.TransportError as error:
                        # A server may close a kept connection just when it is used; who meets that connects anew.
                        if attempt == 3 and not over.is_set():
                            load.wrong.append(repr(error))
                        continue
                    if answer.status_code != 200 or "data" not in answer.json():
                        load.wrong.append(f"{answer.status_code} {answer.text[:200]}")
                    load.answered += 1
                    break
                await asyncio.sleep(0.01)

    asking = [asyncio.create_task(ask()) for _ in range(clients)]
    try:
        yield load
    finally:
        over.set()
        await asyncio.gather(*asking)


@pytest.mark.parametrize("pause", [0.0, 1.2])
async def test_it_stops_while_its_processes_are_still_loading(serve: Served, pause: float) -> None:
    # Given processes that were just forked
    await serve.until_forked()
    await asyncio.sleep(pause)

    # When it is stopped, then it ends well, and none was killed
    serve.process.terminate()
    assert await serve.ended() == 0
    assert serve.told() == ""


async def test_it_stops_in_the_middle_of_a_reload_under_load(serve: Served) -> None:
    await serve.until_ready()
    workers = serve.workers()
    async with loaded(serve):
        # Given a reload that has begun
        os.kill(serve.process.pid, signal.SIGHUP)

        async def more() -> bool:
            return bool(serve.workers() - workers)

        await serve.until(more)
        everybody = serve.workers() | workers

        # When it is stopped, then it ends well, nobody was killed and nobody is left
        serve.process.terminate()
        assert await serve.ended() == 0
    assert serve.told() == ""
    assert not [pid for pid in everybody if psutil.pid_exists(pid)]


async def test_a_signal_to_the_whole_group_is_no_failure(serve: Served) -> None:
    await serve.until_ready()
    os.killpg(serve.process.pid, signal.SIGTERM)
    assert await serve.ended() == 0
    assert serve.told() == ""


async def test_a_reload_replaces_every_process_and_loses_no_request(serve: Served) -> None:
    await serve.until_ready()
    before = serve.workers()
    async with loaded(serve) as load:
        os.kill(serve.process.pid, signal.SIGHUP)
        await serve.until_replaced(before)
    assert load.wrong == []
    assert load.answered > 0
    assert serve.told() == ""


async def test_a_reload_into_a_mistake_leaves_the_old_processes_at_work(serve: Served) -> None:
    await serve.until_ready()
    before = serve.workers()

    # Given settings that no process can start with
    serve.config.write_text("[catalog]\nno_such_key = 1\n")
    async with loaded(serve) as load:
        # When it reloads, then it says so and goes on
        os.kill(serve.process.pid, signal.SIGHUP)

        async def refused() -> bool:
            return "the old ones go on" in serve.told()

        await serve.until(refused)
        assert "no_such_key" in serve.told()
    assert load.wrong == []
    assert serve.workers() == before

    # And once the mistake is mended it reloads
    serve.config.write_text("[catalog]\n")
    os.kill(serve.process.pid, signal.SIGHUP)
    await serve.until_replaced(before)
    await serve.until_ready()


async def test_a_process_that_dies_is_replaced(serve: Served) -> None:
    await serve.until_ready()
    before = serve.workers()
    victim = min(before)
    os.kill(victim, signal.SIGKILL)

    async def whole() -> bool:
        now = serve.workers()
        return victim not in now and len(now) == PROCESSES

    await serve.until(whole)
    assert serve.workers() & before == before - {victim}
    await serve.until_ready()
