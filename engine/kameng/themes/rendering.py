"""What templates see: the values and functions of one rendering."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import structlog
from markupsafe import Markup

from kameng.graphql.context import LOCALES
from kameng.themes.asking import PageData
from kameng.themes.catalogues import ERROR_CONTEXT
from kameng.themes.environment import rendering
from kameng.themes.errors import UnknownName
from kameng.themes.form_view import FormView
from kameng.themes.locales import PARAMETER as LOCALE_PARAMETER
from kameng.themes.locales import babel_locale
from kameng.themes.routes import with_query
from kameng.themes.schemes import PARAMETER as SCHEME_PARAMETER
from kameng.themes.visit import PageView, Viewer, Visit

if TYPE_CHECKING:
    from kameng.themes.fragments import Fragments
    from kameng.themes.loaded import LoadedTheme

log = structlog.get_logger(__name__)

_PLACE = re.compile(r"\{([A-Za-z_][A-Za-z0-9_]*)\}")

NAMES = frozenset(
    [
        "data",
        "errors",
        "page",
        "viewer",
        "locale",
        "locales",
        "nonce",
        "origin",
        "settings",
        "logo",
        "flash",
        "error",
        "subject",
        "url_for",
        "asset",
        "slot",
        "navigation",
        "form",
        "form_url",
        "document",
        "token",
        "tokens_style",
        "locale_url",
        "scheme",
        "scheme_url",
        "csrf",
        "idempotency_key",
        "now",
        "t",
        "_",
        "gettext",
        "ngettext",
        "pgettext",
    ]
)
"""What a template may name beside Jinja's own and its own variables."""


class Rendering:
    """One rendering of one page.

    Args:
        theme: what is rendered.
        visit: for whom.
        found: what its document answered.
        fragments: where what is the same for all is kept; None: it is rendered each time.
    """

    def __init__(
        self,
        theme: LoadedTheme,
        visit: Visit,
        found: PageData,
        fragments: Fragments | None = None,
    ) -> None:
        self._theme = theme
        self._visit = visit
        self._slots = found.slots
        self._translations = theme.catalogues.of(visit.locale)
        self._values: dict[str, Any] = {
            "data": found.data,
            "errors": list(found.errors),
            "viewer": Viewer.of(visit.context.principal),
            "locale": visit.locale,
            "locales": LOCALES,
            "nonce": visit.nonce,
            "origin": visit.origin,
            "settings": theme.settings,
            "logo": theme.logo,
            "flash": self._flash(),
            "url_for": self.url_for,
            "asset": theme.assets.url,
            "slot": self.slot,
            "navigation": self.navigation,
            "form": self.form,
            "form_url": self.form_url,
            "document": self.document,
            "token": self.token,
            "tokens_style": self.tokens_style,
            "locale_url": self.locale_url,
            "scheme": visit.scheme,
            "scheme_url": self.scheme_url,
            "csrf": visit.csrf_token,
            "idempotency_key": visit.fresh_key,
            "now": lambda: datetime.now(UTC),
            "t": self.translate,
            "_": self.translate,
            "gettext": self._translations.gettext,
            "ngettext": self._translations.ngettext,
            "pgettext": self._translations.pgettext,
            "_fragments": fragments,
            "_variant": theme.variant,
            "_babel_locale": babel_locale(visit.locale),
            "_time_zone": theme.time_zone,
        }

    def render(self, template: str, page: PageView, **more: Any) -> str:
        """The page as HTML.

        Args:
            template: a path below ``templates/``.
            page: what the template is told of the page.
            more: further values.
        """
        self._values |= {"page": page, **more}
        with rendering(self._values):
            return self._theme.environment.page_template(template).render()

    def render_block(self, template: str, block: str, page: PageView, **more: Any) -> str | None:
        """One block of the page alone; None where the template and those it extends have no such block."""
        self._values |= {"page": page, **more}
        with rendering(self._values):
            return self._theme.environment.render_block(template, block)

    def url_for(self, page: str, **values: Any) -> str:
        """The address of a page; values that its path has no place for become its query.

        Raises:
            UnknownName: there is no such page, or a value for its path is missing.
        """
        pattern = self._theme.merged.patterns.get(page)
        if pattern is None:
            raise UnknownName(f"There is no page {page[:60]!r}.", cure="Mend the name, or add it to `pages`.")
        try:
            path = pattern.fill(values)
        except KeyError as missing:
            raise UnknownName(
                f"The path of {page} needs {missing}.", cure="Give url_for() a value for it."
            ) from missing
        rest = [(name, value) for name, value in values.items() if name not in pattern.parameters]
        return with_query(self._theme.prefixed(path), rest)

    def navigation(self) -> list[dict[str, Any]]:
        """What modules add to the navigation and the viewer may see: ``name``, ``text``, ``url``, ``permission``, ``current``."""
        principal = self._visit.context.principal
        shown = []
        for entry in self._theme.navigation:
            page = self._theme.merged.pages[entry.page]
            if (page.requires and principal.kind.value != page.requires) or (
                page.permission and not principal.may(page.permission)
            ):
                continue
            current = self._visit.page == entry.page
            text = self.translate(entry.text)
            shown.append(
                {
                    "name": entry.page,
                    "text": text,
                    "url": self.url_for(entry.page),
                    "permission": page.permission,
                    "current": current,
                }
            )
        return shown

    def form(self, name: str, key: object = "") -> FormView:
        """A form of the theme.

        Args:
            name: as in ``forms``.
            key: tells several forms of one name on a page apart, such as the id of a line.

        Raises:
            UnknownName: there is no such form.
        """
        spec = self._theme.merged.forms.get(name)
        if spec is None:
            raise UnknownName(f"There is no form {name[:60]!r}.", cure="Mend the name, or add it to `forms`.")
        return FormView(self._visit, name, spec, str(key))

    def form_url(self, name: str) -> str:
        """The address that a form is sent to."""
        return self.form(name).url

    def document(self, name: str) -> str:
        """The text of a document in ``documents``, for scripts that run it themselves.

        Raises:
            UnknownName: there is no such document.
        """
        found = self._theme.documents.get(name)
        if found is None:
            raise UnknownName(
                f"There is no document {name[:60]!r}.", cure="Mend the name, or add it to `documents`."
            )
        return found.bare

    def token(self, name: str, scheme: str = "light") -> str:
        """A design token's value, for places that CSS does not reach, such as ``<meta name="theme-color">``.

        Raises:
            UnknownName: there is no such token.
        """
        found = self._theme.tokens.resolved(name)
        if found is None:
            raise UnknownName(
                f"There is no token {name[:60]!r}.", cure="Mend the name, or add it to `tokens`."
            )
        value = found.dark if scheme == "dark" else found.light
        return self._theme.assets.url(value) if found.type == "asset" else value

    def tokens_style(self) -> Markup:
        """All design tokens as custom properties, in a style element with the answer's nonce."""
        # Each value was written by its type's own grammar, so nothing in it can end the element.
        return Markup('<style nonce="{}">{}</style>').format(self._visit.nonce, Markup(self._theme.css))  # noqa: S704

    def locale_url(self, locale: str) -> str:
        """This page in another language."""
        return self._visit.address_with(**{LOCALE_PARAMETER: locale})

    def scheme_url(self, scheme: str) -> str:
        """This page ``light``, ``dark``, or ``auto``: as the browser likes it."""
        return self._visit.address_with(**{SCHEME_PARAMETER: scheme})

    def slot(self, place: str, subject: Any = None) -> Markup:
        """What modules put into a slot. A module whose template fails is left out, and the log tells why.

        Raises:
            UnknownName: the theme declares no such slot.
        """
        if place not in self._theme.merged.slots:
            raise UnknownName(
                f"There is no slot {place[:60]!r}.", cure="Mend the name, or add it to `slots`."
            )
        shown = []
        for piece in self._theme.pieces.get(place, ()):
            if piece.fragments and piece.key not in self._slots:
                continue
            try:
                # Jinja has escaped whatever the template showed.
                shown.append(Markup(self._theme.environment.slot_template(piece).render(subject=subject)))  # noqa: S704
            except Exception:  # a module's mistake must not take the page away
                log.exception("slot failed", slot=place, module=piece.module, template=piece.slot.template)
        return Markup("").join(shown)

    def translate(self, message: str, **values: Any) -> str:
        """A message in the visitor's language, with ``{name}`` filled in; escaped like any other text."""
        found = self._translations.gettext(message) if message else ""
        return _PLACE.sub(lambda place: str(values.get(place[1], place[0])), found) if values else found

    def refusal(self, error: Mapping[str, Any]) -> str:
        """What to tell a visitor of an error of a payload.

        A theme's text for the error's code, in the context ``error`` of its catalogue, goes before the API's own words, which
        are English and written for whoever calls it; those are looked up in the same context.
        """
        code = str(error.get("code", ""))
        found = self._translations.pgettext(ERROR_CONTEXT, code)
        if code and found != code:
            return found
        words = (str(error.get(name) or "") for name in ("message", "cure"))
        return " ".join(self._translations.pgettext(ERROR_CONTEXT, text) for text in words if text) or code

    def _flash(self) -> str | None:
        spec = self._theme.merged.forms.get(self._visit.flash or "")
        return self.translate(spec.flash) if spec and spec.flash else None
