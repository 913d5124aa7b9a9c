"""Bulk changes of prices and statuses: previewed, done once, undone unless somebody was there since."""

from __future__ import annotations

import asyncio
import csv
import io
import random
from typing import Any

import pytest

from kameng.jobs import FieldChange, JobState, Problem, RowChange
from kameng.testing.kernels import Kernels
from kameng_catalog import module as catalog

from . import job_worker
from .conftest import CLERK, Shop
from .jobs import done, everything, file_of, prices, rolled_back, start

RAISE = {"formula": {"percent": "10"}, "tier": "retail", "currency": "CNY"}

PATIENCE = 120.0
"""Seconds after which a test gives up waiting; no measure of anything."""


async def several(shop: Shop) -> None:
    """Four variants in two categories, at 10.00, 20.00, 30.00 and 40.00."""
    games = {"category": "game", "category_zh": "游戏", "category_en": "Games"}
    calls = {"category": "top-up", "category_zh": "充值", "category_en": "Top-ups"}
    await shop.products(
        {"sku": "A-1", "product": "a", "price": "10.00", "cost": "9.00"},
        {"sku": "A-2", "product": "a", "price": "20.00", "cost": "9.00"},
        {"sku": "B-1", "product": "b", "price": "30.00", "cost": "", **games},
        {"sku": "C-1", "product": "c", "price": "40.00", "cost": "39.00", **calls},
    )


async def test_a_preview_shows_old_and_new_prices_and_writes_nothing(shop: Shop) -> None:
    await several(shop)
    before = await everything(shop)
    job = await done(shop, "change_prices", dry_run=True, filter={"category": "game"}, **RAISE)
    assert (job.state, job.rows_done, job.rows_total, job.changed) == (JobState.SUCCEEDED, 3, 3, False)
    assert job.result is not None
    assert job.result.counts == {"changed": 3, "left_alone": 0, "unchanged": 0}
    assert sorted(job.result.changes, key=lambda change: change.subject)[0] == RowChange(
        "A-1", "updated", (FieldChange("retail CNY", "10.00", "11.00"),)
    )
    rows = list(csv.reader(io.StringIO((await file_of(shop, job, "changes")).decode("utf-8-sig"))))
    assert sorted(rows[1:]) == [
        ["A-1", "updated", "retail CNY", "10.00", "11.00"],
        ["A-2", "updated", "retail CNY", "20.00", "22.00"],
        ["B-1", "updated", "retail CNY", "30.00", "33.00"],
    ]
    assert await everything(shop) == before


async def test_prices_are_changed_and_rolled_back_unless_changed_since(shop: Shop) -> None:
    await several(shop)
    job = await done(shop, "change_prices", filter={"skus": ["A-1", "A-2", "C-1"]}, reason="spring", **RAISE)
    assert await prices(shop) == {"A-1": 110_000, "A-2": 220_000, "B-1": 300_000, "C-1": 440_000}
    lowest = await shop.kernel.db.fetchval("select lowest_units from catalog_product where slug = 'a'")
    assert lowest == 110_000
    noted = await shop.kernel.db.fetch(
        "select distinct source, reason, changed_by from catalog_price_change where source like 'job:%'"
    )
    assert [tuple(row) for row in noted] == [(f"job:{job.id}", "spring", CLERK.key)]
    # Given that one of them was changed since
    await shop.products({"sku": "A-2", "product": "a", "price": "25.00", "cost": "9.00"})
    undone = await rolled_back(shop, job)
    assert await prices(shop) == {"A-1": 100_000, "A-2": 250_000, "B-1": 300_000, "C-1": 400_000}
    assert undone.undone is not None
    assert undone.undone.counts == {"restored": 2, "left_alone": 1}
    assert undone.undone.problems == [Problem(0, "A-2", "changed since: 25.00 CNY")]


async def test_the_cost_is_the_floor_unless_the_variant_allows_less(shop: Shop) -> None:
    await several(shop)
    await shop.kernel.db.execute("update catalog_variant set below_cost = true where sku = 'C-1'")
    half = {"formula": {"percent": "-60", "ending": "0.90"}, "tier": "retail", "currency": "CNY"}
    job = await done(shop, "change_prices", **half)
    assert job.state is JobState.SUCCEEDED
    # 4.00 would be below 9.00 and becomes 9.90; 8.00 likewise; 12.00 is nearest to 11.90; 16.00 to 15.90.
    assert await prices(shop) == {"A-1": 99_000, "A-2": 99_000, "B-1": 119_000, "C-1": 159_000}
    refused = {"formula": {"percent": "-50", "refuse_below_cost": True}, "tier": "retail", "currency": "CNY"}
    job = await done(shop, "change_prices", filter={"sku_prefix": "A-"}, **refused)
    assert job.result is not None
    assert job.result.counts == {"changed": 0, "left_alone": 2, "unchanged": 0}
    assert {item.reason for item in job.result.problems} == {
        "is lower than what one costs, which the variant does not allow"
    }


async def test_prices_made_of_costs_and_face_values(shop: Shop) -> None:
    await several(shop)
    job = await done(
        shop,
        "change_prices",
        formula={"base": "cost", "percent": "20", "amount": "0.5"},
        tier="retail",
        currency="CNY",
    )
    assert await prices(shop) == {"A-1": 113_000, "A-2": 113_000, "B-1": 300_000, "C-1": 473_000}
    assert job.result is not None
    assert job.result.problems == [Problem(0, "B-1", "has no cost in CNY")]
    job = await done(
        shop, "change_prices", formula={"base": "face"}, tier="retail", currency="CNY", locale="zh-CN"
    )
    assert job.result is not None
    assert job.result.problems[0].reason == "没有以 CNY 计的面值"


async def test_a_price_that_cannot_be_meant_is_left_alone(shop: Shop) -> None:
    await several(shop)
    await shop.kernel.db.execute("update catalog_variant set cost_units = null, cost_currency = null")
    job = await done(shop, "change_prices", formula={"amount": "-20"}, tier="retail", currency="CNY")
    assert job.result is not None
    assert sorted(item.reason for item in job.result.problems) == ["would be -10.00", "would be 0.00"]
    assert await prices(shop) == {"A-1": 100_000, "A-2": 200_000, "B-1": 100_000, "C-1": 200_000}


async def test_products_are_taken_off_sale_and_put_on_again(shop: Shop) -> None:
    await several(shop)
    archive: dict[str, Any] = {"status": "archived", "filter": {"category": "game"}, "with_variants": True}
    tried = await done(shop, "change_statuses", dry_run=True, **archive)
    assert tried.result is not None
    assert tried.result.counts == {"changed": 5, "left_alone": 0}
    job = await done(shop, "change_statuses", **archive)
    statuses = "select slug, status from catalog_product order by slug"
    assert [tuple(row) for row in await shop.kernel.db.fetch(statuses)] == [
        ("a", "archived"), ("b", "archived"), ("c", "published"),
    ]  # fmt: skip
    listed = (await shop.ask("{ products(first: 5) { nodes { slug } } }"))["products"]["nodes"]
    assert listed == [{"slug": "c"}]
    # Given that one was published again meanwhile
    await shop.kernel.db.execute("update catalog_product set status = 'draft' where slug = 'b'")
    undone = await rolled_back(shop, job)
    assert [tuple(row) for row in await shop.kernel.db.fetch(statuses)] == [
        ("a", "published"), ("b", "draft"), ("c", "published"),
    ]  # fmt: skip
    assert undone.undone is not None
    assert undone.undone.counts == {"restored": 4, "left_alone": 1}
    assert undone.undone.problems == [Problem(0, "product b", "changed since: status")]


async def test_a_filter_on_variants_finds_their_products(shop: Shop) -> None:
    await several(shop)
    job = await done(shop, "change_statuses", status="draft", filter={"skus": ["A-2"]})
    assert job.result is not None
    assert [change.subject for change in job.result.changes] == ["product a"]


@pytest.mark.slow
async def test_each_price_changes_once_although_workers_are_killed(make_kernel: Kernels) -> None:
    # Given 3,000 prices and two workers
    kernel = await make_kernel([catalog], tasks={"lease_seconds": 1.0}, jobs={"lease_seconds": 1.0})
    shop = Shop(kernel)
    await shop.products(
        *(
            {"sku": f"S-{n:04d}", "product": f"p-{n % 700}", "cost": "", "price": f"{n + 1}.00"}
            for n in range(3_000)
        )
    )
    before = await prices(shop)
    workers = job_worker.Workers(kernel)
    rng = random.Random(42)
    try:
        job = await start(shop, "change_prices", **RAISE)
        workers.start()
        workers.start()
        async with asyncio.timeout(PATIENCE):
            # When both are killed as soon as another chunk is done, three times
            for goal in (1, 1_000, 2_000):
                while (
                    await kernel.db.fetchval("select rows_done from kernel_job where id = $1", job.id) < goal
                ):
                    await asyncio.sleep(0.005)
                await asyncio.sleep(rng.uniform(0, 0.05))
                workers.kill()
                workers.kill()
            while (found := await kernel.jobs.find(job.id, CLERK)) is not None and found.state.open:
                await asyncio.sleep(0.05)
    finally:
        workers.stop()
    # Then each price is a tenth higher, and the history tells of each change once
    assert found is not None
    assert found.state is JobState.SUCCEEDED
    assert await prices(shop) == {sku: units * 11 // 10 for sku, units in before.items()}
    assert found.result is not None
    assert found.result.counts == {"changed": 3_000, "left_alone": 0, "unchanged": 0}
    history = await kernel.db.fetchval("select count(*) from catalog_price_change where source like 'job:%'")
    assert history == 3_000
