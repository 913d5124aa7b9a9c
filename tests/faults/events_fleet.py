"""What the tests of events under faults share: processes to kill, a producer, and the checks at the end."""

from __future__ import annotations

import asyncio
import multiprocessing
import random
import time
from collections import Counter
from contextlib import suppress
from multiprocessing.context import ForkServerProcess
from pathlib import Path

from kameng.events.failure import OUTAGES
from kameng.kernel import Kernel
from tests.faults import events_process
from tests.faults.events_module import Happened

MOST_EVENTS = 12_000
PRESSURE = 600  # so many events are kept on their way
STUCK_SECONDS = 60  # without any progress: the test gives up waiting

WORKERS_AND_RELAYS = ("worker 1", "worker 2", "relay 1", "relay 2")


def environment(database_url: str, redis_url: str) -> dict[str, str]:
    """Settings under which faults are overcome quickly."""
    return {
        "DATABASE_URL": database_url,
        "REDIS_URL": redis_url,
        "KAMENG_EVENTS__LEASE_SECONDS": "2",
        "KAMENG_EVENTS__RETRY_SECONDS": "0.2",
        "KAMENG_TASKS__LEASE_SECONDS": "2",
        "KAMENG_TASKS__RETRY_SECONDS": "0.2",
    }


class Fleet:
    """Two workers and two relays, each a process; one that was killed is started again.

    They are forked from a process that has imported everything and done nothing yet: a start takes moments then, and the
    kills hit processes at work instead of processes that still import.
    """

    def __init__(self, environment: dict[str, str], folder: Path) -> None:
        self._environment = environment
        self._folder = folder
        self._context = multiprocessing.get_context("forkserver")
        self._context.set_forkserver_preload(
            ["tests.faults.events_process", "kameng.kernel", "kameng.tasks.worker"]
        )
        self._processes: dict[str, ForkServerProcess] = {}
        self.starts: Counter[str] = Counter()
        for name in WORKERS_AND_RELAYS:
            self._start(name)

    def _start(self, name: str) -> None:
        self.starts[name] += 1
        arguments = (name.split()[0], self._environment, str(self._log(name)))
        self._processes[name] = self._context.Process(target=events_process.run, args=arguments, daemon=True)
        self._processes[name].start()

    def names(self) -> list[str]:
        return list(self._processes)

    async def all_ready(self) -> None:
        """Wait until all of them work."""
        for name in self.names():
            while not (self._log(name).exists() and "is ready" in self._log(name).read_text()):
                assert not self._ended(name)
                await asyncio.sleep(0.05)

    def kill(self, name: str) -> None:
        process = self._processes[name]
        if not self._ended(name):
            process.kill()
            process.join()
        self._start(name)

    def mend(self) -> None:
        """Start those that have ended by themselves."""
        for name in self.names():
            if self._ended(name):
                self._start(name)

    def _ended(self, name: str) -> bool:
        """Whether it has ended by itself, which only one may that was started while Valkey was away."""
        ended = not self._processes[name].is_alive()
        if ended:
            told = self._log(name).read_text()
            assert "is ready" not in told, f"{name} ended by itself:\n{told}"
            assert "UnavailableError" in told, f"{name} did not start:\n{told}"
        return ended

    def _log(self, name: str) -> Path:
        return self._folder / f"{name}, start {self.starts[name]}.log"

    def stop(self) -> None:
        """Ask all to stop, and see that they end in order."""
        for process in self._processes.values():
            process.terminate()
        for name, process in self._processes.items():
            process.join(60)
            assert process.exitcode == 0, (
                f"{name} ended with {process.exitcode}:\n{self._log(name).read_text()}"
            )

    def abandon(self) -> None:
        for process in self._processes.values():
            process.kill()
            process.join()


class Producer:
    """Writes facts and their events in one transaction; a fifth of the transactions, or of their inner blocks, fails."""

    def __init__(self, kernel: Kernel, seed: int) -> None:
        self._kernel = kernel
        self._random = random.Random(seed)
        self._next = 0
        self.rolled_back = 0
        self.outages = 0
        self.stop = asyncio.Event()

    async def run(self) -> None:
        while not self.stop.is_set() and self._next < MOST_EVENTS:
            try:
                backlog = await self._kernel.events.backlog()
                if backlog.unrelayed + backlog.owed < PRESSURE:
                    await self._transaction()
                    continue
            except OUTAGES:
                # Whether its commit went through or not, the facts in the database are what counts.
                self.outages += 1
            await asyncio.sleep(0.02)

    async def _transaction(self) -> None:
        with suppress(ZeroDivisionError):
            async with self._kernel.db.transaction():
                await self._happen(self._random.randint(1, 20))
                with suppress(ZeroDivisionError):
                    async with self._kernel.db.transaction():
                        await self._happen(self._random.randint(1, 5))
                        self._maybe_fail()
                self._maybe_fail()

    async def _happen(self, count: int) -> None:
        numbers = range(self._next, self._next + count)
        self._next += count
        await self._kernel.db.execute("insert into fact select unnest($1::int[])", list(numbers))
        await self._kernel.events.emit(*(Happened(number=number) for number in numbers))

    def _maybe_fail(self) -> None:
        if self._random.random() < 0.2:
            self.rolled_back += 1
            raise ZeroDivisionError


async def all_done(kernel: Kernel) -> None:
    """Wait until nothing is due any more; a queue in which nothing moves is left to the checks."""
    left = moved = None
    while left != (0, 0, 0):
        backlog = await kernel.events.backlog()
        tasks = await kernel.db.fetchval(
            "select count(*) from kernel_task where state not in ('done', 'dead')"
        )
        now = (backlog.unrelayed, backlog.owed, tasks)
        if now != left:
            left, moved = now, time.monotonic()
        elif moved is not None and time.monotonic() - moved > STUCK_SECONDS:
            return
        await asyncio.sleep(0.1)


async def check_effects(kernel: Kernel) -> None:
    facts = {row["number"] for row in await kernel.db.fetch("select number from fact")}
    done: dict[str, Counter[int]] = {name: Counter() for name in ("one", "many", "followed", "note")}
    for handler, number in await kernel.db.fetch("select handler, number from effect"):
        done[handler][number] += 1
    once = Counter(facts)
    for handler in ("one", "many", "followed"):
        assert done[handler] - once == Counter(), f"{handler}: more than once, or never committed"
        assert once - done[handler] == Counter(), f"{handler}: lost"
    # tasks may run twice, but none is lost
    assert set(done["note"]) == {number for number in facts if number % 10 == 0}
    states = await kernel.db.fetch("select distinct state from kernel_task where name = 'faults.note'")
    assert [row["state"] for row in states] == ["done"]
    assert (await kernel.events.backlog()).dead == 0
    print(
        f"{len(facts)} events, each handled once; {sum(done['note'].values())} runs of {len(done['note'])} tasks"
    )
