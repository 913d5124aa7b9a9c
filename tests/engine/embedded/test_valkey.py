"""An embedded Valkey: in ordinary life, with faults, after SIGKILL."""

import os
import signal
import socket
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest
import redis

from kameng.embedded import (
    AlreadyRunningError,
    DataFolderError,
    EmbeddedValkey,
    PortTakenError,
    ServerFailedError,
)

Script = Callable[..., subprocess.Popen[str]]
LiveIn = Callable[[Path], list[psutil.Process]]
Eventually = Callable[[Callable[[], bool]], None]

STARTER = """if True:
    import sys, time; from pathlib import Path; from kameng.embedded import EmbeddedValkey
    valkey = EmbeddedValkey(Path(sys.argv[1])).start()
    print(valkey.pid, valkey.url, flush=True)
    time.sleep(600)
    """


def client(url: str) -> "redis.Redis":
    return redis.Redis.from_url(url, decode_responses=True)


def test_data_port_and_password_stay(folder: Path) -> None:
    with EmbeddedValkey(folder / "valkey") as valkey:
        url = valkey.url
        client(url).set("key", "value")
        assert client(url).config_get("append*", "save", "maxmemory-policy", "bind") == {
            "appendonly": "yes",
            "appendfsync": "everysec",
            "appendfilename": "appendonly.aof",
            "appenddirname": "appendonlydir",
            "save": "",
            "maxmemory-policy": "noeviction",
            "bind": "127.0.0.1",
        }
    with EmbeddedValkey(folder / "valkey") as valkey:
        assert valkey.url == url
        assert client(url).get("key") == "value"


def test_nobody_gets_in_without_the_password(folder: Path) -> None:
    with EmbeddedValkey(folder / "valkey") as valkey:
        with pytest.raises(redis.AuthenticationError):
            client(f"redis://127.0.0.1:{valkey.port}/0").get("key")
        with pytest.raises(redis.AuthenticationError):
            client(f"redis://:wrong@127.0.0.1:{valkey.port}/0").get("key")
        password = (folder / "valkey" / "password").read_text().strip()
        assert password in valkey.url
        assert (folder / "valkey" / "password").stat().st_mode & 0o777 == 0o600
        # and it stands in no command
        assert password not in " ".join(psutil.Process(valkey.pid).cmdline())


def test_a_folder_with_quotes_and_spaces(folder: Path) -> None:
    with EmbeddedValkey(folder / 'my "own" shop' / "valkey") as valkey:
        assert client(valkey.url).ping()
        assert (folder / 'my "own" shop' / "valkey" / "data" / "appendonlydir").is_dir()


def test_a_taken_port(folder: Path) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        with pytest.raises(PortTakenError, match=f"process {os.getpid()}"):
            EmbeddedValkey(folder / "valkey", port=port).start()
    with EmbeddedValkey(folder / "valkey", port=port) as valkey:
        assert valkey.port == port


def test_two_on_one_folder(folder: Path) -> None:
    with (
        EmbeddedValkey(folder / "valkey"),
        pytest.raises(AlreadyRunningError, match=f"process {os.getpid()}"),
    ):
        EmbeddedValkey(folder / "valkey").start()


def test_start_twice_and_stop_twice(folder: Path) -> None:
    valkey = EmbeddedValkey(folder / "valkey").start()
    with pytest.raises(ServerFailedError, match="started before"):
        valkey.start()
    valkey.stop()
    valkey.stop()
    with pytest.raises(ServerFailedError, match="not started"):
        _ = valkey.pid


def test_a_file_where_the_folder_should_be(folder: Path) -> None:
    (folder / "valkey").write_text("")
    with pytest.raises(DataFolderError, match="Not a directory"):
        EmbeddedValkey(folder / "valkey", shelter=folder / "shelter").start()
    assert not (folder / "shelter").exists()


def test_damaged_data_ends_in_its_own_words(folder: Path) -> None:
    with EmbeddedValkey(folder / "valkey"):
        pass
    (folder / "valkey" / "data" / "appendonlydir" / "appendonly.aof.manifest").write_text("nonsense\n")
    with pytest.raises(ServerFailedError, match="Valkey does not start") as caught:
        EmbeddedValkey(folder / "valkey").start()
    assert any("AOF" in line for line in caught.value.log)


def test_its_kill_loses_nothing_that_was_answered(folder: Path) -> None:
    with EmbeddedValkey(folder / "valkey") as valkey:
        url = valkey.url
        assert not valkey.revive()
        with client(url) as connected:
            for number in range(2000):
                connected.rpush("queue", number)
        os.kill(valkey.pid, signal.SIGKILL)
        while valkey.running:
            time.sleep(0.01)
        assert valkey.revive()
        assert valkey.url == url
        assert client(url).llen("queue") == 2000


def test_killed_starter(folder: Path, script: Script, live_in: LiveIn, eventually: Eventually) -> None:
    starter = script(STARTER, folder / "valkey")
    assert starter.stdout is not None
    _, url = starter.stdout.readline().split()
    client(url).set("key", "value")
    starter.kill()
    eventually(lambda: not live_in(folder))
    # It was asked to stop, and did so properly.
    assert "ready to exit" in (folder / "valkey" / "server.log").read_text()
    with EmbeddedValkey(folder / "valkey") as valkey:
        assert client(valkey.url).get("key") == "value"


def test_killed_starter_and_guard_leave_an_orphan_that_the_next_start_stops(
    folder: Path, script: Script, live_in: LiveIn
) -> None:
    starter = script(STARTER, folder / "valkey")
    assert starter.stdout is not None
    pid, url = starter.stdout.readline().split()
    client(url).set("key", "value")
    # Even without its pid file it is found: two of them on one folder would spoil the data.
    (folder / "valkey" / "data" / "valkey.pid").unlink()
    for process in [*psutil.Process(starter.pid).children(), starter]:
        if process.pid != int(pid):
            process.kill()
    starter.wait()
    assert psutil.pid_exists(int(pid))
    with EmbeddedValkey(folder / "valkey") as valkey:
        assert [process.pid for process in live_in(folder)] == [valkey.pid]
        assert valkey.pid != int(pid)
        assert client(valkey.url).get("key") == "value"
