"""Services for a test run or a benchmark, and no trace of them afterwards."""

import atexit
import fcntl
import os
import shutil
import stat
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path

from kameng.embedded.errors import EmbeddedError
from kameng.embedded.home import remove
from kameng.embedded.services import Running, Services

PREFIX = "kameng-temporary-"
MEMORY = Path("/dev/shm")  # noqa: S108 - Linux keeps it in memory; what lies there gets a folder of its own
ROOMY = 4 * 1024**3  # bytes: all the write-ahead log that PostgreSQL keeps, and as much data
FORGOTTEN_SECONDS = 3600.0  # after which a folder without a lock belongs to nobody


@contextmanager
def temporary_services(
    database_url: str | None = None,
    redis_url: str | None = None,
    *,
    durable: bool = True,
    postgres_settings: Mapping[str, str] | None = None,
    watched: bool = False,
) -> Iterator[Running]:
    """Run both services in a temporary folder; at the end they are stopped and the folder is gone.

    That holds when the body raises, and at the end of the process if the generator is never closed. If the
    process is killed, the servers shut down by themselves and the next call removes what they left.

    Args:
        database_url: a PostgreSQL that exists already; then none is started.
        redis_url: a Redis or Valkey that exists already; then none is started.
        durable: false makes everything faster, and nothing survives a crash of the machine. The folder lies in
            memory then, if the machine has enough to spare.
        postgres_settings: settings of PostgreSQL beside ours.
        watched: whether a server that dies is started again.
    """
    base = Path(tempfile.gettempdir())
    for place in (base, MEMORY):
        _sweep(place)
    if not durable and _is_roomy(MEMORY):
        base = MEMORY
    folder = Path(tempfile.mkdtemp(prefix=PREFIX, dir=base))
    folder.chmod(0o711)
    hold = _hold(folder)
    running: Running | None = None

    def clear() -> None:
        if running is not None:
            with suppress(EmbeddedError):
                running.stop()
        _clear(folder)

    atexit.register(clear)
    try:
        running = Services.start(
            folder,
            database_url,
            redis_url,
            durable=durable,
            postgres_settings=postgres_settings,
            watched=watched,
        )
        yield running
        running.stop()
    finally:
        clear()
        atexit.unregister(clear)
        os.close(hold)


def _is_roomy(place: Path) -> bool:
    """Whether a folder for temporary files can be made here that may grow to `ROOMY` bytes."""
    try:
        return os.access(place, os.W_OK | os.X_OK) and shutil.disk_usage(place).free >= ROOMY
    except OSError:
        return False


def _hold(folder: Path) -> int:
    """Lock the folder for as long as this process lives. Whoever sees the lock file sees it locked."""
    draft = folder / ".hold"
    handle = os.open(draft, os.O_RDWR | os.O_CREAT, 0o600)
    fcntl.flock(handle, fcntl.LOCK_EX)
    draft.rename(folder / "hold")
    return handle


def _sweep(base: Path) -> None:
    """Remove folders whose process was killed."""
    for folder in base.glob(f"{PREFIX}*"):
        with suppress(OSError):
            found = folder.lstat()
            if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.geteuid():
                continue
            try:
                handle = os.open(folder / "hold", os.O_RDWR)
            except FileNotFoundError:
                if time.time() - found.st_mtime > FORGOTTEN_SECONDS:
                    _clear(folder)
                continue
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
                _clear(folder)
            finally:
                os.close(handle)


def _clear(folder: Path) -> None:
    for service in ("postgres", "valkey"):
        with suppress(OSError):
            # It may be a link, if the servers' account cannot reach the folder for temporary files.
            remove(folder / service)
    shutil.rmtree(folder, ignore_errors=True)
