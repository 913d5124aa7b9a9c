"""The types of the torture schema that hold no resolvers of their own: scalars, inputs, leaves, foreign objects."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from decimal import Decimal
from enum import Enum
from typing import Any, Generic, NewType, TypeVar

import strawberry
from strawberry.extensions import FieldExtension
from strawberry.permission import BasePermission

from tests.engine.graphql.compiled.chaos import Later, World

T = TypeVar("T")
Odd = NewType("Odd", int)


def write_odd(value: Any) -> Any:
    if not isinstance(value, int) or value % 2 == 0:
        raise ValueError(f"Odd cannot represent {value!r}")
    if value == 7:
        return None
    return Later(value, 1) if value == 9 else value


def read_odd(value: Any) -> int:
    if not isinstance(value, int) or value % 2 == 0:
        raise ValueError(f"not odd: {value!r}")
    return value


@strawberry.enum
class Colour(Enum):
    RED = "red"
    GREEN = strawberry.enum_value("green", deprecation_reason="faded")
    BLUE = 3


@strawberry.input
class Deep:
    text: str = "x"
    number: int = 3
    numbers: list[int] | None = None
    colour: Colour = Colour.RED
    inner: Deep | None = None
    odd: Odd | None = strawberry.UNSET
    when: datetime | None = None


@strawberry.input(one_of=True)
class Choice:
    number: int | None = strawberry.UNSET
    text: str | None = strawberry.UNSET


class Shout(FieldExtension):
    def resolve(self, next_: Any, source: Any, info: strawberry.Info, **kwargs: Any) -> Any:
        result = next_(source, info, **kwargs)
        return result.upper() if isinstance(result, str) else result

    async def resolve_async(self, next_: Any, source: Any, info: strawberry.Info, **kwargs: Any) -> Any:
        result = await next_(source, info, **kwargs)
        return result.upper() if isinstance(result, str) else result


class Sometimes(BasePermission):
    message = "not today"

    def has_permission(self, source: Any, info: strawberry.Info, **kwargs: Any) -> bool:
        return world_of(info).roll(3, "permission", source.key) != 0


class LaterPermission(BasePermission):
    message = "not later"

    async def has_permission(self, source: Any, info: strawberry.Info, **kwargs: Any) -> bool:
        await asyncio.sleep(0)
        return world_of(info).roll(4, "later", source.key) != 0


def world_of(info: strawberry.Info) -> World:
    return info.context  # type: ignore[no-any-return]


def note(info: strawberry.Info, *more: Any) -> World:
    """Write down that a resolver ran and what it could see."""
    world = world_of(info)
    world.log.append((tuple(info.path.as_list()), info.path.typename, info.field_name, *more))
    return world


@strawberry.interface
class Node:
    id: strawberry.ID
    name: str | None

    @strawberry.field
    def twice(self) -> str:
        return f"{self.id}{self.id}"


@strawberry.interface
class Tinted:
    colour: Colour | None


@strawberry.type
class Leaf(Node, Tinted):
    key: strawberry.Private[str]
    flag: bool
    count: int | None
    ratio: float
    odd: Odd | None
    when: datetime | None
    price: Decimal
    tags: list[str]
    numbers: list[int | None] | None
    grid: list[list[int]] | None
    blob: strawberry.scalars.JSON | None = None


@strawberry.type
class Pair(Generic[T]):
    first: T
    second: T | None

    @strawberry.field
    def both(self) -> list[T]:
        return [self.first, self.second]  # type: ignore[list-item]


@strawberry.type
class Stone:
    """Stands for rows of a foreign library, known by an attribute."""

    weight: int
    label: str = ""

    @classmethod
    def is_type_of(cls, value: Any, info: Any) -> bool:
        return getattr(value, "kind", None) == "stone"


class Row:
    """A foreign object: attributes come out of nowhere, so nothing about it follows from its class."""

    def __init__(self, world: World, key: str, kind: str) -> None:
        self.world = world
        self.key = key
        self.kind = kind

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        if self.world.troubled("row", self.key, name):
            raise self.world.error("row", self.key, name)
        return {"weight": 5, "label": "row"}.get(name, f"{self.key}.{name}")


def leaf(world: World, key: str, class_: type[Leaf] = Leaf) -> Leaf:
    def value(name: str, *good: Any) -> Any:
        return world.value(good[world.roll(len(good), key, name)], key, name)

    return class_(
        id=strawberry.ID(value("id", key, 17)),
        name=value("name", "n", "中文", None, ""),
        colour=value("colour", *Colour, None),
        key=key,
        flag=value("flag", True, False),
        count=value("count", 0, 2_147_483_647, None, 2_147_483_648),
        ratio=value("ratio", 1.5, 2, float("inf"), -0.0),
        odd=value("odd", 1, 3, 7, 9, 2),
        when=value("when", datetime(2024, 2, 29, tzinfo=UTC), None),
        price=value("price", Decimal("1.50"), Decimal("0E-10")),
        tags=value("tags", [], ["a"], ["a", "b", None], ("t",)),
        numbers=value("numbers", [1, None, 3], None, [2**40]),
        grid=value("grid", [[1], []], [[1, 2], [None]], [None], [[1], 5]),
        blob=value("blob", {"a": [1, None]}, [], "text", None),
    )


class SubLeaf(Leaf):
    """An undecorated subclass."""


class Alien:
    """An ordinary class that is a twig only where an object of it is marked as one."""

    def __init__(self, key: str) -> None:
        self.id = key
        self.name = "alien"

    def __repr__(self) -> str:
        return f"<Alien {self.id}>"
