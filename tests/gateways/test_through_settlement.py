"""Payments through settlement: begun at a gateway, told over HTTP to the shop's own address, or found by asking; given back."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio

from kameng.embedded.ports import free_port
from kameng.testing.kernels import Kernels
from kameng_membership import module as membership
from kameng_settlement import module as settlement
from kameng_settlement.payments.refunding import refund_payments, request_refund
from tests.settlement.conftest import CATALOG

from .cases import Case, Simulated
from .shops import Shop, control, served


@pytest_asyncio.fixture(loop_scope="session")
async def shop(make_kernel: Kernels) -> AsyncIterator[Shop]:
    """A shop of settlement and what it needs."""
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    kernel = await make_kernel([CATALOG, membership, settlement], kameng={"public_url": url})
    async with served(kernel, port) as made:
        yield made


async def test_a_payment_that_is_told_is_in_the_wallet_once(
    shop: Shop, case: Case, simulated: Simulated
) -> None:
    # Given a payment that was begun at the gateway
    account = await shop.account(case, simulated)
    payment, attempt = await shop.begun(case)
    assert attempt.state == "WAITING"
    # When the payer pays and the gateway tells five times
    said = await control(simulated, "pay", number=attempt.number, notify={"times": 5})
    # Then it hears that we have it, and the money is there once
    assert {answer["status"] for answer in said["answers"]} <= {200, 204}
    paid = await shop.now(payment)
    assert (paid.state, paid.paid_to, paid.transaction) == ("PAID", account.id, said["trade"]["transaction"])
    assert await shop.wallet(payment) == 9850
    assert await shop.outcomes() == ["PAID"]
    # and a try of its own adds nothing
    await shop.poll()
    assert await shop.wallet(payment) == 9850
    assert (await shop.books.verified()).ok


async def test_a_payment_that_nobody_told_is_found(shop: Shop, case: Case, simulated: Simulated) -> None:
    await shop.account(case, simulated)
    payment, attempt = await shop.begun(case)
    await shop.poll()
    assert (await shop.now(payment)).state == "PENDING"
    await control(simulated, "pay", number=attempt.number)
    await shop.poll()
    assert (await shop.now(payment)).state == "PAID"
    assert await shop.wallet(payment) == 9850


async def test_a_payment_begun_without_an_answer_is_found(
    shop: Shop, case: Case, simulated: Simulated
) -> None:
    # Given a gateway whose answer to the beginning is lost
    await shop.account(case, simulated)
    await control(simulated, "misbehave", hang_up_after=1)
    with pytest.raises(Exception, match=r"."):
        await shop.begun(case)
    [attempt] = await shop.kernel.db.fetch("select number, payment from settlement_payment_attempt")
    # When somebody pays it all the same
    await control(simulated, "pay", number=attempt["number"])
    await shop.poll()
    # Then it counts
    state = await shop.kernel.db.fetchval(
        "select state from settlement_payment where id = $1", attempt["payment"]
    )
    assert state == "PAID"


ATTACKS: dict[str, dict[str, Any]] = {
    "altered amount": {"amount": 1},
    "wrong signature": {"signature": "bad"},
    "stranger's signature": {"signature": "stranger"},
    "no signature": {"signature": "none"},
    "another merchant": {"merchant": "2088000000000000"},
    "nobody's number": {"as_number": "P00000000000000000000000"},
}


@pytest.mark.parametrize("attack", ATTACKS)
async def test_an_attack_moves_nothing(shop: Shop, case: Case, simulated: Simulated, attack: str) -> None:
    # Given a payment that was begun and one that the simulator holds for paid
    await shop.account(case, simulated)
    payment, attempt = await shop.begun(case)
    await control(simulated, "pay", number=attempt.number)
    # When a notification comes that is not what it should be
    said = await control(simulated, "notify", number=attempt.number, **ATTACKS[attack])
    # Then it is not taken, and nothing moves
    assert [answer["status"] >= 400 for answer in said["answers"]] == [True]
    assert (await shop.now(payment)).state == "PENDING"
    assert await shop.wallet(payment) == 0
    # and the genuine one still counts
    await control(simulated, "notify", number=attempt.number)
    assert (await shop.now(payment)).state == "PAID"


async def test_a_payment_told_for_another_order_pays_neither_twice(
    shop: Shop, case: Case, simulated: Simulated
) -> None:
    # Given a payment that was paid, and another of the same amount that was not
    await shop.account(case, simulated)
    first, one = await shop.begun(case)
    second, other = await shop.begun(case)
    await control(simulated, "pay", number=one.number, notify={})
    assert (await shop.now(first)).state == "PAID"
    # When its transaction is told under the number of the other
    said = await control(simulated, "notify", number=one.number, as_number=other.number)
    # Then it is not taken
    assert said["answers"][0]["status"] >= 400
    assert (await shop.now(second)).state == "PENDING"
    assert await shop.wallet(second) == 0
    assert "REPLAYED" in await shop.outcomes()


async def test_an_unpaid_word_pays_nothing(shop: Shop, case: Case, simulated: Simulated) -> None:
    await shop.account(case, simulated)
    payment, attempt = await shop.begun(case)
    await control(simulated, "notify", number=attempt.number, state="USERPAYING")
    assert (await shop.now(payment)).state == "PENDING"
    assert await shop.wallet(payment) == 0


async def test_a_large_payment_is_asked_back_before_it_counts(
    shop: Shop, case: Case, simulated: Simulated
) -> None:
    # Given a large payment that the gateway tells of, although it does not hold it for paid
    await shop.account(case, simulated)
    payment, attempt = await shop.begun(case, minor=100_000)
    if case.name in ("epay", "epay_v2", "alipay"):
        word = {"state": "TRADE_SUCCESS" if case.name != "wechat" else "SUCCESS", "transaction": "T1"}
    else:
        word = {"state": "SUCCESS" if case.name == "wechat" else "paid", "transaction": "T1"}
    said = await control(simulated, "notify", number=attempt.number, **word)
    # Then it is not believed
    assert said["answers"][0]["status"] >= 400
    assert (await shop.now(payment)).state == "PENDING"
    # When it is paid and told, then it is
    await control(simulated, "pay", number=attempt.number, notify={})
    assert (await shop.now(payment)).state == "PAID"


async def test_a_refund_goes_back_through_the_gateway(shop: Shop, case: Case, simulated: Simulated) -> None:
    # Given a payment
    await shop.account(case, simulated)
    await control(simulated, "policy", refunds="succeeded")
    payment, attempt = await shop.begun(case)
    await control(simulated, "pay", number=attempt.number, notify={})
    # When all of it is to go back
    paid = await shop.now(payment)
    async with shop.kernel.db.transaction():
        await request_refund(
            shop.kernel, paid.id, paid.amount, key=f"r:{paid.id}", reason="no stock", actor="staff"
        )
    # and the gateway's first answer is lost
    await control(simulated, "misbehave", hang_up_after=1)
    for _ in range(3):
        await shop.kernel.db.execute("update settlement_payment_refund set next_at = now()")
        await refund_payments(shop.kernel)
    # Then it has gone back once, and the wallet is empty
    trade = (await control(simulated, "trades"))[attempt.number]
    assert [each["amount"] for each in trade["refunds"].values()] == [9850]
    states = await shop.kernel.db.fetch("select state from settlement_payment_refund")
    assert [row["state"] for row in states] == ["SUCCEEDED"]
    assert await shop.wallet(payment) == 0
    assert (await shop.books.verified()).ok


async def test_an_unpaid_payment_is_closed_when_nobody_waits_any_more(
    shop: Shop, case: Case, simulated: Simulated
) -> None:
    await shop.account(case, simulated)
    payment, attempt = await shop.begun(case)
    await shop.kernel.db.execute(
        "update settlement_payment_attempt set expires_at = now() - interval '1 minute'"
    )
    await shop.poll()
    state = await shop.kernel.db.fetchval(
        "select state from settlement_payment_attempt where number = $1", attempt.number
    )
    assert state == "CLOSED"
    if case.gateway.capabilities.close:
        assert (await control(simulated, "trades"))[attempt.number]["state"] == "closed"
    assert (await shop.now(payment)).state == "PENDING"
