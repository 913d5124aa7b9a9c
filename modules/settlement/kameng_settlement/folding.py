"""Folding the balance rows of unbounded accounts, so that adding them up stays cheap."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kameng_settlement.statements import FOLD

if TYPE_CHECKING:
    from kameng.kernel import Kernel


async def fold_balances(kernel: Kernel) -> None:
    """Make one row of each unbounded account's many; safe at any time and any number of times at once."""
    await kernel.db.execute(FOLD)
