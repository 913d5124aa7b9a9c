"""Texts of notifications: Jinja templates of the modules, in a sandbox, strict about what is undefined."""

from __future__ import annotations

from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, Any

from jinja2 import BaseLoader, StrictUndefined, TemplateError, TemplateNotFound
from jinja2.environment import Environment
from jinja2.sandbox import ImmutableSandboxedEnvironment

from kameng.graphql.context import LOCALES
from kameng.module import NotificationKind
from kameng.notify.errors import TemplateFault

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

LONGEST_SUBJECT = 200
"""Characters of a subject."""


@dataclass(frozen=True, slots=True)
class Rendered:
    """A message's text.

    Attributes:
        subject: one line.
        text: plain text.
        html: the same as HTML; empty where there is none.
        locale: its language.
    """

    subject: str
    text: str
    html: str
    locale: str


def declared_kinds(modules: Any) -> dict[str, NotificationKind]:
    """All kinds of notifications of these modules, by ``module.name``."""
    return {f"{module.name}.{kind.name}": kind for module in modules for kind in module.notifications}


class Templates:
    """The templates of a deployment.

    Args:
        kinds: all kinds, by ``module.name``.
        folder: where the operator's own templates lie; None: there are none.
    """

    def __init__(self, kinds: Mapping[str, NotificationKind], folder: Path | None = None) -> None:
        self._kinds = kinds
        loader = _Loader(kinds, folder)
        self._plain = _environment(loader, escape=False)
        self._html = _environment(loader, escape=True)

    def render(self, kind: str, locale: str, values: Mapping[str, Any]) -> Rendered:
        """The text of a notification.

        Args:
            kind: ``module.name``.
            locale: a language; one that there are no texts in counts as the first.
            values: what the template sees.

        Raises:
            TemplateFault: there is no template, or it fails on these values.
        """
        language = locale if locale in LOCALES else LOCALES[0]
        try:
            subject = self._plain.get_template(f"{kind}.{language}.subject").render(values)
            text = self._plain.get_template(f"{kind}.{language}.txt").render(values)
            html = ""
            if self._exists(f"{kind}.{language}.html"):
                html = self._html.get_template(f"{kind}.{language}.html").render(values)
        except (TemplateError, TypeError, ValueError, ArithmeticError, LookupError, AttributeError) as error:
            # Messages of Jinja name variables, never their values.
            told = error.message if isinstance(error, TemplateError) else ""
            raise TemplateFault(
                f"The template {kind}.{language} failed: {type(error).__name__} {told or ''}".strip() + ".",
                cure="Mend the template, then send it again.",
            ) from error
        # A subject is one line whatever the values hold, so no value can add headers to a mail.
        return Rendered(" ".join(subject.split())[:LONGEST_SUBJECT], text.strip("\n") + "\n", html, language)

    def lacking(self) -> list[str]:
        """The text templates that there should be and are not: one for each kind and language."""
        wanted = (f"{kind}.{locale}.txt" for kind in self._kinds for locale in LOCALES)
        return [name for name in wanted if not self._exists(name)]

    def _exists(self, name: str) -> bool:
        try:
            self._plain.get_template(name)
        except TemplateNotFound:
            return False
        return True


class _Loader(BaseLoader):
    """Finds ``module.kind.locale.suffix``, the suffix being ``subject``, ``txt`` or ``html``.

    Templates may name nothing else, so none reads files of others.
    """

    def __init__(self, kinds: Mapping[str, NotificationKind], folder: Path | None) -> None:
        self._kinds = kinds
        self._folder = folder

    def get_source(
        self, environment: Environment, template: str
    ) -> tuple[str, str | None, Callable[[], bool] | None]:
        kind, _, rest = template.rpartition(".")[0].rpartition(".")
        suffix = template.rpartition(".")[2]
        declared = self._kinds.get(kind)
        if declared is None or rest not in LOCALES or suffix not in ("subject", "txt", "html"):
            raise TemplateNotFound(template)
        source = self._read(kind, declared, f"{declared.name}.{rest}.{'html' if suffix == 'html' else 'txt'}")
        if source is None:
            raise TemplateNotFound(template)
        if suffix != "html":
            # Split before it is rendered: a value with a line break stays where it belongs.
            subject, _, text = source.partition("\n")
            source = subject if suffix == "subject" else text.lstrip("\n")
        return source, None, None

    def _read(self, kind: str, declared: NotificationKind, name: str) -> str | None:
        if self._folder is not None:
            own = self._folder / kind.partition(".")[0] / name
            if own.is_file():
                return own.read_text("utf-8")
        package, _, folder = declared.templates.partition(":")
        found = files(package) / folder / name
        return found.read_text("utf-8") if found.is_file() else None


def _environment(loader: BaseLoader, *, escape: bool) -> Environment:
    return ImmutableSandboxedEnvironment(
        loader=loader,
        autoescape=escape,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
