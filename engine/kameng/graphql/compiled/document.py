"""A document: parsed, validated, and looked through once for what matters to its execution."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field

from graphql import (
    DirectiveNode,
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLError,
    GraphQLSchema,
    OperationDefinitionNode,
    SelectionSetNode,
    VariableNode,
    parse,
    validate,
)
from graphql.validation import ASTValidationRule

_conditions = frozenset({"skip", "include"})


@dataclass(frozen=True, slots=True)
class Document:
    """One document text, valid or not.

    Attributes:
        source: the text.
        node: the parsed document; ``None`` after a syntax error.
        errors: what is wrong with it, in graphql-core's order; empty for a valid document.
        operations: the operations in document order.
        fragments: the fragments by name.
    """

    source: str
    node: DocumentNode | None
    errors: Sequence[GraphQLError] = ()
    operations: Sequence[OperationDefinitionNode] = ()
    fragments: dict[str, FragmentDefinitionNode] = field(default_factory=dict)

    def operation(self, name: str | None) -> OperationDefinitionNode | GraphQLError:
        """The operation to execute, or why there is none."""
        if name is None:
            if len(self.operations) == 1:
                return self.operations[0]
            if self.operations:
                return GraphQLError("Must provide operation name if query contains multiple operations.")
            return GraphQLError("Must provide an operation.")
        for operation in self.operations:
            if operation.name is not None and operation.name.value == name:
                return operation
        return GraphQLError(f"Unknown operation named '{name}'.")


def read(
    source: str,
    schema: GraphQLSchema,
    rules: Sequence[type[ASTValidationRule]],
    *,
    max_tokens: int | None,
    hide_suggestions: bool,
    screen: Callable[[DocumentNode], GraphQLError | None] | None = None,
) -> Document:
    """Parse and validate a document.

    Args:
        source: the document's text.
        schema: the schema.
        rules: the validation rules, the specified ones included.
        max_tokens: how many tokens the text may hold.
        hide_suggestions: whether error messages keep names of the schema to themselves.
        screen: refuses a parsed document before the effort of validating it.
    """
    try:
        node = parse(source, max_tokens=max_tokens)
    except GraphQLError as error:
        # Without its traceback, which would keep the parser and the token list in memory for as long as the
        # document is cached.
        return Document(source, None, (error.with_traceback(None),))
    refused = screen(node) if screen is not None else None
    if refused is not None:
        return Document(source, None, (refused,))
    errors = validate(schema, node, rules, hide_suggestions=hide_suggestions)
    if errors:
        return Document(source, node, tuple(errors))
    definitions = node.definitions
    return Document(
        source,
        node,
        operations=[item for item in definitions if isinstance(item, OperationDefinitionNode)],
        fragments={item.name.value: item for item in definitions if isinstance(item, FragmentDefinitionNode)},
    )


@dataclass(frozen=True, slots=True)
class Usage:
    """What an operation and the fragments that it reaches use.

    Attributes:
        directives: names of directives other than ``@skip`` and ``@include``.
        conditions: variables of ``@skip`` and ``@include``, in order of appearance.
        introspection: whether ``__schema`` or ``__type`` is asked for.
    """

    directives: frozenset[str]
    conditions: tuple[str, ...]
    introspection: bool


def usage_of(operation: OperationDefinitionNode, fragments: dict[str, FragmentDefinitionNode]) -> Usage:
    """Look through an operation and its fragments."""
    directives: set[str] = set()
    conditions: dict[str, None] = {}
    introspection = False

    def look(nodes: Iterable[DirectiveNode]) -> None:
        for node in nodes:
            if node.name.value not in _conditions:
                directives.add(node.name.value)
            for argument in node.arguments or ():
                if node.name.value in _conditions and isinstance(argument.value, VariableNode):
                    conditions[argument.value.name.value] = None

    look(operation.directives or ())
    for variable in operation.variable_definitions or ():
        look(variable.directives or ())
    seen: set[str] = set()
    sets: list[SelectionSetNode] = [operation.selection_set]
    while sets:
        for selection in sets.pop().selections:
            if selection.directives:
                look(selection.directives)
            if isinstance(selection, FragmentSpreadNode):
                name = selection.name.value
                fragment = fragments.get(name)
                if fragment is not None and name not in seen:
                    seen.add(name)
                    look(fragment.directives or ())
                    sets.append(fragment.selection_set)
                continue
            if isinstance(selection, FieldNode) and selection.name.value in ("__schema", "__type"):
                introspection = True
            inner: SelectionSetNode | None = getattr(selection, "selection_set", None)
            if inner is not None:
                sets.append(inner)
    return Usage(frozenset(directives), tuple(conditions), introspection)
