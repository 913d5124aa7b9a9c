"""How an import is cut into transactions: many that outlive its process, or one alone."""

from __future__ import annotations

from contextlib import AbstractAsyncContextManager
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from kameng.db import Database


class Course(Protocol):
    """What an import is carried by; `kameng.jobs.JobRun` is one.

    Attributes:
        saved: plain JSON values; what it holds at the end of a chunk is there when the import begins again.
        done: rows that are settled.
        problems: rows that cannot be done.
    """

    saved: dict[str, Any]
    done: int
    problems: int

    def chunk(self) -> AbstractAsyncContextManager[object]:
        """A transaction with a piece of the work; its end keeps what the attributes say."""
        ...

    def check(self) -> None:
        """Raises if the import is to end here."""
        ...


class OneTransaction:
    """The course of an import that leaves nothing behind unless it comes to its end: chunks of the transaction around it."""

    def __init__(self, db: Database) -> None:
        self._db = db
        self.saved: dict[str, Any] = {}
        self.done = 0
        self.problems = 0

    def chunk(self) -> AbstractAsyncContextManager[object]:
        """A savepoint."""
        return self._db.transaction()

    def check(self) -> None:
        """Nobody stops it."""
