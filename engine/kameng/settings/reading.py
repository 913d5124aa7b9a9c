"""Reading the tree: file first, then environment; unknown keys are errors.

A key of a section can be set by the environment variable ``KAMENG_<SECTION>__<KEY>``, such as
``KAMENG_CATALOG__LOW_STOCK=5``, and a secret by a file that ``KAMENG_<SECTION>__<KEY>_FILE`` names. ``DATABASE_URL``,
``REDIS_URL``, ``PORT`` and ``HOST`` stand for the kernel's own keys.
"""

import os
import tomllib
from collections.abc import Mapping
from enum import StrEnum
from pathlib import Path
from typing import Any, TypeVar, cast

import msgspec

from kameng.errors import SettingsError
from kameng.settings.sections import SECTIONS, EngineSettings, ModulesSettings

S = TypeVar("S", bound=msgspec.Struct)

_PREFIX = "KAMENG_"
_THIS_MACHINE = frozenset({"127.0.0.1", "0.0.0.0", "::1", "::"})  # noqa: S104 - names, not a bind
_SHORT_NAMES = {"DATABASE_URL": "database_url", "REDIS_URL": "redis_url", "PORT": "port", "HOST": "host"}


class Origin(StrEnum):
    """Where a setting's value comes from."""

    DEFAULT = "DEFAULT"
    """Nobody set it."""
    FILE = "FILE"
    """It stands in ``kameng.toml``."""
    ENVIRONMENT = "ENVIRONMENT"
    """An environment variable, which goes before the file."""
    PROGRAM = "PROGRAM"
    """Whoever started the process, such as ``kameng dev`` for the services that it brings."""


class Settings:
    """The settings of one deployment.

    Attributes:
        root: the folder that relative paths start from: that of ``kameng.toml``, or the working directory.
        source: the file that was read, for messages; None where there was none.
        engine: the kernel's section.
        modules: which modules to load.
    """

    def __init__(
        self,
        tree: Mapping[str, Mapping[str, Any]],
        *,
        root: Path,
        source: Path | None = None,
        variables: Mapping[tuple[str, str], str] | None = None,
        given: frozenset[tuple[str, str]] = frozenset(),
    ) -> None:
        self._variables = variables or {}
        self._given = given
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

    def origin(self, section: str, key: str) -> Origin:
        """Where the value of a section's key comes from."""
        if (section, key) in self._given:
            return Origin.PROGRAM
        if (section, key) in self._variables:
            return Origin.ENVIRONMENT
        return Origin.FILE if key in self._tree.get(section, {}) else Origin.DEFAULT

    def variable(self, section: str, key: str) -> str:
        """The environment variable that sets a section's key: the one that did, else the one that would."""
        usual = f"{_PREFIX}{section.replace('-', '_')}__{key}".upper()
        return self._variables.get((section, key), usual)

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
        given = self._given | {(section, key) for key in values}
        return Settings(tree, root=self.root, source=self.source, variables=self._variables, given=given)


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
    variables = _add_environment(tree, environ)
    return Settings(
        tree,
        root=source.parent.resolve(),
        source=source if source.is_file() else None,
        variables=variables,
    )


def _add_environment(
    tree: dict[str, dict[str, Any]], environ: Mapping[str, str]
) -> dict[tuple[str, str], str]:
    """Lay the environment over the file; which variable set which key."""
    variables: dict[tuple[str, str], str] = {}
    for short, key in _SHORT_NAMES.items():
        if environ.get(short):
            tree.setdefault("kameng", {})[key] = environ[short]
            variables["kameng", key] = short
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
        name = section.lower().replace("_", "-")
        tree.setdefault(name, {})[key.lower()] = _value(value)
        variables[name, key.lower()] = variable
    return variables


def _value(text: str) -> Any:
    """Lists and tables are written as JSON; everything else stays text and is converted by the section's shape."""
    if text[:1] in "[{":
        try:
            return msgspec.json.decode(text)
        except msgspec.DecodeError:
            return text
    return text
