"""A Strawberry schema that has everything a schema can have, over a world of trouble."""

from __future__ import annotations

from collections.abc import Awaitable
from datetime import datetime
from typing import Annotated, Any

import strawberry
from strawberry.dataloader import DataLoader
from strawberry.schema.config import StrawberryConfig

from tests.engine.graphql.compiled.chaos import Oddity, World
from tests.engine.graphql.compiled.torture_types import (
    Alien,
    Choice,
    Colour,
    Deep,
    LaterPermission,
    Leaf,
    Node,
    Odd,
    Pair,
    Row,
    Shout,
    Sometimes,
    Stone,
    SubLeaf,
    Tinted,
    leaf,
    note,
    read_odd,
    world_of,
    write_odd,
)

LATER = strawberry.ID("l")
FIVE = Odd(5)


def thing(world: World, key: str) -> Any:
    """An object of one of the types, in one of the ways that Strawberry knows it by."""
    kind = world.roll(14, "thing", key)
    if kind < 4:
        return leaf(world, key)
    if kind < 7:
        return Branch(id=strawberry.ID(key), name=world.value("branch", key, "name"), key=key)
    if kind == 7:
        return strawberry.cast(Leaf, leaf(world, key, SubLeaf))
    if kind == 8:
        return Row(world, key, "stone")
    if kind == 9:
        return leaf(world, key, SubLeaf)
    if kind == 10 and world.trouble:
        return Oddity()
    if kind == 11 and world.trouble:
        return strawberry.cast(Stone, leaf(world, key))
    if kind == 12:
        return strawberry.cast(Twig, Alien(key))
    if kind == 13 and world.trouble:
        return Alien(key)
    return Twig(id=strawberry.ID(key), name=None)


@strawberry.type
class Twig(Node):
    pass


@strawberry.type
class Branch(Node):
    key: strawberry.Private[str]

    @strawberry.field
    def leaf(self, info: strawberry.Info) -> Leaf | None:
        world = note(info)
        if world.troubled(self.key, "leaf!"):
            raise world.error(self.key, "leaf!")
        found = leaf(world, f"{self.key}.leaf")
        if world.trouble and world.roll(4, self.key, "cast") == 0:
            found = strawberry.cast(Stone, found)
        return world.value(found, self.key, "leaf")

    @strawberry.field
    async def leaf_later(self, info: strawberry.Info) -> Leaf:
        world = note(info)
        await world.wait(self.key, "leafLater")
        note(info, "woke")
        if world.troubled(self.key, "leafLater!"):
            raise world.error(self.key, "leafLater!")
        return world.value(leaf(world, f"{self.key}.later"), self.key, "leafLater")

    @strawberry.field
    async def branch(self, info: strawberry.Info, name: str = "b") -> Branch | None:
        world = note(info, name)
        await world.wait(self.key, "branch", name)
        key = f"{self.key}.{name}"
        return world.value(Branch(id=strawberry.ID(key), name=name, key=key), self.key, "branch", name)

    @strawberry.field
    def branches(self, info: strawberry.Info) -> list[Branch]:
        world = note(info)
        return world.values(
            lambda key: Branch(id=strawberry.ID(key), name=None, key=key), self.key, "branches"
        )

    @strawberry.field
    async def maybe_branches(self, info: strawberry.Info) -> list[Branch | None] | None:
        world = note(info)
        await world.wait(self.key, "maybeBranches")
        return world.values(lambda key: Branch(id=strawberry.ID(key), name=None, key=key), self.key, "maybe")

    @strawberry.field
    def node(self, info: strawberry.Info) -> Node:
        world = note(info)
        return world.value(thing(world, f"{self.key}.node"), self.key, "node")

    @strawberry.field
    def nodes(self, info: strawberry.Info) -> list[Node | None]:
        world = note(info)
        return world.values(lambda key: thing(world, key), self.key, "nodes")

    @strawberry.field
    async def tinted(self, info: strawberry.Info) -> Tinted | None:
        world = note(info)
        await world.wait(self.key, "tinted")
        return leaf(world, f"{self.key}.tinted")

    @strawberry.field
    def thing(self, info: strawberry.Info) -> Thing | None:
        world = note(info)
        return world.value(thing(world, f"{self.key}.thing"), self.key, "thing")

    @strawberry.field
    def things(self, info: strawberry.Info) -> list[Thing] | None:
        world = note(info)
        return world.values(lambda key: thing(world, key), self.key, "things")

    @strawberry.field
    def cube(self, info: strawberry.Info) -> list[list[Leaf | None]] | None:
        world = note(info)
        return world.values(
            lambda key: world.values(lambda inner: leaf(world, inner), key, "row"), self.key, "cube"
        )

    @strawberry.field
    def hard_cube(self, info: strawberry.Info) -> list[list[list[str]]]:
        world = note(info)
        return world.values(
            lambda key: world.values(lambda inner: world.values(str, inner, "z"), key, "y"), self.key, "x"
        )

    @strawberry.field
    def pair(self) -> Pair[int]:
        return Pair(first=1, second=None)

    @strawberry.field
    def leaf_pair(self, info: strawberry.Info) -> Pair[Leaf]:
        world = note(info)
        return Pair(first=leaf(world, f"{self.key}.first"), second=None)

    @strawberry.field
    def twigs(self, info: strawberry.Info) -> list[Twig | None]:
        world = note(info)

        def twig(key: str) -> Any:
            kind = world.roll(4, "twig", key)
            return (Twig(id=key, name=""), strawberry.cast(Twig, Alien(key)), Alien(key), None)[kind]

        return world.values(twig, self.key, "twigs")

    @strawberry.field
    def either(self, info: strawberry.Info) -> list[Either]:
        world = note(info)
        return world.values(
            lambda key: Pair(first=(1, "one")[world.roll(2, key)], second=None), self.key, "either"
        )

    @strawberry.field
    async def loaded(self, info: strawberry.Info, number: int = 0) -> str | None:
        return await world_of(info).loader.load(f"{self.key}-{number}")

    @strawberry.field
    def loaded_leaf(self, info: strawberry.Info) -> Leaf:
        return load_leaf(world_of(info), self.key)

    @strawberry.field(extensions=[Shout()])
    def loud(self, info: strawberry.Info, text: str = "loud") -> str:
        note(info, text)
        return text

    @strawberry.field(extensions=[Shout()])
    async def loud_later(self, info: strawberry.Info) -> str | None:
        world = note(info)
        await world.wait(self.key, "loud")
        return world.value("later", self.key, "loud")

    @strawberry.field(permission_classes=[Sometimes])
    def guarded(self) -> str | None:
        return "let in"

    @strawberry.field(permission_classes=[LaterPermission])
    async def guarded_hard(self) -> str:
        return "let in"

    @strawberry.field
    def echo(
        self,
        info: strawberry.Info,
        deep: Deep | None = None,
        deeps: list[Deep] | None = None,
        choice: Choice | None = None,
        colours: list[Colour] | None = None,
        odd: Odd | None = None,
        text: str | None = "default",
        number: int = 5,
        ids: list[list[strawberry.ID]] | None = None,
        maybe: strawberry.Maybe[str] = None,
        when: datetime | None = strawberry.UNSET,
        global_id: strawberry.relay.GlobalID | None = None,
    ) -> str:
        note(info)
        given = (deep, deeps, choice, colours, odd, text, number, ids, maybe, when, global_id)
        if deep is not None:
            deep.numbers = None  # nobody else may see this
        if ids is not None:
            ids.clear()
        return repr((given, sorted(info.variable_values)))

    @strawberry.field
    async def echo_later(
        self,
        info: strawberry.Info,
        odd: Odd = FIVE,
        colour: Colour = Colour.BLUE,
        numbers: list[int] | None = None,
        global_id: strawberry.relay.GlobalID | None = None,
    ) -> str:
        if numbers is not None:
            numbers.append(0)
        return repr((odd, colour, numbers, global_id))

    @strawberry.field
    def selected(self, info: strawberry.Info) -> Leaf:
        world = note(info, repr(info.selected_fields), str(info.return_type), info.operation.name)
        return leaf(world, f"{self.key}.selected")


Either = Annotated[Pair[int] | Pair[str], strawberry.union("Either")]
Thing = Annotated[Leaf | Branch | Stone | Twig, strawberry.union("Thing")]


def load_leaf(world: World, key: str) -> Any:
    future: Awaitable[Any] = world.loader.load(f"leaf:{key}")
    return future


@strawberry.type
class Query:
    @strawberry.field
    def root(self, info: strawberry.Info) -> Branch:
        note(info)
        return Branch(id=strawberry.ID("r"), name="root", key="r")

    @strawberry.field
    async def later(self, info: strawberry.Info, key: strawberry.ID = LATER) -> Branch | None:
        world = note(info)
        await world.wait(key)
        return world.value(Branch(id=key, name="later", key=str(key)), key)

    @strawberry.field
    def things(self, info: strawberry.Info) -> list[Thing | None]:
        world = note(info)
        return world.values(lambda key: thing(world, key), "q", "things")

    node: Node | None = None


@strawberry.type
class Mutation:
    @strawberry.mutation
    async def change(self, info: strawberry.Info, deep: Deep, key: str = "m") -> Branch | None:
        world = note(info, repr(deep))
        await world.wait("change", key)
        if world.troubled("change", key):
            raise world.error("change", key)
        note(info, "changed")
        return Branch(id=strawberry.ID(key), name="changed", key=key)

    @strawberry.mutation
    def count(self, info: strawberry.Info, by: int = 1) -> int:
        world = note(info, by)
        return world.value(by, "count", by)


def root(world: World) -> Query:
    """The root value, with plain attributes."""
    return Query(node=world.value(thing(world, "q.node"), "q", "node"))


def make_world(seed: int, trouble: int) -> World:
    world = World(seed, trouble)

    async def load(keys: list[str]) -> list[Any]:
        world.log.append(("batch", *keys))
        await world.wait("load", *keys)
        return [
            world.error("load", key)
            if world.troubled("load", key)
            else leaf(world, key)
            if key.startswith("leaf:")
            else key.upper()
            for key in keys
        ]

    world.loader = DataLoader(load)
    return world


schema = strawberry.Schema(
    query=Query,
    mutation=Mutation,
    types=[Leaf, Branch, Twig, Stone],
    config=StrawberryConfig(
        scalar_map={Odd: strawberry.scalar(name="Odd", serialize=write_odd, parse_value=read_odd)}
    ),
)
