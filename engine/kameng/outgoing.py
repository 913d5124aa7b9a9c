"""HTTP to others' servers: one checked address, no redirects, no proxies, bounded in time and in what is read.

It tells apart what decides whether something may be sent again, a payment or an order: nothing was sent, or nobody knows. No
message holds an address, since some protocols have their key in there.
"""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Mapping
from functools import lru_cache
from typing import Final

import certifi
import httpcore
import msgspec

from kameng.errors import KamengError
from kameng.version import VERSION
from kameng.webhooks.destination import Destination, Resolve, look_up
from kameng.webhooks.errors import AddressRefused, AnswerMissing, EndpointRefused
from kameng.webhooks.settings import WebhooksSettings

ADDRESSES: Final = 3
"""How many addresses behind a name are tried."""

CONNECT_SECONDS: Final = 5.0
"""How long one of them may take to be connected."""


class NotSent(KamengError):
    """Nothing of the request has left."""

    code = "CALL_NOT_SENT"


class NameUnknown(NotSent):
    """The name of the host leads nowhere."""

    code = "CALL_NAME_UNKNOWN"


class AddressForbidden(NotSent):
    """The address is not one that may be called, or leads to one that is not."""

    code = "CALL_ADDRESS_FORBIDDEN"


class Unanswered(KamengError):
    """Something was sent, and no whole answer came: nobody knows what came of it."""

    code = "CALL_UNANSWERED"


class Answer(msgspec.Struct, frozen=True, kw_only=True):
    """What was answered.

    Attributes:
        status: the HTTP status.
        headers: by lower-case name.
        body: whole.
    """

    status: int
    headers: Mapping[str, str]
    body: bytes


class Guard(msgspec.Struct, frozen=True, kw_only=True):
    """Which addresses may be called: public ones by https, at whatever port, and what an operator has opened.

    Attributes:
        private_hosts: names of hosts that may have private addresses.
        loopback: whether this very machine may be called, by plain http too: for development and simulators.
        ca_file: certificates that others' are checked against instead of the public ones; empty: these.
    """

    private_hosts: tuple[str, ...] = ()
    loopback: bool = False
    ca_file: str = ""

    def check(self, url: str) -> Destination:
        """An address taken apart, if it may be called as far as that can be told without looking it up.

        Raises:
            AddressForbidden: it may not.
        """
        try:
            return Destination.read(url, self._settings(url))
        except EndpointRefused as error:
            raise AddressForbidden(error.message, cure=error.cure) from error

    async def find(self, url: str, resolve: Resolve = look_up) -> tuple[Destination, list[str]]:
        """An address and those behind its name, of which each may be called.

        Raises:
            AddressForbidden: one may not.
            NameUnknown: there are none.
        """
        destination = self.check(url)
        try:
            return destination, list(await destination.addresses(self._settings(url), resolve))
        except AddressRefused as error:
            raise AddressForbidden(error.message, cure=error.cure) from error
        except AnswerMissing as error:
            raise NameUnknown(error.message, cure=error.cure) from error

    def _settings(self, url: str) -> WebhooksSettings:
        """The guard of outgoing webhooks, but for the port."""
        try:
            port = httpcore.URL(url).port
        except (ValueError, UnicodeError, TypeError):
            port = None
        return WebhooksSettings(
            ports=(port or 443,), private_hosts=self.private_hosts, allow_loopback=self.loopback
        )


class Caller:
    """Calls others' servers.

    Args:
        guard: which addresses it may call.
        seconds: how long a call may take, from the look-up of the name to the end of the answer.
        longest: how many bytes of an answer are read; what is longer is as good as no answer.
        resolve: looks names up.
    """

    def __init__(self, guard: Guard, seconds: float, longest: int, resolve: Resolve = look_up) -> None:
        self._guard = guard
        self._seconds = seconds
        self._longest = longest
        self._resolve = resolve

    async def request(
        self, method: str, url: str, *, headers: Mapping[str, str] | None = None, body: bytes = b""
    ) -> Answer:
        """One request. Never inside of a transaction, whose locks would be held for as long as the other side likes.

        Args:
            method: such as ``POST``.
            url: where to.
            headers: beside the usual ones, by lower-case name.
            body: as it is sent.

        Raises:
            NotSent: nothing was sent.
            Unanswered: something was, and no whole answer came.
        """
        sent = False
        try:
            async with asyncio.timeout(self._seconds):
                destination, addresses = await self._guard.find(url, self._resolve)
                sent = True
                return await self._request(method, destination, addresses, headers or {}, body)
        except TimeoutError as error:
            if not sent:
                raise NotSent("The name of the host could not be looked up in time.") from error
            raise Unanswered(f"There was no answer within {self._seconds:g} s.") from error

    async def _request(
        self,
        method: str,
        destination: Destination,
        addresses: list[str],
        headers: Mapping[str, str],
        body: bytes,
    ) -> Answer:
        failure: Exception | None = None
        for address in addresses[:ADDRESSES]:
            try:
                return await self._once(address, method, destination, headers, body)
            except (httpcore.ConnectError, httpcore.ConnectTimeout) as error:
                failure = error  # nothing was sent yet, so the next address may be tried
            except (
                httpcore.NetworkError,
                httpcore.ProtocolError,
                httpcore.TimeoutException,
                OSError,
            ) as error:
                raise Unanswered(
                    f"The connection broke before the answer was whole ({type(error).__name__})."
                ) from error
        raise NotSent(f"There was no connection ({type(failure).__name__}).") from failure

    async def _once(
        self,
        address: str,
        method: str,
        destination: Destination,
        headers: Mapping[str, str],
        body: bytes,
    ) -> Answer:
        seconds = self._seconds
        sent = {
            "host": destination.authority,
            "user-agent": f"Kameng/{VERSION}",
            "content-length": str(len(body)),
            "accept-encoding": "identity",
            "connection": "close",
            **headers,
        }
        url = httpcore.URL(
            scheme=destination.scheme, host=address, port=destination.port, target=destination.target
        )
        extensions = {
            # The name is what the certificate has to be for; the address is where the connection goes.
            "sni_hostname": destination.host,
            "timeout": {
                "connect": min(CONNECT_SECONDS, seconds),
                "read": seconds,
                "write": seconds,
                "pool": seconds,
            },
        }
        async with (
            httpcore.AsyncHTTPConnection(
                origin=url.origin, ssl_context=_tls(self._guard.ca_file), http1=True, http2=False
            ) as connection,
            connection.stream(
                method, url, headers=list(sent.items()), content=body, extensions=extensions
            ) as answer,
        ):
            content = bytearray()
            async for chunk in answer.aiter_stream():
                content += chunk
                if len(content) > self._longest:
                    raise Unanswered("The answer is too long.")
            found = {
                name.decode("latin-1").lower(): value.decode("latin-1") for name, value in answer.headers
            }
            return Answer(status=answer.status, headers=found, body=bytes(content))


@lru_cache(maxsize=4)
def _tls(ca_file: str) -> ssl.SSLContext:
    return ssl.create_default_context(cafile=ca_file or certifi.where())
