"""Limits on the size and form of documents.

They are checked twice, by the same measure. Every document is screened right after it was parsed, since validating a
hostile one can cost seconds; the bounds there are wide, for themes and other parts of the deployment ask in-process.
What comes over the network has to keep to the settings as well, which is found out once for each operation.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, replace

from graphql import (
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLError,
    InlineFragmentNode,
    OperationDefinitionNode,
    OperationType,
    SelectionSetNode,
)

from kameng.graphql.refusals import TooComplex

INTROSPECTION = frozenset({"__schema", "__type"})
"""The root fields by which a schema is asked about itself."""

_EFFORT = 20_000
"""Selections that are looked at while repeated keys are counted."""


@dataclass(frozen=True, slots=True)
class Limits:
    """How large a document may be. Fragments count wherever they are spread, unless said otherwise.

    Attributes:
        depth: how deeply fields may nest; below ``__schema`` and ``__type`` a validation rule bounds it.
        fields: selections of an operation.
        aliases: aliases in the document's text.
        directives: directives at one field, fragment or operation.
        root_fields: fields of an operation's root.
        mutations: mutations of an operation.
        same_key: how often one response key may be asked for at one place.
        fragments: fragments in the document's text.
    """

    depth: int = 15
    fields: int = 500
    aliases: int = 30
    directives: int = 5
    root_fields: int = 10
    mutations: int = 5
    same_key: int = 30
    fragments: int = 50

    def widened(self) -> Limits:
        """The bounds for every document, whoever sends it: wide, but narrow enough to validate what passes."""
        return replace(
            self,
            depth=max(self.depth, 60),
            fields=max(self.fields, 2_000),
            aliases=max(self.aliases, 500),
            root_fields=max(self.root_fields, 500),
            mutations=max(self.mutations, 50),
            same_key=max(self.same_key, 60),
            fragments=max(self.fragments, 200),
        )


@dataclass(frozen=True, slots=True)
class _Size:
    depth: int = 0
    fields: int = 0


class Screen:
    """Screens parsed documents.

    Args:
        limits: the bounds.
    """

    def __init__(self, limits: Limits) -> None:
        self._limits = limits

    def __call__(self, document: DocumentNode) -> GraphQLError | None:
        """Why the document is refused, if it is."""
        fragments = {
            item.name.value: item for item in document.definitions if isinstance(item, FragmentDefinitionNode)
        }
        try:
            for item in document.definitions:
                if isinstance(item, OperationDefinitionNode):
                    check(item, fragments, self._limits)
            check_text(document, self._limits)
        except TooComplex as refusal:
            return refusal.as_error()
        return None


def check_text(document: DocumentNode, limits: Limits) -> None:
    """Check what is counted in the text: directives, fragments, and those that nothing spreads.

    Raises:
        TooComplex: the document exceeds a limit.
    """
    fragments = [item for item in document.definitions if isinstance(item, FragmentDefinitionNode)]
    _compare("fragments", len(fragments), limits.fragments)
    aliases = 0
    for item in document.definitions:
        if isinstance(item, OperationDefinitionNode | FragmentDefinitionNode):
            _compare("directives", len(item.directives or ()), limits.directives)
            aliases += _read(item.selection_set, limits)
            _repeated(item.selection_set, {one.name.value: one for one in fragments}, limits)
    _compare("aliases", aliases, limits.aliases)


def check(
    operation: OperationDefinitionNode, fragments: Mapping[str, FragmentDefinitionNode], limits: Limits
) -> None:
    """Check the size of one operation, with its fragments wherever they are spread.

    Raises:
        TooComplex: it exceeds a limit.
    """
    sizes: dict[str, _Size] = {}
    size = _measure(operation.selection_set, fragments, sizes)
    _compare("fields", size.fields, limits.fields)
    _compare("depth", size.depth, limits.depth)
    roots = _roots(operation.selection_set, fragments, {})
    if operation.operation is OperationType.MUTATION:
        _compare("mutations", roots, limits.mutations)
    _compare("root_fields", roots, limits.root_fields)


_WORDS = {
    "depth": "{:,} levels of fields",
    "fields": "{:,} fields",
    "aliases": "{:,} aliases",
    "directives": "{:,} directives at one place",
    "root_fields": "{:,} fields at its root",
    "mutations": "{:,} mutations",
    "same_key": "{:,} fields of one name at one place",
    "fragments": "{:,} fragments",
}
_MOST_TOLD = 1_000_000


def _compare(name: str, actual: int, maximum: int) -> None:
    if actual > maximum:
        told = min(actual, _MOST_TOLD)
        raise TooComplex(_WORDS[name].format(told), name, maximum, told)


def _measure(
    selected: SelectionSetNode, fragments: Mapping[str, FragmentDefinitionNode], sizes: dict[str, _Size]
) -> _Size:
    depth = fields = 0
    for selection in selected.selections:
        if isinstance(selection, FieldNode):
            fields += 1
            own = 1
            if selection.selection_set is not None:
                inner = _measure(selection.selection_set, fragments, sizes)
                fields += inner.fields
                own += 0 if selection.name.value in INTROSPECTION else inner.depth
            depth = max(depth, own)
            continue
        if isinstance(selection, InlineFragmentNode):
            inner = _measure(selection.selection_set, fragments, sizes)
        elif isinstance(selection, FragmentSpreadNode):
            name = selection.name.value
            known = sizes.get(name)
            if known is None:
                # A fragment that leads back to itself finds itself empty here; validation refuses it.
                sizes[name] = _Size()
                fragment = fragments.get(name)
                if fragment is not None:
                    sizes[name] = _measure(fragment.selection_set, fragments, sizes)
                known = sizes[name]
            inner = known
        else:
            continue
        fields += 1 + inner.fields
        depth = max(depth, inner.depth)
    return _Size(depth, fields)


def _roots(
    selected: SelectionSetNode, fragments: Mapping[str, FragmentDefinitionNode], known: dict[str, int]
) -> int:
    count = 0
    for selection in selected.selections:
        if isinstance(selection, FieldNode):
            count += 1
        elif isinstance(selection, InlineFragmentNode):
            count += _roots(selection.selection_set, fragments, known)
        elif isinstance(selection, FragmentSpreadNode):
            name = selection.name.value
            if name not in known:
                known[name] = 0
                if name in fragments:
                    known[name] = _roots(fragments[name].selection_set, fragments, known)
            count += known[name]
    return count


def _read(selected: SelectionSetNode, limits: Limits) -> int:
    """Check the directives of what stands in the text, and count its aliases."""
    aliases = 0
    todo = [selected]
    while todo:
        for selection in todo.pop().selections:
            _compare("directives", len(selection.directives or ()), limits.directives)
            if isinstance(selection, FieldNode) and selection.alias is not None:
                aliases += 1
            inner: SelectionSetNode | None = getattr(selection, "selection_set", None)
            if inner is not None:
                todo.append(inner)
    return aliases


def _repeated(
    selected: SelectionSetNode, fragments: Mapping[str, FragmentDefinitionNode], limits: Limits
) -> None:
    """Check how often a key is asked for at one place: validation compares each such field with each other."""
    effort = 0
    places, seen = [selected], set[int]()
    while places:
        keys: Counter[str] = Counter()
        spread: set[str] = set()
        todo = [places.pop()]
        if id(todo[0]) in seen:
            continue
        seen.add(id(todo[0]))
        while todo:
            for selection in todo.pop().selections:
                effort += 1
                if isinstance(selection, FieldNode):
                    keys[selection.alias.value if selection.alias else selection.name.value] += 1
                    if selection.selection_set is not None:
                        places.append(selection.selection_set)
                elif isinstance(selection, InlineFragmentNode):
                    todo.append(selection.selection_set)
                elif isinstance(selection, FragmentSpreadNode):
                    fragment = fragments.get(selection.name.value)
                    if fragment is not None and selection.name.value not in spread:
                        spread.add(selection.name.value)
                        todo.append(fragment.selection_set)
            if effort > _EFFORT:
                raise TooComplex("too many fragments within fragments", "fragments", limits.fragments)
        if keys:
            _compare("same_key", max(keys.values()), limits.same_key)
