"""The nightly check: everything recomputed; what differs is told, and nothing is adjusted."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING
from uuid import UUID

import msgspec
import structlog

from kameng.db import Database, Statement
from kameng.db.database import as_json
from kameng.graphql.pages import Keyset, PageRequest
from kameng.ids import new_id
from kameng.module import NotificationKind
from kameng.notify import Notifications
from kameng_settlement.events import LedgerNotWhole
from kameng_settlement.verifying import verify_ledger

if TYPE_CHECKING:
    from kameng.kernel import Kernel

NEWEST = 7
"""Sealed days whose content is hashed anew each night; ``kameng ledger verify`` takes all of them."""

CHECKS = Keyset("ledger-checks", (("c.id", "uuid"),), descending=True)
"""Checks, the newest first."""

LEDGER_NOT_WHOLE = NotificationKind(
    name="ledger_not_whole",
    title_en="The ledger is not whole",
    title_zh="账本核对发现差异",
    templates="kameng_settlement:notifications",
    staff="settlement.read_ledger",
    optional=False,
)

log = structlog.get_logger(__name__)

_NOW = Statement("settlement.check_began", "select clock_timestamp()")

_KEEP = Statement(
    "settlement.keep_check",
    """
    insert into settlement_ledger_check
        (id, began_at, ended_at, accounts, transactions, postings, whole, found, findings)
    values ($1, $2, clock_timestamp(), $3, $4, $5, $6, $7, $8)
    """,
)


class StoredCheck(msgspec.Struct, frozen=True):
    """A check as it is kept.

    Attributes:
        id: its key.
        began_at, ended_at: when.
        accounts, transactions, postings: how many were looked at.
        whole: whether nothing was found.
        found: how many things were wrong.
        findings: they, for people; of many the first ones.
    """

    id: UUID
    began_at: datetime
    ended_at: datetime
    accounts: int
    transactions: int
    postings: int
    whole: bool
    found: int
    findings: list[str]


async def check_ledger(kernel: Kernel) -> None:
    """Verify the ledger and keep what was found; the staff is told where it is not whole. Run every day."""
    began = await kernel.db.fetchval(_NOW)
    report = await verify_ledger(kernel.db, kernel.vault, newest=NEWEST)
    key = new_id()
    async with kernel.db.transaction():
        await kernel.db.execute(
            _KEEP,
            key,
            began,
            report.accounts,
            report.transactions,
            report.postings,
            report.ok,
            report.found,
            as_json(report.findings),
        )
        if not report.ok:
            await kernel.events.emit(
                LedgerNotWhole(check=str(key), found=report.found, first=report.findings[0])
            )
    if not report.ok:
        log.error("the ledger is not whole", check=str(key), found=report.found, first=report.findings[0])


async def tell_ledger_not_whole(kernel: Kernel, event: LedgerNotWhole) -> None:
    """Tell whoever may read the ledger."""
    notifications = kernel.services.find(Notifications)
    if notifications is None:
        return
    await notifications.tell_staff(
        "settlement.ledger_not_whole",
        event.check,
        {"found": event.found, "first": event.first, "url": f"{kernel.settings.public_url}/admin"},
    )


async def check_page(db: Database, page: PageRequest, *, whole: bool | None) -> list[StoredCheck]:
    """A page of checks, with one more than asked for: all, or those that found nothing or something."""
    behind, tail, cursor = page.clauses(CHECKS, 2)
    rows = await db.fetch(
        f"select c.* from settlement_ledger_check c where ($1::bool is null or c.whole = $1) and {behind} {tail}",
        whole,
        *cursor,
    )
    return [stored_check(row) for row in rows]


async def checks_by_id(db: Database, keys: list[UUID]) -> list[StoredCheck | None]:
    """Checks in the order of their keys. One statement."""
    rows = await db.fetch("select c.* from settlement_ledger_check c where c.id = any($1::uuid[])", keys)
    found = {row["id"]: stored_check(row) for row in rows}
    return [found.get(key) for key in keys]


def stored_check(row: object) -> StoredCheck:
    """The check in a row of ``settlement_ledger_check``."""
    values = dict(row)  # type: ignore[call-overload]  # asyncpg's records are mappings without types
    return StoredCheck(**{**values, "findings": msgspec.json.decode(values["findings"], type=list[str])})
