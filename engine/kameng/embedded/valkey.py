"""An embedded Valkey."""

import re
import signal
import socket
from pathlib import Path
from types import TracebackType
from typing import Self

from kameng.embedded.binaries import valkey_server
from kameng.embedded.errors import (
    DataFolderError,
    DiskFullError,
    EmbeddedError,
    PortTakenError,
    ServerFailedError,
)
from kameng.embedded.home import Home, folder_errors
from kameng.embedded.leftovers import stop_leftovers
from kameng.embedded.ports import LOOPBACK, free_port, holder_of, is_free
from kameng.embedded.server_process import ServerProcess, wait_until
from kameng.embedded.shelter import SHELTER

START_SECONDS = 120.0  # the log of all writes is replayed
STOP_SECONDS = 30.0
TRIES = 5

DATABASES = 16  # as Valkey by itself
THROWAWAY_DATABASES = 8192
"""Numbered databases of a server whose data is thrown away: as many as a test run makes kernels, some 300 bytes each."""

# Given by standard input, so that the password is in no command and in no second file.
CONFIGURATION = """
bind {loopback}
port {port}
requirepass "{password}"
dir "{data}"
pidfile "{data}/valkey.pid"
daemonize no
databases {databases}
supervised no
# Every write goes to a log that reaches the disk each second. Snapshots would only double the work.
appendonly {append_only}
appendfsync everysec
save ""
# Queued work must not be thrown out to make room.
maxmemory-policy noeviction
"""


class EmbeddedValkey:
    """A Valkey that this process starts and stops.

    It listens on the loopback address and asks for a generated password. What it holds survives: a crash of
    the process loses nothing that was answered, a crash of the machine at most a second.

    A server left over from a process that was killed is shut down and started anew; there are never two on
    one folder.

    >>> with EmbeddedValkey(Path(".kameng/valkey")) as valkey:  # doctest: +SKIP
    ...     print(valkey.url)

    Args:
        data_dir: folder of the service, created if needed: data, password and log.
        port: TCP port; by default the last one if it is free, else any.
        durable: whether anything is kept on disk. Only for data to throw away may this be false.
        shelter: where root keeps what the server's account cannot reach otherwise.
    """

    def __init__(
        self, data_dir: Path, *, port: int | None = None, durable: bool = True, shelter: Path = SHELTER
    ) -> None:
        self.data_dir = data_dir
        self._wanted_port = port
        self._durable = durable
        self._shelter = shelter
        self._home: Home | None = None
        self._process: ServerProcess | None = None
        self._program = Path()
        self._port = 0
        self._password = ""

    def start(self) -> Self:
        """Start the server; returns when it answers and has loaded its data.

        Raises:
            EmbeddedError: one of its kinds, see `kameng.embedded.errors`.
        """
        if self._home is not None:
            raise ServerFailedError("This Valkey was started before.", cure="Call stop() first.")
        home = Home.open(self.data_dir, shelter=self._shelter)
        try:
            with folder_errors(home.path):
                self._program = valkey_server(home.account, shelter=self._shelter)
                if home.data.exists():
                    home.check_owner()
                else:
                    home.data.mkdir(mode=0o700)
                    home.account.give(home.data)
                self._password = home.password()
                self._clear_leftovers(home)
                self._launch(home, self._wanted_port)
        except BaseException:
            self._clear_process()
            home.close()
            raise
        self._home = home
        return self

    def revive(self) -> bool:
        """Start the server again, on the same port, if it has died; replace its guard if that has.

        Returns:
            Whether the server was started.
        """
        if self._process is not None:
            self._process.mind_guard()
        if self._home is None or self.running:
            return False
        with folder_errors(self._home.path):
            if self._process is not None:
                self._process.abandon()
            self._clear_leftovers(self._home)
            self._launch(self._home, self._port)
        return True

    def stop(self) -> None:
        """Shut the server down, everything on disk. Harmless if it is not started."""
        if self._home is None:
            return
        try:
            if self._process is not None:
                self._process.stop(STOP_SECONDS, (signal.SIGKILL, 10))
        finally:
            self._home.close()
            self._home = self._process = None

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
            raise ServerFailedError("This Valkey is not started.", cure="Call start() first.")
        return self._process.pid

    @property
    def port(self) -> int:
        """The TCP port that it listens on."""
        return self._port

    @property
    def url(self) -> str:
        """Its address as Redis clients take it, password included."""
        return f"redis://:{self._password}@{LOOPBACK}:{self._port}/0"

    def _clear_leftovers(self, home: Home) -> None:
        # Unlike PostgreSQL, Valkey itself would let two servers write to one folder.
        stop_leftovers(home.data, "valkey-server", [(signal.SIGTERM, STOP_SECONDS), (signal.SIGKILL, 5.0)])
        (home.data / "valkey.pid").unlink(missing_ok=True)

    def _launch(self, home: Home, port: int | None) -> None:
        for rest in reversed(range(TRIES)):
            last = home.last_port()
            self._port = port or (last if last and is_free(last) else free_port())
            try:
                self._launch_once(home)
                break
            except PortTakenError:
                if port or not rest:
                    raise
        home.write("port", f"{self._port}\n")

    def _launch_once(self, home: Home) -> None:
        if not is_free(self._port):
            raise PortTakenError("Valkey", self._port, holder=holder_of(self._port))
        self._process = process = ServerProcess(
            [self._program, "-"],
            account=home.account,
            log=home.log,
            log_handle=home.open_log(),
            pid_file=home.data / "valkey.pid",
            stop_signal=signal.SIGTERM,
            environment={"LC_ALL": "C", "TZ": "UTC"},
            text=CONFIGURATION.format(
                loopback=LOOPBACK,
                port=self._port,
                password=self._password,
                data=_quoted(home.data),
                append_only="yes" if self._durable else "no",
                databases=DATABASES if self._durable else THROWAWAY_DATABASES,
            ),
        )
        try:
            if not wait_until(self._answers, process, seconds=START_SECONDS):
                raise _explain_death(process, self._port, home)
        except EmbeddedError:
            self._clear_process()
            raise

    def _answers(self) -> bool:
        """Whether it has loaded its data and answers."""
        try:
            with socket.create_connection((LOOPBACK, self._port), timeout=2) as connection:
                connection.sendall(f"AUTH {self._password}\r\nPING\r\nQUIT\r\n".encode())
                answer = b"".join(iter(lambda: connection.recv(1024), b""))
        except OSError:
            return False
        return b"+PONG" in answer

    def _clear_process(self) -> None:
        if self._process is not None:
            self._process.stop(STOP_SECONDS, (signal.SIGKILL, 10))
            self._process = None


def _quoted(path: Path) -> str:
    """A path for use inside double quotes in Valkey's configuration."""
    return re.sub(r'(["\\])', r"\\\1", str(path))


def _explain_death(process: ServerProcess, port: int, home: Home) -> EmbeddedError:
    text = process.log_text()
    if "No space left on device" in text:
        return DiskFullError(
            f"There is no room left for Valkey's data in {home.path}.", cure="Free some space."
        )
    if "Address already in use" in text:
        return PortTakenError("Valkey", port, holder=holder_of(port))
    if "Permission denied" in text:
        return DataFolderError(
            f"Valkey, which runs as {home.account.name}, cannot use {home.data}: "
            + " ".join(process.log_tail()),
            cure=f"Make {home.account.name} its owner: chown -R {home.account.name} {home.data}",
        )
    return ServerFailedError(
        "Valkey does not start.", log=process.log_tail(), cure=f"The whole log is in {home.log}."
    )
