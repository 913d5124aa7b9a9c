"""Whether a look can be shown: each value is one that the theme allows, and every text can still be read.

A token's value ends up in a style sheet, so nothing is taken that its type's grammar has not read to the end; a setting's value
ends up in a page, where it is escaped like any text, and is held against the theme's JSON Schema.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from jsonschema import Draft202012Validator

from kameng.errors import Refusal
from kameng.sites.errors import ContrastTooLow, SettingRefused, TokenRefused
from kameng.sites.look import Look
from kameng.themes.colours import parse_colour
from kameng.themes.palette import DERIVED, from_brand, would_do
from kameng.themes.token_values import TYPES
from kameng.themes.tokens import Tokens

if TYPE_CHECKING:
    from kameng.sites.book import BookTheme

LONGEST = 2_000
"""Characters of a setting's text, whatever the theme allows."""

Places = Mapping[str, Sequence[str]]
"""Where in the input the value of a setting or token stands, by name."""


def laid_over(theme: BookTheme, look: Look) -> dict[str, dict[str, str]]:
    """What a look changes of a theme's tokens: the palette of its brand colour, and over it what is said of single tokens."""
    palette = from_brand(look.brand, theme.tokens) if look.brand else {}
    return {**palette, **look.tokens}


def check_look(
    theme: BookTheme, look: Look, settings: Places | None = None, tokens: Places | None = None
) -> None:
    """Insist on a look that can be shown.

    Args:
        theme: the one that it is for.
        look: what somebody wants.
        settings, tokens: where its values stand in the input.

    Raises:
        SettingRefused: a setting is unknown, or its value not what the theme allows.
        TokenRefused: a token is unknown, or its value not of its type.
        ContrastTooLow: a pair of colours is hard to read.
    """
    _check_settings(theme, look, settings or {})
    if look.brand and parse_colour(look.brand) is None:
        raise TokenRefused(
            f"{look.brand[:60]!r} is no colour.", cure="Write one such as #0a7b5c.", path=("input", "brand")
        )
    places = tokens or {}
    for name, value in look.tokens.items():
        _check_token(theme, name, value, tuple(places.get(name, ("input", "tokens"))))
    laid = theme.laid(laid_over(theme, look))
    if laid.findings:  # whatever the checks above did not foresee
        raise TokenRefused(laid.findings[0].message, cure=laid.findings[0].cure, path=("input", "tokens"))
    _check_contrast(theme, look, laid, places)


def fitting(theme: BookTheme, look: Look) -> Look:
    """What of a look a theme can show: after another theme was chosen, or its own new version was installed."""
    kept = Look(theme=look.theme, logo=look.logo)
    candidates = [
        *([Look(brand=look.brand)] if look.brand else []),
        *(Look(settings={name: value}) for name, value in look.settings.items()),
        *(Look(tokens={name: value}) for name, value in look.tokens.items()),
    ]
    for more in candidates:
        tried = Look(
            theme=kept.theme,
            logo=kept.logo,
            brand=kept.brand or more.brand,
            settings={**kept.settings, **more.settings},
            tokens={**kept.tokens, **more.tokens},
        )
        try:
            check_look(theme, tried)
        except Refusal:
            continue
        kept = tried
    return kept


def _check_settings(theme: BookTheme, look: Look, places: Places) -> None:
    known = theme.settings_schema.get("properties", {})
    for name, value in look.settings.items():
        path = tuple(places.get(name, ("input", "settings")))
        if name not in known:
            raise SettingRefused(
                f"The theme {theme.name} has no setting {name[:60]!r}.", cure="Take it out.", path=path
            )
        if isinstance(value, str) and len(value) > LONGEST:
            raise SettingRefused(
                f"The text has {len(value):,} characters.", cure=f"Use at most {LONGEST:,}.", path=path
            )
        fault = next(iter(Draft202012Validator(known[name]).iter_errors(value)), None)
        if fault is not None:
            raise SettingRefused(
                _told(fault.validator, fault.validator_value, fault.message), cure="Mend it.", path=path
            )
    whole = {**theme.defaults, **look.settings}
    whole = {name: value for name, value in whole.items() if value is not None}
    fault = next(iter(Draft202012Validator(dict(theme.settings_schema)).iter_errors(whole)), None)
    if fault is not None and not fault.absolute_path:
        raise SettingRefused(
            f"{fault.message[:200]}.", cure="Fill in what is missing.", path=("input", "settings")
        )


def _told(rule: Any, wanted: Any, message: str) -> str:
    """What a JSON Schema says, without the value: that is on the screen, and may be long."""
    match rule:
        case "maxLength":
            return f"The text has more than {wanted} characters."
        case "minLength":
            return f"The text has fewer than {wanted} characters."
        case "pattern":
            return f"The text does not have the form {wanted}."
        case "enum":
            return f"It is none of {', '.join(str(item) for item in wanted)}."
        case "maximum" | "exclusiveMaximum":
            return f"The number is larger than {wanted}."
        case "minimum" | "exclusiveMinimum":
            return f"The number is smaller than {wanted}."
        case "type":
            return f"It is no {wanted}."
    return f"{message[:200]}."


def _check_token(theme: BookTheme, name: str, value: Mapping[str, str], path: Sequence[str]) -> None:
    if name not in theme.tokens:
        raise TokenRefused(
            f"The theme {theme.name} has no token {name[:60]!r}.", cure="Take it out.", path=path
        )
    kind = theme.tokens[name].type
    if kind == "asset":
        raise TokenRefused(
            f"The token {name} is a file of the theme.", cure="Change it in a child theme.", path=path
        )
    if not value or not set(value) <= {"value", "light", "dark"}:
        raise TokenRefused(f"The token {name} has no value.", cure="Give it one, or leave it out.", path=path)
    read, example = TYPES[kind]
    for scheme, text in value.items():
        # A site's value stands for itself: what another token is, the theme may change.
        if len(text) > 300 or read(text) is None:
            where = path if scheme == "value" else (*path[:-1], scheme) if len(path) > 2 else path
            raise TokenRefused(
                f"{text[:60]!r} is not what --{name} can be.", cure=f"Give it {example}.", path=where
            )


def _check_contrast(theme: BookTheme, look: Look, laid: Tokens, places: Places) -> None:
    for low in laid.low_pairs():
        pair = low.pair
        # Of the two, the one that the site has set is the one that it can mend.
        changed = next((name for name in (pair.text, pair.on) if name in look.tokens), pair.text)
        better = would_do(laid, changed, low.scheme)
        place = places.get(changed)
        beside = ("input", "brand") if look.brand and changed in DERIVED else ("input", "tokens")
        path = (*tuple(place)[:-1], low.scheme) if place else beside
        raise ContrastTooLow(
            f"--{pair.text} on --{pair.on} has a contrast of {low.contrast:.2f} in the {low.scheme} scheme;"
            f" {pair.ratio:g} is needed.",
            cure=f"{better} would do for --{changed}." if better else "Choose colours that differ more.",
            path=path,
        )
