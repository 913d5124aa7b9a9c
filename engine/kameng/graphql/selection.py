"""What a document asks below a field, so that a resolver reads no column and no table that nobody asked for.

A resolver takes the selection from its info and looks for names of GraphQL fields in it::

    asked = selection_of(info).below("nodes", "edges.node")
    if "priceFrom" in asked: ...

It tells what is asked of any of the types that can occur there, so it may hold more than one object is asked for, and
never less.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from graphql import (
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    InlineFragmentNode,
    SelectionNode,
    SelectionSetNode,
)
from strawberry.types import Info

from kameng.graphql.compiled import ResolveInfo
from kameng.graphql.context import Context


class Selection:
    """The fields asked for at one place, by their names in the schema; aliases don't matter.

    Args:
        nodes: the field nodes whose selections this is.
        fragments: the document's fragments by name.
        variables: the values of the variables, which settle ``@skip`` and ``@include``.
    """

    __slots__ = ("_below", "_fields", "_fragments", "_variables")

    def __init__(
        self,
        nodes: Iterable[FieldNode],
        fragments: Mapping[str, FragmentDefinitionNode],
        variables: Mapping[str, Any],
    ) -> None:
        self._fragments = fragments
        self._variables = variables
        self._fields: dict[str, list[FieldNode]] = {}
        self._below: dict[tuple[str, ...], Selection] = {}
        visited: set[str] = set()
        for node in nodes:
            if node.selection_set is not None:
                self._collect(node.selection_set, visited)

    @classmethod
    def named(cls, *names: str) -> Selection:
        """Fields without anything below them, for readers that no document stands behind."""
        selection = cls((), {}, {})
        selection._fields = {name: [] for name in names}
        return selection

    def __contains__(self, name: str) -> bool:
        """Whether a field is asked for."""
        return name in self._fields

    def __iter__(self) -> Iterator[str]:
        """The names of the fields asked for."""
        return iter(self._fields)

    def __len__(self) -> int:
        """How many fields are asked for."""
        return len(self._fields)

    def below(self, *paths: str) -> Selection:
        """What is asked at one or several places below, taken together.

        Args:
            paths: names of fields with dots between them, such as ``edges.node``.
        """
        known = self._below.get(paths)
        if known is None:
            nodes = [node for path in paths for node in self._at(path)]
            known = self._below[paths] = Selection(nodes, self._fragments, self._variables)
        return known

    def _at(self, path: str) -> list[FieldNode]:
        name, _, rest = path.partition(".")
        nodes = self._fields.get(name, [])
        return self.below(name)._at(rest) if rest else nodes

    def _collect(self, selections: SelectionSetNode, visited: set[str]) -> None:
        for selection in selections.selections:
            if selection.directives and not self._included(selection):
                continue
            if isinstance(selection, FieldNode):
                self._fields.setdefault(selection.name.value, []).append(selection)
            elif isinstance(selection, InlineFragmentNode):
                self._collect(selection.selection_set, visited)
            elif isinstance(selection, FragmentSpreadNode) and selection.name.value not in visited:
                visited.add(selection.name.value)
                self._collect(self._fragments[selection.name.value].selection_set, visited)

    def _included(self, selection: SelectionNode) -> bool:
        for directive in selection.directives or ():
            name = directive.name.value
            if name not in ("skip", "include"):
                continue
            value: Any = (directive.arguments or ())[0].value
            variable = value.name.value if value.kind == "variable" else None
            condition = value.value if variable is None else self._variables.get(variable)
            if condition is (name == "skip"):
                return False
        return True


def selection_of(info: Info[Any, Any]) -> Selection:
    """What the document asks of the field that a resolver answers.

    It is the same object for all rows: compiled operations find it out once, with ``@skip`` and ``@include`` settled in
    them; where graphql-core executes, the request's context keeps it.
    """
    raw: Any = info._raw_info
    position = raw.position if isinstance(raw, ResolveInfo) else None
    if position is not None and position.selection is not None:
        known: Selection = position.selection
        return known
    if position is None and isinstance(info.context, Context):
        place = (raw.parent_type.name, id(raw.variable_values), *map(id, raw.field_nodes))
        # With what the key was made of, so that nothing else gets the same key while it is kept.
        return info.context.loader((Selection, place), lambda _context: (_read(info), raw))[0]
    found = _read(info)
    if position is not None:
        position.selection = found
    return found


def _read(info: Info[Any, Any]) -> Selection:
    raw = info._raw_info
    return Selection(raw.field_nodes, raw.fragments, info.variable_values)
