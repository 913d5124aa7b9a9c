"""Proving that the log is as it was written, or finding where it is not.

Everything is recomputed in one consistent view of the database, page by page, so the memory needed does not
grow with the log.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import TYPE_CHECKING, Any

from kameng.audit import statements
from kameng.audit.entry import GENESIS, link_hash
from kameng.audit.heads import Head, is_genuine
from kameng.audit.report import MOST_FINDINGS, Anchor, Kind, Report
from kameng.vault import MasterKeyUnknownError

if TYPE_CHECKING:
    import asyncpg

    from kameng.kernel import Kernel

PAGE = 2000


async def verify(kernel: Kernel, anchor: Anchor | None = None) -> Report:
    """Recompute the whole chain from what is committed.

    Finds entries that were altered, removed, put in past the log, or moved, links and tails that were cut
    off, chains that were recomputed to hide it, and heads that are not ours. An entry that was removed
    together with its waiting mark before it was chained, and a database put back as a whole, leave no trace
    here; for the latter pass an anchor.

    Args:
        kernel: an open kernel; its vault holds the signing key.
        anchor: a place noted down after an earlier verification.
    """
    report = Report()
    async with (
        kernel.db.connection() as connection,
        # One snapshot for all queries: what is chained meanwhile must not look like a contradiction.
        connection.transaction(isolation="repeatable_read", readonly=True),
    ):
        heads = [Head.of(row) for row in await connection.fetch(str(statements.HEADS))]
        expected = _check_heads(kernel, heads, report)
        if anchor and anchor.position:
            expected.setdefault(anchor.position, {})["the anchor"] = anchor.hash
        await _check_links(connection, expected, report)
        _check_end(report, heads)
        for row in await connection.fetch(str(statements.UNCHAINED), MOST_FINDINGS):
            message = (
                f"Entry {row['id']} of {row['at']:%F %T} has no place in the chain: it bypassed the log."
            )
            report.add(Kind.UNCHAINED, None, row["id"], message)
        for row in await connection.fetch(str(statements.LOST_PENDING), MOST_FINDINGS):
            message = f"Entry {row['audit_id']} was removed before it was chained."
            report.add(Kind.LOST, None, row["audit_id"], message)
        report.pending = await connection.fetchval(str(statements.COUNT_PENDING))
    report.findings.sort(key=lambda item: (item.position is None, item.position or 0))
    return report


def _check_heads(kernel: Kernel, heads: list[Head], report: Report) -> dict[int, dict[str, bytes]]:
    """Check the signatures; returns which hashes the chain must have at which positions, and who says so."""
    expected: dict[int, dict[str, bytes]] = {}
    previous: Head | None = None
    for head in heads:
        place = f"Position {head.position}: the head of {head.day}"
        try:
            if not is_genuine(kernel.vault, head, previous):
                message = f"{place}, or the one before it, is not as it was signed."
                report.add(Kind.HEAD_FORGED, head.position, None, message)
        except MasterKeyUnknownError as error:
            report.add(Kind.HEAD_FORGED, head.position, None, f"{place} cannot be checked: {error}")
        expected.setdefault(head.position, {})[f"the head of {head.day}"] = head.hash
        previous = head
    return expected


async def _check_links(
    connection: asyncpg.Connection, expected: dict[int, dict[str, bytes]], report: Report
) -> None:
    position: int = 0
    hash_: bytes | None = GENESIS
    async for row in _links(connection):
        if row["position"] != position + 1:
            message = f"Positions {position + 1} to {row['position'] - 1} are missing from the chain."
            report.add(Kind.LINK_MISSING, position + 1, None, message)
            hash_ = None  # what this place builds on is gone with them
        position, entry = row["position"], row["audit_id"]
        if row["id"] is None:
            message = f"Position {position}: the entry {entry} was removed."
            report.add(Kind.ROW_MISSING, position, entry, message)
        elif hash_ is not None and link_hash(hash_, row) != row["hash"]:
            message = f"Position {position}: the entry {entry}, or its place, is not what was chained."
            report.add(Kind.ALTERED, position, entry, message)
        # From the stored hash on, so that one change is one finding.
        hash_ = row["hash"]
        for witness, witnessed in expected.pop(position, {}).items():
            if witnessed != hash_:
                message = f"Position {position}: the chain up to here is another than {witness} says."
                report.add(Kind.REWRITTEN, position, None, message)
        report.entries += 1
    report.head = Anchor(position, hash_ or GENESIS)
    for beyond, witnesses in sorted(expected.items()):
        if beyond > position:  # one inside the chain stood at a link that is missing, and that has been told
            for witness in witnesses:
                message = f"The chain was cut off after position {position}: {witness} stands at {beyond}."
                report.add(Kind.TRUNCATED, position + 1, None, message)


def _check_end(report: Report, heads: list[Head]) -> None:
    signed = max((head.position for head in heads), default=0)
    if report.head.position > signed:
        message = f"Positions {signed + 1} to {report.head.position} were chained without a signed head."
        report.add(Kind.UNSIGNED, signed + 1, None, message)


async def _links(connection: asyncpg.Connection) -> AsyncIterator[Any]:
    last = 0
    while rows := await connection.fetch(str(statements.LINKS), last, PAGE):
        for row in rows:
            yield row
        last = rows[-1]["position"]
