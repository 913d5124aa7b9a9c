"""Paying: begun at the account that fits, counted once whoever tells of it, found where nobody does."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta

import pytest

from kameng.errors import Conflict, InvalidInput, TransactionError
from kameng.ids import new_id
from kameng.money import Money
from kameng.testing.kernels import Kernels
from kameng_catalog import module as catalog
from kameng_membership import module as membership
from kameng_settlement import module as settlement
from kameng_settlement.gateway_contract import Flow
from kameng_settlement.payments.calling import call
from kameng_settlement.payments.errors import GatewaysUnreachable, NoWayToPay, PaymentOver
from kameng_settlement.payments.opening import close_payment
from kameng_settlement.payments.polling import poll_payments
from kameng_settlement.payments.routing import in_order
from kameng_settlement.payments.starting import attempt_by_number
from tests.settlement.conftest import Books

from .conftest import Bank, Till


async def due(till: Till) -> None:
    """Let all that is asked about be due now."""
    await till.kernel.db.execute(
        "update settlement_payment_attempt set next_at = now() where ended_at is null"
    )


async def test_a_payment_that_the_bank_tells_of_is_in_the_wallet_with_its_fee_in_the_books(
    till: Till,
) -> None:
    # Given an account that keeps 0.6 % and 10 fen, and a payment of 10.00 that was begun there
    account = await till.account(fee_ppm=6000, fee_fixed_minor=10)
    payment, attempt = await till.begun(1000)
    assert (attempt.state, (await till.now(payment)).state) == ("WAITING", "PENDING")
    # When the payer pays and the bank tells
    answer = await till.tell(account, await till.bank.pay(attempt.number))
    # Then it is paid, the money is in the wallet, and the fee is the house's
    assert (answer.status, answer.body) == (200, b"ok")
    paid = await till.now(payment)
    assert (paid.state, paid.paid_to, paid.transaction) == ("PAID", account.id, f"T{attempt.number}")
    assert await till.wallet(payment) == 1000
    assert await till.account_sum("clearing:bank:main") == 1000 - 16
    assert await till.account_sum("gateway_fees") == 16
    assert await till.events("settlement.payment_succeeded") == 1
    history = await till.kernel.db.fetch(
        "select to_state, actor from settlement_payment_history where payment = $1 order by id", payment.id
    )
    assert [tuple(row) for row in history] == [
        ("CREATED", "system"),
        ("PENDING", "gateway:bank:main"),
        ("PAID", "gateway:bank:main"),
    ]
    assert (await till.books.verified()).ok


async def test_the_fee_that_the_gateway_tells_stands_before_the_one_that_is_set(till: Till) -> None:
    account = await till.account(fee_ppm=6000)
    _, attempt = await till.begun(1000)
    await till.tell(account, await till.bank.pay(attempt.number, fee=7))
    assert await till.account_sum("gateway_fees") == 7


async def test_fifty_notifications_at_once_are_one_credit(till: Till) -> None:
    account = await till.account()
    payment, attempt = await till.begun(1000)
    value = await till.bank.pay(attempt.number)
    # Half of them are told in other bytes
    answers = await asyncio.gather(
        *(till.tell(account, {**value, "copy": number % 2}) for number in range(50))
    )
    assert {answer.body for answer in answers} == {b"ok"}
    assert await till.wallet(payment) == 1000
    assert await till.account_sum("clearing:bank:main") == 1000
    assert await till.outcomes() == ["PAID"]
    assert await till.events("settlement.payment_succeeded") == 1


async def test_notifications_queries_and_a_closing_at_once_are_one_credit(till: Till) -> None:
    account = await till.account()
    payment, attempt = await till.begun(1000)
    value = await till.bank.pay(attempt.number)
    await due(till)
    await asyncio.gather(
        *(till.tell(account, value) for _ in range(10)),
        *(poll_payments(till.kernel) for _ in range(4)),
        close_payment(till.kernel, payment.id, "system"),
    )
    assert (await till.now(payment)).state == "PAID"
    assert await till.wallet(payment) == 1000


async def test_a_payment_that_nobody_told_of_is_found(till: Till) -> None:
    await till.account()
    payment, attempt = await till.begun(1000)
    await till.bank.pay(attempt.number)
    # When the schedule comes round
    await due(till)
    await poll_payments(till.kernel)
    # Then it is paid, and it is asked about no more
    assert ((await till.now(payment)).state, await till.wallet(payment)) == ("PAID", 1000)
    ended = await attempt_by_number(till.kernel, attempt.number)
    assert (ended.state, ended.next_at, ended.busy_until) == ("PAID", None, None)


async def test_asking_grows_rarer(till: Till) -> None:
    await till.account()
    _, attempt = await till.begun()
    pauses = []
    for _ in range(4):
        await due(till)
        await poll_payments(till.kernel)
        row = await till.kernel.db.fetchrow(
            "select extract(epoch from next_at - now())::int as pause from settlement_payment_attempt where id = $1",
            attempt.id,
        )
        pauses.append(round(row["pause"] / 10))
    assert pauses == [1, 2, 4, 8]


async def test_what_nobody_paid_in_time_is_closed_at_the_gateway_and_expires(till: Till) -> None:
    await till.account()
    payment, attempt = await till.begun()
    past = datetime.now(UTC) - timedelta(seconds=1)
    await till.kernel.db.execute(
        "update settlement_payment set expires_at = $2 where id = $1", payment.id, past
    )
    await due(till)
    await poll_payments(till.kernel)
    assert (await till.now(payment)).state == "EXPIRED"
    assert (await attempt_by_number(till.kernel, attempt.number)).state == "CLOSED"
    assert (await till.bank.call("/query", number=attempt.number))["status"] == "closed"
    with pytest.raises(PaymentOver):
        await till.start(await till.now(payment))


async def test_money_that_comes_after_the_end_is_taken_in_all_the_same(till: Till) -> None:
    account = await till.account()
    payment, attempt = await till.begun()
    value = await till.bank.pay(attempt.number)
    await till.kernel.db.execute("update settlement_payment set state = 'EXPIRED' where id = $1", payment.id)
    await till.kernel.db.execute(
        "update settlement_payment_attempt set state = 'CLOSED', ended_at = now() where id = $1", attempt.id
    )
    await till.tell(account, value)
    assert ((await till.now(payment)).state, await till.wallet(payment)) == ("PAID", 1000)
    assert await till.events("settlement.payment_succeeded") == 1


async def test_paid_by_two_ways_the_second_is_credited_and_told(till: Till) -> None:
    # Given a payment that was begun by two flows
    account = await till.account()
    payment, first = await till.begun()
    second = await till.start(payment, flow=Flow.REDIRECT)
    assert first.number != second.number
    # When both are paid
    for attempt in (first, second):
        await till.tell(account, await till.bank.pay(attempt.number))
    # Then the first counts, and the second is the payer's too, with somebody told
    assert await till.wallet(payment) == 2000
    assert await till.outcomes() == ["PAID", "SURPLUS"]
    assert await till.events("settlement.payment_succeeded") == 1
    assert await till.events("settlement.payment_needs_attention") == 1
    assert (await till.now(payment)).transaction == f"T{first.number}"


async def test_the_same_choice_gives_the_same_code_and_the_same_key_the_same_payment(till: Till) -> None:
    await till.account()
    payer, subject = new_id(), new_id()
    payment = await till.open(key="order:1", payer=payer, subject=subject)
    again = await till.open(key="order:1", payer=payer, subject=subject)
    assert payment.number == again.number
    first, second = await till.start(payment), await till.start(payment)
    assert first.number == second.number
    with pytest.raises(Conflict):
        await till.open(2000, key="order:1", payer=payer, subject=subject)


async def test_twenty_openings_at_once_under_one_key_are_one_payment(till: Till) -> None:
    payer, subject = new_id(), new_id()
    opened = await asyncio.gather(*(till.open(key="one", payer=payer, subject=subject) for _ in range(20)))
    assert len({payment.number for payment in opened}) == 1


async def test_the_next_account_is_tried_where_the_first_cannot_be_reached(till: Till) -> None:
    # Given an account that nobody answers for, which is asked first, and one that answers
    dead = await till.account(
        "dead", priority=1, settings={"url": "http://127.0.0.1:9", "secret": "some secret"}
    )
    alive = await till.account("alive", priority=2)
    # When somebody begins to pay
    payment, attempt = await till.begun()
    # Then he pays at the second one, and the first one's failure is counted
    assert attempt.account == alive.id
    assert (await till.stored(dead.id)).failures == 1
    states = await till.kernel.db.fetch(
        "select account, state from settlement_payment_attempt where payment = $1 order by id", payment.id
    )
    assert [tuple(row) for row in states] == [(dead.id, "FAILED"), (alive.id, "WAITING")]
    # And after three failures it rests, and is asked last
    for _ in range(2):
        await till.begun()
    resting = await till.stored(dead.id)
    assert resting.resting_until is not None
    assert [each.code for each in in_order([resting, alive], 1000)] == ["alive", "dead"]
    # But where nothing else is left, it is tried
    await till.kernel.db.execute(
        "update settlement_merchant_account set enabled = false where id = $1", alive.id
    )
    with pytest.raises(GatewaysUnreachable):
        await till.begun()


async def test_a_gateway_that_gave_no_answer_is_asked_what_became_of_it(till: Till) -> None:
    # Given a bank that takes the payment and answers with an error
    await till.account()
    await till.bank.call("/control", path="/pay", status=500, done=True)
    payment = await till.open()
    with pytest.raises(GatewaysUnreachable):
        await till.start(payment)
    row = await till.kernel.db.fetchrow("select number, state from settlement_payment_attempt")
    assert row["state"] == "UNKNOWN"
    # When it is paid there after all
    await till.bank.pay(row["number"])
    await due(till)
    await poll_payments(till.kernel)
    # Then it is found
    assert ((await till.now(payment)).state, await till.wallet(payment)) == ("PAID", 1000)


async def test_an_account_takes_what_fits_it(make_kernel: Kernels, bank: Bank) -> None:
    kernel = await make_kernel(
        [catalog, membership, settlement], catalog={"sites": {"north.example": "north"}}
    )
    till = Till(Books(kernel), bank)
    await till.account("small", maximum_minor=500)
    await till.account("site", sites=["north"], minimum_minor=501)
    await till.account("dollars", currencies=["USD"])
    off = await till.account("off")
    await till.kernel.db.execute(
        "update settlement_merchant_account set enabled = false where id = $1", off.id
    )
    for minor, values, code in (
        (500, {}, "small"),
        (501, {"site": "north"}, "site"),
        (501, {}, None),
        (501, {"site": "south"}, None),
        (700, {"amount": Money(700, "USD")}, "dollars"),
        (700, {"amount": Money(700, "EUR")}, None),
    ):
        payment = await till.open(minor, **values)
        if code is None:
            with pytest.raises(NoWayToPay):
                await till.start(payment)
        else:
            attempt = await till.start(payment)
            assert (await till.stored(attempt.account)).code == code


async def test_an_account_is_not_given_a_site_that_does_not_exist(till: Till) -> None:
    with pytest.raises(InvalidInput, match="no site 'nowhere'"):
        await till.account("lost", sites=["", "nowhere"])


async def test_of_equals_the_cheaper_account_is_taken_and_weight_shares_between_the_rest(till: Till) -> None:
    cheap = await till.account("cheap", fee_ppm=6000)
    dear = await till.account("dear", fee_ppm=10_000)
    assert [each.code for each in in_order([dear, cheap], 1000)] == ["cheap", "dear"]
    heavy = await till.account("heavy", fee_ppm=6000, weight=999)
    firsts = [in_order([cheap, heavy], 1000)[0].code for _ in range(200)]
    assert firsts.count("heavy") > 150


async def test_nobody_is_called_inside_a_transaction(till: Till) -> None:
    account = await till.account()

    async def answer() -> None:
        raise AssertionError("called")

    with pytest.raises(TransactionError):
        async with till.kernel.db.transaction():
            await call(till.kernel, account, "query", answer())
