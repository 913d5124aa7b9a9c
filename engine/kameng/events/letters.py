"""What travels through the broker, and who carries it: ids only, never the work itself."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

EVENTS_LANE = "events"
TASKS_LANE = "tasks"
LANES = (EVENTS_LANE, TASKS_LANE)
"""The queues: events and tasks keep out of each other's way, since a task may take hours."""


@dataclass(frozen=True, slots=True)
class Letter:
    """One message.

    Attributes:
        lane: the queue, one of `LANES`.
        content: arguments for the lane's actor, as JSON knows them.
    """

    lane: str
    content: tuple[Any, ...]


@dataclass(frozen=True, slots=True)
class Room:
    """What the broker can take now.

    Attributes:
        free: messages that each lane still has room for.
        emptied: whether the broker has lost what it held since it was last asked.
    """

    free: dict[str, int]
    emptied: bool = False


class Carrier(Protocol):
    """Takes letters to the workers."""

    async def room(self) -> Room:
        """What can be sent now. Raises one of `kameng.events.failure.OUTAGES` if the broker is away."""

    async def send(self, letters: Sequence[Letter]) -> None:
        """Send all, or raise one of `kameng.events.failure.OUTAGES` if the broker is away, some being sent."""
