"""Whose prices somebody sees."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING
from uuid import UUID

from kameng.auth import Principal, PrincipalKind
from kameng.db import Database
from kameng_catalog.contract import RETAIL
from kameng_membership.settings import MembershipSettings
from kameng_membership.statements import MEMBER_TIER

if TYPE_CHECKING:
    from kameng.kernel import Kernel

_MOST = 10_000  # members remembered at a time


class LevelTiers:
    """Fulfils the catalogue's `PriceTiers`: a member sees the prices of its level.

    A page of the shop asks for it with each list of products, so a process remembers the answer for a few
    seconds. That concerns only what is shown: an order is priced at the level of the moment.

    Args:
        db: where the members are.
        seconds: how long an answer is remembered; 0: not at all.
    """

    def __init__(self, db: Database, seconds: float) -> None:
        self._db = db
        self._seconds = seconds
        self._known: dict[UUID, tuple[float, str]] = {}

    async def tier_of(self, principal: Principal) -> str:
        """See `kameng_catalog.contract.PriceTiers.tier_of`."""
        if principal.kind is not PrincipalKind.MEMBER or principal.id is None:
            return RETAIL
        now = time.monotonic()
        until, tier = self._known.get(principal.id, (0.0, RETAIL))
        if until < now:
            tier = await self._db.fetchval(MEMBER_TIER, principal.id) or RETAIL
            if self._seconds:
                if len(self._known) >= _MOST:
                    self._known.clear()
                self._known[principal.id] = (now + self._seconds, tier)
        return tier

    def forget(self, member: UUID) -> None:
        """Look a member up anew, since its level has changed."""
        self._known.pop(member, None)


def open_tiers(kernel: Kernel) -> LevelTiers:
    """The price tiers of a kernel's members."""
    section = kernel.settings.section("membership", MembershipSettings)
    return LevelTiers(kernel.db, section.tier_cache_seconds)
