"""What is to run, and how patient we are with it."""

import signal
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from kameng.errors import BootError


class SupervisorError(BootError):
    """The processes to supervise are described in a way that cannot work."""

    code = "SUPERVISOR_SPEC"


@dataclass(frozen=True, slots=True)
class ProcessSpec:
    """One process of a deployment.

    Attributes:
        name: how it is called in the output, such as ``web``. command: program and arguments. The program
            leads a session of its own; SIGTERM goes to it alone, and whatever
            it leaves behind is ended with it.
        env: variables on top of our own environment. ready: tells whether it does its work: an address that
            answers ``GET`` with a 2xx status, or a function, which
            may block. None: it is ready if it still runs after a moment.
        cwd: its working folder; by default ours.
        ready_seconds: how long it may take to get ready.
        grace: seconds between SIGTERM and SIGKILL.
        reload_signal: what makes it reload itself without a gap; None: it is stopped and started.
    """

    name: str
    command: Sequence[str]
    env: Mapping[str, str] = field(default_factory=dict)
    ready: Callable[[], bool] | str | None = None
    cwd: Path | None = None
    ready_seconds: float = 60.0
    grace: float = 10.0
    reload_signal: signal.Signals | None = None


@dataclass(frozen=True, slots=True)
class Patience:
    """What happens to a process that dies.

    It is started again after a pause that doubles with each crash. A program that fails on its own before it
    was ever ready is not tried again: that is a mistake in the deployment, and the sooner it is seen the
    better. SIGKILL always comes from outside, so it is no crash, and no number of them is too many.

    Attributes:
        crashes: how many crashes within the window are too many.
        window: seconds.
        pause: seconds before the first new start.
        longest_pause: seconds.
    """

    crashes: int = 5
    window: float = 60.0
    pause: float = 0.2
    longest_pause: float = 10.0


def check_specs(specs: Sequence[ProcessSpec]) -> None:
    """Refuse specs that cannot work together.

    Raises:
        SupervisorError: there are none, two share a name, or one has no command.
    """
    names = [spec.name for spec in specs]
    if not names:
        raise SupervisorError("There is no process to run.", cure="Name at least one.")
    for spec in specs:
        if names.count(spec.name) > 1:
            raise SupervisorError(
                f"Two processes are called {spec.name}.", cure="Give each a name of its own."
            )
        if not spec.command:
            raise SupervisorError(f"The process {spec.name} has no command.", cure="Name its program.")
