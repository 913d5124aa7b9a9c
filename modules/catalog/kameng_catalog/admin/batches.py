"""Mutations on batches of cards."""

from __future__ import annotations

import strawberry

from kameng.errors import Conflict
from kameng.graphql import Info, mutation, payload
from kameng.graphql.scalars import MoneyInput
from kameng.ids import key_of
from kameng.money import UnitPrice
from kameng_catalog.admin.inputs import checked
from kameng_catalog.admin.loaders import admin_loaders
from kameng_catalog.admin.reasons import reason_of
from kameng_catalog.admin.types import StockBatch
from kameng_catalog.batches import BatchState, set_batch_state, update_batch
from kameng_catalog.importing import cells
from kameng_catalog.permissions import IMPORT_STOCK, MANAGE_STOCK

LONGEST_SOURCE = 200


@strawberry.input(description="What is known of a batch; what is left out stays.")
class UpdateStockBatchInput:
    """What changes of a batch."""

    batch: strawberry.ID
    source: str | None = strawberry.field(default=None, description="Where its cards came from.")
    cost: MoneyInput | None = strawberry.field(default=None, description="What one of its cards cost us.")


@payload()
class UpdateStockBatchPayload:
    """The batch as it is now, or why it is as it was."""

    batch: StockBatch | None = None


@strawberry.input(description="A batch whose unsold cards are not to be sold for the time being.")
class QuarantineStockBatchInput:
    """A batch to put into quarantine."""

    batch: strawberry.ID
    reason: str


@payload(Conflict)
class QuarantineStockBatchPayload:
    """The batch in quarantine, or why it is not."""

    batch: StockBatch | None = None
    moved: int = strawberry.field(default=0, description="How many cards it took out of stock.")


@strawberry.input(description="A batch whose cards may be sold again.")
class ReadmitStockBatchInput:
    """A batch to readmit."""

    batch: strawberry.ID
    reason: str


@payload(Conflict)
class ReadmitStockBatchPayload:
    """The batch that may be sold, or why it may not."""

    batch: StockBatch | None = None
    moved: int = strawberry.field(default=0, description="How many cards came back into stock.")


@strawberry.input(description="A batch whose unsold cards are never to be sold.")
class RecallStockBatchInput:
    """A batch to recall."""

    batch: strawberry.ID
    reason: str


@payload(Conflict)
class RecallStockBatchPayload:
    """The recalled batch, or why it is not; `soldCards` of the batch tells who got cards of it before."""

    batch: StockBatch | None = None
    moved: int = strawberry.field(default=0, description="How many cards were taken away for good.")


@strawberry.type
class BatchesMutation:
    """Mutations on batches of cards."""

    @mutation
    async def update_stock_batch(self, info: Info, input: UpdateStockBatchInput) -> UpdateStockBatchPayload:  # noqa: A002 - GraphQL's name
        """Change what is known of a batch: where it came from, and what it cost."""
        info.context.require(IMPORT_STOCK)
        source = (
            None
            if input.source is None
            else checked("source", lambda text: cells.plain(text, LONGEST_SOURCE), input.source)
        )
        cost = None if input.cost is None else UnitPrice.parse(input.cost.amount, input.cost.currency)
        await update_batch(info.context, key_of("StockBatch", input.batch), source=source, cost=cost)
        return UpdateStockBatchPayload(batch=await _batch(info, input.batch))

    @mutation
    async def quarantine_stock_batch(
        self,
        info: Info,
        input: QuarantineStockBatchInput,  # noqa: A002 - GraphQL's name
    ) -> QuarantineStockBatchPayload:
        """Take the unsold cards of a batch out of stock, also those that are kept for unpaid orders, until it is readmitted."""
        moved = await _put(info, input.batch, "quarantined", input.reason)
        return QuarantineStockBatchPayload(batch=await _batch(info, input.batch), moved=moved)

    @mutation
    async def readmit_stock_batch(
        self,
        info: Info,
        input: ReadmitStockBatchInput,  # noqa: A002 - GraphQL's name
    ) -> ReadmitStockBatchPayload:
        """Bring the cards of a batch in quarantine back into stock."""
        moved = await _put(info, input.batch, "sellable", input.reason)
        return ReadmitStockBatchPayload(batch=await _batch(info, input.batch), moved=moved)

    @mutation
    async def recall_stock_batch(
        self,
        info: Info,
        input: RecallStockBatchInput,  # noqa: A002 - GraphQL's name
    ) -> RecallStockBatchPayload:
        """Take the unsold cards of a batch out of stock for good."""
        moved = await _put(info, input.batch, "recalled", input.reason)
        return RecallStockBatchPayload(batch=await _batch(info, input.batch), moved=moved)


async def _put(info: Info, batch: strawberry.ID, state: BatchState, reason: str) -> int:
    info.context.require(MANAGE_STOCK)
    return await set_batch_state(info.context, key_of("StockBatch", batch), state, reason_of(reason))


async def _batch(info: Info, batch: strawberry.ID) -> StockBatch | None:
    return await admin_loaders(info.context).batch.load(key_of("StockBatch", batch))
