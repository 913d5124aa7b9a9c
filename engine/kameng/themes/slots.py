"""What modules put into a theme's slots."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from importlib.util import find_spec
from pathlib import Path
from typing import TypeVar

from graphql import FragmentDefinitionNode, GraphQLSyntaxError, NameNode, Node, Source, parse, visit
from graphql.language import FragmentSpreadNode, Visitor

from kameng.module import Module, Slot
from kameng.themes.finding import Finding, warning

SPREAD_PREFIX = "slot_"

N = TypeVar("N", FragmentDefinitionNode, FragmentSpreadNode)
M = TypeVar("M", bound=Node)


def spread_name(place: str) -> str:
    """How a page's document names a slot: ``product.after_description`` is ``...slot_product_after_description``."""
    return SPREAD_PREFIX + re.sub(r"\W", "_", place)


@dataclass(frozen=True, slots=True)
class Contribution:
    """A module's piece for a slot.

    Attributes:
        module: the module's name.
        slot: its declaration.
        layer: name of the template layer that holds its template.
        folder: that layer's folder.
        template: the template's path in that folder.
        fragments: its GraphQL fragments, renamed so that no two modules clash; the first is the one that joins a page.
    """

    module: str
    slot: Slot
    layer: str
    folder: Path
    template: str
    fragments: tuple[FragmentDefinitionNode, ...]

    @property
    def shown(self) -> str:
        """How findings name it."""
        return f"module {self.module}/{self.slot.template}"

    @property
    def key(self) -> str:
        """Names it among all contributions."""
        return f"{self.layer}::{self.template}"


class _Renamed(Visitor):
    def __init__(self, prefix: str, names: frozenset[str]) -> None:
        super().__init__()
        self._prefix = prefix
        self._names = names

    def leave_fragment_definition(self, node: FragmentDefinitionNode, *_: object) -> FragmentDefinitionNode:
        return self._named(node)

    def leave_fragment_spread(self, node: FragmentSpreadNode, *_: object) -> FragmentSpreadNode | None:
        return self._named(node) if node.name.value in self._names else None

    def _named(self, node: N) -> N:
        return replace(node, name=NameNode(value=self._prefix + node.name.value, loc=node.name.loc))


def read_contributions(modules: Iterable[Module]) -> tuple[list[Contribution], list[Finding]]:
    """All modules' pieces in the order in which a slot shows them, and what is wrong with those that cannot be used."""
    found: list[Contribution] = []
    faults: list[Finding] = []
    for module in modules:
        for slot in module.slots:
            piece = _read(module, slot)
            if isinstance(piece, Finding):
                faults.append(piece)
            else:
                found.append(piece)
    return sorted(found, key=lambda item: (item.slot.order, item.module)), faults


@dataclass(frozen=True, slots=True)
class ModuleTemplate:
    """A template that a module brings.

    Attributes:
        layer: name of the template layer that holds it.
        folder: that layer's folder.
        path: below that folder.
    """

    layer: str
    folder: Path
    path: str


def find_template(module: str, template: str) -> ModuleTemplate | Finding:
    """A module's template, or why there is none.

    Args:
        module: the module's name.
        template: ``package:path``.
    """
    shown = f"module {module}/{template}"
    package, _, path = template.partition(":")
    first, _, rest = path.partition("/")
    home = _package_folder(package)
    if home is None or not path:
        return warning(shown, 0, "It names no template of a package.", "Write `package:templates/slot.html`.")
    folder, path = (home / first, rest) if rest else (home, path)
    file = folder / path
    if not file.is_file() or not file.resolve().is_relative_to(home.resolve()):
        return warning(
            shown, 0, f"There is no file {path} in {folder.name}/ of {package}.", "Mend the template's path."
        )
    return ModuleTemplate(f"module.{module}.{folder.name}", folder, path)


def _read(module: Module, slot: Slot) -> Contribution | Finding:
    # Whatever is wrong with a module's piece, the page it was meant for is as good as without it: a warning.
    shown = f"module {module.name}/{slot.template}"
    found = find_template(module.name, slot.template)
    if isinstance(found, Finding):
        return found
    try:
        parsed = parse(Source(slot.fragment, shown)).definitions if slot.fragment.strip() else ()
    except GraphQLSyntaxError as fault:
        line = fault.locations[0].line if fault.locations else 0
        return warning(
            shown, line, f"Its fragment cannot be read: {fault.message}", "Mend the slot's fragment."
        )
    fragments = [item for item in parsed if isinstance(item, FragmentDefinitionNode)]
    if len(fragments) != len(parsed):
        return warning(
            shown, 0, "Its fragment holds something else than fragments.", "Leave only fragments in it."
        )
    return Contribution(
        module.name,
        slot,
        found.layer,
        found.folder,
        found.path,
        tuple(rename_fragments(module.name, fragments)),
    )


def rename_fragments(
    module: str, fragments: Sequence[FragmentDefinitionNode]
) -> list[FragmentDefinitionNode]:
    """A module's fragments under names that no other's have."""
    renamed = _renaming(module, fragments)
    return [visit(fragment, renamed) for fragment in fragments]


def rename_in(module: str, node: M, fragments: Sequence[FragmentDefinitionNode]) -> M:
    """An operation that spreads a module's fragments, once these are renamed."""
    renamed: M = visit(node, _renaming(module, fragments))
    return renamed


def _renaming(module: str, fragments: Sequence[FragmentDefinitionNode]) -> _Renamed:
    prefix = f"{re.sub(r'[^A-Za-z0-9]', '_', module)}_"
    return _Renamed(prefix, frozenset(item.name.value for item in fragments))


def _package_folder(package: str) -> Path | None:
    try:
        spec = find_spec(package)
    except (ImportError, ValueError):
        return None
    if spec is None or not spec.submodule_search_locations:
        return None
    return Path(next(iter(spec.submodule_search_locations)))
