"""Composing a schema from the modules' parts, without touching any of their classes.

The root types start with the kernel's own fields; modules add theirs to the roots and to each other's types by name. The
additions belong to the schema, not to the classes, so that two schemas with different modules live side by side.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Literal
from uuid import UUID

import strawberry
from strawberry.schema.config import StrawberryConfig
from strawberry.types.base import StrawberryObjectDefinition
from strawberry.types.field import StrawberryField

from kameng.errors import BootError
from kameng.graphql.foreign import known_types
from kameng.graphql.idempotency import IDEMPOTENT
from kameng.graphql.root import KernelQuery
from kameng.graphql.scalars import SCALARS
from kameng.graphql.walking import definition_of, field_name, types_below
from kameng.module import Module, SchemaPart

if TYPE_CHECKING:
    from kameng.graphql.context import Context

    NodeLoader = Callable[[Context, Sequence[UUID]], Awaitable[Sequence[object | None]]]

SchemaName = Literal["shop", "admin"]


class ComposedSchema(strawberry.Schema):
    """A Strawberry schema whose types carry fields of several modules.

    Attributes:
        name: ``shop`` or ``admin``.
        nodes: how objects of a type are found by key, by the type's GraphQL name.
    """

    def __init__(self, name: SchemaName, parts: Sequence[SchemaPart]) -> None:
        self.name = name
        self.nodes: dict[str, NodeLoader] = {key: load for part in parts for key, load in part.nodes.items()}
        self._added: dict[str, list[StrawberryField]] = {}
        self._add("Query", [part.query for part in parts])
        self._add("Mutation", [part.mutation for part in parts])
        self._add("Subscription", [part.subscription for part in parts])
        for part in parts:
            for owner, cls in part.extend.items():
                self._add(owner, [cls])
        with known_types(_by_name(parts)):
            try:
                super().__init__(
                    query=_root("Query", KernelQuery),
                    mutation=_root("Mutation") if self._added["Mutation"] else None,
                    subscription=_root("Subscription") if self._added["Subscription"] else None,
                    types=[cls for part in parts for cls in part.types],
                    config=StrawberryConfig(disable_field_suggestions=False, scalar_map=SCALARS),
                )
            except TypeError as error:
                # graphql-core wraps what a type's thunk raises; our own message is the one that helps.
                if isinstance(error.__cause__, BootError):
                    raise error.__cause__ from error
                raise

        # Strawberry's own directives run as wrappers around resolvers; this one only tells, so the schema declares it itself.
        self._schema.directives = (*self._schema.directives, IDEMPOTENT)

    def _add(self, owner: str, classes: Iterable[type | None]) -> None:
        fields = self._added.setdefault(owner, [])
        for cls in classes:
            if cls is not None:
                fields += definition_of(cls).fields

    def get_fields(self, type_definition: StrawberryObjectDefinition) -> list[StrawberryField]:
        """A type's own fields and those that modules add to it.

        Raises:
            BootError: two of them have the same name.
        """
        fields = [*type_definition.fields, *self._added.get(type_definition.name, ())]
        names = [field_name(field) for field in fields]
        if len(set(names)) < len(names):
            double = sorted({name for name in names if names.count(name) > 1})
            raise BootError(
                f"{type_definition.name} gets {', '.join(double)} twice.", cure="Rename one of the fields."
            )
        return fields


def _root(name: str, own: type | None = None) -> type:
    # A fresh class for each schema: Strawberry caches what it makes of a class on the class itself.
    return strawberry.type(type(name, (own,) if own else (), {"__doc__": own.__doc__ if own else None}))


def _by_name(parts: Sequence[SchemaPart]) -> Mapping[str, type]:
    roots = [
        cls
        for part in parts
        for cls in (part.query, part.mutation, part.subscription, *part.extend.values(), *part.types)
        if cls is not None
    ]
    return {name: classes[0] for name, classes in types_below([KernelQuery, *roots]).items()}


def compose_schema(name: SchemaName, modules: Iterable[Module]) -> ComposedSchema:
    """The schema of this name, from all modules that have a part in it."""
    modules = list(modules)
    parts: list[Any] = [getattr(module, name) for module in modules]
    if name == "admin" and any(module.jobs for module in modules):
        # Imported here: it is made of what this package brings.
        from kameng.jobs.admin import ADMIN as JOBS

        parts.insert(0, JOBS)
    if name == "admin" and modules:
        # Imported here, as above.
        from kameng.settings.admin import ADMIN as SETTINGS

        parts.insert(0, SETTINGS)
    return ComposedSchema(name, [part for part in parts if part is not None])
