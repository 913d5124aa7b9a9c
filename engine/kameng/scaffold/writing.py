"""Writing a new module from the files in ``template/``.

A template is the file itself, with ``<<package>>`` and its like where a name stands (in paths ``__package__``), and ``.tmpl``
behind its name so that no tool takes it for code of ours.
"""

from __future__ import annotations

import re
import shutil
from datetime import UTC, datetime
from pathlib import Path

from kameng.scaffold.naming import ModuleNames, ScaffoldError
from kameng.version import VERSION

TEMPLATE = Path(__file__).parent / "template"
"""The folder of templates."""

_SUFFIX = ".tmpl"
_PLACE = re.compile(r"<<(\w+)>>")
_PATH_PLACE = re.compile(r"__(package|tables_file|indexes_file)__")


class TargetExists(ScaffoldError):
    """There is something already where the module would be written."""

    code = "SCAFFOLD_TARGET_EXISTS"


def new_module(name: str, folder: Path, now: datetime | None = None) -> Path:
    """Write a new module as an installable package.

    Args:
        name: lower-case words joined by hyphens, such as ``acme-points``.
        folder: where the package's folder, named like the module, is made.
        now: when; its migrations are named by it.

    Returns:
        the package's folder.

    Raises:
        InvalidModuleName: the name cannot be a module's.
        TargetExists: there is something of that name in the folder; nothing is overwritten.
        ScaffoldError: the folder cannot be written.
    """
    names = ModuleNames.of(name)
    target = folder / names.name
    if target.exists() or target.is_symlink():
        raise TargetExists(f"{target} is there already.", cure="Choose another name or --folder.")
    values = _values(names, now or datetime.now(UTC))
    try:
        target.mkdir(parents=True)
    except OSError as error:
        raise ScaffoldError(
            f"{target} cannot be made: {error.strerror}.", cure="Choose another --folder."
        ) from error
    try:
        for source in sorted(TEMPLATE.rglob(f"*{_SUFFIX}")):
            relative = source.relative_to(TEMPLATE).as_posix().removesuffix(_SUFFIX)
            path = target / _PATH_PLACE.sub(lambda place: values[place[1]], relative)
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(_fill(source.read_text("utf-8"), values), "utf-8")
    except OSError as error:
        shutil.rmtree(target, ignore_errors=True)  # half a package would only be in the way of the next try
        raise ScaffoldError(
            f"{target} cannot be written: {error.strerror}.", cure="Make room, and try again."
        ) from error
    return target


def _values(names: ModuleNames, now: datetime) -> dict[str, str]:
    major, minor = VERSION.split(".")[:2]
    day = f"{now:%Y_%m_%dt%H_%M}"
    iso = f"{now:%Y-%m-%dT%H:%M}"
    return {
        "name": names.name,
        "package": names.package,
        "prefix": names.prefix,
        "camel": names.prefix[0].lower() + names.prefix[1:],
        "title": names.title,
        "engine": f">={major}.{minor},<{major}.{int(minor) + 1}",
        # Two migrations, in this order: tables, then what only SQL can say.
        "tables_file": f"{names.package}_{day}_00_000000",
        "tables_id": f"{iso}:00:000000",
        "indexes_file": f"{names.package}_{day}_01_000000",
        "indexes_id": f"{iso}:01:000000",
    }


def _fill(text: str, values: dict[str, str]) -> str:
    return _PLACE.sub(lambda place: values[place[1]], text)
