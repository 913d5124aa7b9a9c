"""Reading what is compared: the bill's rows and our records, as frames."""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, BinaryIO, cast
from uuid import UUID

from kameng.db import Database, Statement
from kameng_settlement.reconciliation.our_side import OUR_SIDE
from kameng_settlement.reconciliation.sides import OUR_COLUMNS, TEXTS, THEIR_COLUMNS, frame_of
from kameng_settlement.reconciliation.statements import THEIR_SIDE

if TYPE_CHECKING:
    import polars as pl


async def read_sides(
    db: Database,
    source: str,
    bill: object,
    waiting: Sequence[Mapping[str, Any]],
    day: tuple[datetime, datetime],
    carry: timedelta,
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Both sides: the day's rows, and those of earlier days that still wait for an explanation.

    Args:
        db: in the run's transaction.
        source: the account.
        bill: the key of the day's bill.
        waiting: what was carried over, and cases that are not settled.
        day: when it begins and ends.
        carry: how long before and after it a row may belong to a neighbouring day.

    Returns:
        the gateway's side and ours.
    """
    import polars as pl

    begins, ends = day
    rows = [row["bill_row"] for row in waiting if row["bill_row"] is not None]
    keys = [UUID(int=row["ours"].int) for row in waiting if row["ours"] is not None]
    theirs = await _read(db, THEIR_SIDE, THEIR_COLUMNS, bill, rows)
    ours = await _read(db, OUR_SIDE, OUR_COLUMNS, source, begins - carry, ends + carry, keys)
    within = (pl.col("at") >= begins) & (pl.col("at") < ends)
    known = pl.col("ours").is_in([str(key) for key in keys]) & ~within
    return theirs, ours.with_columns(known=known, near=~within & ~known)


async def _read(db: Database, statement: Statement, columns: Sequence[str], *values: Any) -> pl.DataFrame:
    """The rows of a statement as a frame, by COPY: a million of them as Python objects would not fit."""
    scope = db.scope
    assert scope is not None  # noqa: S101 - `reconcile` opened it
    with cast("BinaryIO", tempfile.TemporaryFile(prefix="kameng-reconcile-")) as file:
        await scope.run(
            lambda connection: connection.copy_from_query(
                statement.sql, *values, output=file, format="csv", force_quote=list(TEXTS & set(columns))
            )
        )
        file.seek(0)
        return await asyncio.to_thread(frame_of, file, columns)
