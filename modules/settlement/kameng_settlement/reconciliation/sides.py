"""The two sides as the database gives them by COPY, and as frames."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, BinaryIO

from kameng_settlement.reconciliation.normal import COLUMNS

if TYPE_CHECKING:
    import polars as pl

THEIR_COLUMNS = ("row", *COLUMNS, "known")
"""What `kameng_settlement.reconciliation.statements.THEIR_SIDE` yields."""

OUR_COLUMNS = ("ours", *COLUMNS, "posted")
"""What `kameng_settlement.reconciliation.our_side.OUR_SIDE` yields."""

TEXTS = frozenset({"kind", "number", "reference", "parent", "status", "currency", "ours", "posted"})
"""Columns that COPY has to quote, so that an empty text is not taken for none."""


def frame_of(file: BinaryIO, columns: Sequence[str]) -> pl.DataFrame:
    """Rows as PostgreSQL's COPY writes them as CSV, without a header."""
    # Only where sides are compared: polars is heavy.
    import polars as pl

    counted = {"row", "line", "amount", "fee"}
    frame = pl.read_csv(
        file,
        has_header=False,
        schema={name: pl.Int64 if name in counted else pl.String for name in columns},
        empty_string_is_null=False,
    )
    at = pl.col("at").str.to_datetime("%Y-%m-%d %H:%M:%S%.f%#z", time_unit="us")
    made = [at.dt.convert_time_zone("UTC")]
    if "known" in columns:
        made.append(pl.col("known") == "t")
    return frame.with_columns(made)
