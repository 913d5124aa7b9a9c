"""Importing cards: what enters the vault, what is refused, and that no secret stands anywhere in the
clear.
"""

from __future__ import annotations

import asyncio
import logging
from datetime import date
from pathlib import Path

import openpyxl
import orjson
import pytest
from structlog.testing import capture_logs

from kameng.errors import Conflict, NotFound
from kameng.vault import SealBrokenError
from kameng_catalog.importing.card_lines import CardLine
from kameng_catalog.importing.faults import LISTED, Fault
from kameng_catalog.sealing import sealed_for

from .conftest import DATA, Shop


async def test_the_example_files_come_into_stock(shop: Shop) -> None:
    await shop.product_file(DATA / "products.csv")

    report = await shop.card_file(DATA / "cards.csv", source="issuer", file_name="cards.csv")
    more = await shop.card_file(DATA / "cards-steam-us-20.csv", "STEAM-US-20")

    assert (report.cards, len(report.counts), report.counts["CMCC-10"]) == (24_260, 111, 500)
    assert report.applied
    assert more.counts == {"STEAM-US-20": 500}
    sizes = await shop.sizes()
    assert {name: sizes[name] for name in ("card", "free_card", "sold_card", "stock_batch")} == {
        "card": 24_760,
        "free_card": 24_760,
        "sold_card": 0,
        "stock_batch": 2,
    }
    batch = await shop.kernel.db.fetchrow("select * from catalog_stock_batch where id = $1", report.batch)
    assert batch is not None
    assert (batch["source"], batch["file_name"], batch["card_count"]) == ("issuer", "cards.csv", 24_260)
    moved = await shop.kernel.db.fetchval(
        "select sum(quantity) from catalog_stock_movement where kind = 'import' and batch = $1", report.batch
    )
    assert moved == 24_260


async def test_each_planted_fault_is_found_and_nothing_is_written(shop: Shop) -> None:
    await shop.product_file(DATA / "products.csv")

    report = await shop.card_file(DATA / "cards-broken.csv")

    assert list(report.faults.in_order()) == [
        Fault(4, "sku", "is missing"),
        Fault(6, "sku", "there is no variant `STEAM-US-51`"),
        Fault(7, "secret", "is missing"),
        Fault(9, "secret", "the card of line 2 again"),
        Fault(10, "secret", "is too long: 10000 characters, at most 4000"),
        Fault(12, "secret", "holds the control character U+0007"),
        Fault(13, "", "2 columns instead of 4"),
        Fault(14, "", "5 columns instead of 4"),
        Fault(16, "expires_on", "`2031-02-30`: there is no such day"),
        Fault(17, "expires_on", "`soon` is no date; write YYYY-MM-DD"),
    ]
    assert (report.applied, report.batch, report.cards) == (False, None, 7)
    sizes = await shop.sizes()
    assert (sizes["card"], sizes["stock_batch"]) == (0, 0)


async def test_keeping_the_good_cards(shop: Shop) -> None:
    await shop.product_file(DATA / "products.csv")
    report = await shop.card_file(DATA / "cards-broken.csv", keep_good=True)
    assert (report.applied, report.cards, report.faults.count) == (True, 7, 10)
    assert (await shop.sizes())["free_card"] == 7


async def test_a_dry_run_finds_faults_and_writes_nothing(shop: Shop) -> None:
    await shop.stocked(cards=2)
    report = await shop.cards("A-1", ["A-1-000001", "new"], dry_run=True)
    assert [fault.line for fault in report.faults.in_order()] == [2]
    assert (report.cards, report.applied) == (1, False)
    sizes = await shop.sizes()
    assert (sizes["card"], sizes["stock_batch"]) == (2, 1)


async def test_cards_that_are_in_the_vault_are_found_even_when_they_were_sold(shop: Shop) -> None:
    # Given two cards, one of them sold
    variant = await shop.stocked(cards=2)
    assert await shop.buy((variant, 1)) == [["A-1-000000"]]
    # When both come again, with a new one, for another variant
    await shop.stocked("A-2")
    report = await shop.cards("A-2", ["A-1-000000", "fresh", "A-1-000001"])
    # Then both are found
    assert [(fault.line, fault.column) for fault in report.faults.in_order()] == [
        (2, "secret"),
        (4, "secret"),
    ]
    assert report.faults.listed[0].reason.startswith("the card is in stock since 2")
    assert (await shop.sizes())["card"] == 2


async def test_a_card_is_its_number_and_its_secret(shop: Shop) -> None:
    await shop.products()
    text = "sku,number,secret\nA-1,1001,123456789\nA-1,1002,123456789\nA-1,1001,123456789\n"
    report = await shop.card_text(text)
    assert report.faults.in_order() == (Fault(4, "secret", "the card of line 2 again"),)


async def test_cards_of_a_file_are_sold_in_its_order(shop: Shop) -> None:
    variant = await shop.stocked()
    await shop.cards("A-1", ["zulu", "alpha", "mike"])
    assert await shop.buy((variant, 2)) == [["zulu", "alpha"]]


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("secret,sku\nx,A-2\n", Fault(2, "sku", "is `A-2`, not `A-1`")),
        ("secret\nzero\u200bwidth\n", Fault(2, "secret", "holds the invisible character U+200B")),
        ("secret,number\nx,12\u202e3\n", Fault(2, "number", "holds the invisible character U+202E")),
        ("secret,expires_on\nx,2020-01-01\n", Fault(2, "expires_on", "`2020-01-01` has passed")),
        ("secret,expires_on\nx,31.12.2031\n", Fault(2, "expires_on", "`31.12.2031` is no date; write YYYY-MM-DD")),
        (f"secret,number\nx,{'1' * 101}\n", Fault(2, "number", "is too long: 101 characters, at most 100")),
    ],
)  # fmt: skip
async def test_faults_of_single_cells(shop: Shop, text: str, fault: Fault) -> None:
    await shop.products()
    report = await shop.card_text(text, "A-1")
    assert report.faults.in_order() == (fault,)


async def test_several_faults_of_a_line_are_all_told_and_count_as_one_line(shop: Shop) -> None:
    await shop.products()
    report = await shop.card_text("sku,secret,expires_on\n,,soon\n")
    assert [fault.column for fault in report.faults.in_order()] == ["expires_on", "secret", "sku"]
    assert (report.faults.lines, report.faults.count) == (1, 3)


async def test_variants_that_take_no_cards(shop: Shop) -> None:
    await shop.stocked("U-1", kind="unlimited")
    report = await shop.card_text("sku,secret\nU-1,x\n")
    assert report.faults.in_order() == (
        Fault(2, "sku", "`U-1` takes no cards: its kind of stock is `unlimited`"),
    )
    with pytest.raises(NotFound, match="no variant `A-9`"):
        await shop.cards("A-9", ["x"])


async def test_a_number_that_a_spreadsheet_has_cut_is_refused(shop: Shop, tmp_path: Path) -> None:
    await shop.products()
    book = openpyxl.Workbook()
    for row in (["secret"], [1841948154171411584], ["184194815417141158"]):
        book.active.append(row)
    book.save(tmp_path / "cards.xlsx")
    report = await shop.card_file(tmp_path / "cards.xlsx", "A-1")
    [fault] = report.faults.in_order()
    assert (fault.line, fault.column) == (2, "secret")
    assert fault.reason.startswith("is a number cell with more than 15 digits")
    assert "184194" not in fault.reason


async def test_a_file_imported_twice_lists_a_bounded_number_of_faults(shop: Shop) -> None:
    await shop.products()
    await shop.cards("A-1", LISTED + 500)
    shop.secrets.clear()
    report = await shop.cards("A-1", LISTED + 500)
    assert (report.faults.count, report.faults.lines, len(report.faults.listed)) == (10_500, 10_500, LISTED)


async def test_two_imports_of_the_same_cards_at_once(shop: Shop) -> None:
    # Given two files that share cards
    variant = await shop.stocked()
    # When they are imported at the same moment, many times
    for attempt in range(5):
        secrets = [f"{attempt}-{number}" for number in range(50)]
        results = await asyncio.gather(
            shop.cards("A-1", secrets), shop.cards("A-1", secrets[::-1]), return_exceptions=True
        )
        # Then one of them wins, and the other is told of a conflict or of doubles
        applied = [result for result in results if not isinstance(result, BaseException) and result.applied]
        assert len(applied) == 1
        for result in results:
            assert not isinstance(result, BaseException) or isinstance(result, Conflict)
    # and each card is there once
    assert (await shop.stock.available([variant]))[variant] == 250


async def test_a_failed_import_leaves_nothing_behind(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    await shop.products()

    async def broken(*_events: object) -> None:
        raise RuntimeError("the outbox is out of order")

    monkeypatch.setattr(shop.kernel.events, "emit", broken)
    with pytest.raises(RuntimeError, match="out of order"):
        await shop.cards("A-1", 10)
    sizes = await shop.sizes()
    assert (sizes["card"], sizes["free_card"], sizes["stock_batch"]) == (0, 0, 0)
    assert sizes["stock_movement"] == 0


async def test_an_import_is_an_event_and_an_entry_in_the_audit_log(shop: Shop) -> None:
    await shop.products({}, {"sku": "A-2", "variant_zh": "二"})
    report = await shop.card_text("sku,secret\nA-1,x\nA-2,y\nA-1,z\n", file_name="three.csv")
    payload = await shop.kernel.db.fetchval(
        "select payload from kernel_outbox where topic = 'catalog.cards_imported'"
    )
    assert orjson.loads(payload) == {"batch": str(report.batch), "counts": {"A-1": 2, "A-2": 1}}
    [entry] = (await shop.kernel.audit.page(action="catalog.cards_imported")).entries
    assert entry.subject == f"stock_batch:{report.batch}"
    assert entry.details == {"cards": 3, "file": "three.csv", "faults": 0}


SECRET = "TOPSECRET-4711-KAMENG"


async def test_no_secret_stands_in_the_database_or_the_log(
    shop: Shop, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    # Given everything written down that is written at all
    caplog.set_level(logging.DEBUG)
    with capture_logs() as logs:
        # When a card is imported, refused as a double, and sold
        variant = await shop.stocked()
        await shop.cards("A-1", [SECRET])
        report = await shop.card_text(f"secret,expires_on\n{SECRET},\n{SECRET}X,soon\n{SECRET}\x07,\n", "A-1")
        assert await shop.buy((variant, 1)) == [[SECRET]]
    # Then no table holds it, neither as text nor as bytes
    tables = await shop.kernel.db.fetch("select tablename from pg_tables where schemaname = 'public'")
    hexed = SECRET.encode().hex()
    for row in tables:
        found = await shop.kernel.db.fetchval(
            f'select count(*) from "{row["tablename"]}" t where t::text ilike $1 or t::text ilike $2',
            f"%{SECRET}%",
            f"%{hexed}%",
        )
        assert found == 0, row["tablename"]
    # and nobody was told it
    assert len(report.faults.listed) == 3
    assert SECRET not in str(report.faults.listed)
    assert SECRET not in str(logs) + caplog.text
    printed = capfd.readouterr()
    assert SECRET not in printed.out + printed.err


async def test_a_secret_opens_at_its_own_place_only(shop: Shop) -> None:
    # Given two cards of two variants
    await shop.stocked("A-1", 1)
    await shop.stocked("A-2", 1)
    one, two = await shop.kernel.db.fetch("select * from catalog_card order by id")
    vault = shop.kernel.vault
    assert await vault.open(
        one["data_key"], one["sealed"], sealed_for(one["variant"], one["blind_index"])
    ) == (b"A-1-000000")
    # When somebody with the database puts the one in the place of the other, then it does not open
    for variant, index in ((two["variant"], one["blind_index"]), (one["variant"], two["blind_index"])):
        with pytest.raises(SealBrokenError):
            await vault.open(one["data_key"], one["sealed"], sealed_for(variant, index))


async def test_equal_cards_look_different_in_the_database(shop: Shop) -> None:
    await shop.products()
    await shop.card_text("number,secret\n1,same\n2,same\n", "A-1")
    one, two = await shop.kernel.db.fetch("select * from catalog_card order by id")
    assert one["sealed"] != two["sealed"]
    assert one["blind_index"] != two["blind_index"]


def test_values_that_tracebacks_show_hold_no_secret() -> None:
    line = CardLine(3, "A-1", "77", SECRET, date(2031, 1, 1))
    assert SECRET not in f"{line!r}{line}{line.__rich_repr__()}"
