"""An embedded PostgreSQL."""

import os
import shutil
import signal
import time
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Self
from urllib.parse import quote

from kameng.embedded import postgres_cluster as cluster
from kameng.embedded.binaries import PostgresBinaries, postgres_binaries
from kameng.embedded.errors import (
    DataFolderError,
    DataVersionError,
    EmbeddedError,
    PortTakenError,
    ServerFailedError,
)
from kameng.embedded.home import Home, folder_errors
from kameng.embedded.leftovers import stop_leftovers
from kameng.embedded.ports import LOOPBACK, free_port, holder_of, is_free
from kameng.embedded.postgres_settings import server_settings
from kameng.embedded.server_process import ServerProcess, wait_until
from kameng.embedded.shelter import SHELTER
from kameng.embedded.syncing import Syncing

START_SECONDS = 120.0  # recovery after a crash replays up to max_wal_size
STOP_SECONDS = 60.0  # the last checkpoint has to reach the disk
TRIES = 5  # for a free port, or until the children of a killed server are gone
SOCKET_NAME = len(".s.PGSQL.65535.lock")
OWNER = "kameng"  # the role that the application connects as, and owner of its database


class EmbeddedPostgres:
    """A PostgreSQL that this process starts and stops.

    It listens on the loopback address and on a Unix socket, both with a generated password; the superuser
    gets in by the socket alone, and only from the account that the server runs as, or from root. Commits are
    durable unless ``durable=False`` says otherwise.

    A server left over from a process that was killed is shut down and started anew; there are never two on
    one folder.

    >>> with EmbeddedPostgres(Path(".kameng/postgres")) as postgres:  # doctest: +SKIP
    ...     print(postgres.dsn)

    Args:
        data_dir: folder of the service, created if needed: data, password, log and socket. port: TCP port; by
            default the last one if it is free, else any. settings: settings of the server beside ours.
            database: the application's database, created if absent. durable: whether commits survive a crash
            of the machine. Only for data to throw away may this be false. shelter: where root keeps what the
            server's account cannot reach otherwise.
    """

    def __init__(
        self,
        data_dir: Path,
        *,
        port: int | None = None,
        settings: Mapping[str, str] | None = None,
        database: str = "kameng",
        durable: bool = True,
        shelter: Path = SHELTER,
    ) -> None:
        self.data_dir = data_dir
        self.database = database
        self._wanted_port = port
        self._durable = durable
        self._settings = server_settings(settings or {}, durable=durable)
        self._shelter = shelter
        self._home: Home | None = None
        self._process: ServerProcess | None = None
        self._binaries: PostgresBinaries | None = None
        self._syncing: Syncing | None = None
        self._port = 0
        self._password = ""
        self._sockets = Path()

    def start(self) -> Self:
        """Start the server; returns when it takes connections and the application's database exists.

        Raises:
            EmbeddedError: one of its kinds, see `kameng.embedded.errors`.
        """
        if self._home is not None:
            raise ServerFailedError("This PostgreSQL was started before.", cure="Call stop() first.")
        home = Home.open(self.data_dir, shelter=self._shelter)
        try:
            with folder_errors(home.path):
                self._binaries = postgres_binaries(home.account, shelter=self._shelter)
                self._check_data(home)
                self._clear_leftovers(home)
                if not home.data.exists():
                    cluster.create(home, self._binaries, durable=self._durable)
                self._password = home.password()
                self._launch(home, self._binaries, self._wanted_port)
        except BaseException:
            self._clear_process()
            home.close()
            raise
        self._home = home
        if (home.path / cluster.UNSYNCED).exists():
            self._syncing = Syncing(home.path, home.path / cluster.UNSYNCED)
        return self

    def revive(self) -> bool:
        """Start the server again, on the same port, if it has died; replace its guard if that has.

        Returns:
            Whether the server was started.
        """
        if self._process is not None:
            self._process.mind_guard()
        if self._home is None or self._binaries is None or self.running:
            return False
        with folder_errors(self._home.path):
            if self._process is not None:
                self._process.abandon()
            self._clear_leftovers(self._home)
            self._launch(self._home, self._binaries, self._port)
        return True

    def stop(self) -> None:
        """Shut the server down, its clients disconnected, all on disk. Harmless if it is not started."""
        if self._home is None:
            return
        try:
            if self._syncing is not None:
                self._syncing.end()
            if self._process is not None:
                self._process.stop(STOP_SECONDS, (signal.SIGQUIT, 10), (signal.SIGKILL, 10))
            if self._sockets.parent != self._home.path:
                shutil.rmtree(self._sockets, ignore_errors=True)
        finally:
            self._home.close()
            self._home = self._process = self._syncing = None

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    @property
    def running(self) -> bool:
        """Whether the server's process lives."""
        return self._process is not None and self._process.running

    @property
    def pid(self) -> int:
        """The server's process number.

        Raises:
            ServerFailedError: it is not started.
        """
        if self._process is None:
            raise ServerFailedError("This PostgreSQL is not started.", cure="Call start() first.")
        return self._process.pid

    @property
    def port(self) -> int:
        """The TCP port that it listens on."""
        return self._port

    @property
    def dsn(self) -> str:
        """Address of the application's database over TCP, password included."""
        return f"postgresql://{OWNER}:{quote(self._password)}@{LOOPBACK}:{self._port}/{quote(self.database)}"

    @property
    def socket_dsn(self) -> str:
        """The same over the Unix socket, which saves each statement some microseconds."""
        return (
            f"postgresql://{OWNER}:{quote(self._password)}@/{quote(self.database)}"
            f"?host={quote(str(self._sockets), safe='/')}&port={self._port}"
        )

    @property
    def admin_dsn(self) -> str:
        """Address for the superuser, by the Unix socket; only for the server's own account and for root."""
        return f"postgresql://postgres@/postgres?host={quote(str(self._sockets), safe='/')}&port={self._port}"

    def _check_data(self, home: Home) -> None:
        if not home.data.exists():
            return
        home.check_owner()
        try:
            found = (home.data / "PG_VERSION").read_text().strip()
        except FileNotFoundError as error:
            raise DataFolderError(
                f"The folder {home.data} exists and holds no PostgreSQL data.",
                cure="Move it away, or choose another data folder.",
            ) from error
        if self._binaries is not None and found != self._binaries.major:
            raise DataVersionError(
                f"The data in {home.data} belongs to PostgreSQL {found}, and the embedded one is "
                f"{self._binaries.major}.",
                cure=f"Dump it with PostgreSQL {found} (pg_dumpall) and load it into a new data folder.",
            )

    def _clear_leftovers(self, home: Home) -> None:
        """Stop a server that outlived its starter, and get its lock file out of the way."""
        pid_file = home.data / "postmaster.pid"
        try:
            lines = pid_file.read_text().splitlines()
        except FileNotFoundError:
            return
        number = lines[0].strip() if lines else ""
        postmaster = int(number) if number.isdigit() else 0
        steps = [(signal.SIGINT, STOP_SECONDS), (signal.SIGQUIT, 5.0), (signal.SIGKILL, 5.0)]
        stop_leftovers(home.data, "postgres", steps, first=postmaster)
        if not pid_file.exists():
            return
        if not number.isdigit():
            pid_file.unlink()
            return
        # It died hard. Its number may belong to some other process by now, and PostgreSQL would wait for that
        # one; it takes its parent's number, ours, for stale. The rest of the file leads it to the old shared
        # memory.
        lines[0] = str(os.getpid())
        with pid_file.open("r+") as file:
            file.truncate()
            file.write("\n".join(lines) + "\n")

    def _launch(self, home: Home, binaries: PostgresBinaries, port: int | None) -> None:
        for rest in reversed(range(TRIES)):
            self._port = port or self._free_port(home)
            try:
                self._launch_once(home, binaries)
                break
            except PortTakenError:
                if port or not rest:
                    raise
            except cluster.StillInUseError:
                if not rest:
                    raise
                time.sleep(1)
        home.write("port", f"{self._port}\n")

    def _free_port(self, home: Home) -> int:
        last = home.last_port()
        return last if last and is_free(last) else free_port()

    def _launch_once(self, home: Home, binaries: PostgresBinaries) -> None:
        if not is_free(self._port):
            raise PortTakenError("PostgreSQL", self._port, holder=holder_of(self._port))
        self._sockets = home.socket_folder(SOCKET_NAME)
        pid_file = home.data / "postmaster.pid"
        self._process = process = ServerProcess(
            cluster.server_command(
                home, binaries, port=self._port, sockets=self._sockets, settings=self._settings
            ),
            account=home.account,
            log=home.log,
            log_handle=home.open_log(),
            pid_file=pid_file,
            stop_signal=signal.SIGINT,
            environment=cluster.ENVIRONMENT,
        )
        try:
            if not wait_until(
                lambda: cluster.is_ready(pid_file, process.pid), process, seconds=START_SECONDS
            ):
                raise cluster.explain_death(process, self._port, home)
            cluster.prepare(
                home,
                binaries,
                sockets=self._sockets,
                port=self._port,
                database=self.database,
                password=self._password,
            )
        except EmbeddedError:
            self._clear_process()
            raise

    def _clear_process(self) -> None:
        if self._process is not None:
            self._process.stop(STOP_SECONDS, (signal.SIGQUIT, 10), (signal.SIGKILL, 10))
            self._process = None
