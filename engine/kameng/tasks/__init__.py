"""Tasks: work outside a request, with schedules, retries and dead letters.

    enqueue (in the caller's transaction) → row → relay → broker → worker

A task is a row before it is a message, and a message carries only its id.
"""

from kameng.tasks.draining import drain
from kameng.tasks.errors import TaskMisuseError
from kameng.tasks.queue import TaskQueue, TaskState
from kameng.tasks.running import run_relay, run_worker

__all__ = ["TaskMisuseError", "TaskQueue", "TaskState", "drain", "run_relay", "run_worker"]
