"""From an operation to the objects and fields that it asks for.

The plan is what graphql-core finds out field by field while it executes (the specification's CollectFields and
MergeSelectionSets), found out once: for every object type that can occur at a place, the response keys in order
and the merged field nodes of each. ``@skip`` and ``@include`` are settled by the values of their variables, so
one plan holds for one combination of these.

Equal selections of one type share one plan. A document that names the same fragments over and over therefore
stays as small as it is written, and what cannot be folded is counted against the limits.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from graphql import (
    BooleanValueNode,
    DirectiveNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLField,
    GraphQLObjectType,
    GraphQLSchema,
    InlineFragmentNode,
    OperationDefinitionNode,
    SelectionNode,
    SelectionSetNode,
    VariableNode,
    get_named_type,
    is_abstract_type,
    is_object_type,
)

from kameng.graphql.compiled.limits import DEPTH, ROOT_TYPE, SIZE, CompileLimits, NotCompilable

type_name_field = "__typename"


@dataclass(slots=True, eq=False)
class FieldPlan:
    """One response key of one object type.

    Attributes:
        key: the response key, an alias or the field's name.
        name: the field's name in the schema.
        nodes: the merged field nodes, in document order; the first one carries the arguments.
        parent: the object type.
        definition: the field in the schema.
        objects: for a composite type the plan of each object type that can occur, by name; else empty.
    """

    key: str
    name: str
    nodes: list[FieldNode]
    parent: GraphQLObjectType
    definition: GraphQLField
    objects: "dict[str, ObjectPlan]"


@dataclass(slots=True, eq=False)
class ObjectPlan:
    """The fields that one place asks of one object type, in response order.

    Attributes:
        type: the object type.
        fields: in response order.
        height: levels of objects, this one counted.
    """

    type: GraphQLObjectType
    fields: list[FieldPlan] = field(default_factory=list)
    height: int = 1


class Planner:
    """Makes the plan of one operation for one combination of condition values.

    Args:
        schema: the schema that the document was validated against.
        fragments: the document's fragments by name.
        conditions: the values of the variables that ``@skip`` and ``@include`` use.
        limits: the bounds.
    """

    def __init__(
        self,
        schema: GraphQLSchema,
        fragments: Mapping[str, FragmentDefinitionNode],
        conditions: Mapping[str, bool],
        limits: CompileLimits,
    ) -> None:
        self._schema = schema
        self._fragments = fragments
        self._conditions = conditions
        self._limits = limits
        self._plans: dict[tuple[str, tuple[tuple[str, tuple[int, ...]], ...]], ObjectPlan] = {}
        self._matches: dict[tuple[str, str], bool] = {}
        self.fields = 0
        self._selections = 0

    def root(self, operation: OperationDefinitionNode) -> ObjectPlan:
        """The plan of the operation's root object.

        Raises:
            NotCompilable: a limit is exceeded, or the schema has no such root type.
        """
        root_type = self._schema.get_root_type(operation.operation)
        if root_type is None:
            raise NotCompilable(ROOT_TYPE)
        return self._object(root_type, (operation.selection_set,), 1)

    def _object(self, type_: GraphQLObjectType, sets: Iterable[SelectionSetNode], depth: int) -> ObjectPlan:
        if depth > self._limits.depth:
            raise NotCompilable(DEPTH)
        grouped: dict[str, list[FieldNode]] = {}
        visited: set[str] = set()
        for selection_set in sets:
            self._collect(type_, selection_set, grouped, visited)
        identity = (type_.name, tuple((key, tuple(map(id, nodes))) for key, nodes in grouped.items()))
        plan = self._plans.get(identity)
        if plan is None:
            self.fields += len(grouped)
            if self.fields > self._limits.fields:
                raise NotCompilable(SIZE)
            plan = ObjectPlan(type_)
            for key, nodes in grouped.items():
                planned = self._field(type_, key, nodes, depth)
                if planned is not None:
                    plan.fields.append(planned)
                    for child in planned.objects.values():
                        plan.height = max(plan.height, child.height + 1)
            self._plans[identity] = plan
        elif depth + plan.height - 1 > self._limits.depth:
            raise NotCompilable(DEPTH)
        return plan

    def _field(
        self, parent: GraphQLObjectType, key: str, nodes: list[FieldNode], depth: int
    ) -> FieldPlan | None:
        name = nodes[0].name.value
        definition = self._schema.get_field(parent, name)
        if definition is None:
            return None  # graphql-core leaves an unknown field out; validation lets none through
        sets = [node.selection_set for node in nodes if node.selection_set]
        named = get_named_type(definition.type)
        objects: dict[str, ObjectPlan] = {}
        if is_object_type(named):
            objects[named.name] = self._object(named, sets, depth + 1)
        elif is_abstract_type(named):
            for possible in self._schema.get_possible_types(named):
                objects[possible.name] = self._object(possible, sets, depth + 1)
        return FieldPlan(key, name, nodes, parent, definition, objects)

    def _collect(
        self,
        type_: GraphQLObjectType,
        selection_set: SelectionSetNode,
        grouped: dict[str, list[FieldNode]],
        visited: set[str],
    ) -> None:
        self._selections += len(selection_set.selections)
        if self._selections > self._limits.selections:
            raise NotCompilable(SIZE)
        for selection in selection_set.selections:
            if selection.directives and not self._included(selection):
                continue
            if isinstance(selection, FieldNode):
                key = selection.alias.value if selection.alias else selection.name.value
                grouped.setdefault(key, []).append(selection)
            elif isinstance(selection, InlineFragmentNode):
                if self._matching(selection, type_):
                    self._collect(type_, selection.selection_set, grouped, visited)
            elif isinstance(selection, FragmentSpreadNode):
                name = selection.name.value
                fragment = self._fragments.get(name)
                if fragment is not None and name not in visited and self._matching(fragment, type_):
                    visited.add(name)
                    self._collect(type_, fragment.selection_set, grouped, visited)

    def _included(self, selection: SelectionNode) -> bool:
        for directive in selection.directives or ():
            name = directive.name.value
            if name == "skip":
                if self._condition(directive):
                    return False
            elif name == "include" and not self._condition(directive):
                return False
        return True

    def _condition(self, directive: DirectiveNode) -> bool:
        value = next(argument.value for argument in directive.arguments or () if argument.name.value == "if")
        if isinstance(value, VariableNode):
            return self._conditions[value.name.value]
        return isinstance(value, BooleanValueNode) and value.value

    def _matching(
        self, fragment: FragmentDefinitionNode | InlineFragmentNode, type_: GraphQLObjectType
    ) -> bool:
        if fragment.type_condition is None:
            return True
        condition = fragment.type_condition.name.value
        if condition == type_.name:
            return True
        known = self._matches.get((condition, type_.name))
        if known is None:
            conditional = self._schema.get_type(condition)
            known = is_abstract_type(conditional) and self._schema.is_sub_type(conditional, type_)
            self._matches[condition, type_.name] = known
        return known
