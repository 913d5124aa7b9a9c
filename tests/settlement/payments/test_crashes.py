"""Processes that are killed in the middle: whatever they were at, the money is right afterwards, and there once."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from kameng.money import Money
from kameng_settlement.payments.polling import poll_payments
from kameng_settlement.payments.refunding import refund_payments, request_refund

from .conftest import Till

Teller = Callable[..., subprocess.Popen[str]]


@pytest.fixture
def teller(till: Till) -> Iterator[Teller]:
    """Starts processes, and ends them with the test."""
    running: list[subprocess.Popen[str]] = []

    def run(doing: str, argument: str = "") -> subprocess.Popen[str]:
        settings = till.kernel.settings
        tree = json.dumps({"tree": settings._tree, "root": str(settings.root)})
        command = [sys.executable, "-m", "tests.settlement.payments.teller", tree, doing, argument]
        process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        running.append(process)
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        return process

    yield run
    for process in running:
        process.kill()
        process.wait()
        assert process.stdout is not None
        process.stdout.close()


def die(process: subprocess.Popen[str]) -> None:
    process.kill()
    process.wait()


async def until(condition: Callable[[], Any]) -> None:
    """Wait for something that is about to happen."""
    while not await condition():
        await asyncio.sleep(0.05)


async def due(till: Till) -> None:
    """As if the pauses and leases were over."""
    for table in ("settlement_payment_attempt", "settlement_payment_refund"):
        await till.kernel.db.execute(
            f"update {table} set next_at = now(), busy_until = null where next_at is not null"
        )


async def called(till: Till, path: str) -> int:
    return int((await till.bank.call("/seen"))["calls"].get(path, 0))


async def blocked(till: Till) -> bool:
    """Whether somebody waits for a lock."""
    return bool(
        await till.kernel.db.fetchval(
            "select count(*) from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'"
        )
    )


async def test_killed_while_the_gateway_is_told_of_a_payment_it_is_found_by_asking(
    till: Till, teller: Teller
) -> None:
    # Given a bank that has taken the payment and is slow to answer
    await till.account()
    payment = await till.open()
    await till.bank.call("/control", path="/pay", delay=30)
    process = teller("start", payment.number)
    await until(lambda: called(till, "/pay"))
    # When the process is killed, and the payer pays by what the bank has
    die(process)
    attempt = await till.kernel.db.fetchrow("select * from settlement_payment_attempt")
    assert attempt["state"] == "STARTING"
    await till.bank.pay(attempt["number"])
    # Then the schedule finds it
    await due(till)
    await poll_payments(till.kernel)
    assert ((await till.now(payment)).state, await till.wallet(payment)) == ("PAID", 1000)


async def test_killed_before_the_gateway_is_told_the_attempt_ends_and_another_one_can_be_made(
    till: Till, teller: Teller
) -> None:
    # Given a process that dies with the attempt written down, and the bank untouched
    account = await till.account()
    payment = await till.open()
    await till.bank.call("/control", path="/pay", status=500, delay=30)
    process = teller("start", payment.number)
    await until(lambda: called(till, "/pay"))
    die(process)
    await till.bank.call("/control", path="/pay")
    # When the schedule asks, and the bank has none of it
    await due(till)
    await poll_payments(till.kernel)
    states = await till.kernel.db.fetch("select state from settlement_payment_attempt")
    assert [row["state"] for row in states] == ["CLOSED"]
    # Then the payer can begin again
    attempt = await till.start(await till.now(payment))
    await till.tell(account, await till.bank.pay(attempt.number))
    assert await till.wallet(payment) == 1000


async def test_killed_before_a_notification_is_committed_the_gateway_has_no_answer_and_tells_again(
    till: Till, teller: Teller
) -> None:
    account = await till.account()
    payment, attempt = await till.begun()
    value = await till.bank.pay(attempt.number)
    # Given that the payment's row is held, so that the notification waits in the middle of its transaction
    async with till.kernel.db.connection() as holder:
        transaction = holder.transaction()
        await transaction.start()
        await holder.execute("select 1 from settlement_payment where id = $1 for update", payment.id)
        process = teller("tell", f"{account.id} {json.dumps(value)}")
        await until(lambda: blocked(till))
        # When it is killed there
        die(process)
        await transaction.rollback()
    # Then nothing was answered and nothing has come in
    assert process.stdout is not None
    assert process.stdout.read() == ""
    await until(lambda: unblocked(till))
    assert ((await till.now(payment)).state, await till.wallet(payment)) == ("PENDING", 0)
    # And told again it is paid, once
    for _ in range(2):
        await till.tell(account, value)
    assert ((await till.now(payment)).state, await till.wallet(payment)) == ("PAID", 1000)


async def unblocked(till: Till) -> bool:
    return not await blocked(till)


async def test_killed_after_the_commit_and_before_the_answer_the_second_telling_changes_nothing(
    till: Till, teller: Teller
) -> None:
    account = await till.account()
    payment, attempt = await till.begun()
    value = await till.bank.pay(attempt.number)
    process = teller("tell", f"{account.id} {json.dumps(value)}")
    await until(lambda: is_paid(till))
    die(process)
    answer = await till.tell(account, value)
    assert (answer.body, await till.wallet(payment)) == (b"ok", 1000)
    assert await till.events("settlement.payment_succeeded") == 1


async def is_paid(till: Till) -> bool:
    return bool(await till.kernel.db.fetchval("select count(*) from settlement_payment where state = 'PAID'"))


async def test_killed_while_a_refund_is_sent_it_is_asked_about_and_goes_back_once(
    till: Till, teller: Teller
) -> None:
    # Given a refund that the bank has done, and is slow to say so
    account = await till.account()
    payment, attempt = await till.begun()
    await till.tell(account, await till.bank.pay(attempt.number))
    await request_refund(
        till.kernel, payment.id, Money(400, "CNY"), key="one", reason="asked for", actor="staff:1"
    )
    await till.bank.call("/control", path="/refund", delay=30)
    process = teller("refund")
    await until(lambda: called(till, "/refund"))
    # When the worker is killed, and another one takes over
    die(process)
    await due(till)
    await refund_payments(till.kernel)
    # Then it was sent once, and is known
    seen = await till.bank.call("/seen")
    assert (seen["calls"]["/refund"], len(seen["refunds"])) == (1, 1)
    state = await till.kernel.db.fetchval("select state from settlement_payment_refund")
    assert (state, await till.wallet(payment)) == ("SUCCEEDED", 600)
    assert (await till.books.verified()).ok
