"""The subprotocol graphql-transport-ws at its edges: what is refused, and with which close code."""

from __future__ import annotations

import json
from typing import Any

import httpx
import pytest
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed
from websockets.typing import Subprotocol

from .server import Server

PROTOCOL = Subprotocol("graphql-transport-ws")
INIT = {"type": "connection_init"}
ACK = {"type": "connection_ack"}
VERSION = {"query": "{ engineVersion }"}


def socket(server: Server, *protocols: Subprotocol, **headers: str) -> connect:
    url = server.url.replace("http", "ws", 1) + "/graphql/shop"
    return connect(url, subprotocols=protocols or (PROTOCOL,), additional_headers=headers)


async def say(client: ClientConnection, *messages: Any) -> None:
    for message in messages:
        await client.send(message if isinstance(message, (str, bytes)) else json.dumps(message))


async def hear(client: ClientConnection) -> Any:
    return json.loads(await client.recv())


async def closed(client: ClientConnection) -> int:
    """The code with which the server closes, after whatever it says before."""
    with pytest.raises(ConnectionClosed) as ended:
        while True:
            await client.recv()
    assert ended.value.rcvd is not None
    return ended.value.rcvd.code


@pytest.mark.parametrize(
    ("messages", "code"),
    [
        (["no JSON"], 4400),
        ([b"\x00"], 4400),
        ([{"type": "start"}], 4400),
        ([INIT, {"type": "subscribe", "payload": VERSION}], 4400),
        ([INIT, {"type": "subscribe", "id": "1", "payload": {"query": 7}}], 4400),
        ([{"type": "subscribe", "id": "1", "payload": VERSION}], 4401),
        ([INIT | {"payload": {"authorization": "Bearer kms_nonsense"}}], 4403),
        ([INIT, INIT], 4429),
        (["x" * 100_001], 1009),
    ],
)
async def test_what_breaks_the_protocol_closes_the_connection(
    server: Server, messages: list[Any], code: int
) -> None:
    async with socket(server) as client:
        await say(client, *messages)
        assert await closed(client) == code


async def test_the_older_protocol_is_not_spoken(server: Server) -> None:
    async with socket(server, Subprotocol("graphql-ws")) as client:
        assert await closed(client) == 4406


async def test_a_cookie_from_another_site_is_refused(server: Server) -> None:
    # Given a session cookie
    register = (
        'mutation { register(input: {email: "socket@example.com", password: "a long enough phrase"}) '
        "{ errors { code } } }"
    )
    async with httpx.AsyncClient(timeout=60) as http:
        made = await http.post(f"{server.url}/graphql/shop", json={"query": register})
    cookie = made.headers["set-cookie"].partition(";")[0]

    # When a page of another site opens the connection, then it is refused; one of our own pages is welcome
    async with socket(server, cookie=cookie, origin="https://evil.example") as client:
        await say(client, INIT)
        assert await closed(client) == 4403
    async with socket(server, cookie=cookie, origin=server.url) as client:
        await say(client, INIT)
        assert await hear(client) == ACK


async def test_a_query_is_answered_once_and_its_id_is_free_again(server: Server) -> None:
    async with socket(server) as client:
        await say(client, INIT)
        assert await hear(client) == ACK
        for _ in range(2):
            await say(client, {"type": "subscribe", "id": "q", "payload": VERSION})
            answer = await hear(client)
            assert (answer["type"], answer["id"], answer["payload"]["data"]) == (
                "next",
                "q",
                {"engineVersion": "0.1.0"},
            )
            assert await hear(client) == {"type": "complete", "id": "q"}


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ("{ nope }", "GRAPHQL_INVALID"),
        ("mutation { logOut { errors { code } } }", "MUTATION_BY_STREAM"),
        ("subscription { orderChanged { number } }", "UNAUTHENTICATED"),
    ],
)
async def test_a_refused_operation_leaves_the_connection_open(server: Server, query: str, code: str) -> None:
    async with socket(server) as client:
        await say(client, INIT, {"type": "subscribe", "id": "1", "payload": {"query": query}})
        assert await hear(client) == ACK
        refused = await hear(client)
        assert (refused["type"], refused["payload"][0]["extensions"]["code"]) == ("error", code)
        await say(client, {"type": "ping", "payload": {"n": 1}})
        assert await hear(client) == {"type": "pong", "payload": {"n": 1}}


async def test_the_event_stream_tells_refusals_and_ends(server: Server) -> None:
    async with httpx.AsyncClient(timeout=60) as http:
        answer = await http.post(
            f"{server.url}/graphql/shop",
            json={"query": "subscription { orderChanged { number } }"},
            headers={"accept": "text/event-stream"},
        )
    assert answer.headers["content-type"] == "text/event-stream; charset=utf-8"
    alive, refused, complete = answer.text.strip().split("\n\n")
    assert (alive, complete) == (":", "event: complete\ndata:")
    errors = json.loads(refused.removeprefix("event: next\ndata: "))["errors"]
    assert [error["extensions"]["code"] for error in errors] == ["UNAUTHENTICATED"]
