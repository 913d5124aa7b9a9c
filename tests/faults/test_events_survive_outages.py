"""Database and broker go away under load and come back: workers and relays wait for them, and nothing is lost."""

from __future__ import annotations

import asyncio
import os
import signal
from pathlib import Path

import pytest

from kameng.db.migrations import Migrator
from kameng.embedded import temporary_services
from kameng.events.failure import OUTAGES
from kameng.kernel import Kernel
from kameng.settings import read_settings
from tests.faults.events_fleet import Fleet, Producer, all_done, check_effects, environment
from tests.faults.events_module import FAULTS, TABLES

SEED = 20261123
AWAY_SECONDS = 1.0


@pytest.mark.slow
async def test_workers_and_relays_outlive_outages_of_the_database_and_of_the_broker(tmp_path: Path) -> None:
    with temporary_services() as services:
        variables = environment(services.database_url, services.redis_url)
        postgres, valkey = services.postgres, services.valkey
        assert postgres is not None
        assert valkey is not None
        async with Kernel(read_settings(environ=variables), [FAULTS]) as kernel:
            kernel.db.use()
            await Migrator(kernel.db, kernel.modules).forwards()
            await kernel.db.execute(TABLES)
            fleet = Fleet(variables, tmp_path)
            producer = Producer(kernel, SEED)
            producing = asyncio.create_task(producer.run())
            try:
                await fleet.all_ready()
                handled = await _more_effects(kernel, 0)
                for gone in ([postgres], [valkey], [postgres, valkey]):
                    for server in gone:
                        os.kill(server.pid, signal.SIGKILL)
                    await asyncio.sleep(AWAY_SECONDS)
                    for server in gone:
                        await asyncio.to_thread(server.revive)
                    handled = await _more_effects(kernel, handled)
                producer.stop.set()
                await producing
                await all_done(kernel)
                await asyncio.to_thread(fleet.stop)
            finally:
                producing.cancel()
                fleet.abandon()
            await check_effects(kernel)
            # and all of it was done by the processes that were there at the beginning
            assert fleet.starts == dict.fromkeys(fleet.names(), 1)
            assert producer.outages > 0


async def _more_effects(kernel: Kernel, before: int) -> int:
    """Wait until something has been handled since the last outage."""
    while True:
        try:
            now = int(await kernel.db.fetchval("select count(*) from effect"))
        except OUTAGES:
            now = before
        if now > before:
            return now
        await asyncio.sleep(0.05)
