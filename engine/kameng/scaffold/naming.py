"""The names that a new module goes by, all made from one."""

from __future__ import annotations

import keyword
import re
from dataclasses import dataclass
from importlib.util import find_spec

from kameng.errors import BootError
from kameng.settings import SECTIONS

LONGEST = 30
"""Characters of a name: tables, indexes and constraints start with it, and PostgreSQL cuts names at 63."""

_NAME = re.compile(r"[a-z][a-z0-9]*(-[a-z][a-z0-9]*)*")
_RESERVED = frozenset({"all", "kernel", "test", "tests", *(name for name, _ in SECTIONS)})


class ScaffoldError(BootError):
    """No module can be written like that."""

    code = "SCAFFOLD_FAILED"


class InvalidModuleName(ScaffoldError):
    """A module cannot have this name."""

    code = "SCAFFOLD_NAME_INVALID"


@dataclass(frozen=True, slots=True)
class ModuleNames:
    """What a module and its parts are called.

    Attributes:
        name: the module, its distribution, its section of ``kameng.toml``: ``acme-points``.
        package: the import package, and what tables and root fields start with: ``acme_points``.
        prefix: what GraphQL types and classes start with: ``AcmePoints``.
        title: for people: ``Acme points``.
    """

    name: str
    package: str
    prefix: str
    title: str

    @classmethod
    def of(cls, name: str) -> ModuleNames:
        """All names from a module's.

        Raises:
            InvalidModuleName: it has other characters, is too long, or means something else already.
        """
        if not _NAME.fullmatch(name):
            raise InvalidModuleName(
                f"{name[:60]!r} cannot be a module's name.",
                cure="Use lower-case letters and digits, words joined by single hyphens, such as acme-points.",
            )
        if len(name) > LONGEST:
            raise InvalidModuleName(
                f"{name[:60]!r} has {len(name)} characters; a module's name has at most {LONGEST}.",
                cure="Take a shorter one: names of tables and indexes start with it.",
            )
        package = name.replace("-", "_")
        if name in _RESERVED or keyword.iskeyword(package) or find_spec(package) is not None:
            raise InvalidModuleName(
                f"{name!r} means something else already: to Kameng, to Python, or to an installed package.",
                cure=f"Put a word of your own before it, such as acme-{name}.",
            )
        words = name.split("-")
        return cls(name, package, "".join(word.capitalize() for word in words), " ".join(words).capitalize())
