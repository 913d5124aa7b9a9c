"""`kameng module new`: what it writes is a whole package that passes its own tests, and it never overwrites."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest

from kameng.scaffold import InvalidModuleName, ModuleNames, ScaffoldError, TargetExists, new_module
from kameng.scaffold.naming import LONGEST

from .environment import CleanEnvironment

NOW = datetime(2026, 5, 6, 7, 8, 9, tzinfo=UTC)
LONG = "a" + "b" * (LONGEST - 4) + "-c2"


@pytest.mark.parametrize(
    "name",
    [
        "",
        "Acme",
        "acme_points",
        "acme points",
        "9acme",
        "-acme",
        "acme-",
        "a--b",
        "../acme",
        "积分",
        "acme-9",
        "acme\n",
    ],
)
def test_other_characters_are_refused(name: str, tmp_path: Path) -> None:
    with pytest.raises(InvalidModuleName, match="cannot be a module's name") as refused:
        new_module(name, tmp_path)
    assert refused.value.cure.startswith("Use lower-case letters and digits")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name", ["kameng", "auth", "all", "json", "class", "litestar", "tests"])
def test_names_that_mean_something_else_are_refused(name: str) -> None:
    with pytest.raises(InvalidModuleName, match="means something else already"):
        ModuleNames.of(name)


def test_too_long_a_name_is_refused() -> None:
    assert len(LONG) == LONGEST
    assert ModuleNames.of(LONG).name == LONG
    with pytest.raises(InvalidModuleName, match=f"has {LONGEST + 1} characters"):
        ModuleNames.of(LONG + "c")


def test_all_names_come_from_one() -> None:
    assert ModuleNames.of("acme-points2") == ModuleNames(
        name="acme-points2", package="acme_points2", prefix="AcmePoints2", title="Acme points2"
    )


@pytest.mark.parametrize("kind", ["folder", "file", "link"])
def test_nothing_is_overwritten(kind: str, tmp_path: Path) -> None:
    # Given something of that name
    target = tmp_path / "acme-points"
    if kind == "folder":
        target.mkdir()
    elif kind == "file":
        target.write_text("mine")
    else:
        target.symlink_to(tmp_path / "nowhere")
    # When a module is to be written there, then it is refused and nothing has changed
    with pytest.raises(TargetExists, match="is there already"):
        new_module("acme-points", tmp_path)
    assert list(tmp_path.rglob("*")) == [target]


def test_a_folder_that_cannot_be_made_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(ScaffoldError, match="cannot be made: Not a directory"):
        new_module("acme-points", tmp_path / "file")


def test_every_name_is_filled_in(tmp_path: Path) -> None:
    made = new_module("acme-points", tmp_path, NOW)
    files = {
        path.relative_to(made).as_posix(): path.read_text("utf-8")
        for path in made.rglob("*")
        if path.is_file()
    }
    assert {
        "pyproject.toml",
        "README.md",
        "acme_points/__init__.py",
        "acme_points/py.typed",
        "acme_points/migrations/acme_points_2026_05_06t07_08_00_000000.py",
        "acme_points/migrations/acme_points_2026_05_06t07_08_01_000000.py",
        "tests/test_entries.py",
    } <= files.keys()
    assert [name for name, text in files.items() if re.search(r"<<|>>|__package__|tmpl", name + text)] == []
    # The index that is declared is the one that is created.
    declared = re.search(r'"(create index [^"]+)"', files["acme_points/tables.py"])
    assert declared
    assert declared[1] in files["acme_points/migrations/acme_points_2026_05_06t07_08_01_000000.py"]


def test_the_longest_name_fits_tables_and_linting(tmp_path: Path) -> None:
    made = new_module(LONG, tmp_path, NOW)
    names = re.findall(
        rf"\b{LONG.replace('-', '_')}_\w+", (made / LONG.replace("-", "_") / "tables.py").read_text()
    )
    assert max(map(len, names)) <= 63
    _tool("ruff", "check", "--no-cache", ".", cwd=made)


@pytest.mark.slow
def test_the_scaffold_passes_its_own_tests_from_its_wheel(
    clean_environment: CleanEnvironment, tmp_path: Path
) -> None:
    # Given a new module, written by the command
    said = clean_environment.run(
        clean_environment.kameng, "module", "new", "acme-points", cwd=tmp_path
    ).stdout
    assert said.startswith("acme-points was made")
    made = tmp_path / "acme-points"
    # Then linter, formatter and strict type checker have nothing to say
    _tool("ruff", "check", "--no-cache", ".", cwd=made)
    _tool("ruff", "format", "--no-cache", "--check", ".", cwd=made)
    cache = str(tmp_path / "types")
    python = str(clean_environment.python)
    _tool("mypy", "--strict", "--python-executable", python, "--cache-dir", cache, cwd=made)
    # When its wheel is installed beside those of engine and modules
    clean_environment.install(*clean_environment.build(made))
    try:
        # Then its tests pass, without its sources at hand
        elsewhere = tmp_path / "elsewhere"
        shutil.copytree(made / "tests", elsewhere / "tests")
        shutil.copy(made / "pyproject.toml", elsewhere)
        ran = clean_environment.run(clean_environment.python, "-m", "pytest", "-q", cwd=elsewhere).stdout
        assert "6 passed" in ran
        # and it joins the schema of the shop beside all other modules
        schema = clean_environment.run(clean_environment.kameng, "schema", "shop", cwd=elsewhere).stdout
        assert "addAcmePointsEntry(input: AddAcmePointsEntryInput!): AddAcmePointsEntryPayload!" in schema
        assert "placeOrder(" in schema
    finally:
        clean_environment.uninstall("acme-points")


def _tool(*command: str, cwd: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", *command], cwd=cwd, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
