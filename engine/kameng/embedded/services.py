"""Both embedded services together, as the command line and the tests need them."""

import logging
import threading
import time
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Self

from kameng.embedded.errors import EmbeddedError
from kameng.embedded.home import Home, folder_errors, remove
from kameng.embedded.postgres import EmbeddedPostgres
from kameng.embedded.shelter import SHELTER
from kameng.embedded.valkey import EmbeddedValkey

log = logging.getLogger(__name__)

LOOK_SECONDS = 0.1  # how often a watched service is looked at
LONGEST_PAUSE = 5.0  # seconds before a server is started again that dies often


@dataclass(frozen=True, slots=True)
class Running:
    """The services that an application uses; those of our own are stopped by `stop`.

    Attributes:
        database_url: address of the PostgreSQL database.
        redis_url: address of the Redis or Valkey.
        postgres: the embedded PostgreSQL, unless ``database_url`` was given.
        valkey: the embedded Valkey, unless ``redis_url`` was given.
    """

    database_url: str
    redis_url: str
    postgres: EmbeddedPostgres | None = None
    valkey: EmbeddedValkey | None = None
    _watch: "Watch | None" = field(default=None, repr=False)

    @property
    def pids(self) -> Mapping[str, int]:
        """Process numbers of our own servers by name (``postgres``, ``valkey``), as they are now."""
        own = {"postgres": self.postgres, "valkey": self.valkey}
        return {name: server.pid for name, server in own.items() if server is not None and server.running}

    def stop(self) -> None:
        """Stop our own servers, PostgreSQL last."""
        if self._watch is not None:
            self._watch.end()
        try:
            if self.valkey is not None:
                self.valkey.stop()
        finally:
            if self.postgres is not None:
                self.postgres.stop()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()


class Services:
    """Starts what the deployment does not bring itself."""

    @staticmethod
    def start(
        root: Path,
        database_url: str | None = None,
        redis_url: str | None = None,
        *,
        postgres_settings: Mapping[str, str] | None = None,
        durable: bool = True,
        watched: bool = True,
        shelter: Path = SHELTER,
    ) -> Running:
        """Start the embedded services for which no address is given, side by side.

        Args:
            root: folder of the deployment's data, such as ``.kameng``; the services get ``postgres`` and
                ``valkey``
                in it.
            database_url: a PostgreSQL of the deployment's own.
            redis_url: a Redis or Valkey of the deployment's own.
            postgres_settings: settings of the embedded PostgreSQL beside ours.
            durable: whether data survives a crash of the machine.
            watched: whether a server that dies is started again on the same port.
            shelter: where root keeps what the servers' account cannot reach otherwise.

        Raises:
            EmbeddedError: one of them cannot start; then neither runs.
        """
        postgres = valkey = None
        if database_url is None:
            postgres = EmbeddedPostgres(
                root / "postgres", settings=postgres_settings, durable=durable, shelter=shelter
            )
        if redis_url is None:
            valkey = EmbeddedValkey(root / "valkey", durable=durable, shelter=shelter)
        servers = [server for server in (postgres, valkey) if server is not None]
        try:
            with ThreadPoolExecutor(2, thread_name_prefix="kameng-embedded") as pool:
                starts = [pool.submit(server.start) for server in servers]
            for start in starts:
                start.result()
        except BaseException:
            # One could not start, or somebody pressed Ctrl-C: then the other must not stay.
            for server in servers:
                server.stop()
            raise
        return Running(
            database_url=postgres.dsn if postgres is not None else database_url or "",
            redis_url=valkey.url if valkey is not None else redis_url or "",
            postgres=postgres,
            valkey=valkey,
            _watch=Watch(servers) if watched and servers else None,
        )


def remove_data(root: Path) -> None:
    """Delete the data of both services, for good and wherever it lies.

    Args:
        root: the folder that was given to `Services.start`.

    Raises:
        AlreadyRunningError: they run.
        DataFolderError: the data cannot be deleted.
    """
    for name in ("postgres", "valkey"):
        if (root / name).exists():
            # Taking hold of it makes sure that nobody uses it.
            Home.open(root / name).close()
        with folder_errors(root / name):
            remove(root / name)


class Watch:
    """Starts servers again that die while they should run, for as long as they should."""

    def __init__(self, servers: list[EmbeddedPostgres | EmbeddedValkey]) -> None:
        self._servers = servers
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._look, name="kameng-embedded-watch", daemon=True)
        self._thread.start()

    def end(self) -> None:
        """Look away; returns when no revival is under way."""
        self._ended.set()
        self._thread.join()

    def _look(self) -> None:
        deaths: dict[str, list[float]] = {}
        while not self._ended.wait(LOOK_SECONDS):
            for server in self._servers:
                name = type(server).__name__
                if not server.running:
                    now = time.monotonic()
                    deaths[name] = [*(moment for moment in deaths.get(name, []) if now - moment < 60), now]
                    log.warning("%s has died; it is started again", name)
                    # One that dies at once each time must not keep the machine busy.
                    if self._ended.wait(min(LOOK_SECONDS * 2 ** (len(deaths[name]) - 1), LONGEST_PAUSE)):
                        return
                try:
                    server.revive()
                except EmbeddedError as error:
                    log.error("%s cannot be started again: %s", name, error)
