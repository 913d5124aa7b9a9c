"""A palette out of one brand colour, for who has nothing but that and a logo.

Lightness is moved and hue kept, in OKLCH, where equal steps look equal: until the colour stands out enough from what it is shown
on. So whatever colour somebody brings, a text in it and a text on it can be read, in the light scheme and in the dark one.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Literal

from kameng.themes.colours import BLACK, WHITE, Colour, contrast, oklch, parse_colour, to_oklch

if TYPE_CHECKING:
    from kameng.themes.tokens import Pair, Tokens

Scheme = Literal["light", "dark"]
SCHEMES: tuple[Scheme, ...] = ("light", "dark")

BRAND, ON_BRAND = "color-brand", "color-on-brand"
BRAND_SOFT, ON_BRAND_SOFT = "color-brand-soft", "color-on-brand-soft"

DERIVED = (BRAND, ON_BRAND, BRAND_SOFT, ON_BRAND_SOFT)
"""The tokens that a brand colour gives; a theme that wants to be recoloured names its own so."""

_STEP = 0.005
_SOFT: dict[Scheme, tuple[float, float]] = {"light": (0.955, 0.03), "dark": (0.29, 0.045)}
_MOST_CHROMA: dict[Scheme, float] = {"light": 0.4, "dark": 0.17}
_MARGIN = 0.05  # hexadecimal digits round


def from_brand(brand: str, tokens: Tokens) -> dict[str, dict[str, str]]:
    """Values of those `DERIVED` tokens that a theme has, in the form of ``theme.json``.

    Args:
        brand: a colour in any notation that tokens have; how much it lets through does not count.
        tokens: of the theme: what its own colours are, and which of them are shown on which.

    Raises:
        ValueError: the text names no colour.
    """
    given = parse_colour(brand)
    if given is None:
        raise ValueError(f"{brand[:60]!r} names no colour")
    lightness, chroma, hue = to_oklch(given)
    found: dict[str, dict[str, str]] = {name: {} for name in DERIVED}
    for scheme in SCHEMES:
        start = lightness if scheme == "light" else max(lightness, 0.78)
        strong = min(chroma, _MOST_CHROMA[scheme])
        needs = _needs(BRAND, scheme, tokens)
        own = _readable(start, strong, hue, needs, darker=scheme == "light")
        soft = oklch(_SOFT[scheme][0], min(_SOFT[scheme][1], chroma), hue)
        found[BRAND][scheme] = own.hex
        found[ON_BRAND][scheme] = _on(own, hue, chroma).hex
        found[BRAND_SOFT][scheme] = soft.hex
        found[ON_BRAND_SOFT][scheme] = _readable(
            *to_oklch(own)[:2],
            hue,
            [(soft, 4.5), *_needs(ON_BRAND_SOFT, scheme, tokens)],
            darker=scheme == "light",
        ).hex
    return {name: values for name, values in found.items() if name in tokens}


def would_do(tokens: Tokens, name: str, scheme: Scheme) -> str | None:
    """The nearest colour to a token's that keeps all its pairs, in hexadecimal; None where lightness alone does not help.

    Args:
        tokens: what the others are.
        name: the token whose colour may change.
        scheme: for which of the two.
    """
    token = tokens.resolved(name)
    colour = token and parse_colour(getattr(token, scheme))
    if not colour:
        return None
    lightness, chroma, hue = to_oklch(colour)
    needs = _needs(name, scheme, tokens)
    tried = sorted((abs(step * _STEP - lightness), step * _STEP) for step in range(201))
    for _, other in tried:
        candidate = oklch(other, chroma, hue)
        if _keeps(candidate, needs):
            return candidate.hex
    return None


def _needs(name: str, scheme: Scheme, tokens: Tokens) -> list[tuple[Colour, float]]:
    """What a colour token must stand out from: the colours and the ratios, without those that are derived with it."""
    beneath = WHITE if scheme == "light" else BLACK
    needs = []
    for pair in tokens.pairs:
        other = _other(pair, name)
        if other is None or (name in DERIVED and other in DERIVED):
            continue
        token = tokens.resolved(other)
        colour = token and parse_colour(getattr(token, scheme))
        if colour:
            needs.append((colour.over(beneath), pair.ratio))
    return needs


def _other(pair: Pair, name: str) -> str | None:
    return pair.on if pair.text == name else pair.text if pair.on == name else None


def _keeps(colour: Colour, needs: Sequence[tuple[Colour, float]]) -> bool:
    rounded = parse_colour(colour.hex) or colour
    return all(contrast(rounded, other) >= ratio + _MARGIN for other, ratio in needs)


def _readable(
    lightness: float, chroma: float, hue: float, needs: Sequence[tuple[Colour, float]], *, darker: bool
) -> Colour:
    """The colour of this hue nearest to a lightness that stands out from all others, going one way only."""
    step = -_STEP if darker else _STEP
    # Without any pair a brand colour must at least carry a white or a dark text.
    needs = needs or [(WHITE if darker else BLACK, 4.5)]
    while 0 < lightness < 1:
        colour = oklch(lightness, chroma, hue)
        if _keeps(colour, needs):
            return colour
        lightness += step
    return BLACK if darker else WHITE


def _on(ground: Colour, hue: float, chroma: float) -> Colour:
    """A text on the brand colour: white, or a very dark one of its hue, whichever is read better."""
    dark = oklch(0.2, min(chroma, 0.04), hue)
    if contrast(WHITE, ground) >= 4.5:
        return WHITE
    return dark if contrast(dark, ground) >= 4.5 else BLACK
