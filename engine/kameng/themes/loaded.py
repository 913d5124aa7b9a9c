"""A theme made ready: its documents validated, its templates compiled, its assets named."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from graphql import OperationType
from jinja2 import TemplateNotFound, TemplateSyntaxError

from kameng.themes.assets import Assets
from kameng.themes.catalogues import Catalogues
from kameng.themes.discovery import Layer
from kameng.themes.documents import DocumentLibrary, ThemeDocument
from kameng.themes.environment import FOLDER as TEMPLATES
from kameng.themes.environment import SEPARATOR, ThemeEnvironment
from kameng.themes.errors import TemplateRefused
from kameng.themes.filters import FILTERS
from kameng.themes.finding import Finding, error
from kameng.themes.manifest import SchemaName
from kameng.themes.merging import Merged, default_settings, merge
from kameng.themes.module_pages import NavigationEntry, add_module_pages
from kameng.themes.routes import RouteMap
from kameng.themes.slots import Contribution, read_contributions
from kameng.themes.tokens import Tokens

if TYPE_CHECKING:
    from kameng.graphql.composition import ComposedSchema
    from kameng.module import Module
    from kameng.sites.look import Logo

PREFIXES = {"storefront": "", "admin": "/admin"}
"""Where themes of a kind are reached."""


@dataclass(frozen=True, slots=True)
class LoadedTheme:
    """A theme, ready to answer requests.

    Attributes:
        merged: its layers as one.
        tokens, css: design tokens, and the rule that declares them.
        settings: values of its settings.
        assets: by path.
        library: all documents that were read.
        page_documents, form_documents, documents: by the name of the page, of the form, and their own.
        layout_document: where pages without a document of their own, and error pages, get their data from.
        environment: its templates.
        catalogues: its translations.
        routes: which page answers a path.
        pieces: what modules put into each slot.
        time_zone: for days and times.
        navigation: the entries that modules add, in order.
        trusted: the parent of a confined theme, which shows what goes wrong with it; None for any other theme.
        logo: a site's own picture; None: the theme shows its own.
        variant: tells a theme that is dressed for a site from the same one for others: the site's code and the version of its
            look, ``north@3``, or the revision of its draft, ``north~7``; empty: the theme as it is.
    """

    merged: Merged
    tokens: Tokens
    css: str
    settings: Mapping[str, Any]
    assets: Assets
    library: DocumentLibrary
    page_documents: Mapping[str, ThemeDocument]
    form_documents: Mapping[str, ThemeDocument]
    documents: Mapping[str, ThemeDocument]
    layout_document: ThemeDocument | None
    environment: ThemeEnvironment
    catalogues: Catalogues
    routes: RouteMap
    pieces: Mapping[str, Sequence[Contribution]]
    time_zone: ZoneInfo
    navigation: Sequence[NavigationEntry] = ()
    trusted: LoadedTheme | None = None
    logo: Logo | None = None
    variant: str = ""

    @property
    def site(self) -> str:
        """The code of the site that it is dressed for."""
        return self.variant.partition("@")[0]

    @property
    def draft(self) -> bool:
        """Whether it shows what is not published, so that nothing of it is kept."""
        return "~" in self.variant

    @property
    def name(self) -> str:
        """The theme's name."""
        return self.merged.name

    @property
    def prefix(self) -> str:
        """What its paths begin with: nothing for a storefront, ``/admin`` for an admin."""
        return PREFIXES[self.merged.kind]

    def prefixed(self, path: str) -> str:
        """A path of the theme as browsers see it."""
        return (self.prefix + path if path != "/" else self.prefix) or "/"

    def all_documents(self) -> Iterable[ThemeDocument]:
        """Everything that the theme runs, for a list of trusted documents."""
        yield from self.page_documents.values()
        yield from self.form_documents.values()
        yield from self.documents.values()
        if self.layout_document:
            yield self.layout_document


def build_theme(
    layers: Sequence[Layer],
    schemas: Mapping[SchemaName, ComposedSchema],
    modules: Iterable[Module],
    time_zone: ZoneInfo,
    *,
    confined: bool = False,
) -> tuple[LoadedTheme, list[Finding]]:
    """Make a theme ready, and tell everything that is wrong with it; with an error among that it must not be used.

    Args:
        layers: nearest first.
        schemas: the composed schemas by name.
        modules: those enabled, for their slots and translations.
        time_zone: for days and times.
        confined: whether nothing of the nearest layer may be compiled in this process.
    """
    modules = tuple(modules)
    merged = merge(layers)
    tokens = Tokens(layers)
    assets = Assets(merged.name, layers)
    contributions, slot_findings = read_contributions(modules)
    library = DocumentLibrary(layers, schemas[merged.schema]._schema, contributions, merged.slots)
    catalogues = Catalogues(layers, modules)
    read = _Documents(merged, library)
    added = add_module_pages(merged, modules, library, read.error)
    merged = added.merged
    environment = ThemeEnvironment(layers, contributions, added.layers, FILTERS)
    findings = [
        *merged.findings,
        *tokens.findings,
        *tokens.contrast_findings(),
        *assets.findings,
        *_missing_assets(tokens, assets),
        *library.findings,
        *catalogues.findings,
        *slot_findings,
        *added.findings,
        *_compile_templates(merged, environment, layers[0].name if confined else ""),
    ]
    theme = LoadedTheme(
        merged=merged,
        tokens=tokens,
        css=tokens.css(lambda path: assets.url(path) if path in assets else ""),
        settings=default_settings(merged.settings_schema),
        assets=assets,
        library=library,
        page_documents={**read.pages, **added.page_documents},
        form_documents={**read.forms, **added.form_documents},
        documents=read.others,
        layout_document=read.error,
        environment=environment,
        catalogues=catalogues,
        routes=RouteMap(merged.patterns.items()),
        pieces={
            place: [piece for piece in contributions if piece.slot.place == place] for place in merged.slots
        },
        time_zone=time_zone,
        navigation=added.navigation,
    )
    return theme, findings


class _Documents:
    def __init__(self, merged: Merged, library: DocumentLibrary) -> None:
        def read(
            section: str, files: Mapping[str, str | None], *kinds: OperationType
        ) -> dict[str, ThemeDocument]:
            compiled = {
                name: library.compile(file, merged.place(section, name), *kinds)
                for name, file in files.items()
                if file
            }
            return {name: document for name, document in compiled.items() if document}

        query, mutation = OperationType.QUERY, OperationType.MUTATION
        self.pages = read("pages", {name: page.document for name, page in merged.pages.items()}, query)
        self.forms = read("forms", {name: form.document for name, form in merged.forms.items()}, mutation)
        self.others = read("documents", dict(merged.documents), query, mutation, OperationType.SUBSCRIPTION)
        self.error = read("layout_document", {"layout_document": merged.layout_document}, query).get(
            "layout_document"
        )


def _missing_assets(tokens: Tokens, assets: Assets) -> Iterable[Finding]:
    for token in tokens:
        if token.type == "asset" and not token.alias and token.light not in assets:
            shown = token.origin.shown("theme.json")
            yield error(
                shown, 0, f"The token {token.name} names {token.light}, which is no asset.", "Add the file."
            )


def _compile_templates(merged: Merged, environment: ThemeEnvironment, confined: str) -> Iterable[Finding]:
    for name in environment.layer_loader.all_names():
        layer, _, path = name.partition(SEPARATOR)
        if layer == confined:
            continue
        shown = f"{layer}/{TEMPLATES}/{path}"
        try:
            environment.internal_template(name)
        except TemplateSyntaxError as fault:
            message = fault.message or "It is no template."
            if message == "No filter named 'safe'.":
                yield error(
                    shown, fault.lineno, "`|safe` switches escaping off.", "Take it out; show text as text."
                )
            else:
                yield error(shown, fault.lineno, message, "Mend it there.")
        except UnicodeDecodeError:
            yield error(shown, 0, "It is no UTF-8.", "Save it as UTF-8.")
    for name, page in merged.pages.items():
        path = page.template.removeprefix(f"{TEMPLATES}/")
        if missing := _unfound(path, environment.layer_loader.resolve):
            yield error(
                *merged.place("pages", name), f"{name}: {missing}", "Write the template, or mend its path."
            )


def _unfound(path: str, resolve: Callable[[str], str]) -> str | None:
    try:
        resolve(path)
    except TemplateNotFound:
        return f"there is no template {path!r} in the theme or its parents."
    except TemplateRefused as fault:
        return fault.message
    return None
