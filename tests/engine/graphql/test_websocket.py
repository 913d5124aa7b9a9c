"""The WebSocket at its edges, message by message: time limits, numbers, ids, and what becomes of it when the process stops."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any

import pytest

from kameng.auth import PrincipalKind
from kameng.graphql import websocket
from kameng.graphql.endpoint import GraphQLEndpoint
from kameng.graphql.streaming import Streams
from kameng.graphql.websocket import MAX_OPERATIONS, PROTOCOL
from kameng.ids import new_id
from tests.engine.graphql.conftest import Site

PATIENCE = 60.0
"""Seconds after which a test gives up waiting; no measure of anything."""

INIT = {"type": "connection_init"}
ACK = {"type": "connection_ack"}


class Closed(Exception):
    """The server has closed the connection."""

    def __init__(self, code: int, reason: str) -> None:
        super().__init__(code, reason)
        self.code = code
        self.reason = reason


class Socket:
    """A client of one connection, speaking ASGI with the endpoint."""

    def __init__(self) -> None:
        self.sent: asyncio.Queue[Any] = asyncio.Queue()
        self.received: asyncio.Queue[Any] = asyncio.Queue()
        self.subprotocol: str | None = None

    async def say(self, *messages: Any) -> None:
        for message in messages:
            text = message if isinstance(message, str) else json.dumps(message)
            await self.sent.put({"type": "websocket.receive", "text": text})

    async def subscribe(self, name: str, query: str = 'subscription { signalled(topic: "x") }') -> None:
        await self.say({"type": "subscribe", "id": name, "payload": {"query": query}})

    async def hear(self) -> Any:
        """The next message, or Closed."""
        message = await asyncio.wait_for(self.received.get(), PATIENCE)
        if message["type"] == "websocket.close":
            raise Closed(message["code"], message["reason"])
        return json.loads(message["text"])

    async def closed(self) -> int:
        """The code with which the server closes, after whatever it says before."""
        with pytest.raises(Closed) as closed:
            while True:
                await self.hear()
        return closed.value.code

    async def open(self) -> None:
        await self.say(INIT)
        assert await self.hear() == ACK


@asynccontextmanager
async def connected(
    endpoint: GraphQLEndpoint, protocols: Sequence[str] = (PROTOCOL,), **headers: str
) -> AsyncIterator[Socket]:
    """A connection until the block ends; by then the endpoint must be done with it."""
    socket = Socket()
    scope: Any = {
        "type": "websocket",
        "path": "/graphql/shop",
        "headers": [(name.encode(), value.encode()) for name, value in headers.items()],
        "subprotocols": list(protocols),
        "client": ("203.0.113.7", 1),
        "state": {},
    }
    await socket.sent.put({"type": "websocket.connect"})
    serving = asyncio.create_task(endpoint(scope, socket.sent.get, socket.received.put))  # type: ignore[arg-type]
    accepted = await asyncio.wait_for(socket.received.get(), PATIENCE)
    assert accepted["type"] == "websocket.accept"
    socket.subprotocol = accepted["subprotocol"]
    try:
        yield socket
    finally:
        await socket.sent.put({"type": "websocket.disconnect", "code": 1000})
        await asyncio.wait_for(serving, PATIENCE)


@pytest.fixture
def endpoint(site: Site) -> GraphQLEndpoint:
    return GraphQLEndpoint(site.kernel, "shop")


# Protocols


@pytest.mark.parametrize(
    ("offered", "chosen"),
    [
        ([PROTOCOL], PROTOCOL),
        (["graphql-ws", PROTOCOL], PROTOCOL),
        (["graphql-ws"], None),
        ([], None),
        (["GRAPHQL-TRANSPORT-WS"], None),
    ],
)
async def test_only_one_protocol_is_spoken(
    endpoint: GraphQLEndpoint, offered: list[str], chosen: str | None
) -> None:
    async with connected(endpoint, offered) as socket:
        assert socket.subprotocol == chosen
        if chosen is None:
            assert await socket.closed() == 4406
        else:
            await socket.open()


# Time limits


async def test_who_says_nothing_is_sent_away(
    endpoint: GraphQLEndpoint, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(websocket, "INIT_SECONDS", 0.05)
    async with connected(endpoint) as socket:
        assert await socket.closed() == 4408


async def test_other_messages_do_not_put_off_the_initialisation(
    endpoint: GraphQLEndpoint, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(websocket, "INIT_SECONDS", 0.5)

    async def chatter(socket: Socket) -> None:
        while True:
            await socket.say({"type": "ping"})
            await asyncio.sleep(0.02)

    async with connected(endpoint) as socket:
        chattering = asyncio.create_task(chatter(socket))
        assert await socket.closed() == 4408
        chattering.cancel()


async def test_a_silent_client_is_asked_and_stays_if_it_answers(
    endpoint: GraphQLEndpoint, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(websocket, "PING_SECONDS", 0.2)
    async with connected(endpoint) as socket:
        await socket.open()
        for _ in range(3):
            assert await socket.hear() == {"type": "ping"}
            await socket.say({"type": "pong"})
        # And is gone when it answers no more
        assert await socket.hear() == {"type": "ping"}
        assert await socket.closed() == 1001


async def test_a_ping_is_answered_with_its_payload(endpoint: GraphQLEndpoint) -> None:
    async with connected(endpoint) as socket:
        # Even before the initialisation
        await socket.say({"type": "ping"}, {"type": "ping", "payload": {"n": 1}})
        assert await socket.hear() == {"type": "pong"}
        assert await socket.hear() == {"type": "pong", "payload": {"n": 1}}
        # A pong that nobody asked for is nothing
        await socket.say({"type": "pong", "payload": {}})
        await socket.open()


# Who it is


async def test_nothing_is_subscribed_before_the_initialisation(endpoint: GraphQLEndpoint) -> None:
    async with connected(endpoint) as socket:
        await socket.subscribe("1")
        assert await socket.closed() == 4401


async def test_a_dead_token_is_refused_at_the_initialisation(endpoint: GraphQLEndpoint) -> None:
    async with connected(endpoint) as socket:
        await socket.say(INIT | {"payload": {"Authorization": "Bearer kms_nonsense"}})
        assert await socket.closed() == 4403


async def test_a_session_that_ended_subscribes_no_more(site: Site, endpoint: GraphQLEndpoint) -> None:
    member = new_id()
    session = await site.kernel.auth.sessions.open(PrincipalKind.MEMBER, member)
    async with connected(endpoint) as socket:
        await socket.say(INIT | {"payload": {"authorization": f"Bearer {session.token}"}})
        assert await socket.hear() == ACK

        await site.kernel.auth.end_everything(PrincipalKind.MEMBER, member)
        await socket.subscribe("1")

        refused = await socket.hear()
        assert (refused["type"], refused["id"]) == ("error", "1")
        assert refused["payload"][0]["extensions"]["code"] == "UNAUTHENTICATED"


async def test_initialising_twice_is_refused(endpoint: GraphQLEndpoint) -> None:
    async with connected(endpoint) as socket:
        await socket.open()
        await socket.say(INIT)
        assert await socket.closed() == 4429


# Operations


async def test_an_id_that_is_taken_closes_the_connection(endpoint: GraphQLEndpoint) -> None:
    async with connected(endpoint) as socket:
        await socket.open()
        await socket.subscribe("same")
        await socket.subscribe("same")
        with pytest.raises(Closed) as closed:
            while True:
                await socket.hear()
        assert (closed.value.code, closed.value.reason) == (4409, "Subscriber for same already exists")


async def test_an_id_is_free_when_its_operation_was_completed(endpoint: GraphQLEndpoint) -> None:
    async with connected(endpoint) as socket:
        await socket.open()
        for _ in range(3):
            await socket.subscribe("same", "{ engineVersion }")
            assert (await socket.hear())["payload"]["data"] == {"engineVersion": "0.1.0"}
            assert await socket.hear() == {"type": "complete", "id": "same"}
        for _ in range(3):
            await socket.subscribe("same")
            await socket.say({"type": "complete", "id": "same"})
        # What never was is completed without a word
        await socket.say({"type": "complete", "id": "never"}, {"type": "ping"})
        while (message := await socket.hear())["type"] != "pong":
            assert message["type"] == "next"


async def test_a_completed_operation_ends_even_if_it_loses_a_cancellation(
    site: Site, endpoint: GraphQLEndpoint
) -> None:
    async with connected(endpoint) as socket:
        await socket.open()
        for number in range(200):
            # Completed while it still asks Valkey for its cost: the moment at which Python loses cancellations
            await socket.subscribe(str(number))
            for _ in range(number % 20):
                await asyncio.sleep(0)
            await socket.say({"type": "complete", "id": str(number)})
        async with asyncio.timeout(PATIENCE):
            while site.kernel.live._subscribers:
                await asyncio.sleep(0.01)


async def test_so_many_operations_run_on_a_connection_and_no_more(endpoint: GraphQLEndpoint) -> None:
    assert MAX_OPERATIONS == 50
    async with connected(endpoint) as socket:
        await socket.open()
        for number in range(MAX_OPERATIONS):
            await socket.subscribe(str(number))

        # One more is refused by itself
        await socket.subscribe("more")
        while (message := await socket.hear())["type"] == "next":
            pass
        assert (message["type"], message["id"]) == ("error", "more")
        assert message["payload"][0]["extensions"]["code"] == "TOO_MANY_OPERATIONS"

        # And has room when another has ended
        await socket.say({"type": "complete", "id": "7"})
        await socket.subscribe("more", "{ engineVersion }")
        while (message := await socket.hear())["id"] != "more":
            assert message["type"] == "next"
        assert message["payload"]["data"] == {"engineVersion": "0.1.0"}


async def test_each_subscription_hears_its_own_topic(site: Site, endpoint: GraphQLEndpoint) -> None:
    async with connected(endpoint) as socket:
        await socket.open()
        for topic in ("a", "b"):
            await socket.subscribe(topic, f'subscription {{ signalled(topic: "{topic}") }}')
        while len(site.kernel.live._subscribers) < 2:
            await asyncio.sleep(0.01)
        await socket.hear()  # once the line is up
        site.kernel.live.publish("sample:b", "for b")
        site.kernel.live.publish("sample:a", "for a")
        heard = {}
        while len(heard) < 2:
            message = await socket.hear()
            if message["payload"]["data"]["signalled"] != "missed":
                heard[message["id"]] = message["payload"]["data"]["signalled"]
        assert heard == {"a": "for a", "b": "for b"}


async def test_nothing_is_left_when_the_client_has_gone(site: Site, endpoint: GraphQLEndpoint) -> None:
    async with connected(endpoint) as socket:
        await socket.open()
        await socket.subscribe("1")
        await socket.hear()
        assert endpoint._streams.open == 1
        assert list(site.kernel.live._subscribers) == ["sample:x"]
    assert endpoint._streams.open == 0
    assert site.kernel.live._subscribers == {}


# The process


async def test_a_process_with_too_many_streams_says_so(endpoint: GraphQLEndpoint) -> None:
    endpoint._streams = Streams(most=1)
    async with connected(endpoint) as first:
        await first.open()
        async with connected(endpoint) as second:
            assert await second.closed() == 1013
        # Who was there before stays, and leaves room
        await first.say({"type": "ping"})
        assert await first.hear() == {"type": "pong"}
    async with connected(endpoint) as third:
        await third.open()


async def test_a_process_that_stops_sends_everybody_to_another(site: Site, endpoint: GraphQLEndpoint) -> None:
    async with connected(endpoint) as initialised, connected(endpoint) as fresh:
        await initialised.open()
        await initialised.subscribe("1")
        site.kernel.live.ending.set()
        assert await initialised.closed() == 1001
        assert await fresh.closed() == 1001
        async with connected(endpoint) as late:
            assert await late.closed() == 1001
