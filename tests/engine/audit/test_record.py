"""Entries are written with the work they tell of, and stay."""

import asyncio
from datetime import UTC, datetime
from uuid import UUID

import asyncpg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from kameng.audit import AuditEntryError, SecretInEntryError
from kameng.auth.principal import VISITOR
from kameng.db import counted_statements
from kameng.vault import Secret


async def entries(kernel):
    return (await kernel.audit.page(limit=200)).entries


async def test_an_entry_tells_who_did_what_to_what_when_and_from_where(kernel, staff):
    before = datetime.now(UTC)
    key = await kernel.audit.record(
        "settlement.credit_wallet",
        principal=staff,
        subject="wallet:1",
        details={"amount": 5000, "currency": "CNY", "note": "充值", "password": "hunter2"},
        correlation_id="req-1",
        address="203.0.113.7",
    )

    (entry,) = await entries(kernel)
    assert entry.id == key
    assert before <= entry.at <= datetime.now(UTC)
    assert (entry.action, entry.subject) == ("settlement.credit_wallet", "wallet:1")
    assert (entry.principal_kind, entry.principal_id) == ("staff", UUID(int=0xA))
    assert entry.details == {"amount": 5000, "currency": "CNY", "note": "充值", "password": "***"}
    assert (entry.correlation_id, entry.address) == ("req-1", "203.0.113.7")


async def test_a_visitor_has_no_id_and_little_need_be_said(kernel):
    await kernel.audit.record("auth.login_failed", principal=VISITOR, subject="login:alice")

    (entry,) = await entries(kernel)
    assert (entry.principal_kind, entry.principal_id, entry.details) == ("visitor", None, {})
    assert (entry.correlation_id, entry.address) == ("", "")


async def test_an_entry_falls_with_its_transaction(kernel, staff):
    async def undone():
        async with kernel.db.transaction():
            await kernel.audit.record("a.b", principal=staff, subject="x:1")
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await undone()
    assert await entries(kernel) == []
    assert await kernel.audit.chain() == 0


async def test_an_entry_costs_one_statement(kernel, staff):
    async with kernel.db.transaction():
        with counted_statements() as statements:
            await kernel.audit.record("a.b", principal=staff, subject="x:1", details={"n": 1})
    assert len(statements) == 1


async def test_writers_do_not_wait_for_each_other(kernel, staff):
    first_wrote, second_committed = asyncio.Event(), asyncio.Event()

    async def slow():
        async with kernel.db.transaction():
            await kernel.audit.record("slow.work", principal=staff, subject="x:1")
            first_wrote.set()
            await second_committed.wait()

    async def fast():
        await first_wrote.wait()
        async with kernel.db.transaction():
            await kernel.audit.record("fast.work", principal=staff, subject="x:1")
        second_committed.set()

    async with asyncio.timeout(30):  # only so that a deadlock is a failure and no hang
        await asyncio.gather(slow(), fast())

    assert {entry.action for entry in await entries(kernel)} == {"slow.work", "fast.work"}


async def test_what_a_client_sent_cannot_make_an_entry_fail(kernel, staff):
    async with kernel.db.transaction():
        await kernel.audit.record(
            "auth.login_failed",
            principal=staff,
            subject="login:al\0ice\ud800",
            details={"agent\0": "Mozilla\0\udfff"},
            address="1.2.3.4, " * 100,
            correlation_id="\0" * 300,
        )

    (entry,) = await entries(kernel)
    assert entry.subject == "login:al\ufffdice\ufffd"
    assert entry.details == {"agent\ufffd": "Mozilla\ufffd\ufffd"}
    assert (len(entry.address), entry.correlation_id) == (200, "\ufffd" * 200)


@pytest.mark.parametrize(
    ("action", "subject"), [("", "x:1"), ("a.b", ""), ("a" * 201, "x:1"), ("a.b", "x" * 201)]
)
async def test_an_entry_without_or_with_too_long_a_name_is_refused(kernel, staff, action, subject):
    with pytest.raises(AuditEntryError, match="characters, not 1 to 200"):
        await kernel.audit.record(action, principal=staff, subject=subject)


async def test_a_secret_is_refused_before_anything_is_written(kernel, staff):
    with pytest.raises(SecretInEntryError):
        await kernel.audit.record("a.b", principal=staff, subject="x:1", details={"card": Secret("ABCD")})
    assert await entries(kernel) == []


@pytest.mark.parametrize("table", ["kernel_audit", "kernel_audit_chain", "kernel_audit_head"])
@pytest.mark.parametrize("statement", ["delete from {}", "truncate {}", "update {} set {}"])
async def test_nobody_changes_what_was_written(kernel, write, table, statement):
    await write(2)
    await kernel.audit.chain()
    column = {
        "kernel_audit": "action = 'x'",
        "kernel_audit_chain": "hash = hash",
        "kernel_audit_head": "hash = hash",
    }[table]

    with pytest.raises(asyncpg.RestrictViolationError, match=r"append-only|moves forward"):
        await kernel.db.execute(statement.format(table, column))

    assert len(await entries(kernel)) == 2
    assert (await kernel.audit.verify()).intact


json_details = st.dictionaries(
    st.text(max_size=10),
    st.recursive(
        st.none()
        | st.booleans()
        | st.integers(-(2**63), 2**64 - 1)
        | st.floats(allow_nan=False, allow_infinity=False)
        | st.text(max_size=20),
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6), inner, max_size=3),
        max_leaves=8,
    ),
    max_size=4,
)


async def test_whatever_details_are_written_the_chain_verifies(kernel, staff):
    loop = asyncio.get_running_loop()

    @settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
    @given(json_details, st.text(min_size=1, max_size=50))
    def record(details, subject):
        recorded = kernel.audit.record("a.b", principal=staff, subject=subject, details=details)
        asyncio.run_coroutine_threadsafe(recorded, loop).result()

    await asyncio.to_thread(record)
    chained = await kernel.audit.chain()
    report = await kernel.audit.verify()

    assert chained >= 1
    assert report.intact, str(report)
    assert report.entries == chained
