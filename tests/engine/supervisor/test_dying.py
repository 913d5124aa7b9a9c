"""Processes that die, and a supervisor that is killed."""

import os
import pty
import re
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psutil

from kameng.supervisor.guard import gated

Supervise = Callable[..., Any]
Worker = Callable[..., dict[str, Any]]


def test_a_killed_process_comes_back_as_often_as_it_is_killed(supervise: Supervise, worker: Worker) -> None:
    running = supervise(worker("web"), worker("worker"), crashes=3, pause=0.01)
    running.until_line("worker is")
    running.until_line("web is")
    web = running.pid_of("web")
    for time in range(2, 8):
        os.kill(running.pid_of("worker"), signal.SIGKILL)
        running.until_line("worker is", times=time)
    assert "kameng | worker was killed from outside; starting it again" in running.lines
    # The other one has not noticed
    assert running.pid_of("web") == web
    assert running.process.poll() is None


def test_one_that_crashes_again_and_again_is_given_up(supervise: Supervise, worker: Worker) -> None:
    # Given a process that gets ready, and crashes each time
    running = supervise(
        worker("web"), worker("worker", "time.sleep(0.4); sys.exit('out of luck')"), crashes=3, pause=0.01
    )
    # Then the supervisor gives up at the third crash, says why, and ends the rest
    assert running.end() == 1
    text = "\n".join(running.lines)
    assert "worker ended with status 1; starting it again in 0.01 s" in text
    assert "worker ended with status 1; starting it again in 0.02 s" in text
    assert (
        "worker is given up: it ended with status 1, its crash number 3 within 60 s. Its last lines:" in text
    )
    assert "kameng |     out of luck" in text
    assert len(re.findall(r"worker \| worker is \d+", text)) == 3
    assert "web    | web ends properly" in text
    assert running.family() == []


def test_a_mistake_at_the_first_start_is_told_at_once(
    supervise: Supervise, worker: Worker, tmp_path: Path
) -> None:
    broken = worker("worker", "sys.exit('no such module')", ready_file=str(tmp_path / "never"))
    running = supervise(worker("web"), broken)
    assert running.end() == 1
    text = "\n".join(running.lines)
    assert "worker cannot start: it ended with status 1. Its last lines:" in text
    assert "kameng |     no such module" in text
    assert len(re.findall(r"worker \| worker is \d+", text)) == 1


def test_children_of_a_killed_process_do_not_meet_its_successor(supervise: Supervise, worker: Worker) -> None:
    # Given a process that counts those of its children who live
    body = "subprocess.Popen([sys.executable, '-c', 'import os, time; print(\"child is\", os.getpid()); time.sleep(600)'])"
    running = supervise(worker("web", body))
    running.until_line("child is")
    child = running.pid_of("child")
    assert child in {process.pid for process in running.family()}
    # When it is killed
    os.kill(running.pid_of("web"), signal.SIGKILL)
    running.until_line("web is", times=2)
    # Then its child is gone before it is started again
    assert child not in {process.pid for process in running.family()}
    running.send(signal.SIGTERM)
    assert running.end() == 0
    assert running.family() == []


def test_a_killed_supervisor_leaves_nothing(supervise: Supervise, worker: Worker, tmp_path: Path) -> None:
    # Given processes with children of their own, one of them stubborn
    body = "subprocess.Popen([sys.executable, '-c', 'import time; print(\"child\"); time.sleep(600)'])"
    note = f"signal.signal(signal.SIGTERM, lambda *_: (open({str(tmp_path / 'note')!r}, 'w').write('ended'), sys.exit()))"
    stubborn = "signal.signal(signal.SIGTERM, signal.SIG_IGN)"
    running = supervise(worker("web", note), worker("worker", body), worker("relay", stubborn, grace=0.5))
    running.until_line("child")
    for name in ("web", "worker", "relay"):
        running.until_line(f"{name} is")
    assert len(running.family()) == 7  # three processes, three guards, a child
    # When the supervisor is killed
    running.process.kill()
    running.process.wait()
    # Then all end, and those who can do so properly
    running.until(lambda: running.family() == [])
    assert (tmp_path / "note").read_text() == "ended"


def test_a_killed_guard_is_replaced(supervise: Supervise, worker: Worker) -> None:
    running = supervise(worker("web"))
    running.until_line("web is")
    web = running.pid_of("web")
    guard = next(process for process in running.family() if process.pid != web)
    guard.kill()
    running.until(lambda: {process.pid for process in running.family()} - {web, guard.pid})
    running.process.kill()
    running.process.wait()
    running.until(lambda: running.family() == [])


def test_nothing_passes_the_gate_of_a_supervisor_that_died(tmp_path: Path) -> None:
    # Given a process whose supervisor died before it could set a guard
    process = subprocess.Popen(gated(["/usr/bin/touch", str(tmp_path / "passed")]), stdin=subprocess.PIPE)
    process.communicate()
    # Then its program never ran
    assert process.returncode == 0
    assert not (tmp_path / "passed").exists()


def test_a_closed_terminal_ends_all(tmp_path: Path) -> None:
    # Given a supervisor in a terminal
    mark = str(tmp_path)
    code = """if True:
        import sys
        from kameng.supervisor import ProcessSpec, Supervisor
        sleeper = [sys.executable, "-c", "import time; print('up'); time.sleep(600)"]
        Supervisor([ProcessSpec("web", sleeper)]).run()
        """
    pid, terminal = pty.fork()
    if pid == 0:
        os.execve(sys.executable, [sys.executable, "-c", code], {**os.environ, "MARK": mark, "TERM": "xterm"})
    seen = b""
    while b"up" not in seen:
        seen += os.read(terminal, 1024)
    # which it writes to in colour
    assert b"\x1b[36mweb    | \x1b[0mup" in seen
    # When the terminal is closed
    os.close(terminal)
    # Then the supervisor ends, though SIGHUP means a reload otherwise
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0
    left = []
    for process in psutil.process_iter():
        try:
            if process.environ().get("MARK") == mark and process.status() != psutil.STATUS_ZOMBIE:
                left.append(process)
        except psutil.Error:
            continue
    assert left == []
