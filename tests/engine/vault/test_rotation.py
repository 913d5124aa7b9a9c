"""A new master key comes into use, wraps all data keys, and the old one goes, whatever happens in between."""

import asyncio
import os
import random
import signal
import sys
from pathlib import Path

import asyncpg
import pytest

from kameng.vault import (
    DataKeyBrokenError,
    KeyRingReadOnlyError,
    MasterKeyInUseError,
    MasterKeyUnknownError,
    create_key_ring,
)
from kameng.vault.key_ring import Purpose
from kameng.vault.ring_source import locate


async def sealed_values(kernel, count):
    """That many values, each sealed by a data key of its own."""
    values = []
    async with kernel.db.transaction():
        for number in range(count):
            key = await kernel.vault.new_key(f"cards:{number}")
            values.append((key.id, key.seal(b"code %d" % number, b""), b""))
    return values


def plain(count):
    return [b"code %d" % number for number in range(count)]


async def test_after_a_rotation_new_keys_are_wrapped_by_the_new_master_and_old_ones_still_open(kernel):
    values = await sealed_values(kernel, 3)
    version = await kernel.vault.rotate_master()
    values += [(key.id, key.seal(b"code 3", b""), b"") for key in [await kernel.vault.new_key("cards:3")]]

    assert version == 4
    assert await kernel.vault.master_usage() == {1: 3, 4: 1}
    assert await kernel.vault.open_many(values) == plain(4)


async def test_re_wrapping_changes_the_wrapping_and_neither_keys_nor_values(kernel, another_process):
    values = await sealed_values(kernel, 12)
    before = await kernel.db.fetch("select id, wrapped from kernel_data_key order by id")
    await kernel.vault.rotate_master()

    assert await kernel.vault.rewrap(batch=5) == 12
    assert await kernel.vault.rewrap(batch=5) == 0

    assert await kernel.vault.master_usage() == {1: 0, 4: 12}
    after = await kernel.db.fetch("select id, wrapped from kernel_data_key order by id")
    assert [row["id"] for row in before] == [row["id"] for row in after]
    assert not {row["wrapped"] for row in before} & {row["wrapped"] for row in after}
    assert await (await another_process()).vault.open_many(values) == plain(12)


async def test_the_old_master_is_removable_only_when_nothing_needs_it(kernel, another_process):
    values = await sealed_values(kernel, 2)
    with pytest.raises(MasterKeyInUseError, match="active one"):
        await kernel.vault.remove_master(1)
    await kernel.vault.rotate_master()

    with pytest.raises(MasterKeyInUseError, match="still wraps 2 data keys") as caught:
        await kernel.vault.remove_master(1)
    assert caught.value.code == "VAULT_MASTER_IN_USE"
    assert locate(kernel.settings).read().get(1, Purpose.WRAPPING)

    await kernel.vault.rewrap()
    await kernel.vault.remove_master(1)

    ring = locate(kernel.settings).read()
    assert [key.version for key in ring.of(Purpose.WRAPPING)] == [4]
    assert await kernel.vault.master_usage() == {4: 2}
    assert await (await another_process()).vault.open_many(values) == plain(2)
    with pytest.raises(MasterKeyUnknownError):
        await kernel.vault.remove_master(1)
    with pytest.raises(MasterKeyUnknownError):
        await kernel.vault.remove_master(2)  # the blind-index key


async def test_the_database_itself_keeps_a_master_that_is_needed(kernel):
    await sealed_values(kernel, 1)

    with pytest.raises(asyncpg.IntegrityConstraintViolationError):
        await kernel.db.execute("delete from kernel_master_key where version = 1")


async def test_a_process_that_knows_only_the_old_ring_follows_by_itself(kernel, another_process):
    other = await another_process()
    await other.vault.new_key("cards:0")
    await kernel.vault.rotate_master()
    key = await kernel.vault.new_key("cards:1")

    assert await other.vault.open(key.id, key.seal(b"x", b""), b"") == b"x"
    await other.vault.new_key("cards:2")
    assert await kernel.vault.master_usage() == {1: 1, 4: 2}


async def test_a_key_being_made_keeps_its_master_from_being_removed(kernel, another_process):
    await kernel.vault.new_key("cards:0")
    slow = await another_process()
    async with slow.db.transaction():
        await slow.vault.new_key("cards:1")  # wrapped by version 1, not committed yet
        await kernel.vault.rotate_master()
        await kernel.vault.rewrap()
        removing = asyncio.create_task(kernel.vault.remove_master(1))
        _, waiting = await asyncio.wait([removing], timeout=0.3)
        assert waiting == {removing}

    with pytest.raises(MasterKeyInUseError, match="still wraps 1 data keys"):
        await removing
    assert await kernel.vault.rewrap() == 1


async def test_a_staged_key_is_not_used_before_the_rotation(kernel):
    await kernel.vault.new_key("cards:0")

    assert await kernel.vault.stage_master() == 4
    assert await kernel.vault.stage_master() == 4
    await kernel.vault.new_key("cards:1")
    assert await kernel.vault.master_usage() == {1: 2}
    with pytest.raises(MasterKeyInUseError):
        await kernel.vault.remove_master(4)

    assert await kernel.vault.rotate_master() == 4
    await kernel.vault.new_key("cards:2")
    assert await kernel.vault.master_usage() == {1: 2, 4: 1}
    assert await kernel.vault.rotate_master() == 5


async def test_two_machines_rotate_without_one_meeting_a_key_it_lacks(kernel, another_process, tmp_path):
    await kernel.vault.new_key("cards:0")
    create_key_ring(tmp_path / "vault.keys")
    machine = await another_process(data_dir=tmp_path)
    copy = locate(machine.settings)
    copy.replace(locate(kernel.settings).read())

    await kernel.vault.stage_master()
    copy.replace(locate(kernel.settings).read())
    await kernel.vault.rotate_master()
    key = await kernel.vault.new_key("cards:1")

    assert await machine.vault.open(key.id, key.seal(b"x", b""), b"") == b"x"


async def test_a_ring_of_the_environment_rotates_once_it_has_a_new_key(kernel, another_process, monkeypatch):
    await kernel.vault.new_key("cards:0")
    ring = locate(kernel.settings).read()
    process = await another_process()
    monkeypatch.setenv("KAMENG_MASTER_KEYS", ring.text().text())

    with pytest.raises(KeyRingReadOnlyError, match="cannot be changed from here"):
        await process.vault.rotate_master()
    assert await kernel.vault.master_usage() == {1: 1}

    monkeypatch.setenv("KAMENG_MASTER_KEYS", ring.with_new(Purpose.WRAPPING).text().text())
    assert await process.vault.rotate_master() == 4
    assert await process.vault.rewrap() == 1


async def test_rotations_at_the_same_time_give_versions_one_after_the_other(kernel, another_process):
    other = await another_process()
    versions = await asyncio.gather(kernel.vault.rotate_master(), other.vault.rotate_master())

    assert sorted(versions) == [4, 5]
    assert [key.version for key in locate(kernel.settings).read().of(Purpose.WRAPPING)] == [1, 4, 5]


async def test_two_processes_re_wrap_together(kernel, another_process):
    values = await sealed_values(kernel, 60)
    await kernel.vault.rotate_master()
    other = await another_process()

    done = await asyncio.gather(kernel.vault.rewrap(batch=7), other.vault.rewrap(batch=7))

    assert sum(done) == 60
    assert await kernel.vault.master_usage() == {1: 0, 4: 60}
    assert await (await another_process()).vault.open_many(values) == plain(60)


async def test_a_key_that_does_not_authenticate_stops_the_re_wrapping_and_is_named(kernel):
    values = await sealed_values(kernel, 6)
    await kernel.db.execute("update kernel_data_key set scope = 'forged' where id = $1", values[4][0])
    await kernel.vault.rotate_master()

    with pytest.raises(DataKeyBrokenError, match=str(values[4][0])):
        await kernel.vault.rewrap(batch=2)

    assert await kernel.vault.master_usage() == {1: 2, 4: 4}


async def test_a_cancelled_re_wrapping_goes_on_where_it_stopped(kernel, another_process):
    values = await sealed_values(kernel, 100)
    await kernel.vault.rotate_master()
    work = asyncio.create_task(kernel.vault.rewrap(batch=1))
    while (await kernel.vault.master_usage())[4] < 10:
        await asyncio.sleep(0)
    work.cancel()
    with pytest.raises(asyncio.CancelledError):
        await work

    usage = await kernel.vault.master_usage()
    assert usage[1] > 0
    assert await (await another_process()).vault.open_many(values) == plain(100)
    assert await kernel.vault.rewrap() == usage[1]
    assert await (await another_process()).vault.open_many(values) == plain(100)


REWRAP = """
import asyncio, sys
from pathlib import Path
from types import SimpleNamespace
from kameng.db import Database
from kameng.settings import Settings
from kameng.vault import Vault

async def main():
    own = {"database_url": sys.argv[1], "data_dir": sys.argv[2]}
    process = SimpleNamespace(settings=Settings({"kameng": own}, root=Path("/")), db=Database(sys.argv[1]))
    await process.db.open()
    print("ready", flush=True)
    await Vault(process).rewrap(batch=3)

asyncio.run(main())
"""


@pytest.mark.slow
async def test_a_re_wrapping_that_is_killed_over_and_over_loses_nothing(kernel, another_process):
    values = await sealed_values(kernel, 300)
    await kernel.vault.rotate_master()
    engine = kernel.settings.engine
    killed_midway = 0
    for _ in range(12):
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-c", REWRAP, engine.database_url, engine.data_dir, stdout=asyncio.subprocess.PIPE
        )
        assert process.stdout is not None
        await process.stdout.readline()
        before = (await kernel.vault.master_usage())[4]
        goal = before + random.randint(0, 30)
        while process.returncode is None and (await kernel.vault.master_usage())[4] < goal:
            await asyncio.sleep(0.001)
        if process.returncode is None:
            os.kill(process.pid, signal.SIGKILL)
        await process.wait()
        usage = await kernel.vault.master_usage()
        killed_midway += process.returncode == -signal.SIGKILL and usage[1] > 0
        assert sum(usage.values()) == 300
        assert await (await another_process()).vault.open_many(values) == plain(300)

    assert killed_midway >= 2
    left = (await kernel.vault.master_usage())[1]
    assert await kernel.vault.rewrap() == left
    await kernel.vault.remove_master(1)
    assert await (await another_process()).vault.open_many(values) == plain(300)


async def test_a_crash_between_ring_and_database_is_made_good_by_repeating(kernel, monkeypatch):
    await sealed_values(kernel, 1)
    monkeypatch.setattr("kameng.vault.masters.Masters._register", _crash)
    with pytest.raises(ConnectionError):
        await kernel.vault.rotate_master()
    monkeypatch.undo()

    assert locate(kernel.settings).read().newest(Purpose.WRAPPING).version == 4
    assert await kernel.vault.rotate_master() == 4

    await kernel.vault.rewrap()
    monkeypatch.setattr("kameng.vault.ring_source.RingSource.replace", _crash)
    with pytest.raises(ConnectionError):
        await kernel.vault.remove_master(1)
    monkeypatch.undo()

    assert await kernel.vault.master_usage() == {4: 1}
    await kernel.vault.remove_master(1)
    assert [key.version for key in locate(kernel.settings).read().of(Purpose.WRAPPING)] == [4]


def _crash(*_arguments: object) -> None:
    raise ConnectionError(Path("nowhere"))
