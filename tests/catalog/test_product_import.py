"""Importing products: what is created, changed, left, refused."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from pathlib import Path

import openpyxl
import orjson
import pytest

from kameng.errors import InvalidInput
from kameng_catalog.importing.faults import Fault, UnreadableFile
from kameng_catalog.importing.product_lines import COLUMNS
from kameng_catalog.importing.report import FieldChange
from kameng_catalog.importing.sheets import text_sheet

from .conftest import DATA, PLAIN, Shop, as_csv, outcomes


async def test_the_example_file_creates_what_its_readme_says(shop: Shop) -> None:
    report = await shop.product_file(DATA / "products.csv")

    assert report.applied
    assert outcomes(report) == {"created": 340, "updated": 0, "unchanged": 0}
    sizes = await shop.sizes()
    # 13 leaves and the 5 categories above them
    assert {name: sizes[name] for name in ("product", "variant", "price", "category")} == {
        "product": 78,
        "variant": 340,
        "price": 340,
        "category": 18,
    }
    row = await shop.kernel.db.fetchrow(
        """
        select v.*, p.slug, p.titles as product_titles, p.tags, p.status as product_status, c.path, r.units
        from catalog_variant v join catalog_product p on p.id = v.product join catalog_category c on c.id = p.category
        join catalog_price r on r.variant = v.id where v.sku = 'STEAM-EU-5'
        """
    )
    assert row is not None
    assert (row["slug"], row["path"], row["stock_kind"], row["status"]) == (
        "steam-eu",
        "game/pc",
        "card",
        "published",
    )
    assert orjson.loads(row["titles"]) == {"zh-CN": "5 欧元", "en": "5 EUR"}
    assert (row["face_minor"], row["face_currency"]) == (500, "EUR")
    assert row["units"] == 409_000
    assert row["product_status"] == "published"


async def test_importing_again_changes_nothing_and_says_so(shop: Shop) -> None:
    # Given an imported file
    await shop.product_file(DATA / "products.csv")
    before = await shop.kernel.db.fetch("select xmin::text, * from catalog_product order by id")
    events = await shop.kernel.db.fetchval("select count(*) from kernel_outbox")
    # When it is imported again
    report = await shop.product_file(DATA / "products.csv")
    # Then no row was so much as written anew, and nobody is told of anything
    assert report.applied
    assert outcomes(report) == {"created": 0, "updated": 0, "unchanged": 340}
    assert await shop.kernel.db.fetch("select xmin::text, * from catalog_product order by id") == before
    assert await shop.kernel.db.fetchval("select count(*) from kernel_outbox") == events


FAULTS = [
    Fault(3, "price", "`19.9元` is not a number"),
    Fault(5, "price", "`-49.75` is negative"),
    Fault(6, "price", "`99.30125` has more than 4 decimals"),
    Fault(7, "price", "`NaN` is not a number"),
    Fault(8, "price", "is missing"),
    Fault(10, "cost", "`98,20` is not a number; write 98.20"),
    Fault(11, "face_value", "`two hundred` is not a number"),
    Fault(13, "sku", "is missing"),
    Fault(14, "sku", "`CMCC-10` stands in line 2 already"),
    Fault(15, "sku", "is too long: 200 characters, at most 64"),
    Fault(16, "sku", "`STEAM-US-50美元` holds an illegal character: `美`"),
    Fault(18, "face_currency", "`HK$` is no currency of ISO 4217; write HKD"),
    Fault(19, "currency", "`RMB` is no currency of ISO 4217; write CNY"),
    Fault(21, "title_en", "is too long: 2022 characters, at most 200"),
    Fault(22, "title_en", "holds the control character U+0007"),
    Fault(23, "product", "is missing"),
    Fault(
        24, "kind", "`voucher` is no kind of stock; write one of card, reusable, quota, unlimited, supplier"
    ),
    Fault(25, "status", "`live` is no status; write one of draft, published, archived"),
    Fault(27, "", "18 columns instead of 19"),
    Fault(28, "", "20 columns instead of 19"),
]


async def test_each_planted_fault_is_found_and_nothing_is_written(shop: Shop) -> None:
    report = await shop.product_file(DATA / "products-broken.csv")

    assert list(report.faults.in_order()) == FAULTS
    assert (report.faults.lines, len(report.changes), report.applied) == (20, 8, False)
    assert (await shop.sizes())["product"] == 0


async def test_keeping_the_good_lines(shop: Shop) -> None:
    report = await shop.product_file(DATA / "products-broken.csv", keep_good=True)

    assert (report.applied, outcomes(report)["created"], report.faults.count) == (True, 8, 20)
    assert (await shop.sizes())["variant"] == 8


async def test_a_dry_run_tells_the_difference_and_writes_nothing(shop: Shop) -> None:
    # Given a variant
    await shop.products()
    # When a file with another price, title and a new variant is tried
    report = await shop.products(
        {"price": "9.8", "title_en": "Alpha II", "cost": ""},
        {"sku": "A-2", "variant_zh": "二", "variant_en": "Two", "title_en": "Alpha II"},
        dry_run=True,
    )
    # Then it tells what would be
    assert outcomes(report) == {"created": 1, "updated": 1, "unchanged": 0}
    assert report.changes[0].fields == (
        FieldChange("cost", "9.5000 CNY", ""),
        FieldChange("price", "9.9000", "9.8000"),
        FieldChange("title_en", "Alpha", "Alpha II"),
    )
    # and it is not
    assert not report.applied
    sizes = await shop.sizes()
    assert (sizes["variant"], sizes["price"]) == (1, 1)
    assert await shop.kernel.db.fetchval("select units from catalog_price") == 99_000


async def test_a_file_changes_what_it_speaks_of_and_nothing_else(shop: Shop) -> None:
    # Given a variant with a second price and a person's own arrangement
    await shop.products()
    key = await shop.key("A-1")
    await shop.kernel.db.execute("update catalog_product set position = 7")
    await shop.kernel.db.execute(
        """
        insert into catalog_price (id, variant, tier, min_quantity, currency, units)
        values (gen_random_uuid(), $1, 'gold', 1, 'CNY', 90000), (gen_random_uuid(), $1, 'retail', 10, 'CNY', 95000)
        """,
        key,
    )
    # When a file without most of the columns brings another price
    columns = ("sku", "product", "title_zh", "variant_zh", "category", "kind", "price", "currency", "status")
    text = as_csv([{**{name: PLAIN[name] for name in columns}, "price": "9.6"}])
    from kameng_catalog.importing.product_import import import_products

    from .conftest import CLERK

    report = await import_products(shop.kernel, text_sheet(text, COLUMNS), principal=CLERK)
    # Then that price is all that changed
    assert [str(field) for field in report.changes[0].fields] == ["price 9.9000 → 9.6000"]
    product = await shop.kernel.db.fetchrow("select * from catalog_product")
    variant = await shop.kernel.db.fetchrow("select * from catalog_variant")
    assert product is not None
    assert variant is not None
    assert (product["position"], product["tags"]) == (7, ["hot"])
    assert orjson.loads(product["titles"]) == {"zh-CN": "阿尔法", "en": "Alpha"}
    assert (variant["face_minor"], variant["cost_units"]) == (1000, 95_000)
    prices = await shop.kernel.db.fetch(
        "select tier, min_quantity, units from catalog_price order by tier, min_quantity"
    )
    assert [tuple(row) for row in prices] == [
        ("gold", 1, 90_000),
        ("retail", 1, 96_000),
        ("retail", 10, 95_000),
    ]


@pytest.mark.parametrize(
    ("second", "fault"),
    [
        ({"title_en": "Beta"}, Fault(3, "title_en", "is not what line 2 says of the same product")),
        ({"category": "game/console"}, Fault(3, "category", "is not what line 2 says of the same product")),
        (
            {"product": "beta", "category_en": "Games"},
            Fault(3, "category_en", "is not what line 2 says of the same category"),
        ),
        ({"face_currency": ""}, Fault(3, "face_currency", "is missing, while face_value is given")),
        ({"face_value": ""}, Fault(3, "face_value", "is missing, while face_currency is given")),
        ({"face_currency": "JPY", "face_value": "1.5"}, Fault(3, "face_value", "`1.5` has more than 0 decimals for JPY")),
        ({"category_en": "A/B/C"}, Fault(3, "category_en", "has 3 names for a path of 2")),
        ({"category": "game//pc"}, Fault(3, "category", "`game//pc` is no path of slugs such as `game/pc`")),
        ({"product": "Alpha"}, Fault(3, "product", "`Alpha` is no slug: small letters and digits, parted by single dashes")),
        ({"price": "1e3"}, Fault(3, "price", "`1e3` is not a number")),
        ({"price": "١٢"}, Fault(3, "price", "`١٢` is not a number")),
        ({"price": "9999999999999"}, Fault(3, "price", "`9999999999999` is too large")),
        ({"sku": "-A"}, Fault(3, "sku", "`-A` does not begin with a letter or digit")),
    ],
)  # fmt: skip
async def test_lines_that_contradict(shop: Shop, second: Mapping[str, str], fault: Fault) -> None:
    report = await shop.products({}, {"sku": "A-2", **second})

    assert report.faults.in_order() == (fault,)
    assert (await shop.sizes())["product"] == 0


async def test_what_a_file_cannot_change(shop: Shop) -> None:
    # Given a variant
    await shop.products()
    # When a file gives its SKU to another product, and another kind of stock to it
    report = await shop.products({"product": "beta", "title_en": "Beta"}, keep_good=True)
    other = await shop.products({"kind": "unlimited"})
    # Then both are faults
    assert report.faults.in_order() == (Fault(2, "product", "`A-1` belongs to `alpha` already"),)
    assert other.faults.in_order() == (Fault(2, "kind", "is `card` already, which no file can change"),)
    assert (await shop.sizes())["product"] == 1


async def test_categories_get_the_names_that_lines_give_to_each_level(shop: Shop) -> None:
    await shop.products({"category_zh": "游戏/电脑游戏", "category_en": "Games/PC"})
    rows = await shop.kernel.db.fetch("select path, titles from catalog_category order by path")
    assert [(row["path"], orjson.loads(row["titles"])) for row in rows] == [
        ("game", {"zh-CN": "游戏", "en": "Games"}),
        ("game/pc", {"zh-CN": "电脑游戏", "en": "PC"}),
    ]
    # and a line that names the leaf alone leaves the level above as it was
    report = await shop.products({"category_zh": "电脑", "category_en": "PC"})
    assert [str(field) for field in report.changes[0].fields] == ["category_zh 电脑游戏 → 电脑"]
    assert (
        await shop.kernel.db.fetchval("select titles->>'en' from catalog_category where path = 'game'")
        == "Games"
    )


async def test_one_published_variant_puts_its_product_on_sale(shop: Shop) -> None:
    await shop.products({"status": "draft"})
    assert await shop.kernel.db.fetchval("select status from catalog_product") == "draft"
    await shop.products({"status": "draft"}, {"sku": "A-2", "variant_zh": "二"})
    assert await shop.kernel.db.fetchval("select status from catalog_product") == "published"
    # and a file of drafts takes nothing off sale
    await shop.products({"sku": "A-3", "status": "draft", "variant_zh": "三"})
    assert await shop.kernel.db.fetchval("select status from catalog_product") == "published"


async def test_a_workbook_is_the_same_as_the_csv_file(shop: Shop) -> None:
    await shop.product_file(DATA / "products.csv")
    report = await shop.product_file(DATA / "products-small.xlsx")
    assert outcomes(report) == {"created": 0, "updated": 0, "unchanged": 10}


async def test_a_file_from_a_chinese_spreadsheet(shop: Shop, tmp_path: Path) -> None:
    (tmp_path / "gb.csv").write_bytes((DATA / "products.csv").read_bytes().decode().encode("gb18030"))
    await shop.product_file(DATA / "products.csv")
    report = await shop.product_file(tmp_path / "gb.csv")
    assert outcomes(report)["unchanged"] == 340


async def test_faulty_cells_of_a_workbook_are_told_by_row(shop: Shop, tmp_path: Path) -> None:
    book = openpyxl.Workbook()
    for row in (list(PLAIN), list(PLAIN.values()), [], [*PLAIN.values(), "more"]):
        book.active.append(row)
    book.active["M2"] = 9.12345
    book.save(tmp_path / "file.xlsx")
    report = await shop.product_file(tmp_path / "file.xlsx")
    assert report.faults.in_order() == (
        Fault(2, "price", "`9.12345` has more than 4 decimals"),
        Fault(4, "", "20 columns instead of 19"),
    )


async def test_a_file_that_is_no_table_is_refused_as_input(shop: Shop) -> None:
    with pytest.raises(InvalidInput) as caught:
        await shop.product_file(DATA / "cards.csv")
    assert isinstance(caught.value, UnreadableFile)
    assert Fault(1, "secret", "is no column of such a file") in caught.value.faults


async def test_an_import_is_an_event_and_an_entry_in_the_audit_log(shop: Shop) -> None:
    await shop.products({}, {"sku": "A-2", "variant_zh": "二"})
    await shop.products({"price": "11"}, {"sku": "A-2", "variant_zh": "二"})
    payloads = await shop.kernel.db.fetch(
        "select payload from kernel_outbox where topic = 'catalog.products_imported' order by id"
    )
    assert [orjson.loads(row["payload"]) for row in payloads] == [
        {"created": 2, "updated": 0},
        {"created": 0, "updated": 1},
    ]
    page = await shop.kernel.audit.page(action="catalog.products_imported")
    assert [entry.details["updated"] for entry in page.entries] == [1, 0]


async def test_prices_keep_four_decimals(shop: Shop) -> None:
    await shop.products({"price": "0.0375", "cost": "0.0301"})
    units = await shop.kernel.db.fetchval("select units from catalog_price")
    assert Decimal(units).scaleb(-4) == Decimal("0.0375")


async def test_the_search_terms_follow_the_import(shop: Shop) -> None:
    await shop.products()
    assert "阿尔" in await shop.kernel.db.fetchval("select search_terms from catalog_product")
    await shop.products({"title_zh": "贝塔"})
    terms = await shop.kernel.db.fetchval("select search_terms from catalog_product")
    assert "贝塔" in terms
    assert "阿尔" not in terms


FORM = '[{"name":"account","kind":"text","labels":{"en":"Account"},"max_length":20}]'


async def test_a_file_brings_forms_and_keeps_those_it_does_not_speak_of(shop: Shop) -> None:
    # Given a file with a form, which JSON tells
    report = await shop.products({"form": FORM})
    assert report.applied
    stored = "select form from catalog_product"
    assert orjson.loads(await shop.kernel.db.fetchval(stored)) == orjson.loads(FORM)
    # The same file changes nothing, and one without the column leaves it
    report = await shop.products({"form": FORM})
    assert outcomes(report) == {"created": 0, "updated": 0, "unchanged": 1}
    await shop.products({"title_en": "Alpha II"})
    assert orjson.loads(await shop.kernel.db.fetchval(stored)) == orjson.loads(FORM)
    # An empty cell takes it away
    report = await shop.products({"title_en": "Alpha II", "form": ""})
    assert [field.name for field in report.changes[0].fields] == ["form"]
    assert await shop.kernel.db.fetchval(stored) is None


@pytest.mark.parametrize(
    ("form", "reason"),
    [
        ("x", "is no form: "),
        ('[{"name":"account","kind":"colour","labels":{"en":"A"}}]', "is no form: "),
        ('[{"name":"server","kind":"choice","labels":{"en":"A"}}]', "is no form: "),
    ],
)
async def test_forms_that_cannot_be(shop: Shop, form: str, reason: str) -> None:
    report = await shop.products({"form": form})
    (fault,) = report.faults.in_order()
    assert (fault.column, fault.reason[: len(reason)]) == ("form", reason)
