"""What claims to come from a gateway and does not, or says what does not fit: refused with a code, and nothing moves."""

from __future__ import annotations

import time
from typing import Any

import asyncpg
import httpx
import pytest
from litestar import Litestar

from kameng.errors import RateLimited
from kameng.testing.kernels import Kernels
from kameng_membership import module as membership
from kameng_settlement import module as settlement
from kameng_settlement.payments.accounts import GatewaySettingsWrong
from kameng_settlement.payments.notifying import payment_notification
from tests.settlement.conftest import CATALOG, Books

from .bank_gateway import told
from .conftest import SECRET, Bank, Till


async def unmoved(till: Till) -> None:
    """Nothing came in."""
    assert (await till.books.size())[0] == 0
    assert await till.events("settlement.payment_succeeded") == 0


async def test_a_forged_notification_is_refused(till: Till) -> None:
    account = await till.account()
    payment, attempt = await till.begun()
    answer = await till.tell(account, await till.bank.pay(attempt.number), secret="a guess")
    assert answer.status == 401
    assert ((await till.now(payment)).state, await till.outcomes()) == ("PENDING", [])
    await unmoved(till)


async def test_a_stale_notification_is_refused(till: Till) -> None:
    account = await till.account()
    _, attempt = await till.begun()
    answer = await till.tell(account, await till.bank.pay(attempt.number), at=time.time() - 301)
    assert answer.status == 401
    await unmoved(till)


async def test_an_empty_secret_opens_nothing(till: Till) -> None:
    # Given that an account without a secret cannot be made
    with pytest.raises(GatewaySettingsWrong):
        await till.account(settings={"url": till.bank.url, "secret": ""})
    # When there is one all the same, and somebody signs with nothing
    account = await till.account("lax", settings={"url": till.bank.url, "secret": "", "lax": True})
    _, attempt = await till.begun()
    answer = await till.tell(account, await till.bank.pay(attempt.number), secret="")
    # Then it is refused
    assert answer.status == 401
    await unmoved(till)


@pytest.mark.parametrize(
    ("change", "outcome"),
    [
        ({"amount": 999}, "WRONG_AMOUNT"),
        ({"amount": 1001}, "WRONG_AMOUNT"),
        ({"amount": -(10**30)}, "WRONG_AMOUNT"),
        ({"currency": "USD"}, "WRONG_CURRENCY"),
        ({"currency": "CNYX"}, "WRONG_CURRENCY"),
        ({"merchant": "somebody else"}, "WRONG_MERCHANT"),
        ({"merchant": ""}, "WRONG_MERCHANT"),
        ({"gateway": "wechat"}, "WRONG_GATEWAY"),
        ({"transaction": None}, "NO_TRANSACTION"),
        ({"transaction": "T" * 121}, "NO_TRANSACTION"),
        ({"number": "A" + "0" * 25}, "UNKNOWN_NUMBER"),
        ({"number": "x" * 500}, "UNKNOWN_NUMBER"),
        ({"fee": 1001}, "WRONG_AMOUNT"),
    ],
)
async def test_what_does_not_fit_is_kept_as_evidence_and_moves_nothing(
    till: Till, change: dict[str, Any], outcome: str
) -> None:
    # Given a payment of 10.00
    account = await till.account()
    payment, attempt = await till.begun(1000)
    value = {**await till.bank.pay(attempt.number), **change}
    # When the bank tells, twice, with a good signature, something else
    answers = [await till.tell(account, value), await till.tell(account, value)]
    # Then it is told that we have not got it, it is kept once, and somebody is told once
    assert [answer.body for answer in answers] == [b"fail", b"fail"]
    assert await till.outcomes() == [outcome]
    assert await till.events("settlement.payment_needs_attention") == 1
    assert (await till.now(payment)).state == "PENDING"
    await unmoved(till)


async def test_a_paid_one_without_an_amount_is_refused(till: Till) -> None:
    account = await till.account()
    _, attempt = await till.begun()
    value = await till.bank.pay(attempt.number)
    del value["amount"]
    await till.tell(account, value)
    assert await till.outcomes() == ["WRONG_AMOUNT"]
    await unmoved(till)


@pytest.mark.parametrize(
    ("status", "outcome"), [("pending", "PENDING"), ("closed", "CLOSED"), ("failed", "FAILED")]
)
async def test_a_status_that_is_not_paid_pays_nothing(till: Till, status: str, outcome: str) -> None:
    account = await till.account()
    payment, attempt = await till.begun()
    value = {**await till.bank.pay(attempt.number), "status": status}
    answer = await till.tell(account, value)
    assert (answer.body, await till.outcomes()) == (b"ok", [outcome])
    assert (await till.now(payment)).state == "PENDING"
    await unmoved(till)


async def test_a_transaction_counts_for_one_payment(till: Till) -> None:
    # Given a payment that was paid, and another one of the same amount
    account = await till.account()
    first, one = await till.begun()
    second, two = await till.begun()
    value = await till.bank.pay(one.number)
    await till.tell(account, value)
    # When the same transaction is told for the other one
    answer = await till.tell(account, {**value, "number": two.number})
    # Then it pays nothing more
    assert (answer.body, await till.outcomes()) == (b"fail", ["PAID", "REPLAYED"])
    assert [(await till.now(each)).state for each in (first, second)] == ["PAID", "PENDING"]
    assert [await till.wallet(each) for each in (first, second)] == [1000, 0]


async def test_another_merchants_word_is_worth_nothing(till: Till) -> None:
    # Given two accounts, and a payment that was begun at the first
    await till.account("main", priority=1)
    other = await till.account("other", priority=2, settings={"url": till.bank.url, "secret": "the other's"})
    payment, attempt = await till.begun()
    # When the second one tells, well signed by its own secret, that it was paid
    value = {**await till.bank.pay(attempt.number), "merchant": "M-other"}
    answer = await till.tell(other, value, secret="the other's")
    # Then no payment of this number is known there
    assert (answer.body, await till.outcomes()) == (b"fail", ["UNKNOWN_NUMBER"])
    assert (await till.now(payment)).state == "PENDING"
    await unmoved(till)


async def test_what_cannot_be_read_is_refused(till: Till) -> None:
    account = await till.account()
    answer = await till.tell(account, {"status": "paid"})
    assert answer.status == 401
    assert await till.outcomes() == []


async def strict(make_kernel: Kernels, bank: Bank, **settings: Any) -> Till:
    """Payments with other settings."""
    return Till(Books(await make_kernel([CATALOG, membership, settlement], settlement=settings)), bank)


async def test_a_large_payment_counts_once_the_gateway_says_so_when_asked(
    make_kernel: Kernels, bank: Bank
) -> None:
    # Given that 10.00 and more is asked back, and that somebody got hold of the secret
    till = await strict(make_kernel, bank, query_above_minor=1000)
    account = await till.account()
    payment, attempt = await till.begun(1000)
    value = {**await bank.call("/query", number=attempt.number), "status": "paid", "transaction": "T-1"}
    # When he says that it was paid
    answer = await till.tell(account, value)
    # Then the gateway is asked, and it is not
    assert (answer.body, await till.outcomes()) == (b"fail", ["UNCONFIRMED"])
    await unmoved(till)
    # When it is paid, then it is
    answer = await till.tell(account, await bank.pay(attempt.number))
    assert (answer.body, (await till.now(payment)).state, await till.wallet(payment)) == (b"ok", "PAID", 1000)
    # And a smaller one is believed
    small, begun = await till.begun(999)
    await till.tell(account, {**value, "number": begun.number, "amount": 999, "transaction": "T-2"})
    assert (await till.now(small)).state == "PAID"


async def test_a_flood_is_stopped(make_kernel: Kernels, bank: Bank) -> None:
    # Given that an address may tell three times a minute
    till = await strict(make_kernel, bank, notifications_per_address="3/minute")
    account = await till.account()
    _, attempt = await till.begun()
    value = await bank.pay(attempt.number)
    # When somebody tells nonsense again and again
    for _ in range(3):
        assert (await till.tell(account, value, secret="a guess", address="203.0.113.9")).status == 401
    with pytest.raises(RateLimited):
        await till.tell(account, value, address="203.0.113.9")
    # Then the gateway, who comes from elsewhere, is heard
    assert (await till.tell(account, value, address="198.51.100.1")).body == b"ok"


async def test_the_route_takes_the_raw_bytes_and_no_others(till: Till) -> None:
    account = await till.account()
    payment, attempt = await till.begun()
    request = told(SECRET, await till.bank.pay(attempt.number))
    app = Litestar([payment_notification], openapi_config=None)
    app.state.kernel = till.kernel
    transport = httpx.ASGITransport(app)  # type: ignore[arg-type]  # Litestar's own type of it
    path = f"/payments/notify/bank/{account.id}"
    async with httpx.AsyncClient(transport=transport, base_url="http://localhost") as client:
        headers = dict(request.headers)
        altered = await client.post(path, content=request.body + b" ", headers=headers)
        long = await client.post(path, content=b"x" * (64 * 1024 + 1), headers=headers)
        elsewhere = await client.post(
            f"/payments/notify/wechat/{account.id}", content=request.body, headers=headers
        )
        asked = await client.get(f"{path}?status=paid")
        first = await client.post(path, content=request.body, headers=headers)
        again = await client.post(path, content=request.body, headers=headers)
    codes = [answer.status_code for answer in (altered, long, elsewhere, asked, first, again)]
    assert codes == [401, 413, 404, 401, 200, 200]
    assert await till.wallet(payment) == 1000


async def test_evidence_is_never_changed(till: Till) -> None:
    account = await till.account()
    payment, attempt = await till.begun()
    await till.tell(account, await till.bank.pay(attempt.number))
    for table in (
        "settlement_payment_observation",
        "settlement_payment_history",
        "settlement_transfer_confirmation",
    ):
        for change in (f"delete from {table}", f"update {table} set at = now()", f"truncate {table} cascade"):
            with pytest.raises(asyncpg.RestrictViolationError):
                await till.kernel.db.execute(change)
    # And the tables themselves refuse a second effect of a transaction, and more back than was paid
    with pytest.raises(asyncpg.UniqueViolationError):
        await till.kernel.db.execute(
            """insert into settlement_payment_observation select gen_random_uuid(), account, payment, 'other', told_by, status,
               transaction, merchant, amount_minor, currency, fee_minor, digest, outcome, taken, posted, note, paid_at, at
               from settlement_payment_observation"""
        )
    with pytest.raises(asyncpg.CheckViolationError):
        await till.kernel.db.execute(
            "update settlement_payment set refunded_minor = amount_minor + 1 where id = $1", payment.id
        )
