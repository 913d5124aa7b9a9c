"""An entry of the log, and the hash that ties it to all before it.

The hash of a place is SHA-256 over the hash of the place before (32 zero bytes for the first) and the entry
as canonical JSON: an array of its columns in the order of `AuditEntry`, ids and times as text, details with
sorted keys, UTF-8, without spaces.
"""

from __future__ import annotations

from datetime import UTC, datetime
from hashlib import sha256
from typing import Any
from uuid import UUID

import msgspec
import orjson

GENESIS = bytes(32)
"""What stands before the first place."""


class AuditEntry(msgspec.Struct, frozen=True, kw_only=True):
    """What was done.

    Attributes:
        id: the entry's id.
        at: when, by the database's clock.
        action: ``module.what_was_done``.
        principal_kind, principal_id: who did it.
        subject: what it was done to, such as ``order:0189…``.
        details: what else matters.
        address: the network address that the request came from; empty if there was none.
        correlation_id: ties together what one request caused.
    """

    id: UUID
    at: datetime
    action: str
    principal_kind: str
    principal_id: UUID | None
    subject: str
    details: dict[str, Any]
    address: str
    correlation_id: str


def entry_of(row: Any) -> AuditEntry:
    """The entry in a row of ``kernel_audit``."""
    return AuditEntry(
        id=row["id"],
        at=row["at"],
        action=row["action"],
        principal_kind=row["principal_kind"],
        principal_id=row["principal_id"],
        subject=row["subject"],
        details=orjson.loads(row["details"]),
        address=row["address"],
        correlation_id=row["correlation_id"],
    )


def link_hash(previous: bytes, row: Any) -> bytes:
    """The hash of a place in the chain, from the hash before and the row of ``kernel_audit`` there."""
    return sha256(previous + _canonical(row)).digest()


def _canonical(row: Any) -> bytes:
    try:
        details = orjson.loads(row["details"])
    except orjson.JSONDecodeError:  # a number that no entry of ours has, so somebody put it there
        details = row["details"]
    return orjson.dumps(
        [
            str(row["id"]),
            row["at"].astimezone(UTC).isoformat(timespec="microseconds"),
            row["action"],
            row["principal_kind"],
            str(row["principal_id"]) if row["principal_id"] else None,
            row["subject"],
            details,
            row["address"],
            row["correlation_id"],
        ],
        option=orjson.OPT_SORT_KEYS,
    )
