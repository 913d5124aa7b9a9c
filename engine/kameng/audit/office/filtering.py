"""Which entries of the log are wanted, as conditions that its indexes answer."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

import msgspec


class EntryFilter(msgspec.Struct, frozen=True, kw_only=True):
    """Which entries; what is empty asks for nothing.

    Attributes:
        actor: the key of who did it, such as ``staff:0189…``, or its UUID alone.
        action: exactly this action, or with a dot at the end all that begin so, such as ``settlement.``.
        subject: exactly this subject, such as ``order:0189…``.
        since: from then on.
        until: before then.
    """

    actor: str = ""
    action: str = ""
    subject: str = ""
    since: datetime | None = None
    until: datetime | None = None

    def conditions(self) -> tuple[list[str], list[object]]:
        """SQL conditions on ``kernel_audit a`` with ``$1``… and their parameters; what is nobody's key finds nothing."""
        conditions: list[str] = []
        values: list[object] = []

        def add(condition: str, *given: object) -> None:
            values.extend(given)
            numbers = range(len(values) - len(given) + 1, len(values) + 1)
            conditions.append(condition.format(*(f"${number}" for number in numbers)))

        if self.actor:
            key = _key_of(self.actor)
            if key is None:
                conditions.append("false")
            else:
                add("a.principal_id = {}::uuid", key)
        if self.action.endswith("."):
            # The beginning as a range, which the index answers whatever the database's collation is.
            add("a.action >= {} and a.action < {}", self.action, self.action[:-1] + "/")
        elif self.action:
            add("a.action = {}", self.action)
        if self.subject:
            add("a.subject = {}", self.subject)
        if self.since:
            add("a.at >= {}", self.since)
        if self.until:
            add("a.at < {}", self.until)
        return conditions, values


def _key_of(actor: str) -> UUID | None:
    try:
        return UUID(actor.strip().rpartition(":")[2])
    except ValueError:
        return None
