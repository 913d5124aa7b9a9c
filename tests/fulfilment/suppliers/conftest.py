"""A shop whose goods come from suppliers in processes of their own, and short words for what tests do."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
import pytest_asyncio

from kameng.auth import Principal
from kameng.embedded.ports import free_port
from kameng.graphql import Context
from kameng.money import UnitPrice
from kameng.testing.kernels import Kernels
from kameng_fulfilment.suppliers import changes, settling
from kameng_fulfilment.suppliers.callbacks import take_callback
from kameng_fulfilment.suppliers.connections import ConnectionDraft, save_connection
from kameng_fulfilment.suppliers.offers import OfferDraft, save_offer
from kameng_fulfilment.suppliers.working import SupplierWork
from tests.fulfilment import lives
from tests.fulfilment.conftest import OWNER, Shop

from .fake_supplier import SECRET


@dataclass
class Fake:
    """A supplier that runs."""

    url: str
    log: Path
    process: subprocess.Popen[bytes]

    def noted(self, event: str) -> list[dict[str, Any]]:
        """What it wrote down."""
        lines = self.log.read_text().splitlines() if self.log.exists() else []
        return [entry for line in lines if (entry := json.loads(line))["event"] == event]

    @property
    def paid(self) -> list[str]:
        """The references of the orders that it took money for, each time that it did."""
        return [entry["reference"] for entry in self.noted("paid")]

    @property
    def calls(self) -> Counter[str]:
        """How often each order was sent."""
        return Counter(entry["reference"] for entry in self.noted("called"))

    def die(self) -> None:
        """Gone, without a word."""
        self.process.kill()
        self.process.wait()


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Shorter pauses than a shop has; their order stays."""
    for module in (changes, settling):
        monkeypatch.setattr(module, "ASK_PAUSES", (0.1, 0.2, 0.3, 0.5, 20))
    monkeypatch.setattr(changes, "SEND_PAUSES", (0.1, 0.2))


@pytest.fixture
def start_fake(tmp_path: Path) -> Iterator[Callable[..., Fake]]:
    """Starts suppliers, and ends them with the test."""
    running: list[Fake] = []

    def start(mark: str = "code-") -> Fake:
        log = tmp_path / f"supplier-{len(running)}.jsonl"
        program = str(Path(__file__).parent / "fake_supplier.py")
        process = subprocess.Popen([sys.executable, program, str(log), mark], stderr=subprocess.DEVNULL)
        beside = log.with_suffix(".port")
        while not beside.exists():
            assert process.poll() is None
            time.sleep(0.02)
        running.append(Fake(f"http://127.0.0.1:{beside.read_text()}", log, process))
        return running[-1]

    yield start
    for each in running:
        each.die()


@pytest.fixture
def fake(start_fake: Callable[..., Fake]) -> Fake:
    """One supplier."""
    return start_fake()


@dataclass(frozen=True)
class Supplied(Shop):
    """A shop with suppliers."""

    def context(self, principal: Principal = OWNER) -> Context:
        return Context(self.kernel, principal=principal, schema="admin")

    async def connect(
        self, fake: Fake | str, name: str = "Ann's", seconds: float = 1.0, concurrency: int = 4
    ) -> UUID:
        """An account with a supplier."""
        url = fake if isinstance(fake, str) else fake.url
        settings = {"url": url, "key": "us", "secret": SECRET}
        draft = ConnectionDraft(
            name=name,
            protocol="kameng-docking",
            settings=settings,
            timeout_seconds=seconds,
            concurrency=concurrency,
        )
        return await save_connection(self.context(), draft)

    async def goods(self, sku: str = "GOODS", price: str = "10") -> UUID:
        """A variant that suppliers deliver."""
        variant = await self.stock(sku, price, [])
        await self.kernel.db.execute(
            "update catalog_variant set delivery = 'supplier', stock_kind = 'unlimited' where id = $1",
            variant,
        )
        return variant

    async def offer(self, variant: UUID, connection: UUID, sku: str, cost: str = "3", **values: Any) -> UUID:
        """An offer of a variant."""
        draft = OfferDraft(
            variant=variant,
            connection=connection,
            their_sku=sku,
            cost=UnitPrice.parse(cost, "CNY"),
            **values,
        )
        return (await save_offer(self.context(), draft)).id

    async def order(self, variant: UUID, quantity: int = 1, yuan: str = "1000") -> tuple[UUID, Principal]:
        """An order paid from a wallet, and its buyer."""
        ann = await self.member(yuan)
        return await lives.place(self, ann, (variant, quantity), outside=False), ann

    async def work(self) -> None:
        """Let a worker do what is due, now and in a moment."""
        await self.kernel.services.get(SupplierWork).run()

    async def later(self) -> None:
        """Let all pauses and leases be over, and do what is due then."""
        await self.kernel.db.execute(
            """update fulfilment_supplier_order set next_at = now(), busy_until = null
               where state in ('PREPARED', 'SENT', 'ACCEPTED', 'UNKNOWN')"""
        )
        await self.kernel.db.execute("update fulfilment_supplier_plan set next_at = now()")
        await self.kernel.db.execute("update fulfilment_supplier_connection set resting_until = null")
        await self.work()

    async def at_suppliers(self, order: UUID) -> list[dict[str, Any]]:
        """The orders at suppliers for the first line of an order, in order."""
        (line, *_) = await lives.lines(self, order)
        rows = await self.kernel.db.fetch(
            """select s.*, c.name as supplier from fulfilment_supplier_order s
               join fulfilment_supplier_connection c on c.id = s.connection where s.line = $1 order by s.attempt""",
            line.id,
        )
        return [dict(row) for row in rows]

    async def states(self, order: UUID) -> list[str]:
        """Where these orders stand."""
        return [row["state"] for row in await self.at_suppliers(order)]

    async def texts(self, order: UUID) -> list[str]:
        """What the buyer was delivered."""
        (line, *_) = await lives.lines(self, order)
        rows = await self.kernel.db.fetch(
            "select * from fulfilment_delivered_text where line = $1 order by id", line.id
        )
        opened = await self.kernel.vault.open_many(
            [(row["data_key"], row["sealed"], line.id.bytes + row["id"].bytes) for row in rows]
        )
        return [text.decode() for text in opened]


@pytest_asyncio.fixture(loop_scope="session")
async def supplied(make_kernel: Kernels) -> AsyncIterator[Supplied]:
    """A shop that suppliers may call back, over HTTP."""
    port = free_port()
    kernel = await make_kernel(
        kameng={"public_url": f"http://127.0.0.1:{port}"},
        fulfilment={"supplier_loopback": True, "supplier_silence_seconds": 0},
    )

    async def take(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
        headers = dict(line.lower().split(": ", 1) for line in head[1:] if ": " in line)
        body = await reader.readexactly(int(headers["content-length"]))
        kernel.db.use()
        status = await take_callback(kernel, UUID(head[0].split()[1].rsplit("/", 1)[-1]), headers, body)
        writer.write(f"HTTP/1.1 {status} -\r\ncontent-length: 0\r\nconnection: close\r\n\r\n".encode())
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(take, "127.0.0.1", port)
    yield Supplied(kernel)
    server.close()
    await server.wait_closed()
