"""Lists of stock: batches, and the cards of one."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING
from uuid import UUID

from kameng.db import Statement
from kameng.graphql import Connection
from kameng.graphql.nested import by_owner, for_each, pages_of
from kameng.graphql.pages import Keyset, PageRequest
from kameng_catalog.admin.statements import BATCH_COLUMNS, CARD_COLUMNS, CARD_TABLES
from kameng_catalog.admin.types import Card, StockBatch, batch_of, card_of

if TYPE_CHECKING:
    from kameng.graphql import Context

NEWEST_BATCHES = Keyset("stock-batches", (("b.id", "uuid"),), descending=True)
BY_NUMBER = Keyset("cards", (("c.id", "bigint"),))


async def list_batches(context: Context, page: PageRequest) -> Connection[StockBatch]:
    """A page of batches, the newest first."""
    behind, tail, cursor = page.clauses(NEWEST_BATCHES, 1)
    sql = f"select {BATCH_COLUMNS} from catalog_stock_batch b where b.state <> 'arriving' and {behind} {tail}"
    rows = await context.db.fetch(Statement("catalog.list_stock_batches", sql), *cursor)
    return page.connection(rows, NEWEST_BATCHES, lambda row: [row["id"]], batch_of)


async def list_cards(context: Context, page: PageRequest, batch: UUID) -> Connection[Card]:
    """A page of a batch's cards, in the order of the file; that of all batches of a request comes in one statement."""
    loader = pages_of(context, "catalog.cards", page, BY_NUMBER, partial(_cards_of, context, page, "true"))
    return await loader.load(batch)


async def list_sold_cards(context: Context, page: PageRequest, batch: UUID) -> Connection[Card]:
    """The same, of those cards that were sold."""
    sold = "sold.card is not null"
    loader = pages_of(context, "catalog.sold_cards", page, BY_NUMBER, partial(_cards_of, context, page, sold))
    return await loader.load(batch)


async def _cards_of(
    context: Context, page: PageRequest, which: str, batches: list[UUID]
) -> list[Connection[Card]]:
    behind, tail, cursor = page.clauses(BY_NUMBER, 2)
    sql = for_each(
        f"select {CARD_COLUMNS} from {CARD_TABLES} where c.batch = owner.key and {which} and {behind} {tail}"
    )
    rows = await context.db.fetch(Statement("catalog.list_cards", sql), batches, *cursor)
    return [
        page.connection(group, BY_NUMBER, lambda row: [row["id"]], card_of)
        for group in by_owner(rows, batches)
    ]
