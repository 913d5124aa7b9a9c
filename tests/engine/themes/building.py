"""Themes made on the fly, for tests of one thing each."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

LAYOUT = '<!doctype html><html lang="{{ locale }}"><title>{{ page.title }}</title>{% block main %}{% endblock %}</html>\n'


def write_theme(
    root: Path,
    name: str,
    manifest: Mapping[str, Any] | None = None,
    files: Mapping[str, str | bytes] | None = None,
) -> Path:
    """Write a theme folder.

    Args:
        root: where it is made.
        name: the theme's.
        manifest: keys of ``theme.json``, beside its name.
        files: texts by path from the theme's folder.
    """
    folder = root / name
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "theme.json").write_text(
        json.dumps({"name": name, "version": "1.0", **(manifest or {})}, indent=1), "utf-8"
    )
    for path, text in (files or {}).items():
        file = folder / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(text if isinstance(text, bytes) else text.encode())
    return folder


def one_page(template: str, **more: Any) -> tuple[dict[str, Any], dict[str, str]]:
    """Manifest and files of a theme with one page, ``/``, of this template and no document."""
    manifest = {"pages": {"home": {"path": "/", "template": "templates/home.html"}}, **more}
    return manifest, {"templates/home.html": template}
