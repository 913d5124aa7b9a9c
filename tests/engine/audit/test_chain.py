"""Every committed entry gets one place in the chain, whoever chains and whenever."""

import asyncio
import hashlib
import json
from datetime import UTC, datetime, timedelta

import pytest

from kameng.audit import AuditLog, ChainBrokenError, chain_pending
from kameng.db import counted_statements


async def links(kernel):
    return await kernel.db.fetch("select position, audit_id, hash from kernel_audit_chain order by position")


async def heads(kernel):
    return await kernel.db.fetch("select * from kernel_audit_head order by day")


async def test_entries_get_places_in_order_and_nothing_waits_any_more(kernel, write):
    ids = await write(5)
    assert await chain_pending(kernel) == 5
    ids += await write(2)
    assert await chain_pending(kernel) == 2
    assert await chain_pending(kernel) == 0

    assert [(link["position"], link["audit_id"]) for link in await links(kernel)] == list(
        enumerate(ids, start=1)
    )
    assert await kernel.db.fetchval("select count(*) from kernel_audit_pending") == 0


async def test_a_hash_is_over_the_one_before_and_the_canonical_entry(kernel, staff):
    await kernel.audit.record(
        "a.b", principal=staff, subject="x:1", details={"b": [1, None], "a": "充"}, address="::1"
    )
    await kernel.audit.record("c.d", principal=staff, subject="x:2", correlation_id="r")
    await kernel.audit.chain()

    previous = bytes(32)
    for row, link in zip(
        await kernel.db.fetch("select * from kernel_audit order by id"), await links(kernel), strict=True
    ):
        at = row["at"].isoformat(timespec="microseconds")
        columns = [str(row["id"]), at, row["action"], "staff", str(row["principal_id"]), row["subject"]]
        columns += [json.loads(row["details"]), row["address"], row["correlation_id"]]
        text = json.dumps(columns, separators=(",", ":"), sort_keys=True, ensure_ascii=False)
        previous = hashlib.sha256(previous + text.encode()).digest()
        assert link["hash"] == previous


async def test_large_backlogs_go_in_batches(kernel, write):
    await write(25)

    with counted_statements() as statements:
        assert await chain_pending(kernel, batch=10) == 25

    assert sum("audit.pending" in statement for statement in statements) == 3
    assert [link["position"] for link in await links(kernel)] == list(range(1, 26))


async def test_chaining_at_the_same_time_gives_each_entry_one_place(kernel, write):
    await write(200)

    async def chain():
        return await chain_pending(kernel, batch=7)

    async def more():
        return await write(50)

    results = await asyncio.gather(chain(), chain(), more(), chain(), chain())
    rest = await chain_pending(kernel)

    assert results[0] + results[1] + results[3] + results[4] + rest == 250
    assert [link["position"] for link in await links(kernel)] == list(range(1, 251))
    assert len({link["audit_id"] for link in await links(kernel)}) == 250
    assert (await kernel.audit.verify()).intact


async def test_an_entry_of_a_long_transaction_is_chained_when_it_becomes_visible(kernel, staff):
    began, chained = asyncio.Event(), asyncio.Event()

    async def long():
        async with kernel.db.transaction():
            entry = await kernel.audit.record("long.work", principal=staff, subject="x:1")
            began.set()
            await chained.wait()
        return entry

    work = asyncio.create_task(long())
    await began.wait()
    younger = await kernel.audit.record("short.work", principal=staff, subject="x:2")
    assert await kernel.audit.chain() == 1
    chained.set()
    older = await work
    assert await kernel.audit.chain() == 1

    assert older < younger
    assert [link["audit_id"] for link in await links(kernel)] == [younger, older]
    assert (await kernel.audit.verify()).intact


async def test_a_chainer_that_dies_leaves_all_to_the_next(kernel, write, monkeypatch):
    await write(3)

    def die(*_arguments, **_more):
        raise ConnectionError

    monkeypatch.setattr("kameng.audit.chaining.sign_head", die)
    with pytest.raises(ConnectionError):
        await kernel.audit.chain()
    monkeypatch.undo()

    assert await links(kernel) == []
    assert await kernel.audit.chain() == 3
    assert (await kernel.audit.verify()).intact


class Clock(datetime):
    """Stands still where a test puts it."""

    moment: datetime

    @classmethod
    def now(cls, tz=None):
        return cls.moment


async def test_each_day_has_one_head_that_stands_at_its_last_place(kernel, write, monkeypatch):
    monkeypatch.setattr("kameng.audit.chaining.datetime", Clock)
    start = datetime(2026, 3, 1, 12, tzinfo=UTC)
    for hours, count in ((0, 2), (1, 3), (24, 4), (72, 1)):
        Clock.moment = start + timedelta(hours=hours)
        await write(count)
        await kernel.audit.chain()

    assert [(head["day"].isoformat(), head["position"]) for head in await heads(kernel)] == [
        ("2026-03-01", 5),
        ("2026-03-02", 9),
        ("2026-03-04", 10),
    ]
    by_position = {link["position"]: link["hash"] for link in await links(kernel)}
    assert all(head["hash"] == by_position[head["position"]] for head in await heads(kernel))
    report = await kernel.audit.verify()
    assert report.intact, str(report)


async def test_a_clock_that_goes_back_does_not_open_an_earlier_day_again(kernel, write, monkeypatch):
    monkeypatch.setattr("kameng.audit.chaining.datetime", Clock)
    for moment in (datetime(2026, 3, 2, 0, 1, tzinfo=UTC), datetime(2026, 3, 1, 23, 59, tzinfo=UTC)):
        Clock.moment = moment
        await write(1)
        await kernel.audit.chain()

    assert [(head["day"].isoformat(), head["position"]) for head in await heads(kernel)] == [
        ("2026-03-02", 2)
    ]
    assert (await kernel.audit.verify()).intact


async def test_nothing_is_added_to_a_chain_that_was_cut(kernel, write, intruder):
    await write(5)
    await kernel.audit.chain()
    await intruder("delete from kernel_audit_chain where position = 5")
    await write(1)

    with pytest.raises(ChainBrokenError, match="does not end where its signed head says") as caught:
        await kernel.audit.chain()
    assert caught.value.code == "AUDIT_CHAIN_BROKEN"
    assert "kameng audit verify" in caught.value.cure
    assert len(await links(kernel)) == 4


async def test_the_kernel_has_an_audit_log(kernel):
    assert isinstance(kernel.audit, AuditLog)
    assert await kernel.audit.chain() == 0
    report = await kernel.audit.verify()
    assert (report.intact, report.entries, report.pending, str(report.head)) == (True, 0, 0, f"0:{'00' * 32}")
