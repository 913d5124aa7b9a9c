"""PostgreSQL after SIGKILL: of itself, of its starter, of all of them."""

import asyncio
import os
import signal
import subprocess
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import asyncpg
import psutil
import pytest

from kameng.embedded import EmbeddedPostgres

STARTER = """if True:
    import sys, time; from pathlib import Path; from kameng.embedded import EmbeddedPostgres
    postgres = EmbeddedPostgres(Path(sys.argv[1])).start()
    print(postgres.pid, postgres.dsn, flush=True)
    time.sleep(600)
    """

Script = Callable[..., subprocess.Popen[str]]
LiveIn = Callable[[Path], list[psutil.Process]]
Eventually = Callable[[Callable[[], bool]], None]


async def execute(dsn: str, query: str) -> object:
    connection = await asyncpg.connect(dsn)
    try:
        *before, last = query.split("; ")
        for statement in before:
            await connection.execute(statement)
        return await connection.fetchval(last)
    finally:
        await connection.close()


async def test_committed_rows_survive_its_kill(postgres_folder: Path) -> None:
    with EmbeddedPostgres(postgres_folder) as postgres:
        dsn, first = postgres.dsn, postgres.pid
        assert not postgres.revive()  # nothing to do while it lives
        await execute(
            dsn, "DROP TABLE IF EXISTS kept; CREATE TABLE kept AS SELECT generate_series(1, 1000) AS number"
        )
        # When it is killed hard and revived
        os.kill(postgres.pid, signal.SIGKILL)
        while postgres.running:
            time.sleep(0.01)
        assert postgres.revive()
        # Then the same address gives the same rows
        assert postgres.pid != first
        assert postgres.dsn == dsn
        assert await execute(dsn, "SELECT sum(number) FROM kept") == 500500


async def test_children_of_a_killed_server_are_cleared_away(postgres_folder: Path, live_in: LiveIn) -> None:
    with EmbeddedPostgres(postgres_folder) as postgres:
        # Given a connection that computes without end, and so does not notice that its parent is dead
        busy = await asyncpg.connect(postgres.dsn)
        pid = await busy.fetchval("SELECT pg_backend_pid()")
        endless = asyncio.ensure_future(busy.execute("DO $$ BEGIN LOOP END LOOP; END $$"))
        await asyncio.sleep(0.1)
        os.kill(postgres.pid, signal.SIGKILL)
        while postgres.running:
            await asyncio.sleep(0.01)
        # When the server is started again
        postgres.revive()
        # Then that one is gone, and the new server works
        assert pid not in {process.pid for process in live_in(postgres_folder)}
        assert await execute(postgres.dsn, "SELECT 1") == 1
        with pytest.raises((asyncpg.PostgresError, OSError, asyncpg.InterfaceError)):
            await endless
        busy.terminate()


def test_a_stale_pid_file_whose_number_went_to_somebody_else(postgres_folder: Path) -> None:
    # Given the lock file of a killed server
    with EmbeddedPostgres(postgres_folder) as postgres:
        lock = (postgres_folder / "data" / "postmaster.pid").read_text().splitlines()
        account = psutil.Process(postgres.pid).uids().real
    # whose number now belongs to an innocent process of the same account
    options = {"user": account} if os.geteuid() == 0 else {}
    innocent = subprocess.Popen(["/bin/sleep", "600"], cwd="/", **options)
    (postgres_folder / "data" / "postmaster.pid").write_text("\n".join([str(innocent.pid), *lock[1:]]) + "\n")
    # When the server is started
    with EmbeddedPostgres(postgres_folder) as postgres:
        # Then it runs, and the innocent lives
        assert postgres.running
        assert innocent.poll() is None
    innocent.kill()
    innocent.wait()


@pytest.mark.parametrize("content", ["", "junk\n", "99999999\n"])
def test_a_damaged_pid_file(postgres_folder: Path, content: str) -> None:
    (postgres_folder / "data" / "postmaster.pid").write_text(content)
    with EmbeddedPostgres(postgres_folder) as postgres:
        assert postgres.running


async def test_killed_starter(
    postgres_folder: Path, script: Script, live_in: LiveIn, eventually: Eventually
) -> None:
    # Given a server and a starter that is killed
    log = (postgres_folder / "server.log").stat().st_size
    starter = script(STARTER, postgres_folder)
    assert starter.stdout is not None
    _, dsn = starter.stdout.readline().split()
    await execute(dsn, "DROP TABLE IF EXISTS kept; CREATE TABLE kept AS SELECT 42 AS answer")
    starter.kill()
    # Then nothing stays behind
    eventually(lambda: not live_in(postgres_folder))
    # and the server has shut down properly: no lock file, no recovery at the next start
    assert not (postgres_folder / "data" / "postmaster.pid").exists()
    assert (postgres_folder / "server.log").read_text().rstrip().endswith("database system is shut down")
    with EmbeddedPostgres(postgres_folder) as postgres:
        assert await execute(postgres.dsn, "SELECT answer FROM kept") == 42
    assert "not properly shut down" not in (postgres_folder / "server.log").read_text()[log:]


async def test_killed_starter_and_guard_leave_an_orphan_that_the_next_start_stops(
    postgres_folder: Path, script: Script, live_in: LiveIn
) -> None:
    # Given a server whose starter and guard are dead
    log = (postgres_folder / "server.log").stat().st_size
    starter = script(STARTER, postgres_folder)
    assert starter.stdout is not None
    pid, dsn = starter.stdout.readline().split()
    guard = next(child for child in psutil.Process(starter.pid).children() if child.pid != int(pid))
    await execute(dsn, "DROP TABLE IF EXISTS kept; CREATE TABLE kept AS SELECT 42 AS answer")
    guard.kill()
    starter.kill()
    starter.wait()
    assert psutil.pid_exists(int(pid))
    # When somebody starts it again
    with EmbeddedPostgres(postgres_folder) as postgres:
        # Then there is one server, the new one, with everything in it
        servers = {process.pid for process in live_in(postgres_folder) if parent_of(process) == os.getpid()}
        assert servers == {postgres.pid}
        assert int(pid) not in {process.pid for process in live_in(postgres_folder)}
        assert await execute(postgres.dsn, "SELECT answer FROM kept") == 42
    assert "not properly shut down" not in (postgres_folder / "server.log").read_text()[log:]
    assert live_in(postgres_folder) == []


async def test_everything_killed_at_once(postgres_folder: Path, script: Script, live_in: LiveIn) -> None:
    starter = script(STARTER, postgres_folder)
    assert starter.stdout is not None
    _, dsn = starter.stdout.readline().split()
    await execute(dsn, "DROP TABLE IF EXISTS kept; CREATE TABLE kept AS SELECT 42 AS answer")
    family = [psutil.Process(starter.pid), *psutil.Process(starter.pid).children(recursive=True)]
    assert len(family) > 5
    for process in family:
        with suppress(psutil.NoSuchProcess):
            process.kill()
    starter.wait()
    with EmbeddedPostgres(postgres_folder) as postgres:
        assert await execute(postgres.dsn, "SELECT answer FROM kept") == 42
    assert live_in(postgres_folder) == []


def parent_of(process: psutil.Process) -> int | None:
    """The parent's id; None for a process that has ended meanwhile."""
    try:
        return process.ppid()
    except psutil.NoSuchProcess:
        return None
