"""Imports that die and go on: each line counts once, whatever was committed before."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any

import pytest

from kameng.ids import global_id
from kameng.jobs import Job, JobCancelled, JobReport, JobRun, JobState, Problem
from kameng.jobs.job import job_of
from kameng.jobs.statements import BEGIN
from kameng.testing.kernels import Kernels
from kameng_catalog import module as catalog
from kameng_catalog.bulk.imports import import_card_file, import_price_file, import_product_file
from kameng_catalog.importing import card_pieces, in_chunks
from kameng_catalog.importing.arriving import take_back_abandoned

from .conftest import CLERK, PLAIN, Shop, as_csv
from .job_worker import Workers
from .jobs import ended, everything, prices, rolled_back, start


class Died(Exception):
    """The process is gone."""


class Dying(JobRun):
    """A run whose process dies when so many chunks are committed."""

    left = 0

    @asynccontextmanager
    async def chunk(self) -> AsyncIterator[None]:
        """The chunk, or death."""
        if not self.left:
            raise Died
        async with super().chunk():
            yield
        self.left -= 1


async def die_after(
    shop: Shop, job: Job, call: Callable[[JobRun], Awaitable[JobReport]], chunks: int
) -> JobRun:
    """Run a job until so many chunks are committed, and let its lease run out."""
    row = await shop.kernel.db.fetchrow(BEGIN, job.id, timedelta(seconds=30), 2)
    assert row is not None
    run = Dying(shop.kernel, job_of(row))
    run.left = chunks
    with pytest.raises(Died):
        await call(run)
    await shop.kernel.db.execute(
        "update kernel_job set heartbeat_at = now() - interval '1 hour' where id = $1", job.id
    )
    return run


async def cards_in_the_vault(shop: Shop) -> list[Any]:
    return await shop.kernel.db.fetch("select id, xmin::text from catalog_card order by id")


async def test_a_card_import_goes_on_behind_its_last_chunk(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Given a file of 30 cards with a double, a known card and a faulty line, read in pieces of ten
    monkeypatch.setattr(card_pieces, "PIECE", 10)
    variant = await shop.stocked()
    await shop.cards("A-1", ["known"])
    lines = [f"card-{number:02d}" for number in range(30)]
    lines[4], lines[14], lines[15] = "known", lines[3], "bad\u200bcard"
    job = await start(shop, "import_cards", "secret\n" + "\n".join(lines) + "\n", sku="A-1", keep_good=True)
    # When its worker dies after the batch and two pieces
    run = await die_after(shop, job, import_card_file, 3)
    assert run.done == 20
    arrived = await cards_in_the_vault(shop)
    # Then nothing of them can be sold or seen yet
    assert len(arrived) == 1 + 9 + 8
    assert await shop.stock.available([variant]) == {variant: 1}
    listed = await shop.ask("{ stockBatches { nodes { cardCount } } }", schema="admin", principal=CLERK)
    assert listed == {"stockBatches": {"nodes": [{"cardCount": 1}]}}
    node = await shop.ask(
        "query($id: ID!) { node(id: $id) { id } }",
        {"id": global_id("StockBatch", job.id)},
        schema="admin",
        principal=CLERK,
    )
    assert node == {"node": None}
    # And when another worker goes on
    found = await ended(shop, job)
    # Then what was there is untouched, and all is told as if nothing had happened
    assert (await cards_in_the_vault(shop))[: len(arrived)] == arrived
    assert found.result is not None
    assert (found.state, found.result.counts) == (JobState.SUCCEEDED, {"cards": 27, "variants": 1})
    assert (found.rows_done, found.rows_total, found.problems) == (30, 30, 3)
    assert [(item.line, item.reason[:30]) for item in found.result.problems] == [
        (6, "the card is in stock since 202"),
        (16, "the card of line 5 again"),
        (17, "holds the invisible character "),
    ]
    assert await shop.buy((variant, 28)) == [["known", *_sold(lines)]]


def _sold(lines: list[str]) -> list[str]:
    """The sound cards of a file, each once, in its order."""
    return [line for line in dict.fromkeys(lines) if line not in ("known", "bad\u200bcard")]


async def test_a_card_import_whose_last_worker_dies_leaves_nothing(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(card_pieces, "PIECE", 10)
    variant = await shop.stocked()
    text = "secret\n" + "\n".join(f"card-{number}" for number in range(25)) + "\n"
    job = await start(shop, "import_cards", text, sku="A-1")
    await die_after(shop, job, import_card_file, 3)
    # Given a job that may still go on, its cards are left alone
    await take_back_abandoned(shop.kernel)
    assert (await shop.sizes())["card"] == 20
    # When somebody gives it up, they are taken back, and their keys with them
    await shop.kernel.db.execute("update kernel_job set state = 'FAILED', ended_at = now()")
    await take_back_abandoned(shop.kernel)
    sizes = await shop.sizes()
    assert (sizes["card"], sizes["stock_batch"], sizes["free_card"]) == (0, 0, 0)
    keys = "select count(*) from kernel_data_key where scope like 'catalog.card:%'"
    assert await shop.kernel.db.fetchval(keys) == 0
    # And the same file can come in again
    again = await ended(shop, await start(shop, "import_cards", text, sku="A-1"))
    assert again.state is JobState.SUCCEEDED
    assert await shop.stock.available([variant]) == {variant: 25}


async def test_a_faulty_card_file_takes_back_what_has_arrived(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Given a file whose last line is faulty
    monkeypatch.setattr(card_pieces, "PIECE", 10)
    await shop.stocked()
    text = "secret\n" + "\n".join(f"card-{number}" for number in range(25)) + "\ncard-1\n"
    job = await ended(shop, await start(shop, "import_cards", text, sku="A-1"))
    assert (job.state, job.changed, job.problems) == (JobState.FAILED, False, 1)
    assert job.error is not None
    assert job.error.code == "FILE_REFUSED"
    assert job.result is not None
    assert job.result.problems == [Problem(27, "secret", "the card of line 3 again")]
    sizes = await shop.sizes()
    assert (sizes["card"], sizes["stock_batch"], sizes["stock_movement"]) == (0, 0, 0)


async def test_a_cancelled_card_import_takes_back_what_has_arrived(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(card_pieces, "PIECE", 10)
    await shop.stocked()
    text = "secret\n" + "\n".join(f"card-{number}" for number in range(25)) + "\n"
    job = await start(shop, "import_cards", text, sku="A-1")
    await die_after(shop, job, import_card_file, 2)
    row = await shop.kernel.db.fetchrow(BEGIN, job.id, timedelta(seconds=30), 2)
    assert row is not None
    run = JobRun(shop.kernel, job_of(row))
    run.cancel_requested = True
    with pytest.raises(JobCancelled):
        await import_card_file(run)
    sizes = await shop.sizes()
    assert (sizes["card"], sizes["stock_batch"]) == (0, 0)


async def test_two_card_jobs_with_the_same_cards_share_them(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Given two files that share all cards, in opposite order
    monkeypatch.setattr(card_pieces, "PIECE", 5)
    variant = await shop.stocked()
    secrets = [f"card-{number}" for number in range(40)]
    jobs = [
        await start(shop, "import_cards", "secret\n" + "\n".join(some) + "\n", sku="A-1", keep_good=True)
        for some in (secrets, secrets[::-1])
    ]
    runs = []
    for job in jobs:
        row = await shop.kernel.db.fetchrow(BEGIN, job.id, timedelta(seconds=30), 2)
        assert row is not None
        runs.append(JobRun(shop.kernel, job_of(row)))
    # When both are imported at once
    reports = await asyncio.gather(*(import_card_file(run) for run in runs))
    # Then each card came by one of them, and the other tells that it is known
    assert sum(report.counts["cards"] for report in reports) == 40
    assert sum(report.problem_count for report in reports) == 40
    assert await shop.stock.available([variant]) == {variant: 40}


def _products(count: int) -> list[dict[str, str]]:
    return [
        {
            **PLAIN,
            "sku": f"P{number:02d}-{size}",
            "product": f"product-{number:02d}",
            "variant_zh": f"规格{size}",
        }
        for size in (1, 2)
        for number in range(count)
    ]


async def test_a_product_import_goes_on_behind_its_last_chunk(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Given a file of 20 lines of ten products, written in chunks of at most five lines
    monkeypatch.setattr(in_chunks, "CHUNK", 5)
    monkeypatch.setattr("kameng_catalog.importing.product_import.CHUNK", 5)
    await shop.products({**_products(10)[3], "price": "9.95"})
    before = await everything(shop)
    job = await start(shop, "import_products", as_csv(_products(10)))
    # When its worker dies after the judgement and two chunks
    run = await die_after(shop, job, import_product_file, 3)
    assert run.done == 8
    assert (await shop.sizes())["variant"] == 8
    # And somebody changes a price that was written already
    await shop.products({**_products(10)[0], "price": "12.00"})
    # When another worker goes on
    found = await ended(shop, job)
    # Then it leaves that alone, and tells what the whole file did
    assert found.result is not None
    assert found.result.counts == {"created": 19, "updated": 1, "unchanged": 0}
    assert (found.state, found.rows_done, found.rows_total) == (JobState.SUCCEEDED, 20, 20)
    written = await prices(shop)
    assert (len(written), written["P00-1"], written["P03-1"]) == (20, 120_000, 99_000)
    places = await shop.kernel.db.fetch("select distinct position from catalog_variant order by 1")
    assert [row["position"] for row in places] == [0, 1]
    # And all of it can be rolled back, but for what was changed since
    undone = await rolled_back(shop, found)
    assert undone.undone is not None
    assert undone.undone.counts["left_alone"] == 3  # the price, its variant and its product
    after = await everything(shop)
    assert [row for row in after["variant"] if row in before["variant"]] == before["variant"]
    assert len(after["variant"]) == 2


async def test_a_price_import_goes_on_behind_its_last_chunk(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(in_chunks, "CHUNK", 5)
    await shop.products(*_products(6))
    text = "sku,currency,price,tier\n" + "".join(
        f"{row['sku']},CNY,9.{60 + place},gold\n" for place, row in enumerate(_products(6))
    )
    job = await start(shop, "import_prices", text)
    run = await die_after(shop, job, import_price_file, 2)
    assert (run.done, len(await prices(shop, "gold"))) == (5, 5)
    # Given that a variant's cost rises above its new price before its chunk comes
    await shop.kernel.db.execute("update catalog_variant set cost_units = 98000 where sku = 'P05-2'")
    found = await ended(shop, job)
    # Then that line is left out and told, and the rest is written once
    assert found.result is not None
    assert found.result.counts == {"created": 11, "updated": 0, "unchanged": 0}
    assert (found.result.problem_count, found.result.problems[0].line) == (1, 13)
    assert sorted(await prices(shop, "gold")) == sorted(row["sku"] for row in _products(6))[:-1]
    history = await shop.kernel.db.fetchval(
        "select count(*) from catalog_price_change where source = $1", f"job:{job.id}"
    )
    assert history == 11
    undone = await rolled_back(shop, found)
    assert undone.undone is not None
    assert undone.undone.counts == {"restored": 11, "left_alone": 0}
    assert await prices(shop, "gold") == {}


@pytest.mark.slow
async def test_a_product_import_survives_its_workers_and_writes_each_line_once(make_kernel: Kernels) -> None:
    # Given a file of 6,000 products, and workers that are killed while they write
    kernel = await make_kernel([catalog], tasks={"lease_seconds": 1.0}, jobs={"lease_seconds": 1.0})
    shop = Shop(kernel)
    rows = [{**PLAIN, "sku": f"P-{n}", "product": f"p-{n}"} for n in range(6_000)]
    workers = Workers(kernel)
    try:
        job = await start(shop, "import_products", as_csv(rows))
        workers.start()
        async with asyncio.timeout(300):
            for goal in (1, 4_000):
                done = "select rows_done from kernel_job where id = $1"
                while await kernel.db.fetchval(done, job.id) < goal:
                    await asyncio.sleep(0.005)
                workers.kill()
            while (found := await kernel.jobs.find(job.id, CLERK)) is not None and found.state.open:
                await asyncio.sleep(0.05)
    finally:
        workers.stop()
    # Then each product is there once, the report speaks of all of them, and the history of each price has one entry
    assert found is not None
    assert found.result is not None
    assert (found.state, found.result.counts["created"], found.rows_done) == (
        JobState.SUCCEEDED,
        6_000,
        6_000,
    )
    assert found.fence > 1
    sizes = await shop.sizes()
    assert (sizes["product"], sizes["variant"], sizes["price"]) == (6_000, 6_000, 6_000)
    # One entry of each price, and one of each cost.
    assert sizes["price_change"] == 12_000
