"""Holding two sides against each other: a full join on kind and number, and what each pair, or lack of one, means.

Both sides are in the normal form (`kameng_settlement.reconciliation.normal`). Theirs has two more columns: ``row``, its key, and
``known``, whether it comes from an earlier day. Ours has ``ours``, its key, ``known``, and ``near``, whether it lies outside
the day and only may be somebody's other side. Everything is done on whole columns; only differences are looked at one by one.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

import polars as pl

from kameng_settlement.reconciliation.normal import RowKind, RowStatus


class Difference(StrEnum):
    """The classes of differences."""

    MISSING_OURS = "missing_ours"
    MISSING_THEIRS = "missing_theirs"
    AMOUNT = "amount"
    FEE = "fee"
    STATUS = "status"
    DUPLICATE = "duplicate"
    FUNDS = "funds"


_AGREED, _NOTHING = 0, 9
_CLASSES = {
    1: Difference.MISSING_OURS,
    2: Difference.MISSING_THEIRS,
    3: Difference.AMOUNT,
    4: Difference.FEE,
    5: Difference.STATUS,
    6: Difference.DUPLICATE,
}
_CODES = {difference: code for code, difference in _CLASSES.items()}
_SIDE = ("number", "status", "currency", "amount", "fee")


@dataclass(frozen=True)
class Compared:
    """What came of a comparison.

    Attributes:
        matched: ``row`` and ``ours`` of what agrees.
        differences: ``difference``, ``kind``, ``number``, ``effect`` and ``fee_effect`` in minor units, and the two sides
            whole as structs ``theirs`` and ``ours_``, null where there is none.
        carried: the same columns: what waits for the next day's bill.
    """

    matched: pl.DataFrame
    differences: pl.DataFrame
    carried: pl.DataFrame


def compare(theirs: pl.DataFrame, ours: pl.DataFrame, *, day_ends: datetime, carry: timedelta) -> Compared:
    """Compare payments with payments and refunds with refunds; other rows are left alone.

    Args:
        theirs, ours: the sides; see the module.
        day_ends: the moment of the account's cut-off, UTC.
        carry: rows that happened less than this before it, and have no other side, wait for the next day.
    """
    theirs = _numbered(theirs, ours).with_row_index("t")
    ours = ours.with_row_index("o")
    pairs = pl.concat([_pairs(theirs, ours, kind) for kind in (RowKind.PAYMENT, RowKind.REFUND)])
    agreed = pairs.filter(pl.col("code") == _AGREED)
    matched = pl.DataFrame(
        [
            theirs.get_column("row").gather(agreed.get_column("t")),
            ours.get_column("ours").gather(agreed.get_column("o")),
        ]
    )
    told = _told(pairs.filter(~pl.col("code").is_in([_AGREED, _NOTHING])), theirs, ours)
    waits = _waits(day_ends - carry, day_ends)
    return Compared(matched, told.filter(~waits), told.filter(waits))


def _numbered(theirs: pl.DataFrame, ours: pl.DataFrame) -> pl.DataFrame:
    """Rows without our number get it by the gateway's; who has no other side there keeps the gateway's own."""
    lacking = pl.col("number") == ""
    if not theirs.select(lacking.any()).item():
        return theirs
    known = ours.filter(pl.col("reference") != "").unique(
        ["kind", "reference"], keep="first", maintain_order=True
    )
    return (
        theirs.join(
            known.select("kind", "reference", pl.col("number").alias("found")),
            on=["kind", "reference"],
            how="left",
            maintain_order="left",
        )
        .with_columns(
            number=pl.when(lacking)
            .then(pl.coalesce("found", pl.lit("~") + pl.col("reference")))
            .otherwise(pl.col("number"))
        )
        .drop("found")
    )


def _pairs(theirs: pl.DataFrame, ours: pl.DataFrame, kind: RowKind) -> pl.DataFrame:
    """Each pair of one kind, and each row without another side, with the code of what it means."""
    of_kind = pl.col("kind") == kind.value
    left = theirs.select("t", "kind", "at", *_SIDE).filter(of_kind)
    right = ours.select("o", "kind", "at", "near", *_SIDE).filter(of_kind)
    joined = _joined(left, right)
    several = _several(joined)
    if several.is_empty():
        return joined.select("t", "o", _meaning().alias("code"), pl.lit("").alias("again"))
    ambiguous = pl.col("number").is_in(several.implode())
    first, again = _first_of_each(left.filter(ambiguous), "t")
    first_o, more = _first_of_each(right.filter(ambiguous), "o")
    return pl.concat(
        [
            pl.concat([joined.filter(~ambiguous), _joined(first, first_o)]).select(
                "t", "o", _meaning().alias("code"), pl.lit("").alias("again")
            ),
            _twice(again, first_o, ("t", "o"), "theirs"),
            _twice(more.filter(~pl.col("near")), first, ("o", "t"), "ours"),
        ]
    )


def _joined(left: pl.DataFrame, right: pl.DataFrame) -> pl.DataFrame:
    return left.select("t", *_SIDE).join(
        right.select("o", "near", *_SIDE), on="number", how="full", coalesce=True, suffix="_o"
    )


def _several(joined: pl.DataFrame) -> pl.Series:
    """The numbers that stand more than once on a side: their rows meet one row twice, or meet none."""
    alone, alone_o = pl.col("o").is_null(), pl.col("t").is_null()
    met = pl.col("o").is_duplicated() | pl.col("t").is_duplicated()
    return pl.concat(
        [
            joined.filter(~alone & ~alone_o & met).get_column("number"),
            *(
                joined.filter(side)
                .get_column("number")
                .to_frame()
                .filter(pl.col("number").is_duplicated())["number"]
                for side in (alone, alone_o)
            ),
        ]
    ).unique()


def _first_of_each(side: pl.DataFrame, key: str) -> tuple[pl.DataFrame, pl.DataFrame]:
    """A side with the first row of each number that is done, and what further rows of the same number are done."""
    numbers = side.get_column("number")
    if numbers.n_unique() == side.height:
        return side, side.clear()
    several = side.filter(numbers.is_duplicated()).with_columns(done=pl.col("status") == RowStatus.DONE.value)
    ranked = several.sort(["number", "done", "at", key], descending=[False, True, False, False])
    further = ranked.filter(pl.int_range(pl.len()).over("number") > 0)
    kept = side.join(further.select(key), on=key, how="anti", maintain_order="left")
    return kept, further.filter(pl.col("done")).drop("done")


def _twice(further: pl.DataFrame, other: pl.DataFrame, keys: tuple[str, str], side: str) -> pl.DataFrame:
    """Further rows of a number, each beside what its first one is beside of."""
    own, others = keys
    found = further.select(own, "number").join(other.select(others, "number"), on="number", how="left")
    code = pl.lit(_CODES[Difference.DUPLICATE], dtype=pl.Int32)
    return found.select("t", "o", code.alias("code"), pl.lit(side).alias("again"))


def _meaning() -> pl.Expr:
    """What a pair means. Money that neither side has is nothing."""
    done = pl.col("status") == RowStatus.DONE.value
    done_o = pl.col("status_o") == RowStatus.DONE.value
    alone, alone_o = pl.col("o").is_null(), pl.col("t").is_null()

    def code(difference: Difference) -> pl.Expr:
        return pl.lit(_CODES[difference], dtype=pl.Int32)

    nothing = pl.lit(_NOTHING, dtype=pl.Int32)
    return (
        pl.when(alone)
        .then(pl.when(done).then(code(Difference.MISSING_OURS)).otherwise(nothing))
        .when(alone_o)
        .then(pl.when(done_o & ~pl.col("near")).then(code(Difference.MISSING_THEIRS)).otherwise(nothing))
        .when(done != done_o)
        .then(code(Difference.STATUS))
        .when(~done)
        .then(nothing)
        .when((pl.col("currency") != pl.col("currency_o")) | (pl.col("amount") != pl.col("amount_o")))
        .then(code(Difference.AMOUNT))
        # Who tells no fee is not held to one.
        .when((pl.col("fee") != pl.col("fee_o")).fill_null(value=False))
        .then(code(Difference.FEE))
        .otherwise(pl.lit(_AGREED, dtype=pl.Int32))
    )


def _told(pairs: pl.DataFrame, theirs: pl.DataFrame, ours: pl.DataFrame) -> pl.DataFrame:
    """Differences with their two sides whole, in an order that is always the same."""
    left = theirs.select("t", pl.struct(pl.exclude("t", "o")).alias("theirs"))
    right = ours.select("o", pl.struct(pl.exclude("t", "o")).alias("ours_"))
    whole = (
        pairs.join(_only(left, pairs, "t"), on="t", how="left")
        .join(_only(right, pairs, "o"), on="o", how="left")
        .with_columns(
            difference=pl.col("code").replace_strict(
                list(_CLASSES), [each.value for each in _CLASSES.values()], return_dtype=pl.String
            )
        )
    )
    return (
        whole.with_columns(
            kind=pl.coalesce(_of("theirs", "kind"), _of("ours_", "kind")),
            number=pl.coalesce(_of("theirs", "number"), _of("ours_", "number")),
        )
        .with_columns(_effects())
        .sort("code", "kind", "number", "t", "o", nulls_last=True)
        .select("difference", "kind", "number", "effect", "fee_effect", "theirs", "ours_")
    )


def _only(side: pl.DataFrame, pairs: pl.DataFrame, key: str) -> pl.DataFrame:
    return side.join(pairs.select(key).drop_nulls().unique(), on=key, how="semi")


def _of(side: str, name: str) -> pl.Expr:
    return pl.col(side).struct.field(name)


def _effects() -> list[pl.Expr]:
    """By how much the gateway has more than our books say, in minor units: of what was traded, and of fees."""
    done = {
        side: pl.col(side).is_not_null() & (_of(side, "status") == RowStatus.DONE.value)
        for side in ("theirs", "ours_")
    }
    # Of what is there twice, the further row is the one too many; its first one is another pair.
    twice = pl.col("code") == _CODES[Difference.DUPLICATE]
    counts = {
        "theirs": done["theirs"] & ~(twice & (pl.col("again") == "ours")),
        "ours_": done["ours_"] & ~(twice & (pl.col("again") == "theirs")),
    }

    def held(side: str) -> pl.Expr:
        amount = pl.when(counts[side]).then(_of(side, "amount")).otherwise(0)
        return pl.when(_of(side, "kind") == RowKind.REFUND.value).then(-amount).otherwise(amount)

    def kept(side: str) -> pl.Expr:
        return pl.when(counts[side]).then(_of(side, "fee").fill_null(0)).otherwise(0)

    untold = (
        counts["theirs"] & counts["ours_"] & (_of("theirs", "fee").is_null() | _of("ours_", "fee").is_null())
    )
    return [
        (held("theirs") - held("ours_")).alias("effect"),
        pl.when(untold).then(0).otherwise(kept("ours_") - kept("theirs")).alias("fee_effect"),
    ]


def _waits(begins: datetime, ends: datetime) -> pl.Expr:
    """Whether a row has no other side yet and happened so late that it may have one tomorrow."""

    def late(side: str) -> pl.Expr:
        at = _of(side, "at")
        return pl.col(side).is_not_null() & ~_of(side, "known") & (at >= begins) & (at < ends)

    ours = (pl.col("difference") == Difference.MISSING_OURS.value) & late("theirs")
    theirs = (pl.col("difference") == Difference.MISSING_THEIRS.value) & late("ours_")
    return (ours | theirs).fill_null(value=False)
