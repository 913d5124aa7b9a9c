"""Workers and relays are killed again and again under load, and Valkey with all its messages: every event that was
committed has its effects once, and no other has any."""

from __future__ import annotations

import asyncio
import os
import random
import signal
from pathlib import Path

import pytest

from kameng.db.migrations import Migrator
from kameng.embedded import temporary_services
from kameng.kernel import Kernel
from kameng.settings import read_settings
from tests.faults.events_fleet import Fleet, Producer, all_done, check_effects, environment
from tests.faults.events_module import FAULTS, TABLES

SEED = 20261122
KILLS = 30


@pytest.mark.slow
async def test_every_event_is_handled_once_though_workers_relays_and_valkey_are_killed(
    tmp_path: Path,
) -> None:
    chance = random.Random(SEED)
    # Nothing of Valkey is on disk, so killing it loses all messages.
    with temporary_services(durable=False) as services:
        variables = environment(services.database_url, services.redis_url)
        assert services.valkey is not None
        async with Kernel(read_settings(environ=variables), [FAULTS]) as kernel:
            kernel.db.use()
            await Migrator(kernel.db, kernel.modules).forwards()
            await kernel.db.execute(TABLES)
            fleet = Fleet(variables, tmp_path)
            producer = Producer(kernel, SEED)
            producing = asyncio.create_task(producer.run())
            try:
                await fleet.all_ready()
                under_way = effects = 0
                for number in range(KILLS):
                    effects = await _more_effects(kernel, effects)
                    await asyncio.sleep(chance.uniform(0.05, 1))
                    backlog = await kernel.events.backlog()
                    under_way += backlog.owed > 0
                    if number == KILLS // 2:
                        os.kill(services.valkey.pid, signal.SIGKILL)
                        await asyncio.sleep(0.5)
                        await asyncio.to_thread(services.valkey.revive)
                    await asyncio.to_thread(fleet.kill, chance.choice(fleet.names()))
                producer.stop.set()
                await producing
                await asyncio.to_thread(fleet.mend)
                await all_done(kernel)
                await asyncio.to_thread(fleet.stop)
            finally:
                producing.cancel()
                fleet.abandon()
            await check_effects(kernel)
            # and it was no idle fleet that was killed
            assert under_way > KILLS // 2
            assert producer.rolled_back > 0


async def _more_effects(kernel: Kernel, before: int) -> int:
    """Wait until something has been handled since the last kill."""
    while (now := await kernel.db.fetchval("select count(*) from effect")) <= before:
        await asyncio.sleep(0.05)
    return int(now)
