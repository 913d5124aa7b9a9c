"""Runs the processes of a deployment under one parent, for ``kameng dev`` and ``kameng serve``.

A `ProcessSpec` says what to run and how to see that it is ready; `Supervisor.run` does the rest until a
signal comes.
"""

from kameng.supervisor.output import Output
from kameng.supervisor.spec import Patience, ProcessSpec, SupervisorError
from kameng.supervisor.supervisor import Supervisor

__all__ = ["Output", "Patience", "ProcessSpec", "Supervisor", "SupervisorError"]
