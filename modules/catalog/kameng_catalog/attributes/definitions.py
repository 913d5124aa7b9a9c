"""Definitions of attributes: read all at once, since a shop has dozens of them, and looked up by category."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal
from uuid import UUID

import msgspec
import orjson

from kameng.db import Statement
from kameng_catalog.forms import Choice

if TYPE_CHECKING:
    from kameng.db import Database

Kind = Literal["text", "number", "boolean", "choice", "choices"]
"""What values an attribute has: one text, number, yes or no, or choice; or several choices."""

ALL = Statement(
    "catalog.attributes",
    """
    select a.id, a.category, c.path, a.code, a.kind, a.titles, a.unit, a.choices, a.required, a.filterable, a.position
    from catalog_attribute a join catalog_category c on c.id = a.category
    order by a.position, a.code
    """,
)

_choices = msgspec.json.Decoder(tuple[Choice, ...])


class Definition(msgspec.Struct, frozen=True, kw_only=True):
    """An attribute that products of a category and of all below it may state.

    Attributes:
        id: its key.
        path: the category's.
        code: what requests call it.
        kind: what values it has.
        titles: what people read, by locale.
        unit: of a number, such as ``GB``; empty without one.
        choices: of a choice.
        required: whether whoever states attributes of a product must state this one.
        filterable: whether lists may be filtered by it.
        position: smaller comes first.
    """

    id: UUID
    path: str
    code: str
    kind: Kind
    titles: Mapping[str, str]
    unit: str = ""
    choices: tuple[Choice, ...] = ()
    required: bool = False
    filterable: bool = False
    position: int = 0


@dataclass(frozen=True, slots=True)
class Definitions:
    """All definitions.

    Attributes:
        every: in the order in which they are shown.
    """

    every: tuple[Definition, ...]

    def of(self, path: str) -> list[Definition]:
        """Those of a category: its own and those of all above it; of two with the same code the nearer one."""
        above = [definition for definition in self.every if _lies_in(path, definition.path)]
        nearest = {
            definition.code: definition for definition in sorted(above, key=lambda found: len(found.path))
        }
        return [definition for definition in above if nearest[definition.code] is definition]


def _lies_in(path: str, other: str) -> bool:
    return path == other or path.startswith(f"{other}/")


async def read_definitions(db: Database) -> Definitions:
    """All definitions, in one statement."""
    rows: Iterable[Any] = await db.fetch(ALL)
    return Definitions(tuple(definition_of(row) for row in rows))


def definition_of(row: Any) -> Definition:
    """The definition in a row."""
    return Definition(
        id=row["id"],
        path=row["path"],
        code=row["code"],
        kind=row["kind"],
        titles=orjson.loads(row["titles"]),
        unit=row["unit"],
        choices=_choices.decode(row["choices"]),
        required=row["required"],
        filterable=row["filterable"],
        position=row["position"],
    )
