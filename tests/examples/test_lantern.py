"""A reseller's theme, installed from its wheel: it is found, nothing is wrong with it, and its own tests pass."""

from __future__ import annotations

import shutil
import zipfile
from pathlib import Path

import pytest

from .environment import ROOT, CleanEnvironment

PACKAGE = ROOT / "examples" / "kameng-theme-lantern"


@pytest.fixture(scope="module")
def environment(clean_environment: CleanEnvironment) -> CleanEnvironment:
    """The clean environment, with the theme installed from its wheel."""
    [wheel] = clean_environment.build(PACKAGE)
    # Templates, assets and translations are in it, not code alone.
    names = zipfile.ZipFile(wheel).namelist()
    for file in (
        "theme.json",
        "templates/home.html",
        "assets/img/lantern.svg",
        "locale/zh_CN/LC_MESSAGES/messages.po",
    ):
        assert f"kameng_theme_lantern/{file}" in names
    clean_environment.install(wheel)
    return clean_environment


def test_it_is_found_by_its_name_and_has_no_errors(environment: CleanEnvironment, tmp_path: Path) -> None:
    said = environment.run(environment.kameng, "theme", "check", "lantern", cwd=tmp_path).stdout
    assert "of level error" not in said
    assert "of level warning" not in said


@pytest.mark.slow
def test_its_own_tests_pass(environment: CleanEnvironment, tmp_path: Path) -> None:
    # Given its tests without its sources
    shutil.copytree(PACKAGE / "tests", tmp_path / "tests", ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(PACKAGE / "pyproject.toml", tmp_path)
    # When they run, then they pass
    environment.run(environment.python, "-m", "pytest", "-q", cwd=tmp_path)
