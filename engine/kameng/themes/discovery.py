"""Finding themes: folders and installed packages. A theme is data; finding it runs none of its package's code."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from importlib.metadata import EntryPoint, entry_points
from importlib.util import find_spec
from pathlib import Path

from kameng.themes.errors import ThemeCycle, ThemeError, ThemeFaulty, ThemeNotFound
from kameng.themes.finding import error
from kameng.themes.manifest import FILE_NAME, Manifest, read_manifest

ENTRY_POINT_GROUP = "kameng.themes"
"""The entry-point group in which theme packages are found; an entry leads to a package whose folder is the theme."""

BASE_NAME = "base"
"""The layer under every theme, which the kernel brings: error pages and form macros."""

BASE_FOLDER = Path(__file__).parent / "base"


@dataclass(frozen=True, slots=True)
class Layer:
    """One theme folder.

    Attributes:
        name: the theme's name.
        folder: where it is.
        manifest: its ``theme.json``.
    """

    name: str
    folder: Path
    manifest: Manifest

    def file(self, path: str) -> Path | None:
        """The file at a path relative to the folder, if it is there and inside the folder, links included."""
        candidate = self.folder / path
        if not candidate.is_file():
            return None
        return candidate if candidate.resolve().is_relative_to(self.folder.resolve()) else None

    def shown(self, path: str) -> str:
        """How findings name a file of this layer."""
        return f"{self.name}/{path}"


def read_layer(folder: Path) -> Layer:
    """A theme folder as a layer.

    Raises:
        ThemeFaulty: its ``theme.json`` is unusable.
    """
    manifest = read_manifest(folder)
    return Layer(manifest.name, folder, manifest)


class Installed:
    """The themes that can be used, by name; each is read when it is first asked for.

    Args:
        folders: theme folders, or folders of theme folders.
        points: entry points; None takes those of the installed packages.
    """

    def __init__(self, folders: Iterable[Path] = (), points: Sequence[EntryPoint] | None = None) -> None:
        self._points: dict[str, list[EntryPoint]] = {}
        for point in entry_points(group=ENTRY_POINT_GROUP) if points is None else points:
            self._points.setdefault(point.name, []).append(point)
        self._folders: dict[str, Layer] = {}
        # A broken theme beside a good one is not the good one's fault, so it is told only to who asks for it.
        self._faulty: dict[str, ThemeFaulty] = {}
        for folder in folders:
            for theme in _theme_folders(folder):
                try:
                    self._add(read_layer(theme))
                except ThemeFaulty as fault:
                    self._faulty[theme.name] = fault

    def _add(self, layer: Layer) -> None:
        other = self._folders.get(layer.name)
        if other and other.folder.resolve() != layer.folder.resolve():
            raise ThemeError(
                f"{other.folder} and {layer.folder} both hold a theme named {layer.name!r}.",
                cure="Rename one of them.",
            )
        self._folders[layer.name] = layer

    def names(self) -> list[str]:
        """Names of all themes, in alphabetical order."""
        return sorted({*self._points, *self._folders})

    def layer(self, name: str) -> Layer:
        """The theme of this name.

        Raises:
            ThemeNotFound: there is none.
            ThemeError: two packages claim the name.
            ThemeFaulty: its ``theme.json`` is unusable.
        """
        if name == BASE_NAME:
            return read_layer(BASE_FOLDER)
        if name not in self._folders:
            self._add(self._from_package(name))
        return self._folders[name]

    def _from_package(self, name: str) -> Layer:
        points = self._points.get(name, [])
        if not points and name in self._faulty:
            raise self._faulty[name]
        if not points:
            raise ThemeNotFound(
                f"There is no theme named {name!r}.",
                cure=f"Installed are: {', '.join(self.names()) or 'none'}. Mend the name, or install its package.",
            )
        if len({point.value for point in points}) > 1:
            raise ThemeError(
                f"{' and '.join(sorted(point.value for point in points))} both name a theme {name!r}.",
                cure="Uninstall one of the packages.",
            )
        spec = find_spec(points[0].value)
        if spec is None or not spec.submodule_search_locations:
            raise ThemeError(
                f"The entry point {name!r} in {ENTRY_POINT_GROUP} leads to {points[0].value}, which is no package.",
                cure="Let it lead to the package whose folder is the theme, or reinstall it.",
            )
        layer = read_layer(Path(next(iter(spec.submodule_search_locations))))
        if layer.name != name:
            fault = error(
                layer.shown(FILE_NAME), 1, f"Its entry point is named {name!r}.", "Give both the same name."
            )
            raise ThemeFaulty(layer.name, [fault])
        return layer

    def chain(self, top: Layer | str) -> tuple[Layer, ...]:
        """A theme, its ancestors, and the base layer, nearest first.

        Raises:
            ThemeNotFound: a parent is not installed; the message names the theme that asks for it.
            ThemeCycle: themes are each other's parents.
        """
        if top == BASE_NAME:
            raise ThemeNotFound(
                "The base layer is no theme by itself.", cure="Name a theme that is laid over it."
            )
        layer = self.layer(top) if isinstance(top, str) else top
        layers = [layer]
        while (parent := layer.manifest.parent) is not None:
            names = [item.name for item in layers]
            if parent in names:
                ring = " → ".join([*names[names.index(parent) :], parent])
                raise ThemeCycle(
                    f"These themes are each other's parents: {ring}.", cure="Let one of them have no parent."
                )
            try:
                layer = self.layer(parent)
            except ThemeNotFound as fault:
                raise ThemeNotFound(
                    f"The theme {layer.name} has the parent {parent!r}, which is not installed.",
                    cure=fault.cure,
                ) from fault
            layers.append(layer)
        return (*layers, self.layer(BASE_NAME)) if layers[-1].name != BASE_NAME else tuple(layers)


def _theme_folders(folder: Path) -> list[Path]:
    if (folder / FILE_NAME).is_file():
        return [folder]
    if not folder.is_dir():
        raise ThemeNotFound(f"There is no folder {folder}.", cure="Mend the path in `theme_folders`.")
    return sorted(item for item in folder.iterdir() if (item / FILE_NAME).is_file())


def first_file(layers: Sequence[Layer], path: str) -> tuple[Layer, Path] | None:
    """The nearest layer that has a file, with the file."""
    for layer in layers:
        if file := layer.file(path):
            return layer, file
    return None
