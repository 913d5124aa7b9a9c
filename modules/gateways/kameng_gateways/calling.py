"""HTTP to gateways: a checked address, no redirects, no proxies, bounded in time and in what is read.

It tells apart what decides whether a payment or a refund may be sent elsewhere: nothing was sent, or nobody knows. No
message holds an address, since one protocol has its key in there.
"""

from __future__ import annotations

import asyncio
import os
import ssl
from collections.abc import Mapping
from functools import lru_cache
from typing import Final

import certifi
import httpcore
import msgspec

from kameng.version import VERSION
from kameng.webhooks.destination import Destination, look_up
from kameng.webhooks.errors import AddressRefused, AnswerMissing, EndpointRefused
from kameng.webhooks.settings import WebhooksSettings
from kameng_settlement.gateway_contract import (
    GatewayMisconfigured,
    GatewayNotReached,
    GatewayUnanswered,
    MerchantAccount,
)

LONGEST_ANSWER: Final = 1024 * 1024
"""Bytes of an answer. What is longer is as good as no answer."""

LONGEST_BILL: Final = 512 * 1024 * 1024
"""Bytes of a bill."""

ADDRESSES: Final = 3
"""How many addresses behind a name are tried."""

LOOPBACK: Final = "KAMENG_GATEWAYS_LOOPBACK"
"""The environment variable which, set to 1, lets accounts name this very machine, by plain http too: for simulators."""

PRIVATE_HOSTS: Final = "KAMENG_GATEWAYS_PRIVATE_HOSTS"
"""The environment variable with the names, separated by commas, of hosts that may have private addresses."""

CA_FILE: Final = "KAMENG_GATEWAYS_CA_FILE"
"""The environment variable with the file of certificates that gateways' are checked against instead of the public ones."""


class HttpAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """What was answered.

    Attributes:
        status: the HTTP status.
        headers: by lower-case name.
        body: whole.
    """

    status: int
    headers: Mapping[str, str]
    body: bytes


async def call(
    account: MerchantAccount,
    method: str,
    url: str,
    *,
    headers: Mapping[str, str] | None = None,
    body: bytes = b"",
    longest: int = LONGEST_ANSWER,
) -> HttpAnswer:
    """One request within the account's time.

    Args:
        account: whose call it is.
        method: ``GET`` or ``POST``.
        url: where to.
        headers: beside the usual ones, by lower-case name.
        body: as it is sent.
        longest: how many bytes of an answer are read.

    Raises:
        GatewayNotReached: nothing was sent.
        GatewayUnanswered: something was, and no whole answer came.
    """
    sent = False
    try:
        async with asyncio.timeout(account.timeout_seconds):
            destination, addresses = await _where(url)
            sent = True
            return await _request(account, method, destination, addresses, headers or {}, body, longest)
    except TimeoutError as error:
        if not sent:
            raise GatewayNotReached("The gateway's name could not be looked up in time.") from error
        raise GatewayUnanswered(f"There was no answer within {account.timeout_seconds:g} s.") from error


def check_url(url: str) -> None:
    """Whether an address is one that may be called, as far as it can be told without looking it up.

    Raises:
        GatewayMisconfigured: it is not.
    """
    try:
        Destination.read(url, _guard(url))
    except EndpointRefused as error:
        raise GatewayMisconfigured(
            "The account's address is not one that may be called.",
            cure=f"Use a public one that begins with https://. An operator can open hosts by {PRIVATE_HOSTS}.",
        ) from error


async def _where(url: str) -> tuple[Destination, list[str]]:
    guard = _guard(url)
    try:
        destination = Destination.read(url, guard)
        return destination, list(await destination.addresses(guard, look_up))
    except AnswerMissing as error:
        raise GatewayNotReached(
            "The name of the gateway's host is unknown.", cure="Check the DNS."
        ) from error
    except (EndpointRefused, AddressRefused) as error:
        # Their own words are about webhooks.
        raise GatewayNotReached(
            "The gateway's address is not one that may be called, or leads to one that is not.",
            cure=f"Use a public one that begins with https://. An operator can open hosts by {PRIVATE_HOSTS}.",
        ) from error


def _guard(url: str) -> WebhooksSettings:
    """The guard of outgoing webhooks, but for the port: gateways use any."""
    try:
        port = httpcore.URL(url).port
    except (ValueError, UnicodeError, TypeError):
        port = None
    hosts = tuple(name for name in os.environ.get(PRIVATE_HOSTS, "").split(",") if name)
    return WebhooksSettings(
        ports=(port or 443,), private_hosts=hosts, allow_loopback=os.environ.get(LOOPBACK) == "1"
    )


async def _request(
    account: MerchantAccount,
    method: str,
    destination: Destination,
    addresses: list[str],
    headers: Mapping[str, str],
    body: bytes,
    longest: int,
) -> HttpAnswer:
    failure: Exception | None = None
    for address in addresses[:ADDRESSES]:
        try:
            return await _once(account, address, method, destination, headers, body, longest)
        except (httpcore.ConnectError, httpcore.ConnectTimeout) as error:
            failure = error  # nothing was sent yet, so the next address may be tried
        except (httpcore.NetworkError, httpcore.ProtocolError, httpcore.TimeoutException, OSError) as error:
            raise GatewayUnanswered(
                f"The connection broke before the answer was whole ({type(error).__name__})."
            ) from error
    raise GatewayNotReached(f"There was no connection ({type(failure).__name__}).") from failure


async def _once(
    account: MerchantAccount,
    address: str,
    method: str,
    destination: Destination,
    headers: Mapping[str, str],
    body: bytes,
    longest: int,
) -> HttpAnswer:
    seconds = account.timeout_seconds
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
        "timeout": {"connect": min(5.0, seconds), "read": seconds, "write": seconds, "pool": seconds},
    }
    async with (
        httpcore.AsyncHTTPConnection(
            origin=url.origin, ssl_context=_tls(os.environ.get(CA_FILE, "")), http1=True, http2=False
        ) as connection,
        connection.stream(
            method, url, headers=list(sent.items()), content=body, extensions=extensions
        ) as answer,
    ):
        content = bytearray()
        async for chunk in answer.aiter_stream():
            content += chunk
            if len(content) > longest:
                raise GatewayUnanswered("The answer is too long.")
        found = {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in answer.headers}
        return HttpAnswer(status=answer.status, headers=found, body=bytes(content))


@lru_cache(maxsize=4)
def _tls(ca_file: str) -> ssl.SSLContext:
    return ssl.create_default_context(cafile=ca_file or certifi.where())
