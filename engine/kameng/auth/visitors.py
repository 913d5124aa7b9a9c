"""Visitors who are known again: a token of their own, for what somebody has before he logs in, such as a cart.

It opens no session and proves nothing but that the same client comes back. Browsers keep it in a cookie that no script can
read; programs and apps send it in the header ``Kameng-Visitor``. As with sessions only its SHA-256 is to be stored.
"""

from __future__ import annotations

import re
import secrets
from collections.abc import Mapping
from typing import TYPE_CHECKING

from kameng.auth.tokens import digest

if TYPE_CHECKING:
    from kameng.graphql.context import Context

HEADER = "kameng-visitor"
"""The header in which programs send it."""

KEPT_SECONDS = 60 * 86_400
"""How long a browser keeps it after it was made."""

_NAME = "kameng-visitor"
_TOKEN = re.compile(r"kmv_[A-Za-z0-9_-]{43}")


def read_visitor(headers: Mapping[str, str], *, secure: bool) -> str:
    """The visitor's token in a request's headers; empty where there is none, or two that differ.

    Args:
        headers: found by lower-case names.
        secure: whether cookies bear ``Secure`` and the prefix ``__Host-``.
    """
    given = headers.get(HEADER)
    if given is not None:
        return given if _TOKEN.fullmatch(given) else ""
    cookies = headers.get("cookie", "")
    if _NAME not in cookies:
        return ""
    name = _cookie_name(secure)
    values = {
        value.strip('"')
        for pair in cookies.split(";")
        for own, _, value in [pair.strip().partition("=")]
        if own == name and value
    }
    token = values.pop() if len(values) == 1 else ""
    return token if _TOKEN.fullmatch(token) else ""


def visitor_cookie(token: str | None, *, secure: bool) -> str:
    """The value of a ``Set-Cookie`` header; None makes the browser forget the visitor.

    >>> visitor_cookie(None, secure=True)
    '__Host-kameng-visitor=; Max-Age=0; Path=/; Secure; HttpOnly; SameSite=Lax'
    """
    age = KEPT_SECONDS if token else 0
    mark = "Secure; " if secure else ""
    return f"{_cookie_name(secure)}={token or ''}; Max-Age={age}; Path=/; {mark}HttpOnly; SameSite=Lax"


def known_visitor(context: Context) -> bytes | None:
    """What to store of the visitor of a request; None for one who bears no token."""
    return digest(context.visitor) if context.visitor else None


def greet_visitor(context: Context) -> bytes:
    """Know the visitor of a request from now on; returns what to store. He gets a token, unless he bears one."""
    if not context.visitor:
        context.visitor = f"kmv_{secrets.token_urlsafe(32)}"
        context.cookies.append(visitor_cookie(context.visitor, secure=_secure(context)))
    return digest(context.visitor)


def forget_visitor(context: Context) -> None:
    """End the visitor's token, once what it stood for is somebody's own."""
    if context.visitor:
        context.visitor = ""
        context.cookies.append(visitor_cookie(None, secure=_secure(context)))


def _secure(context: Context) -> bool:
    return not context.kernel.auth.settings.insecure_cookies


def _cookie_name(secure: bool) -> str:
    return ("__Host-" if secure else "") + _NAME
