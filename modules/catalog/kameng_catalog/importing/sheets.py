"""Opening tables: CSV in UTF-8 or GB18030, and XLSX, told apart by their content."""

from __future__ import annotations

import io
import os
from pathlib import Path
from typing import BinaryIO

from kameng_catalog.importing.csv_sheets import CsvSheet
from kameng_catalog.importing.encodings import encoding_of
from kameng_catalog.importing.faults import UnreadableFile
from kameng_catalog.importing.rows import Columns, Sheet


def open_sheet(path: Path, columns: Columns, *, encoding: str | None = None) -> Sheet:
    """Open a file, whose kind is told by its content, not by its name.

    Raises:
        UnreadableFile: there is no such file, or it is no table with these columns.
    """
    try:
        file = path.open("rb")
    except OSError as error:
        raise UnreadableFile(
            f"{path} cannot be read: {error.strerror or error}.", cure="Check the path."
        ) from error
    return read_sheet(file, columns, name=path.name, encoding=encoding)


def read_sheet(
    file: BinaryIO, columns: Columns, *, name: str = "The file", encoding: str | None = None
) -> Sheet:
    """A sheet of an open file, which can be read from any place; the sheet closes it, and so does a refusal.

    Args:
        file: the file, whose kind is told by its content.
        columns: those of such a file.
        name: what to call it in messages.
        encoding: the encoding of its text; None finds out.

    Raises:
        UnreadableFile: it is no table with these columns.
    """
    try:
        size = file.seek(0, os.SEEK_END)
        file.seek(0)
        start = file.read(8)
        file.seek(0)
        if start.startswith(b"PK\x03\x04"):
            # Imported when it is needed: openpyxl would make every start of every process slower.
            from kameng_catalog.importing.workbooks import WorkbookSheet

            return WorkbookSheet(file, columns)
        if start.startswith(b"\xd0\xcf\x11\xe0"):
            raise UnreadableFile(
                f"{name} is a workbook in the old format .xls.", cure="Save it as .xlsx or as CSV."
            )
        return CsvSheet(file, columns, encoding_of(file, encoding), total=size)
    except BaseException:
        file.close()
        raise


def text_sheet(text: str, columns: Columns) -> Sheet:
    """A sheet of CSV text.

    Raises:
        UnreadableFile: it is no table with these columns.
    """
    data = text.encode()
    return CsvSheet(io.BytesIO(data), columns, "utf-8-sig", total=len(data))
