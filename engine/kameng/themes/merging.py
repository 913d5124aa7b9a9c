"""What a theme is once all its layers are laid over each other: pages, forms, slots and settings, checked for shape."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

import msgspec
from jsonschema import Draft202012Validator
from jsonschema.exceptions import SchemaError
from packaging.specifiers import InvalidSpecifier, SpecifierSet
from packaging.version import InvalidVersion, Version

from kameng.themes.discovery import BASE_NAME, Layer
from kameng.themes.finding import Finding, error, json_line
from kameng.themes.manifest import FILE_NAME, FormSpec, Kind, PageSpec, SchemaName, SlotSpec
from kameng.themes.routes import PathPattern
from kameng.version import VERSION

S = TypeVar("S", bound=msgspec.Struct)

THEME_NAME = re.compile(r"[a-z][a-z0-9]*(?:-[a-z0-9]+)*")
"""What a theme may be called; the name stands in addresses and before the paths of its templates."""

RESERVED = ("/assets", "/graphql", "/livez", "/readyz", "/metrics")
"""Paths that the kernel answers itself."""


@dataclass(frozen=True, slots=True)
class Merged:
    """A theme's layers as one.

    Attributes:
        layers: nearest first; the last is the base layer.
        kind, schema: what it shows, and the schema of its documents.
        pages, forms, slots: by name.
        patterns: the pages' paths.
        documents: files of further documents, by name.
        settings_schema: the JSON Schema of its settings.
        login: the page for those who must log in first; None: there is none.
        layout_document: the file whose data pages without a document get.
        origins: the layer that spoke last about a thing, by ``pages/home`` and the like.
        findings: what is wrong with any of that.
    """

    layers: tuple[Layer, ...]
    kind: Kind
    schema: SchemaName
    pages: Mapping[str, PageSpec]
    forms: Mapping[str, FormSpec]
    slots: Mapping[str, SlotSpec]
    patterns: Mapping[str, PathPattern]
    documents: Mapping[str, str]
    settings_schema: Mapping[str, Any]
    login: str | None
    layout_document: str | None
    origins: Mapping[str, Layer]
    findings: tuple[Finding, ...]

    @property
    def name(self) -> str:
        """The name of the nearest layer."""
        return self.layers[0].name

    def place(self, section: str, name: str) -> tuple[str, int]:
        """File and line where a page, form or the like was last spoken about."""
        layer = self.origins.get(f"{section}/{name}", self.layers[0])
        return layer.shown(FILE_NAME), json_line(layer.folder / FILE_NAME, section, name)


class _Merge:
    def __init__(self, layers: Sequence[Layer]) -> None:
        self.layers = tuple(layers)
        self.findings: list[Finding] = []
        self.origins: dict[str, Layer] = {}

    def specs(self, section: str, shape: type[S]) -> dict[str, S]:
        """One section over all layers: key by key, null takes a thing away."""
        merged: dict[str, dict[str, Any]] = {}
        for layer in reversed(self.layers):
            for name, given in getattr(layer.manifest, section).items():
                self.origins[f"{section}/{name}"] = layer
                if given is None:
                    merged.pop(name, None)
                else:
                    merged[name] = {**merged.get(name, {}), **given}
        read = {}
        for name, given in merged.items():
            try:
                read[name] = msgspec.convert(given, shape)
            except msgspec.ValidationError as fault:
                cure = f"The keys of an entry in {section!r} are: {', '.join(shape.__struct_fields__)}."
                self.fault(section, name, f"{name}: {fault}.", cure)
        return read

    def fault(self, section: str, name: str, message: str, cure: str) -> None:
        layer = self.origins.get(f"{section}/{name}", self.layers[0])
        line = json_line(layer.folder / FILE_NAME, section, name)
        self.findings.append(error(layer.shown(FILE_NAME), line, message, cure))

    def patterns(self, pages: Mapping[str, PageSpec]) -> dict[str, PathPattern]:
        patterns: dict[str, PathPattern] = {}
        shapes: dict[str, str] = {}
        for name, page in pages.items():
            try:
                pattern = PathPattern.parse(page.path)
            except ValueError as fault:
                self.fault(
                    "pages", name, f"The path of {name}, {page.path!r}, is unusable: {fault}.", "Mend it."
                )
                continue
            if any(f"{page.path}/".startswith(f"{taken}/") for taken in RESERVED):
                self.fault("pages", name, f"{page.path} is answered by the kernel.", "Choose another path.")
            if other := shapes.get(pattern.shape):
                self.fault(
                    "pages",
                    name,
                    f"{name} and {other} have the same path.",
                    "Give each page a path of its own.",
                )
            shapes[pattern.shape] = name
            patterns[name] = pattern
        return patterns

    def settings_schema(self) -> dict[str, Any]:
        merged: dict[str, Any] = {"type": "object", "properties": {}, "additionalProperties": False}
        for layer in reversed(self.layers):
            given = layer.manifest.settings
            properties = {**merged["properties"], **given.get("properties", {})}
            merged = {**merged, **given, "properties": properties, "additionalProperties": False}
        try:
            Draft202012Validator.check_schema(merged)
        except SchemaError as fault:
            self.fault(
                "settings", "properties", f"The settings are no JSON Schema: {fault.message}.", "Mend it."
            )
        return merged

    def names(self) -> None:
        for layer in self.layers[:-1]:
            if layer.name == BASE_NAME or not THEME_NAME.fullmatch(layer.name):
                line = json_line(layer.folder / FILE_NAME, "name")
                message = f"{layer.name[:60]!r} cannot be a theme's name."
                cure = f"Use lower-case letters, digits and hyphens, and not {BASE_NAME!r}."
                self.findings.append(error(layer.shown(FILE_NAME), line, message, cure))

    def engine(self) -> None:
        for layer in self.layers:
            wanted = layer.manifest.engine
            try:
                Version(layer.manifest.version)
                if SpecifierSet(wanted).contains(Version(VERSION), prereleases=True):
                    continue
                message = f"It works with kameng {wanted}; this is kameng {VERSION}."
                cure = f"Install a version of {layer.name} made for kameng {VERSION}."
            except (InvalidSpecifier, InvalidVersion) as fault:
                message, cure = (
                    f"{fault}.",
                    "Write versions and ranges as PEP 440 has them, such as '>=0.1,<0.2'.",
                )
            self.findings.append(
                error(layer.shown(FILE_NAME), json_line(layer.folder / FILE_NAME, "engine"), message, cure)
            )

    def first(self, key: str) -> Any:
        """What the nearest layer says that says anything."""
        for layer in self.layers:
            value = getattr(layer.manifest, key)
            if value is not None:
                self.origins[f"{key}/{key}"] = layer
                return value
        return None

    def files(self, pages: Iterable[PageSpec]) -> None:
        for page in pages:
            if not page.template.startswith("templates/"):
                self.findings.append(
                    error(
                        self.layers[0].shown(FILE_NAME),
                        json_line(self.layers[0].folder / FILE_NAME, "pages"),
                        f"The template {page.template!r} is not in the folder templates/.",
                        "Write its path from the theme's folder, such as templates/home.html.",
                    )
                )


def merge(layers: Sequence[Layer]) -> Merged:
    """Lay a theme's layers over each other.

    Args:
        layers: nearest first.
    """
    work = _Merge(layers)
    work.engine()
    work.names()
    kind: Kind = work.first("kind") or "storefront"
    if len({layer.manifest.kind for layer in layers if layer.manifest.kind}) > 1:
        work.fault("kind", "kind", f"It is of kind {kind}, its parent of another.", "Leave its kind out.")
    schema: SchemaName = work.first("schema") or ("admin" if kind == "admin" else "shop")
    pages = work.specs("pages", PageSpec)
    forms = work.specs("forms", FormSpec)
    work.files(pages.values())
    login = work.first("login")
    if login is not None and login not in pages:
        work.fault(
            "login", "login", f"The log-in page {login!r} is no page of the theme.", "Name one of its pages."
        )
    for name, form in forms.items():
        if form.on_error is not None and form.on_error not in pages:
            work.fault(
                "forms",
                name,
                f"{name} shows its errors on {form.on_error!r}, which is no page.",
                "Name a page.",
            )
    documents: dict[str, str] = {}
    for layer in reversed(layers):
        documents.update(layer.manifest.documents)
    return Merged(
        layers=work.layers,
        kind=kind,
        schema=schema,
        pages=pages,
        forms=forms,
        slots=work.specs("slots", SlotSpec),
        patterns=work.patterns(pages),
        documents=documents,
        settings_schema=work.settings_schema(),
        login=login,
        layout_document=work.first("layout_document"),
        origins=work.origins,
        findings=tuple(work.findings),
    )


def default_settings(schema: Mapping[str, Any]) -> dict[str, Any]:
    """The values that a theme's settings have until somebody sets them."""
    return {name: item.get("default") for name, item in schema.get("properties", {}).items()}
