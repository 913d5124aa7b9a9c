"""The example files are what their generator writes, and hold what their README promises."""

import csv
import re
from collections import Counter
from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest

from tools.example_data import __main__ as generator
from tools.example_data import card_stock, catalogue, faults, sheets

FOLDER = Path(__file__).parents[2] / "examples" / "data"

PRODUCT_COLUMNS = [
    "sku",
    "product",
    "title_zh",
    "title_en",
    "variant_zh",
    "variant_en",
    "category",
    "category_zh",
    "category_en",
    "kind",
    "face_value",
    "face_currency",
    "price",
    "cost",
    "currency",
    "description_zh",
    "description_en",
    "tags",
    "status",
]


def read(name: str) -> list[dict[str, str]]:
    with (FOLDER / name).open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file, strict=True))


@pytest.fixture(scope="module")
def products() -> list[dict[str, str]]:
    return read("products.csv")


@pytest.fixture(scope="module")
def cards() -> list[dict[str, str]]:
    return read("cards.csv")


def test_check_passes_on_the_committed_files(capsys: pytest.CaptureFixture[str]) -> None:
    assert generator.main(["--check"]) == 0
    assert capsys.readouterr().err == ""


def test_writing_twice_gives_the_same_bytes(tmp_path: Path) -> None:
    for folder in ("one", "two"):
        assert generator.main(["--folder", str(tmp_path / folder)]) == 0

    one = {path.name: path.read_bytes() for path in (tmp_path / "one").iterdir()}
    two = {path.name: path.read_bytes() for path in (tmp_path / "two").iterdir()}

    assert one == two
    assert sorted(one) == sorted(path.name for path in FOLDER.iterdir() if not path.name.startswith("."))


@pytest.mark.parametrize("name", ["products.csv", "products-small.xlsx", "README.md"])
def test_check_finds_a_changed_and_a_missing_file(
    name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    # given a folder as written, with one file changed
    generator.main(["--folder", str(tmp_path)])
    changed = tmp_path / name
    if name.endswith(".xlsx"):
        row = catalogue.row_of("CMCC-50") | {"price": "49.76"}
        changed.write_bytes(sheets.workbook_bytes("products", catalogue.COLUMNS, [row]))
    else:
        changed.write_bytes(changed.read_bytes() + b"\n")
    capsys.readouterr()

    # then the check names it
    assert generator.main(["--check", "--folder", str(tmp_path)]) == 1
    assert capsys.readouterr().err.splitlines() == [
        f"{changed} is missing or differs; run python -m tools.example_data"
    ]

    # and so it does when the file is gone
    changed.unlink()
    assert generator.main(["--check", "--folder", str(tmp_path)]) == 1


def test_all_files_together_stay_small() -> None:
    assert sum(path.stat().st_size for path in FOLDER.iterdir()) < 3_000_000


def test_no_csv_file_begins_with_a_byte_order_mark_or_breaks_lines_inside_fields() -> None:
    for path in FOLDER.glob("*.csv"):
        data = path.read_bytes()
        assert not data.startswith(b"\xef\xbb\xbf"), path.name
        assert b"\r" not in data, path.name
        assert data.count(b"\n") == len(list(csv.reader(data.decode().splitlines(), strict=True))), path.name


def test_products_have_all_columns_and_no_empty_field(products: list[dict[str, str]]) -> None:
    assert list(products[0]) == PRODUCT_COLUMNS
    assert [row["sku"] for row in products if not all(row.values())] == []


def test_there_are_enough_products_variants_and_categories(products: list[dict[str, str]]) -> None:
    assert len(products) >= 240
    assert 60 <= len({row["product"] for row in products}) <= 80
    assert len({row["category"] for row in products}) == 13


def test_skus_are_unique_ascii_codes(products: list[dict[str, str]]) -> None:
    skus = [row["sku"] for row in products]
    assert len(set(skus)) == len(skus)
    assert [sku for sku in skus if not re.fullmatch(r"[A-Z0-9]+(-[A-Z0-9]+)*", sku)] == []
    assert {"CMCC-50", "STEAM-US-20"} <= set(skus)


def test_variants_of_a_product_agree_on_it_and_differ_from_each_other(products: list[dict[str, str]]) -> None:
    of_the_product = [
        name for name in PRODUCT_COLUMNS if name.startswith(("title", "category", "description", "tags"))
    ]
    said: dict[str, set[tuple[str, ...]]] = {}
    for row in products:
        said.setdefault(row["product"], set()).add(tuple(row[name] for name in of_the_product))
    assert [slug for slug, versions in said.items() if len(versions) != 1] == []

    for language in ("zh", "en"):
        titles = Counter((row["product"], row[f"variant_{language}"]) for row in products)
        assert [title for title, count in titles.items() if count > 1] == []


def test_a_title_names_one_product_in_each_language(products: list[dict[str, str]]) -> None:
    for language in ("zh", "en"):
        titles = {(row["product"], row[f"title_{language}"]) for row in products}
        assert len({title for _, title in titles}) == len({slug for slug, _ in titles})


def test_slugs_categories_and_tags_have_their_shape(products: list[dict[str, str]]) -> None:
    slug = r"[a-z0-9]+(-[a-z0-9]+)*"
    for row in products:
        assert re.fullmatch(slug, row["product"]), row
        assert re.fullmatch(f"{slug}/{slug}", row["category"]), row
        assert re.fullmatch(f"{slug}(;{slug})*", row["tags"]), row
        assert len(set(row["tags"].split(";"))) == row["tags"].count(";") + 1, row
        assert (row["kind"], row["status"], row["currency"]) == ("card", "published", "CNY"), row


def test_chinese_texts_are_chinese_and_english_ones_ascii(products: list[dict[str, str]]) -> None:
    for row in products:
        assert re.search("[\u4e00-\u9fff]", row["description_zh"]), row
        assert not re.search("[,;()]", row["title_zh"] + row["description_zh"]), row
        assert (row["title_en"] + row["variant_en"] + row["description_en"]).isascii(), row


def test_money_is_exact_and_earns_something(products: list[dict[str, str]]) -> None:
    for row in products:
        for column in ("price", "cost"):
            assert re.fullmatch(r"\d+\.\d{2,4}", row[column]), row
        assert re.fullmatch(r"\d+(\.\d{1,2})?", row["face_value"]), row
        assert Decimal(0) < Decimal(row["cost"]) < Decimal(row["price"]), row


def test_top_ups_of_the_three_big_carriers_cost_a_little_less_than_their_face(
    products: list[dict[str, str]],
) -> None:
    for carrier in ("cmcc", "cucc", "ctcc"):
        rows = [row for row in products if row["product"] == carrier]
        assert [row["face_value"] for row in rows] == ["10", "20", "30", "50", "100", "200", "300", "500"]
        for row in rows:
            share = Decimal(row["price"]) / Decimal(row["face_value"])
            assert Decimal("0.98") <= share <= Decimal("0.998"), row


def test_cards_have_their_columns_and_belong_to_a_product(
    products: list[dict[str, str]], cards: list[dict[str, str]]
) -> None:
    assert list(cards[0]) == ["sku", "number", "secret", "expires_on"]
    assert {card["sku"] for card in cards} <= {row["sku"] for row in products}


def test_forty_variants_have_500_cards_and_there_are_20000_in_all(cards: list[dict[str, str]]) -> None:
    counts = Counter(card["sku"] for card in cards)
    assert len(cards) >= 20_000
    assert Counter(counts.values()) == {500: 40, 60: 71}


def test_no_secret_appears_twice_in_both_card_files(cards: list[dict[str, str]]) -> None:
    extra = [row["secret"] for row in read("cards-steam-us-20.csv")]
    secrets = [card["secret"] for card in cards] + extra
    assert len(extra) == 500
    assert len(set(secrets)) == len(secrets) == len(cards) + 500


def test_no_card_number_appears_twice_for_a_variant(cards: list[dict[str, str]]) -> None:
    numbers = [(card["sku"], card["number"]) for card in cards if card["number"]]
    assert len(set(numbers)) == len(numbers)


@pytest.mark.parametrize(
    ("sku", "number", "secret"),
    [
        ("CMCC-50", r"\d{17}", r"\d{18}"),
        ("CUCC-50", r"\d{15}", r"\d{19}"),
        ("CTCC-50", r"\d{19}", r"\d{18}"),
        ("STEAM-US-20", "", "([2-9A-HJ-NP-Z]{5}-){2}[2-9A-HJ-NP-Z]{5}"),
        ("APPLE-CN-100", "", "X[2-9A-HJ-NP-Z]{15}"),
        ("QQ-30", r"\d{9}", r"\d{12}"),
        ("WIN11-PRO", "", "([2346789BCDFGHJKMNPQRTVWXY]{5}-){4}[2346789BCDFGHJKMNPQRTVWXY]{5}"),
    ],
)
def test_cards_look_like_those_of_the_brand(
    cards: list[dict[str, str]], sku: str, number: str, secret: str
) -> None:
    found = [card for card in cards if card["sku"] == sku]
    assert found
    for card in found:
        assert re.fullmatch(number, card["number"]), card
        assert re.fullmatch(secret, card["secret"]), card


def test_lines_without_a_planted_fault_are_sound(
    products: list[dict[str, str]], cards: list[dict[str, str]]
) -> None:
    known = [list(row.values()) for row in products]
    bad = {fault.line for fault in faults.products().faults}
    sound = [line for number, line in enumerate(faults.products().lines, start=2) if number not in bad]
    assert len(sound) == 8
    assert [line for line in sound if line not in known] == []
    assert len({line[0] for line in sound}) == len(sound)

    bad = {fault.line for fault in faults.cards().faults}
    fresh = [line[2] for number, line in enumerate(faults.cards().lines, start=2) if number not in bad]
    stocked = {card["secret"] for card in cards} | {row["secret"] for row in read("cards-steam-us-20.csv")}
    assert len(fresh) == len(set(fresh)) == 7
    assert stocked.isdisjoint(fresh)


def test_expiry_is_empty_or_a_date(cards: list[dict[str, str]]) -> None:
    days = {card["expires_on"] for card in cards}
    assert days == {"", "2030-12-31", "2031-12-31", "2032-12-31", "2033-12-31"}
    assert all(date.fromisoformat(day) for day in days if day)


def test_the_workbook_holds_ten_variants_of_the_list_with_amounts_as_numbers(
    products: list[dict[str, str]],
) -> None:
    [(title, rows)] = sheets.workbook_cells((FOLDER / "products-small.xlsx").read_bytes())
    by_sku = {row["sku"]: row for row in products}

    assert title == "products"
    assert list(rows[0]) == PRODUCT_COLUMNS
    assert len(rows) == 11
    for cells in rows[1:]:
        row = dict(zip(PRODUCT_COLUMNS, cells, strict=True))
        wanted = by_sku[str(row["sku"])]
        for column, value in row.items():
            if column in {"face_value", "price", "cost"}:
                assert isinstance(value, int | float), row
                assert Decimal(str(value)) == Decimal(wanted[column]), row
            else:
                assert value == wanted[column], row


@pytest.mark.parametrize(
    ("name", "broken", "columns"),
    [
        ("products-broken.csv", faults.products(), catalogue.COLUMNS),
        ("cards-broken.csv", faults.cards(), card_stock.COLUMNS),
    ],
)
def test_each_planted_fault_is_in_its_line_and_in_the_readme(
    name: str, broken: faults.Broken, columns: tuple[str, ...]
) -> None:
    # given the file's lines, the documented faults and what the sound lines look like
    with (FOLDER / name).open(encoding="utf-8", newline="") as file:
        lines = list(csv.reader(file, strict=True))
    readme = (FOLDER / "README.md").read_text(encoding="utf-8")
    section = readme.split(f"## Faults in `{name}`")[1].split("\n## ")[0]
    documented = re.findall(r"^\| (\d+) \| (?:`(\w+)`|\(line\)) \| (.+) \|$", section, re.MULTILINE)

    # then the table is complete
    assert documented == [(str(fault.line), fault.column, fault.what) for fault in broken.faults]
    assert f"{broken.sound} of {len(lines) - 1} lines are sound" in section

    # and what it quotes stands in that line and column
    for number, column, what in documented:
        cells = lines[int(number) - 1]
        quoted = re.search("`(.+?)`", what)
        if not column:
            assert what == f"{len(cells)} columns instead of {len(columns)}"
            continue
        cell = cells[columns.index(column)]
        if what == "missing":
            assert cell == ""
        elif quoted:
            assert cell == quoted[1]
        elif what.startswith("too long"):
            assert what == f"too long: {len(cell)} characters"
        elif what.startswith("control"):
            assert "\x07" in cell
        else:
            earlier = re.fullmatch(r"the secret of line (\d+) again", what)
            assert earlier is not None
            assert cell == lines[int(earlier[1]) - 1][columns.index(column)]
