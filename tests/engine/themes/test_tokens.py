"""Design tokens: their types, what is refused, how they lie over each other, and their contrast."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from kameng.themes import Installed
from kameng.themes.colours import BLACK, WHITE, contrast, parse_colour
from kameng.themes.token_values import TYPES
from kameng.themes.tokens import Tokens
from tests.engine.themes import shop
from tests.engine.themes.building import write_theme

INJECTIONS = [
    "red;}body{display:none}",
    "#fff}</style><script>alert(1)</script>",
    "url(https://evil.test/x)",
    "expression(alert(1))",
    "var(--x)",
    "#fff/**/;",
    "rgb(0 0 0) url(x)",
    "\\75rl(x)",
    "1px;color:red",
    "@import 'x'",
    "",
    "#12",
    "#ggg",
    "rgb(1,2)",
    "1" * 400,
    "#fff\n}",
    '"',
    None,
    True,
    [],
    {},
    ["a;b"],
    ['x"y'],
]


@pytest.mark.parametrize("kind", sorted(TYPES))
@pytest.mark.parametrize("value", INJECTIONS, ids=lambda value: repr(value)[:24])
def test_what_is_not_of_its_type_is_refused(kind: str, value: Any) -> None:
    assert TYPES[kind][0](value) is None


@pytest.mark.parametrize(
    ("kind", "value", "written"),
    [
        ("color", "#0a7", "#0a7"),
        ("color", "#11223344", "#11223344"),
        ("color", " rgb(0 128 255 / 50%) ", "rgb(0 128 255 / 50%)"),
        ("color", "rgba(0, 128, 255, 0.5)", "rgba(0, 128, 255, 0.5)"),
        ("color", "hsl(160deg 80% 30%)", "hsl(160deg 80% 30%)"),
        ("color", "oklch(0.6 0.15 160)", "oklch(0.6 0.15 160)"),
        ("color", "transparent", "transparent"),
        ("length", 0, "0"),
        ("length", "1.5rem", "1.5rem"),
        ("length", "clamp(1rem, 1rem + 2vw, 3rem)", "clamp(1rem, 1rem + 2vw, 3rem)"),
        ("number", 1.25, "1.25"),
        ("duration", "150ms", "150ms"),
        ("easing", "cubic-bezier(0.2, 0, 0, 1)", "cubic-bezier(0.2, 0, 0, 1)"),
        ("font", "Inter, 'Noto Sans SC', sans-serif", '"Inter", "Noto Sans SC", sans-serif'),
        ("font", ["思源黑体", "system-ui"], '"思源黑体", system-ui'),
        ("weight", 650, "650"),
        (
            "shadow",
            "0 1px 2px rgb(0 0 0 / 0.2), inset 0 0 0 1px #000",
            "0 1px 2px rgb(0 0 0 / 0.2), inset 0 0 0 1px #000",
        ),
        ("shadow", "none", "none"),
        ("asset", "img/logo.svg", "img/logo.svg"),
    ],
)
def test_what_is_of_its_type_is_written(kind: str, value: Any, written: str) -> None:
    assert TYPES[kind][0](value) == written


@pytest.mark.parametrize("path", ["../secret.svg", "/etc/passwd", "a/../../b", 'x")}', "a b.svg", ".hidden"])
def test_an_asset_token_stays_among_the_assets(path: str) -> None:
    assert TYPES["asset"][0](path) is None


class TestColours:
    """Reading colours, and their contrast as WCAG has it."""

    @pytest.mark.parametrize(
        ("text", "expected"),
        [
            ("#fff", (1, 1, 1, 1)),
            ("#FF000080", (1, 0, 0, 0.502)),
            ("rgb(100% 0% 0%)", (1, 0, 0, 1)),
            ("rgb(255, 0, 51)", (1, 0, 0.2, 1)),
            ("hsl(120 100% 25%)", (0, 0.5, 0, 1)),
            ("oklch(1 0 0)", (1, 1, 1, 1)),
            ("oklch(0.628 0.2577 29.23)", (1, 0, 0, 1)),
        ],
    )
    def test_notations(self, text: str, expected: tuple[float, ...]) -> None:
        colour = parse_colour(text)

        assert colour is not None
        assert (colour.red, colour.green, colour.blue, colour.alpha) == pytest.approx(expected, abs=0.002)

    def test_contrast_of_known_pairs(self) -> None:
        grey, blue = parse_colour("#767676"), parse_colour("#0000ff")

        assert grey is not None
        assert blue is not None
        assert contrast(BLACK, WHITE) == pytest.approx(21)
        assert contrast(grey, WHITE) == pytest.approx(4.54, abs=0.005)
        assert contrast(blue, WHITE) == pytest.approx(8.59, abs=0.005)
        assert contrast(WHITE, WHITE) == pytest.approx(1)

    def test_what_shines_through_counts(self) -> None:
        half = parse_colour("#00000080")

        assert half is not None
        assert contrast(half, WHITE) == pytest.approx(4.0, abs=0.1)
        assert contrast(WHITE, half, BLACK) == pytest.approx(21)


def tokens_of(
    tmp_path: Path, own: dict[str, Any], parent: dict[str, Any] | None = None, **more: Any
) -> Tokens:
    """The tokens of a theme with a parent."""
    write_theme(tmp_path, "one", {"tokens": parent or {}})
    write_theme(tmp_path, "two", {"parent": "one", "tokens": own, **more})
    return Tokens(Installed([tmp_path], points=[]).chain("two"))


def test_a_refused_value_is_told_with_file_and_line_and_never_written(tmp_path: Path) -> None:
    tokens = tokens_of(tmp_path, {"brand": "red;}x{"}, {"brand": {"type": "color", "value": "#000"}})

    assert [str(item) for item in tokens.findings] == [
        "two/theme.json:6: error: The token brand is 'red;}x{'. Give it a colour such as #0a7 or oklch(0.6 0.15 160)."
    ]
    assert "red" not in tokens.css(str)


@pytest.mark.parametrize(
    ("own", "message"),
    [
        ({"Brand Colour": "#000"}, "is no name of a token"),
        ({"a;b": {"type": "color", "value": "#000"}}, "is no name of a token"),
        ({"x": {"value": "#000"}}, "The token x has no known type."),
        ({"x": {"type": "colour", "value": "#000"}}, "The token x has no known type."),
        ({"x": {"type": "color"}}, "The token x has no value."),
        ({"x": {"type": "color", "value": "#000", "important": True}}, "unknown keys: important"),
        ({"brand": {"type": "length", "value": "1px"}}, "The token brand is a color in the parent theme."),
        ({"x": {"type": "color", "value": "{nothing}"}}, "which leads to no color"),
        ({"x": {"type": "length", "value": "{brand}"}}, "which leads to no length"),
        (
            {"x": {"type": "color", "value": "{y}"}, "y": {"type": "color", "value": "{x}"}},
            "which leads to no color",
        ),
    ],
)
def test_each_fault_has_its_message(tmp_path: Path, own: dict[str, Any], message: str) -> None:
    tokens = tokens_of(tmp_path, own, {"brand": {"type": "color", "value": "#000"}})

    assert message in tokens.findings[0].message


def test_values_of_a_site_go_over_those_of_the_theme_by_the_same_rules() -> None:
    layers = Installed([shop.FIXTURES], points=[]).chain("shop")

    good = Tokens(layers, {"color-brand": {"light": "#123456"}, "radius": "0"})
    bad = Tokens(layers, {"color-brand": "#12}", "nothing": "1px"})

    assert not good.findings
    assert (good["color-brand"].light, good["color-brand"].dark) == ("#123456", "oklch(0.8 0.15 160)")
    assert good["radius"].light == "0"
    assert {item.message for item in bad.findings} >= {
        "There is no token 'nothing'.",
        "The token color-brand is '#12}'.",
    }


def test_a_pair_is_measured_in_both_schemes_and_through_aliases(tmp_path: Path) -> None:
    parent = {
        "ink": {"type": "color", "light": "#000000", "dark": "#ffffff"},
        "paper": {"type": "color", "light": "#ffffff", "dark": "#000000"},
        "link": {"type": "color", "value": "{ink}"},
    }
    tokens = tokens_of(
        tmp_path,
        {"ink": {"light": "#999999"}},
        parent,
        contrast=[{"text": "link", "on": "paper"}, {"text": "paper", "on": "ink", "ratio": 2}],
    )

    assert [(item.file, item.message) for item in tokens.contrast_findings()] == [
        ("two/theme.json", "--link on --paper has a contrast of 2.85 in the light scheme.")
    ]


def test_a_pair_of_what_is_no_colour_is_an_error(tmp_path: Path) -> None:
    tokens = tokens_of(tmp_path, {}, {}, contrast=[{"text": "a", "on": "b"}, {"text": 1}])

    assert [item.message for item in tokens.findings] == [
        "The pair of a and b needs a colour 'a'.",
        "{'text': 1} is no pair.",
    ]
