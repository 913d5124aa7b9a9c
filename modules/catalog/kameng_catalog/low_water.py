"""Where a pick starts reading: behind the cards that this process has just sold.

Stock is sold first in, first out, so what was sold leaves dead entries in front of what is free, and until
the database has cleaned up, each pick would read over all of them: two milliseconds for a quarter of a
million. A process remembers the lowest card that its last pick found. What lies below is sold, or was locked
by somebody who may still give it back; so it looks there again when it runs short, and every few seconds.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from uuid import UUID

SECONDS = 5.0
"""How long cards that somebody gave back may be passed over while there are others."""

MOST = 10_000
"""Variants that are remembered."""


class LowWater:
    """The marks of one process."""

    def __init__(self) -> None:
        self._marks: dict[UUID, tuple[int, float]] = {}

    def of(self, variant: UUID) -> int:
        """The number of the card to start from; 0 for the beginning."""
        card, until = self._marks.get(variant, (0, 0.0))
        return card if time.monotonic() < until else 0

    def note(self, found: Mapping[UUID, int], started: Mapping[UUID, int]) -> None:
        """Remember the lowest card that a pick found of each variant, and how long it may start there."""
        now = time.monotonic()
        if len(self._marks) > MOST:
            self._marks.clear()
        for variant, card in found.items():
            # A pick from the beginning starts a new span; others go on in theirs.
            until = (
                self._marks[variant][1] if started.get(variant) and variant in self._marks else now + SECONDS
            )
            self._marks[variant] = card, until
