"""A revocation reaches every process, and none trusts its memory while it could not hear one."""

import asyncio
import sys
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from structlog.testing import capture_logs

from kameng.auth import PrincipalKind
from kameng.db import counted_statements
from tests.engine.auth.eventually import eventually, remember

MEMBER = PrincipalKind.MEMBER
ROOT = Path(__file__).parents[3]


class Other:
    """The other process, asked through its standard input."""

    def __init__(self, process):
        self._process = process

    async def ask(self, token):
        self._process.stdin.write(f"{token}\n".encode())
        await self._process.stdin.drain()
        answer = (await self._process.stdout.readline()).decode().strip()
        assert answer in ("dead", "looked up", "remembered")
        return answer

    async def remember(self, token):
        await eventually(lambda: self.ask(token), lambda answer: answer == "remembered")

    async def forget(self, token):
        return await eventually(lambda: self.ask(token), lambda answer: answer != "remembered")


@pytest.fixture
async def other(services, database_url, data_dir):
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "tests.engine.auth.other_process",
        database_url,
        services.redis_url,
        str(data_dir),
        cwd=ROOT,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
    )
    yield Other(process)
    process.stdin.close()
    assert await process.wait() == 0


async def gone(kernel, token):
    """Wait until a kernel no longer lets a token in."""
    await eventually(lambda: kernel.auth.sessions.find(token), lambda principal: principal is None)


async def test_another_process_remembers_and_sees_a_revocation_at_once(start, directory, other):
    # given a session that the other process remembers for 300 seconds
    kernel = await start()
    opened = await kernel.auth.sessions.open(MEMBER, directory.add(MEMBER))
    bystander = await kernel.auth.sessions.open(MEMBER, directory.add(MEMBER))
    await other.remember(opened.token)
    await other.remember(bystander.token)

    # when this one revokes it
    await kernel.auth.sessions.revoke(opened.id)

    # then the other one's memory of it is gone, long before its time, and only of it
    assert await other.forget(opened.token) == "dead"
    assert await other.ask(bystander.token) == "remembered"


async def test_another_process_refuses_a_token_that_was_rotated_away(start, directory, other):
    kernel = await start()
    old = await kernel.auth.sessions.open(MEMBER, directory.add(MEMBER))
    await other.remember(old.token)
    async with kernel.db.transaction():
        new = await kernel.auth.sessions.rotate(old.id)
    assert await other.forget(old.token) == "dead"
    assert await other.ask(new.token) == "looked up"


async def test_two_kernels_in_one_process_tell_each_other(start, directory):
    one, two = await start(session_cache_seconds=300), await start(session_cache_seconds=300)
    opened = await one.auth.sessions.open(MEMBER, directory.add(MEMBER))
    await remember(one.auth.sessions.find, opened.token)
    await remember(two.auth.sessions.find, opened.token)
    await one.auth.sessions.revoke(opened.id)
    assert await one.auth.sessions.find(opened.token) is None
    await gone(two, opened.token)


async def test_what_others_look_up_before_the_commit_is_forgotten_after_it(start, directory):
    one, two = await start(session_cache_seconds=300), await start(session_cache_seconds=300)
    opened = await one.auth.sessions.open(MEMBER, directory.add(MEMBER))
    async with one.db.transaction():
        # given a revocation that is not committed, so that the other kernel still finds the session
        await one.auth.sessions.revoke(opened.id)
        await asyncio.sleep(0.05)
        await remember(two.auth.sessions.find, opened.token)
    await gone(two, opened.token)


async def test_a_lost_connection_empties_the_memory_and_a_new_one_fills_it_again(start, directory):
    kernel = await start(session_cache_seconds=300)
    opened = await kernel.auth.sessions.open(MEMBER, directory.add(MEMBER))
    await remember(kernel.auth.sessions.find, opened.token)

    # when Valkey drops the subscription, and a revocation is written that nobody publishes
    with capture_logs() as logs:
        await kernel.valkey.execute_command("CLIENT", "KILL", "TYPE", "PUBSUB")
        await kernel.db.execute("update kernel_session set revoked_at = now() where id = $1", opened.id)
        await gone(kernel, opened.token)
    assert [entry["event"] for entry in logs] == ["revocations_not_heard"]

    # then the kernel listens again by itself
    another = await kernel.auth.sessions.open(MEMBER, directory.add(MEMBER))
    await remember(kernel.auth.sessions.find, another.token)


@pytest.fixture
async def line(services):
    """A line to Valkey that can be cut: its address, and what cuts it."""
    target = urlsplit(services.redis_url)
    ends: list[asyncio.StreamWriter] = []

    async def carry(reader, writer):
        while data := await reader.read(4096):
            writer.write(data)

    async def connect(reader, writer):
        there, back = await asyncio.open_connection(target.hostname, target.port)
        ends.extend((writer, back))
        await asyncio.gather(carry(reader, back), carry(there, writer), return_exceptions=True)

    def cut():
        server.close()
        for end in ends:
            end.close()

    server = await asyncio.start_server(connect, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    yield target._replace(netloc=f"{target.netloc.rpartition('@')[0]}@127.0.0.1:{port}").geturl(), cut
    cut()


async def test_while_valkey_is_gone_every_look_up_asks_the_database_and_revoking_works(
    start, directory, line
):
    url, cut = line
    kernel = await start(session_cache_seconds=300, redis_url=url)
    opened = await kernel.auth.sessions.open(MEMBER, directory.add(MEMBER))
    await remember(kernel.auth.sessions.find, opened.token)

    # when the line is cut
    cut()

    # then nothing is remembered any more
    async def statements_needed():
        with counted_statements() as statements:
            assert await kernel.auth.sessions.find(opened.token) is not None
        return len(statements)

    await eventually(statements_needed, lambda count: count == 1)
    for _ in range(20):
        assert await statements_needed() == 1
        await asyncio.sleep(0.01)

    # and a revocation holds, with a word in the log
    with capture_logs() as logs:
        await kernel.auth.sessions.revoke(opened.id)
    assert "revocation_not_published" in [entry["event"] for entry in logs]
    assert await kernel.auth.sessions.find(opened.token) is None


async def test_closing_waits_for_what_is_still_to_be_told(start, directory):
    one, two = await start(session_cache_seconds=300), await start(session_cache_seconds=300)
    opened = await one.auth.sessions.open(MEMBER, directory.add(MEMBER))
    await remember(two.auth.sessions.find, opened.token)
    async with one.db.transaction():
        await one.auth.sessions.revoke(opened.id)
    await one.auth.close()
    await gone(two, opened.token)
