"""Coercion of a request's variables.

The rules are graphql-core's (``graphql.execution.values``). The usual cases, a built-in scalar of the right Python
class or a nullable variable left out, are decided here in a few comparisons; other input goes through
graphql-core's coercion of that type; and whatever is wrong is given to graphql-core as a whole, so that messages,
order and limits of the errors are its own.
"""

from collections.abc import Callable, Mapping
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from enum import Enum
from math import isfinite
from typing import Any
from uuid import UUID

from graphql import (
    GraphQLBoolean,
    GraphQLError,
    GraphQLFloat,
    GraphQLID,
    GraphQLInt,
    GraphQLSchema,
    GraphQLString,
    OperationDefinitionNode,
    Undefined,
    VariableDefinitionNode,
    is_non_null_type,
)
from graphql.execution.get_variable_signature import GraphQLVariableSignature, get_variable_signature
from graphql.execution.values import (
    VariableValues,
    VariableValueSource,
    get_variable_values,
    input_is_nested_too_deeply,
)
from graphql.utilities.coerce_input_value import coerce_default_value, coerce_input_value

MAX_ERRORS = 50
"""How many coercion errors graphql-core reports before it gives up; its own default."""

_frozen_classes = frozenset(
    {type(None), bool, int, float, str, bytes, Decimal, date, datetime, time, timedelta, UUID}
)


def is_frozen(value: Any) -> bool:
    """Whether a coerced value can be given to several resolvers, since none of them can change it."""
    return type(value) in _frozen_classes or isinstance(value, Enum)


def _whole_number(value: Any) -> bool:
    return type(value) is int and -2_147_483_648 <= value <= 2_147_483_647


# For each built-in scalar: which values are their own coercion.
_identical: dict[Any, Callable[[Any], bool]] = {
    GraphQLString.coerce_input_value: lambda value: type(value) is str,
    GraphQLID.coerce_input_value: lambda value: type(value) is str,
    GraphQLBoolean.coerce_input_value: lambda value: type(value) is bool,
    GraphQLInt.coerce_input_value: _whole_number,
    GraphQLFloat.coerce_input_value: lambda value: type(value) is float and isfinite(value),
}


class _Refused(Exception):
    """A variable that graphql-core has to report on."""


class _Variable:
    __slots__ = ("_default", "_identical", "_node", "_schema", "name", "required", "signature")

    def __init__(
        self, schema: GraphQLSchema, node: VariableDefinitionNode, signature: GraphQLVariableSignature
    ):
        self._schema = schema
        self._node = node
        self.signature = signature
        self.name = signature.name
        self.required = is_non_null_type(signature.type)
        named: Any = signature.type.of_type if is_non_null_type(signature.type) else signature.type
        self._identical = _identical.get(getattr(named, "coerce_input_value", None))
        self._default: Any = Undefined
        if node.default_value is not None:
            value = self._coerced_default()
            if is_frozen(value):
                self._default = value

    def _coerced_default(self) -> Any:
        # From a fresh signature, since graphql-core keeps the coerced default on it: a list or an input object
        # would otherwise be shared by all requests.
        signature = get_variable_signature(self._schema, self._node)
        if isinstance(signature, GraphQLError):
            return Undefined
        try:
            return coerce_default_value(signature)
        except TypeError:
            return Undefined

    def default(self) -> Any:
        """The coerced default, ``Undefined`` where there is none.

        Raises:
            _Refused: the default cannot be coerced.
        """
        if self._node.default_value is None or self._default is not Undefined:
            return self._default
        value = self._coerced_default()
        if value is Undefined:
            raise _Refused
        return value

    def coerce(self, value: Any) -> Any:
        """A value that was given.

        Raises:
            _Refused: it does not fit the type.
        """
        if self._identical is not None and self._identical(value):
            return value
        if value is None and not self.required:
            return None
        if input_is_nested_too_deeply(value, self.signature.type):
            raise _Refused
        coerced = coerce_input_value(value, self.signature.type)
        if coerced is Undefined:
            raise _Refused
        return coerced


class Variables:
    """How the variables of one operation are coerced.

    Args:
        schema: the schema.
        operation: the operation.
        hide_suggestions: whether error messages keep names of the schema to themselves.
    """

    def __init__(
        self, schema: GraphQLSchema, operation: OperationDefinitionNode, hide_suggestions: bool
    ) -> None:
        self._schema = schema
        self._definitions = operation.variable_definitions or ()
        self._hide_suggestions = hide_suggestions
        self._known = True
        self._variables: list[_Variable] = []
        for node in self._definitions:
            signature = get_variable_signature(schema, node)
            if isinstance(signature, GraphQLError):
                self._known = False
            else:
                self._variables.append(_Variable(schema, node, signature))

    def coerce(self, inputs: Mapping[str, Any]) -> dict[str, Any] | list[GraphQLError]:
        """The coerced variables by name, or what is wrong with them."""
        if not self._variables and self._known:
            return {}
        coerced: dict[str, Any] = {}
        try:
            if not self._known:
                raise _Refused
            for variable in self._variables:
                value = inputs.get(variable.name, Undefined)
                if value is not Undefined:
                    coerced[variable.name] = variable.coerce(value)
                    continue
                default = variable.default()
                if default is not Undefined:
                    coerced[variable.name] = default
                elif variable.required:
                    raise _Refused
        except (_Refused, RecursionError):
            values = get_variable_values(
                self._schema, self._definitions, dict(inputs), MAX_ERRORS, self._hide_suggestions
            )
            return values if isinstance(values, list) else values.coerced
        return coerced

    def container(self, coerced: dict[str, Any], inputs: Mapping[str, Any]) -> VariableValues:
        """The variables in graphql-core's own form, with where each value came from."""
        sources: dict[str, VariableValueSource] = {}
        for variable in self._variables:
            if variable.name in inputs:
                sources[variable.name] = VariableValueSource(variable.signature, inputs[variable.name])
            else:
                sources[variable.name] = VariableValueSource(variable.signature)
        return VariableValues(sources, coerced)
