"""A refund of which its gateway tells nothing: not sent twice, and settled by two persons who say the same."""

from __future__ import annotations

import asyncio
from typing import Any

import msgspec
import pytest

from kameng.auth import Principal, PrincipalKind
from kameng.errors import Conflict, InvalidInput, Refusal
from kameng.graphql import Context
from kameng.ids import new_id
from kameng_settlement.payments.errors import RefundNotOpen, SamePerson
from kameng_settlement.payments.gateways import gateway
from kameng_settlement.payments.records import StoredPayment, StoredRefund
from kameng_settlement.payments.refund_verdicts import settle_by_people

from .conftest import Till
from .test_refunds import ask, paid, states, work

MUTATION = """mutation($input: SettleRefundInput!) { settleRefund(input: $input) {
  settled refund { state settleable verdicts gatewayReference } payment { refunded { amount } } errors { code } } }"""


def somebody(*permissions: str) -> Principal:
    """One of the staff."""
    return Principal(kind=PrincipalKind.STAFF, id=new_id(), permissions=frozenset(permissions or ("*",)))


@pytest.fixture
def mute(monkeypatch: pytest.MonkeyPatch) -> None:
    """A bank that tells of payments alone."""
    bank: Any = gateway("bank")
    monkeypatch.setattr(
        type(bank), "capabilities", msgspec.structs.replace(bank.capabilities, refund_query=False)
    )


async def unanswered(till: Till) -> tuple[StoredPayment, StoredRefund]:
    """A refund of 3.00 of 10.00 that was sent, and to which the bank answered with an error."""
    account = await till.account()
    payment = await paid(till, account)
    await till.bank.call("/control", path="/refund", status=500, done=False)
    refund = await ask(till, payment, 300)
    await work(till)
    return payment, refund


async def says(
    till: Till, refund: StoredRefund, who: Principal, succeeded: bool, **values: Any
) -> bool | Refusal:
    assert who.id is not None
    given = {"evidence": "statement of 22 November, line 7", "reference": "B-77", **values}
    try:
        return await settle_by_people(
            Context(till.kernel, principal=who, schema="admin"),
            refund.number,
            succeeded=succeeded,
            person=who.id,
            **given,
        )
    except Refusal as refusal:
        return refusal


@pytest.mark.usefixtures("mute")
async def test_it_is_not_sent_again_and_told_to_the_staff_once(till: Till) -> None:
    _, refund = await unanswered(till)
    for _ in range(3):
        await work(till)
    row = await till.kernel.db.fetchrow(
        "select sends, state, note from settlement_payment_refund where number = $1", refund.number
    )
    assert (row["sends"], row["state"]) == (1, "REQUESTED")
    assert "two persons" in row["note"]
    assert await till.events("settlement.payment_needs_attention") == 1


@pytest.mark.usefixtures("mute")
async def test_two_persons_who_say_that_it_went_back_settle_it(till: Till) -> None:
    payment, refund = await unanswered(till)
    first, second = somebody(), somebody()
    # One is not enough, however often he says it; another one who says the contrary is not the second
    assert await says(till, refund, first, True) is False
    assert isinstance(await says(till, refund, first, True), SamePerson)
    assert await says(till, refund, somebody(), False) is False
    assert await states(till) == ["REQUESTED"]
    # A second one who says the same is, once
    assert await says(till, refund, second, True) is True
    assert await says(till, refund, second, True) is True
    assert isinstance(await says(till, refund, second, False), Conflict)
    row = await till.kernel.db.fetchrow("select * from settlement_payment_refund")
    assert (row["state"], row["gateway_reference"], row["returned"]) == ("SUCCEEDED", "B-77", None)
    # And the books are as the wallet left them: the money is gone from both sides
    assert (await till.wallet(payment), await till.account_sum("clearing:bank:main")) == (700, 700)
    assert await till.events("settlement.payment_refund_settled") == 1
    assert (await till.books.verified()).ok
    # Each word is in the audit log, with its evidence, and in the payment's history
    rows = await till.kernel.db.fetch(
        "select details->>'second' as second from kernel_audit where action = 'settlement.payment_refund_verdict'"
        " order by id"
    )
    assert [each["second"] for each in rows] == ["false", "false", "true"]
    notes = await till.kernel.db.fetch("select note from settlement_payment_history order by id")
    assert f"{refund.number} has gone back: statement of 22 November, line 7" in [
        each["note"] for each in notes
    ]


@pytest.mark.usefixtures("mute")
async def test_two_who_say_that_it_did_not_put_it_into_the_wallet_again_once(till: Till) -> None:
    payment, refund = await unanswered(till)
    people = [somebody() for _ in range(6)]
    answers = await asyncio.gather(*(says(till, refund, one, False) for one in people))
    assert sorted(answers, key=str) == [False, *[True] * 5]
    assert await states(till) == ["FAILED"]
    assert await till.wallet(payment) == 1000
    assert (await till.now(payment)).refunded_minor == 0
    assert await till.account_sum("clearing:bank:main") == 1000
    assert (await till.books.verified()).ok


async def test_a_gateway_that_can_be_asked_is_asked_for_long(till: Till) -> None:
    _, refund = await unanswered(till)
    # Given a bank that can be asked and that fails: nobody takes its place
    assert isinstance(await says(till, refund, somebody(), True), RefundNotOpen)
    # But after eight turns, and not while a worker is at it
    await till.kernel.db.execute(
        "update settlement_payment_refund set asks = 8, sends = 1, busy_until = now() + interval '1 minute'"
    )
    assert isinstance(await says(till, refund, somebody(), True), Conflict)
    await till.kernel.db.execute("update settlement_payment_refund set busy_until = null")
    assert await says(till, refund, somebody(), True) is False
    # And nobody without saying how he knows
    assert isinstance(await says(till, refund, somebody(), True, evidence=" "), InvalidInput)


@pytest.mark.usefixtures("mute")
async def test_what_the_gateway_says_afterwards_changes_nothing_and_is_told(till: Till) -> None:
    from hashlib import sha256

    from kameng_settlement.gateway_contract import RefundObservation, RefundStatus
    from kameng_settlement.payments.accounts import read_accounts
    from kameng_settlement.payments.refund_settling import settle_refund

    payment, refund = await unanswered(till)
    for who in (somebody(), somebody()):
        await says(till, refund, who, False)
    account = (await read_accounts(till.kernel, [refund.account]))[refund.account]
    before = await till.events("settlement.payment_needs_attention")
    said = RefundObservation(
        gateway="bank",
        merchant=account.merchant,
        number=refund.number,
        status=RefundStatus.SUCCEEDED,
        raw_digest=sha256(b"late").digest(),
    )
    assert not await settle_refund(till.kernel, account, said)
    assert await till.wallet(payment) == 1000
    assert await till.events("settlement.payment_needs_attention") == before + 1


@pytest.mark.usefixtures("mute")
async def test_the_back_office_shows_and_settles_it(till: Till) -> None:
    _, refund = await unanswered(till)

    async def asked(document: str, variables: Any, who: Principal) -> Any:
        context = Context(till.kernel, principal=who, schema="admin", locale="en")
        answer = await till.kernel.graphql["admin"].execute(document, variables, context)
        assert answer.errors is None, answer.errors
        return answer.data

    listed = "{ openRefunds(first: 5) { nodes { number settleable verdicts } } }"
    reader = somebody("settlement.read_payments")
    shown = {"number": refund.number, "settleable": True, "verdicts": []}
    assert (await asked(listed, None, reader))["openRefunds"]["nodes"] == [shown]
    given = {"number": refund.number, "verdict": "SUCCEEDED", "evidence": "line 7"}
    refused = (await asked(MUTATION, {"input": given}, reader))["settleRefund"]
    assert [each["code"] for each in refused["errors"]] == ["FORBIDDEN"]
    clerk = "settlement.settle_refunds", "settlement.read_payments"
    first = (await asked(MUTATION, {"input": given}, somebody(*clerk)))["settleRefund"]
    assert (first["settled"], first["refund"]["state"]) == (False, "REQUESTED")
    assert (await asked(listed, None, reader))["openRefunds"]["nodes"] == [
        {**shown, "verdicts": ["SUCCEEDED"]}
    ]
    done = (await asked(MUTATION, {"input": given}, somebody(*clerk)))["settleRefund"]
    assert (done["settled"], done["refund"]["state"]) == (True, "SUCCEEDED")
    assert done["payment"]["refunded"]["amount"] == "3.00"
    assert (await asked(listed, None, reader))["openRefunds"]["nodes"] == []
