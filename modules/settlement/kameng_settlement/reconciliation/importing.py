"""Taking a bill in: read whole, proved by its own totals, and kept row by row; or nothing of it."""

from __future__ import annotations

import asyncio
import io
from collections.abc import Callable
from datetime import date
from hashlib import sha256
from typing import TYPE_CHECKING, BinaryIO
from uuid import UUID

import msgspec
import orjson

from kameng.errors import InvalidInput
from kameng.ids import new_id
from kameng.money import check_currency
from kameng_settlement.chart import clearing_of
from kameng_settlement.reconciliation.description import Description
from kameng_settlement.reconciliation.faults import BillDiffers, UnreadableBill
from kameng_settlement.reconciliation.normal import COLUMNS, BillKind
from kameng_settlement.reconciliation.polars_extra import require_polars
from kameng_settlement.reconciliation.statements import (
    ADD_BILL,
    FIND_BILL,
    FIND_DESCRIPTION,
    TAKE_TURNS,
)

if TYPE_CHECKING:
    import polars as pl

    from kameng.auth.principal import Principal
    from kameng.kernel import Kernel
    from kameng_settlement.reconciliation.bills.layout import BillFormat
    from kameng_settlement.reconciliation.bills.reading import BillReader

Progress = Callable[[int], None]
"""Hears how many rows were read so far."""

_PIECE = 1 << 20
LONGEST_NAME = 200


class Imported(msgspec.Struct, frozen=True, kw_only=True):
    """A bill that is kept.

    Attributes:
        id: its key.
        source, day, kind: what it is of.
        rows: how many it has.
        fresh: whether it was taken in now; false where the same file was there before.
    """

    id: UUID
    source: str
    day: date
    kind: BillKind
    rows: int
    fresh: bool


def _unheard(_rows: int) -> None:
    """Nobody wants to know."""


async def bill_format(kernel: Kernel, name: str) -> BillFormat:
    """What reads a format, a described one included.

    Raises:
        InvalidInput: there is no such format.
        UnavailableError: polars is not installed.
    """
    require_polars()
    # Only where a bill is at hand: polars is heavy.
    from kameng_settlement.reconciliation.bills.formats import FORMATS, format_of

    if name in FORMATS:
        return format_of(name)
    stored = await kernel.db.fetchval(FIND_DESCRIPTION, name)
    return format_of(name, None if stored is None else msgspec.json.decode(stored, type=Description))


async def import_bill(
    kernel: Kernel,
    file: BinaryIO,
    *,
    source: str,
    form: str,
    principal: Principal,
    day: date | None = None,
    file_name: str = "",
    progress: Progress = _unheard,
) -> Imported:
    """Take a bill in; joins the transaction around it. The same file again is harmless.

    Args:
        kernel: whose database keeps it.
        file: at its start; stays open.
        source: the account, as the ledger names it, such as ``wechat:main``.
        form: a known format, or the name of a description.
        principal: who brings it.
        day: of the bill; None: that of its first row.
        file_name: for people.
        progress: hears how far it is.

    Raises:
        UnreadableBill: the first fault of the file, with its line, column and cure.
        BillTotalsDiffer: it is not whole.
        BillOfAnotherDay: a row is of another day.
        BillDiffers: there is another bill of this account, day and kind.
        InvalidInput: an unknown format, or no name of an account.
    """
    clearing_of(source)
    reader_of = await bill_format(kernel, form)
    digest = await asyncio.to_thread(_digest, file)
    from kameng_settlement.reconciliation.bills.formats import open_bill

    async with kernel.db.transaction():
        await kernel.db.execute(TAKE_TURNS, source)
        with open_bill(file, reader_of, day) as reader:
            return await _take(kernel, reader, digest, source, principal, file_name, progress)


async def _take(
    kernel: Kernel,
    reader: BillReader,
    digest: bytes,
    source: str,
    principal: Principal,
    file_name: str,
    progress: Progress,
) -> Imported:
    """Read and keep; the account's turn is ours."""
    layout = reader.format.layout
    frames = reader.frames()
    bill = new_id()
    first = await asyncio.to_thread(next, frames, None)
    if reader.day is None:
        raise InvalidInput(
            "The bill has no rows, so nobody knows its day.", cure="Name the day.", path=("input", "day")
        )
    known = await kernel.db.fetchrow(FIND_BILL, source, reader.day, layout.kind.value)
    if known is not None:
        if known["digest"] != digest:
            raise BillDiffers(
                f"There is another bill of {source} for {reader.day}.",
                cure="Compare the two files; a day has one bill. Check the account and the day that you named.",
                path=("input", "file"),
            )
        return Imported(
            id=UUID(int=known["id"].int),
            source=source,
            day=known["day"],
            kind=BillKind(known["kind"]),
            rows=known["rows"],
            fresh=False,
        )
    frame, taken = first, 0
    while frame is not None:
        await _copy(kernel, bill, frame)
        taken += frame.height
        progress(taken)
        frame = await asyncio.to_thread(next, frames, None)
    for currency in reader.totals:
        try:
            check_currency(currency)
        except InvalidInput as error:
            raise UnreadableBill(error.message, cure="Send the bill as the gateway gave it.") from error
    totals = {currency: msgspec.to_builtins(each) for currency, each in sorted(reader.totals.items())}
    name = file_name.replace("\0", "")[:LONGEST_NAME]
    await kernel.db.execute(
        ADD_BILL,
        bill,
        source,
        reader.day,
        layout.kind.value,
        layout.name,
        name,
        digest,
        taken,
        orjson.dumps(totals).decode(),
        principal.key,
    )
    await kernel.audit.record(
        "settlement.bill_imported",
        principal=principal,
        subject=f"bill:{bill}",
        details={
            "source": source,
            "day": reader.day.isoformat(),
            "kind": layout.kind.value,
            "format": layout.name,
            "rows": taken,
            "sha256": digest.hex(),
        },
    )
    return Imported(id=bill, source=source, day=reader.day, kind=layout.kind, rows=taken, fresh=True)


async def _copy(kernel: Kernel, bill: UUID, frame: pl.DataFrame) -> None:
    content = await asyncio.to_thread(_as_csv, frame, bill)
    await copy_in(kernel, "settlement_bill_row", ("bill", *COLUMNS), content)


def _as_csv(frame: pl.DataFrame, bill: UUID) -> bytes:
    import polars as pl

    return csv_of(frame.select(pl.lit(str(bill)).alias("bill"), *COLUMNS))


def csv_of(frame: pl.DataFrame) -> bytes:
    """A frame as COPY reads it: texts quoted, so that an empty one is not taken for none."""
    target = io.BytesIO()
    frame.write_csv(
        target, include_header=False, quote_style="non_numeric", datetime_format="%Y-%m-%d %H:%M:%S%.6f+00"
    )
    return target.getvalue()


async def copy_in(kernel: Kernel, table: str, columns: tuple[str, ...], content: bytes) -> None:
    """COPY what `csv_of` made into a table, inside the transaction around."""
    scope = kernel.db.scope
    assert scope is not None  # noqa: S101 - called within a transaction of ours
    await scope.run(
        lambda connection: connection.copy_to_table(
            table, source=io.BytesIO(content), columns=list(columns), format="csv"
        )
    )


def _digest(file: BinaryIO) -> bytes:
    file.seek(0)
    digest = sha256()
    while piece := file.read(_PIECE):
        digest.update(piece)
    file.seek(0)
    return digest.digest()
