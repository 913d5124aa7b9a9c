"""Signed requests: how an agent's or a partner's program proves who it is without sending its secret.

The signature is HMAC-SHA-256 over these lines, joined by line feeds, with none at the end:

    kameng-1
    1767225600                      seconds since 1970
    k3J9…                           a nonce: 16 to 64 letters, digits, '-' and '_', never used before
    POST                            the method in capitals
    /open/v1/orders?dry_run=1       path and query as they were sent
    9f86d081884c7d65…               SHA-256 of the body in lower-case hex

in lower-case hex. It travels in headers beside the key's public id:

    X-Kameng-Key: kmk_…
    X-Kameng-Timestamp: 1767225600
    X-Kameng-Nonce: k3J9…
    X-Kameng-Signature: v1=5257a869e7…

Time and nonce together make each request usable once: `kameng.auth.nonces` refuses the second use, and the
    time bounds how long a nonce must be remembered.
"""

from __future__ import annotations

import hmac
import re
import secrets
import time
from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256

from kameng.errors import Unauthenticated

VERSION = "kameng-1"
"""The first signed line; another scheme gets another."""

TOLERANCE = 300
"""How far a signature's time may be off, in seconds, by default."""

_NONCE = re.compile(r"[A-Za-z0-9_-]{16,64}")
_TIMESTAMP = re.compile(r"[0-9]{1,12}")
_DIGEST = re.compile(r"v1=([0-9a-f]{64})")
_SHORTEST_SECRET = 16  # bytes


class SignatureInvalid(Unauthenticated):
    """A request's signature is missing, wrong, too old or used before."""

    code = "SIGNATURE_INVALID"


@dataclass(frozen=True, slots=True)
class Signature:
    """A request's signature, as its headers tell it.

    Attributes:
        key: the public id of the key that it was made with.
        timestamp: when it was made, in seconds since 1970.
        nonce: what makes it unique.
        digest: the HMAC in lower-case hex.
    """

    key: str
    timestamp: int
    nonce: str
    digest: str

    def headers(self) -> dict[str, str]:
        """The headers to send."""
        return {
            "X-Kameng-Key": self.key,
            "X-Kameng-Timestamp": str(self.timestamp),
            "X-Kameng-Nonce": self.nonce,
            "X-Kameng-Signature": f"v1={self.digest}",
        }


def sign(
    key: str,
    secret: bytes,
    method: str,
    target: str,
    body: bytes,
    *,
    timestamp: int | None = None,
    nonce: str | None = None,
) -> Signature:
    """Sign a request.

    Args:
        key: the key's public id.
        secret: what both sides know; 16 bytes or more.
        method: the HTTP method.
        target: path and query exactly as they are sent.
        body: the body; empty where there is none.
        timestamp: seconds since 1970; None: now.
        nonce: None: a fresh one.
    """
    timestamp = int(time.time()) if timestamp is None else timestamp
    nonce = secrets.token_urlsafe(18) if nonce is None else nonce
    return Signature(key, timestamp, nonce, _hmac(secret, timestamp, nonce, method, target, body))


def read_signature(headers: Mapping[str, str]) -> Signature:
    """The signature in a request's headers, which are found by lower-case names.

    Raises:
        SignatureInvalid: one of them is missing or malformed.
    """
    key, timestamp = headers.get("x-kameng-key", ""), headers.get("x-kameng-timestamp", "")
    nonce, digest = (
        headers.get("x-kameng-nonce", ""),
        _DIGEST.fullmatch(headers.get("x-kameng-signature", "")),
    )
    if not key or not _TIMESTAMP.fullmatch(timestamp) or not _NONCE.fullmatch(nonce) or digest is None:
        raise SignatureInvalid(
            "The request is not signed, or its signature cannot be read.",
            cure="Send X-Kameng-Key, X-Kameng-Timestamp, X-Kameng-Nonce and X-Kameng-Signature.",
        )
    return Signature(key, int(timestamp), nonce, digest[1])


def verify(
    signature: Signature,
    secret: bytes,
    method: str,
    target: str,
    body: bytes,
    *,
    now: float | None = None,
    tolerance: int = TOLERANCE,
) -> None:
    """Insist on a signature that fits its request and is fresh. That it was not used before, `Nonces` tells.

    Args:
        signature: as read from the request.
        secret: of the key that it names.
        method, target, body: of the request, as received.
        now: seconds since 1970; None: now.
        tolerance: how far its time may be off, either way.

    Raises:
        SignatureInvalid: it does not fit, or its time is off.
    """
    expected = _hmac(secret, signature.timestamp, signature.nonce, method, target, body)
    if not hmac.compare_digest(expected, signature.digest):
        raise SignatureInvalid(
            "The signature does not fit the request.",
            cure="Sign the method, the path with its query, and the body exactly as they are sent.",
        )
    if abs((time.time() if now is None else now) - signature.timestamp) > tolerance:
        raise SignatureInvalid(
            f"The signature's time is off by more than {tolerance} s.", cure="Set the client's clock."
        )


def _hmac(secret: bytes, timestamp: int, nonce: str, method: str, target: str, body: bytes) -> str:
    if len(secret) < _SHORTEST_SECRET:
        raise ValueError(f"A signing secret has {_SHORTEST_SECRET} bytes or more.")
    if any(
        ord(sign) < 0x21 for sign in method + target
    ):  # a line feed would let two requests share a signature
        raise SignatureInvalid(
            "The method or the path holds a blank or a control character.", cure="Encode it."
        )
    lines = (VERSION, str(timestamp), nonce, method.upper(), target, sha256(body).hexdigest())
    return hmac.new(secret, "\n".join(lines).encode(), sha256).hexdigest()
