"""One POST to one checked address: no redirects, no proxies, bounded in time and in what is read of the answer."""

from __future__ import annotations

import asyncio
import ssl
import time
from collections.abc import Mapping
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from functools import lru_cache

import certifi
import httpcore

from kameng.version import VERSION
from kameng.webhooks.destination import Destination, Resolve, look_up
from kameng.webhooks.errors import AnswerMissing
from kameng.webhooks.settings import WebhooksSettings

EXCERPT_BYTES = 1_024
"""How much of an answer's body is read."""

LONGEST_WAIT = 12 * 3600.0
"""Seconds; an endpoint that asks for more patience than that does not get it."""


@dataclass(frozen=True, slots=True)
class Reply:
    """What an endpoint answered.

    Attributes:
        status: the HTTP status.
        excerpt: the beginning of the body.
        retry_after: seconds that it wants to be left alone, if it says so.
    """

    status: int
    excerpt: bytes = b""
    retry_after: float | None = None


async def post(
    destination: Destination,
    headers: Mapping[str, str],
    body: bytes,
    settings: WebhooksSettings,
    resolve: Resolve = look_up,
) -> Reply:
    """Send a body to where an endpoint's name leads, once.

    Args:
        destination: where to.
        headers: beside the usual ones.
        body: JSON.
        settings: time-out, and which addresses may be called.
        resolve: looks names up.

    Raises:
        AddressRefused: the name leads to where nothing is sent.
        AnswerMissing: there was no connection, or no answer in time. Whether the endpoint got the message is unknown.
    """
    try:
        async with asyncio.timeout(settings.timeout_seconds):
            addresses = await destination.addresses(settings, resolve)
            failure: Exception | None = None
            for address in addresses[:3]:
                try:
                    return await _post(address, destination, headers, body, settings)
                except (httpcore.ConnectError, httpcore.ConnectTimeout) as error:
                    failure = error  # nothing was sent yet, so the next address may be tried
            raise AnswerMissing(
                f"There was no connection: {_plain(failure)}.",
                cure="Is the endpoint up, its certificate valid?",
            ) from failure
    except TimeoutError as error:
        raise AnswerMissing(
            f"There was no answer within {settings.timeout_seconds:g} s.",
            cure="Answer first, and work afterwards.",
        ) from error
    except (httpcore.NetworkError, httpcore.ProtocolError, httpcore.TimeoutException, OSError) as error:
        raise AnswerMissing(
            f"The connection broke before the answer was whole: {_plain(error)}.",
            cure="Look into the endpoint's log.",
        ) from error


async def _post(
    address: str,
    destination: Destination,
    headers: Mapping[str, str],
    body: bytes,
    settings: WebhooksSettings,
) -> Reply:
    sent = {
        "host": destination.authority,
        "user-agent": f"Kameng/{VERSION}",
        "content-type": "application/json",
        "content-length": str(len(body)),
        "accept-encoding": "identity",
        "connection": "close",
        **headers,
    }
    url = httpcore.URL(
        scheme=destination.scheme, host=address, port=destination.port, target=destination.target
    )
    seconds = settings.timeout_seconds
    extensions = {
        # The name is what the certificate has to be for; the address is where the connection goes.
        "sni_hostname": destination.host,
        "timeout": {"connect": min(5.0, seconds), "read": seconds, "write": seconds, "pool": seconds},
    }
    # A connection of its own: a pool would know connections by address, and share them between names.
    async with (
        httpcore.AsyncHTTPConnection(
            origin=url.origin, ssl_context=_tls(settings.ca_file), http1=True, http2=False
        ) as connection,
        connection.stream(
            "POST", url, headers=list(sent.items()), content=body, extensions=extensions
        ) as answer,
    ):
        excerpt = b""
        async for chunk in answer.aiter_stream():
            excerpt += chunk[: EXCERPT_BYTES - len(excerpt)]
            if len(excerpt) >= EXCERPT_BYTES:
                break
        return Reply(answer.status, excerpt, _retry_after(answer.headers))


@lru_cache(maxsize=4)
def _tls(ca_file: str) -> ssl.SSLContext:
    return ssl.create_default_context(cafile=ca_file or certifi.where())


def _retry_after(headers: list[tuple[bytes, bytes]]) -> float | None:
    value = next((value for name, value in headers if name.lower() == b"retry-after"), None)
    if value is None:
        return None
    text = value.decode("latin-1").strip()
    if text.isascii() and text.isdigit():
        return min(float(text[:9]), LONGEST_WAIT)
    try:
        seconds = parsedate_to_datetime(text).timestamp() - time.time()
    except (TypeError, ValueError):
        return None
    return min(max(seconds, 0.0), LONGEST_WAIT)


def _plain(error: BaseException | None) -> str:
    """What went wrong on the line, without the values that libraries put into their messages."""
    cause = error
    while cause is not None:
        if isinstance(cause, ssl.SSLCertVerificationError):
            return f"the certificate does not hold ({cause.verify_message})"
        if isinstance(cause, ssl.SSLError):
            return f"TLS failed ({cause.reason or 'unknown reason'})"
        if isinstance(cause, OSError) and cause.errno and cause.strerror:
            return cause.strerror.partition("(")[0].strip().lower()
        cause = cause.__cause__ or cause.__context__
    return type(error).__name__
