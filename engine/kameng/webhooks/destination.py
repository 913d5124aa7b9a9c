"""Where a webhook goes: its address taken apart, its name resolved once, and the answer checked before anything is sent.

An endpoint's address comes from outside, and the shop stands inside a network: without a guard, anybody who may register
an endpoint could have the shop knock at doors that only it can reach. So a name is looked up once, every address behind
it has to be allowed, and the connection goes to one of these very addresses: a name that answers differently the next
time (DNS rebinding) gains nothing.
"""

from __future__ import annotations

import asyncio
import re
import socket
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from ipaddress import ip_address
from urllib.parse import urlsplit

from kameng.webhooks.addresses import is_loopback, is_private, is_public
from kameng.webhooks.errors import AddressRefused, AnswerMissing, EndpointRefused
from kameng.webhooks.settings import WebhooksSettings

LONGEST_URL = 2_000
"""Characters of an endpoint's address."""

Resolve = Callable[[str, int], Awaitable[Sequence[str]]]
"""Looks a name up: ``async (host, port)`` gives its addresses as text; raises OSError."""

_HOST = re.compile(r"[a-z0-9_]([a-z0-9_-]*[a-z0-9_])?(\.[a-z0-9_]([a-z0-9_-]*[a-z0-9_])?)*")
_LOCAL_NAMES = frozenset({"localhost", "localhost.localdomain", "ip6-localhost", "ip6-loopback"})
_URL = re.compile(r"[!-~]+")


@dataclass(frozen=True, slots=True)
class Destination:
    """An endpoint's address.

    Attributes:
        scheme: ``https``; ``http`` only for this machine in development.
        host: lower-case name, or an IP address without brackets.
        port: where it listens.
        target: path and query.
    """

    scheme: str
    host: str
    port: int
    target: str

    @property
    def authority(self) -> str:
        """What the ``Host`` header says."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == {"https": 443, "http": 80}[self.scheme] else f"{host}:{self.port}"

    @classmethod
    def read(cls, url: str, settings: WebhooksSettings) -> Destination:
        """Take an address apart and check all that can be known without looking its name up.

        Raises:
            EndpointRefused: it is no address that webhooks are sent to.
        """
        if len(url) > LONGEST_URL or not _URL.fullmatch(url) or "\\" in url:
            raise _refused(
                f"An endpoint's address has at most {LONGEST_URL} printable ASCII characters.",
                "Write international names in their xn-- form, and escape other characters.",
            )
        try:
            parts = urlsplit(url)
            port = parts.port
        except ValueError as error:
            raise _refused(f"This is no address: {error}.", "Write it as https://host/path.") from error
        host = (parts.hostname or "").removesuffix(".")
        if parts.username is not None or parts.password is not None:
            raise _refused("An endpoint's address holds no user or password.", "Check the signature instead.")
        if parts.fragment:
            raise _refused("An endpoint's address has no fragment.", "Leave out what follows the #.")
        if parts.scheme not in ("https", "http") or not host:
            raise _refused("An endpoint's address begins with https://.", "Write it as https://host/path.")
        destination = cls(
            scheme=parts.scheme,
            host=host,
            port=port if port is not None else {"https": 443, "http": 80}[parts.scheme],
            target=(parts.path or "/") + (f"?{parts.query}" if parts.query else ""),
        )
        destination._check(settings)
        return destination

    def _check(self, settings: WebhooksSettings) -> None:
        try:
            numeric: str | None = str(ip_address(self.host))
        except ValueError:
            numeric = None
        if numeric is None and not _HOST.fullmatch(self.host):
            raise _refused("The host's name holds what no name does.", "Check the address.")
        local = self.host in _LOCAL_NAMES or (numeric is not None and is_loopback(numeric))
        if local and settings.allow_loopback:
            return
        if self.scheme != "https":
            raise _refused("Endpoints are called by https only.", "Give the endpoint a certificate.")
        if self.port not in settings.ports:
            known = ", ".join(map(str, settings.ports))
            raise _refused(
                f"Endpoints listen at the ports {known}; this is {self.port}.",
                "Use one of these, or add it to [webhooks] ports.",
            )
        if local or (numeric is not None and not self._allows(numeric, settings)):
            raise _refused(
                "This address is not of the public internet.",
                "Use a public one; an operator can open hosts of his own network by [webhooks] private_hosts.",
            )

    def _allows(self, address: str, settings: WebhooksSettings) -> bool:
        if is_public(address):
            return True
        if settings.allow_loopback and is_loopback(address):
            return True
        return self.host in settings.private_hosts and is_private(address)

    async def addresses(self, settings: WebhooksSettings, resolve: Resolve) -> Sequence[str]:
        """The addresses behind the name, looked up once; each of them may be called.

        Raises:
            AddressRefused: one of them may not. A name that leads to an allowed and a closed one is no accident.
            AnswerMissing: the name is unknown.
        """
        try:
            found = list(dict.fromkeys(await resolve(self.host, self.port)))
        except (OSError, UnicodeError) as error:
            raise AnswerMissing(
                "The name of the endpoint's host is unknown.", cure="Check the address and the DNS."
            ) from error
        if not found or not all(self._allows(address, settings) for address in found):
            raise AddressRefused(
                "The name of the endpoint's host leads to an address that is not of the public internet.",
                cure="Mend the DNS; an operator can open hosts of his own network by [webhooks] private_hosts.",
            )
        if self.scheme == "http" and not all(is_loopback(address) for address in found):
            raise AddressRefused(
                "Plain http is for this very machine only.", cure="Give the endpoint a certificate."
            )
        return found


async def look_up(host: str, port: int) -> Sequence[str]:
    """The addresses of a host by the system's resolver."""
    answers = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return [str(answer[4][0]) for answer in answers]


def _refused(message: str, cure: str) -> EndpointRefused:
    return EndpointRefused(message, cure=cure, path=("input", "url"))
