"""The keyword arguments of a field's resolver.

Arguments without variables are coerced once, when the document is compiled. Arguments that are plain variables are
looked up. Everything else, and everything that is wrong, goes through graphql-core at the moment of the call, so
that its errors become errors of that field.

Values that a resolver could change (lists, input objects, unknown classes) are made anew for each call, as
graphql-core does; the others are made once a request.
"""

from collections.abc import Callable, Mapping
from typing import Any

from graphql import (
    FieldNode,
    GraphQLArgument,
    GraphQLError,
    GraphQLField,
    ListValueNode,
    ObjectValueNode,
    Undefined,
    ValueNode,
    VariableNode,
    get_argument_values,
    is_non_null_type,
    is_required_argument,
)
from graphql.utilities.coerce_input_value import coerce_default_value, coerce_input_literal

from kameng.graphql.compiled.operation import Operation
from kameng.graphql.compiled.request import Request
from kameng.graphql.compiled.variables import is_frozen

Arguments = Mapping[str, Any] | Callable[[Request], dict[str, Any]]
"""Constant keyword arguments, or what makes them for one call."""

Convert = Callable[[dict[str, Any]], dict[str, Any]]


def arguments_of(
    definition: GraphQLField,
    node: FieldNode,
    operation: Operation,
    index: int,
    convert: Convert | None = None,
) -> Arguments:
    """How the arguments of one field node are made.

    Args:
        definition: the field in the schema.
        node: the field node that carries the arguments.
        operation: the operation.
        index: a number of this field within the plan, under which a request remembers its arguments.
        convert: turns graphql-core's values into those of the Python function, where that is called directly.
    """
    if not definition.args:
        return {}
    literals = {argument.name.value: argument.value for argument in node.arguments or ()}
    if not any(_holds_variable(value) for value in literals.values()):
        constant = _constant(definition, node, operation, convert)
        if constant is not None:
            return constant
    coerce = _from_variables(definition, literals) or _refuse

    def make(request: Request) -> dict[str, Any]:
        known = request.arguments.get(index)
        if known is not None:
            return known
        values = coerce(request)
        if values is None:
            values = get_argument_values(
                definition, node, request.values(), hide_suggestions=operation.hide_suggestions
            )
        if convert is not None:
            values = convert(values)
        if all(map(is_frozen, values.values())):
            request.arguments[index] = values
        return values

    return make


def _holds_variable(node: ValueNode) -> bool:
    if isinstance(node, VariableNode):
        return True
    if isinstance(node, ListValueNode):
        return any(map(_holds_variable, node.values))
    if isinstance(node, ObjectValueNode):
        return any(_holds_variable(field.value) for field in node.fields)
    return False


def _constant(
    definition: GraphQLField, node: FieldNode, operation: Operation, convert: Convert | None
) -> dict[str, Any] | None:
    try:
        values = get_argument_values(definition, node, hide_suggestions=operation.hide_suggestions)
        if convert is not None:
            values = convert(values)
    except Exception:
        return None
    return values if all(map(is_frozen, values.values())) else None


def _refuse(_request: Request) -> None:
    return None


def _from_variables(
    definition: GraphQLField, literals: Mapping[str, ValueNode]
) -> Callable[[Request], dict[str, Any] | None] | None:
    """A quick way for arguments that are variables, frozen constants or left out; ``None`` if there are others."""
    steps: list[tuple[str, str | None, bool, Any]] = []  # out name, variable, non-null, value without it
    for name, argument in definition.args.items():
        literal = literals.get(name)
        variable = literal.name.value if isinstance(literal, VariableNode) else None
        fallback = _default(argument) if literal is None or variable else _literal(literal, argument)
        if fallback is _unknown:
            return None
        steps.append((argument.out_name or name, variable, is_non_null_type(argument.type), fallback))

    def coerce(request: Request) -> dict[str, Any] | None:
        variables = request.variables
        values: dict[str, Any] = {}
        for out_name, variable, required, fallback in steps:
            value = fallback if variable is None else variables.get(variable, fallback)
            if value is _missing or (value is None and required):
                return None
            if value is not Undefined:
                values[out_name] = value
        return values

    return coerce


_unknown = object()
_missing = object()


def _default(argument: GraphQLArgument) -> Any:
    if is_required_argument(argument):
        return _missing
    try:
        return coerce_default_value(argument)
    except (TypeError, GraphQLError):
        return _unknown


def _literal(literal: ValueNode, argument: GraphQLArgument) -> Any:
    if _holds_variable(literal):
        return _unknown
    value = coerce_input_literal(literal, argument.type)
    return value if is_frozen(value) else _unknown
