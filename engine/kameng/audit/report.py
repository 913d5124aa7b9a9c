"""What a verification found."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from uuid import UUID

from kameng.audit.entry import GENESIS

MOST_FINDINGS = 100
"""How many findings a report holds in full."""


class Kind(StrEnum):
    """What can be wrong."""

    ALTERED = "altered"
    ROW_MISSING = "row_missing"
    LINK_MISSING = "link_missing"
    REWRITTEN = "rewritten"
    TRUNCATED = "truncated"
    UNSIGNED = "unsigned"
    HEAD_FORGED = "head_forged"
    UNCHAINED = "unchained"
    LOST = "lost"


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is not as it was written.

    Attributes:
        kind: what is wrong.
        position: where in the chain; None for an entry without a place.
        entry: the entry's id, if one is meant.
        message: the same for people.
    """

    kind: Kind
    position: int | None
    entry: UUID | None
    message: str


@dataclass(frozen=True, slots=True)
class Anchor:
    """A place of the chain that was noted down elsewhere.

    Attributes:
        position, hash: as an earlier report gave them.
    """

    position: int
    hash: bytes

    def __str__(self) -> str:
        return f"{self.position}:{self.hash.hex()}"


@dataclass(slots=True)
class Report:
    """What a verification found.

    Attributes:
        entries: how many places of the chain were recomputed.
        pending: how many entries wait for their place.
        head: the chain's last place; note it down elsewhere as the next verification's anchor.
        findings: what is wrong, at most 100 in full.
        count: how many there are altogether.
        first_broken: the first position at which something is wrong; None if nothing is, or only outside the
            chain.
    """

    entries: int = 0
    pending: int = 0
    head: Anchor = field(default_factory=lambda: Anchor(0, GENESIS))
    findings: list[Finding] = field(default_factory=list)
    count: int = 0
    first_broken: int | None = None

    @property
    def intact(self) -> bool:
        """Whether the log is as it was written."""
        return self.count == 0

    def add(self, kind: Kind, position: int | None, entry: UUID | None, message: str) -> None:
        """Note a finding."""
        self.count += 1
        if position is not None and (self.first_broken is None or position < self.first_broken):
            self.first_broken = position
        if len(self.findings) < MOST_FINDINGS:
            self.findings.append(Finding(kind, position, entry, message))

    def __str__(self) -> str:
        waiting = f", {self.pending} more not chained yet" if self.pending else ""
        if self.intact:
            return (
                f"The audit log is intact: {self.entries} entries chained{waiting}.\n"
                f"Head (keep it elsewhere, as the anchor of the next run): {self.head}"
            )
        where = f"at position {self.first_broken}" if self.first_broken is not None else "outside the chain"
        lines = [f"The audit log is BROKEN {where} ({self.count} findings, {self.entries} entries{waiting}):"]
        lines += [f"  [{item.kind.value}] {item.message}" for item in self.findings]
        if self.count > len(self.findings):
            lines.append(f"  … and {self.count - len(self.findings)} more")
        return "\n".join(lines)
