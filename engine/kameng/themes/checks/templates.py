"""Checks of templates: names of pages, forms, assets, slots, tokens and other templates, as far as they are constant."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field

from jinja2 import TemplateError, TemplateNotFound, TemplateSyntaxError, meta, nodes

from kameng.themes.environment import FOLDER, SEPARATOR
from kameng.themes.errors import TemplateRefused
from kameng.themes.finding import Finding, error, warning
from kameng.themes.loaded import LoadedTheme
from kameng.themes.rendering import NAMES


@dataclass(slots=True)
class TemplateText:
    """A template as a check sees it.

    Attributes:
        name: the internal one, ``layer::path``.
        shown: how findings name it.
        own: whether it belongs to the theme itself and not to a parent or module.
        source: its text.
        tree: its syntax; None where it has none.
        calls: calls of functions by name, with their first argument where that is a constant text.
    """

    name: str
    shown: str
    own: bool
    source: str
    tree: nodes.Template | None
    calls: list[tuple[str, str | None, nodes.Call]] = field(default_factory=list)


def read_templates(theme: LoadedTheme) -> list[TemplateText]:
    """All templates of a theme, its parents and the modules that fill its slots."""
    environment, loader = theme.environment, theme.environment.layer_loader
    read = []
    for name in loader.all_names():
        layer, _, path = name.partition(SEPARATOR)
        try:
            source, _, _ = loader.get_source(environment, name)
        except UnicodeDecodeError:
            continue  # told by build_theme
        module = layer.removeprefix("module.").partition(".")[0] if layer.startswith("module.") else None
        shown = f"module {module}/{path}" if module else f"{layer}/{FOLDER}/{path}"
        text = TemplateText(name, shown, layer == theme.name, source, None)
        try:
            text.tree = environment.parse(source, name)
        except TemplateSyntaxError:
            pass  # told by build_theme
        else:
            text.calls = list(_calls(text.tree))
        read.append(text)
    used = _shown_of_modules(theme, {text.name: text for text in read})
    return [text for text in read if not text.name.startswith("module.") or text.name in used]


def _shown_of_modules(theme: LoadedTheme, texts: Mapping[str, TemplateText]) -> set[str]:
    """The templates of modules that this theme shows. A module brings some for themes of other kinds, where other pages exist."""
    loader = theme.environment.layer_loader
    todo = [piece.key for pieces in theme.pieces.values() for piece in pieces]
    for page in theme.merged.pages.values():
        with suppress(TemplateNotFound, TemplateRefused):
            todo.append(loader.resolve(page.template.removeprefix(f"{FOLDER}/")))
    seen: set[str] = set()
    while todo:
        text = texts.get(todo.pop())
        if text is None or text.name in seen or text.tree is None:
            continue
        seen.add(text.name)
        for name, _ in _template_names(text.tree):
            with suppress(TemplateNotFound, TemplateRefused):
                todo.append(loader.resolve(name, text.name))
    return seen


def _calls(tree: nodes.Template) -> Iterator[tuple[str, str | None, nodes.Call]]:
    for call in tree.find_all(nodes.Call):
        if isinstance(call.node, nodes.Name):
            first = call.args[0] if call.args else None
            yield call.node.name, first.value if isinstance(first, nodes.Const) else None, call


def template_findings(theme: LoadedTheme, templates: Sequence[TemplateText]) -> Iterator[Finding]:
    """What templates name that does not exist."""
    merged = theme.merged
    known: dict[str, tuple[Callable[[str], bool], str, str]] = {
        "url_for": (lambda name: name in merged.pages, "page", "`pages`"),
        "form": (lambda name: name in merged.forms, "form", "`forms`"),
        "form_url": (lambda name: name in merged.forms, "form", "`forms`"),
        "slot": (lambda name: name in merged.slots, "slot", "`slots`"),
        "document": (lambda name: name in merged.documents, "document", "`documents`"),
        "token": (lambda name: name in theme.tokens, "token", "`tokens`"),
        "asset": (lambda name: name in theme.assets, "asset", "the folder assets/"),
    }
    for text in templates:
        for function, name, call in text.calls:
            if function in known and name is not None:
                exists, what, where = known[function]
                if not exists(str(name)):
                    message = f"There is no {what} {str(name)!r}."
                    yield error(text.shown, call.lineno, message, f"Mend the name, or add it to {where}.")
                elif function == "url_for":
                    yield from _missing_values(theme, text, str(name), call)
        yield from _named_templates(theme, text)
    yield from _unknown_names(theme, templates)
    yield from _unseen_slots(theme, templates)


def _missing_values(theme: LoadedTheme, text: TemplateText, page: str, call: nodes.Call) -> Iterator[Finding]:
    given = {item.key for item in call.kwargs}
    pattern = theme.merged.patterns.get(page)
    if pattern is None or call.dyn_kwargs is not None:
        return
    if missing := [name for name in pattern.parameters if name not in given]:
        message = f"The path of {page} is {pattern.text}."
        yield error(text.shown, call.lineno, message, f"Give url_for() values for {', '.join(missing)}.")


def _template_names(tree: nodes.Template) -> Iterator[tuple[str, int]]:
    for node in tree.find_all((nodes.Extends, nodes.Include, nodes.Import, nodes.FromImport)):
        if isinstance(node, nodes.Include) and node.ignore_missing:
            continue
        for named in node.iter_child_nodes(only=("template",)):
            if isinstance(named, nodes.Const) and isinstance(named.value, str):
                yield named.value, node.lineno


def _set_somewhere(tree: nodes.Template) -> set[str]:
    """Names that a template imports or sets; what it does so outside of blocks is seen inside of them."""
    names = {node.name for node in tree.find_all(nodes.Name) if node.ctx == "store"}
    names |= {node.target for node in tree.find_all(nodes.Import)}
    for node in tree.find_all(nodes.FromImport):
        names |= {item if isinstance(item, str) else item[1] for item in node.names}
    return names | {node.name for node in tree.find_all(nodes.Macro)}


def _named_templates(theme: LoadedTheme, text: TemplateText) -> Iterator[Finding]:
    if text.tree is None:
        return
    for name, line in _template_names(text.tree):
        try:
            theme.environment.layer_loader.resolve(name, text.name)
        except TemplateRefused as fault:
            yield error(text.shown, line, fault.message, fault.cure)
        except (TemplateNotFound, TemplateError) as fault:
            yield error(text.shown, line, f"{fault.message}", "Mend the name, or write the template.")


def _unknown_names(theme: LoadedTheme, templates: Sequence[TemplateText]) -> Iterable[Finding]:
    """Variables that nothing sets. A template that others include gets theirs, so it is left out."""
    included = {
        str(node.template.value)
        for text in templates
        if text.tree is not None
        for node in text.tree.find_all(nodes.Include)
        if isinstance(node.template, nodes.Const)
    }
    for text in templates:
        path = text.name.partition(SEPARATOR)[2]
        if text.tree is None or path in included:
            continue
        try:
            undeclared = meta.find_undeclared_variables(text.tree)
        except TemplateError:
            continue  # told by build_theme
        unknown = undeclared - NAMES - set(theme.environment.globals)
        tested = {
            node.node.name
            for node in text.tree.find_all(nodes.Test)
            if node.name == "defined" and isinstance(node.node, nodes.Name)
        }
        for name in sorted(unknown - tested - _set_somewhere(text.tree)):
            line = next((node.lineno for node in text.tree.find_all(nodes.Name) if node.name == name), 0)
            yield warning(text.shown, line, f"Nothing sets {name!r}.", "Mend the name, or set it before.")


def _unseen_slots(theme: LoadedTheme, templates: Sequence[TemplateText]) -> Iterable[Finding]:
    shown = {name for text in templates for function, name, _ in text.calls if function == "slot"}
    for place, spec in theme.merged.slots.items():
        if place not in shown:
            where = theme.merged.place("slots", place)
            yield warning(*where, f"No template shows the slot {place}.", f'Write {{{{ slot("{place}") }}}}.')
        elif spec.on and place not in theme.library.used_slots:
            spread = "slot_" + place.replace(".", "_")
            where = theme.merged.place("slots", place)
            yield warning(
                *where, f"No document marks the slot {place}.", f"Spread ...{spread} on {spec.on} in one."
            )
