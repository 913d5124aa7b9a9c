"""A new theme: a child of an installed one, as a package that can be built into a wheel."""

from __future__ import annotations

import json
from pathlib import Path

from kameng.themes.discovery import ENTRY_POINT_GROUP, Installed, Layer
from kameng.themes.errors import ThemeError
from kameng.themes.manifest import FILE_NAME
from kameng.themes.merging import THEME_NAME, merge
from kameng.themes.tokens import Tokens
from kameng.version import VERSION

_PYPROJECT = """\
[build-system]
requires = ["hatchling"]
build-backend = "hatchling.build"

[project]
name = "kameng-theme-{name}"
version = "0.1.0"
description = "The theme {name}, a child of {parent}."
readme = "README.md"
requires-python = ">=3.11"
dependencies = ["kameng{engine}"]

[project.entry-points."{group}"]
{name} = "{package}"

[tool.hatch.build.targets.wheel]
packages = ["{package}"]
"""

_README = """\
# {name}

A theme for Kameng, laid over `{parent}`. Whatever is not in this folder is the parent's.

- `{package}/theme.json`: write the tokens, settings, pages and forms that differ.
- `{package}/templates/`: a template of the same path stands in for the parent's; it may extend it:
  `{{% extends "@parent/{example}" %}}`.
- `{package}/assets/`: a file of the same path stands in for the parent's, such as a logo.
- `{package}/locale/zh_CN/LC_MESSAGES/messages.po`: translations of messages that are new here.

Try it: install it (`pip install -e .`), set `{kind} = "{name}"` in the section `[themes]` of `kameng.toml`, run
`kameng theme check {name}`.

## Tokens of {parent}

| token | type | light | dark |
|---|---|---|---|
{tokens}

## Templates of {parent}

{templates}
"""

_CATALOGUE = """\
msgid ""
msgstr ""
"Project-Id-Version: {name}\\n"
"Language: zh_CN\\n"
"MIME-Version: 1.0\\n"
"Content-Type: text/plain; charset=utf-8\\n"
"Content-Transfer-Encoding: 8bit\\n"
"Plural-Forms: nplurals=1; plural=0;\\n"
"""


def new_theme(
    name: str, folder: Path, parent: str = "storefront", installed: Installed | None = None
) -> Path:
    """Write a new child theme.

    Args:
        name: lower-case letters, digits and hyphens.
        folder: where the package's folder, ``kameng-theme-<name>``, is made.
        parent: the theme that it is laid over.
        installed: where the parent is found; None: among the installed packages.

    Returns:
        the package's folder.

    Raises:
        ThemeNotFound: the parent is not installed.
        ThemeError: the name cannot be a theme's, or the folder is there already.
    """
    if not THEME_NAME.fullmatch(name) or name == parent:
        raise ThemeError(
            f"{name[:60]!r} cannot be the new theme's name.",
            cure="Use lower-case letters, digits and hyphens, and another name than the parent's.",
        )
    layers = (installed or Installed()).chain(parent)
    target = folder / f"kameng-theme-{name}"
    if target.exists():
        raise ThemeError(f"{target} is there already.", cure="Choose another name or folder.")
    package = f"kameng_theme_{name.replace('-', '_')}"
    root = target / package
    (root / "templates").mkdir(parents=True)
    (root / "assets").mkdir()
    catalogue = root / "locale" / "zh_CN" / "LC_MESSAGES" / "messages.po"
    catalogue.parent.mkdir(parents=True)
    templates = _templates(layers)
    major, minor = VERSION.split(".")[:2]
    engine = f">={major}.{minor},<{major}.{int(minor) + 1}"
    names = {"name": name, "parent": parent, "package": package, "engine": engine, "group": ENTRY_POINT_GROUP}
    manifest = {
        "name": name,
        "version": "0.1.0",
        "engine": engine,
        "parent": parent,
        "title": name.replace("-", " ").capitalize(),
        "tokens": {},
    }
    (root / "__init__.py").write_text(f'"""The theme {name}: templates and assets, no code."""\n', "utf-8")
    (root / FILE_NAME).write_text(json.dumps(manifest, indent=2, ensure_ascii=False) + "\n", "utf-8")
    catalogue.write_text(_CATALOGUE.format(**names), "utf-8")
    # Empty folders would be lost on the way through a repository.
    for empty in ("templates", "assets"):
        (root / empty / ".gitkeep").write_text("", "utf-8")
    (target / "pyproject.toml").write_text(_PYPROJECT.format(**names), "utf-8")
    (target / "README.md").write_text(
        _README.format(
            **names,
            kind=merge(layers).kind,
            example=templates[0] if templates else "layout.html",
            tokens="\n".join(_token_rows(layers)),
            templates="\n".join(f"- `{path}`" for path in templates),
        ),
        "utf-8",
    )
    return target


def _templates(layers: tuple[Layer, ...]) -> list[str]:
    found = {
        file.relative_to(layer.folder / "templates").as_posix()
        for layer in layers
        for file in (layer.folder / "templates").rglob("*.html")
    }
    return sorted(found)


def _token_rows(layers: tuple[Layer, ...]) -> list[str]:
    return [
        f"| `{token.name}` | {token.type} | `{token.light or '{' + str(token.alias) + '}'}` | `{token.dark}` |"
        for token in Tokens(layers)
    ]
