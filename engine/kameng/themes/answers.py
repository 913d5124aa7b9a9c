"""HTTP answers of pages: redirects, cookies, and what a GraphQL error means for a page."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import quote

from litestar.datastructures import Cookie
from litestar.exceptions import HTTPException
from litestar.response.base import ASGIResponse

from kameng.errors import (
    Forbidden,
    InvalidInput,
    KamengError,
    NotFound,
    RateLimited,
    Refusal,
    Unauthenticated,
    UnavailableError,
)
from kameng.graphql.uploads import UploadMalformed, UploadTooLarge, UploadTooMany
from kameng.themes.csp import page_headers
from kameng.themes.tags import tag_of
from kameng.themes.visit import Visit

HTML = "text/html; charset=utf-8"
TEXT = "text/plain; charset=utf-8"

BLOCK_HEADER = "kameng-block"
"""The request header that asks for one block of a page instead of all of it; an answer that is one bears it too."""

_STATUSES = {
    Forbidden.code: 403,
    InvalidInput.code: 404,  # a page's address holds something unusable
    NotFound.code: 404,
    RateLimited.code: 429,
    Unauthenticated.code: 401,
    UnavailableError.code: 503,
    UploadMalformed.code: 400,
    UploadTooLarge.code: 413,
    UploadTooMany.code: 413,
}

INTERNAL = "INTERNAL"
"""The code of a masked fault: nobody knows how far the operation got."""

FLASH_COOKIE = "kameng_flash"
SEED_COOKIE = "kameng_form"


class PageFailure(Exception):
    """A page cannot be shown.

    Attributes:
        status: 401 sends to the log-in page; others show the theme's error page.
        message: a message id for the visitor; empty: the usual one of the status.
    """

    def __init__(self, status: int, message: str = "") -> None:
        super().__init__(status, message)
        self.status = status
        self.message = message


def codes(errors: Sequence[Mapping[str, Any]]) -> list[str]:
    """The codes of an answer's errors."""
    return [str((error.get("extensions") or {}).get("code", INTERNAL)) for error in errors]


def status_of(code: str) -> int:
    """The HTTP status that an error's code means for a page."""
    return _STATUSES.get(code, 500)


def status_of_fault(fault: Exception) -> int:
    """The HTTP status that an exception means for a page."""
    if isinstance(fault, HTTPException):
        return fault.status_code  # a body that is too large or cannot be read
    if not isinstance(fault, KamengError):
        return 500
    return status_of(fault.code) if fault.code in _STATUSES else 403 if isinstance(fault, Refusal) else 500


def cookie_name(name: str, secure: bool) -> str:
    """A cookie's name; over TLS with the prefix that binds it to this very host."""
    return f"__Host-{name}" if secure else name


def own_cookie(name: str, value: str | None, *, secure: bool, max_age: int | None = None) -> str:
    """The ``Set-Cookie`` header of a cookie of the theme engine's; no value clears it."""
    cookie = Cookie(
        key=name,
        value=value or "",
        max_age=0 if value is None else max_age,
        path="/",
        secure=secure,
        httponly=True,
        samesite="lax",
    )
    return cookie.to_header(header="")


@dataclass(frozen=True, slots=True)
class HttpAnswer:
    """An answer before it is sent.

    Attributes:
        status: the HTTP status.
        media_type: of the body.
        body: what is sent.
        headers: pairs of name and value.
        cookies: values of ``Set-Cookie`` headers.
    """

    status: int
    media_type: str
    body: bytes
    headers: Sequence[tuple[str, str]] = ()
    cookies: Sequence[str] = ()

    def for_method(self, method: str) -> ASGIResponse:
        """The answer as Litestar sends it; to HEAD without its body."""
        head = method == "HEAD"
        headers = [
            *self.headers,
            ("content-type", self.media_type),
            *(("set-cookie", item) for item in self.cookies),
        ]
        return ASGIResponse(
            status_code=self.status,
            media_type=self.media_type,
            body=b"" if head else self.body,
            headers=headers,
            is_head_response=head,
        )


def html(text: str, status: int, visit: Visit, cookies: Sequence[str], *, private: bool) -> HttpAnswer:
    """A page. One that is the same for whoever asks again has an entity tag."""
    headers = page_headers(visit.nonce, private=private)
    if status == 200 and not (private or cookies or visit.unique):
        headers.append(("etag", tag_of(text, visit.nonce)))
    return HttpAnswer(status, HTML, text.encode(), headers, cookies)


def part(text: str, status: int, visit: Visit, cookies: Sequence[str], *, private: bool) -> HttpAnswer:
    """One block of a page; a header tells it from a whole page such as an error page."""
    answer = html(text, status, visit, cookies, private=private)
    return replace(answer, headers=[*answer.headers, (BLOCK_HEADER, visit.block)])


def redirect(
    target: str, cookies: Sequence[str] = (), *, partial: bool = False, flash: str = ""
) -> HttpAnswer:
    """A redirect to a path of this site, to be fetched by GET.

    Args:
        target: a local path; whoever calls has made sure of that.
        cookies: values of ``Set-Cookie`` headers.
        partial: whether a script asked for a block. It is told where to go instead of being sent there, since it cannot see a
            redirect that its browser follows, and decides itself how much to load.
        flash: a message for that script to show, where the page it asked from stays.
    """
    headers = [("cache-control", "no-store")]
    if not partial:
        return HttpAnswer(303, TEXT, b"", [("location", target), *headers], cookies)
    headers += [("kameng-location", target), ("vary", "Cookie, Kameng-Block")]
    if flash:
        headers.append(("kameng-flash", quote(flash)))
    return HttpAnswer(204, TEXT, b"", headers, cookies)
