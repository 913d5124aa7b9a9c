"""An index, declared beside its table.

Piccolo knows only plain single-column indexes. All others stand in a module's ``tables.py`` as ``INDEXES`` and are created by
a migration of their own, since raw SQL of a migration runs before its tables exist. A test compares the two.
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Index:
    """An index, a trigger or another object of the database that belongs to a table.

    Attributes:
        name: its name in the database.
        create: the SQL that creates it.
        drop: the SQL that drops it; empty: ``drop index name``.
    """

    name: str
    create: str
    drop: str = ""

    @property
    def undo(self) -> str:
        """The SQL that takes it away again."""
        return self.drop or f"drop index if exists {self.name}"
