"""Both services together."""

import asyncio
import os
import signal
import subprocess
import tempfile
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import asyncpg
import psutil
import pytest
import redis
from redis.backoff import ConstantBackoff
from redis.retry import Retry

from kameng.embedded import (
    AlreadyRunningError,
    EmbeddedValkey,
    Services,
    remove_data,
    temporary,
    temporary_services,
)

Script = Callable[..., subprocess.Popen[str]]
Copy = Callable[[Path], Path]
LiveIn = Callable[[Path], list[psutil.Process]]
Eventually = Callable[[Callable[[], bool]], None]


async def ask(dsn: str, query: str) -> object:
    connection = await asyncpg.connect(dsn)
    try:
        return await connection.fetchval(query)
    finally:
        await connection.close()


async def ask_patiently(dsn: str, query: str) -> object:
    for _ in range(200):
        try:
            return await ask(dsn, query)
        except (OSError, asyncpg.CannotConnectNowError):
            await asyncio.sleep(0.05)
    return await ask(dsn, query)


async def test_what_is_given_is_left_alone(folder: Path) -> None:
    with Services.start(folder, "postgresql://db.example/shop", "redis://cache.example") as running:
        assert running.database_url == "postgresql://db.example/shop"
        assert running.redis_url == "redis://cache.example"
        assert dict(running.pids) == {}
    assert list(folder.iterdir()) == []
    with Services.start(folder, database_url="postgresql://db.example/shop") as running:
        assert list(running.pids) == ["valkey"]
        assert running.redis_url.startswith("redis://:")
        assert running.postgres is None


async def test_two_on_one_folder_end_in_one_error_and_the_first_lives(
    folder: Path, copy_of_postgres: Copy, live_in: LiveIn
) -> None:
    copy_of_postgres(folder / "postgres")
    with Services.start(folder) as running:
        before = {process.pid for process in live_in(folder)}
        with pytest.raises(AlreadyRunningError):
            Services.start(folder)
        assert {process.pid for process in live_in(folder)} >= set(running.pids.values())
        assert before >= set(running.pids.values())
        assert await ask(running.database_url, "SELECT 1") == 1
    assert live_in(folder) == []


def test_if_one_cannot_start_neither_runs(folder: Path, copy_of_postgres: Copy, live_in: LiveIn) -> None:
    copy_of_postgres(folder / "postgres")
    with EmbeddedValkey(folder / "valkey") as other:
        with pytest.raises(AlreadyRunningError):
            Services.start(folder)
        assert [process.pid for process in live_in(folder)] == [other.pid]


async def test_killed_servers_come_back_at_the_same_addresses(
    folder: Path, copy_of_postgres: Copy, eventually: Eventually
) -> None:
    copy_of_postgres(folder / "postgres")
    with Services.start(folder) as running:
        patience = Retry(ConstantBackoff(0.05), 200)
        client = redis.Redis.from_url(running.redis_url, decode_responses=True, retry=patience)
        client.set("key", "value")
        await ask(running.database_url, "CREATE TABLE surviving AS SELECT 42 AS answer")
        first = dict(running.pids)
        for pid in first.values():
            os.kill(pid, signal.SIGKILL)
        eventually(lambda: len(running.pids) == 2 and not set(running.pids.values()) & set(first.values()))
        assert await ask_patiently(running.database_url, "SELECT answer FROM surviving") == 42
        assert client.get("key") == "value"
    assert dict(running.pids) == {}


def test_a_killed_guard_is_replaced(folder: Path, eventually: Eventually) -> None:
    with Services.start(folder, database_url="postgresql://db.example/shop"):
        own = psutil.Process()

        def guards() -> set[int]:
            found = set()
            for child in own.children():
                with suppress(psutil.Error):
                    if str(folder) in " ".join(child.cmdline()[4:]):
                        found.add(child.pid)
            return found

        before = guards()
        assert len(before) == 1
        os.kill(*before, signal.SIGKILL)
        eventually(lambda: len(guards() - before) == 1)


def test_removing_the_data_needs_the_services_to_be_stopped(folder: Path) -> None:
    with Services.start(folder, database_url="postgresql://db.example/shop"):
        with pytest.raises(AlreadyRunningError):
            remove_data(folder)
        assert (folder / "valkey" / "data").is_dir()
    remove_data(folder)
    assert list(folder.iterdir()) == []
    remove_data(folder)


async def test_temporary_services_leave_nothing(live_in: LiveIn) -> None:
    with temporary_services(durable=False) as running:
        assert running.postgres is not None
        place = running.postgres.data_dir.parent
        assert place.name.startswith(temporary.PREFIX)
        assert await ask(running.database_url, "SHOW fsync") == "off"
    assert not place.exists()
    assert live_in(place) == []


@pytest.mark.parametrize(
    ("durable", "needed", "found"), [(False, 1, True), (False, 2**62, False), (True, 1, False)]
)
def test_what_need_not_survive_lies_in_memory_if_there_is_room(
    folder: Path, monkeypatch: pytest.MonkeyPatch, durable: bool, needed: int, found: bool
) -> None:
    monkeypatch.setattr(temporary, "MEMORY", folder)
    monkeypatch.setattr(temporary, "ROOMY", needed)
    with temporary_services("postgresql://db.example/shop", durable=durable) as running:
        assert running.valkey is not None
        place = running.valkey.data_dir.parent
        assert place.parent == (folder if found else Path(tempfile.gettempdir()))
    assert not place.exists()


def test_temporary_services_leave_nothing_after_a_failure(live_in: LiveIn) -> None:
    place = Path()

    def fail() -> None:
        nonlocal place
        with temporary_services("postgresql://db.example/shop", durable=False) as running:
            assert running.valkey is not None
            place = running.valkey.data_dir.parent
            raise LookupError

    with pytest.raises(LookupError):
        fail()
    assert not place.exists()
    assert live_in(place) == []


LEAVER = """if True:
    from kameng.embedded import temporary_services
    keep = temporary_services("postgresql://db.example/shop", durable=False)
    running = keep.__enter__()
    print(running.valkey.data_dir.parent, flush=True)
    """


@pytest.mark.skipif(os.geteuid() != 0, reason="only root steps down to another account")
def test_temporary_services_leave_nothing_in_the_shelter_either(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Given a folder for temporary files that the servers' account cannot reach
    (folder / "closed").mkdir(mode=0o700)
    monkeypatch.setattr(tempfile, "tempdir", str(folder / "closed"))
    monkeypatch.setattr(temporary, "MEMORY", folder / "none")
    with temporary_services("postgresql://db.example/shop", durable=False) as running:
        assert list(running.pids) == ["valkey"]
        assert running.valkey is not None
        place = running.valkey.data_dir.readlink()
        assert place.is_dir()
    assert not place.exists()
    assert list((folder / "closed").iterdir()) == []


def test_temporary_services_end_with_their_process(script: Script, live_in: LiveIn) -> None:
    # Given a process that never closes them
    leaver = script(LEAVER)
    place = Path(leaver.communicate()[0].strip())
    # When it has ended, nothing is left
    assert leaver.returncode == 0
    assert place.name.startswith("kameng-temporary-")
    assert not place.exists()
    assert live_in(place) == []


def test_what_a_killed_process_leaves_the_next_one_removes(
    script: Script, live_in: LiveIn, eventually: Eventually
) -> None:
    killed = script(LEAVER + "import time; time.sleep(600)")
    assert killed.stdout is not None
    place = Path(killed.stdout.readline().strip())
    killed.kill()
    eventually(lambda: not live_in(place))
    assert place.exists()
    other = script(LEAVER)
    assert other.communicate()[0].strip() != ""
    assert not place.exists()
