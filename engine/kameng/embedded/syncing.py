"""Bringing a new data folder to the disk without making the first start wait for it.

Creating a database writes over a thousand small files. To wait for each one takes from a tenth of a second to many
seconds, depending on the disk and on what else it does; meanwhile the newcomer waits for his shop. So the files are
brought to the disk while the server runs already. From then on, and for all that is committed later, PostgreSQL sees
to it itself; only a loss of power in the first seconds of a new and empty shop may cost that shop.
"""

import os
import threading
from contextlib import suppress
from pathlib import Path


def sync_in_background(folder: Path, marker: Path) -> None:
    """Bring every file of a folder to the disk, and then remove the marker.

    Whoever finds the marker at a later start does it again: the process may have ended too early.
    """
    threading.Thread(target=_sync, args=[folder, marker], name="kameng-embedded-sync", daemon=True).start()


def _sync(folder: Path, marker: Path) -> None:
    for place, _, names in os.walk(folder):
        for name in (*names, "."):
            with suppress(OSError):  # a live server removes files of its own
                handle = os.open(Path(place) / name, os.O_RDONLY | os.O_NONBLOCK)
                try:
                    os.fsync(handle)
                finally:
                    os.close(handle)
    if folder.is_dir():
        marker.unlink(missing_ok=True)
