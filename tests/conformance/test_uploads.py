"""Files over real connections to web processes: streamed, bounded in memory, refused without waiting for the rest."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import psutil
import pytest

from kameng.testing.kernels import unique
from tests.fulfilment.conftest import Shop

from .administrator import Administrator
from .server import Server

IMPORT = """
mutation($input: ImportCardsInput!) {
  importCards(input: $input) { applied cards faultCount batch { fileName cardCount } errors { code message } }
}
"""
MEGABYTE = 1_000_000


@pytest.fixture(scope="module")
def headers(administrator: Administrator) -> dict[str, str]:
    """Those of the first administrator."""
    return {"authorization": f"Bearer {administrator.token}", "kameng-preflight": "1"}


def opening(value: dict[str, Any], kind: str = "text/csv") -> bytes:
    """A request's parts up to the first byte of its file, with the boundary ``b``."""
    operations = json.dumps({"query": IMPORT, "variables": {"input": {**value, "file": None}}})
    parts = [("operations", operations), ("map", '{"0": ["variables.input.file"]}')]
    texts = [
        f'--b\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{text}\r\n' for name, text in parts
    ]
    head = (
        f'--b\r\nContent-Disposition: form-data; name="0"; filename="c.csv"\r\nContent-Type: {kind}\r\n\r\n'
    )
    return ("".join(texts) + head).encode()


END = b"\r\n--b--\r\n"
KIND = {"content-type": "multipart/form-data; boundary=b"}


def memory(server: Server) -> int:
    """Bytes of memory that the web processes have of their own, together."""
    return sum(child.memory_full_info().uss for child in psutil.Process(server.process.pid).children())


async def test_cards_are_imported_from_an_uploaded_file(server: Server, headers: dict[str, str]) -> None:
    sku = unique("UP")
    with server.kernel.db.in_use():
        await Shop(server.kernel).stock(sku, "3.00", [])
    content = "number,secret\n" + "".join(f",{unique('s')}\n" for _ in range(500))
    operations = {"query": IMPORT, "variables": {"input": {"sku": sku, "file": None}}}
    parts = {
        "operations": (None, json.dumps(operations)),
        "map": (None, '{"0": ["variables.input.file"]}'),
        "0": ("十一月.csv", content.encode("gb18030"), "text/csv"),
    }
    async with httpx.AsyncClient(base_url=server.url, timeout=60) as client:
        answer = await client.post("/graphql/admin", files=parts, headers=headers)

    assert answer.json()["data"]["importCards"] == {
        "applied": True,
        "cards": 500,
        "faultCount": 0,
        "batch": {"fileName": "十一月.csv", "cardCount": 500},
        "errors": [],
    }


async def test_a_large_file_takes_no_memory(server: Server, headers: dict[str, str]) -> None:
    # Given several clients whose files come in, all but their ends
    held, waiting = asyncio.Event(), asyncio.Semaphore(0)

    async def body() -> AsyncIterator[bytes]:
        yield opening({})
        for _ in range(18):
            yield b"x" * MEGABYTE
        waiting.release()
        await held.wait()
        yield b"\n" + END

    async with httpx.AsyncClient(base_url=server.url, timeout=120) as client:

        async def send() -> httpx.Response:
            return await client.post("/graphql/admin", content=body(), headers={**headers, **KIND})

        await client.post("/graphql/admin", json={"query": "{ engineVersion }"})
        before = memory(server)
        sending = [asyncio.create_task(send()) for _ in range(4)]
        for _ in sending:
            await waiting.acquire()

        # When 72 MB are on their way or there, then far less of it is in memory
        grown = memory(server) - before
        held.set()
        answers = await asyncio.gather(*sending)
    assert grown < 30 * MEGABYTE, grown
    for answer in answers:
        (error,) = answer.json()["data"]["importCards"]["errors"]
        assert error["code"] == "INVALID_INPUT"  # it is no table


async def test_a_file_that_is_too_large_is_told_to_one_who_sends_on(
    server: Server, headers: dict[str, str]
) -> None:
    async def body() -> AsyncIterator[bytes]:
        yield opening({})
        for _ in range(40):
            yield b"x" * MEGABYTE
        yield END

    async with httpx.AsyncClient(base_url=server.url, timeout=120) as client:
        answer = await client.post("/graphql/admin", content=body(), headers={**headers, **KIND})

    assert answer.status_code == 413
    assert answer.json()["errors"][0]["extensions"]["code"] == "UPLOAD_TOO_LARGE"


async def test_a_connection_cut_within_a_file_leaves_the_server_well(
    server: Server, headers: dict[str, str]
) -> None:
    # Given a client that announces more than it sends, and hangs up
    _, writer = await asyncio.open_connection("127.0.0.1", httpx.URL(server.url).port)
    lines = [
        "POST /graphql/admin HTTP/1.1",
        "host: localhost",
        "content-length: 5000000",
        *(f"{name}: {value}" for name, value in {**headers, **KIND}.items()),
    ]
    writer.write("\r\n".join(lines).encode() + b"\r\n\r\n" + opening({}) + b"x" * 400_000)
    await writer.drain()
    writer.close()
    await writer.wait_closed()

    # Then nothing of it is left open, and others are served
    async with httpx.AsyncClient(base_url=server.url, timeout=60) as client:
        async with asyncio.timeout(60):
            while open_uploads(server):
                await asyncio.sleep(0.05)
        answer = await client.post("/graphql/admin", json={"query": "{ engineVersion }"})
    assert answer.json()["data"] == {"engineVersion": "0.1.0"}


def open_uploads(server: Server) -> list[str]:
    """The temporary files of uploads that the web processes hold."""
    children = psutil.Process(server.process.pid).children()
    return [file for child in children for file in deleted_files(child.pid)]


def deleted_files(process: int) -> list[str]:
    found = []
    for link in Path(f"/proc/{process}/fd").iterdir():
        try:
            target = str(link.readlink())
        except OSError:
            continue
        if target.endswith("(deleted)") and "/dev/" not in target:
            found.append(target)
    return found
