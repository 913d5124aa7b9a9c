"""HTTP to suppliers: one checked address, no redirects, no proxies, bounded in time and in what is read.

It tells apart what decides whether something may be ordered again: nothing was sent, or nobody knows.
"""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Final

import certifi
import httpcore

from kameng.errors import TransactionError
from kameng.version import VERSION
from kameng.webhooks.destination import Destination, Resolve, look_up
from kameng.webhooks.errors import AddressRefused, AnswerMissing, EndpointRefused
from kameng.webhooks.settings import WebhooksSettings
from kameng_fulfilment.settings import FulfilmentSettings
from kameng_fulfilment.supplier_contract import CallNotSent, CallUnanswered, HttpAnswer

LONGEST_ANSWER: Final = 4 * 1024 * 1024
"""Bytes of an answer. What is longer is as good as no answer."""

ADDRESSES: Final = 3
"""How many addresses behind a name are tried."""


class Calls:
    """`kameng_fulfilment.contract.SupplierHttp` for one account.

    Args:
        settings: which addresses may be called.
        seconds: how long a call may take, from the look-up of the name to the end of the answer.
        in_transaction: tells whether the caller is inside a transaction, where nobody is called.
        resolve: looks names up.
    """

    def __init__(
        self,
        settings: FulfilmentSettings,
        seconds: float,
        in_transaction: Callable[[], bool],
        resolve: Resolve = look_up,
    ) -> None:
        self._settings = settings
        self._seconds = seconds
        self._in_transaction = in_transaction
        self._resolve = resolve

    async def request(
        self, method: str, url: str, *, headers: Mapping[str, str] | None = None, body: bytes = b""
    ) -> HttpAnswer:
        """See the contract.

        Raises:
            TransactionError: locks would be held for as long as the supplier likes.
        """
        if self._in_transaction():
            raise TransactionError(
                "A supplier was to be called inside a transaction.", cure="Commit first, then call."
            )
        sent = False
        try:
            async with asyncio.timeout(self._seconds):
                destination, addresses = await self._where(url)
                sent = True
                return await self._request(method, destination, addresses, headers or {}, body)
        except TimeoutError as error:
            if not sent:
                raise CallNotSent("The supplier's name could not be looked up in time.") from error
            raise CallUnanswered(f"There was no answer within {self._seconds:g} s.") from error

    async def _where(self, url: str) -> tuple[Destination, list[str]]:
        """The address of a call, as the guard of outgoing webhooks has it, but for the port: suppliers use any."""
        port = _port(url)
        guard = WebhooksSettings(
            ports=(port,) if port else (443,),
            private_hosts=self._settings.supplier_private_hosts,
            allow_loopback=self._settings.supplier_loopback,
        )
        try:
            destination = Destination.read(url, guard)
            return destination, list(await destination.addresses(guard, self._resolve))
        except (EndpointRefused, AddressRefused, AnswerMissing) as error:
            raise CallNotSent(error.message, cure=error.cure) from error

    async def _request(
        self,
        method: str,
        destination: Destination,
        addresses: list[str],
        headers: Mapping[str, str],
        body: bytes,
    ) -> HttpAnswer:
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
                raise CallUnanswered(
                    f"The connection broke before the answer was whole ({type(error).__name__})."
                ) from error
        raise CallNotSent(f"There was no connection ({type(failure).__name__}).") from failure

    async def _once(
        self,
        address: str,
        method: str,
        destination: Destination,
        headers: Mapping[str, str],
        body: bytes,
    ) -> HttpAnswer:
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
                "connect": min(5.0, self._seconds),
                "read": self._seconds,
                "write": self._seconds,
                "pool": self._seconds,
            },
        }
        async with (
            httpcore.AsyncHTTPConnection(
                origin=url.origin,
                ssl_context=_tls(self._settings.supplier_ca_file),
                http1=True,
                http2=False,
            ) as connection,
            connection.stream(
                method, url, headers=list(sent.items()), content=body, extensions=extensions
            ) as answer,
        ):
            content = bytearray()
            async for chunk in answer.aiter_stream():
                content += chunk
                if len(content) > LONGEST_ANSWER:
                    raise CallUnanswered("The answer is too long.")
            found = {
                name.decode("latin-1").lower(): value.decode("latin-1") for name, value in answer.headers
            }
            return HttpAnswer(status=answer.status, headers=found, body=bytes(content))


def _port(url: str) -> int | None:
    try:
        return httpcore.URL(url).port
    except (ValueError, UnicodeError, TypeError):
        return None


@lru_cache(maxsize=4)
def _tls(ca_file: str) -> ssl.SSLContext:
    return ssl.create_default_context(cafile=ca_file or certifi.where())
