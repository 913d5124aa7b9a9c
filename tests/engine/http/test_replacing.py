"""A stop that comes while a web process hears none: between its start-up and its serving."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

from kameng.embedded.ports import free_port

APPLICATION = """
import time

from granian.server import mp

make_scheduler = mp._new_cbscheduler


def late(*arguments, **options):
    # Granian calls this when the application has started and the event loop, which hears signals, stands still.
    with open("gap", "w"):
        time.sleep(1)
    return make_scheduler(*arguments, **options)


mp._new_cbscheduler = late


async def app(scope, receive, send):
    for answer in ("startup", "shutdown"):
        await receive()
        await send({"type": f"lifespan.{answer}.complete"})
"""

SERVER = """
import sys
from pathlib import Path

from granian.constants import Interfaces, Loops

from kameng.http.replacing import ReplacingServer, end_at_once_while_loading

end_at_once_while_loading()
ReplacingServer(
    "application:app",
    ready_folder=Path.cwd(),
    stop_seconds=100,
    interface=Interfaces.ASGI,
    port=int(sys.argv[1]),
    loop=Loops.uvloop,
).serve()
"""


def test_a_stop_that_a_process_does_not_hear_is_repeated(tmp_path: Path) -> None:
    # Given a web process that has just started its application
    (tmp_path / "application.py").write_text(APPLICATION)
    server = subprocess.Popen(
        [sys.executable, "-c", SERVER, str(free_port())],
        cwd=tmp_path,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    while not (tmp_path / "gap").exists():
        assert server.poll() is None, server.communicate()[0]
        time.sleep(0.02)
    # When all is to stop at that moment, then it does, and nothing has to be killed
    os.kill(server.pid, signal.SIGTERM)
    told = server.communicate()[0]
    assert "was killed" not in told
    assert server.returncode == 0, told
