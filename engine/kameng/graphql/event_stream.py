"""Answers as server-sent events: the "distinct connections" mode of the protocol ``graphql-sse``.

Each operation is a POST whose response is a stream of its own: an event ``next`` for each answer, and ``complete`` at the end. An
operation that is refused before it starts is told in one ``next`` as well, so that a browser's client can read why.

Source: the protocol's description by graphql-sse.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from typing import Any

import orjson
from litestar.types import Receive, Send

from kameng.graphql.cancelling import ended
from kameng.graphql.execution import Answer
from kameng.graphql.streaming import Interrupted
from kameng.graphql.telling import shown

EVENT_STREAM = "text/event-stream"

ALIVE_SECONDS = 15.0
"""How often an idle stream shows that it lives; proxies cut what is silent for a minute."""

_HEAD = (
    (b"content-type", f"{EVENT_STREAM}; charset=utf-8".encode()),
    (b"cache-control", b"no-store"),
    (b"x-accel-buffering", b"no"),  # nginx would hold events back until it has some kilobytes
)
_COMPLETE = b"event: complete\ndata:\n\n"
_ALIVE = b":\n\n"


def wants_events(accept: str) -> bool:
    """Whether an ``Accept`` header names server-sent events."""
    return any(part.partition(";")[0].strip().lower() == EVENT_STREAM for part in accept.split(","))


def event(answer: Answer) -> bytes:
    """One answer as an event."""
    return b"event: next\ndata: " + orjson.dumps(shown(answer)) + b"\n\n"


async def send_events(
    receive: Receive,
    send: Send,
    answers: AsyncGenerator[Answer, None],
    ending: asyncio.Event,
) -> None:
    """Send a stream of answers until it ends or the client has gone.

    Args:
        receive, send: ASGI's.
        answers: what to send.
        ending: when it is set, the stream is broken off, and the client connects anew.
    """
    await send({"type": "http.response.start", "status": 200, "headers": list(_HEAD)})
    gone = asyncio.ensure_future(_gone(receive))
    stop = asyncio.ensure_future(ending.wait())
    upcoming: asyncio.Future[Any] | None = None
    try:
        # Said at once, so that the client knows that it is connected before anything happens.
        await _send_body(send, _ALIVE)
        while True:
            upcoming = upcoming or asyncio.ensure_future(anext(answers, None))
            waited = {gone, stop, upcoming}
            await asyncio.wait(waited, timeout=ALIVE_SECONDS, return_when=asyncio.FIRST_COMPLETED)
            if gone.done():
                return
            if stop.done():
                # Without the event `complete`, which would tell the client not to come back.
                await send({"type": "http.response.body", "body": b"", "more_body": False})
                return
            if not upcoming.done():
                await _send_body(send, _ALIVE)
                continue
            try:
                answer = upcoming.result()
            except Interrupted as interrupted:
                await _send_body(send, event(interrupted.answer))
                break
            upcoming = None
            if answer is None:
                break
            await _send_body(send, event(answer))
        await send({"type": "http.response.body", "body": _COMPLETE, "more_body": False})
    finally:
        gone.cancel()
        stop.cancel()
        if upcoming is not None:
            await ended(upcoming)
        await answers.aclose()


async def _send_body(send: Send, body: bytes) -> None:
    await send({"type": "http.response.body", "body": body, "more_body": True})


async def _gone(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
