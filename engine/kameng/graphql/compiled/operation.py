"""What stays the same from one request of an operation to the next."""

from dataclasses import dataclass

from graphql import DocumentNode, FragmentDefinitionNode, GraphQLSchema, OperationDefinitionNode

from kameng.graphql.compiled.variables import Variables


@dataclass(frozen=True, slots=True)
class Operation:
    """One operation of a valid document.

    Attributes:
        schema: the schema.
        document: the document.
        node: the operation.
        fragments: the document's fragments by name.
        variables: how the operation's variables are coerced.
        plain_variables: whether ``info.variable_values`` is a dict, as under Strawberry.
        hide_suggestions: whether error messages keep names of the schema to themselves.
    """

    schema: GraphQLSchema
    document: DocumentNode
    node: OperationDefinitionNode
    fragments: dict[str, FragmentDefinitionNode]
    variables: Variables
    plain_variables: bool
    hide_suggestions: bool
