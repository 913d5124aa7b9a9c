"""Weaving modules' fragments into a document, at the places where it spreads a slot."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from graphql import DocumentNode, FieldNode, FragmentSpreadNode, NameNode, SelectionSetNode, visit
from graphql.language import Visitor

from kameng.themes.slots import SPREAD_PREFIX, Contribution, spread_name


class _Woven(Visitor):
    """Puts fragments of modules where a document spreads a slot, and takes the spread of an empty slot away."""

    def __init__(self, filled: Mapping[str, Sequence[str]]) -> None:
        super().__init__()
        self._filled = filled

    def leave_selection_set(self, node: SelectionSetNode, *_: object) -> SelectionSetNode | None:
        if not any(_slot_of(item) for item in node.selections):
            return None
        selections: list[Any] = []
        for item in node.selections:
            if _slot_of(item) and isinstance(item, FragmentSpreadNode):
                selections += [
                    FragmentSpreadNode(name=NameNode(value=name), directives=item.directives, loc=item.loc)
                    for name in self._filled.get(item.name.value, ())
                ]
            else:
                selections.append(item)
        if not selections:
            selections.append(FieldNode(name=NameNode(value="__typename"), arguments=(), directives=()))
        return SelectionSetNode(selections=tuple(selections), loc=node.loc)


def _slot_of(node: object) -> str | None:
    if isinstance(node, FragmentSpreadNode) and node.name.value.startswith(SPREAD_PREFIX):
        return node.name.value
    return None


class _Spreads(Visitor):
    def __init__(self) -> None:
        super().__init__()
        self.found: dict[str, FragmentSpreadNode] = {}

    def enter_fragment_spread(self, node: FragmentSpreadNode, *_: object) -> None:
        self.found.setdefault(node.name.value, node)


def spreads(node: Any) -> dict[str, FragmentSpreadNode]:
    """The fragments that a piece of a document spreads, each with the first place that does."""
    visitor = _Spreads()
    visit(node, visitor)
    return visitor.found


def without_slots(joined: DocumentNode) -> DocumentNode:
    """A document with the spreads of slots taken out."""
    bare: DocumentNode = visit(joined, _Woven({}))
    return bare


def with_slots(joined: DocumentNode, chosen: Sequence[Contribution]) -> DocumentNode:
    """A document with these modules' fragments at their slots; other slots vanish."""
    filled: dict[str, list[str]] = {}
    for piece in chosen:
        filled.setdefault(spread_name(piece.slot.place), []).append(piece.fragments[0].name.value)
    woven: DocumentNode = visit(joined, _Woven(filled))
    definitions = {item.name.value: item for piece in chosen for item in piece.fragments}
    return DocumentNode(definitions=(*woven.definitions, *definitions.values()))


def asked_by_slot(piece: Contribution) -> set[str]:
    """The response names that a module's fragment puts into the object at the slot."""
    return {
        (item.alias or item.name).value
        for item in piece.fragments[0].selection_set.selections
        if isinstance(item, FieldNode)
    }


class _Names(Visitor):
    def __init__(self) -> None:
        super().__init__()
        self.found: set[str] = set()

    def enter_field(self, node: FieldNode, *_: object) -> None:
        self.found.add((node.alias or node.name).value)


def response_names(document: DocumentNode) -> set[str]:
    """All response names of a document."""
    visitor = _Names()
    visit(document, visitor)
    return visitor.found
