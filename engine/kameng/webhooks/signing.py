"""Signatures of webhooks, by the specification "Standard Webhooks" (version 1).

A secret is ``whsec_`` and 24 to 64 bytes in base64. What is signed is ``id.timestamp.body`` by HMAC-SHA-256; the header
holds ``v1,`` and the base64 of each signature, separated by spaces: one for each secret that holds at the moment.
"""

from __future__ import annotations

import hmac
import os
from base64 import b64encode
from collections.abc import Iterable

PREFIX = "whsec_"
SECRET_BYTES = 32


def new_secret() -> bytes:
    """Fresh random bytes."""
    return os.urandom(SECRET_BYTES)


def secret_text(secret: bytes) -> str:
    """A secret as the receiver's library takes it."""
    return PREFIX + b64encode(secret).decode()


def headers_for(message: str, timestamp: int, body: bytes, secrets: Iterable[bytes]) -> dict[str, str]:
    """The three headers of an attempt.

    Args:
        message: the message's id, the same at each attempt.
        timestamp: of this attempt, in seconds since 1970.
        body: what is sent.
        secrets: all that hold now, the newest first.
    """
    signed = f"{message}.{timestamp}.".encode() + body
    signatures = [b64encode(hmac.digest(secret, signed, "sha256")).decode() for secret in secrets]
    return {
        "webhook-id": message,
        "webhook-timestamp": str(timestamp),
        "webhook-signature": " ".join(f"v1,{signature}" for signature in signatures),
    }
