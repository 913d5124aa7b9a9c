"""What a worker's or a relay's process runs."""

import os
import sys

from kameng.logs import configure_logs
from kameng.settings import read_settings
from kameng.tasks import run_relay, run_worker
from tests.faults.events_module import FAULTS


def run(kind: str, environment: dict[str, str], log: str) -> None:
    """Be a ``worker`` or a ``relay`` until told to stop; what is logged goes to a file."""
    handle = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    os.dup2(handle, sys.stdout.fileno())
    os.dup2(handle, sys.stderr.fileno())
    settings = read_settings(environ=environment)
    configure_logs(settings.engine, kind)
    if kind == "worker":
        run_worker(settings, modules=[FAULTS], relay=False)
    else:
        run_relay(settings, modules=[FAULTS])
