"""The supervisor as an object: restarts on demand, specs, output."""

import io
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from kameng.supervisor import Output, ProcessSpec, Supervisor, SupervisorError
from kameng.supervisor.output import wants_colour

Supervise = Callable[..., Any]
Worker = Callable[..., dict[str, Any]]

SLEEPER = [sys.executable, "-c", "import time; time.sleep(600)"]


def test_one_process_is_restarted_on_demand() -> None:
    # Given a supervisor that runs in another thread
    ready = threading.Event()
    stream = io.StringIO()
    specs = [ProcessSpec("web", SLEEPER), ProcessSpec("worker", SLEEPER)]
    supervisor = Supervisor(specs, on_ready=ready.set, output=Output(["web", "worker"], stream=stream))
    statuses: list[int] = []
    thread = threading.Thread(target=lambda: statuses.append(supervisor.run()))
    thread.start()
    ready.wait()
    before = supervisor.pids
    # When one process is restarted, and once more at the same time
    both = supervisor.restart("worker"), supervisor.restart("worker")
    # Then it is ready again, and the other is the same as before
    assert [future.result() for future in both] == [True, True]
    after = supervisor.pids
    assert after["web"] == before["web"]
    assert after["worker"] != before["worker"]
    with pytest.raises(SupervisorError, match="No process relay"):
        supervisor.restart("relay")
    supervisor.stop()
    thread.join()
    assert statuses == [0]
    with pytest.raises(SupervisorError):
        supervisor.restart("web")


def test_an_error_of_the_callback_ends_all() -> None:
    def fail() -> None:
        raise LookupError

    supervisor = Supervisor(
        [ProcessSpec("web", SLEEPER)], on_ready=fail, output=Output(["web"], stream=io.StringIO())
    )
    with pytest.raises(LookupError):
        supervisor.run()
    assert supervisor.pids == {}


@pytest.mark.parametrize(
    ("specs", "message"),
    [
        ([], "no process to run"),
        ([ProcessSpec("web", SLEEPER), ProcessSpec("web", SLEEPER)], "Two processes are called web"),
        ([ProcessSpec("web", [])], "web has no command"),
    ],
)
def test_specs_that_cannot_work(specs: list[ProcessSpec], message: str) -> None:
    with pytest.raises(SupervisorError, match=message) as caught:
        Supervisor(specs)
    assert caught.value.code == "SUPERVISOR_SPEC"
    assert caught.value.cure


def test_lines_are_whole_whatever_is_written(supervise: Supervise) -> None:
    code = """if True:
        import os, time
        os.write(1, b"half ")
        time.sleep(0.05)
        os.write(1, "a line: 点卡\\r\\n".encode())
        os.write(2, b"bad \\xff byte\\n\\n")
        os.write(1, b"x" * 70_000 + b"\\nno end")
        time.sleep(0.5)
        """
    running = supervise({"name": "web", "command": [sys.executable, "-c", code]}, crashes=1)
    assert running.end() == 1
    own = [line.removeprefix("web    | ") for line in running.lines if line.startswith("web")]
    assert own[:3] == ["half a line: 点卡", "bad � byte", ""]
    assert "".join(own[3:-1]) == "x" * 70_000
    assert own[-1] == "no end"


def test_a_reader_that_does_not_read_holds_nobody_up(tmp_path: Path) -> None:
    # Given a supervisor whose output nobody reads, and a process that writes a lot and then says so in a file
    code = """if True:
        import sys
        from kameng.supervisor import ProcessSpec, Supervisor
        chatter = "import sys, time\\nfor i in range(50_000): print(i, 'x' * 80)\\n"
        chatter += "print('done')\\nopen(sys.argv[1], 'w'); time.sleep(600)"
        sys.exit(Supervisor([ProcessSpec("web", [sys.executable, "-c", chatter, sys.argv[1]])]).run())
        """
    read, write = os.pipe()
    process = subprocess.Popen([sys.executable, "-c", code, tmp_path / "written"], stdout=write)
    os.close(write)
    while not (tmp_path / "written").exists():
        time.sleep(0.01)
    # When it is told to end, then it does
    process.send_signal(signal.SIGTERM)
    seen = b""
    while chunk := os.read(read, 1 << 20):
        seen += chunk
    os.close(read)
    assert process.wait() == 0
    # and the last lines are there, while older ones were dropped
    assert b"| done\n" in seen
    assert b"lines dropped: nobody read them" in seen


def test_a_reader_that_went_away_stops_nothing(tmp_path: Path) -> None:
    # Given a supervisor whose reader goes away, and a process that goes on writing, and then says so in a file
    code = """if True:
        import sys
        from kameng.supervisor import ProcessSpec, Supervisor
        chatter = "import sys, time\\nfor i in range(5_000): print(i)\\nopen(sys.argv[1], 'w'); time.sleep(600)"
        sys.exit(Supervisor([ProcessSpec("web", [sys.executable, "-c", chatter, sys.argv[1]])]).run())
        """
    process = subprocess.Popen([sys.executable, "-c", code, tmp_path / "written"], stdout=subprocess.PIPE)
    assert process.stdout is not None
    assert process.stdout.readline() == b"web    | 0\n"
    process.stdout.close()
    while not (tmp_path / "written").exists():
        time.sleep(0.01)
    # When it is told to end, then it does so properly
    assert process.poll() is None
    process.send_signal(signal.SIGTERM)
    assert process.wait() == 0


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_colour_only_where_it_is_wanted() -> None:
    assert wants_colour(Terminal(), {"TERM": "xterm"})
    assert not wants_colour(Terminal(), {"TERM": "dumb"})
    assert not wants_colour(Terminal(), {"NO_COLOR": "1"})
    assert not wants_colour(io.StringIO(), {})
    assert wants_colour(io.StringIO(), {"FORCE_COLOR": "1"})
    stream = io.StringIO()
    output = Output(["web", "relay"], stream=stream, colour=True)
    output.line("relay", "hello")
    output.say("two\nlines")
    output.close()
    assert stream.getvalue() == (
        "\x1b[32mrelay  | \x1b[0mhello\n\x1b[1mkameng | \x1b[0mtwo\n\x1b[1mkameng | \x1b[0mlines\n"
    )
