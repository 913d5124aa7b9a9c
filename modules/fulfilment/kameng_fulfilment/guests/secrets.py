"""What opens a guest's order: the secret that he gets with it, and passes for a while after a look-up by contact.

A secret is drawn for each order. What is looked for is a digest of it; the secret itself is kept sealed for one use alone:
telling it to its owner again. So it outlives the keys of the deployment, whichever of them is replaced.
"""

from __future__ import annotations

import hmac
import re
import secrets
import time
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Sequence
from hashlib import sha256
from typing import TYPE_CHECKING
from uuid import UUID

from kameng.vault import MasterKeyUnknownError, Signature
from kameng_fulfilment.guests.statements import CONTACTS_OF_ORDERS

if TYPE_CHECKING:
    from kameng.kernel import Kernel
    from kameng_fulfilment.guests.contacts import Contact

PASS_SECONDS = 1800
"""So long a pass opens an order after its contact was given."""

_SECRETS = "fulfilment.guest_secrets"
_PASSES = "fulfilment.guest_passes"
_LOOKUPS = "fulfilment.guest_lookups"
_PASS = re.compile(r"p[A-Za-z0-9_-]{70,90}")


def new_secret() -> str:
    """A secret for an order: 256 random bits."""
    return f"s{secrets.token_urlsafe(32)}"


def secret_place(contact: UUID) -> bytes:
    """What binds a sealed secret to its row, and tells it from the contact that is sealed there too."""
    return contact.bytes + b"secret"


async def secrets_of(kernel: Kernel, orders: Sequence[tuple[UUID, str]]) -> dict[UUID, str]:
    """The secrets of guests' orders, by the order's key. One statement, and one more for data keys that are not known yet.

    Args:
        kernel: whose orders.
        orders: keys and numbers. Those of members have no secret, nor have those that were placed when secrets were made by
            a signing key that was replaced since: their owners still have the links that they got.
    """
    numbers = dict(orders)
    rows = await kernel.db.fetch(CONTACTS_OF_ORDERS, list(numbers))
    kept = [row for row in rows if row["sealed_secret"] is not None]
    opened = await kernel.vault.open_many(
        [(row["data_key"], row["sealed_secret"], secret_place(row["id"])) for row in kept]
    )
    found = {row["order_id"]: text.decode() for row, text in zip(kept, opened, strict=True)}
    for row in rows:
        if row["sealed_secret"] is None:
            order = row["order_id"]
            secret = _signed_secret(kernel, order)
            if hmac.compare_digest(row["secret_mark"], secret_mark(numbers[order], secret)):
                found[order] = secret
    return found


def _signed_secret(kernel: Kernel, order: UUID) -> str:
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
