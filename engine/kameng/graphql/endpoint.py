"""The endpoint ``/graphql/shop`` or ``/graphql/admin``: a bare ASGI handler, since each layer costs on every request."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any, Literal
from urllib.parse import parse_qsl

import orjson
import structlog
from litestar.enums import ScopeType
from litestar.handlers import asgi
from litestar.types import HTTPScope, Receive, Scope, Send

from kameng.errors import KamengError, RateLimited, Refusal, Unauthenticated
from kameng.graphql.batching import Batches
from kameng.graphql.compiled import Invalid
from kameng.graphql.event_stream import EVENT_STREAM, send_events, wants_events
from kameng.graphql.execution import Answer
from kameng.graphql.refusals import BAD_REQUEST, BudgetExhausted, DocumentRefused, IntrospectionRefused
from kameng.graphql.streaming import Streams, answers, check_principal
from kameng.graphql.telling import shown, told
from kameng.graphql.uploads import PreflightMissing, UploadTooLarge, UploadTooMany, UploadTypeRefused
from kameng.graphql.uploads.receiving import PREFLIGHT, Uploads
from kameng.graphql.websocket import Connection
from kameng.graphql.wire import (
    JSON,
    MAX_BODY,
    Batched,
    GraphQLRequest,
    Unreadable,
    choose_media_type,
    read_json,
    read_query_string,
    status_of,
)
from kameng.http.metrics import OPERATIONS
from kameng.http.requests import context_of, read_headers, set_cookies
from kameng.settings import GraphQLSettings

if TYPE_CHECKING:
    from kameng.graphql.context import Context
    from kameng.kernel import Kernel

log = structlog.get_logger(__name__)

SHOW_COST = "kameng-cost"
"""A header by which a client asks for ``extensions.cost`` where not everybody is told."""


class _Refused(Exception):
    def __init__(self, status: int, message: str, code: str, cure: str = "") -> None:
        self.status = status
        extensions = {"code": code, "cure": cure, "classification": BAD_REQUEST}
        self.answer = Answer(errors=[{"message": message, "extensions": extensions}])


class GraphQLEndpoint:
    """Serves one schema.

    Args:
        kernel: a running kernel.
        schema: ``shop`` or ``admin``.
    """

    def __init__(self, kernel: Kernel, schema: Literal["shop", "admin"]) -> None:
        self._kernel = kernel
        self._schema: Literal["shop", "admin"] = schema
        self._executor = kernel.graphql[schema]
        self._admission = kernel.admission[schema]
        self._turns = kernel.turns
        self._streams = Streams()
        self._uploads = Uploads(kernel, schema)
        self._batches = Batches(kernel, schema, kernel.settings.section("graphql", GraphQLSettings).max_batch)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request, or speak with a WebSocket until it ends."""
        if scope["type"] == ScopeType.WEBSOCKET:
            await Connection(self._kernel, self._schema, scope, receive, send).serve(self._streams)
            return
        headers = read_headers(scope)
        if headers.get("content-type", "")[:10].lower() == "multipart/":
            with ExitStack() as files:
                await self._respond(scope, headers, receive, send, files)
        else:
            await self._respond(scope, headers, receive, send)

    async def _respond(
        self,
        scope: HTTPScope,
        headers: Mapping[str, str],
        receive: Receive,
        send: Send,
        files: ExitStack | None = None,
    ) -> None:
        media_type = choose_media_type(headers.get("accept", ""))
        cookies: Sequence[tuple[bytes, bytes]] = ()
        try:
            events = wants_events(headers.get("accept", ""))
            if media_type is None and not events:
                raise _Refused(
                    406,
                    "The answer is JSON, which you do not accept.",
                    "NOT_ACCEPTABLE",
                    f"Accept {JSON}, or {EVENT_STREAM} for a subscription.",
                )
            request = await self._read(scope, headers, receive, files)
            if media_type is None or (events and self._subscribes(request)):
                with self._streams.one_more():
                    context = await context_of(self._kernel, scope, headers, self._schema)
                    await self._stream(scope, headers, request, context, receive, send)
                return
            await self._turns.enter()
            try:
                context = await context_of(self._kernel, scope, headers, self._schema)
                answer = await self._answer(scope, headers, request, context)
            finally:
                self._turns.leave()
            status = status_of(ran=answer.ran, media_type=media_type)
            cookies = set_cookies(context)
        except Batched as batched:
            await self._respond_to_batch(scope, headers, batched.body, send)
            return
        except _Refused as refused:
            answer, status = refused.answer, refused.status
        except DocumentRefused as refusal:
            answer, status = told(refusal), status_of(ran=False, media_type=media_type or JSON)
        except Refusal as refusal:
            answer, status = told(refusal), _STATUS.get(type(refusal), 400)
        except KamengError as error:
            log.error("request failed", error=str(error), exc_info=True)
            answer, status = told(error), 503
        await _send(send, status, media_type or JSON, answer, cookies)

    async def _read(
        self, scope: HTTPScope, headers: Mapping[str, str], receive: Receive, files: ExitStack | None
    ) -> GraphQLRequest:
        method = scope["method"]
        if method == "GET":
            if not headers.get(PREFLIGHT):
                raise _Refused(
                    405, "GET needs the header Kameng-Preflight, so that no other site can send it.", "METHOD_NOT_ALLOWED",
                    "Send the header with any value, or use POST.",
                )  # fmt: skip
            return read_query_string(
                dict(parse_qsl(scope["query_string"].decode("latin-1"), keep_blank_values=True))
            )
        if method != "POST":
            raise _Refused(405, f"{method} is not served here.", "METHOD_NOT_ALLOWED", "Use POST.")
        if files is not None:
            return await self._uploads.read(scope, headers, receive, files)
        kind, _, parameters = headers.get("content-type", "").partition(";")
        charset = parameters.strip().lower().removeprefix("charset=").strip('"')
        if kind.strip().lower() != JSON or charset not in ("", "utf-8", "utf8"):
            raise _Refused(
                415,
                f"The body must be {JSON} in UTF-8.",
                "UNSUPPORTED_MEDIA_TYPE",
                f"Send Content-Type: {JSON}.",
            )
        return read_json(await _body(receive))

    async def _respond_to_batch(
        self, scope: HTTPScope, headers: Mapping[str, str], body: bytes, send: Send
    ) -> None:
        cookies: Sequence[tuple[bytes, bytes]] = ()
        answers: list[Answer] | Answer
        status = 200
        try:
            requests = self._batches.read(body)
            await self._turns.enter()
            try:
                context = await context_of(self._kernel, scope, headers, self._schema)
                answers = await self._batches.answers(requests, context, show_cost=SHOW_COST in headers)
            finally:
                self._turns.leave()
            cookies = set_cookies(context)
        except DocumentRefused as refusal:
            answers = told(refusal)
        except Refusal as refusal:
            answers, status = told(refusal), _STATUS.get(type(refusal), 400)
        except KamengError as error:
            log.error("request failed", error=str(error), exc_info=True)
            answers, status = told(error), 503
        await _send(send, status, JSON, answers, cookies)

    def _subscribes(self, request: GraphQLRequest) -> bool:
        prepared = self._executor.prepare(request.query, request.operation_name)
        return not isinstance(prepared, Invalid) and prepared.kind == "subscription"

    async def _stream(
        self,
        scope: HTTPScope,
        headers: Mapping[str, str],
        request: GraphQLRequest,
        context: Context,
        receive: Receive,
        send: Send,
    ) -> None:
        async def still_allowed() -> None:
            now = await context_of(self._kernel, scope, headers, self._schema)
            check_principal(now, context.principal.key)

        stream = answers(self._kernel, self._schema, request, context, still_allowed)
        await send_events(receive, send, stream, self._kernel.live.ending)

    async def _answer(
        self, scope: HTTPScope, headers: Mapping[str, str], request: GraphQLRequest, context: Context
    ) -> Answer:
        admitted = await self._admission.admit(request, context, show_cost=SHOW_COST in headers)
        prepared = admitted.prepared
        kind = "invalid" if isinstance(prepared, Invalid) else prepared.kind
        if scope["method"] == "GET" and kind == "mutation":
            raise _Refused(405, "A mutation is never sent by GET.", "METHOD_NOT_ALLOWED", "Use POST.")
        if kind == "subscription":
            raise Unreadable(
                "A subscription does not fit into one answer.", cure="Open it by WebSocket or event stream."
            )
        answer = await self._executor.run(prepared, request.variables, context)
        answer.extensions = admitted.extensions
        result = "refused" if not answer.ran else "errors" if answer.errors else "ok"
        OPERATIONS.labels(self._schema, kind, result).inc()
        return answer


_STATUS: dict[type[Refusal], int] = {
    Unauthenticated: 401,
    IntrospectionRefused: 403,
    RateLimited: 429,
    BudgetExhausted: 429,
    PreflightMissing: 403,
    UploadTooLarge: 413,
    UploadTooMany: 413,
    UploadTypeRefused: 415,
}


async def _body(receive: Receive) -> bytes:
    chunks: list[bytes] = []
    size = 0
    while True:
        message: Any = await receive()
        if message["type"] == "http.disconnect":
            raise Unreadable("The connection closed before the request was complete.", cure="Send it again.")
        chunk = message.get("body", b"")
        size += len(chunk)
        if size > MAX_BODY:
            raise _Refused(
                413,
                f"The request is larger than {MAX_BODY} bytes.",
                "REQUEST_TOO_LARGE",
                "Send less at once.",
            )
        chunks.append(chunk)
        if not message.get("more_body"):
            return chunks[0] if len(chunks) == 1 else b"".join(chunks)


async def _send(
    send: Send,
    status: int,
    media_type: str,
    answer: Answer | list[Answer],
    cookies: Sequence[tuple[bytes, bytes]],
) -> None:
    body = orjson.dumps([shown(each) for each in answer] if isinstance(answer, list) else shown(answer))
    await send(
        {
            "type": "http.response.start",
            "status": status,
            "headers": [
                (b"content-type", f"{media_type}; charset=utf-8".encode()),
                (b"content-length", str(len(body)).encode()),
                (b"cache-control", b"no-store"),
                *cookies,
            ],
        }
    )
    await send({"type": "http.response.body", "body": body, "more_body": False})


def graphql_handlers(kernel: Kernel) -> list[Any]:
    """The two endpoints as Litestar handlers."""
    handlers = []
    for schema in ("shop", "admin"):
        endpoint = GraphQLEndpoint(kernel, schema)

        async def handle(
            scope: Scope, receive: Receive, send: Send, endpoint: GraphQLEndpoint = endpoint
        ) -> None:
            await endpoint(scope, receive, send)

        handlers.append(asgi(f"/graphql/{schema}", name=f"graphql-{schema}", copy_scope=False)(handle))
    return handlers
