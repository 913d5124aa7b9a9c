"""Workers are killed while they order at suppliers, again and again: each line is paid once, and delivered."""

from __future__ import annotations

import asyncio
import json
import random
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

from tests.fulfilment import lives

from .conftest import Fake, Supplied

LINES = 16
KILLS = 5

OPEN = """
select count(*) from fulfilment_supplier_order where state in ('PREPARED', 'SENT', 'ACCEPTED', 'UNKNOWN')
"""


async def start_worker(supplied: Supplied, folder: Path) -> subprocess.Popen[str]:
    engine = supplied.kernel.settings.engine
    own = {
        "database_url": engine.database_url,
        "redis_url": engine.redis_url,
        "data_dir": str(supplied.kernel.settings.data_dir),
        "log_level": "error",
        "public_url": engine.public_url,
        "pool_size": 6,
    }
    tree = {"kameng": own, "fulfilment": {"supplier_loopback": True, "supplier_silence_seconds": 3}}
    (folder / "settings.json").write_text(json.dumps(tree))
    program = str(Path(__file__).parent / "worker_process.py")
    process = subprocess.Popen([sys.executable, program, str(folder)], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    assert (await asyncio.to_thread(process.stdout.readline)).strip() == "up"
    return process


async def end(process: subprocess.Popen[str]) -> None:
    """Gone, without a word."""
    process.kill()
    await asyncio.to_thread(process.wait)
    assert process.stdout is not None
    process.stdout.close()


@pytest.mark.slow
async def test_killed_workers_pay_once_and_lose_nothing(
    supplied: Supplied, fake: Fake, tmp_path: Path
) -> None:
    # Given lines at a supplier that is slow to answer, takes orders without saying so, or has none of it, and another one
    seed = random.randrange(2**32)
    print(f"seed {seed}")
    chance = random.Random(seed)
    first = await supplied.connect(fake, "First", seconds=2, concurrency=3)
    second = await supplied.connect(fake, "Second", seconds=2, concurrency=3)
    orders = []
    for number, sku in enumerate(("slow-1", "hangup-2", "never-3", "reject-4")):
        goods = await supplied.goods(f"KILL{number}")
        await supplied.offer(goods, first, sku, priority=1)
        await supplied.offer(goods, second, "slow-9", priority=2)
        orders += [(await supplied.order(goods))[0] for _ in range(LINES // 4)]
    # When the worker is killed in the midst of it, and another one takes its place
    for _ in range(KILLS):
        process = await start_worker(supplied, tmp_path)
        await asyncio.sleep(chance.uniform(0.1, 0.9))
        await end(process)
        # What it had claimed is due when its lease ends; time is made to pass, but not the time since it was sent.
        await supplied.kernel.db.execute(
            "update fulfilment_supplier_order set busy_until = now() where busy_until > now()"
        )
    # And the last one is left in peace
    process = await start_worker(supplied, tmp_path)
    try:
        waiting = len(orders)
        while waiting:
            await asyncio.sleep(0.5)
            states = [await lives.state(supplied, order) for order in orders]
            waiting = sum(state != "COMPLETED" for state in states)
            await supplied.kernel.db.execute(
                """update fulfilment_supplier_order set next_at = now()
                   where state in ('PREPARED', 'SENT', 'ACCEPTED', 'UNKNOWN') and next_at > now() + interval '3 seconds'"""
            )
            await supplied.kernel.db.execute("update fulfilment_supplier_connection set resting_until = null")
            await supplied.kernel.db.execute("update fulfilment_supplier_plan set next_at = now()")
    finally:
        await end(process)
    # Then each line was paid once at the suppliers, none was sent twice, and each buyer has his code
    assert await supplied.kernel.db.fetchval(OPEN) == 0
    sent = await supplied.kernel.db.fetch("select reference, line, state from fulfilment_supplier_order")
    line_of = {row["reference"]: row["line"] for row in sent}
    paid = Counter(line_of[reference] for reference in fake.paid)
    assert len(paid) == len(orders)
    assert set(paid.values()) == {1}
    assert set(fake.calls.values()) == {1}
    delivered = [await supplied.texts(order) for order in orders]
    assert [len(texts) for texts in delivered] == [1] * len(orders)
    assert len({texts[0] for texts in delivered}) == len(orders)
