"""Colours: reading the CSS notations that tokens may use, and the contrast of two of them.

Contrast is that of WCAG 2.2 (https://www.w3.org/TR/WCAG22/#dfn-contrast-ratio); OKLCH is converted as CSS Color 4 has it
(https://www.w3.org/TR/css-color-4/#color-conversion-code).
"""

from __future__ import annotations

import colorsys
import math
import re
from dataclasses import dataclass

_NUMBER = r"[+-]?(?:[0-9]{1,6}(?:\.[0-9]{1,8})?|\.[0-9]{1,8})"
_ALPHA = rf"(?:\s*[/,]\s*(?P<alpha>{_NUMBER}%?))?"
_GAP = r"\s*[\s,]\s*"
_HEX = re.compile(r"#(?:[0-9a-f]{3,4}|[0-9a-f]{6}|[0-9a-f]{8})", re.IGNORECASE)
_RGB = re.compile(
    rf"rgba?\(\s*(?P<r>{_NUMBER}%?){_GAP}(?P<g>{_NUMBER}%?){_GAP}(?P<b>{_NUMBER}%?){_ALPHA}\s*\)"
)
_HSL = re.compile(
    rf"hsla?\(\s*(?P<h>{_NUMBER})(?:deg)?{_GAP}(?P<s>{_NUMBER})%{_GAP}(?P<l>{_NUMBER})%{_ALPHA}\s*\)"
)
_OKLCH = re.compile(
    rf"oklch\(\s*(?P<l>{_NUMBER}%?)\s+(?P<c>{_NUMBER})\s+(?P<h>{_NUMBER})(?:deg)?{_ALPHA}\s*\)"
)
_NAMED = {"white": "#ffffff", "black": "#000000", "transparent": "#00000000"}


@dataclass(frozen=True, slots=True)
class Colour:
    """A colour in sRGB.

    Attributes:
        red, green, blue, alpha: from 0 to 1.
    """

    red: float
    green: float
    blue: float
    alpha: float = 1.0

    def over(self, ground: Colour) -> Colour:
        """What is seen where this colour lies on an opaque one."""
        mix = [
            self.alpha * mine + (1 - self.alpha) * below
            for mine, below in zip(
                (self.red, self.green, self.blue), (ground.red, ground.green, ground.blue), strict=True
            )
        ]
        return Colour(*mix)

    @property
    def luminance(self) -> float:
        """Relative luminance, 0 for black to 1 for white."""
        red, green, blue = (
            part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4
            for part in (self.red, self.green, self.blue)
        )
        return 0.2126 * red + 0.7152 * green + 0.0722 * blue

    @property
    def hex(self) -> str:
        """The opaque colour in hexadecimal, such as ``#0b6b4f``."""
        return "#" + "".join(f"{round(part * 255):02x}" for part in (self.red, self.green, self.blue))


WHITE = Colour(1, 1, 1)
BLACK = Colour(0, 0, 0)


def contrast(text: Colour, ground: Colour, beneath: Colour = WHITE) -> float:
    """The contrast ratio of a text on a ground, 1 to 21.

    Args:
        text, ground: may let through what is below them.
        beneath: what is below the ground.
    """
    ground = ground.over(beneath)
    lights = sorted((text.over(ground).luminance, ground.luminance))
    return (lights[1] + 0.05) / (lights[0] + 0.05)


def parse_colour(text: str) -> Colour | None:
    """The colour that a text names in hexadecimal, ``rgb()``, ``hsl()`` or ``oklch()``; None where it names none."""
    text = _NAMED.get(text.strip(), text.strip())
    if _HEX.fullmatch(text):
        return _from_hex(text[1:])
    if found := _RGB.fullmatch(text):
        red, green, blue = (_clipped(_share(found[part], 255)) for part in "rgb")
        return Colour(red, green, blue, _alpha(found["alpha"]))
    if found := _HSL.fullmatch(text):
        hue, saturation, lightness = (
            float(found["h"]) % 360 / 360,
            float(found["s"]) / 100,
            float(found["l"]) / 100,
        )
        red, green, blue = colorsys.hls_to_rgb(hue, _clipped(lightness), _clipped(saturation))
        return Colour(red, green, blue, _alpha(found["alpha"]))
    if found := _OKLCH.fullmatch(text):
        return _from_oklch(
            _share(found["l"], 1), float(found["c"]), math.radians(float(found["h"])), _alpha(found["alpha"])
        )
    return None


def oklch(lightness: float, chroma: float, hue: float) -> Colour:
    """A colour by its OKLCH coordinates, with as little less chroma as puts it into sRGB.

    Args:
        lightness: from 0 to 1.
        chroma: about 0 to 0.4.
        hue: in degrees.
    """
    angle = math.radians(hue)
    low, high = 0.0, chroma
    if _in_gamut(lightness, high, angle):
        return _from_oklch(lightness, high, angle, 1.0)
    for _ in range(20):
        middle = (low + high) / 2
        low, high = (middle, high) if _in_gamut(lightness, middle, angle) else (low, middle)
    return _from_oklch(lightness, low, angle, 1.0)


def to_oklch(colour: Colour) -> tuple[float, float, float]:
    """Lightness (0 to 1), chroma and hue (degrees) of a colour; its alpha does not count."""
    red, green, blue = (
        part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4
        for part in (colour.red, colour.green, colour.blue)
    )
    long = math.cbrt(0.4122214708 * red + 0.5363325363 * green + 0.0514459929 * blue)
    middle = math.cbrt(0.2119034982 * red + 0.6806995451 * green + 0.1073969566 * blue)
    short = math.cbrt(0.0883024619 * red + 0.2817188376 * green + 0.6299787005 * blue)
    lightness = 0.2104542553 * long + 0.7936177850 * middle - 0.0040720468 * short
    a = 1.9779984951 * long - 2.4285922050 * middle + 0.4505937099 * short
    b = 0.0259040371 * long + 0.7827717662 * middle - 0.8086757660 * short
    return lightness, math.hypot(a, b), math.degrees(math.atan2(b, a)) % 360


def _in_gamut(lightness: float, chroma: float, hue: float) -> bool:
    return all(-1e-4 <= part <= 1 + 1e-4 for part in _linear(lightness, chroma, hue))


def _clipped(value: float) -> float:
    return min(1.0, max(0.0, value))


def _share(text: str, whole: float) -> float:
    return float(text[:-1]) / 100 if text.endswith("%") else float(text) / whole


def _alpha(text: str | None) -> float:
    return 1.0 if text is None else _clipped(_share(text, 1))


def _from_hex(digits: str) -> Colour:
    if len(digits) < 6:
        digits = "".join(digit * 2 for digit in digits)
    return Colour(*(int(digits[start : start + 2], 16) / 255 for start in range(0, len(digits), 2)))


def _linear(lightness: float, chroma: float, hue: float) -> tuple[float, float, float]:
    """Linear sRGB, which may lie outside of what screens show; the hue in radians."""
    a, b = chroma * math.cos(hue), chroma * math.sin(hue)
    long = (lightness + 0.3963377774 * a + 0.2158037573 * b) ** 3
    middle = (lightness - 0.1055613458 * a - 0.0638541728 * b) ** 3
    short = (lightness - 0.0894841775 * a - 1.2914855480 * b) ** 3
    return (
        4.0767416621 * long - 3.3077115913 * middle + 0.2309699292 * short,
        -1.2684380046 * long + 2.6097574011 * middle - 0.3413193965 * short,
        -0.0041960863 * long - 0.7034186147 * middle + 1.7076147010 * short,
    )


def _from_oklch(lightness: float, chroma: float, hue: float, alpha: float) -> Colour:
    red, green, blue = (
        12.92 * part if part <= 0.0031308 else 1.055 * part ** (1 / 2.4) - 0.055
        for part in _linear(lightness, chroma, hue)
    )
    return Colour(_clipped(red), _clipped(green), _clipped(blue), alpha)
