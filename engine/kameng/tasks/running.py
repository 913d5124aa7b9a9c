"""What the command line starts: a worker process, or a relay process."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Iterable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from kameng.module import Module
    from kameng.settings import Settings


def run_worker(settings: Settings, *, modules: Iterable[Module] | None = None, relay: bool = True) -> None:
    """Handle events and run tasks until SIGTERM or SIGINT; blocks.

    The first signal lets what has begun end, for ``[tasks] stop_seconds`` at most; a second one breaks it
    off. Either
    way nothing is lost: what was not finished is done by another worker, or by this one when it is started
        again.

    Args:
        settings: the deployment's; ``worker_threads`` messages of each lane are under way at once.
        modules: take these instead of the installed ones.
        relay: whether to stand by as relay and scheduler.

    Raises:
        UnavailableError: the database or the broker does not answer at the start; later outages are waited
            out.
        FaultsFound: the modules do not fit together.
    """
    asyncio.run(_run(settings, modules, lanes=True, relay=relay))


def run_relay(settings: Settings, *, modules: Iterable[Module] | None = None) -> None:
    """Be relay and scheduler, or stand by for it, until SIGTERM or SIGINT; blocks. See `run_worker`."""
    asyncio.run(_run(settings, modules, lanes=False, relay=True))


async def _run(settings: Settings, modules: Iterable[Module] | None, *, lanes: bool, relay: bool) -> None:
    # The kernel imports this package, so it is imported here.
    from kameng.kernel import Kernel
    from kameng.tasks.worker import Worker

    stop = asyncio.Event()
    async with Kernel(settings, modules) as kernel:
        worker = Worker(kernel, lanes=lanes, relay=relay)

        def asked_to_stop() -> None:
            if stop.is_set():
                worker.cancel()
            stop.set()

        loop = asyncio.get_running_loop()
        for each in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(each, asked_to_stop)
        async with worker:
            await stop.wait()
