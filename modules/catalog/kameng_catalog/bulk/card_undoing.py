"""Undoing an import of cards: those that nobody has got are taken out of stock again, and out of the vault."""

from __future__ import annotations

from typing import TYPE_CHECKING
from uuid import UUID

from kameng.db import Statement
from kameng.jobs import JobReport

if TYPE_CHECKING:
    from kameng.jobs import JobRun

CHUNK = 5_000
"""Cards of one chunk."""

# What is free or quarantined goes; whoever buys at this moment has his card locked, and it is passed over until he has it or
# has left it. A card without any place was withdrawn before, by its expiry say, and goes as well. The movements tell what went
# out of what can be sold.
TAKE_OUT = Statement(
    "catalog.take_cards_out",
    """
    with asked as materialized (
        select card.id, card.variant from catalog_card card
        where card.batch = $1 and card.id > $2
            and not exists (select from catalog_sold_card s where s.card = card.id)
            and not exists (select from catalog_reserved_card r where r.card = card.id)
        order by card.id limit $3
    ),
    free as (
        select card from catalog_free_card where card in (select id from asked) order by card for update skip locked
    ),
    held as (
        select f.card from catalog_free_card f
        where f.card in (select id from asked) and f.card not in (select card from free)
    ),
    freed as (
        delete from catalog_free_card where card in (select card from free) returning card, variant
    ),
    quarantined as (
        delete from catalog_quarantined_card where card in (select id from asked) returning card
    ),
    moved as (
        insert into catalog_stock_movement (variant, kind, quantity, batch, at, reason, actor)
        select variant, 'recall', -count(*)::int, $1, now(), 'import rolled back', $4 from freed group by variant
    )
    select (select max(id) from asked) as last, (select count(*) from asked) as seen,
        array(select id from asked where id not in (select card from held)) as gone
    """,
)

DELETE_CARDS = Statement(
    "catalog.delete_cards",
    """
    delete from catalog_card card where id = any($1::bigint[])
        and not exists (select from catalog_sold_card s where s.card = card.id)
        and not exists (select from catalog_reserved_card r where r.card = card.id)
        and not exists (select from catalog_free_card f where f.card = card.id)
    """,
)

LEFT = Statement("catalog.count_cards_of_batch", "select count(*) from catalog_card where batch = $1")

COUNT_BATCH = Statement(
    "catalog.count_rest_of_batch",
    "update catalog_stock_batch set card_count = (select count(*) from catalog_card where batch = $1) where id = $1",
)


async def undo_cards(run: JobRun) -> JobReport:
    """Take the cards of the job's batch out again that were not sold and are not kept for an order."""
    noted = [row async for row in run.noted()]
    batches = [(row["id"], UUID(row["content"]["batch"])) for row in noted if row["problem"] is None]
    db = run.kernel.db
    gone = int(run.saved.get("gone", 0))
    left = 0
    if run.total is None:
        run.total = 0
        for _, batch in batches:
            run.total += await db.fetchval(LEFT, batch)
    for key, batch in batches:
        while True:
            async with run.chunk():
                after = int(run.saved.get(f"after:{batch}", 0))
                row = await db.fetchrow(TAKE_OUT, batch, after, CHUNK, run.principal.key)
                if row is None or not row["seen"]:
                    break
                tag = await db.execute(DELETE_CARDS, row["gone"])
                gone += int(tag.split()[-1])
                run.done += row["seen"]
                run.saved[f"after:{batch}"], run.saved["gone"] = row["last"], gone
        async with run.chunk():
            await db.execute(COUNT_BATCH, batch)
            rest: int = await db.fetchval(LEFT, batch)
            left += rest
            await run.settle(
                {key: "restored" if not rest else f"{rest} cards were sold or are kept for orders"}
            )
            await run.kernel.audit.record(
                "catalog.cards_taken_out",
                principal=run.principal,
                subject=f"stock_batch:{batch}",
                details={"taken_out": gone, "left": rest, "job": str(run.job.id)},
            )
    return JobReport(counts={"taken_out": gone, "left_alone": left}, problem_count=left, applied=bool(gone))
