"""`kameng theme`: new themes, and what is wrong with one."""

from __future__ import annotations

import json
from pathlib import Path

from .conftest import Command


async def test_a_new_theme_is_sound(command: Command, tmp_path: Path) -> None:
    ended = await command("theme", "new", "harbour")
    assert ended.status == 0
    assert ended.output.startswith("kameng-theme-harbour was made: a theme laid over storefront.\n")
    # Given as the package's folder, then nothing keeps it from being used
    ended = await command("theme", "check", "kameng-theme-harbour")
    assert (ended.status, "error" in ended.output) == (0, False)
    # When it is there already, then it is kept
    ended = await command("theme", "new", "harbour")
    assert (ended.status, ended.errors.splitlines()[0]) == (
        1,
        "Error: kameng-theme-harbour is there already.",
    )


async def test_a_broken_theme_is_told_with_places(command: Command, tmp_path: Path) -> None:
    # Given a theme whose page has no template
    assert (await command("theme", "new", "harbour")).status == 0
    manifest = tmp_path / "kameng-theme-harbour" / "kameng_theme_harbour" / "theme.json"
    broken = json.loads(manifest.read_text("utf-8"))
    broken["pages"] = {"quay": {"path": "/quay", "template": "templates/quay.html", "title": "Quay"}}
    manifest.write_text(json.dumps(broken, indent=2))
    # When it is checked, then the place is named, and the exit code tells
    ended = await command("theme", "check", manifest.parent)
    assert ended.status == 1
    line = next(line for line in ended.output.splitlines() if line.startswith("error"))
    assert line.startswith("error  harbour/theme.json:")
    assert "quay" in line
    assert "of level error" in ended.output.splitlines()[-1]


async def test_a_theme_that_nobody_has_is_an_error(command: Command) -> None:
    ended = await command("theme", "check", "nowhere")
    assert ended.status == 1
    assert ended.output.startswith("error  nowhere/theme.json: ")
    ended = await command("theme", "new", "harbour", "--parent", "nowhere")
    assert ended.status == 1
    assert ended.errors.startswith("Error: ")
