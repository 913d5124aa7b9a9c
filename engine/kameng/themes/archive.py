"""Themes that arrive as a ZIP file from somebody else: unpacked with care, checked, and kept among those that are confined."""

from __future__ import annotations

import asyncio
import shutil
import stat
import tempfile
import zipfile
from collections.abc import Mapping
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

import orjson
from jinja2 import TemplateError, TemplateSyntaxError

from kameng.themes.confined import confined
from kameng.themes.confinement import confinement_findings
from kameng.themes.discovery import Installed, read_layer
from kameng.themes.environment import FOLDER, SEPARATOR
from kameng.themes.errors import ThemeError, ThemeFaulty
from kameng.themes.finding import Finding, error, errors_in
from kameng.themes.loaded import LoadedTheme, build_theme
from kameng.themes.manifest import FILE_NAME
from kameng.themes.merging import THEME_NAME
from kameng.themes.themes import theme_folders, time_zone, uploaded_folder

if TYPE_CHECKING:
    from kameng.kernel import Kernel

MOST_FILES = 500
MOST_BYTES = 20_000_000
"""Of all files together, unpacked."""

MOST_OF_A_FILE = 5_000_000
MOST_RATIO = 100
"""How much larger a file may be than it is packed."""

SUFFIXES = frozenset(
    (".json", ".html", ".graphql", ".po", ".css", ".png", ".jpg", ".jpeg", ".webp", ".avif", ".gif", ".woff", ".woff2")
)  # fmt: skip
"""What a theme of somebody else's may consist of."""


class ArchiveRefused(ThemeError):
    """A ZIP file is none that a theme could be in."""

    code = "THEME_ARCHIVE_REFUSED"


def read_archive(file: Path) -> dict[str, bytes]:
    """The files of a theme's archive by their paths in the theme.

    A folder around everything is taken off. Nothing is written; sizes are counted as they are read, whatever the archive says.

    Raises:
        ArchiveRefused: it is no ZIP file, or breaks a rule.
    """
    try:
        with zipfile.ZipFile(file) as archive:
            members = [member for member in archive.infolist() if not member.is_dir()]
            if len(members) > MOST_FILES:
                raise _refused(f"it has {len(members)} files; {MOST_FILES} are taken.")
            found: dict[str, bytes] = {}
            left = MOST_BYTES
            for member in members:
                path = _path_of(member)
                if path in found:
                    raise _refused(f"{path} is in it twice.")
                found[path] = _content(archive, member, min(left, MOST_OF_A_FILE))
                left -= len(found[path])
    except (
        zipfile.BadZipFile,
        zipfile.LargeZipFile,
        NotImplementedError,
        RuntimeError,
        EOFError,
        OSError,
    ) as fault:
        raise _refused(f"it cannot be read: {fault}.") from fault
    return _without_folder(found)


def _path_of(member: zipfile.ZipInfo) -> str:
    name, shown = member.filename, ascii(member.filename[:80])
    kind = stat.S_IFMT(member.external_attr >> 16)
    if kind not in (0, stat.S_IFREG):
        raise _refused(f"{shown} is no plain file.")
    if member.flag_bits & 1:
        raise _refused(f"{shown} is encrypted.")
    path = PurePosixPath(name)
    parts = name.split("/")
    if "\\" in name or ":" in name or not name.isprintable() or path.is_absolute():
        raise _refused(f"{shown} is no name of a file.")
    if len(name) > 200 or any(part in ("", ".", "..") or part.startswith(".") for part in parts):
        raise _refused(f"{shown} is no name of a file.")
    if path.suffix.lower() not in SUFFIXES:
        raise _refused(f"{shown} is of a kind that a theme does not have.")
    return name


def _content(archive: zipfile.ZipFile, member: zipfile.ZipInfo, most: int) -> bytes:
    with archive.open(member) as opened:
        content = opened.read(most + 1)
    if len(content) > most:
        raise _refused(f"it holds more than {MOST_BYTES:,} bytes, or a file of more than {MOST_OF_A_FILE:,}.")
    if len(content) > MOST_RATIO * max(member.compress_size, 1_000):
        raise _refused(f"{member.filename[:80]!a} is packed more than {MOST_RATIO} times.")
    return content


def _without_folder(found: Mapping[str, bytes]) -> dict[str, bytes]:
    tops = {path.split("/")[0] for path in found}
    if FILE_NAME not in found and len(tops) == 1:
        cut = len(next(iter(tops))) + 1
        found = {path[cut:]: content for path, content in found.items()}
    if FILE_NAME not in found:
        raise _refused(f"there is no {FILE_NAME} in it.")
    return dict(found)


def _refused(why: str) -> ArchiveRefused:
    return ArchiveRefused(
        f"The archive is refused: {why}", cure="Pack the theme's folder, and nothing else, as ZIP."
    )


def install_archive(kernel: Kernel, file: Path) -> tuple[str, list[Finding]]:
    """Check a theme in a ZIP file and keep it; one of the name that arrived so before is replaced.

    Args:
        kernel: composed; it need not run.
        file: the archive.

    Returns:
        The theme's name, and what is not quite right with it.

    Raises:
        ArchiveRefused: the archive breaks a rule.
        ThemeError: the theme does, or has errors; all of them are told.
    """
    files = read_archive(file)
    store = uploaded_folder(kernel)
    store.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".new-", dir=store) as room:
        folder = Path(room) / "theme"
        for path, content in files.items():
            target = folder / path
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(content)
        name, findings = _checked(kernel, folder, store)
        home = store / name
        if home.exists():
            home.rename(Path(room) / "old")
        folder.rename(home)
    return name, findings


def _checked(kernel: Kernel, folder: Path, store: Path) -> tuple[str, list[Finding]]:
    layer = read_layer(folder)
    if not THEME_NAME.fullmatch(layer.name):
        raise ArchiveRefused(
            f"{layer.name[:60]!r} cannot be a theme's name.",
            cure="Use lower-case letters, digits and hyphens.",
        )
    known = Installed(theme_folders(kernel))
    if layer.name in known.names() and not known.layer(layer.name).folder.is_relative_to(store):
        raise ArchiveRefused(
            f"There is a theme {layer.name!r}, which did not come from an archive.", cure="Rename this one."
        )
    theme, findings = build_theme(
        known.chain(layer), kernel.schemas, kernel.modules, time_zone(kernel.settings), confined=True
    )
    findings += confinement_findings(theme)
    if faults := errors_in(findings) or errors_in(asyncio.run(_compiled(theme))):
        raise ThemeFaulty(layer.name, faults)
    return layer.name, findings


async def _compiled(theme: LoadedTheme) -> list[Finding]:
    """What is wrong with templates that only compiling finds, which a child process does."""

    def compile_all() -> str:
        told: list[tuple[str, int, str]] = []
        for name in theme.environment.layer_loader.all_names():
            layer, _, path = name.partition(SEPARATOR)
            if layer == theme.name:
                try:
                    theme.environment.internal_template(name)
                except TemplateSyntaxError as fault:
                    told.append((f"{layer}/{FOLDER}/{path}", fault.lineno, fault.message or ""))
                except TemplateError as fault:
                    told.append((f"{layer}/{FOLDER}/{path}", 0, str(fault)))
        return orjson.dumps(told).decode()

    told = orjson.loads(await confined(compile_all) or "[]")
    return [error(shown, line, message, "Mend it there.") for shown, line, message in told]


def remove_uploaded(kernel: Kernel, name: str) -> bool:
    """Take a theme away that came from an archive; whether there was one."""
    home = uploaded_folder(kernel) / name
    if not THEME_NAME.fullmatch(name) or not (home / FILE_NAME).is_file():
        return False
    shutil.rmtree(home)
    return True
