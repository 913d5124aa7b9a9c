"""The clients of a soak: who looks, who buys, who listens, who sends nonsense."""

from __future__ import annotations

import asyncio
import itertools
import json
import random
from typing import Any
from uuid import uuid4

import httpx
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed, InvalidHandshake
from websockets.typing import Subprotocol

from benchmarks.orders.buying import DOCUMENT
from benchmarks.soak.tally import Tally

TRIES = 5
"""How often a request is sent that found its connection closed."""

LIST = """query($first: Int, $after: String, $sort: ProductSort!) { products(first: $first, after: $after, sort: $sort) {
 pageInfo { endCursor } nodes { id slug title tags variants { sku title price { amount currency } stockState } } } }"""
DETAIL = "query($slug: String!) { product(slug: $slug) { title description variants { id sku price { amount } } } }"
MINE = "{ viewer { email wallet { balance { amount } } orders(first: 10) { nodes { number state } } } }"
HEARD = "subscription { orderChanged { number state } }"

BY_DESIGN = frozenset(
    {
        "GRAPHQL_INVALID",
        "GRAPHQL_TOO_COMPLEX",
        "GRAPHQL_TOO_EXPENSIVE",
        "REQUEST_UNREADABLE",
        "BATCH_REFUSED",
        "MUTATION_BY_STREAM",
    }
)
"""What nonsense is answered with."""


class Clients:
    """Everybody who asks during a soak.

    Args:
        url: of the server.
        tokens: of members with money.
        variants: global ids of what is for sale.
        slugs: of products.
    """

    def __init__(self, url: str, tokens: list[str], variants: list[str], slugs: list[str]) -> None:
        self._url = url
        self._tokens = tokens
        self._variants = variants
        self._slugs = slugs
        self._chance = random.Random(2026)
        self._serial = itertools.count()
        self.tally = Tally()
        self.over = asyncio.Event()

    async def run(self, seconds: float) -> None:
        """Ask for so long."""
        jobs = [
            *(self._look() for _ in range(3)),
            *(self._buy(n) for n in range(3)),
            *(self._mistake() for _ in range(2)),
            *(self._batch() for _ in range(1)),
            *(self._listen(n) for n in range(12)),
        ]
        working = [asyncio.create_task(job) for job in jobs]
        broken = asyncio.create_task(_first_failure(working))
        await asyncio.wait({broken}, timeout=seconds)
        self.over.set()
        await asyncio.gather(*working)
        broken.cancel()

    async def _post(
        self, client: httpx.AsyncClient, kind: str, body: Any, token: str = ""
    ) -> httpx.Response | None:
        headers = {"content-type": "application/json"}
        if token:
            headers["authorization"] = f"Bearer {token}"
        content = body if isinstance(body, (bytes, str)) else json.dumps(body)
        for _ in range(TRIES):
            try:
                return await client.post(f"{self._url}/graphql/shop", content=content, headers=headers)
            except httpx.TransportError as error:
                self.tally.again[f"{kind}: {type(error).__name__}"] += 1
        self.tally.fail(f"{kind}: no answer after {TRIES} tries")
        return None

    async def _look(self) -> None:
        after: str | None = None
        async with httpx.AsyncClient(timeout=60) as client:
            while not self.over.is_set():
                way = self._chance.random()
                token = self._chance.choice([*self._tokens, ""])
                if way < 0.5:
                    variables = {"first": 20, "after": after, "sort": "ARRANGED"}
                    body: Any = {"query": LIST, "variables": variables}
                elif way < 0.8:
                    body = {"query": DETAIL, "variables": {"slug": self._chance.choice(self._slugs)}}
                else:
                    token = self._chance.choice(self._tokens)
                    body = {"query": MINE}
                answer = await self._post(client, "query", body, token)
                data = self._data("query", answer)
                if data is not None and "products" in data:
                    after = data["products"]["pageInfo"]["endCursor"]
                await asyncio.sleep(self._chance.uniform(0.01, 0.05))

    async def _buy(self, number: int) -> None:
        async with httpx.AsyncClient(timeout=60) as client:
            while not self.over.is_set():
                token = self._tokens[number % len(self._tokens)]
                number += 3
                line = {"variantId": self._chance.choice(self._variants), "quantity": 1}
                variables = {"key": str(uuid4()), "input": {"lines": [line]}}
                answer = await self._post(
                    client, "purchase", {"query": DOCUMENT, "variables": variables}, token
                )
                data = self._data("purchase", answer)
                if data is not None:
                    placed = data["placeOrder"]
                    if placed["errors"] or not placed["order"]["lines"][0]["cards"]:
                        self.tally.fail(f"purchase: {placed}")
                    else:
                        self.tally.numbers.add(placed["order"]["number"])
                await asyncio.sleep(self._chance.uniform(0.02, 0.08))

    async def _batch(self) -> None:
        async with httpx.AsyncClient(timeout=60) as client:
            while not self.over.is_set():
                slugs = self._chance.sample(self._slugs, 3)
                body = [{"query": DETAIL, "variables": {"slug": slug}} for slug in slugs]
                answer = await self._post(client, "batch", body)
                if answer is not None:
                    parts = answer.json() if answer.status_code == 200 else []
                    if [bool(part.get("data", {}).get("product")) for part in parts] == [True] * 3:
                        self.tally.right["batch"] += 1
                    else:
                        self.tally.fail(f"batch: {answer.status_code} {answer.text}")
                await asyncio.sleep(self._chance.uniform(0.1, 0.3))

    async def _mistake(self) -> None:
        async with httpx.AsyncClient(timeout=60) as client:
            while not self.over.is_set():
                answer = await self._post(client, "nonsense", self._nonsense())
                if answer is not None:
                    try:
                        codes = {error["extensions"]["code"] for error in answer.json()["errors"]}
                    except (KeyError, ValueError):
                        codes = {f"{answer.status_code} {answer.text}"}
                    if codes <= BY_DESIGN:
                        self.tally.refused.update(codes)
                    else:
                        self.tally.fail(f"nonsense: {sorted(codes)}")
                await asyncio.sleep(self._chance.uniform(0.01, 0.05))

    def _nonsense(self) -> Any:
        n = next(self._serial)  # no two are the same: caches must stay bounded
        return self._chance.choice(
            [
                {"query": f"{{ nothing{n} }}"},
                {"query": f"{{ products(first: {n}"},
                {"query": f"query Q{n} {{ {' '.join(f'a{i}: __typename' for i in range(60))} }}"},
                {"query": "{ a" + "{ b" * 40 + f" c{n}" + "}" * 41},
                {"query": f"query($v{n}: Int!) {{ products(first: $v{n}) {{ nodes {{ id }} }} }}"},
                {"query": LIST, "variables": {"first": "many", "sort": n}},
                f'{{"query": "{{ a{n} "',
                [{"query": "{ engineVersion }"}] * 20,
            ]
        )

    async def _listen(self, number: int) -> None:
        token = self._tokens[number % len(self._tokens)]
        address = self._url.replace("http", "ws", 1) + "/graphql/shop"
        while not self.over.is_set():
            try:
                async with connect(address, subprotocols=[Subprotocol("graphql-transport-ws")]) as socket:
                    payload = {"authorization": f"Bearer {token}"}
                    await socket.send(json.dumps({"type": "connection_init", "payload": payload}))
                    subscribe = {"type": "subscribe", "id": "1", "payload": {"query": HEARD}}
                    hearing = asyncio.create_task(self._hear(socket, subscribe))
                    ending = asyncio.create_task(self.over.wait())
                    await asyncio.wait({hearing, ending}, return_when=asyncio.FIRST_COMPLETED)
                    if hearing.done():
                        hearing.result()
                    ending.cancel()
                    hearing.cancel()
                    await asyncio.gather(hearing, ending, return_exceptions=True)
            except ConnectionClosed as closed:
                code = closed.rcvd.code if closed.rcvd else 1006
                if code in (1001, 1006, 1012):  # the process is being replaced
                    self.tally.again[f"subscription: closed with {code}"] += 1
                else:
                    self.tally.fail(f"subscription: closed with {code}")
            except (OSError, InvalidHandshake, EOFError) as error:
                self.tally.again[f"subscription: {type(error).__name__}"] += 1
                await asyncio.sleep(0.1)

    async def _hear(self, socket: Any, subscribe: dict[str, Any]) -> None:
        async for text in socket:
            message = json.loads(text)
            if message["type"] == "connection_ack":
                await socket.send(json.dumps(subscribe))
            elif message["type"] == "ping":
                await socket.send('{"type": "pong"}')
            elif message["type"] == "next" and not message["payload"].get("errors"):
                self.tally.right["subscription"] += 1
            else:
                self.tally.fail(f"subscription: {text}")

    def _data(self, kind: str, answer: httpx.Response | None) -> dict[str, Any] | None:
        if answer is None:
            return None
        body = answer.json() if answer.status_code == 200 else {}
        if body.get("errors") or not isinstance(body.get("data"), dict):
            self.tally.fail(f"{kind}: {answer.status_code} {answer.text}")
            return None
        self.tally.right[kind] += 1
        data: dict[str, Any] = body["data"]
        return data


async def _first_failure(tasks: list[asyncio.Task[None]]) -> None:
    await asyncio.wait(tasks, return_when=asyncio.FIRST_EXCEPTION)
