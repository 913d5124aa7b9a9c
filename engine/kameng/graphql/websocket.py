"""Operations over a WebSocket that speaks the subprotocol ``graphql-transport-ws``, and no other.

The older ``graphql-ws`` subprotocol of subscriptions-transport-ws is not spoken. Who asks is known from the connection's
``connection_init``: a bearer token in its payload (``{"authorization": "Bearer …"}``), or the session cookie of the handshake if
that comes from one of our own pages.

Source: the protocol's description by graphql-ws, and its close codes.
"""

from __future__ import annotations

import asyncio
import time
from contextlib import aclosing
from typing import TYPE_CHECKING, Any, Literal

import msgspec
import orjson
import structlog
from litestar.types import Receive, Send, WebSocketScope

from kameng.errors import KamengError, Refusal, UnavailableError
from kameng.graphql.cancelling import ended
from kameng.graphql.refusals import BAD_REQUEST
from kameng.graphql.streaming import Interrupted, Streams, answers, check_principal
from kameng.graphql.telling import shown, told
from kameng.graphql.wire import GraphQLRequest
from kameng.http.observing import CORRELATION
from kameng.http.requests import context_of, read_headers
from kameng.ids import new_id

if TYPE_CHECKING:
    from kameng.graphql.context import Context
    from kameng.kernel import Kernel

PROTOCOL = "graphql-transport-ws"

INIT_SECONDS = 10.0
"""How long a client may take to send ``connection_init``."""

PING_SECONDS = 25.0
"""After so long without a message the client is asked whether it is there; after as long again it counts as gone."""

MAX_MESSAGE = 100_000
"""Bytes of a message from the client."""

MAX_OPERATIONS = 50
"""Operations that run at the same time on one connection."""

log = structlog.get_logger(__name__)


class _Message(msgspec.Struct, frozen=True):
    type: str
    id: str | None = None
    payload: dict[str, Any] | None = None


_decoder = msgspec.json.Decoder(_Message)


class _Close(Exception):
    def __init__(self, code: int, reason: str) -> None:
        self.code = code
        self.reason = reason


class Connection:
    """One WebSocket.

    Args:
        kernel: what serves it.
        schema: ``shop`` or ``admin``.
        scope, receive, send: ASGI's.
    """

    def __init__(
        self,
        kernel: Kernel,
        schema: Literal["shop", "admin"],
        scope: WebSocketScope,
        receive: Receive,
        send: Send,
    ) -> None:
        self._kernel = kernel
        self._schema: Literal["shop", "admin"] = schema
        self._scope = scope
        self._receive = receive
        self._send_raw = send
        self._headers = read_headers(scope)
        self._turn = asyncio.Lock()
        self._acknowledged = False
        self._principal = ""
        self._operations: dict[str, asyncio.Task[None]] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._over = False

    async def serve(self, streams: Streams) -> None:
        """Speak with the client until one of us has enough."""
        await self._receive()  # websocket.connect
        spoken = PROTOCOL in self._scope["subprotocols"]
        await self._send_raw(
            {"type": "websocket.accept", "subprotocol": PROTOCOL if spoken else None, "headers": []}
        )
        try:
            if not spoken:
                raise _Close(4406, "Subprotocol not acceptable")
            with streams.one_more():
                await self._converse()
        except _Close as close:
            await self._close(close)
        except UnavailableError as error:
            await self._close(_Close(1013, error.message))
        finally:
            self._over = True
            await ended(*self._tasks)

    async def _converse(self) -> None:
        # One task for each message received: a receive that was cancelled by a time limit could lose one.
        receiving: asyncio.Future[Any] = asyncio.ensure_future(self._receive())
        ending: asyncio.Future[Any] = asyncio.ensure_future(self._kernel.live.ending.wait())
        deadline = time.monotonic() + INIT_SECONDS
        asked = False
        try:
            while True:
                wait = PING_SECONDS if self._acknowledged else max(deadline - time.monotonic(), 0)
                await asyncio.wait({receiving, ending}, timeout=wait, return_when=asyncio.FIRST_COMPLETED)
                if ending.done():
                    raise _Close(1001, "Going away")
                if not receiving.done():
                    if not self._acknowledged:
                        raise _Close(4408, "Connection initialisation timeout")
                    if asked:
                        raise _Close(1001, "The client has gone")
                    asked = True
                    await self._send({"type": "ping"})
                    continue
                received, asked = receiving.result(), False
                if received["type"] == "websocket.disconnect":
                    return
                await self._handle(_read(received))
                receiving = asyncio.ensure_future(self._receive())
        finally:
            receiving.cancel()
            ending.cancel()

    async def _handle(self, message: _Message) -> None:
        match message.type:
            case "connection_init":
                await self._initialise(message.payload or {})
            case "ping":
                pong: dict[str, Any] = {"type": "pong"}
                await self._send(pong if message.payload is None else pong | {"payload": message.payload})
            case "pong":
                pass
            case "subscribe":
                await self._subscribe(message)
            case "complete" if message.id:
                # Its id is free at once, whatever it still takes to end it.
                if running := self._operations.pop(message.id, None):
                    self._keep(asyncio.ensure_future(ended(running)))
            case _:
                raise _Close(4400, "Invalid message")

    async def _initialise(self, payload: dict[str, Any]) -> None:
        if self._acknowledged:
            raise _Close(4429, "Too many initialisation requests")
        for name, value in payload.items():
            if name.lower() == "authorization" and isinstance(value, str):
                self._headers["authorization"] = value
        try:
            context = await self._context()
        except Refusal as refusal:
            raise _Close(4403, refusal.message) from refusal
        self._principal = context.principal.key
        self._acknowledged = True
        await self._send({"type": "connection_ack"})

    async def _subscribe(self, message: _Message) -> None:
        if not self._acknowledged:
            raise _Close(4401, "Unauthorized")
        if not message.id or message.payload is None:
            raise _Close(4400, "Invalid message")
        if message.id in self._operations:
            raise _Close(4409, f"Subscriber for {message.id[:60]} already exists")
        try:
            request = msgspec.convert(message.payload, GraphQLRequest)
        except msgspec.ValidationError as error:
            raise _Close(4400, "Invalid message") from error
        if len(self._operations) >= MAX_OPERATIONS:
            refusal = {
                "message": f"This connection has {MAX_OPERATIONS} operations open already.",
                "extensions": {
                    "code": "TOO_MANY_OPERATIONS",
                    "cure": "Complete some, or connect once more.",
                    "classification": BAD_REQUEST,
                },
            }
            await self._send({"type": "error", "id": message.id, "payload": [refusal]})
            return
        task = asyncio.ensure_future(self._run(message.id, request))
        self._operations[message.id] = task
        self._keep(task)

    def _keep(self, task: asyncio.Task[None]) -> None:
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _run(self, operation: str, request: GraphQLRequest) -> None:
        end: dict[str, Any] = {"type": "complete", "id": operation}
        try:
            context = await self._context()
            check_principal(context, self._principal)
            running = answers(self._kernel, self._schema, request, context, self._still_allowed)
            async with aclosing(running) as stream:
                async for answer in stream:
                    await self._send({"type": "next", "id": operation, "payload": shown(answer)})
        except Interrupted as interrupted:
            end = {"type": "error", "id": operation, "payload": interrupted.answer.errors}
        except KamengError as error:
            end = {"type": "error", "id": operation, "payload": told(error).errors}
        # The id is free before the client hears the end, since it may take it again then.
        if self._operations.get(operation) is asyncio.current_task():
            del self._operations[operation]
        await self._send(end)

    async def _context(self) -> Context:
        state: dict[str, Any] = {CORRELATION: str(new_id())}
        scope: Any = {**self._scope, "state": state}
        return await context_of(self._kernel, scope, self._headers, self._schema, method="WEBSOCKET")

    async def _still_allowed(self) -> None:
        check_principal(await self._context(), self._principal)

    async def _send(self, message: dict[str, Any]) -> None:
        async with self._turn:
            if self._over:
                return
            await self._send_raw(
                {"type": "websocket.send", "text": orjson.dumps(message).decode(), "bytes": None}
            )

    async def _close(self, close: _Close) -> None:
        async with self._turn:
            reason = close.reason.encode()[:120].decode(errors="ignore")  # a close frame holds 123 bytes
            await self._send_raw({"type": "websocket.close", "code": close.code, "reason": reason})


def _read(received: Any) -> _Message:
    text = received.get("text")
    if text is None:
        raise _Close(4400, "Messages are JSON in text frames")
    if len(text) > MAX_MESSAGE:
        raise _Close(1009, f"A message has at most {MAX_MESSAGE} bytes")
    try:
        return _decoder.decode(text)
    except msgspec.DecodeError as error:
        raise _Close(4400, "Invalid message") from error
