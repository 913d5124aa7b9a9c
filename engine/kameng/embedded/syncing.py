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


class Syncing:
    """Brings every file of a folder to the disk in the background, and then removes a marker.

    Whoever finds the marker at a later start does it again: the process may have ended too early.
    """

    def __init__(self, folder: Path, marker: Path) -> None:
        self._folder = folder
        self._marker = marker
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._sync, name="kameng-embedded-sync", daemon=True)
        self._thread.start()

    def end(self) -> None:
        """Stop after the file at hand."""
        self._ended.set()
        self._thread.join()

    def _sync(self) -> None:
        for place, _, names in os.walk(self._folder):
            for name in (*names, "."):
                if self._ended.is_set():
                    return
                with suppress(OSError):  # a live server removes files of its own
                    handle = os.open(Path(place) / name, os.O_RDONLY | os.O_NONBLOCK)
                    try:
                        os.fsync(handle)
                    finally:
                        os.close(handle)
        self._marker.unlink(missing_ok=True)
