"""The directive ``@idempotent(key:)``: how a client names one intention, however often it sends it.

It stands at a mutation field: ``placeOrder(input: $input) @idempotent(key: $key) { … }``. A request with one mutation may
send the header ``Idempotency-Key`` instead.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from graphql import (
    DirectiveLocation,
    GraphQLArgument,
    GraphQLDirective,
    GraphQLNonNull,
    GraphQLResolveInfo,
    GraphQLString,
    StringValueNode,
    VariableNode,
)

if TYPE_CHECKING:
    from kameng.graphql.context import Context

IDEMPOTENT = GraphQLDirective(
    name="idempotent",
    locations=[DirectiveLocation.FIELD],
    args={
        "key": GraphQLArgument(
            GraphQLNonNull(GraphQLString),
            description="Unique for each intention of this principal, such as a UUID.",
        )
    },
    description="Carry the mutation out once, however often it is sent with this key.",
)


def take_key(info: GraphQLResolveInfo[Any], context: Context) -> None:
    """Put the key of a mutation field's directive, if it bears one, into the context."""
    for node in info.field_nodes:
        for directive in node.directives or ():
            if directive.name.value == IDEMPOTENT.name:
                (argument,) = directive.arguments or ()
                value = argument.value
                # Validation has seen to it that it is a text, or a variable that holds one.
                if isinstance(value, StringValueNode):
                    context.idempotency_key = value.value
                elif isinstance(value, VariableNode):
                    # graphql-core wraps the variables; Strawberry and compiled documents hand them out plain.
                    variables: Any = getattr(info.variable_values, "coerced", info.variable_values)
                    context.idempotency_key = variables[value.name.value]
                return
