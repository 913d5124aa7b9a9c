"""Money that goes back: out of the wallet first, through the gateway once, into the wallet again where that fails."""

from __future__ import annotations

import asyncio

import pytest

from kameng.errors import Conflict, Refusal
from kameng.ids import new_id
from kameng.money import Money
from kameng_settlement.contract import InsufficientFunds
from kameng_settlement.payments.accounts import StoredAccount
from kameng_settlement.payments.errors import NotRefundable, RefundExceedsPayment
from kameng_settlement.payments.records import StoredPayment, StoredRefund
from kameng_settlement.payments.refunding import refund_payments, request_refund
from tests.settlement.conftest import order

from .conftest import Till


async def paid(till: Till, account: StoredAccount, minor: int = 1000) -> StoredPayment:
    """A payment that is paid."""
    payment, attempt = await till.begun(minor)
    await till.tell(account, await till.bank.pay(attempt.number))
    return await till.now(payment)


async def ask(till: Till, payment: StoredPayment, minor: int, key: str = "") -> StoredRefund:
    """Have some of it go back."""
    return await request_refund(
        till.kernel,
        payment.id,
        Money(minor, "CNY"),
        key=key or f"refund:{new_id()}",
        reason="asked for",
        actor="staff:1",
    )


async def work(till: Till) -> None:
    """Let the worker be at it now."""
    await till.kernel.db.execute(
        "update settlement_payment_refund set next_at = now() where next_at is not null"
    )
    await refund_payments(till.kernel)


async def states(till: Till) -> list[str]:
    rows = await till.kernel.db.fetch("select state from settlement_payment_refund order by id")
    return [row["state"] for row in rows]


async def test_parts_of_a_payment_go_back_and_never_more_than_was_paid(till: Till) -> None:
    account = await till.account()
    payment = await paid(till, account)
    # When 3.00 and 4.00 go back
    await ask(till, payment, 300)
    await ask(till, payment, 400)
    # Then they left the wallet at once
    assert await till.wallet(payment) == 300
    await work(till)
    assert await states(till) == ["SUCCEEDED", "SUCCEEDED"]
    assert await till.account_sum("clearing:bank:main") == 300
    # And no more than the rest can follow
    with pytest.raises(RefundExceedsPayment):
        await ask(till, payment, 301)
    await ask(till, payment, 300)
    await work(till)
    assert ((await till.now(payment)).refunded_minor, await till.wallet(payment)) == (1000, 0)
    assert await till.account_sum("clearing:bank:main") == 0
    assert await till.events("settlement.payment_refund_settled") == 3
    assert (await till.books.verified()).ok


async def test_ten_refunds_at_once_give_back_what_was_paid(till: Till) -> None:
    account = await till.account()
    payment = await paid(till, account)
    answers = await asyncio.gather(*(ask(till, payment, 300) for _ in range(10)), return_exceptions=True)
    assert (
        sorted(type(answer).__name__ for answer in answers)
        == ["RefundExceedsPayment"] * 7 + ["StoredRefund"] * 3
    )
    assert ((await till.now(payment)).refunded_minor, await till.wallet(payment)) == (900, 100)


async def test_the_same_key_is_the_same_refund(till: Till) -> None:
    account = await till.account()
    payment = await paid(till, account)
    answers = await asyncio.gather(*(ask(till, payment, 300, "one") for _ in range(5)))
    assert len({answer.number for answer in answers}) == 1
    assert await till.wallet(payment) == 700
    with pytest.raises(Conflict):
        await ask(till, payment, 301, "one")


async def test_what_was_spent_does_not_go_back(till: Till) -> None:
    account = await till.account()
    payment = await paid(till, account)
    await till.books.charge(order(payment.payer, 800))
    with pytest.raises(InsufficientFunds):
        await ask(till, payment, 300)
    assert ((await till.now(payment)).refunded_minor, await states(till)) == (0, [])


async def test_a_refund_that_the_gateway_will_not_do_is_in_the_wallet_again(till: Till) -> None:
    account = await till.account()
    payment = await paid(till, account)
    await till.bank.call("/control", path="/refund", status=409)
    await ask(till, payment, 300)
    await work(till)
    assert await states(till) == ["FAILED"]
    assert ((await till.now(payment)).refunded_minor, await till.wallet(payment)) == (0, 1000)
    # And can be asked for anew
    await till.bank.call("/control", path="/refund")
    await ask(till, payment, 1000)
    await work(till)
    assert await states(till) == ["FAILED", "SUCCEEDED"]
    assert (await till.books.verified()).ok


async def test_a_refund_without_an_answer_is_asked_about_and_not_sent_again(till: Till) -> None:
    # Given a bank that gives the money back, and answers with an error
    account = await till.account()
    payment = await paid(till, account)
    await till.bank.call("/control", path="/refund", status=500, done=True)
    await ask(till, payment, 300)
    await work(till)
    assert await states(till) == ["REQUESTED"]
    # When it is looked at again
    await work(till)
    # Then it is known, under the same number, and was sent once
    assert await states(till) == ["SUCCEEDED"]
    seen = await till.bank.call("/seen")
    assert (seen["calls"]["/refund"], len(seen["refunds"])) == (1, 1)
    assert await till.wallet(payment) == 700


async def test_a_refund_that_never_arrived_is_sent_again_under_its_number(till: Till) -> None:
    account = await till.account()
    payment = await paid(till, account)
    await till.bank.call("/control", path="/refund", status=500)
    refund = await ask(till, payment, 300)
    await work(till)
    await till.bank.call("/control", path="/refund")
    await work(till)
    seen = await till.bank.call("/seen")
    assert (await states(till), list(seen["refunds"])) == (["SUCCEEDED"], [refund.number])


async def test_an_accepted_refund_ends_by_what_the_gateway_tells(till: Till) -> None:
    account = await till.account()
    payment = await paid(till, account)
    await till.bank.call("/control", path="refunds", fate="accepted")
    refund = await ask(till, payment, 300)
    await work(till)
    assert await states(till) == ["ACCEPTED"]
    value = {"refund": True, "number": refund.number, "status": "failed", "amount": 300, "currency": "CNY"}
    # When the bank tells that it failed, ten times at once
    answers = await asyncio.gather(*(till.tell(account, value) for _ in range(10)))
    # Then the wallet has it again, once
    assert {answer.body for answer in answers} == {b"ok"}
    assert (await states(till), await till.wallet(payment)) == (["FAILED"], 1000)
    # And a contradiction afterwards moves nothing
    answer = await till.tell(account, {**value, "status": "succeeded"})
    assert (answer.body, await states(till), await till.wallet(payment)) == (b"fail", ["FAILED"], 1000)
    assert await till.events("settlement.payment_needs_attention") == 1


async def test_another_accounts_word_about_a_refund_is_worth_nothing(till: Till) -> None:
    account = await till.account("main", priority=1)
    other = await till.account("other", priority=2)
    payment = await paid(till, account)
    refund = await ask(till, payment, 300)
    value = {"refund": True, "number": refund.number, "status": "failed"}
    assert (await till.tell(other, value)).body == b"fail"
    assert (await till.tell(account, {**value, "amount": 299, "currency": "CNY"})).body == b"fail"
    assert await states(till) == ["REQUESTED"]


async def test_nothing_goes_back_of_what_was_not_paid(till: Till) -> None:
    await till.account()
    payment, _ = await till.begun()
    with pytest.raises(NotRefundable):
        await ask(till, payment, 300)
    with pytest.raises(Refusal):
        await ask(till, payment, 0)
