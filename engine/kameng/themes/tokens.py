"""Design tokens: typed values that become CSS custom properties."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from kameng.themes.colours import BLACK, WHITE, Colour, contrast, parse_colour
from kameng.themes.discovery import Layer
from kameng.themes.finding import Finding, error, json_line
from kameng.themes.manifest import FILE_NAME
from kameng.themes.token_values import TYPES

_NAME = re.compile(r"[a-z][a-z0-9]*(?:-[a-z0-9]+)*")
_ALIAS = re.compile(r"\{([a-z][a-z0-9-]*)\}")
_KEYS = frozenset(("type", "value", "light", "dark", "about"))

AA_TEXT = 4.5
"""The least contrast of text at level AA (WCAG 2.2, 1.4.3); 3 suffices for large text and parts of controls."""


@dataclass(frozen=True, slots=True)
class Token:
    """One token with its value for both schemes.

    Attributes:
        name: such as ``color-brand``; its CSS property is ``--color-brand``.
        type: one of `TYPES`.
        light, dark: the value, safe to be written into CSS; they differ for colours only.
        alias: the token that this one stands for; its value is then taken from there.
        origin: the layer that gave the value.
    """

    name: str
    type: str
    light: str
    dark: str
    alias: str | None
    origin: Layer

    def css(self, asset: Callable[[str], str]) -> str:
        """The declaration of the custom property."""
        if self.alias:
            return f"--{self.name}:var(--{self.alias})"
        if self.type == "asset":
            return f'--{self.name}:url("{asset(self.light)}")'
        value = self.light if self.light == self.dark else f"light-dark({self.light}, {self.dark})"
        return f"--{self.name}:{value}"


@dataclass(frozen=True, slots=True)
class Pair:
    """Two colour tokens of which one is shown on the other, with the least contrast they need."""

    text: str
    on: str
    ratio: float
    origin: Layer


@dataclass(frozen=True, slots=True)
class LowPair:
    """A pair whose contrast is too low.

    Attributes:
        pair: which one.
        scheme: ``light`` or ``dark``.
        contrast: what it has, 1 to 21.
    """

    pair: Pair
    scheme: Literal["light", "dark"]
    contrast: float


class Tokens:
    """The tokens of a theme: those of its layers, laid over each other token by token.

    Args:
        layers: nearest first.
        overrides: values that a site gives, by name, in the form of ``theme.json``.
    """

    def __init__(self, layers: Sequence[Layer], overrides: Mapping[str, Any] | None = None) -> None:
        self.findings: list[Finding] = []
        self._found: dict[str, Token] = {}
        merged: dict[str, dict[str, Any]] = {}
        origins: dict[str, Layer] = {}
        for layer in reversed(layers):
            for name, given in layer.manifest.tokens.items():
                self._lay(merged, name, given, layer)
                origins[name] = layer
        for name, given in (overrides or {}).items():
            if name not in merged:
                self._fault(
                    layers[0],
                    name,
                    f"There is no token {name[:40]!r}.",
                    "Give values to the theme's own tokens.",
                )
                continue
            self._lay(merged, name, given, layers[0])
            origins[name] = layers[0]
        for name, given in merged.items():
            if token := self._read(name, given, origins[name]):
                self._found[name] = token
        self._check_aliases()
        self.pairs = self._read_pairs(layers)

    def __getitem__(self, name: str) -> Token:
        return self._found[name]

    def __contains__(self, name: str) -> bool:
        return name in self._found

    def __iter__(self) -> Any:
        return iter(self._found.values())

    def css(self, asset: Callable[[str], str]) -> str:
        """A rule that declares all tokens on the root element, in both colour schemes."""
        return ":root{color-scheme:light dark;" + ";".join(token.css(asset) for token in self) + "}"

    def resolved(self, name: str) -> Token | None:
        """The token that holds a token's value, aliases followed."""
        seen: set[str] = set()
        token = self._found.get(name)
        while token is not None and token.alias and token.name not in seen:
            seen.add(token.name)
            token = self._found.get(token.alias)
        return token

    def low_pairs(self) -> Iterator[LowPair]:
        """Declared pairs whose contrast is too low, in either scheme."""
        schemes: tuple[tuple[Literal["light", "dark"], Colour], ...] = (("light", WHITE), ("dark", BLACK))
        for pair in self.pairs:
            text, ground = self.resolved(pair.text), self.resolved(pair.on)
            if text is None or ground is None:
                continue
            for scheme, beneath in schemes:
                above, below = parse_colour(getattr(text, scheme)), parse_colour(getattr(ground, scheme))
                if above is None or below is None:
                    continue
                ratio = contrast(above, below, beneath)
                if ratio < pair.ratio:
                    yield LowPair(pair, scheme, ratio)

    def contrast_findings(self) -> list[Finding]:
        """What `low_pairs` tells, as findings."""
        found = []
        for low in self.low_pairs():
            pair, text = low.pair, self.resolved(low.pair.text) or self[low.pair.text]
            message = f"--{pair.text} on --{pair.on} has a contrast of {low.contrast:.2f} in the {low.scheme} scheme."
            line = json_line(text.origin.folder / FILE_NAME, "tokens", text.name)
            cure = f"Choose colours with at least {pair.ratio:g}."
            found.append(error(text.origin.shown(FILE_NAME), line, message, cure))
        return found

    def _fault(self, layer: Layer, name: str, message: str, cure: str) -> None:
        line = json_line(layer.folder / FILE_NAME, "tokens", name)
        self.findings.append(error(layer.shown(FILE_NAME), line, message, cure))

    def _lay(self, merged: dict[str, dict[str, Any]], name: str, given: Any, layer: Layer) -> None:
        if not _NAME.fullmatch(name):
            self._fault(
                layer, name, f"{name[:40]!r} is no name of a token.", "Use lower-case words with hyphens."
            )
            return
        if not isinstance(given, dict):
            given = {"value": given}
        if unknown := sorted(set(given) - _KEYS):
            self._fault(
                layer,
                name,
                f"The token {name} has unknown keys: {', '.join(unknown)}.",
                f"Use {sorted(_KEYS)}.",
            )
            return
        if "value" in given:
            given = {**given, "light": given["value"], "dark": given["value"]}
            del given["value"]
        elif "light" in given and "dark" not in merged.get(name, {}):
            given = {**given, "dark": given.get("dark", given["light"])}
        below = merged.get(name)
        if below and given.get("type", below.get("type")) != below.get("type"):
            self._fault(
                layer,
                name,
                f"The token {name} is a {below.get('type')} in the parent theme.",
                "Leave its type out.",
            )
            return
        merged[name] = {**(below or {}), **given}

    def _read(self, name: str, given: Mapping[str, Any], origin: Layer) -> Token | None:
        kind = given.get("type")
        if kind not in TYPES:
            known = ", ".join(TYPES)
            self._fault(origin, name, f"The token {name} has no known type.", f"Add one of: {known}.")
            return None
        if "light" not in given:
            self._fault(
                origin, name, f"The token {name} has no value.", 'Add "value", or "light" and "dark".'
            )
            return None
        if isinstance(given["light"], str) and (alias := _ALIAS.fullmatch(given["light"])):
            return Token(name, kind, "", "", alias[1], origin)
        read, example = TYPES[kind]
        light, dark = read(given["light"]), read(given["dark"])
        if light is None or dark is None:
            wrong = given["light"] if light is None else given["dark"]
            self._fault(origin, name, f"The token {name} is {str(wrong)[:60]!r}.", f"Give it {example}.")
            return None
        return Token(name, kind, light, dark, None, origin)

    def _check_aliases(self) -> None:
        for token in list(self._found.values()):
            if token.alias is None:
                continue
            target = self.resolved(token.name)
            if target is None or target.alias or target.type != token.type:
                self._fault(
                    token.origin,
                    token.name,
                    f"The token {token.name} stands for {{{token.alias}}}, which leads to no {token.type}.",
                    f"Name a {token.type} token, and none that leads back here.",
                )
                del self._found[token.name]

    def _read_pairs(self, layers: Sequence[Layer]) -> tuple[Pair, ...]:
        pairs: dict[tuple[str, str], Pair] = {}
        for layer in reversed(layers):
            for given in layer.manifest.contrast:
                text, ground, ratio = given.get("text"), given.get("on"), given.get("ratio", AA_TEXT)
                if (
                    not isinstance(text, str)
                    or not isinstance(ground, str)
                    or not isinstance(ratio, int | float)
                ):
                    self._fault_pair(
                        layer, f"{given} is no pair.", 'Write {"text": "…", "on": "…", "ratio": 4.5}.'
                    )
                    continue
                for name in (text, ground):
                    token = self.resolved(name)
                    if token is None or token.type != "color":
                        self._fault_pair(
                            layer, f"The pair of {text} and {ground} needs a colour {name!r}.", "Declare it."
                        )
                        break
                else:
                    pairs[text, ground] = Pair(text, ground, float(ratio), layer)
        return tuple(pairs.values())

    def _fault_pair(self, layer: Layer, message: str, cure: str) -> None:
        line = json_line(layer.folder / FILE_NAME, "contrast")
        self.findings.append(error(layer.shown(FILE_NAME), line, message, cure))
