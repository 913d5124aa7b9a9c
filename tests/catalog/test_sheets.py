"""Reading files: encodings, delimiters, workbooks, headers, and what is no table."""

import codecs
import csv
import io
import re
from contextlib import closing
from datetime import date, datetime
from pathlib import Path
from typing import Any

import openpyxl
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from kameng_catalog.importing.faults import Fault, UnreadableFile, write_faults
from kameng_catalog.importing.rows import Columns, LossyNumber, Row
from kameng_catalog.importing.sheets import open_sheet, text_sheet
from kameng_catalog.importing.workbooks import cell_text

_SPECIAL = re.compile('[,"\n\r]')

COLUMNS = Columns(known=("sku", "title", "note"), required=frozenset({"sku", "title"}))


def read(path: Path, encoding: str | None = None) -> list[tuple[int, list[str]]]:
    with closing(open_sheet(path, COLUMNS, encoding=encoding)) as sheet:
        rows = [(row.line, row.cells) for row in sheet.rows()]
        assert sheet.done >= sheet.total > 0
    return rows


def written(folder: Path, data: bytes) -> Path:
    path = folder / "file.csv"
    path.write_bytes(data)
    return path


TEXT = "sku,title\nA,点卡\n"


@pytest.mark.parametrize(
    "data",
    [
        TEXT.encode(),
        codecs.BOM_UTF8 + TEXT.encode(),
        TEXT.encode("gb18030"),
        TEXT.encode("utf-16"),
        TEXT.replace("\n", "\r\n").encode(),
        TEXT.replace(",", ";").encode(),
        TEXT.replace(",", "\t").encode("gb18030"),
    ],
    ids=["utf-8", "utf-8 with mark", "gb18030", "utf-16", "crlf", "semicolons", "tabs"],
)
def test_encodings_and_delimiters_are_found(tmp_path: Path, data: bytes) -> None:
    assert read(written(tmp_path, data)) == [(2, ["A", "点卡"])]


def test_an_ideograph_may_lie_across_two_pieces_of_reading(tmp_path: Path) -> None:
    # Given a file in which the megabyte ends within a character
    filler = "sku,title\n" + "A," + "x" * ((1 << 20) - len("sku,title\nA,") - 1)
    path = written(tmp_path, (filler + "点\n").encode())
    # When it is read, then it is UTF-8 all the same; the cell is only too long for a CSV reader
    with pytest.raises(UnreadableFile, match="field larger than field limit"):
        read(path)


def test_a_named_encoding_must_fit(tmp_path: Path) -> None:
    path = written(tmp_path, TEXT.encode("gb18030"))
    assert read(path, "gb18030") == [(2, ["A", "点卡"])]
    with pytest.raises(UnreadableFile, match="not utf-8: byte 13 does not fit"):
        read(path, "utf-8")
    with pytest.raises(UnreadableFile, match="no encoding 'klingon'"):
        read(path, "klingon")


def test_neither_utf8_nor_gb18030(tmp_path: Path) -> None:
    with pytest.raises(UnreadableFile, match="neither UTF-8 nor GB18030"):
        read(written(tmp_path, b"sku,title\nA,\xff\xff\n"))


def test_a_row_stands_on_the_line_where_it_begins(tmp_path: Path) -> None:
    # Given quoted line breaks and empty lines
    path = written(tmp_path, b'sku,title\n\nA,"one\ntwo"\n\n,\nB,three\n')
    # Then lines are counted as an editor does
    assert read(path) == [(3, ["A", "one\ntwo"]), (7, ["B", "three"])]


@pytest.mark.parametrize(
    ("header", "faults"),
    [
        ("sku", [Fault(1, "title", "is missing")]),
        ("sku,title,sku", [Fault(1, "sku", "stands there twice")]),
        ("sku,title,colour", [Fault(1, "colour", "is no column of such a file")]),
        ("sku,,title", [Fault(1, "", "a column has no name")]),
        ("foo", [
            Fault(1, "foo", "is no column of such a file"),
            Fault(1, "sku", "is missing"),
            Fault(1, "title", "is missing"),
        ]),
    ],
)  # fmt: skip
def test_a_header_that_does_not_fit_is_told_whole(header: str, faults: list[Fault]) -> None:
    with pytest.raises(UnreadableFile) as caught:
        text_sheet(f"{header}\nx\n", COLUMNS)
    assert list(caught.value.faults) == faults


def test_names_of_columns_may_be_in_any_order_and_case() -> None:
    sheet = text_sheet(" Title ,SKU\n a , b \n", COLUMNS)
    assert sheet.columns == ("title", "sku")
    assert [row.cells for row in sheet.rows()] == [["a", "b"]]


@pytest.mark.parametrize(
    ("text", "line"),
    [('sku,title\nA,"open\nB,x\n', 2), ('sku,title\nA,x\nB,"shut"x\n', 3)],
    ids=["never closed", "closed too early"],
)
def test_broken_quotation_is_told_with_its_line(text: str, line: int) -> None:
    with pytest.raises(UnreadableFile, match=f"no CSV from line {line} on"):
        list(text_sheet(text, COLUMNS).rows())


def test_what_is_no_table(tmp_path: Path) -> None:
    with pytest.raises(UnreadableFile, match=r"cannot be read: No such file"):
        open_sheet(tmp_path / "none.csv", COLUMNS)
    with pytest.raises(UnreadableFile, match="is empty"):
        read(written(tmp_path, b""))
    with pytest.raises(UnreadableFile, match="no workbook that can be read"):
        read(written(tmp_path, b"PK\x03\x04 and no zip"))
    with pytest.raises(UnreadableFile, match=r"old format \.xls"):
        read(written(tmp_path, b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"))


def workbook(folder: Path, rows: list[list[Any]]) -> Path:
    book = openpyxl.Workbook()
    for row in rows:
        book.active.append(row)
    path = folder / "file.xlsx"
    book.save(path)
    return path


def test_a_workbook_reads_like_a_csv_file(tmp_path: Path) -> None:
    path = workbook(
        tmp_path,
        [
            ["sku", "title", "note"],
            ["A", 9.98, date(2030, 12, 31)],
            [],
            ["B", 50, None],
            ["C", "x", "y", "z"],
        ],
    )
    assert read(path) == [
        (2, ["A", "9.98", "2030-12-31"]),
        (4, ["B", "50", ""]),
        (5, ["C", "x", "y", "z"]),  # a cell too many stays, to be told
    ]


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, ""),
        (" x ", "x"),
        (0.1 + 0.2, "0.3"),
        (0.00001, "0.00001"),
        (99.30125, "99.30125"),
        (True, "TRUE"),
        (datetime(2030, 1, 2), "2030-01-02"),  # noqa: DTZ001 - spreadsheets know no time zones
        (123456789012345, "123456789012345"),
    ],
)
def test_cells_of_workbooks_are_written_as_people_would(value: object, text: str) -> None:
    assert cell_text(value) == text


def test_a_number_with_too_many_digits_is_marked() -> None:
    assert isinstance(cell_text(1841948154171411584), LossyNumber)
    assert not isinstance(cell_text(184194815417141), LossyNumber)


def test_rows_do_not_show_their_cells() -> None:
    assert "secret" not in repr(Row(3, ["secret"]))


def test_faults_are_written_for_spreadsheets(tmp_path: Path) -> None:
    write_faults(tmp_path / "errors.csv", [Fault(3, "price", "`19.9元` is not a number")])
    assert (tmp_path / "errors.csv").read_bytes() == (
        codecs.BOM_UTF8 + "line,column,reason\r\n3,price,`19.9元` is not a number\r\n".encode()
    )


@example([["", "", " "]], "\n", False, 1)
@given(
    st.lists(st.lists(st.text(alphabet='ab ,"\n\r\t点', max_size=5), min_size=1, max_size=4), max_size=12),
    st.sampled_from(["\n", "\r\n", "\r"]),
    st.booleans(),
    st.integers(1, 5),
)
def test_pieces_hold_the_rows_that_are_read_one_by_one(
    rows: list[list[str]], end: str, quoted: bool, size: int
) -> None:
    # Given a table with and without quotation marks, with rows of any width
    table = [["sku", "title", "note"], *rows]
    text = io.StringIO(newline="")
    if quoted:
        csv.writer(text, lineterminator=end).writerows(table)
    else:
        text.writelines(",".join(_SPECIAL.sub("", cell) for cell in row) + end for row in table)
    # When it is read in pieces, then its rows and their lines are the same
    one_by_one = list(text_sheet(text.getvalue(), COLUMNS).rows())
    pieces = list(text_sheet(text.getvalue(), COLUMNS).pieces(size))
    assert [row for piece in pieces for row in piece.each()] == one_by_one
    assert all(len(piece) <= size for piece in pieces)
    for piece in pieces:
        if piece.columns is not None:
            # A row without any sign is none; one of spaces is a row of empty cells, of which readers complain.
            plain = [[cell.strip() for cell in row] for row in zip(*piece.columns, strict=True) if any(row)]
            assert plain == [row.cells for row in piece.each()]


def test_pieces_tell_where_a_file_ceases_to_be_a_table() -> None:
    sheet = text_sheet('sku,title\nA,one\n"B","two\nlines"\nC,"th"ree\n', COLUMNS)
    with pytest.raises(UnreadableFile, match="no CSV from line 5 on"):
        list(sheet.pieces(2))
