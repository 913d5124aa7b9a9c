"""Writing tables: harmless in spreadsheets, and the same again when they are read."""

from __future__ import annotations

from contextlib import closing
from decimal import Decimal

import openpyxl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kameng.errors import InvalidInput
from kameng_catalog.bulk.formula import PriceFormula, Rounding, too_odd
from kameng_catalog.exporting.texts import minor_text, path_titles, units_text
from kameng_catalog.exporting.writers import TableFormat, harmless, open_writer
from kameng_catalog.importing.rows import Columns
from kameng_catalog.importing.sheets import read_sheet

COLUMNS = Columns(known=("a", "b"), required=frozenset({"a"}))

# What a cell of ours can hold: no control characters but tabs and line feeds, and no spaces at the ends.
CELLS = st.text(
    st.one_of(
        st.sampled_from("=+-@'\t\n\",;#N/A＝＋－＠0123456789"),
        st.characters(blacklist_categories=("Cc", "Cs"), blacklist_characters="\ufffe\uffff\ufeff"),
    ),
    max_size=20,
).map(str.strip)


def written(kind: TableFormat, rows: list[list[str]]):
    writer = open_writer(kind, COLUMNS.known)
    writer.write(rows)
    return writer.finish()


@pytest.mark.parametrize("kind", list(TableFormat))
@given(rows=st.lists(st.tuples(CELLS.filter(bool), CELLS).map(list), max_size=6))
@settings(max_examples=60, deadline=None)
def test_what_is_written_is_what_is_read(kind: TableFormat, rows: list[list[str]]) -> None:
    encoding = "gb18030" if kind is TableFormat.CSV_GB18030 else None
    with closing(read_sheet(written(kind, rows), COLUMNS, encoding=encoding)) as sheet:
        assert sheet.columns == ("a", "b")
        assert [row.cells for row in sheet.rows()] == rows


@given(CELLS)
def test_no_cell_of_a_csv_file_is_a_formula(text: str) -> None:
    assert harmless(text)[:1] not in set("=+-@\t\r＝＋－＠") or not text


def test_the_form_of_a_csv_file() -> None:
    with written(TableFormat.CSV, [["=1+1", "'=x"], ["plain", "'quoted'"], ["汉字", '"']]) as file:
        content = file.read()
    assert content == ("\ufeffa,b,quoted\r\n'=1+1,''=x,1\r\nplain,'quoted',\r\n汉字,\"\"\"\",\r\n".encode())
    with written(TableFormat.CSV_GB18030, [["汉字", "€"]]) as file:
        assert file.read().decode("gb18030") == "a,b,quoted\r\n汉字,€,\r\n"


def test_the_cells_of_a_workbook_are_text() -> None:
    rows = [["=1+1", "#N/A"], ["00012345678901234567", "1e5"]]
    with written(TableFormat.XLSX, rows) as file:
        sheet = openpyxl.load_workbook(file).active
        cells = list(sheet.iter_rows(min_row=2))
        assert [[cell.value for cell in row] for row in cells] == rows
        assert {cell.data_type for row in cells for cell in row} == {"s"}


def test_a_line_that_somebody_added_needs_no_mark() -> None:
    from io import BytesIO

    text = "a,quoted,b\r\n'=x,1,y\r\n'=x,,y\r\n'z,1,''-1\r\n"
    with closing(read_sheet(BytesIO(text.encode()), COLUMNS)) as sheet:
        assert [row.cells for row in sheet.rows()] == [["=x", "y"], ["'=x", "y"], ["'z", "'-1"]]
    text = "a,b,quoted\r\nx,y\r\n"
    with closing(read_sheet(BytesIO(text.encode()), COLUMNS)) as sheet:
        assert [row.cells for row in sheet.rows()] == [["x", "y"]]


def test_values_as_texts() -> None:
    assert [units_text(units) for units in (None, 0, 99_000, 123, 10_050, 1)] == [
        "", "0.00", "9.90", "0.0123", "1.005", "0.0001",
    ]  # fmt: skip
    assert (minor_text(1050, "CNY"), minor_text(500, "JPY"), minor_text(None, None)) == ("10.50", "500", "")
    titles = {"game": {"en": "Games"}, "game/pc": {"en": "PC", "zh-CN": "电脑"}, "a": {"en": "A/B"}}
    assert path_titles("game/pc", titles, "en") == "Games/PC"
    assert path_titles("game/pc", titles, "zh-CN") == "电脑"
    assert path_titles("a", titles, "en") == ""


@pytest.mark.parametrize(
    ("formula", "base", "floor", "price"),
    [
        (PriceFormula(percent="5"), "9.90", None, "10.40"),  # 10.395: half to even
        (PriceFormula(percent="-2.5", decimals=4), "9.9001", None, "9.6526"),
        (PriceFormula(amount="0.5"), "9.90", None, "10.40"),
        (PriceFormula(percent="10", amount="-1"), "10.00", None, "10.00"),
        (PriceFormula(ending="0.99"), "10.40", None, "9.99"),
        (PriceFormula(ending="0.99"), "10.50", None, "10.99"),
        (PriceFormula(ending="0.99"), "10.49", None, "10.99"),
        (PriceFormula(ending="0.99", rounding=Rounding.DOWN), "10.98", None, "9.99"),
        (PriceFormula(ending="0.99", rounding=Rounding.UP), "10.991", None, "11.99"),
        (PriceFormula(ending="0.90", rounding=Rounding.UP), "10.90", None, "10.90"),
        (PriceFormula(ending="0.00"), "10.40", None, "10.00"),
        (PriceFormula(percent="-50"), "10.00", "8.123", "8.13"),
        (PriceFormula(percent="-50", ending="0.99"), "10.00", "8.123", "8.99"),
        (PriceFormula(percent="-50", refuse_below_cost=True), "10.00", "8.123", "5.00"),
    ],
)
def test_a_formula_is_exact(formula: PriceFormula, base: str, floor: str | None, price: str) -> None:
    def units(text: str) -> int:
        return int(Decimal(text) * 10_000)

    assert formula.price(units(base), units(floor) if floor else None) == units(price)


@given(
    base=st.integers(0, 10**9),
    percent=st.integers(-9900, 50_000).map(lambda hundredths: str(Decimal(hundredths) / 100)),
    ending=st.sampled_from(["", "0.00", "0.90", "0.99", "0.5"]),
    rounding=st.sampled_from(Rounding),
    floor=st.one_of(st.none(), st.integers(0, 10**9)),
)
def test_a_price_has_its_ending_and_keeps_its_floor(
    base: int, percent: str, ending: str, rounding: Rounding, floor: int | None
) -> None:
    formula = PriceFormula(percent=percent, ending=ending, rounding=rounding)
    formula.check()
    price = formula.price(base, floor)
    if ending:
        assert (price - int(Decimal(ending) * 10_000)) % 10_000 == 0
    assert price % 100 == 0
    assert floor is None or price >= floor
    exact = Decimal(base) * (1 + Decimal(percent) / 100)
    if floor is None or price > floor + 10_000:
        assert abs(price - exact) < 10_000


@pytest.mark.parametrize(
    "formula",
    [
        PriceFormula(percent="ten"),
        PriceFormula(percent="NaN"),
        PriceFormula(amount="0.00001"),
        PriceFormula(ending="1.99"),
        PriceFormula(decimals=5),
    ],
)
def test_formulas_that_cannot_be_computed(formula: PriceFormula) -> None:
    with pytest.raises(InvalidInput):
        formula.check()


def test_prices_that_cannot_be_meant() -> None:
    assert [too_odd(units, 100) for units in (-1, 0, 1, 2**53)] == [True, True, False, True]
    assert not too_odd(0, 0)
