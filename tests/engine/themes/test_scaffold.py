"""A new theme is one that can be used at once."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest

from kameng.themes import ENTRY_POINT_GROUP, Installed, ThemeError, ThemeNotFound, check_theme, new_theme
from tests.engine.themes import shop
from tests.engine.themes.conftest import OpenShop

INSTALLED = Installed([shop.FIXTURES], points=[])


async def test_it_passes_its_own_check_and_shows_its_parents_pages(
    open_shop: OpenShop, tmp_path: Path
) -> None:
    folder = new_theme("night-owl", tmp_path, "shop", INSTALLED)

    root = folder / "kameng_theme_night_owl"
    config = shop.settings(shop.FIXTURES, root, storefront="night-owl")
    assert check_theme(root, shop.kernel(config=config)) == []
    assert "<h1>Welcome</h1>" in (await open_shop(shop.kernel(config=config)).get("/")).text


def test_it_is_a_package_with_an_entry_point(tmp_path: Path) -> None:
    folder = new_theme("night-owl", tmp_path, "shop", INSTALLED)

    project = tomllib.loads((folder / "pyproject.toml").read_text())["project"]
    assert project["name"] == "kameng-theme-night-owl"
    assert project["entry-points"][ENTRY_POINT_GROUP] == {"night-owl": "kameng_theme_night_owl"}
    readme = (folder / "README.md").read_text()
    assert "| `color-brand` | color | `#005f3c` | `oklch(0.8 0.15 160)` |" in readme
    assert "- `product.html`" in readme


def test_a_parent_that_is_not_installed_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ThemeNotFound, match="no theme named 'stroefront'"):
        new_theme("owl", tmp_path, "stroefront", INSTALLED)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name", ["Owl", "../owl", "owl_1", "", "shop", "a::b"])
def test_a_name_that_cannot_be_a_themes_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(ThemeError, match="cannot be the new theme's name"):
        new_theme(name, tmp_path, "shop", INSTALLED)


def test_what_is_there_already_is_left_alone(tmp_path: Path) -> None:
    new_theme("owl", tmp_path, "shop", INSTALLED)

    with pytest.raises(ThemeError, match="is there already"):
        new_theme("owl", tmp_path, "shop", INSTALLED)
