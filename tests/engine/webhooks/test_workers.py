"""The whole way through relay, broker and worker processes, some of which are killed."""

from __future__ import annotations

import subprocess
import sys
from collections import Counter
from pathlib import Path

from tests.engine.events.sample import emit, until

from .conftest import Hooks, Receiver

ROOT = Path(__file__).parents[3]


def start_worker(hooks: Hooks) -> subprocess.Popen[bytes]:
    """A worker process on the kernel's database, with short leases."""
    import json

    engine = hooks.kernel.settings.engine
    tree = {
        "kameng": {
            "database_url": engine.database_url,
            "redis_url": engine.redis_url,
            "data_dir": str(hooks.kernel.settings.data_dir),
            "master_keys_file": str(hooks.kernel.settings.data_dir / "vault.keys"),
            "log_level": "error",
        },
        "events": {"lease_seconds": 1.0},
        "tasks": {"lease_seconds": 1.0, "retry_seconds": 0.2},
        "webhooks": {"allow_loopback": True, "timeout_seconds": 2.0},
    }
    return subprocess.Popen(
        [
            sys.executable,
            "-m",
            "tests.engine.webhooks.worker",
            json.dumps(tree),
            str(hooks.kernel.settings.root),
        ],
        cwd=ROOT,
        stderr=subprocess.DEVNULL,
    )


async def test_nothing_is_lost_when_workers_are_killed(hooks: Hooks, receiver: Receiver) -> None:
    # given an endpoint that takes its time, and sixty events
    await hooks.endpoint(f"{receiver.url}/brief")
    await emit(hooks.kernel, *range(60))
    # when the worker that sends them is killed in the middle
    first = start_worker(hooks)
    try:

        async def begun() -> bool:
            return len(receiver.got()) >= 10

        await until(begun)
    finally:
        first.kill()
        first.wait()
    assert len(receiver.got()) < 60
    # and its leases are over
    await hooks.kernel.db.execute(
        "update webhooks_delivery set next_at = now() where state = 'sending' and next_at > now()"
    )
    second = start_worker(hooks)
    try:

        async def delivered() -> bool:
            return await hooks.kernel.db.fetchval(
                "select count(*) = 60 from webhooks_delivery where state = 'delivered'"
            )

        await until(delivered)
    finally:
        second.terminate()
        second.wait()
    # then each event came, once but for the few that were under way when the worker died
    came = Counter(request["headers"]["webhook-id"] for request in receiver.got())
    assert len(came) == 60
    assert sum(came.values()) <= 64
