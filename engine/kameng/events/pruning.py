"""Old events leave the outbox; those that are still owed to somebody stay, dead letters too."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from kameng.events import statements
from kameng.settings import EventsSettings

if TYPE_CHECKING:
    from kameng.kernel import Kernel


async def prune_events(kernel: Kernel) -> None:
    """Delete events older than ``[events] keep_days``, in small transactions."""
    keep = timedelta(days=kernel.settings.section("events", EventsSettings).keep_days)
    after = 0
    while (found := await kernel.db.fetchrow(statements.PRUNE_FROM, after, keep)) and found["old"]:
        await kernel.db.execute(statements.PRUNE, found["id"], keep)
        after = found["id"] + statements.PRUNE_STEP - 1
