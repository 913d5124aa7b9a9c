"""Receivers in processes of their own, kernels with webhooks, and short words for what tests do."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
import pytest_asyncio

from kameng.auth import Principal
from kameng.graphql import Context
from kameng.kernel import Kernel
from kameng.tasks import drain
from kameng.testing.clients import Client, a_clerk
from kameng.testing.kernels import Kernels
from kameng.webhooks import endpoints, module
from kameng.webhooks.endpoints import EndpointDraft
from tests.engine.events.sample import emit, sample

OWNER = a_clerk("*")


@dataclass
class Receiver:
    """A receiver that runs.

    Attributes:
        url: where it listens; the path says how it behaves.
        log: what it got.
    """

    url: str
    log: Path
    process: subprocess.Popen[bytes]

    def got(self, path: str = "") -> list[dict[str, Any]]:
        """The requests that came to a path."""
        lines = self.log.read_text().splitlines() if self.log.exists() else []
        return [entry for line in lines if path in (entry := json.loads(line))["path"]]


@pytest.fixture
def start_receiver(tmp_path: Path) -> Iterator[Callable[..., Receiver]]:
    """Starts receivers, and ends them with the test."""
    running: list[subprocess.Popen[bytes]] = []

    def start(certificate: str = "") -> Receiver:
        log = tmp_path / f"receiver-{len(running)}.jsonl"
        process = subprocess.Popen(
            [sys.executable, str(Path(__file__).parent / "receiver.py"), str(log), certificate],
            stderr=subprocess.DEVNULL,
        )
        running.append(process)
        beside = log.with_suffix(".port")
        while not beside.exists():
            assert process.poll() is None
            time.sleep(0.02)
        scheme = "https" if certificate else "http"
        return Receiver(f"{scheme}://127.0.0.1:{beside.read_text()}", log, process)

    yield start
    for process in running:
        process.kill()
        process.wait()


@pytest.fixture
def receiver(start_receiver: Callable[..., Receiver]) -> Receiver:
    """One over plain http."""
    return start_receiver()


@dataclass
class Hooks:
    """A kernel with webhooks."""

    kernel: Kernel

    @property
    def admin(self) -> Client:
        """The back office, asked by somebody who may do everything."""
        return Client(self.kernel, "admin", OWNER)

    def context(self, principal: Principal = OWNER) -> Context:
        """A request of the back office."""
        return Context(self.kernel, principal=principal, schema="admin")

    async def endpoint(self, url: str, *topics: str, **values: Any) -> UUID:
        """A new endpoint; of the sample's events where none are named."""
        draft = EndpointDraft(name="Test", url=url, topics=topics or ("sample.counted",), **values)
        return await endpoints.save(self.context(), draft)

    async def emit(self, *numbers: int) -> None:
        """Publish an event for each number, and do all that comes of it now."""
        await emit(self.kernel, *numbers)
        await drain(self.kernel)

    async def later(self) -> None:
        """Let the pauses of deliveries and endpoints be over, and do what is due then."""
        await self.kernel.db.execute(
            "update webhooks_delivery set next_at = now() - interval '1 second' where state in ('waiting', 'sending')"
        )
        await self.kernel.db.execute("update webhooks_endpoint set resume_at = null")
        await self.kernel.tasks.enqueue("webhooks.send")
        await drain(self.kernel)

    async def deliveries(self) -> list[dict[str, Any]]:
        """All deliveries, in order of their events."""
        rows = await self.kernel.db.fetch(
            "select * from webhooks_delivery order by event nulls last, endpoint"
        )
        return [dict(row) for row in rows]

    async def states(self) -> list[str]:
        """Where the deliveries stand, in order of their events."""
        return [row["state"] for row in await self.deliveries()]


@pytest_asyncio.fixture(loop_scope="session")
async def hooks(make_kernel: Kernels) -> Hooks:
    """A kernel with webhooks and a module that publishes events; receivers may be on this machine."""
    return Hooks(
        await make_kernel([module, sample()], webhooks={"allow_loopback": True, "timeout_seconds": 2.0})
    )
