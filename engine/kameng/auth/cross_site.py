"""Requests that another site makes a browser send.

``SameSite`` keeps most of them without cookies, but not those of a neighbouring subdomain. So a request that
changes something and is authenticated by cookie must come from our own pages. Browsers say where it comes
from, and no script
can forge it: ``Sec-Fetch-Site`` (over TLS and on loopback), and ``Origin`` on everything but GET and HEAD.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from urllib.parse import urlsplit

from kameng.errors import Refusal

SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
"""Methods that change nothing. A WebSocket's handshake is a GET, but not safe: check it as ``WEBSOCKET``."""

_PORTS = {"http": 80, "https": 443}


class CrossSiteRequest(Refusal):
    """A page of another site made the browser send this."""

    code = "CROSS_SITE_REQUEST"


def check_origin(
    method: str, headers: Mapping[str, str], *, cookie_used: bool, allowed_origins: Collection[str] = ()
) -> None:
    """Refuse what another site makes a logged-in browser do.

    Args:
        method: the HTTP method; ``WEBSOCKET`` for a WebSocket's handshake.
        headers: the request's headers, found by lower-case names.
        cookie_used: whether the request is authenticated by a cookie. A bearer token no other site can make a
            browser send, so there is nothing to check.
        allowed_origins: other origins whose pages may do it, such as ``https://app.shop.example``.

    Raises:
        CrossSiteRequest: it comes from elsewhere, or does not say where it comes from.
    """
    if not cookie_used or method.upper() in SAFE_METHODS:
        return
    origin = headers.get("origin")
    if origin is not None and origin in allowed_origins:
        return
    site = headers.get("sec-fetch-site")
    if site is not None:
        if site in ("same-origin", "none"):
            return
    elif origin is not None and _same_host(origin, headers.get("host", "")):
        return
    raise CrossSiteRequest(
        "This request does not come from a page of this site.",
        cure="Send it from our own pages, or authenticate by `Authorization: Bearer` instead of the cookie.",
    )


def _same_host(origin: str, host: str) -> bool:
    """Whether an origin is on the host that was asked. Its scheme gives the port; TLS may end before us."""
    try:
        asked, asking = urlsplit(f"//{host}"), urlsplit(origin)
        default = _PORTS[asking.scheme]
        return (
            asking.hostname is not None
            and asking.hostname == asked.hostname
            and (asking.port or default) == (asked.port or default)
        )
    except (KeyError, ValueError):  # an origin such as "null", or a port that is no number
        return False
