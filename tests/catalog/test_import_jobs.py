"""Imports as jobs: told exactly what they would do, done all or nothing, undone row by row."""

from __future__ import annotations

import asyncio
import csv
import io
import tempfile
from datetime import timedelta
from typing import BinaryIO, cast

import pytest

from kameng.graphql.uploads import UploadedFile
from kameng.ids import global_id, key_of
from kameng.jobs import FieldChange, Job, JobRun, JobState, Problem, RowChange
from kameng.jobs.job import job_of
from kameng.jobs.statements import BEGIN
from kameng.testing.kernels import Kernels
from kameng_catalog import module as catalog
from kameng_catalog.bulk.imports import import_product_file
from kameng_catalog.importing.fault_texts import in_language

from .conftest import CLERK, DATA, PLAIN, Shop, as_csv
from .job_worker import Workers
from .jobs import done, ended, everything, file_of, prices, rolled_back, start
from .test_admin import clerk


def table(content: bytes, encoding: str = "utf-8-sig") -> list[list[str]]:
    return list(csv.reader(io.StringIO(content.decode(encoding))))


async def test_a_dry_run_tells_the_difference_and_writes_nothing(shop: Shop) -> None:
    # Given two products, of which a file changes one, leaves one and adds a third
    await shop.products({}, {"sku": "B-1", "product": "beta"})
    before = await everything(shop)
    rows = [
        PLAIN,
        {**PLAIN, "sku": "B-1", "product": "beta", "price": "9.95"},
        {**PLAIN, "sku": "C-1", "product": "c"},
    ]
    # When it is only tried
    job = await done(shop, "import_products", as_csv(rows), dry_run=True)
    # Then the report counts and shows each change with its old and new value
    assert (job.state, job.rows_done, job.rows_total, job.changed) == (JobState.SUCCEEDED, 3, 3, False)
    report = job.result
    assert report is not None
    assert report.counts == {"created": 1, "updated": 1, "unchanged": 1}
    assert report.changes == [
        RowChange("B-1", "updated", (FieldChange("price", "9.9000", "9.9500"),)),
        RowChange("C-1", "created"),
    ]
    assert table(await file_of(shop, job, "changes")) == [
        ["row", "outcome", "field", "old", "new"],
        ["B-1", "updated", "price", "9.9000", "9.9500"],
        ["C-1", "created", "", "", ""],
    ]
    assert not report.applied
    assert await everything(shop) == before


async def test_an_import_is_rolled_back_except_for_what_was_changed_since(shop: Shop) -> None:
    # Given products, and an import that changes and adds some
    await shop.products(
        {}, {"sku": "B-1", "product": "beta"}, {"sku": "D-1", "product": "delta", "tags": "x"}
    )
    before = await everything(shop)
    rows = [
        {**PLAIN, "title_en": "Alef", "price": "11.00", "cost": "10.00"},
        {**PLAIN, "sku": "B-1", "product": "beta", "price": "12.00", "status": "archived"},
        {
            **PLAIN,
            "sku": "D-1",
            "product": "delta",
            "category": "game/new",
            "category_en": "New",
            "category_zh": "新",
        },
        {**PLAIN, "sku": "E-1", "product": "epsilon"},
    ]
    job = await done(shop, "import_products", as_csv(rows))
    assert job.result is not None
    assert job.result.counts == {"created": 1, "updated": 3, "unchanged": 0}
    assert job.changed
    # When it is rolled back
    undone = await rolled_back(shop, job)
    # Then all is as before
    assert (undone.state, undone.undone and undone.undone.problem_count) == (JobState.ROLLED_BACK, 0)
    assert await everything(shop) == before
    history = await shop.kernel.db.fetchval(
        "select count(*) from catalog_price_change where source = $1", f"job:{job.id}"
    )
    assert history > 0


async def test_what_somebody_changed_since_an_import_stays(shop: Shop) -> None:
    await shop.products({}, {"sku": "B-1", "product": "beta"})
    rows = [{**PLAIN, "price": "11.00"}, {**PLAIN, "sku": "B-1", "product": "beta", "price": "12.00"},
            {**PLAIN, "sku": "E-1", "product": "epsilon"}]  # fmt: skip
    job = await done(shop, "import_products", as_csv(rows))
    # Given that one price was changed again, and cards of the new variant came in
    await shop.products({"sku": "B-1", "product": "beta", "price": "12.50"})
    await shop.cards("E-1", ["a-secret"])

    undone = await rolled_back(shop, job)

    assert await prices(shop) == {"A-1": 99_000, "B-1": 125_000}
    assert undone.undone is not None
    assert undone.undone.problem_count == 3
    told = dict(table(await file_of(shop, undone, "undone"))[1:])
    assert told["B-1 retail CNY"] == "changed since: 12.50 CNY"
    assert told["product epsilon"] == "is in use, so it was archived"
    status = await shop.kernel.db.fetchval("select status from catalog_variant where sku = 'E-1'")
    assert status == "archived"


async def test_a_faulty_file_fails_and_tells_each_fault_in_its_own_encoding_and_language(shop: Shop) -> None:
    rows = [PLAIN, {**PLAIN, "sku": "B-1", "price": "十元"}, {**PLAIN, "sku": "", "status": "?"}]
    job = await done(shop, "import_products", as_csv(rows).encode("gb18030"), locale="zh-CN")
    assert (job.state, job.changed, job.problems) == (JobState.FAILED, False, 2)
    assert job.error is not None
    assert job.error.code == "FILE_REFUSED"
    assert table(await file_of(shop, job, "problems"), "gb18030") == [
        ["行", "列", "原因"],
        ["3", "price", "`十元` 不是数字"],
        ["4", "sku", "缺少内容"],
        ["4", "status", "`?` 不是状态，可用：draft, published, archived"],
    ]
    assert job.result is not None
    assert job.result.problems[0] == Problem(3, "price", "`十元` 不是数字")
    assert (await shop.sizes())["variant"] == 0
    # When the sound lines are wanted all the same
    kept = await done(shop, "import_products", as_csv(rows), keep_good=True)
    assert (kept.state, kept.changed, kept.problems) == (JobState.SUCCEEDED, True, 2)
    assert table(await file_of(shop, kept, "problems"))[1] == ["3", "price", "`十元` is not a number"]


async def test_all_planted_faults_are_told_in_chinese(shop: Shop) -> None:
    await shop.product_file(DATA / "products.csv")
    for kind, name in (("import_products", "products-broken.csv"), ("import_cards", "cards-broken.csv")):
        job = await done(shop, kind, (DATA / name).read_bytes(), locale="zh-CN")
        assert job.result is not None
        english = [
            item.reason for item in job.result.problems if in_language(item.reason, "zh-CN") == item.reason
        ]
        assert [text for text in english if not any("\u4e00" <= sign <= "\u9fff" for sign in text)] == []


async def test_an_unreadable_file_fails_with_the_reason(shop: Shop) -> None:
    job = await done(shop, "import_products", "colour\nred\n")
    assert job.state is JobState.FAILED
    assert job.error is not None
    assert job.error.code == "INVALID_INPUT"
    assert "colour" in job.error.message


async def test_prices_of_all_kinds_are_imported_and_rolled_back(shop: Shop) -> None:
    # Given a price list
    await shop.products({}, {"sku": "B-1", "product": "beta", "price": "19.90"})
    first = await done(shop, "import_prices", "sku,currency,price,tier\nA-1,CNY,9.70,gold\n")
    assert first.result is not None
    assert first.result.counts == {"created": 1, "updated": 0, "unchanged": 0}
    text = (
        "sku,currency,price,tier,from_quantity,site,starts_at,ends_at\n"
        "A-1,CNY,9.60,gold,1,,,\n"
        "A-1,CNY,9.55,gold,10,,,\n"
        "B-1,CNY,19.90,,,,,\n"
        "B-1,CNY,17.00,,,north,,\n"
        "B-1,CNY,15.00,,,,2031-11-11T00:00:00+08:00,2031-11-12T00:00:00+08:00\n"
    )
    tried = await done(shop, "import_prices", text, dry_run=True)
    assert tried.result is not None
    assert tried.result.counts == {"created": 3, "updated": 1, "unchanged": 1}
    assert tried.result.changes[0] == RowChange("A-1", "updated", (FieldChange("gold CNY", "9.70", "9.60"),))
    assert await prices(shop, "gold") == {"A-1": 97_000}
    # When it is imported, and imported again
    job = await done(shop, "import_prices", text)
    assert job.result is not None
    assert job.result.counts == tried.result.counts
    again = await done(shop, "import_prices", text)
    assert again.result is not None
    assert (again.result.counts["unchanged"], again.changed) == (5, False)
    # Then rolling it back gives the list that was
    special = "select count(*) from catalog_special_price"
    assert await shop.kernel.db.fetchval(special) == 2
    undone = await rolled_back(shop, job)
    assert undone.undone is not None
    assert undone.undone.counts == {"restored": 4, "left_alone": 0}
    assert await prices(shop, "gold") == {"A-1": 97_000}
    assert await shop.kernel.db.fetchval(special) == 0
    assert (await shop.sizes())["price"] == 3


async def test_faults_of_a_price_file(shop: Shop) -> None:
    await shop.products({})
    text = (
        "sku,currency,price,tier,ends_at\n"
        "A-9,CNY,1,,\nA-1,CNY,9.40,,\nA-1,CNY,9.90,,\nA-1,CNY,9.9,,\nA-1,RMB,x,Gold,\nA-1,CNY,1,vip,2031-01-01\n"
    )
    job = await done(shop, "import_prices", text)
    assert table(await file_of(shop, job, "problems"))[1:] == [
        ["2", "sku", "there is no variant `A-9`"],
        ["3", "price", "9.4 CNY is less than one costs, 9.5."],
        ["4", "", "is the price of line 3 again"],
        ["5", "", "is the price of line 3 again"],
        ["6", "currency", "`RMB` is no currency of ISO 4217; write CNY"],
        ["6", "price", "`x` is not a number"],
        ["6", "tier", "`Gold` is no code in small letters"],
        ["7", "ends_at", "`2031-01-01` is no moment; write it like 2026-11-11T00:00:00+08:00"],
    ]
    assert await prices(shop) == {"A-1": 99_000}


async def test_unsold_cards_of_an_import_are_taken_out_again(shop: Shop) -> None:
    # Given cards of which two were sold
    variant = await shop.stocked()
    await shop.cards("A-1", ["older"])
    secrets = [f"card-{number}" for number in range(20)]
    job = await done(
        shop,
        "import_cards",
        "secret\n" + "\n".join(secrets) + "\n",
        sku="A-1",
        source="issuer",
        cost_units=95_000,
        cost_currency="CNY",
        expires_on="2039-12-31",
    )
    batch = await shop.kernel.db.fetchrow(
        "select source, cost_units, cost_currency from catalog_stock_batch order by id desc"
    )
    assert batch is not None
    assert tuple(batch) == ("issuer", 95_000, "CNY")
    assert await shop.kernel.db.fetchval("select min(expires_on)::text from catalog_card") == "2039-12-31"
    assert job.result is not None
    assert (job.state, job.result.counts) == (JobState.SUCCEEDED, {"cards": 20, "variants": 1})
    batch = await shop.kernel.db.fetchval("select max(id::text)::uuid from catalog_stock_batch")
    assert job.result.subject == global_id("StockBatch", batch)
    assert await shop.buy((variant, 3)) == [["older", "card-0", "card-1"]]
    # When the import is rolled back
    undone = await rolled_back(shop, job)
    # Then the others are out of stock, by movements, and out of the vault
    assert undone.undone is not None
    assert undone.undone.counts == {"taken_out": 18, "left_alone": 2}
    assert await shop.stock.available([variant]) == {variant: 0}
    moved = await shop.kernel.db.fetchval(
        "select sum(quantity) from catalog_stock_movement where variant = $1", variant
    )
    assert moved == 0
    sizes = await shop.sizes()
    assert (sizes["card"], sizes["free_card"], sizes["sold_card"]) == (3, 0, 3)
    # And can come in again
    again = await done(shop, "import_cards", "secret\n" + "\n".join(secrets[2:]) + "\n", sku="A-1")
    assert again.result is not None
    assert again.result.counts["cards"] == 18
    assert await shop.buy((variant, 1)) == [["card-2"]]


async def test_a_card_file_does_not_stay_and_its_secrets_stand_nowhere(shop: Shop) -> None:
    await shop.stocked()
    job = await done(shop, "import_cards", "secret\nvery-secret-4711\nvery-secret-4711\n", sku="A-1")
    assert (job.state, job.problems) == (JobState.FAILED, 1)
    assert await shop.kernel.jobs.files.of_role(job.id, "input") is None
    assert b"4711" not in await file_of(shop, job, "problems")
    for name in ("job", "job_change", "audit", "outbox", "task"):
        rows = await shop.kernel.db.fetch(f"select t::text from kernel_{name} t")
        assert not any("4711" in row["t"] for row in rows), name


async def test_a_dry_run_of_cards_writes_nothing(shop: Shop) -> None:
    await shop.stocked(cards=2)
    job = await done(shop, "import_cards", "secret\nA-1-000001\nnew\n", sku="A-1", dry_run=True)
    assert job.result is not None
    assert (job.state, job.result.counts["cards"], job.problems, job.changed) == (
        JobState.SUCCEEDED,
        1,
        1,
        False,
    )
    assert (await shop.sizes())["card"] == 2


async def test_an_import_that_was_committed_is_not_done_again(shop: Shop) -> None:
    # Given a worker that died between its commit and the end of the job
    job = await start(shop, "import_products", as_csv([PLAIN]))

    row = await shop.kernel.db.fetchrow(BEGIN, job.id, timedelta(seconds=30), 2)
    assert row is not None
    await import_product_file(JobRun(shop.kernel, job_of(row)))
    await shop.kernel.db.execute("update kernel_job set heartbeat_at = now() - interval '1 hour'")
    # When another one takes the job
    other = await ended(shop, job)
    # Then it only tells what was done
    assert other.state is JobState.SUCCEEDED
    assert other.result is not None
    assert other.result.counts == {"created": 1, "updated": 0, "unchanged": 0}
    assert other.fence == 2


@pytest.mark.slow
async def test_a_card_import_survives_its_workers_and_brings_each_card_once(make_kernel: Kernels) -> None:
    # Given a file of 30,000 cards with planted doubles and faulty lines, and a worker that is killed while it reads
    kernel = await make_kernel([catalog], tasks={"lease_seconds": 1.0}, jobs={"lease_seconds": 1.0})
    shop = Shop(kernel)
    await shop.stocked()
    lines = [f"card-{number:06d}" for number in range(30_000)]
    lines[20_000], lines[25_000] = lines[5], "bad\u200bcard"
    workers = Workers(kernel)
    try:
        job = await start(
            shop, "import_cards", "secret\n" + "\n".join(lines) + "\n", sku="A-1", keep_good=True
        )
        workers.start()
        async with asyncio.timeout(120):
            for goal in (1, 10_000):
                while (
                    await kernel.db.fetchval("select rows_done from kernel_job where id = $1", job.id) < goal
                ):
                    await asyncio.sleep(0.005)
                workers.kill()
            while (found := await kernel.jobs.find(job.id, CLERK)) is not None and found.state.open:
                await asyncio.sleep(0.05)
    finally:
        workers.stop()
    # Then the sound cards are in stock once, in one batch, and both faults are told
    assert found is not None
    assert found.result is not None
    assert (found.state, found.result.counts["cards"]) == (JobState.SUCCEEDED, 29_998)
    assert found.fence > 1
    assert [(item.line, item.reason) for item in found.result.problems] == [
        (20_002, "the card of line 7 again"),
        (25_002, "holds the invisible character U+200B"),
    ]
    sizes = await shop.sizes()
    assert (sizes["card"], sizes["free_card"], sizes["stock_batch"]) == (29_998, 29_998, 1)


async def test_imports_are_started_by_uploading_a_file(shop: Shop) -> None:
    await shop.products()
    for name, text, permission, counts in (
        ("Product", as_csv([PLAIN]), "manage_products", {"created": 0, "updated": 0, "unchanged": 1}),
        (
            "Price",
            "sku,currency,price\nA-1,CNY,9.90\n",
            "manage_prices",
            {"created": 0, "updated": 0, "unchanged": 1},
        ),
        ("Card", "sku,secret\nA-1,x\n", "import_stock", {"cards": 1, "variants": 1}),
    ):
        with tempfile.TemporaryFile() as local:
            local.write(text.encode())
            upload = UploadedFile(
                cast("BinaryIO", local), name=f"{name}.csv", media_type="text/csv", size=len(text), sha256=""
            )
            document = f"""mutation($input: Start{name if name == "Card" else ""}ImportInput!) {{
              start{name}Import(input: $input) {{ job {{ id files {{ name role }} }} errors {{ code }} }} }}"""
            mine = clerk(permission)
            values = {"input": {"file": upload, "dryRun": True}}
            made = await shop.ask(document, values, schema="admin", principal=mine)
            refused = await shop.ask(document, values, schema="admin", principal=clerk("read_products"))
        payload = made[f"start{name}Import"]
        # A file of secrets is kept for the job alone; nobody can fetch it.
        listed = [] if name == "Card" else [{"name": f"{name}.csv", "role": "input"}]
        assert (payload["errors"], payload["job"]["files"]) == ([], listed)
        assert refused[f"start{name}Import"] == {"job": None, "errors": [{"code": "FORBIDDEN"}]}
        found = await ended(shop, await job_behind(shop, payload["job"]["id"]))
        assert found.result is not None, found.error
        assert found.result.counts == counts


async def job_behind(shop: Shop, text: str) -> Job:
    """The job of a global id."""
    found = await shop.kernel.jobs.find(key_of("Job", text), CLERK)
    assert found is not None
    return found
