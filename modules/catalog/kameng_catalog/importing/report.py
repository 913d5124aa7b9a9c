"""What an import did, or would do."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from uuid import UUID

from kameng_catalog.importing.faults import Faults


class Outcome(StrEnum):
    """What becomes of a line."""

    CREATED = "created"
    UPDATED = "updated"
    UNCHANGED = "unchanged"


@dataclass(frozen=True, slots=True)
class FieldChange:
    """A value that an import changes.

    Attributes:
        name: what it is called in the file.
        old, new: as the file would write them; empty for none.
    """

    name: str
    old: str
    new: str

    def __str__(self) -> str:
        return f"{self.name} {self.old or '–'} → {self.new or '–'}"


@dataclass(frozen=True, slots=True)
class Change:
    """What becomes of one variant.

    Attributes:
        line: its line in the file.
        sku: its number.
        outcome: whether it is new, changed or as it was.
        fields: what changes, of one that is updated.
    """

    line: int
    sku: str
    outcome: Outcome
    fields: tuple[FieldChange, ...] = ()


@dataclass(slots=True, kw_only=True)
class ImportReport:
    """What an import did.

    Attributes:
        faults: what is wrong with the file.
        applied: whether anything was written.
        dry_run: whether it was to be tried only.
    """

    faults: Faults = field(default_factory=Faults)
    applied: bool = False
    dry_run: bool = False


@dataclass(slots=True, kw_only=True)
class ProductReport(ImportReport):
    """What an import of products did.

    Attributes:
        changes: what becomes of each sound line, in order.
    """

    changes: list[Change] = field(default_factory=list)

    def count(self, outcome: Outcome) -> int:
        """How many variants are created, updated or unchanged."""
        return sum(change.outcome is outcome for change in self.changes)


@dataclass(slots=True, kw_only=True)
class CardReport(ImportReport):
    """What an import of cards did.

    Attributes:
        cards: how many sound cards the file holds.
        counts: how many of each variant, by SKU.
        batch: the stock batch that they make, if they were written.
    """

    cards: int = 0
    counts: dict[str, int] = field(default_factory=dict)
    batch: UUID | None = None
