"""The web processes: Granian, which restarts one that dies and replaces them one by one on SIGHUP."""

from __future__ import annotations

import os
import socket
import tempfile
from pathlib import Path

from granian.constants import Interfaces, Loops
from granian.log import LogLevels

from kameng.errors import BootError
from kameng.http.readiness import FOLDER
from kameng.http.replacing import ReplacingServer, end_at_once_while_loading
from kameng.settings import Settings

CONNECTIONS = 20_000
"""Connections of one process; who comes when there are so many waits to be let in, whoever he is.

Much more than requests at work at once, of which `kameng.graphql.turns` takes care: a browser that waits for an event, and a
crowd before a flash sale, keep theirs open. Each idle one takes a few kilobytes.
"""

BACKLOG = 8_192
"""Connections that the system keeps until they are accepted; it may keep fewer."""


def check_port(host: str, port: int) -> None:
    """Find out before anything else starts whether we can listen there.

    Raises:
        BootError: somebody else does, or the address is not ours.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            raise BootError(
                f"Cannot listen on {host}:{port}: {error.strerror}.",
                cure=f"Stop what runs there, or take another port: PORT={port + 1}.",
            ) from error


def serve_web(settings: Settings, *, processes: int) -> None:
    """Serve until a signal ends it.

    Args:
        settings: host and port; the processes read the rest from the environment.
        processes: how many.
    """
    if processes > 1:
        metrics = Path(os.environ.setdefault("PROMETHEUS_MULTIPROC_DIR", str(settings.data_dir / "metrics")))
        metrics.mkdir(parents=True, exist_ok=True)
        for stale in metrics.glob("*.db"):
            stale.unlink(missing_ok=True)
    end_at_once_while_loading()
    with tempfile.TemporaryDirectory(prefix="kameng-web-") as ready:
        os.environ[FOLDER] = ready
        ReplacingServer(
            "kameng.http.target:app",
            ready_folder=Path(ready),
            stop_seconds=settings.engine.stop_seconds,
            factory=True,
            interface=Interfaces.ASGI,
            address=settings.engine.host,
            port=settings.engine.port,
            workers=processes,
            backlog=BACKLOG,
            backpressure=CONNECTIONS,
            loop=Loops.uvloop,
            websockets=True,
            log_access=False,
            log_level=LogLevels.warning,
            respawn_failed_workers=True,
        ).serve()
