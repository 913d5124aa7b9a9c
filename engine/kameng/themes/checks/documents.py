"""Checks of documents: what pages and forms expect of them, and what nobody uses."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from graphql import (
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLSchema,
    InlineFragmentNode,
    OperationDefinitionNode,
    get_named_type,
    is_object_type,
)

from kameng.themes.documents import FRAGMENT_FOLDER, ThemeDocument
from kameng.themes.finding import Finding, advice, error, warning
from kameng.themes.loaded import LoadedTheme
from kameng.themes.local_path import is_local_path
from kameng.themes.patterns import filled, places

_ASKED_OF_ERRORS = ("code", "path", "message")


def document_findings(theme: LoadedTheme, schema: GraphQLSchema) -> Iterator[Finding]:
    """What is wrong with how pages and forms use their documents."""
    yield from _pages(theme)
    yield from _forms(theme, schema)
    yield from _slots(theme, schema)
    yield from _unused(theme)


def _pages(theme: LoadedTheme) -> Iterator[Finding]:
    for name, page in theme.merged.pages.items():
        document = theme.page_documents.get(name)
        if page.document and document is None:
            continue  # told by build_theme
        where = theme.merged.place("pages", name)
        if page.subject and document is None:
            yield error(*where, f"{name} has a subject but no document.", "Name its document.")
        for path in (*([page.subject] if page.subject else []), *places(page.title)):
            if document and not _selected(document, path):
                yield error(
                    *where, f"{document.file} does not ask for {path}.", "Ask for it, or mend the path."
                )


def _forms(theme: LoadedTheme, schema: GraphQLSchema) -> Iterator[Finding]:
    for name, form in theme.merged.forms.items():
        document = theme.form_documents.get(name)
        where = theme.merged.place("forms", name)
        if form.success != "." and not is_local_path(filled(form.success, _Anything(), str) or form.success):
            yield error(*where, f"{form.success!r} is no path of this site.", "Write a path such as /orders.")
        if document is None:
            continue
        for path in places(form.success):
            if not _selected(document, path):
                yield error(
                    *where, f"{document.file} does not ask for {path}.", "Ask for it, or mend the path."
                )
        mutation = schema.mutation_type
        for field in _root_fields(document):
            kind = get_named_type(mutation.fields[field.name.value].type) if mutation else None
            if kind is None or not is_object_type(kind) or "errors" not in kind.fields:
                continue
            shown = (field.alias or field.name).value
            if lacking := [
                item for item in _ASKED_OF_ERRORS if not _selected(document, f"{shown}.errors.{item}")
            ]:
                yield warning(
                    document.file,
                    field.loc.start_token.line if field.loc else 0,
                    f"It does not ask for {', '.join(lacking)} of the errors of {field.name.value}.",
                    "Write `errors { code path message cure }`, so that the form can show them.",
                )


def _slots(theme: LoadedTheme, schema: GraphQLSchema) -> Iterator[Finding]:
    for place, spec in theme.merged.slots.items():
        if spec.on and spec.on not in schema.type_map:
            where = theme.merged.place("slots", place)
            yield error(
                *where, f"The schema has no type {spec.on}.", "Name the type of what the slot is given."
            )


def _unused(theme: LoadedTheme) -> Iterator[Finding]:
    layer = theme.merged.layers[0]
    for file in sorted(layer.folder.glob("queries/**/*.graphql")):
        path = file.relative_to(layer.folder).as_posix()
        if not path.startswith(FRAGMENT_FOLDER) and path not in theme.library.files:
            yield advice(
                layer.shown(path), 0, "Nothing uses this document.", "Name it in theme.json, or delete it."
            )
    for name, fragment in theme.library.fragments.items():
        if name not in theme.library.used_fragments and fragment.loc:
            message = f"No document spreads the fragment {name}."
            yield advice(
                fragment.loc.source.name, fragment.loc.start_token.line, message, "Spread or delete it."
            )


def _root_fields(document: ThemeDocument) -> list[FieldNode]:
    operation = next(
        item for item in document.syntax.definitions if isinstance(item, OperationDefinitionNode)
    )
    return [item for item in operation.selection_set.selections if isinstance(item, FieldNode)]


def _selected(document: ThemeDocument, path: str) -> bool:
    """Whether a document asks for what stands at a dotted path of its answer."""
    fragments = {
        item.name.value: item
        for item in document.syntax.definitions
        if isinstance(item, FragmentDefinitionNode)
    }
    operation = next(
        item for item in document.syntax.definitions if isinstance(item, OperationDefinitionNode)
    )
    nodes: list[Any] = [operation]
    for step in path.split("."):
        if not step.isdigit():
            nodes = [item for node in nodes for item in _below(node, step, fragments)]
    return bool(nodes)


def _below(node: Any, step: str, fragments: Mapping[str, FragmentDefinitionNode]) -> Iterator[FieldNode]:
    for item in node.selection_set.selections if node.selection_set else ():
        if isinstance(item, FieldNode):
            if (item.alias or item.name).value == step:
                yield item
        elif isinstance(item, InlineFragmentNode):
            yield from _below(item, step, fragments)
        elif isinstance(item, FragmentSpreadNode) and item.name.value in fragments:
            yield from _below(fragments[item.name.value], step, fragments)


class _Anything(dict[str, Any]):
    """An answer that has a plain value at every path."""

    def get(self, key: str, default: object = None) -> Any:
        return _Anything()

    def __str__(self) -> str:
        return "x"
