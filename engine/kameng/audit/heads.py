"""Signed heads: how far the chain had come on each day.

Anybody who may write to the database can recompute hashes, so a chain alone only shows clumsy changes. The
head of each day (UTC) is signed with the vault's signing key, which the database never sees, and each
signature covers the one of the day before. The day's head moves with every batch that is chained, so the
newest one always stands at the chain's end.

Somebody who puts the whole database back to an earlier state leaves nothing that does not fit. Against that
only a copy
elsewhere helps: keep the position and hash that a verification prints, and pass them to the next one.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from typing import TYPE_CHECKING, Any

import orjson

from kameng.vault import Signature

if TYPE_CHECKING:
    from kameng.vault import Vault

_DOMAIN = "audit.head"


@dataclass(frozen=True, slots=True)
class Head:
    """The end of the chain as it was signed.

    Attributes:
        day: the UTC day.
        position, hash: the last place of that day.
        signed_at: when it was signed.
        signature: over these and the signature of the head before.
    """

    day: date
    position: int
    hash: bytes
    signed_at: datetime
    signature: Signature

    @classmethod
    def of(cls, row: Any) -> Head:
        """The head in a row of ``kernel_audit_head``."""
        signature = Signature(row["key_version"], row["mac"])
        return cls(row["day"], row["position"], row["hash"], row["signed_at"], signature)


def sign_head(
    vault: Vault, *, position: int, hash_: bytes, signed_at: datetime, previous: Head | None
) -> Head:
    """Sign a new head.

    Args:
        vault: holds the signing key.
        position, hash_: where the chain ends now.
        signed_at: now, in UTC; gives the day.
        previous: the head of the last day before this one, if any.
    """
    day = signed_at.date()
    signature = vault.sign(_DOMAIN, _message(day, position, hash_, signed_at, previous))
    return Head(day, position, hash_, signed_at, signature)


def is_genuine(vault: Vault, head: Head, previous: Head | None) -> bool:
    """Whether a head is as it was signed.

    Raises:
        MasterKeyUnknownError: the ring lacks the signing key that it names.
    """
    message = _message(head.day, head.position, head.hash, head.signed_at, previous)
    return vault.is_signed(_DOMAIN, message, head.signature)


def _message(day: date, position: int, hash_: bytes, signed_at: datetime, previous: Head | None) -> bytes:
    before = previous.signature.mac.hex() if previous else ""
    return orjson.dumps([day.isoformat(), position, hash_.hex(), signed_at.isoformat(), before])
