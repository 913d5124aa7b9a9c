"""The outermost layer: a correlation id, security headers and metrics for each request."""

from __future__ import annotations

import time
from functools import lru_cache

import structlog
import uuid_utils
from litestar.enums import ScopeType
from litestar.types import ASGIApp, Message, Receive, Scope, Send
from prometheus_client import Counter, Histogram

from kameng.http.metrics import REQUESTS, SECONDS, UNDER_WAY

_HEADERS = (
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"strict-origin-when-cross-origin"),
    (b"cross-origin-opener-policy", b"same-origin"),
    (b"permissions-policy", b"camera=(), geolocation=(), microphone=()"),
)
_HSTS = (b"strict-transport-security", b"max-age=31536000; includeSubDomains")
_FRAMES = (b"x-frame-options", b"DENY")
_PLAIN_CSP = (b"content-security-policy", b"default-src 'none'; frame-ancestors 'none'")

CORRELATION = "kameng_correlation_id"
"""Where a request's correlation id stands in its ASGI scope's state."""


@lru_cache(maxsize=10_000)  # looking for the labels costs more than counting
def _requests(route: str, status: int) -> Counter:
    return REQUESTS.labels(route, status)


@lru_cache(maxsize=10_000)
def _seconds(route: str) -> Histogram:
    return SECONDS.labels(route)


def observing(app: ASGIApp, *, secure: bool) -> ASGIApp:
    """Wrap an application.

    Args:
        app: what answers.
        secure: whether browsers reach us by HTTPS and shall insist on it.
    """
    extra = [*_HEADERS, *([_HSTS] if secure else [])]

    async def observed(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != ScopeType.HTTP:
            await app(scope, receive, send)
            return
        correlation = str(uuid_utils.uuid7())
        scope.setdefault("state", {})[CORRELATION] = correlation
        status = 500
        started = time.perf_counter()

        async def sending(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                headers = list(message.get("headers", []))
                names = {name.lower() for name, _ in headers}
                headers += [header for header in extra if header[0] not in names]
                # What a browser has kept stays under the policy that it came with, whose nonce its scripts bear.
                if _PLAIN_CSP[0] not in names and status != 304:
                    headers += [_PLAIN_CSP, _FRAMES]
                headers.append((b"x-correlation-id", correlation.encode()))
                message["headers"] = headers
            await send(message)

        UNDER_WAY.inc()
        with structlog.contextvars.bound_contextvars(correlation_id=correlation):
            try:
                await app(scope, receive, sending)
            finally:
                UNDER_WAY.dec()
                # The template of the route, never the raw path: a path holds order numbers and grows without bound.
                route = scope.get("path_template") or "unmatched"
                _requests(route, status).inc()
                _seconds(route).observe(time.perf_counter() - started)

    return observed
