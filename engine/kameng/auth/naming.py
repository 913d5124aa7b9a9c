"""The contract by which histories say who of the staff did something, in place of a key."""

from collections.abc import Sequence
from typing import Protocol
from uuid import UUID


class StaffNames(Protocol):
    """Knows what the staff is called; the module that keeps the staff fulfils it."""

    async def names(self, ids: Sequence[UUID]) -> list[str | None]:
        """What colleagues call each of them, in order, whoever has left among them; None where nobody has the key."""
        ...
