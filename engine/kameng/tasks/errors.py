"""Misuse of the task queue: mistakes of a program, not of a client."""

from kameng.errors import KamengError


class TaskMisuseError(KamengError):
    """A task was enqueued that no worker could run."""

    code = "TASK_MISUSED"
