"""Pages, forms and navigation that modules add to a theme of a kind.

A page of a theme goes before a module's of the same path, and what is unusable is left out: a module's mistake takes no page
away from a shop, it is told as a finding.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from graphql import (
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    GraphQLSyntaxError,
    OperationDefinitionNode,
    OperationType,
    SelectionSetNode,
    Source,
    parse,
    print_ast,
    validate,
)

from kameng.module import Module, Page, PageForm
from kameng.themes.documents import DocumentLibrary, ThemeDocument
from kameng.themes.finding import Finding, warning
from kameng.themes.manifest import FormSpec, PageSpec
from kameng.themes.merging import RESERVED, Merged
from kameng.themes.routes import PathPattern
from kameng.themes.slots import ModuleTemplate, find_template, rename_fragments, rename_in


@dataclass(frozen=True, slots=True)
class NavigationEntry:
    """An entry of the navigation.

    Attributes:
        page: the page's name in the theme.
        text: a message id.
        order: smaller comes first.
    """

    page: str
    text: str
    order: int


@dataclass(slots=True)
class AddedPages:
    """What modules add.

    Attributes:
        merged: the theme with the pages and forms that could be added.
        page_documents, form_documents: their documents, by name.
        layers: folders of their templates, by the names of their layers.
        navigation: entries in order.
        findings: what was left out, and why.
    """

    merged: Merged
    page_documents: dict[str, ThemeDocument] = field(default_factory=dict)
    form_documents: dict[str, ThemeDocument] = field(default_factory=dict)
    layers: dict[str, Path] = field(default_factory=dict)
    navigation: list[NavigationEntry] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)


def add_module_pages(
    merged: Merged, modules: Iterable[Module], library: DocumentLibrary, layout: ThemeDocument | None
) -> AddedPages:
    """A theme with what modules add to it.

    Args:
        merged: the theme's own pages and forms.
        modules: those enabled.
        library: what documents are read with.
        layout: the theme's layout document, which joins each page's.
    """
    work = _Adding(merged, library, layout)
    for module in modules:
        for page in module.pages:
            if page.kind == merged.kind:
                work.page(module.name, page)
        for form in module.forms:
            if form.kind == merged.kind:
                work.form(module.name, form)
        for entry in module.navigation:
            if entry.kind == merged.kind:
                work.entry(
                    module.name, NavigationEntry(f"{module.name}.{entry.page}", entry.text, entry.order)
                )
    return work.done()


class _Adding:
    def __init__(self, merged: Merged, library: DocumentLibrary, layout: ThemeDocument | None) -> None:
        self._library = library
        self._layout = layout
        self._pages = dict(merged.pages)
        self._forms = dict(merged.forms)
        self._patterns = dict(merged.patterns)
        self._shapes = {pattern.shape: name for name, pattern in merged.patterns.items()}
        self._taken_away = {
            name
            for layer in merged.layers
            for name, given in (*layer.manifest.pages.items(), *layer.manifest.forms.items())
            if given is None
        }
        self.added = AddedPages(merged)

    def done(self) -> AddedPages:
        self.added.navigation.sort(key=lambda entry: (entry.order, entry.page))
        self.added.merged = replace(
            self.added.merged, pages=self._pages, forms=self._forms, patterns=self._patterns
        )
        return self.added

    def _leave_out(self, shown: str, line: int, message: str, cure: str) -> None:
        self.added.findings.append(warning(shown, line, f"It is left out: {message}", cure))

    def page(self, module: str, page: Page) -> None:
        name, shown = f"{module}.{page.name}", f"module {module}/page {page.name}"
        if name in self._taken_away:
            return
        if name in self._pages:
            self._leave_out(shown, 0, f"there is a page {name} already.", "Name each page once.")
            return
        pattern = self._pattern(shown, page.path)
        template = find_template(module, page.template)
        if isinstance(template, Finding):
            self.added.findings.append(template)
        if pattern is None or not isinstance(template, ModuleTemplate):
            return
        if page.document.strip():
            document = self._document(module, shown, page.document, OperationType.QUERY)
            if document is None:
                return
            self.added.page_documents[name] = document
        self.added.layers[template.layer] = template.folder
        self._patterns[name] = pattern
        self._shapes[pattern.shape] = name
        self._pages[name] = PageSpec(
            path=page.path,
            template=f"templates/modules/{module}/{template.path}",
            title=page.title,
            requires=page.requires,
            permission=page.permission,
            subject=page.subject,
            private=page.private,
        )

    def _pattern(self, shown: str, path: str) -> PathPattern | None:
        try:
            pattern = PathPattern.parse(path)
        except ValueError as fault:
            self._leave_out(shown, 0, f"its path {path!r} is unusable: {fault}.", "Mend it.")
            return None
        if any(f"{path}/".startswith(f"{taken}/") for taken in RESERVED):
            self._leave_out(shown, 0, f"{path} is answered by the kernel.", "Choose another path.")
            return None
        if other := self._shapes.get(pattern.shape):
            self._leave_out(shown, 0, f"{path} is the path of {other}.", "Choose another path.")
            return None
        return pattern

    def form(self, module: str, form: PageForm) -> None:
        name, shown = f"{module}.{form.name}", f"module {module}/form {form.name}"
        if name in self._taken_away:
            return
        if name in self._forms:
            self._leave_out(shown, 0, f"there is a form {name} already.", "Name each form once.")
            return
        document = self._document(module, shown, form.document, OperationType.MUTATION)
        if document is not None:
            self.added.form_documents[name] = document
            self._forms[name] = FormSpec(
                document="", success=form.success, flash=form.flash, requires=form.requires
            )

    def entry(self, module: str, entry: NavigationEntry) -> None:
        shown = f"module {module}/navigation"
        pattern = self._patterns.get(entry.page)
        if entry.page in self._taken_away:
            return
        if pattern is None:
            self._leave_out(shown, 0, f"there is no page {entry.page}.", "Name one of the module's pages.")
        elif pattern.parameters:
            message = f"the path of {entry.page}, {pattern.text}, has parameters."
            self._leave_out(shown, 0, message, "Let entries lead to pages without any.")
        else:
            self.added.navigation.append(entry)

    def _document(self, module: str, shown: str, text: str, kind: OperationType) -> ThemeDocument | None:
        try:
            parsed = parse(Source(text, shown)).definitions
        except GraphQLSyntaxError as fault:
            line = fault.locations[0].line if fault.locations else 0
            self._leave_out(shown, line, f"its document cannot be read: {fault.message}", "Mend it.")
            return None
        operations = [item for item in parsed if isinstance(item, OperationDefinitionNode)]
        fragments = [item for item in parsed if isinstance(item, FragmentDefinitionNode)]
        if len(operations) != 1 or operations[0].name is None or operations[0].operation is not kind:
            self._leave_out(
                shown,
                0,
                f"its document is not one named {kind.value}.",
                f"Write `{kind.value} Name {{ … }}`.",
            )
            return None
        operation = rename_in(f"{module}_page", operations[0], fragments)
        own = rename_fragments(f"{module}_page", fragments)
        document = DocumentNode(definitions=(operation, *own))
        layout = self._layout if kind is OperationType.QUERY else None
        bare = _joined(document, parse(layout.bare)) if layout else document
        woven = _joined(document, parse(layout.source)) if layout else document
        if faults := validate(self._library.schema, woven):
            line = _line(faults[0].nodes)
            self._leave_out(shown, line, faults[0].message, "Let it ask for what the schema has.")
            return None
        return ThemeDocument(
            file=shown,
            name=operation.name.value if operation.name else "",
            kind=kind,
            source=print_ast(woven),
            bare=print_ast(bare),
            slot_fields=layout.slot_fields if layout else frozenset(),
            contributions=layout.contributions if layout else frozenset(),
            variables=self._library.variables_of(operation),
            payloads=tuple(
                (item.alias or item.name).value
                for item in operation.selection_set.selections
                if isinstance(item, FieldNode)
            ),
            syntax=bare,
        )


def _line(nodes: Sequence[object] | None) -> int:
    location = getattr(nodes[0], "loc", None) if nodes else None
    return location.start_token.line if location else 0


def _joined(document: DocumentNode, layout: DocumentNode) -> DocumentNode:
    """A page's query that asks for what the layout shows as well."""
    operation = document.definitions[0]
    outer = layout.definitions[0]
    if not isinstance(operation, OperationDefinitionNode) or not isinstance(outer, OperationDefinitionNode):
        return document
    selections = (*outer.selection_set.selections, *operation.selection_set.selections)
    both = replace(operation, selection_set=SelectionSetNode(selections=selections))
    names: Mapping[str, FragmentDefinitionNode] = {
        item.name.value: item
        for item in (*layout.definitions, *document.definitions)
        if isinstance(item, FragmentDefinitionNode)
    }
    return DocumentNode(definitions=(both, *names.values()))
