"""The folder in which one service lives.

    <folder>/
      lock            held while a process of ours runs the service; names that process
      password        of the service, readable by its owner alone
      port            the port of the last run, so that addresses stay the same
      server.log      what the server writes
      run/            PostgreSQL's socket
      data/           the server's own data folder

As root, the folder itself stays root's and ``data`` and ``run`` belong to the account that the server runs
as.
"""

import errno
import fcntl
import hashlib
import os
import secrets
import shutil
import stat
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from kameng.embedded.account import Account, account_for, account_name
from kameng.embedded.errors import AlreadyRunningError, DataFolderError, DiskFullError
from kameng.embedded.shelter import SHELTER, sheltered_folder

LOG_LIMIT = 10_000_000  # bytes; a longer log is put aside at the next start
SOCKET_PATH_LIMIT = 103  # bytes; macOS's, Linux takes four more
LOCK_TRIES = 10
LOCK_PAUSE = 0.05  # seconds


class Home:
    """The folder of one service, opened by `Home.open` and closed by `Home.close`.

    Attributes:
        path: the folder itself, links resolved.
        account: who the server runs as.
    """

    def __init__(self, path: Path, account: Account, lock: int) -> None:
        self.path = path
        self.account = account
        self._lock = lock

    @classmethod
    def open(cls, folder: Path, *, shelter: Path = SHELTER) -> "Home":
        """Create the folder if needed, and take hold of it.

        Raises:
            AlreadyRunningError: another process holds it.
            DataFolderError: it cannot be used.
            DiskFullError: no room left.
        """
        folder = Path(os.path.abspath(folder))  # noqa: PTH100 - Path.resolve would follow our own link
        with folder_errors(folder):
            account = account_for(folder / "data")
            path = _placed(folder, account, shelter)
            lock = _locked(path, account)
            return cls(path, account, lock)

    def close(self) -> None:
        """Let go of the folder."""
        os.close(self._lock)

    @property
    def data(self) -> Path:
        """The server's own data folder."""
        return self.path / "data"

    @property
    def log(self) -> Path:
        """What the server writes."""
        return self.path / "server.log"

    def check_owner(self) -> None:
        """Refuse data of another account.

        Raises:
            DataFolderError: the data belongs to somebody else.
        """
        owner = self.data.stat().st_uid
        if owner != self.account.uid:
            name = account_name(owner) or f"number {owner}"
            raise DataFolderError(
                f"The data in {self.data} belongs to the account {name}, and the server would run as "
                f"{self.account.name or self.account.uid}.",
                cure="Start Kameng as that account or as root, or choose another data folder.",
            )

    def password(self) -> str:
        """The service's password, made on first use."""
        place = self.path / "password"
        try:
            return place.read_text().strip()
        except FileNotFoundError:
            made = secrets.token_urlsafe(32)
            self.write("password", made + "\n", mode=0o600)
            return made

    def last_port(self) -> int | None:
        """The port of the last run."""
        try:
            return int((self.path / "port").read_text())
        except (FileNotFoundError, ValueError):
            return None

    def write(self, name: str, text: str, *, mode: int = 0o644) -> Path:
        """Write a file as a whole: after a crash it holds either the old text or the new."""
        draft = self.path / f".{name}.new"
        draft.unlink(missing_ok=True)
        handle = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
        with open(handle, "w", encoding="utf-8") as file:  # noqa: PTH123 - a descriptor, not a path
            os.fchmod(handle, mode)
            file.write(text)
            file.flush()
            os.fsync(handle)
        _like_folder(draft)
        return draft.replace(self.path / name)

    def open_log(self) -> int:
        """A descriptor that appends to the log."""
        if self.log.exists() and self.log.stat().st_size > LOG_LIMIT:
            self.log.replace(self.log.with_name("server.log.1"))
        handle = os.open(self.log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o640)
        _like_folder(self.log)
        return handle

    def socket_folder(self, longest_name: int) -> Path:
        """An empty folder for Unix sockets, whose path leaves room for their names.

        Args:
            longest_name: bytes that the longest socket name takes.
        """
        wanted = self.path / "run"
        if len(os.fsencode(wanted)) + 1 + longest_name > SOCKET_PATH_LIMIT:
            mark = hashlib.sha256(os.fsencode(self.path)).hexdigest()[:16]
            wanted = Path("/tmp") / f"kameng-{mark}"  # noqa: S108 - short is the point; the owner is checked below
        try:
            wanted.mkdir(mode=0o700)
        except FileExistsError:
            found = wanted.lstat()
            if not stat.S_ISDIR(found.st_mode) or found.st_uid not in {self.account.uid, os.geteuid()}:
                # Somebody else was there before us: in a folder that all may write to, names cannot be
                # trusted.
                wanted = Path(tempfile.mkdtemp(prefix="kameng-", dir=wanted.parent))
        for left in wanted.iterdir():
            left.unlink()
        wanted.chmod(0o700)
        self.account.give(wanted)
        return wanted


@contextmanager
def folder_errors(folder: Path) -> Iterator[None]:
    """Turn what the operating system says about a folder into our errors."""
    try:
        yield
    except OSError as error:
        if error.errno in {errno.ENOSPC, errno.EDQUOT}:
            raise DiskFullError(f"There is no room left for {folder}.", cure="Free some space.") from error
        raise DataFolderError(
            f"The folder {error.filename or folder} cannot be used: {error.strerror}.",
            cure="Give the account that runs Kameng the right to write there, or choose another data folder.",
        ) from error


def remove(folder: Path) -> None:
    """Remove a service's folder with everything in it; if it is a link, what it leads to as well."""
    if folder.is_symlink():
        target = folder.resolve()
        if target.is_dir():
            shutil.rmtree(target)
        folder.unlink()
    elif folder.exists():
        shutil.rmtree(folder)


def _placed(folder: Path, account: Account, shelter: Path) -> Path:
    """The real folder, created where the account can reach it."""
    if folder.is_symlink() and not folder.exists():
        raise DataFolderError(
            f"{folder} is a link to {folder.readlink()}, which is gone.",
            cure="Bring that folder back from a backup, or delete the link to start with empty data.",
        )
    if folder.exists() and not folder.is_dir():
        raise NotADirectoryError(errno.ENOTDIR, os.strerror(errno.ENOTDIR), str(folder))
    if not folder.exists():
        _make_folders(folder.parent)
        if not account.reaches(enter=[folder.parent.resolve()]):
            return sheltered_folder(folder, account, shelter)
        folder.mkdir()
        # The account passes through to its data; nobody else needs to.
        folder.chmod(0o711 if account.stepped_down else 0o700)
        _like_folder(folder)
    elif not account.reaches(enter=[folder.resolve()]):
        return sheltered_folder(folder, account, shelter)
    if not os.access(folder, os.W_OK | os.X_OK):
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), str(folder))
    return folder.resolve()


def _make_folders(folder: Path) -> None:
    if not folder.exists():
        _make_folders(folder.parent)
        folder.mkdir(exist_ok=True)
        _like_folder(folder)


def _like_folder(path: Path) -> None:
    """As root in somebody's folder, let new files belong to him."""
    if os.geteuid() == 0:
        owner = path.parent.stat()
        # Not where all may write: there the owner of the folder has nothing to do with us.
        if not owner.st_mode & stat.S_ISVTX:
            os.chown(path, owner.st_uid, owner.st_gid, follow_symlinks=False)


def _locked(folder: Path, account: Account) -> int:
    place = folder / "lock"
    handle = os.open(place, os.O_RDWR | os.O_CREAT, 0o644)
    try:
        _like_folder(place)
        # The kernel lets go of it when this process ends, however it ends; servers do not inherit it.
        _patiently(lambda: fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB))
        os.ftruncate(handle, 0)
        os.pwrite(handle, f"{os.getpid()}\n".encode(), 0)
    except BlockingIOError as error:
        holder = os.pread(handle, 32, 0).decode(errors="replace").strip()
        os.close(handle)
        raise AlreadyRunningError(
            f"{folder} is in use" + (f" by process {holder}." if holder else "."),
            cure="Kameng already runs here: use that one, stop it, or choose another data folder.",
        ) from error
    except OSError:
        os.close(handle)
        raise
    return handle


def _patiently(take: Callable[[], None]) -> None:
    """Whoever was told to stop a moment ago may still be at it."""
    for _ in range(LOCK_TRIES):
        try:
            return take()
        except BlockingIOError:
            time.sleep(LOCK_PAUSE)
    return take()
