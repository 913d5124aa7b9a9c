"""Buyers who wait for a second and then all ask at once: each with a connection of its own, each once.

``python -m benchmarks.orders.crowd`` reads a `Crowd` as JSON from standard input and writes an `Outcome`. It is a process of
its own, so that its work is not among that of the benchmark.
"""

import asyncio
import resource
import sys
import time
from collections import Counter
from urllib.parse import urlsplit

import msgspec

AT_ONCE = 100
"""Connections that are opened at the same time."""

PATIENCE = 60.0
"""Seconds after which an answer is called missing."""


class Crowd(msgspec.Struct):
    """Who asks for what, and when.

    Attributes:
        url: of the shop.
        at: the moment, in seconds of the epoch.
        tokens, bodies: of each buyer.
    """

    url: str
    at: float
    tokens: list[str]
    bodies: list[str]


class Outcome(msgspec.Struct):
    """What the crowd saw.

    Attributes:
        answers: how many got which: a state of an order, an error's code, or ``missing``.
        p50, p99, longest: seconds until the answer.
    """

    answers: dict[str, int]
    p50: float
    p99: float
    longest: float


async def ask(crowd: Crowd) -> Outcome:
    """Open all connections, wait for the moment, ask, and wait for all answers."""
    host, port = urlsplit(crowd.url).hostname or "127.0.0.1", urlsplit(crowd.url).port or 80
    gate = asyncio.Semaphore(AT_ONCE)
    answers: Counter[str] = Counter()
    took: list[float] = []

    async def buyer(token: str, body: str) -> None:
        async with gate:
            reader, writer = await asyncio.open_connection(host, port)
        await asyncio.sleep(max(crowd.at - time.time(), 0))
        began = time.perf_counter()
        writer.write(
            f"POST /graphql/shop HTTP/1.1\r\nHost: {host}:{port}\r\nContent-Type: application/json\r\n"
            f"Authorization: Bearer {token}\r\nContent-Length: {len(body)}\r\nConnection: close\r\n\r\n{body}".encode()
        )
        try:
            async with asyncio.timeout(PATIENCE):
                answer = await reader.read()
        except (TimeoutError, OSError):
            answer = b""
        took.append(time.perf_counter() - began)
        answers[_kind(answer)] += 1
        writer.close()

    await asyncio.gather(*map(buyer, crowd.tokens, crowd.bodies))
    took.sort()
    return Outcome(dict(answers), took[len(took) // 2], took[len(took) * 99 // 100], took[-1])


def _kind(answer: bytes) -> str:
    head, _, body = answer.partition(b"\r\n\r\n")
    if not body:
        return "missing"
    if b"chunked" in head.lower():
        body = b"".join(part.partition(b"\r\n")[2] for part in body.split(b"\r\n0\r\n")[:1])
    try:
        placed = msgspec.json.decode(body)["data"]["placeOrder"]
        return str(placed["errors"][0]["code"] if placed["errors"] else placed["order"]["state"])
    except (msgspec.DecodeError, KeyError, TypeError):
        return head.split(b"\r\n")[0].decode(errors="replace")


def many_files() -> None:
    """Allow this process, and those it starts, as many open connections as the system lets it."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(max(soft, 20_000), hard), hard))


if __name__ == "__main__":
    many_files()
    given = msgspec.json.decode(sys.stdin.buffer.read(), type=Crowd)
    sys.stdout.buffer.write(msgspec.json.encode(asyncio.run(ask(given))))
