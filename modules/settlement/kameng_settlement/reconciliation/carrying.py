"""Rows that are late: what stands near the cut-off has a day's time to appear on the other side."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from typing import TYPE_CHECKING, Any
from uuid import UUID

from kameng.db import Database
from kameng_settlement.reconciliation.statements import CARRY, END_CARRIES

if TYPE_CHECKING:
    from kameng_settlement.reconciliation.matching import Compared


async def carry_over(
    db: Database, source: str, day: date, run: UUID, compared: Compared, carries: Sequence[Mapping[str, Any]]
) -> None:
    """Let what is late wait for the next day's bill, and end the waiting of what was explained or became a case.

    Args:
        db: in the run's transaction.
        source, day, run: what is compared.
        compared: what came of it.
        carries: what waited from earlier days.
    """
    late = [
        ((row["theirs"] or {}).get("row"), (row["ours_"] or {}).get("ours"))
        for row in compared.carried.iter_rows(named=True)
    ]
    if late:
        rows = [row for row, _ in late]
        keys = [None if key is None else UUID(key) for _, key in late]
        await db.execute(CARRY, source, day, rows, keys)
    waiting = {(row, None if key is None else UUID(key)) for row, key in late}
    cases = {
        side
        for row in compared.differences.iter_rows(named=True)
        for side in (
            ("row", (row["theirs"] or {}).get("row")),
            ("ours", (row["ours_"] or {}).get("ours")),
        )
    }
    ended: dict[str, list[int]] = {"CASE": [], "MATCHED": []}
    for carry in carries:
        key = None if carry["ours"] is None else UUID(int=carry["ours"].int)
        if (carry["bill_row"], key) in waiting:
            continue
        side = ("row", carry["bill_row"]) if key is None else ("ours", str(key))
        ended["CASE" if side in cases else "MATCHED"].append(carry["id"])
    for state, keys_ in ended.items():
        if keys_:
            await db.execute(END_CARRIES, keys_, state, run)
