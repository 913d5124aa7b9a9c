"""Reading the tree: file first, then environment; unknown keys are errors.

A key of a section can be set by the environment variable ``KAMENG_<SECTION>__<KEY>``, such as
``KAMENG_CATALOG__LOW_STOCK=5``, and a secret by a file that ``KAMENG_<SECTION>__<KEY>_FILE`` names. ``DATABASE_URL``,
``REDIS_URL``, ``PORT`` and ``HOST`` stand for the kernel's own keys.
"""

import os
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, TypeVar, cast

import msgspec

from kameng.errors import SettingsError
from kameng.settings.sections import SECTIONS, EngineSettings, ModulesSettings

S = TypeVar("S", bound=msgspec.Struct)

_PREFIX = "KAMENG_"
_THIS_MACHINE = frozenset({"127.0.0.1", "0.0.0.0", "::1", "::"})  # noqa: S104 - names, not a bind
_SHORT_NAMES = {"DATABASE_URL": "database_url", "REDIS_URL": "redis_url", "PORT": "port", "HOST": "host"}


class Settings:
    """The settings of one deployment.

    Attributes:
        root: the folder that relative paths start from: that of ``kameng.toml``, or the working directory.
        source: the file that was read, for messages; None where there was none.
        engine: the kernel's section.
        modules: which modules to load.
    """

    def __init__(
        self, tree: Mapping[str, Mapping[str, Any]], *, root: Path, source: Path | None = None
    ) -> None:
        self.root = root
        self.source = source
        self._tree = tree
        self._read: dict[tuple[str, type], msgspec.Struct] = {}  # requests ask for sections too
        self.engine = self.section("kameng", EngineSettings)
        self.modules = self.section("modules", ModulesSettings)
        for name, shape in SECTIONS:
            self.section(name, shape)

    def section(self, name: str, shape: type[S]) -> S:
        """One section, checked against its shape.

        Raises:
            SettingsError: an unknown key, a value of the wrong kind, or a required key missing.
        """
        known = self._read.get((name, shape))
        if known is not None:
            return cast("S", known)
        try:
            read = msgspec.convert(dict(self._tree.get(name, {})), shape, strict=False)
            self._read[name, shape] = read
            return read
        except msgspec.ValidationError as error:
            raise SettingsError(
                f"[{name}] in {self.source or 'the environment'}: {error}.",
                cure=f"Its keys are: {', '.join(shape.__struct_fields__)}.",
            ) from error

    def unknown_sections(self, known: set[str]) -> list[str]:
        """Sections of the file that neither the kernel nor an enabled module owns."""
        return sorted(set(self._tree) - known - {name for name, _ in SECTIONS})

    @property
    def data_dir(self) -> Path:
        """The absolute folder of local data."""
        return (self.root / self.engine.data_dir).resolve()

    @property
    def public_url(self) -> str:
        """How browsers reach us, without a slash at the end."""
        if self.engine.public_url:
            return self.engine.public_url.rstrip("/")
        # One name for this machine everywhere, since cookies belong to a host name.
        host = "localhost" if self.engine.host in _THIS_MACHINE else self.engine.host
        return f"http://{host}:{self.engine.port}"

    @property
    def production(self) -> bool:
        """Whether to hide and demand rather than to show and forgive."""
        return self.engine.environment == "production"

    def with_values(self, section: str, **values: Any) -> "Settings":
        """A copy with some values of one section replaced."""
        tree = {**self._tree, section: {**self._tree.get(section, {}), **values}}
        return Settings(tree, root=self.root, source=self.source)


def read_settings(path: Path | None = None, environ: Mapping[str, str] | None = None) -> Settings:
    """Read ``kameng.toml`` and the environment.

    Args:
        path: the file; None takes ``KAMENG_CONFIG`` or ``kameng.toml`` in the working directory, if there is one.
        environ: the environment; None takes the process's own.

    Raises:
        SettingsError: the file is missing though named, is no TOML, or holds something unusable.
    """
    environ = os.environ if environ is None else environ
    named = path or (Path(environ["KAMENG_CONFIG"]) if environ.get("KAMENG_CONFIG") else None)
    source = named or Path("kameng.toml")
    if named and not named.is_file():
        raise SettingsError(f"There is no settings file {named}.", cure="Check the path, or leave it out.")
    tree: dict[str, dict[str, Any]] = {}
    if source.is_file():
        try:
            tree = tomllib.loads(source.read_text("utf-8"))
        except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
            raise SettingsError(
                f"{source} is no valid TOML: {error}.", cure="Mend the line it names."
            ) from error
        values: dict[str, Any] = tree  # nothing is known of a file's shape yet
        stray = [key for key, value in values.items() if not isinstance(value, dict)]
        if stray:
            raise SettingsError(
                f"{source}: {', '.join(stray)} stands outside a section.",
                cure="Put it below a [section] line.",
            )
    _add_environment(tree, environ)
    return Settings(tree, root=source.parent.resolve(), source=source if source.is_file() else None)


def _add_environment(tree: dict[str, dict[str, Any]], environ: Mapping[str, str]) -> None:
    for short, key in _SHORT_NAMES.items():
        if environ.get(short):
            tree.setdefault("kameng", {})[key] = environ[short]
    for variable, value in environ.items():
        section, separator, key = variable.removeprefix(_PREFIX).partition("__")
        if not variable.startswith(_PREFIX) or not separator:
            continue
        if key.endswith("_FILE"):
            try:
                key, value = key.removesuffix("_FILE"), Path(value).read_text("utf-8").strip()
            except OSError as error:
                raise SettingsError(
                    f"{variable} names {value}, which cannot be read.",
                    cure="Check the path and its permissions.",
                ) from error
        tree.setdefault(section.lower().replace("_", "-"), {})[key.lower()] = _value(value)


def _value(text: str) -> Any:
    """Lists and tables are written as JSON; everything else stays text and is converted by the section's shape."""
    if text[:1] in "[{":
        try:
            return msgspec.json.decode(text)
        except msgspec.DecodeError:
            return text
    return text
