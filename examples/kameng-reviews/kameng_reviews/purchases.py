"""Listening to fulfilment: who bought what, so that only buyers write reviews."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING
from uuid import UUID

from kameng.ids import new_id
from kameng_fulfilment.contract import OrderCompleted
from kameng_reviews.statements import RECORD_PURCHASES

if TYPE_CHECKING:
    from kameng.kernel import Kernel


async def record_purchases(kernel: Kernel, events: Sequence[OrderCompleted]) -> None:
    """Remember the products of completed orders; a batch is one statement.

    Runs in the transaction that marks the events as handled. A product bought again changes nothing.
    """
    first: dict[tuple[UUID, UUID], OrderCompleted] = {}
    for event in events:
        for line in event.lines:
            first.setdefault((UUID(event.member), UUID(line.product)), event)
    # In one order everywhere, so that two workers never wait for each other crosswise.
    pairs = sorted(first)
    await kernel.db.execute(
        RECORD_PURCHASES,
        [new_id() for _ in pairs],
        [member for member, _ in pairs],
        [product for _, product in pairs],
        [first[pair].number for pair in pairs],
        [datetime.fromisoformat(first[pair].completed_at) for pair in pairs],
    )
