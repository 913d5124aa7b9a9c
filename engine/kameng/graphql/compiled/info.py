"""What a resolver learns about its place in the execution.

A stand-in for ``graphql.GraphQLResolveInfo`` with the same attributes, made of three references. The path, the
variables' container and the async helpers are worked out when somebody asks for them, which most resolvers never do.
"""

from collections.abc import Callable, Iterator
from typing import Any

from graphql import (
    FieldNode,
    FragmentDefinitionNode,
    GraphQLObjectType,
    GraphQLOutputType,
    GraphQLResolveInfo,
    GraphQLSchema,
    OperationDefinitionNode,
)
from graphql.pyutils import Path
from graphql.type import GraphQLResolveInfoHelpers

from kameng.graphql.compiled.request import Place, Request, is_awaitable
from kameng.graphql.compiled.runtime import FieldPosition


class ResolveInfo:
    """Information about the field that is being resolved; see ``graphql.GraphQLResolveInfo``."""

    __slots__ = ("_field", "_place", "_request")

    def __init__(self, field: FieldPosition, request: Request, place: Place) -> None:
        self._field = field
        self._request = request
        self._place = place

    @property
    def position(self) -> FieldPosition:
        """The field in the plan of its operation: the same object at every execution."""
        return self._field

    @property
    def field_name(self) -> str:
        """The field's name in the schema."""
        return self._field.name

    @property
    def field_nodes(self) -> list[FieldNode]:
        """The merged field nodes; the first one carries the arguments."""
        return self._field.nodes

    @property
    def return_type(self) -> GraphQLOutputType:
        """The field's type in the schema."""
        return self._field.type

    @property
    def parent_type(self) -> GraphQLObjectType:
        """The object type that owns the field."""
        return self._field.parent

    @property
    def path(self) -> Path:
        """The response path of the field."""
        place: Any = self._place
        while isinstance(place[1], int):  # a completer inside a list still speaks of the field
            place = place[0]
        return _path(place)

    @property
    def schema(self) -> GraphQLSchema:
        """The schema of the execution."""
        return self._request.operation.schema

    @property
    def fragments(self) -> dict[str, FragmentDefinitionNode]:
        """The document's fragments by name."""
        return self._request.operation.fragments

    @property
    def root_value(self) -> Any:
        """The root value of the execution."""
        return self._request.root

    @property
    def operation(self) -> OperationDefinitionNode:
        """The operation that is executed."""
        return self._request.operation.node

    @property
    def variable_values(self) -> Any:
        """The coerced variables: a dict under Strawberry, ``VariableValues`` under plain graphql-core."""
        if self._request.operation.plain_variables:
            return self._request.variables
        return self._request.values()

    @property
    def context(self) -> Any:
        """The request's context."""
        return self._request.context

    @property
    def is_awaitable(self) -> Callable[[Any], bool]:
        """The test that tells whether a value is awaited."""
        return is_awaitable

    @property
    def abort_signal(self) -> None:
        """Abort signals of graphql-core are not used."""
        return None

    @property
    def async_helpers(self) -> GraphQLResolveInfoHelpers:
        """Helpers for resolvers that start work of their own."""
        return self._request.helpers()

    @property
    def operation_extensions(self) -> dict[str, Any] | None:
        """The request's extensions; ``input_extensions`` of Strawberry's info."""
        return self._request.extensions

    def __iter__(self) -> Iterator[Any]:
        """The values in the order of ``GraphQLResolveInfo``, which is a tuple."""
        return (getattr(self, name) for name in GraphQLResolveInfo._fields)

    def _replace(self, **changes: Any) -> GraphQLResolveInfo[Any]:
        return GraphQLResolveInfo(*self)._replace(**changes)


def _path(place: Place) -> Path:
    before = place[0]
    return Path(None if before is None else _path(before), place[1], place[2])
