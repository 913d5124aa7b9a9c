"""What a look at a theme finds."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path


class Level(StrEnum):
    """How bad a finding is; only an error keeps a theme from being used."""

    ERROR = "error"
    WARNING = "warning"
    ADVICE = "advice"


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was found.

    Attributes:
        level: how bad it is.
        file: where, such as ``storefront/templates/home.html``; the first part is the theme's or module's name.
        line: counted from 1; 0 where no line can be named.
        message: what is wrong.
        cure: what to do about it.
    """

    level: Level
    file: str
    line: int
    message: str
    cure: str

    def __str__(self) -> str:
        place = f"{self.file}:{self.line}" if self.line else self.file
        return f"{place}: {self.level.value}: {self.message} {self.cure}".rstrip()


def error(file: str, line: int, message: str, cure: str) -> Finding:
    """A finding that keeps the theme from being used."""
    return Finding(Level.ERROR, file, line, message, cure)


def warning(file: str, line: int, message: str, cure: str) -> Finding:
    """A finding that somebody will notice."""
    return Finding(Level.WARNING, file, line, message, cure)


def advice(file: str, line: int, message: str, cure: str) -> Finding:
    """A finding that makes the theme better when heeded."""
    return Finding(Level.ADVICE, file, line, message, cure)


def errors_in(findings: Iterable[Finding]) -> list[Finding]:
    """Only those that keep the theme from being used."""
    return [finding for finding in findings if finding.level is Level.ERROR]


def json_line(file: Path, *keys: str) -> int:
    """The line of a JSON file on which a nested key stands.

    The keys are looked for one after another as they appear in the text, which is right for a file that a person
    wrote in the usual order, and near enough for a message otherwise.
    """
    text = file.read_text("utf-8", errors="replace")
    position = 0
    for key in keys:
        found = re.compile(rf'"{re.escape(key)}"\s*:').search(text, position)
        if found is None:
            break
        position = found.start()
    return text.count("\n", 0, position) + 1
