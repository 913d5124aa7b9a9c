"""A palette out of one colour: whatever colour somebody brings, what is written in it and on it can be read."""

from __future__ import annotations

from itertools import product

import pytest

from kameng.themes.colours import WHITE, contrast, oklch, parse_colour, to_oklch
from kameng.themes.discovery import Installed
from kameng.themes.palette import DERIVED, from_brand, would_do
from kameng.themes.tokens import Tokens

LAYERS = Installed().chain("storefront")


def test_any_colour_becomes_a_palette_that_keeps_all_pairs_of_the_theme() -> None:
    base = Tokens(LAYERS)
    for red, green, blue in product(range(0, 256, 51), repeat=3):
        # given any colour
        palette = from_brand(f"rgb({red} {green} {blue})", base)
        # then the theme with it has no faulty token and no pair that is hard to read, in both schemes
        assert set(palette) == set(DERIVED)
        laid = Tokens(LAYERS, palette)
        assert [*laid.findings, *laid.contrast_findings()] == []


@pytest.mark.parametrize(
    ("brand", "light", "dark"),
    [
        # One that can be read stays itself; a yellow becomes darker on white and stays bright on black.
        ("#0b6b4f", "#0b6b4f", "#79cbaa"),
        ("#ffd400", "#866e00", "#fdd530"),
    ],
)
def test_as_little_is_changed_as_is_needed(brand: str, light: str, dark: str) -> None:
    assert from_brand(brand, Tokens(LAYERS))["color-brand"] == {"light": light, "dark": dark}


def test_what_is_no_colour_gives_no_palette() -> None:
    with pytest.raises(ValueError, match="names no colour"):
        from_brand("red;}</style>", Tokens(LAYERS))


def test_a_colour_that_would_do_is_told() -> None:
    # given a grey that is too light on the theme's ground and surface
    faint = Tokens(LAYERS, {"color-muted": {"light": "#bbbbbb", "dark": "#a2aca7"}})
    low = {(item.pair.on, item.scheme): round(item.contrast, 2) for item in faint.low_pairs()}
    assert low == {("color-ground", "light"): 1.79, ("color-surface", "light"): 1.92}
    # when a better one is asked for
    told = would_do(faint, "color-muted", "light")
    # then it is the nearest grey that keeps both pairs
    assert told == "#707070"
    assert list(Tokens(LAYERS, {"color-muted": {"light": told, "dark": "#a2aca7"}}).low_pairs()) == []


@pytest.mark.parametrize("text", ["#0b6b4f", "#ff0000", "#808080", "#123456"])
def test_oklch_there_and_back_is_the_same_colour(text: str) -> None:
    colour = parse_colour(text)
    assert colour
    assert oklch(*to_oklch(colour)).hex == text


def test_a_colour_that_no_screen_shows_loses_chroma_and_keeps_its_lightness() -> None:
    vivid = oklch(0.6, 0.4, 150)
    lightness, chroma, _ = to_oklch(vivid)
    assert round(lightness, 2) == 0.6
    assert chroma < 0.25
    assert contrast(WHITE, vivid) > 3
