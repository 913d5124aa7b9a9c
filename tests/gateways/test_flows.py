"""A payment's life at each gateway, over real HTTP: started, paid, told, asked about, closed, given back."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta

import msgspec
import pytest

from kameng.money import Money
from kameng_settlement.gateway_contract import (
    Flow,
    GatewayNotReached,
    GatewayRefused,
    GatewayUnanswered,
    GatewayUnsupported,
    NotificationRefused,
    Observation,
    PaymentStatus,
    RefundStatus,
)

from .cases import Case, Simulated, new_number, of, refund_of, request, visit
from .conftest import Listener


async def started(case: Case, simulated: Simulated, listener: Listener, amount: int = 9850):
    """An account whose notifications come to the listener, and a payment that the gateway knows."""
    account = case.account(simulated, listener.url)
    listener.gateway, listener.account = case.gateway, account
    simulated.control("policy", notify_url=listener.url)
    wanted = request(case, amount)
    visit(await case.gateway.start(account, wanted), simulated)
    return account, wanted


async def test_a_payment_is_started_paid_and_told(
    case: Case, simulated: Simulated, listener: Listener
) -> None:
    # Given a payment that the gateway knows
    account, wanted = await started(case, simulated, listener)
    pending = await case.gateway.query(account, wanted.number)
    assert (pending.status, pending.number, pending.amount) == (
        PaymentStatus.PENDING,
        wanted.number,
        wanted.amount,
    )
    # When the payer pays and the gateway tells of it
    said = simulated.control("pay", number=wanted.number, notify={})
    # Then what is told is the payment, whole
    [told] = listener.told
    assert isinstance(told, Observation)
    assert (told.gateway, told.number, told.status, told.amount) == (
        case.gateway.name,
        wanted.number,
        PaymentStatus.PAID,
        wanted.amount,
    )
    assert told.transaction == said["trade"]["transaction"]
    assert told.merchant in (None, account.merchant)
    assert len(told.raw_digest) == 32
    # and the gateway hears what makes it stop
    assert said["answers"][0]["status"] in (200, 204)
    # When it is asked, then it says the same
    asked = await case.gateway.query(account, wanted.number)
    assert (asked.status, asked.transaction, asked.amount) == (told.status, told.transaction, told.amount)
    assert asked.paid_at is None or abs(asked.paid_at - datetime.now(UTC)) < timedelta(minutes=5)


async def test_a_payment_that_nobody_told_of_is_found_by_asking(
    case: Case, simulated: Simulated, listener: Listener
) -> None:
    account, wanted = await started(case, simulated, listener)
    simulated.control("pay", number=wanted.number)
    assert listener.requests == []
    found = await case.gateway.query(account, wanted.number)
    assert (found.status, found.amount) == (PaymentStatus.PAID, wanted.amount)
    assert found.transaction


async def test_it_is_told_again_until_the_shop_takes_it(
    case: Case, simulated: Simulated, listener: Listener
) -> None:
    # Given a shop that fails twice
    _, wanted = await started(case, simulated, listener)
    listener.broken = 2
    # When the gateway tells of a payment, and tells again while it is not taken
    said = simulated.control("pay", number=wanted.number, notify={"retries": [0.1, 0.1, 0.1, 0.1]})
    # Then the third time is the last
    assert [answer["status"] for answer in said["answers"][:2]] == [500, 500]
    assert len(listener.requests) == 3
    assert [told.status for told in listener.told] == [PaymentStatus.PAID]


async def test_what_is_told_twice_or_late_says_the_same(
    case: Case, simulated: Simulated, listener: Listener
) -> None:
    _, wanted = await started(case, simulated, listener)
    simulated.control("pay", number=wanted.number, notify={"times": 2})
    simulated.control("notify", number=wanted.number)
    first, *others = listener.told
    assert len(others) == 2
    for other in others:
        assert (other.transaction, other.amount, other.status, other.number) == (
            first.transaction,
            first.amount,
            first.status,
            first.number,
        )


async def test_a_number_that_the_gateway_does_not_know_is_unknown(case: Case, simulated: Simulated) -> None:
    account = case.account(simulated)
    found = await case.gateway.query(account, new_number())
    assert found.status is PaymentStatus.UNKNOWN
    assert found.transaction is None
    if case.gateway.capabilities.close:
        assert await case.gateway.close(account, new_number()) is None


async def test_starting_twice_is_one_payment(case: Case, simulated: Simulated, listener: Listener) -> None:
    account = case.account(simulated, listener.url)
    wanted = request(case)
    first = await case.gateway.start(account, wanted)
    again = await case.gateway.start(account, wanted)
    assert (again.qr, again.redirect_url) == (first.qr, first.redirect_url)
    assert list(simulated.control("trades")).count(wanted.number) == 1


async def test_an_unpaid_payment_is_closed_and_a_paid_one_is_not(
    case: Case, simulated: Simulated, listener: Listener
) -> None:
    account, wanted = await started(case, simulated, listener)
    if not case.gateway.capabilities.close:
        with pytest.raises(GatewayUnsupported):
            await case.gateway.close(account, wanted.number)
        return
    # When an unpaid one is closed, twice, then it is closed
    assert await case.gateway.close(account, wanted.number) is None
    assert simulated.control("trades")[wanted.number]["state"] == "closed"
    assert await case.gateway.close(account, wanted.number) is None
    # When the payer was faster, then closing tells that it is paid
    account, wanted = await started(case, simulated, listener)
    simulated.control("pay", number=wanted.number)
    found = await case.gateway.close(account, wanted.number)
    assert found is not None
    assert (found.status, found.amount) == (PaymentStatus.PAID, wanted.amount)
    assert simulated.control("trades")[wanted.number]["state"] == "paid"


async def paid(case: Case, simulated: Simulated, listener: Listener, amount: int = 9850):
    account, wanted = await started(case, simulated, listener, amount)
    transaction = simulated.control("pay", number=wanted.number)["trade"]["transaction"]
    return account, wanted, transaction


async def test_the_whole_payment_goes_back_once_however_often_it_is_sent(
    case: Case, simulated: Simulated, listener: Listener
) -> None:
    account, wanted, transaction = await paid(case, simulated, listener)
    simulated.control("policy", refunds="succeeded")
    back = refund_of(wanted, transaction)
    # Given no refund, then the gateway knows of none
    assert (await case.gateway.query_refund(account, back)).status is RefundStatus.UNKNOWN
    # When it is sent twice, then it is one
    for _ in range(2):
        done = await case.gateway.refund(account, back)
        assert (done.number, done.status) == (back.number, RefundStatus.SUCCEEDED)
        assert done.amount in (None, wanted.amount)
    trade = simulated.control("trades")[wanted.number]
    assert sum(each["amount"] for each in trade["refunds"].values()) == 9850
    assert (await case.gateway.query_refund(account, back)).status is RefundStatus.SUCCEEDED
    # and the payment is still one that was paid
    assert (await case.gateway.query(account, wanted.number)).status is PaymentStatus.PAID


async def test_parts_go_back_and_never_more_than_was_paid(
    case: Case, simulated: Simulated, listener: Listener
) -> None:
    account, wanted, transaction = await paid(case, simulated, listener)
    simulated.control("policy", refunds="succeeded")
    if not case.gateway.capabilities.partial_refunds:
        with pytest.raises(GatewayRefused) as refused:
            await case.gateway.refund(account, refund_of(wanted, transaction, 1))
        assert refused.value.reason == "PARTIAL"
        return
    for amount in (3000, 6849, 1):
        back = refund_of(wanted, transaction, amount)
        done = await case.gateway.refund(account, back)
        assert done.status is RefundStatus.SUCCEEDED
        assert done.amount in (None, Money(amount, case.currency))  # never what all parts come to
        asked = await case.gateway.query_refund(account, back)
        assert asked.amount == Money(amount, case.currency)
    with pytest.raises(GatewayRefused):
        await case.gateway.refund(account, refund_of(wanted, transaction, 1))


@of("wechat", "alipay", "stripe")
async def test_a_refund_that_is_accepted_succeeds_or_fails_later(
    case: Case, simulated: Simulated, listener: Listener
) -> None:
    for state, expected in (("succeeded", RefundStatus.SUCCEEDED), ("failed", RefundStatus.FAILED)):
        # Given a refund that the gateway is at
        account, wanted, transaction = await paid(case, simulated, listener)
        simulated.control("policy", refunds="accepted")
        back = refund_of(wanted, transaction, 100)
        assert (await case.gateway.refund(account, back)).status is RefundStatus.ACCEPTED
        assert (await case.gateway.query_refund(account, back)).status is RefundStatus.ACCEPTED
        # When it ends, and the gateway tells of it
        listener.told.clear()
        simulated.control("settle", number=back.number, state=state, notify={})
        # Then what is told names the refund, and asking tells how it ended
        [told] = listener.told
        assert not isinstance(told, NotificationRefused)
        assert told.number == back.number
        asked = await case.gateway.query_refund(account, back)
        if case.name == "alipay":
            # Alipay has no word for a refund that failed: it goes on being one that has not succeeded.
            expected = RefundStatus.SUCCEEDED if state == "succeeded" else RefundStatus.ACCEPTED
            assert told.status is RefundStatus.ACCEPTED
        else:
            assert told.status is expected
        assert asked.status is expected


@of("wechat", "alipay", "stripe")
async def test_a_refund_is_told_before_its_payment(
    case: Case, simulated: Simulated, listener: Listener
) -> None:
    account, wanted, transaction = await paid(case, simulated, listener)
    simulated.control("policy", refunds="succeeded")
    back = refund_of(wanted, transaction, 100)
    await case.gateway.refund(account, back)
    simulated.control("notify", number=back.number)
    simulated.control("notify", number=wanted.number)
    first, second = listener.told
    assert (first.number, second.number) == (back.number, wanted.number)
    assert isinstance(second, Observation)
    assert (second.status, second.amount) == (PaymentStatus.PAID, wanted.amount)


@of("wechat", "alipay", "stripe")
async def test_an_account_without_money_refuses_refunds_for_certain(
    case: Case, simulated: Simulated, listener: Listener
) -> None:
    account, wanted, transaction = await paid(case, simulated, listener)
    simulated.control("policy", balance="empty", refunds="succeeded")
    back = refund_of(wanted, transaction)
    with pytest.raises(GatewayRefused) as refused:
        await case.gateway.refund(account, back)
    assert refused.value.reason
    # When there is money again, then the same refund is done
    simulated.control("policy", balance="")
    assert (await case.gateway.refund(account, back)).status is RefundStatus.SUCCEEDED


@pytest.mark.parametrize("wrong", ["errors", "errors_after", "hang_up", "hang_up_after", "garbage"])
async def test_an_answer_that_says_nothing_is_never_taken_for_one(
    case: Case, simulated: Simulated, listener: Listener, wrong: str
) -> None:
    # Given a payment that is paid
    account, wanted, transaction = await paid(case, simulated, listener)
    # When the gateway's answers break, then nobody knows: not unpaid, not unknown, not refused
    simulated.control("misbehave", **{wrong: 1})
    with pytest.raises(GatewayUnanswered):
        await case.gateway.query(account, wanted.number)
    # and a refund whose answer broke can be sent again, and is one
    simulated.control("policy", refunds="succeeded")
    back = refund_of(wanted, transaction)
    simulated.control("misbehave", **{wrong: 1})
    # the first version of epay is asked first, whether the refund was made already: if that breaks, nothing was sent
    broken = GatewayNotReached if case.name == "epay" else GatewayUnanswered
    with pytest.raises(broken):
        await case.gateway.refund(account, back)
    assert (await case.gateway.refund(account, back)).status is RefundStatus.SUCCEEDED
    assert len(simulated.control("trades")[wanted.number]["refunds"]) == 1


async def test_a_gateway_that_is_not_there_got_nothing(case: Case, simulated: Simulated) -> None:
    key = "url" if case.name.startswith("epay") else "api_url"
    account = case.account(simulated, **{key: "http://127.0.0.1:9"})
    with pytest.raises(GatewayNotReached):
        await case.gateway.query(account, new_number())


async def test_a_gateway_that_does_not_answer_in_time_is_unanswered(case: Case, simulated: Simulated) -> None:
    # Given a server that takes a connection and says nothing
    async def silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()  # until the caller hangs up
        writer.close()

    server = await asyncio.start_server(silent, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    key = "url" if case.name.startswith("epay") else "api_url"
    account = case.account(simulated, timeout_seconds=0.5, **{key: f"http://127.0.0.1:{port}"})
    with pytest.raises(GatewayUnanswered):
        await case.gateway.query(account, new_number())
    server.close()
    await server.wait_closed()


async def test_calling_too_often_is_not_a_refusal(
    case: Case, simulated: Simulated, listener: Listener
) -> None:
    account, wanted = await started(case, simulated, listener)
    simulated.control("misbehave", limited=1)
    with pytest.raises(GatewayNotReached):
        await case.gateway.query(account, wanted.number)


@of("wechat", "alipay", "epay_v2")
@pytest.mark.parametrize("wrong", ["unsigned", "stranger"])
async def test_answers_that_the_gateway_did_not_sign_are_not_believed(
    case: Case, simulated: Simulated, listener: Listener, wrong: str
) -> None:
    # Given a payment that is paid
    account, wanted, transaction = await paid(case, simulated, listener)
    # When an answer is unsigned or a stranger's, then it says nothing
    for call in (
        lambda: case.gateway.query(account, wanted.number),
        lambda: case.gateway.query_refund(account, refund_of(wanted, transaction)),
    ):
        simulated.control("misbehave", **{wrong: 1})
        try:
            found = await call()
        except GatewayUnanswered:
            continue
        # Epay does not sign its refusals; all that can be said without a signature is "none of that number".
        assert case.name == "epay_v2"
        assert found.status is RefundStatus.UNKNOWN


@of("wechat", "alipay", "epay", "epay_v2")
async def test_other_currencies_are_refused_before_anything_is_sent(case: Case, simulated: Simulated) -> None:
    before = len(simulated.calls())
    wanted = msgspec.structs.replace(request(case), amount=Money(100, "USD"))
    with pytest.raises(GatewayRefused) as refused:
        await case.gateway.start(case.account(simulated), wanted)
    assert refused.value.reason == "CURRENCY"
    assert len(simulated.calls()) == before


async def test_ways_to_pay_that_it_lacks_are_refused(case: Case, simulated: Simulated) -> None:
    account = case.account(simulated)
    for flow in set(Flow) - set(case.gateway.capabilities.flows):
        with pytest.raises(GatewayRefused) as refused:
            await case.gateway.start(account, request(case, flow=flow))
        assert refused.value.reason == "FLOW"


async def test_nothing_of_an_account_shows_itself(case: Case, simulated: Simulated) -> None:
    account = case.account(simulated)
    for secret in case.gateway.secrets:
        value = getattr(account.settings, secret)
        assert not value or value not in f"{account!r} {account.settings!r} {account.settings}"
    # and no error tells a secret, nor an address that may hold one
    gone = case.account(
        simulated, **{"url" if case.name.startswith("epay") else "api_url": "http://127.0.0.1:9"}
    )
    with pytest.raises(GatewayNotReached) as raised:
        await case.gateway.query(gone, new_number())
    assert "key=" not in str(raised.value)
