"""The web application of a kernel: GraphQL, pages, callbacks, health and metrics."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

import structlog
from litestar import Litestar, Request, Response
from litestar.datastructures import State
from litestar.exceptions import HTTPException
from litestar.middleware.base import DefineMiddleware
from litestar.openapi import OpenAPIConfig
from litestar.types import ASGIApp, Receive, Scope, Send

from kameng.graphql.endpoint import graphql_handlers
from kameng.http.health import health_handlers
from kameng.http.hosts import HostCheck
from kameng.http.metrics import metrics_handlers
from kameng.http.observing import CORRELATION, observing
from kameng.http.readiness import tell_ready
from kameng.http.stopping import told_of_stop
from kameng.jobs.routes import job_handlers
from kameng.themes import theme_handlers
from kameng.version import VERSION

if TYPE_CHECKING:
    from kameng.kernel import Kernel

log = structlog.get_logger(__name__)


def create_app(kernel: Kernel) -> ASGIApp:
    """The ASGI application of a kernel, which it starts and stops with itself."""

    @asynccontextmanager
    async def lifespan(_app: Litestar) -> AsyncIterator[None]:
        async with kernel:
            with told_of_stop(kernel.live.ending.set):
                log.info("web started", version=VERSION, modules=[module.name for module in kernel.modules])
                tell_ready()
                yield
        log.info("web stopped")

    settings = kernel.settings
    app = Litestar(
        route_handlers=[
            *graphql_handlers(kernel),
            *health_handlers(kernel),
            *metrics_handlers(),
            *job_handlers(kernel),
            *(route for module in kernel.modules for route in module.routes),
            *theme_handlers(kernel),
        ],
        lifespan=[lifespan],
        exception_handlers={HTTPException: _http_fault, Exception: _fault},
        middleware=[DefineMiddleware(HostCheck, kernel=kernel), DefineMiddleware(_in_use, kernel=kernel)],
        openapi_config=OpenAPIConfig(title="Kameng", version=VERSION, path="/openapi")
        if not settings.production
        else None,
        state=State({"kernel": kernel}),
        logging_config=None,
        debug=False,
    )
    return observing(app, secure=settings.public_url.startswith("https://"))


class _in_use:  # noqa: N801 - a function in the shape that Litestar wants
    """Piccolo's queries of a request go to its kernel's database."""

    def __init__(self, app: ASGIApp, kernel: Kernel) -> None:
        self._app = app
        self._kernel = kernel

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        with self._kernel.db.in_use():
            await self._app(scope, receive, send)


def _correlation(request: Request[Any, Any, Any]) -> str:
    return str(request.scope.get("state", {}).get(CORRELATION, ""))


def _problem(status: int, title: str, detail: str, correlation: str) -> Response[dict[str, Any]]:
    """A fault as RFC 9457 has it."""
    content = {
        "type": "about:blank",
        "title": title,
        "status": status,
        "detail": detail,
        "correlationId": correlation,
    }
    return Response(content, status_code=status, media_type="application/problem+json")


def _http_fault(request: Request[Any, Any, Any], error: HTTPException) -> Response[dict[str, Any]]:
    response = _problem(error.status_code, type(error).__name__, error.detail, _correlation(request))
    for name, value in (error.headers or {}).items():
        response.headers[name] = value
    return response


def _fault(request: Request[Any, Any, Any], error: Exception) -> Response[dict[str, Any]]:
    correlation = _correlation(request)
    log.error("request failed", correlation_id=correlation, exc_info=error)
    detail = f"Something went wrong on our side. Reference: {correlation}"
    return _problem(500, "Internal Server Error", detail, correlation)
