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


def append_only(table: str, function: str, name: str = "") -> Index:
    """A trigger that lets nobody change, delete or truncate a table's rows.

    A statement's trigger, so that it costs nothing a row; "always", so that it fires even in a session that plays the replica.

    Args:
        table: rows are only added to it.
        function: of the database, without arguments; raises what the offender is told.
        name: of the trigger; empty: ``<table>_never_changed``.
    """
    name = name or f"{table}_never_changed"
    return Index(
        name,
        f"""
        do $$ begin
            create trigger {name} before update or delete or truncate on {table}
                for each statement execute function {function}();
            alter table {table} enable always trigger {name};
        end $$
        """,
        f"drop trigger if exists {name} on {table}",
    )
