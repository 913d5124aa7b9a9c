"""Reading the log: pages for operators, the newest entries first."""

from __future__ import annotations

import binascii
from base64 import urlsafe_b64decode, urlsafe_b64encode
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING
from uuid import UUID

import msgspec

from kameng.audit.entry import AuditEntry, entry_of
from kameng.audit.statements import page_sql
from kameng.errors import InvalidInput

if TYPE_CHECKING:
    from kameng.db import Database

LARGEST_PAGE = 200
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


class AuditPage(msgspec.Struct, frozen=True, kw_only=True):
    """Some entries, the newest first.

    Attributes:
        entries: at most as many as were asked for.
        next: the cursor of the page after this one; None on the last.
    """

    entries: list[AuditEntry]
    next: str | None


async def read_page(
    db: Database,
    *,
    action: str | None = None,
    principal_id: UUID | None = None,
    subject: str | None = None,
    since: datetime | None = None,
    until: datetime | None = None,
    after: str | None = None,
    limit: int = 50,
) -> AuditPage:
    """One page; see `AuditLog.page`."""
    if not 1 <= limit <= LARGEST_PAGE:
        raise InvalidInput(
            f"A page has 1 to {LARGEST_PAGE} entries, not {limit}.", cure="Ask for fewer at a time."
        )
    conditions: list[str] = []
    values: list[object] = []
    for condition, value in (
        ("a.action = ${}", action),
        ("a.principal_id = ${}", principal_id),
        ("a.subject = ${}", subject),
        ("a.at >= ${}", since),
        ("a.at < ${}", until),
    ):
        if value is not None:
            values.append(value)
            conditions.append(condition.format(len(values)))
    if after is not None:
        values += parse_cursor(after)
        conditions.append(f"(a.at, a.id) < (${len(values) - 1}, ${len(values)})")
    rows = await db.fetch(page_sql(conditions, len(values) + 1), *values, limit + 1)
    entries = [entry_of(row) for row in rows[:limit]]
    return AuditPage(entries=entries, next=cursor_of(entries[-1]) if len(rows) > limit else None)


def cursor_of(entry: AuditEntry) -> str:
    """Where a page that ends with this entry leaves off."""
    microseconds = (entry.at - _EPOCH) // _MICROSECOND
    return urlsafe_b64encode(microseconds.to_bytes(8, "big") + entry.id.bytes).decode()


def parse_cursor(cursor: str) -> tuple[datetime, UUID]:
    """Time and id of the entry that a cursor stands for.

    Raises:
        InvalidInput: it is none of ours.
    """
    try:
        raw = urlsafe_b64decode(cursor)
        if len(raw) != 24:
            raise ValueError(cursor)
        return _EPOCH + int.from_bytes(raw[:8], "big") * _MICROSECOND, UUID(bytes=raw[8:])
    except (ValueError, OverflowError, binascii.Error) as error:
        raise InvalidInput(
            "This is no cursor of the audit log.", cure="Use `next` as a page returned it."
        ) from error
