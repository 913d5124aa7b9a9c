"""What the clients of a soak saw."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

SHOWN = 20
"""Wrong answers that are kept to be shown."""


@dataclass
class Tally:
    """Counts of what was asked and what came of it.

    Attributes:
        right: answers as they should be, by kind of load.
        refused: refusals by design, by code.
        again: requests that were sent once more on a new connection, by kind; a server may close a kept connection at any time.
        wrong: everything else, the first of them in words.
        wrong_count: how many.
        numbers: of the orders that were answered.
    """

    right: Counter[str] = field(default_factory=Counter)
    refused: Counter[str] = field(default_factory=Counter)
    again: Counter[str] = field(default_factory=Counter)
    wrong: list[str] = field(default_factory=list)
    wrong_count: int = 0
    numbers: set[str] = field(default_factory=set)

    def fail(self, what: str) -> None:
        """Note something that must not be."""
        self.wrong_count += 1
        if len(self.wrong) < SHOWN:
            self.wrong.append(what[:500])
