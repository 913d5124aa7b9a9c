"""The ordinary life of supervised processes: starting, showing, getting ready, ending."""

import re
import signal
import socket
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

Supervise = Callable[..., Any]
Worker = Callable[..., dict[str, Any]]


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_from_start_to_proper_end(supervise: Supervise, worker: Worker, number: signal.Signals) -> None:
    # Given two processes that are ready
    running = supervise(worker("web"), worker("worker"))
    running.until_line("ALL READY")
    running.until_line("worker is")
    running.until_line("web is")
    # When the supervisor is told to end
    running.send(number)
    # Then they end properly, the last one first, and nothing is left
    assert running.end() == 0
    endings = [line for line in running.lines if "ends properly" in line]
    assert endings == ["worker | worker ends properly", "web    | web ends properly"]
    assert running.family() == []


def test_each_process_leads_a_group_and_sees_its_own_environment(supervise: Supervise) -> None:
    code = "import os; print(os.getpid() == os.getpgrp() == os.getsid(0), os.environ['COLOUR'], os.read(0, 1)); os.abort"
    spec = {"name": "one", "command": [sys.executable, "-c", code + "\nimport time; time.sleep(60)"]}
    running = supervise(spec | {"env": {"COLOUR": "red"}})
    running.until_line("one    | True red b''")


def test_ready_by_address_and_by_function(supervise: Supervise, worker: Worker, tmp_path: Path) -> None:
    # Given a web server that answers only after a file exists, and a worker that is ready when another does
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    served, done = tmp_path / "ok", tmp_path / "done"
    web = {"name": "web", "command": [sys.executable, "-m", "http.server", "--bind", "127.0.0.1", str(port)]}
    running = supervise(
        web | {"cwd": str(tmp_path), "ready": f"http://127.0.0.1:{port}/ok?now"},
        worker("worker", ready_file=str(done)),
    )
    running.until_line('"GET /ok?now HTTP/1.1" 404')
    assert "ALL READY" not in running.lines
    served.touch()
    running.until_line('"GET /ok?now HTTP/1.1" 200')
    assert "ALL READY" not in running.lines
    # When both are there, then it is said, and once
    done.touch()
    running.until_line("ALL READY")
    running.send(signal.SIGTERM)
    assert running.end() == 0
    assert running.lines.count("ALL READY") == 1


def test_one_that_does_not_get_ready_ends_all(supervise: Supervise, worker: Worker, tmp_path: Path) -> None:
    late = worker("late", ready_file=str(tmp_path / "never"), ready_seconds=0.5)
    running = supervise(worker("web"), late)
    assert running.end() == 1
    text = "\n".join(running.lines)
    assert "late cannot start: it is not ready after 0.5 s. Its last lines:" in text
    assert re.search(r"kameng \|     late is \d+", text)
    assert "ALL READY" not in text
    assert running.family() == []


def test_a_program_that_does_not_exist(supervise: Supervise, worker: Worker) -> None:
    running = supervise(worker("web"), {"name": "odd", "command": ["/no/such/program"]})
    assert running.end() == 1
    assert "odd cannot start: it ended with status 127" in "\n".join(running.lines)
    assert running.family() == []


def test_a_stubborn_process_is_killed_after_its_grace(supervise: Supervise, worker: Worker) -> None:
    stubborn = worker("web", "signal.signal(signal.SIGTERM, lambda *_: print('not me'))", grace=0.5)
    running = supervise(stubborn)
    running.until_line("web is")
    running.until_line("ALL READY")
    running.send(signal.SIGTERM)
    assert running.end() == 0
    assert "web    | not me" in running.lines
    assert running.family() == []


def test_a_second_interrupt_does_not_wait(supervise: Supervise, worker: Worker) -> None:
    # Given two stubborn processes with all the time of the world
    body = "signal.signal(signal.SIGTERM, lambda *_: print('not me'))"
    running = supervise(worker("web", body, grace=600), worker("worker", body, grace=600))
    running.until_line("web is")
    running.until_line("worker is")
    running.send(signal.SIGINT)
    running.until_line("not me")
    # When Ctrl-C is pressed again
    running.send(signal.SIGINT)
    # Then all end at once
    assert running.end() == 130
    assert running.family() == []


def test_what_a_process_leaves_behind_ends_with_it(supervise: Supervise, worker: Worker) -> None:
    # Given a process with a child that ignores everything
    body = "subprocess.Popen([sys.executable, '-c', "
    body += "'import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print(\"I stay\"); time.sleep(600)'])"
    running = supervise(worker("web", body, grace=0.5))
    running.until_line("I stay")
    assert len(running.family()) == 3  # the process, its child, and the guard
    running.send(signal.SIGTERM)
    assert running.end() == 0
    assert running.family() == []


def test_reloading_goes_one_after_the_other(supervise: Supervise, worker: Worker) -> None:
    # Given one process that is restarted, and one that reloads itself
    body = "signal.signal(signal.SIGHUP, lambda *_: print('web has reloaded'))"
    running = supervise(worker("web", body, reload_signal="SIGHUP"), worker("worker"), worker("relay"))
    for name in ("web", "worker", "relay"):
        running.until_line(f"{name} is")
    before = {name: running.pid_of(name) for name in ("web", "worker", "relay")}
    # When the supervisor gets SIGHUP
    running.send(signal.SIGHUP)
    running.until_line("Reloaded.")
    running.until_line("relay is", times=2)
    # Then the first is the same, the others are new, in their order
    assert "web    | web has reloaded" in running.lines
    after = {name: running.pid_of(name) for name in ("web", "worker", "relay")}
    assert {name: before[name] == after[name] for name in before} == {
        "web": True,
        "worker": False,
        "relay": False,
    }
    told = [line for line in running.lines if line.endswith("ends properly")]
    assert told == ["worker | worker ends properly", "relay  | relay ends properly"]
    running.send(signal.SIGTERM)
    assert running.end() == 0
