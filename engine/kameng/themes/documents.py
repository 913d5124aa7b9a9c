"""A theme's GraphQL documents: found in its layers, joined with shared fragments and modules' slots, and validated."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from graphql import (
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    GraphQLError,
    GraphQLInputType,
    GraphQLSchema,
    GraphQLSyntaxError,
    OperationDefinitionNode,
    OperationType,
    Source,
    VariableDefinitionNode,
    is_input_type,
    parse,
    print_ast,
    type_from_ast,
    validate,
)

from kameng.themes.discovery import Layer, first_file
from kameng.themes.finding import Finding, error, warning
from kameng.themes.slots import SPREAD_PREFIX, Contribution, spread_name
from kameng.themes.weaving import asked_by_slot, response_names, spreads, with_slots, without_slots

FRAGMENT_FOLDER = "queries/fragments"


@dataclass(frozen=True, slots=True)
class Variable:
    """A variable of an operation."""

    name: str
    type: GraphQLInputType
    has_default: bool


@dataclass(frozen=True, slots=True)
class ThemeDocument:
    """One operation, ready to run.

    Attributes:
        file: where it was written, for findings.
        name: the operation's name.
        kind: query, mutation or subscription.
        source: the text to execute, with what modules' slots ask for.
        bare: the same without the slots.
        slot_fields: response names that only slots ask for; an error in one of them is the slot's and not the page's.
        contributions: keys of the modules' pieces that joined.
        variables: what can be filled in.
        payloads: response names of the root fields.
    """

    file: str
    name: str
    kind: OperationType
    source: str
    bare: str
    slot_fields: frozenset[str]
    contributions: frozenset[str]
    variables: tuple[Variable, ...]
    payloads: tuple[str, ...]
    syntax: DocumentNode


class DocumentLibrary:
    """The documents of a theme.

    Attributes:
        findings: what is wrong with them.
        fragments: the shared ones, by name.
        used_fragments, used_slots, files: what documents spread, the slots they mark, and the files that were asked for.

    Args:
        layers: nearest first.
        schema: what documents are validated against.
        contributions: what modules put into slots.
        places: the theme's slots, by name.
    """

    def __init__(
        self,
        layers: Sequence[Layer],
        schema: GraphQLSchema,
        contributions: Sequence[Contribution] = (),
        places: Iterable[str] = (),
    ) -> None:
        self.findings: list[Finding] = []
        self.used_fragments: set[str] = set()
        self.used_slots: set[str] = set()
        self.files: set[str] = set()
        self._layers = layers
        self._schema = schema
        self._contributions = contributions
        self._places = {spread_name(place): place for place in places}
        self._compiled: dict[str, ThemeDocument | None] = {}
        self.fragments: dict[str, FragmentDefinitionNode] = {}
        for layer in reversed(layers):
            self._read_fragments(layer)

    def _read_fragments(self, layer: Layer) -> None:
        names: dict[str, str] = {}
        for file in sorted((layer.folder / FRAGMENT_FOLDER).glob("**/*.graphql")):
            shown = layer.shown(file.relative_to(layer.folder).as_posix())
            document = self._parse(file, shown)
            for item in document.definitions if document else ():
                if not isinstance(item, FragmentDefinitionNode):
                    self._fault(shown, item, "Only fragments belong here.", "Move operations to queries/.")
                elif item.name.value in names:
                    other = names[item.name.value]
                    self._fault(
                        shown, item, f"{other} has a fragment {item.name.value} too.", "Rename one of them."
                    )
                else:
                    names[item.name.value] = shown
                    self.fragments[item.name.value] = item

    def _parse(self, file: Path, shown: str) -> DocumentNode | None:
        try:
            return parse(Source(file.read_text("utf-8"), shown))
        except GraphQLSyntaxError as fault:
            line = fault.locations[0].line if fault.locations else 0
            self.findings.append(error(shown, line, fault.message, "Mend it there."))
        except (OSError, UnicodeDecodeError) as fault:
            self.findings.append(error(shown, 0, f"It cannot be read: {fault}.", "Save it as UTF-8."))
        return None

    def _fault(self, shown: str, node: Any, message: str, cure: str) -> None:
        line = node.loc.start_token.line if node is not None and node.loc else 0
        self.findings.append(error(shown, line, message, cure))

    def compile(self, path: str, asked_by: tuple[str, int], *kinds: OperationType) -> ThemeDocument | None:
        """The document in a file; None where it is unusable, which findings then tell.

        Args:
            path: from the theme's folder, such as ``queries/home.graphql``.
            asked_by: file and line that name it.
            kinds: what the operation may be.
        """
        self.files.add(path)
        if path not in self._compiled:
            self._compiled[path] = self._compile(path, asked_by)
        compiled = self._compiled[path]
        if compiled and compiled.kind not in kinds:
            wanted = " or ".join(kind.value for kind in kinds)
            self.findings.append(
                error(
                    *asked_by,
                    f"{compiled.file} holds a {compiled.kind.value}.",
                    f"Name a file with a {wanted} here.",
                )
            )
            return None
        return compiled

    def _compile(self, path: str, asked_by: tuple[str, int]) -> ThemeDocument | None:
        found = first_file(self._layers, path)
        if found is None:
            self.findings.append(
                error(*asked_by, f"There is no file {path} in the theme or its parents.", "Write it.")
            )
            return None
        layer, file = found
        shown = layer.shown(path)
        document = self._parse(file, shown)
        if document is None:
            return None
        operations = [item for item in document.definitions if isinstance(item, OperationDefinitionNode)]
        if len(operations) != 1 or operations[0].name is None:
            message = "It must hold one operation, with a name."
            self._fault(shown, operations[-1] if operations else None, message, "Write `query Name { … }`.")
            return None
        local = {
            item.name.value: item for item in document.definitions if isinstance(item, FragmentDefinitionNode)
        }
        joined = self._joined(shown, operations[0], local)
        if joined is None:
            return None
        return self._finish(shown, operations[0], joined)

    def _joined(
        self, shown: str, operation: OperationDefinitionNode, local: Mapping[str, FragmentDefinitionNode]
    ) -> DocumentNode | None:
        """The operation with all fragments that it reaches."""
        before = len(self.findings)
        reached: dict[str, FragmentDefinitionNode] = {}
        todo: list[Any] = [operation, *local.values()]
        reached.update(local)
        while todo:
            for name, spread in spreads(todo.pop()).items():
                if name.startswith(SPREAD_PREFIX):
                    self.used_slots.add(self._places.get(name, ""))
                    if name not in self._places:
                        where = spread.loc.source.name if spread.loc else shown
                        self._fault(
                            where, spread, f"...{name} is no slot of the theme.", "Declare it in `slots`."
                        )
                elif name not in reached:
                    fragment = self.fragments.get(name)
                    if fragment is None:
                        where = spread.loc.source.name if spread.loc else shown
                        self._fault(
                            where,
                            spread,
                            f"There is no fragment {name}.",
                            f"Write it into {FRAGMENT_FOLDER}/.",
                        )
                        continue
                    self.used_fragments.add(name)
                    reached[name] = fragment
                    todo.append(fragment)
        return (
            DocumentNode(definitions=(operation, *reached.values())) if len(self.findings) == before else None
        )

    def _finish(
        self, shown: str, operation: OperationDefinitionNode, joined: DocumentNode
    ) -> ThemeDocument | None:
        bare: DocumentNode = without_slots(joined)
        if faults := validate(self._schema, bare):
            for fault in faults:
                self._tell(shown, fault)
            return None
        woven, chosen = self._weave(joined)
        names = {name for item in chosen for name in asked_by_slot(item)}
        return ThemeDocument(
            file=shown,
            name=operation.name.value if operation.name else "",
            kind=operation.operation,
            source=print_ast(woven),
            bare=print_ast(bare),
            slot_fields=frozenset(names - response_names(bare)),
            contributions=frozenset(item.key for item in chosen),
            variables=self.variables_of(operation),
            payloads=tuple(
                (item.alias or item.name).value
                for item in operation.selection_set.selections
                if isinstance(item, FieldNode)
            ),
            syntax=bare,
        )

    def _weave(self, joined: DocumentNode) -> tuple[DocumentNode, list[Contribution]]:
        """Add what modules ask for, leaving out whatever the schema or the page's own fields don't allow."""
        places = set(spreads(joined))
        chosen: list[Contribution] = []
        woven: DocumentNode = without_slots(joined)
        for piece in self._contributions:
            if spread_name(piece.slot.place) not in places or not piece.fragments:
                continue
            tried = with_slots(joined, [*chosen, piece])
            if faults := validate(self._schema, tried):
                finding = warning(
                    piece.shown, 0, f"It is left out: {faults[0].message}", "Mend the slot's fragment."
                )
                if finding not in self.findings:
                    self.findings.append(finding)
                continue
            woven = tried
            chosen.append(piece)
        return woven, chosen

    def _tell(self, shown: str, fault: GraphQLError) -> None:
        node = fault.nodes[0] if fault.nodes else None
        where = node.loc.source.name if node is not None and node.loc else shown
        self._fault(where, node, fault.message, "Let the document ask for what the schema has.")

    def variables_of(self, operation: OperationDefinitionNode) -> tuple[Variable, ...]:
        """What an operation declares."""
        found = [self._variable(item) for item in operation.variable_definitions or ()]
        return tuple(item for item in found if item)

    @property
    def schema(self) -> GraphQLSchema:
        """What documents are validated against."""
        return self._schema

    def _variable(self, definition: VariableDefinitionNode) -> Variable | None:
        found = type_from_ast(self._schema, definition.type)
        if found is None or not is_input_type(found):
            return None
        return Variable(definition.variable.name.value, found, definition.default_value is not None)
