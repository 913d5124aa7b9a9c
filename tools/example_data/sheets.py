"""Writing the files: CSV with plain newlines, and a workbook that comes out the same every time."""

import csv
import io
import re
import zipfile
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from decimal import Decimal

import openpyxl

NUMERIC = frozenset({"face_value", "price", "cost"})
"""Columns that a workbook holds as numbers, as somebody typing them would."""

EPOCH = datetime(2026, 1, 1)  # noqa: DTZ001 - a workbook's properties carry no time zone
FIRST_ZIP_TIME = (1980, 1, 1, 0, 0, 0)


def number_text(value: Decimal) -> str:
    """The number without trailing zeros: ``50``, ``9.99``."""
    text = f"{value:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def money_text(value: Decimal) -> str:
    """The amount with two to four decimals: ``49.75``, ``99.30``, ``9.925``."""
    whole, _, decimals = f"{value:f}".partition(".")
    return f"{whole}.{decimals.rstrip('0').ljust(2, '0')}"


def csv_bytes(columns: Sequence[str], lines: Iterable[Sequence[str]]) -> bytes:
    """UTF-8 without a byte order mark. Lines may be shorter or longer than the header: broken files are."""
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(columns)
    writer.writerows(lines)
    return text.getvalue().encode()


def workbook_bytes(title: str, columns: Sequence[str], rows: Iterable[Mapping[str, str]]) -> bytes:
    """One sheet with a header row, as XLSX."""
    book = openpyxl.Workbook()
    book.properties.creator = "Kameng"
    book.properties.created = EPOCH
    sheet = book.active
    sheet.title = title
    sheet.append(list(columns))
    for row in rows:
        sheet.append([Decimal(row[name]) if name in NUMERIC else row[name] for name in columns])
    sheet.freeze_panes = "A2"
    written = io.BytesIO()
    book.save(written)
    return _without_clock(written.getvalue())


def workbook_cells(data: bytes) -> list[tuple[str, list[tuple[object, ...]]]]:
    """The name and all cells of each sheet: what makes two workbooks the same."""
    book = openpyxl.load_workbook(io.BytesIO(data))
    return [(sheet.title, list(sheet.iter_rows(values_only=True))) for sheet in book.worksheets]


def _without_clock(data: bytes) -> bytes:
    """The same package with fixed times, and stored, because compressors differ between machines."""
    packed = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as old, zipfile.ZipFile(packed, "w", zipfile.ZIP_STORED) as new:
        for name in sorted(old.namelist()):
            part = old.read(name)
            if name == "docProps/core.xml":
                stamp = EPOCH.strftime("%Y-%m-%dT%H:%M:%SZ").encode()
                part = re.sub(rb"(<dcterms:modified[^>]*>)[^<]*", rb"\g<1>" + stamp, part)
            new.writestr(zipfile.ZipInfo(name, FIRST_ZIP_TIME), part)
    return packed.getvalue()
