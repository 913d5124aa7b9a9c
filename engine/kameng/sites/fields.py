"""What somebody can fill in for a site: a theme's settings and tokens, one by one, with what they are now."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from kameng.sites.checking import laid_over
from kameng.sites.errors import SettingRefused

if TYPE_CHECKING:
    from kameng.sites.book import BookTheme
    from kameng.sites.look import Look

FieldKind = Literal["text", "long_text", "integer", "number", "yes_no", "choice"]

_LONG = 120  # characters from which a text gets more than one line


@dataclass(frozen=True, slots=True)
class SettingField:
    """A setting of a theme, as a form shows it.

    Attributes:
        name: of the setting.
        title, about: for people; messages of the theme.
        kind: what is filled in.
        value: what the site says; None: nothing.
        default: what holds then.
        choices: what a choice is among.
        max_length, minimum, maximum: what the theme allows; None: anything.
    """

    name: str
    title: str
    about: str
    kind: FieldKind
    value: str | None
    default: str
    choices: Sequence[str]
    max_length: int | None
    minimum: float | None
    maximum: float | None


@dataclass(frozen=True, slots=True)
class TokenField:
    """A design token of a theme, as a form shows it.

    Attributes:
        name, kind: of the token.
        about: what it is for; empty where the theme doesn't say.
        light, dark: what the site says; None: nothing. Only colours differ between the two.
        shown_light, shown_dark: what is shown now.
    """

    name: str
    kind: str
    about: str
    light: str | None
    dark: str | None
    shown_light: str
    shown_dark: str


def setting_fields(theme: BookTheme, look: Look) -> list[SettingField]:
    """The settings of a theme with a site's values."""
    fields = []
    for name, schema in theme.settings_schema.get("properties", {}).items():
        value = look.settings.get(name)
        fields.append(
            SettingField(
                name,
                str(schema.get("title") or name),
                str(schema.get("description") or ""),
                _kind(schema),
                None if value is None else _shown(value),
                _shown(schema.get("default")),
                [_shown(item) for item in schema.get("enum", ())],
                schema.get("maxLength"),
                schema.get("minimum"),
                schema.get("maximum"),
            )
        )
    return fields


def token_fields(theme: BookTheme, look: Look) -> list[TokenField]:
    """The tokens of a theme that a site may change, with its values."""
    laid = theme.laid(laid_over(theme, look))
    fields = []
    for token in theme.tokens:
        if token.type == "asset":
            continue
        own = look.tokens.get(token.name, {})
        shown = laid.resolved(token.name) or token
        about = next(
            (
                str(given["about"])
                for layer in theme.layers
                if isinstance(given := layer.manifest.tokens.get(token.name), dict) and given.get("about")
            ),
            "",
        )
        fields.append(
            TokenField(
                token.name,
                token.type,
                about,
                own.get("value", own.get("light")),
                own.get("value", own.get("dark")),
                shown.light,
                shown.dark,
            )
        )
    return fields


def read_setting(theme: BookTheme, name: str, text: str, path: Sequence[str]) -> Any:
    """The value of a setting from what somebody typed.

    Raises:
        SettingRefused: it is no number where one is wanted. All else, `check_look` tells.
    """
    schema = theme.settings_schema.get("properties", {}).get(name, {})
    match _kind(schema):
        case "yes_no":
            return {"true": True, "false": False}.get(text, text)
        case "integer" | "number" as kind:
            try:
                return int(text) if kind == "integer" else float(text)
            except ValueError as fault:
                raise SettingRefused(
                    f"{text[:40]!r} is no {'whole number' if kind == 'integer' else 'number'}.",
                    cure="Write digits only.",
                    path=path,
                ) from fault
        case "choice":
            return next((item for item in schema["enum"] if _shown(item) == text), text)
    return text


def token_value(kind: str, light: str | None, dark: str | None) -> dict[str, str]:
    """What a site says of a token, from what somebody typed; empty where he left it."""
    light, dark = (light or "").strip(), (dark or "").strip()
    if kind != "color":
        return {"value": light} if light else {}
    return {scheme: text for scheme, text in (("light", light), ("dark", dark)) if text}


def _kind(schema: Mapping[str, Any]) -> FieldKind:
    if schema.get("enum"):
        return "choice"
    match schema.get("type"):
        case "boolean":
            return "yes_no"
        case "integer":
            return "integer"
        case "number":
            return "number"
    return "long_text" if (schema.get("maxLength") or _LONG + 1) > _LONG else "text"


def _shown(value: Any) -> str:
    if value is None:
        return ""
    return str(value).lower() if isinstance(value, bool) else str(value)
