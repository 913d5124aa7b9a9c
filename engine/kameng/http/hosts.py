"""Which hosts a deployment answers for: those that its settings name, and the domains of its sites.

The ``Host`` header is the client's to choose, and links, cookies and prices go by it. So a name that is none of ours is refused
before anything looks at it. Which domains are ours, the database says: a reseller's new domain works without a restart.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from litestar.response.base import ASGIResponse

from kameng.sites.directory import SiteDirectory
from kameng.sites.hosts import host_name

if TYPE_CHECKING:
    from litestar.types import ASGIApp, Receive, Scope, Send

    from kameng.kernel import Kernel

UNCHECKED = frozenset(("/livez", "/readyz", "/metrics"))
"""Paths that probes ask by whatever address they know."""

_REFUSAL = b'{"message":"invalid host header"}'


class HostCheck:
    """Refuses requests for hosts that are not ours; a Litestar middleware.

    Args:
        app: what answers for ours.
        kernel: whose settings and sites say which those are.
    """

    def __init__(self, app: ASGIApp, kernel: Kernel) -> None:
        self._app = app
        self._trusted = trusted_hosts(kernel)
        self._directory = kernel.services.find(SiteDirectory)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request, or refuse it."""
        if scope["path"] in UNCHECKED or self._ours(_host(scope)):
            await self._app(scope, receive, send)
            return
        refusal = ASGIResponse(body=_REFUSAL, status_code=400, media_type="application/json")
        await refusal(scope, receive, send)

    def _ours(self, host: str) -> bool:
        if self._trusted is None:
            return True
        name = host_name(host)
        if self._trusted.fullmatch(name) or self._trusted.fullmatch(host):
            return True
        return self._directory is not None and self._directory.knows(name)


def trusted_hosts(kernel: Kernel) -> re.Pattern[str] | None:
    """The hosts that the settings name, ``*.`` standing for any name before; None: any host is answered."""
    settings = kernel.settings
    hosts = list(settings.engine.trusted_hosts)
    if not hosts and settings.production:
        hosts = [urlsplit(settings.public_url).hostname or "localhost"]
    if not hosts or "*" in hosts:
        return None
    patterns = [rf".+\.{re.escape(host[2:])}" if host.startswith("*.") else re.escape(host) for host in hosts]
    return re.compile("|".join(patterns), re.IGNORECASE)


def _host(scope: Scope) -> str:
    return next((value.decode("latin-1") for name, value in scope["headers"] if name == b"host"), "")
