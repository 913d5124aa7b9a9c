"""What the back office's desk does with payments: searching, transfers that wait, asking again, accounts by a form."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

from kameng.auth import Principal, PrincipalKind
from kameng.graphql import Context
from kameng.ids import global_id, new_id
from kameng.money import Money
from kameng_settlement.gateway_contract import Flow
from kameng_settlement.payments.manual import confirm_transfer
from kameng_settlement.payments.permissions import MANAGE_GATEWAYS, READ_PAYMENTS

from .conftest import SECRET, Till

READER = Principal(kind=PrincipalKind.STAFF, id=new_id(), permissions=frozenset({READ_PAYMENTS}))
MANAGER = Principal(
    kind=PrincipalKind.STAFF, id=new_id(), permissions=frozenset({READ_PAYMENTS, MANAGE_GATEWAYS})
)

FIND = "query($filter: PaymentFilter) { payments(filter: $filter) { nodes { number } } }"
SAVE = """mutation($input: MerchantAccountInput!, $id: ID) { saveMerchantAccount(input: $input, id: $id) {
  account { id settings feePpm } errors { code path message } } }"""


async def ask(till: Till, document: str, who: Principal = READER, **variables: Any) -> Any:
    """What the back office answers."""
    context = Context(till.kernel, principal=who, locale="en", schema="admin")
    answer = await till.kernel.graphql["admin"].execute(document, variables, context)
    assert answer.errors is None, answer.errors
    return answer.data


async def found(till: Till, **wanted: Any) -> set[str]:
    """The numbers of payments that fit."""
    return {row["number"] for row in (await ask(till, FIND, filter=wanted))["payments"]["nodes"]}


async def test_payments_are_found_by_each_of_their_numbers(till: Till) -> None:
    await till.account()
    other = await till.open(memo="K-OTHER")
    payment = await till.open(memo="K-7QX2")
    attempt = await till.start(payment)

    assert await found(till) == {payment.number, other.number}
    for text in (payment.number, f" {attempt.number} ", "K-7QX2"):
        assert await found(till, search=text) == {payment.number}, text
    assert await found(till, search="K-7QX") == set()


async def test_payments_are_found_by_account_gateway_payer_state_and_day(till: Till) -> None:
    first, second = await till.account(), await till.account("second")
    tried, untouched = await till.open(), await till.open()
    await till.start(tried)
    [account] = [each for each in (first, second) if await found(till, accountId=_id(each.id))]
    today = datetime.now(UTC).date()

    assert await found(till, accountId=_id(account.id)) == {tried.number}
    assert await found(till, gateway="bank") == {tried.number}
    assert await found(till, gateway="wechat") == set()
    assert await found(till, payerId=global_id("Member", untouched.payer)) == {untouched.number}
    assert await found(till, state="PENDING") == {tried.number}
    around = {"since": str(today - timedelta(days=1)), "until": str(today + timedelta(days=1))}
    assert await found(till, **around) == {tried.number, untouched.number}
    assert await found(till, until=str(today - timedelta(days=2))) == set()


async def test_transfers_wait_in_a_queue_with_who_has_seen_them(till: Till) -> None:
    await till.account("icbc", gateway="manual", merchant="6222", settings={"instructions": "ICBC 6222"})
    await till.open()
    payment = await till.open()
    await till.start(payment, "manual", Flow.MANUAL)
    first, second = [
        Principal(kind=PrincipalKind.STAFF, id=new_id(), permissions=frozenset({"*"})) for _ in range(2)
    ]
    shown = """query($number: String!) { paymentByNumber(number: $number) {
        refundable { amount } confirmations { mine reference amount { amount } } } }"""

    assert await found(till, transfers=True) == {payment.number}
    for person in (first, second):
        await confirm_transfer(
            till.context(person), await till.now(payment), Money(1000, "CNY"), "B-1", person.id
        )
        if person is first:
            [seen] = (await ask(till, shown, first, number=payment.number))["paymentByNumber"][
                "confirmations"
            ]
            assert seen == {"mine": True, "reference": "B-1", "amount": {"amount": "10.00"}}
    after = (await ask(till, shown, second, number=payment.number))["paymentByNumber"]

    assert [each["mine"] for each in after["confirmations"]] == [False, True]
    assert after["refundable"] == {"amount": "10.00"}
    assert await found(till, transfers=True) == set()


async def test_the_gateway_is_asked_again_at_once_and_only_where_there_is_something_to_ask(
    till: Till,
) -> None:
    await till.account()
    payment, untouched = await till.open(), await till.open()
    attempt = await till.start(payment)
    await till.kernel.db.execute(
        "update settlement_payment_attempt set next_at = now() + interval '1 hour' where id = $1", attempt.id
    )
    again = """mutation($number: String!) { askGatewayAgain(number: $number) {
        payment { number history { note } } errors { code } } }"""

    asked = (await ask(till, again, number=payment.number))["askGatewayAgain"]
    idle = (await ask(till, again, number=untouched.number))["askGatewayAgain"]

    assert asked["errors"] == []
    assert asked["payment"]["history"][-1] == {"note": "the gateway is asked again"}
    assert idle["errors"] == [{"code": "CONFLICT"}]
    assert await till.kernel.db.fetchval(
        "select next_at <= now() from settlement_payment_attempt where id = $1", attempt.id
    )


async def test_an_account_is_saved_by_a_form_made_of_its_gateways_settings(till: Till) -> None:
    form = "{ gateways { name fields { name kind required secret } } }"
    [bank] = [each for each in (await ask(till, form))["gateways"] if each["name"] == "bank"]
    named = {"gateway": "bank", "code": "form", "name": "By a form", "merchant": "M-form"}
    texts = [{"name": "url", "value": till.bank.url}, {"name": "secret", "value": SECRET}]

    made = await ask(till, SAVE, MANAGER, input={**named, "values": texts})
    key = made["saveMerchantAccount"]["account"]["id"]
    kept = await ask(
        till, SAVE, MANAGER, id=key, input={**named, "values": [texts[0], {"name": "secret", "value": None}]}
    )
    wrong = await ask(
        till, SAVE, MANAGER, id=key, input={**named, "values": [{"name": "url", "value": None}]}
    )

    assert {"name": "secret", "kind": "TEXT", "required": True, "secret": True} in bank["fields"]
    assert made["saveMerchantAccount"]["errors"] == []
    assert kept["saveMerchantAccount"]["errors"] == []
    assert json.loads(kept["saveMerchantAccount"]["account"]["settings"]) == {
        "url": till.bank.url,
        "secret": "***",
    }
    assert wrong["saveMerchantAccount"]["errors"] == [
        {"code": "INVALID_INPUT", "path": ["input", "values", "0", "value"], "message": "This is required."}
    ]


def _id(key: Any) -> str:
    return global_id("MerchantAccount", key)
