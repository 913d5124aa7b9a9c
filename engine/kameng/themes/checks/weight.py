"""Checks of assets: what nobody uses, and what is too heavy for a phone."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from kameng.themes.assets import FOLDER, Asset
from kameng.themes.checks.templates import TemplateText
from kameng.themes.finding import Finding, advice, warning
from kameng.themes.loaded import LoadedTheme
from kameng.themes.manifest import FILE_NAME

BUDGETS = {"storefront": 60_000, "admin": 120_000}
"""Bytes of styles and scripts that a theme of a kind may transfer in all, compressed."""

PICTURE_BYTES = 200_000
FONT_BYTES = 150_000
_ASKED_BY_BROWSERS = frozenset(("favicon.ico", "apple-touch-icon.png", "site.webmanifest", "robots.txt"))


def weight_findings(theme: LoadedTheme, templates: Sequence[TemplateText]) -> Iterator[Finding]:
    """Orphans and heavy files among a theme's own assets."""
    layer = theme.merged.layers[0]
    named = {name for text in templates for function, name, _ in text.calls if function == "asset"}
    named |= {token.light for token in theme.tokens if token.type == "asset"}
    named |= theme.assets.referenced
    for path, asset in sorted(theme.assets.by_path.items()):
        if not (layer.folder / FOLDER / path).is_file():
            continue
        shown = layer.shown(f"{FOLDER}/{path}")
        if path not in named and path not in _ASKED_BY_BROWSERS:
            yield advice(
                shown, 0, "No template, style or script names this asset by a constant.", "Delete it?"
            )
        kind = asset.media_type.partition("/")[0]
        if kind == "image" and len(asset.body) > PICTURE_BYTES:
            yield warning(
                shown, 0, f"The picture has {len(asset.body):,} bytes.", f"Keep below {PICTURE_BYTES:,}."
            )
        if kind == "font" and len(asset.body) > FONT_BYTES:
            yield warning(
                shown, 0, f"The font has {len(asset.body):,} bytes.", f"Keep below {FONT_BYTES:,}: subset it."
            )
    total = sum(_transferred(asset) for asset in theme.assets.by_path.values() if _is_code(asset))
    budget = BUDGETS[theme.merged.kind]
    if total > budget:
        message = f"Styles and scripts come to {total:,} bytes compressed."
        yield warning(layer.shown(FILE_NAME), 0, message, f"Keep below {budget:,}.")


def _is_code(asset: Asset) -> bool:
    return asset.media_type.startswith(("text/css", "text/javascript"))


def _transferred(asset: Asset) -> int:
    return len(asset.compressed or asset.body)
