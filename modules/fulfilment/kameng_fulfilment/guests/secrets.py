"""What opens a guest's order: the secret that he gets with it, and passes for a while after a look-up by contact."""

from __future__ import annotations

import hmac
import re
import time
from base64 import urlsafe_b64decode, urlsafe_b64encode
from hashlib import sha256
from typing import TYPE_CHECKING
from uuid import UUID

from kameng.vault import MasterKeyUnknownError, Signature

if TYPE_CHECKING:
    from kameng.kernel import Kernel
    from kameng_fulfilment.guests.contacts import Contact

PASS_SECONDS = 1800
"""So long a pass opens an order after its contact was given."""

_SECRETS = "fulfilment.guest_secrets"
_PASSES = "fulfilment.guest_passes"
_LOOKUPS = "fulfilment.guest_lookups"
_PASS = re.compile(r"p[A-Za-z0-9_-]{70,90}")


def secret_of(kernel: Kernel, order: UUID) -> str:
    """The secret of an order: 256 bits that only this deployment can make, so that a repeated request is answered alike."""
    mac = kernel.vault.sign(_SECRETS, order.bytes).mac
    return "s" + urlsafe_b64encode(mac).rstrip(b"=").decode()


def secret_mark(number: str, secret: str) -> bytes:
    """What is stored of a secret; useless to whoever reads the table."""
    return sha256(f"{number}:{secret}".encode()).digest()


def lookup_mark(kernel: Kernel, number: str, contact: Contact) -> bytes:
    """What is stored of number and contact together. One is worth nothing without the other."""
    return kernel.vault.blind_index(_LOOKUPS, number.encode() + b"\0" + contact.text)


def make_pass(kernel: Kernel, order: UUID) -> str:
    """A pass to an order, for `PASS_SECONDS`. It shows nothing that was delivered."""
    until = int(time.time()) + PASS_SECONDS
    body = order.bytes + until.to_bytes(5, "big")
    signature = kernel.vault.sign(_PASSES, body)
    whole = body + signature.version.to_bytes(2, "big") + signature.mac
    return "p" + urlsafe_b64encode(whole).rstrip(b"=").decode()


def read_pass(kernel: Kernel, text: str) -> UUID | None:
    """The order that a pass opens; None where it is none, or too old."""
    if not _PASS.fullmatch(text):
        return None
    raw = urlsafe_b64decode(text[1:] + "=" * (-len(text[1:]) % 4))
    if len(raw) != 55:
        return None
    body, version, mac = raw[:21], int.from_bytes(raw[21:23], "big"), raw[23:]
    try:
        if not kernel.vault.is_signed(_PASSES, body, Signature(version, mac)):
            return None
    except MasterKeyUnknownError:
        return None
    return UUID(bytes=body[:16]) if int.from_bytes(body[16:21], "big") >= time.time() else None


def same(one: bytes, other: bytes) -> bool:
    """Whether two marks are equal, in constant time."""
    return hmac.compare_digest(one, other)
