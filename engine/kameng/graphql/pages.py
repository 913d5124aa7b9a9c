"""Relay connections over keyset pages: a page costs the same at the first row and at the millionth.

A cursor holds the sort values of its row and the row's key, so the next page is a range of an index, never an OFFSET.
"""

from __future__ import annotations

import binascii
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

import msgspec
import strawberry

from kameng.errors import InvalidInput

T = TypeVar("T")
R = TypeVar("R")

MAX_PAGE = 100
"""The most rows of one page."""

DEFAULT_PAGE = 20
"""The rows of a page whose size nobody named."""


@strawberry.type(description="Where a page lies in its list.")
class PageInfo:
    """Where a page lies in its list, as Relay defines it."""

    has_next_page: bool = strawberry.field(description="Whether rows follow.")
    has_previous_page: bool = strawberry.field(description="Whether rows precede.")
    start_cursor: str | None = strawberry.field(default=None, description="The cursor of the first row.")
    end_cursor: str | None = strawberry.field(default=None, description="The cursor of the last row.")


@strawberry.type(description="A row of a page and its cursor.")
class Edge(Generic[T]):
    """A row of a page and its cursor."""

    cursor: str
    node: T


@strawberry.type(description="A page of a list.")
class Connection(Generic[T]):
    """A page of a list, as Relay defines it, with its nodes at hand.

    Edges and cursors are made when a document asks for them.
    """

    items: strawberry.Private[list[T]]
    cursor_of: strawberry.Private[Callable[[int], str]]
    has_next: strawberry.Private[bool]
    has_previous: strawberry.Private[bool]

    @strawberry.field(description="The rows with their cursors.")
    def edges(self) -> list[Edge[T]]:
        """The rows with their cursors."""
        cursor_of = self.cursor_of
        return [Edge(cursor=cursor_of(index), node=item) for index, item in enumerate(self.items)]

    @strawberry.field(description="The rows without their cursors.")
    def nodes(self) -> list[T]:
        """The rows without their cursors."""
        return self.items

    @strawberry.field(description="Where the page lies in the list.")
    def page_info(self) -> PageInfo:
        """Where the page lies in the list."""
        last = len(self.items) - 1
        return PageInfo(
            has_next_page=self.has_next,
            has_previous_page=self.has_previous,
            start_cursor=self.cursor_of(0) if self.items else None,
            end_cursor=self.cursor_of(last) if self.items else None,
        )


@dataclass(frozen=True, slots=True)
class Keyset:
    """An order of a list: SQL expressions, unique together, all ascending or all descending.

    Attributes:
        name: what the order is called; a cursor of another order is refused.
        columns: SQL expressions with the type of each, such as ``(("p.created_at", "timestamptz"), ("p.id", "uuid"))``.
        descending: whether the list runs from high to low.
    """

    name: str
    columns: tuple[tuple[str, str], ...]
    descending: bool = False


@dataclass(frozen=True, slots=True)
class PageRequest:
    """Which page is asked for: Relay's four arguments, checked.

    Attributes:
        size: how many rows.
        backward: whether it was asked by ``last`` and ``before``.
        cursor: the cursor that it starts behind, if any.
    """

    size: int
    backward: bool
    cursor: str | None

    @classmethod
    def of(
        cls,
        first: int | None = None,
        after: str | None = None,
        last: int | None = None,
        before: str | None = None,
    ) -> PageRequest:
        """Check Relay's arguments.

        Raises:
            InvalidInput: both directions at once, or a size out of range.
        """
        if (first is not None or after is not None) and (last is not None or before is not None):
            raise InvalidInput("first/after and last/before exclude each other.", cure="Use one pair.")
        backward = last is not None or before is not None
        size = last if backward else first
        size = DEFAULT_PAGE if size is None else size
        if not 0 <= size <= MAX_PAGE:
            raise InvalidInput(
                f"A page has at most {MAX_PAGE} rows; {size} were asked for.",
                cure=f"Ask for 0 to {MAX_PAGE} and follow the cursors.",
                path=("last" if backward else "first",),
            )
        return cls(size, backward, before if backward else after)

    def clauses(self, keyset: Keyset, first_parameter: int) -> tuple[str, str, list[Any]]:
        """The page as SQL.

        Args:
            keyset: the order.
            first_parameter: the number of the first free ``$n``.

        Returns:
            a condition (``true`` without a cursor), ``order by … limit …``, and the parameters; one row more than the page
            is asked for, to know whether rows follow.
        """
        falling = keyset.descending != self.backward
        order = ", ".join(f"{sql} {'desc' if falling else 'asc'}" for sql, _ in keyset.columns)
        tail = f"order by {order} limit {self.size + 1}"
        if self.cursor is None:
            return "true", tail, []
        values = read_cursor(self.cursor, keyset)
        left = ", ".join(sql for sql, _ in keyset.columns)
        right = ", ".join(
            f"${first_parameter + i}::text::{kind}" for i, (_, kind) in enumerate(keyset.columns)
        )
        return f"({left}) {'<' if falling else '>'} ({right})", tail, values

    def connection(
        self, rows: Sequence[R], keyset: Keyset, values: Callable[[R], Sequence[Any]], node: Callable[[R], T]
    ) -> Connection[T]:
        """The page from its rows.

        Args:
            rows: as the query of `clauses` gave them.
            keyset: the order.
            values: the row's sort values, in the keyset's order.
            node: makes the object of a row.
        """
        return self.connection_of(rows, keyset, values, [node(row) for row in self.kept(rows)])

    def kept(self, rows: Sequence[R]) -> list[R]:
        """The rows that are shown, in the list's order."""
        kept = list(rows[: self.size])
        if self.backward:
            kept.reverse()
        return kept

    def connection_of(
        self, rows: Sequence[R], keyset: Keyset, values: Callable[[R], Sequence[Any]], items: list[T]
    ) -> Connection[T]:
        """The page from its rows and the objects that were made of those that `kept` gave."""
        more = len(rows) > self.size
        kept = self.kept(rows)
        return Connection(
            items=items,
            cursor_of=lambda index: write_cursor(keyset, values(kept[index])),
            has_next=self.cursor is not None if self.backward else more,
            has_previous=more if self.backward else self.cursor is not None,
        )


def write_cursor(keyset: Keyset, values: Sequence[Any]) -> str:
    """A cursor: opaque, and only good for the order it was made in."""
    raw = msgspec.msgpack.encode([keyset.name, *(str(value) for value in values)])
    return urlsafe_b64encode(raw).decode().rstrip("=")


def read_cursor(text: str, keyset: Keyset) -> list[str]:
    """The sort values in a cursor.

    Raises:
        InvalidInput: it is no cursor, or one of another order.
    """
    try:
        raw = urlsafe_b64decode(text + "=" * (-len(text) % 4))
        name, *values = msgspec.msgpack.decode(raw, type=list[str])
        if name != keyset.name or len(values) != len(keyset.columns):
            raise ValueError(name)
    except (ValueError, binascii.Error, msgspec.MsgspecError) as error:
        raise InvalidInput(
            "This is no cursor of this list in this order.", cure="Use a cursor that the same query returned."
        ) from error
    return values
