"""A hot statement: SQL with a name, in one place beside its table."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Statement:
    """Hand-written SQL.

    Attributes:
        name: ``module.what_it_does``; it leads the SQL as a comment, so that pg_stat_statements and logs show it.
        sql: the text with ``$1`` parameters. asyncpg prepares it once for each connection.
    """

    name: str
    sql: str

    def __post_init__(self) -> None:
        object.__setattr__(self, "sql", f"-- {self.name}\n{self.sql.strip()}")

    def __str__(self) -> str:
        return self.sql
