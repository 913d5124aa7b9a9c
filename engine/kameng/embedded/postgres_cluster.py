"""PostgreSQL's data folder and first roles: creating them, the server's command, its last words."""

import os
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path

from kameng.embedded.binaries import PostgresBinaries
from kameng.embedded.errors import (
    AccountError,
    DataFolderError,
    DataVersionError,
    DiskFullError,
    EmbeddedError,
    PortTakenError,
    ServerFailedError,
)
from kameng.embedded.home import Home
from kameng.embedded.ports import LOOPBACK, holder_of
from kameng.embedded.server_process import ServerProcess

# Nothing from our own environment: PGPORT and its like would reach the programs. English, since messages are
# read.
ENVIRONMENT = {"PATH": os.environ.get("PATH", os.defpath), "LC_ALL": "C", "TZ": "UTC"}

# One connection as the superuser: no statement of it may leave the password in the log or in the statistics.
QUIET = {"PGOPTIONS": "-c pg_stat_statements.track=none -c log_min_error_statement=panic"}

PREPARE = r"""
SELECT 'CREATE ROLE kameng'
    WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'kameng') \gexec
ALTER ROLE kameng LOGIN CREATEDB PASSWORD :'password';
GRANT pg_monitor, pg_checkpoint TO kameng;
SELECT format('CREATE DATABASE %I OWNER kameng', :'database')
    WHERE NOT EXISTS (SELECT FROM pg_database WHERE datname = :'database') \gexec
\connect :"database"
CREATE EXTENSION IF NOT EXISTS pg_stat_statements;
"""


# Beside the data as long as a new data folder is not on the disk as a whole.
UNSYNCED = "unsynced"


class StillInUseError(ServerFailedError):
    """Children of a killed server still hold its shared memory."""


def create(home: Home, binaries: PostgresBinaries, *, durable: bool) -> None:
    """Create the data folder: as a whole, or not at all.

    Raises:
        AccountError: the account has no name, which PostgreSQL insists on.
        DiskFullError: no room left.
        ServerFailedError: ``initdb`` failed otherwise.
    """
    if not home.account.name:
        raise AccountError(
            f"The account number {home.account.uid} has no name here, and PostgreSQL insists on one.",
            cure="Add it to /etc/passwd, or bring a PostgreSQL of your own by DATABASE_URL.",
        )
    draft = home.path / "data.new"
    shutil.rmtree(draft, ignore_errors=True)
    draft.mkdir(mode=0o700)
    home.account.give(draft)
    command: list[str | Path] = [
        binaries.initdb,
        "-D",
        draft,
        "-U",
        "postgres",
        "-E",
        "UTF8",
        "--no-instructions",
    ]
    # Built in, so that sorting is the same on every machine and after every upgrade of the system.
    command += ["--locale-provider=builtin", "--builtin-locale=C.UTF-8"]
    command += ["--auth-local=peer", "--auth-host=scram-sha-256"]
    command += ["--no-sync"]  # done while the server runs, see `kameng.embedded.syncing`
    done = subprocess.run(
        command,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        env=ENVIRONMENT,
        **home.account.process_options(),
    )
    if done.returncode != 0:
        shutil.rmtree(draft, ignore_errors=True)
        said = (done.stdout + done.stderr).splitlines()
        raise _full(home, done.stderr) or ServerFailedError(
            "PostgreSQL cannot create its data folder.", log=said[-20:]
        )
    if durable:
        home.write(UNSYNCED, "The files of the new database are on their way to the disk.\n")
    draft.replace(home.data)


def server_command(
    home: Home, binaries: PostgresBinaries, *, port: int, sockets: Path, settings: Mapping[str, str]
) -> list[str | Path]:
    """The command that runs the server, with who may connect written beside the data."""
    access = home.write(
        "pg_hba.conf",
        "# Written at each start. The superuser comes from the server's account or root, and by the socket.\n"
        "local  all  postgres                peer map=superuser\n"
        "local  all  all                     scram-sha-256\n"
        "host   all  postgres  0.0.0.0/0     reject\n"
        f"host   all  all       {LOOPBACK}/32  scram-sha-256\n",
    )
    names = {home.account.name, "root"}
    identities = home.write(
        "pg_ident.conf", "".join(f'superuser "{name}" postgres\n' for name in sorted(names))
    )
    fixed = {
        "listen_addresses": LOOPBACK,
        "port": str(port),
        "unix_socket_directories": f'"{sockets}"',
        "hba_file": str(access),
        "ident_file": str(identities),
    }
    command: list[str | Path] = [binaries.postgres, "-D", home.data]
    for name, value in {**settings, **fixed}.items():
        command += ["-c", f"{name}={value}"]
    return command


def is_ready(pid_file: Path, pid: int) -> bool:
    """Whether this server says in its lock file that it takes connections."""
    try:
        lines = pid_file.read_text().splitlines()
    except FileNotFoundError:
        return False
    return len(lines) > 7 and lines[0] == str(pid) and lines[7].strip() == "ready"


def prepare(
    home: Home, binaries: PostgresBinaries, *, sockets: Path, port: int, database: str, password: str
) -> None:
    """See to it that the application's role, its password and its database exist.

    Raises:
        ServerFailedError: the server refused.
    """

    def psql(
        user: str, into: str, script: str, *variables: str, **more: str
    ) -> subprocess.CompletedProcess[str]:
        command: list[str | Path] = [binaries.psql, "-X", "-q", "-A", "-t", "-w", "-v", "ON_ERROR_STOP=1"]
        command += [word for variable in variables for word in ("-v", variable)]
        command += ["-h", sockets, "-p", str(port), "-U", user, "-d", into, "-f", "-"]
        return subprocess.run(
            command,
            input=script,
            capture_output=True,
            text=True,
            env=ENVIRONMENT | more,
            **home.account.process_options(),
        )

    # As a rule all is there: then one connection tells.
    if psql("kameng", database, "SELECT 1", PGPASSWORD=password).returncode == 0:
        return
    # By standard input, since every account can read the words of a command.
    secret = f"\\set password '{password}'\n"
    done = psql("postgres", "postgres", secret + PREPARE, f"database={database}", **QUIET)
    if done.returncode != 0:
        said = done.stderr.replace(password, "***").splitlines()
        raise ServerFailedError(
            "PostgreSQL runs, but the application's database cannot be created.", log=said[-20:]
        )


def explain_death(process: ServerProcess, port: int, home: Home) -> EmbeddedError:
    """Why the server ended instead of getting ready, from what it wrote."""
    text = process.log_text()
    if full := _full(home, text):
        return full
    if "Address already in use" in text or "could not create any TCP/IP sockets" in text:
        return PortTakenError("PostgreSQL", port, holder=holder_of(port))
    if "shared memory block" in text and "still in use" in text:
        return StillInUseError(
            f"A killed PostgreSQL has left processes behind that still use {home.data}.",
            log=process.log_tail(),
            cure="Stop the processes named postgres that run there.",
        )
    if "database files are incompatible with server" in text:
        return DataVersionError(
            f"The data in {home.data} cannot be read by the embedded PostgreSQL.",
            cure="Read the log beside it, or choose another data folder.",
        )
    if "Permission denied" in text or "Read-only file system" in text:
        return DataFolderError(
            f"PostgreSQL, which runs as {home.account.name}, cannot use {home.data}: "
            + " ".join(process.log_tail()),
            cure=f"Make {home.account.name} its owner: chown -R {home.account.name} {home.data}",
        )
    return ServerFailedError(
        "PostgreSQL does not start.", log=process.log_tail(), cure=f"The whole log is in {home.log}."
    )


def _full(home: Home, text: str) -> DiskFullError | None:
    if "No space left on device" in text or "Disk quota exceeded" in text:
        return DiskFullError(
            f"There is no room left for PostgreSQL's data in {home.path}.", cure="Free some space."
        )
    return None
