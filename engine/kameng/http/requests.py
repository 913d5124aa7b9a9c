"""From an ASGI scope to the request's `Context`: headers, credentials, language, address."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Literal

from kameng.auth import check_origin, read_credentials
from kameng.auth.visitors import HEADER as VISITOR_HEADER
from kameng.auth.visitors import read_visitor
from kameng.graphql.context import LOCALES, Context
from kameng.http.observing import CORRELATION

if TYPE_CHECKING:
    from litestar.types import HTTPScope, WebSocketScope

    from kameng.kernel import Kernel


def read_headers(scope: HTTPScope | WebSocketScope) -> dict[str, str]:
    """The request's headers by lower-case name; repeated ones are joined as HTTP has it."""
    found: dict[str, str] = {}
    for name, value in scope["headers"]:
        key, text = name.decode("latin-1").lower(), value.decode("latin-1")
        if key in found:
            text = f"{found[key]}{'; ' if key == 'cookie' else ', '}{text}"
        found[key] = text
    return found


@lru_cache(maxsize=1_000)  # browsers send few different ones
def choose_locale(accept_language: str) -> str:
    """The best of our languages for an ``Accept-Language`` header; the default where none fits."""
    best: tuple[float, str] | None = None
    for part in accept_language.split(","):
        tag, *parameters = (piece.strip() for piece in part.split(";"))
        weight = 1.0
        for parameter in parameters:
            if parameter.startswith("q="):
                try:
                    weight = float(parameter[2:])
                except ValueError:
                    weight = 0.0
        language = tag.lower().partition("-")[0]
        match = next((locale for locale in LOCALES if locale.lower().partition("-")[0] == language), None)
        if match and weight > 0 and (best is None or weight > best[0]):
            best = (weight, match)
    return best[1] if best else LOCALES[0]


async def context_of(
    kernel: Kernel,
    scope: HTTPScope,
    headers: Mapping[str, str],
    schema: Literal["shop", "admin"],
    method: str | None = None,
) -> Context:
    """The context of a request.

    Args:
        kernel: what serves it.
        scope: the ASGI scope.
        headers: as `read_headers` gave them.
        schema: which of the two it asks, which decides the cookie that counts.
        method: counts as the request's method for the check of its origin; None takes its own.

    Raises:
        Unauthenticated: a bearer token that does not hold.
        CrossSiteRequest: another site makes a logged-in browser send it.
    """
    credentials = read_credentials(headers, kernel.auth.cookie(schema))
    visitor = read_visitor(headers, secure=not kernel.auth.settings.insecure_cookies)
    check_origin(
        method or scope["method"],
        headers,
        cookie_used=credentials.cookie_used
        or (bool(visitor) and credentials.bearer is None and VISITOR_HEADER not in headers),
        allowed_origins=kernel.auth.settings.allowed_origins,
    )
    client = scope.get("client")
    address = client[0] if client else ""
    principal = await kernel.auth.principal(credentials, address=address)
    state: dict[str, Any] = scope.get("state") or {}
    return Context(
        kernel,
        principal=principal,
        locale=choose_locale(headers.get("accept-language", "")),
        schema=schema,
        idempotency_key=headers.get("idempotency-key") or None,
        address=address,
        correlation_id=state.get(CORRELATION, ""),
        user_agent=headers.get("user-agent", ""),
        visitor=visitor,
        host=headers.get("host", ""),
    )


def set_cookies(context: Context) -> Sequence[tuple[bytes, bytes]]:
    """The ``Set-Cookie`` headers that the request's resolvers asked for."""
    return [(b"set-cookie", value.encode("latin-1")) for value in context.cookies]
