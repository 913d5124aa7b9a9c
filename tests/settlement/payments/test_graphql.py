"""Payments as payers and the staff see them."""

from __future__ import annotations

import asyncio
import json
from datetime import UTC, datetime
from typing import Any

import pytest

from kameng.auth import Principal, PrincipalKind
from kameng.graphql import Context
from kameng.ids import global_id, new_id
from kameng_settlement.payments import permissions
from kameng_settlement.payments.permissions import REVEAL_GIFT_CARDS

from .conftest import SECRET, STAFF, Till

TOP_UP = """mutation($amount: Decimal!) {
  topUp(input: {amount: {amount: $amount, currency: "CNY"}}) {
    payment { number purpose state amount { amount } ways { gateway flow title } } errors { code }
  } }"""
START = """mutation($input: StartPaymentInput!) { startPayment(input: $input) {
  payment { state } attempt { number qr state } errors { code path } } }"""
PAYMENT = "query($number: String!) { payment(number: $number) { id state attempt { qr } ways { gateway } } }"
SAVE = """mutation($input: MerchantAccountInput!, $id: ID) { saveMerchantAccount(input: $input, id: $id) {
  account { id settings notifyUrl enabled } errors { code path } } }"""
ENABLE = """mutation($id: ID!) { setMerchantAccountEnabled(id: $id, enabled: true) {
  account { enabled } errors { code } } }"""


async def ask(
    till: Till, schema: str, document: str, who: Principal, key: str | None = None, **variables: Any
) -> Any:
    """What a schema answers."""
    context = Context(till.kernel, principal=who, locale="en", schema=schema, idempotency_key=key)
    answer = await till.kernel.graphql[schema].execute(document, variables, context)
    assert answer.errors is None, answer.errors
    return answer.data


def member() -> Principal:
    return Principal(kind=PrincipalKind.MEMBER, id=new_id())


async def topped_up(till: Till, who: Principal, amount: str = "10.00") -> Any:
    answer = await ask(till, "shop", TOP_UP, who, amount=amount, key=str(new_id()))
    assert answer["topUp"]["errors"] == []
    return answer["topUp"]["payment"]


async def test_a_member_fills_his_wallet(till: Till) -> None:
    # Given an account that takes money
    account = await till.account()
    ann = member()
    # When a member tops up, twice with the same key
    answers = [await ask(till, "shop", TOP_UP, ann, amount="10.00", key="one") for _ in range(2)]
    assert answers[0] == answers[1]
    payment = answers[0]["topUp"]["payment"]
    number = payment["number"]
    assert payment["ways"] == [
        {"gateway": "bank", "flow": "QR", "title": "The bank"},
        {"gateway": "bank", "flow": "REDIRECT", "title": "The bank"},
    ]
    # And begins to pay
    value = {"number": number, "gateway": "bank", "flow": "QR", "returnPath": "/wallet"}
    begun = (await ask(till, "shop", START, ann, input=value))["startPayment"]
    assert (begun["errors"], begun["payment"]["state"], begun["attempt"]["state"]) == (
        [],
        "PENDING",
        "WAITING",
    )
    assert begun["attempt"]["qr"] == f"bank://{begun['attempt']['number']}"
    # Then his wallet has it once the bank has
    await till.tell(account, await till.bank.pay(begun["attempt"]["number"]))
    seen = (await ask(till, "shop", PAYMENT, ann, number=number))["payment"]
    assert (seen["state"], seen["ways"]) == ("PAID", [])
    assert ann.id is not None
    assert await till.books.balances([ann.id]) == [1000]


async def test_the_ways_to_pay_are_told_before_there_is_anything_to_pay(till: Till) -> None:
    whatever = "{ paymentWays { gateway flow } }"
    ways = """query($amount: Decimal!, $currency: String!) {
      paymentWays(amount: {amount: $amount, currency: $currency}) { gateway flow title } }"""
    visitor = Principal(kind=PrincipalKind.VISITOR)
    assert await ask(till, "shop", ways, visitor, amount="10.00", currency="CNY") == {"paymentWays": []}
    await till.account()
    assert await ask(till, "shop", ways, visitor, amount="10.00", currency="CNY") == {
        "paymentWays": [
            {"gateway": "bank", "flow": "QR", "title": "The bank"},
            {"gateway": "bank", "flow": "REDIRECT", "title": "The bank"},
        ]
    }
    assert await ask(till, "shop", ways, visitor, amount="10.00", currency="USD") == {"paymentWays": []}
    assert await ask(till, "shop", whatever, visitor) == {
        "paymentWays": [{"gateway": "bank", "flow": "QR"}, {"gateway": "bank", "flow": "REDIRECT"}]
    }


async def test_nobody_sees_or_pays_what_is_another_ones(till: Till) -> None:
    await till.account()
    ann, bob = member(), member()
    number = (await topped_up(till, ann))["number"]
    own = (await ask(till, "shop", PAYMENT, ann, number=number))["payment"]
    assert (await ask(till, "shop", PAYMENT, bob, number=number))["payment"] is None
    node = "query($id: ID!) { node(id: $id) { id } }"
    assert (await ask(till, "shop", node, bob, id=own["id"]))["node"] is None
    assert (await ask(till, "shop", node, ann, id=own["id"]))["node"] == {"id": own["id"]}
    value = {"number": number, "gateway": "bank", "flow": "QR"}
    refused = (await ask(till, "shop", START, bob, input=value))["startPayment"]
    assert [error["code"] for error in refused["errors"]] == ["NOT_FOUND"]


@pytest.mark.parametrize("path", ["https://evil.example", "//evil.example", "/\\evil.example", "x", "/\n"])
async def test_the_browser_comes_back_to_the_shop_and_nowhere_else(till: Till, path: str) -> None:
    await till.account()
    ann = member()
    number = (await topped_up(till, ann))["number"]
    value = {"number": number, "gateway": "bank", "flow": "QR", "returnPath": path}
    refused = (await ask(till, "shop", START, ann, input=value))["startPayment"]
    assert refused["errors"] == [{"code": "INVALID_INPUT", "path": ["input", "returnPath"]}]


async def test_what_cannot_be_paid_is_told(till: Till) -> None:
    await till.account()
    ann = member()
    number = (await topped_up(till, ann))["number"]
    value = {"number": number, "gateway": "bank", "flow": "MANUAL"}
    refused = (await ask(till, "shop", START, ann, input=value))["startPayment"]
    assert [error["code"] for error in refused["errors"]] == ["NO_WAY_TO_PAY"]
    await till.kernel.db.execute("update settlement_payment set expires_at = now()")
    refused = (await ask(till, "shop", START, ann, input={**value, "flow": "QR"}))["startPayment"]
    assert [error["code"] for error in refused["errors"]] == ["PAYMENT_OVER"]


async def test_a_payer_watches_his_payment(till: Till) -> None:
    account = await till.account()
    ann = member()
    number = (await topped_up(till, ann))["number"]
    document = f'subscription {{ paymentChanged(number: "{number}") {{ state }} }}'
    context = Context(till.kernel, principal=ann, locale="en", schema="shop")
    stream = await till.kernel.graphql["shop"].subscribe(document, None, context)
    states = []

    async def watch() -> None:
        async for answer in stream:
            states.append(answer.data["paymentChanged"]["state"])
            if states[-1] == "PAID":
                return

    watching = asyncio.create_task(watch())
    while not states:
        await asyncio.sleep(0.01)
    value = {"number": number, "gateway": "bank", "flow": "QR"}
    begun = (await ask(till, "shop", START, ann, input=value))["startPayment"]
    await till.tell(account, await till.bank.pay(begun["attempt"]["number"]))
    await watching
    assert states[0] == "CREATED"
    assert states[-1] == "PAID"


async def test_the_secrets_of_an_account_go_in_and_never_come_out(till: Till) -> None:
    # When the staff make an account and enable it
    value = {
        "gateway": "bank",
        "code": "main",
        "name": "Main",
        "merchant": "M-main",
        "settings": json.dumps({"url": till.bank.url, "secret": SECRET}),
    }
    saved = (await ask(till, "admin", SAVE, STAFF, input=value))["saveMerchantAccount"]
    account = saved["account"]
    assert (saved["errors"], account["enabled"]) == ([], False)
    assert json.loads(account["settings"]) == {"url": till.bank.url, "secret": "***"}
    assert account["notifyUrl"].endswith(f"/payments/notify/bank/{(await stored(till)).id}")
    assert (await ask(till, "admin", ENABLE, STAFF, id=account["id"]))["setMerchantAccountEnabled"][
        "account"
    ] == {"enabled": True}
    # Then what is changed is changed, and the secret stays though nobody says it again
    changed = {**value, "name": "First", "settings": "{}"}
    again = (await ask(till, "admin", SAVE, STAFF, input=changed, id=account["id"]))["saveMerchantAccount"]
    assert json.loads(again["account"]["settings"]) == {"url": till.bank.url, "secret": "***"}
    row = await stored(till)
    assert SECRET.encode() not in row.sealed_settings
    entries = await till.kernel.db.fetch("select details::text as details from kernel_audit")
    assert len(entries) == 3
    assert not any(SECRET in entry["details"] for entry in entries)
    # And its code stays what it is
    refused = await ask(till, "admin", SAVE, STAFF, input={**value, "code": "x"}, id=account["id"])
    assert [error["code"] for error in refused["saveMerchantAccount"]["errors"]] == ["CONFLICT"]


async def stored(till: Till) -> Any:
    key = await till.kernel.db.fetchval("select id from settlement_merchant_account")
    return await till.stored(key)


async def test_the_back_office_sees_a_payment_with_its_evidence_and_refunds_it(till: Till) -> None:
    account = await till.account()
    payment, attempt = await till.begun()
    value = await till.bank.pay(attempt.number)
    await till.tell(account, {**value, "amount": 1})
    await till.tell(account, value)
    refund = """mutation($number: String!) { refundPayment(input: {
        number: $number, amount: {amount: "4.00", currency: "CNY"}, reason: "asked for"}) {
      refund { state amount { amount } } payment { refunded { amount } } errors { code } } }"""
    for _ in range(2):
        answer = (await ask(till, "admin", refund, STAFF, key="one", number=payment.number))["refundPayment"]
        assert answer == {
            "refund": {"state": "REQUESTED", "amount": {"amount": "4.00"}},
            "payment": {"refunded": {"amount": "4.00"}},
            "errors": [],
        }
    document = """{ payments(first: 10) { nodes { state transaction account { code } payerId
        attempts { state } history { toState actor } refunds { reason } proofs { id }
        observations { outcome account { name } } } }
      paymentEvidence(first: 10) { nodes { outcome toldBy payment { number } amount { amount } } }
      merchantAccounts(first: 10) { nodes { code } } gateways { name } }"""
    seen = await ask(till, "admin", document, STAFF)
    (node,) = seen["payments"]["nodes"]
    assert (node["state"], node["transaction"], node["account"]) == (
        "PAID",
        f"T{attempt.number}",
        {"code": "main"},
    )
    assert [each["outcome"] for each in node["observations"]] == ["WRONG_AMOUNT", "PAID"]
    assert [each["toState"] for each in node["history"]] == ["CREATED", "PENDING", "PAID", "PAID"]
    assert (node["attempts"], node["refunds"]) == ([{"state": "PAID"}], [{"reason": "asked for"}])
    assert seen["paymentEvidence"]["nodes"] == [
        {
            "outcome": "WRONG_AMOUNT",
            "toldBy": "notification",
            "payment": {"number": payment.number},
            "amount": {"amount": "0.01"},
        }
    ]
    assert {"balance", "manual"} <= {each["name"] for each in seen["gateways"]}


async def test_gift_cards_are_made_shown_with_a_fresh_factor_and_redeemed(till: Till) -> None:
    make = """mutation { makeGiftCards(input: {name: "New year", amount: {amount: "50", currency: "CNY"}, count: 2}) {
      batch { id count redeemed } errors { code } } }"""
    batch = (await ask(till, "admin", make, STAFF))["makeGiftCards"]["batch"]
    reveal = (
        'mutation($id: ID!) { revealGiftCards(batchId: $id, reason: "printed") { codes errors { code } } }'
    )
    refused = (await ask(till, "admin", reveal, STAFF, id=batch["id"]))["revealGiftCards"]
    assert (refused["codes"], [error["code"] for error in refused["errors"]]) == (None, ["STEP_UP_REQUIRED"])
    fresh = Principal(
        kind=PrincipalKind.STAFF,
        id=new_id(),
        permissions=frozenset({REVEAL_GIFT_CARDS}),
        step_up_at=datetime.now(UTC),
    )
    codes = (await ask(till, "admin", reveal, fresh, id=batch["id"]))["revealGiftCards"]["codes"]
    redeem = "mutation($code: String!) { redeemGiftCard(input: {code: $code}) { amount { amount } errors { code } } }"
    ann = member()
    answer = (await ask(till, "shop", redeem, ann, code=codes[0]))["redeemGiftCard"]
    assert answer == {"amount": {"amount": "50.00"}, "errors": []}
    answer = (await ask(till, "shop", redeem, member(), code=codes[0]))["redeemGiftCard"]
    assert [error["code"] for error in answer["errors"]] == ["GIFT_CARD_UNKNOWN"]
    void = 'mutation($id: ID!) { voidGiftCards(batchId: $id, reason: "over") { voided batch { redeemed void } } }'
    answer = (await ask(till, "admin", void, STAFF, id=batch["id"]))["voidGiftCards"]
    assert answer == {"voided": 1, "batch": {"redeemed": 1, "void": 1}}


MUTATIONS = {
    'saveMerchantAccount(input: {gateway: "bank", code: "c", name: "n", merchant: "m"})': "MANAGE_GATEWAYS",
    'setMerchantAccountEnabled(id: "ID1", enabled: true)': "MANAGE_GATEWAYS",
    'refundPayment(input: {number: "x", amount: {amount: "1", currency: "CNY"}, reason: "r"})': "REFUND_PAYMENTS",
    'confirmTransfer(input: {number: "x", amount: {amount: "1", currency: "CNY"}, reference: "r"})': "CONFIRM_TRANSFERS",
    'rejectTransfer(number: "x", reason: "r")': "CONFIRM_TRANSFERS",
    'openTransferProof(id: "ID2")': "CONFIRM_TRANSFERS",
    'addTopUpBonus(input: {name: "n", from: {amount: "1", currency: "CNY"}})': "MANAGE_TOP_UPS",
    'setTopUpBonusEnabled(id: "ID3", enabled: true)': "MANAGE_TOP_UPS",
    'makeGiftCards(input: {name: "n", amount: {amount: "1", currency: "CNY"}, count: 0})': "MANAGE_GIFT_CARDS",
    'voidGiftCards(batchId: "ID4", reason: "")': "MANAGE_GIFT_CARDS",
    'revealGiftCards(batchId: "ID4", reason: "x")': "REVEAL_GIFT_CARDS",
}


@pytest.mark.parametrize("call", MUTATIONS)
async def test_each_thing_needs_its_permission(till: Till, call: str) -> None:
    own = getattr(permissions, MUTATIONS[call])
    names = ("MerchantAccount", "TransferProof", "TopUpBonus", "GiftCardBatch")
    document = "mutation { " + call + " { errors { code } } }"
    for number, name in enumerate(names, start=1):
        document = document.replace(f"ID{number}", global_id(name, new_id()))
    field = call.partition("(")[0]
    for held, forbidden in ((STAFF.permissions - {"*"}, True), (frozenset({own}), False)):
        everything = {value for key, value in vars(permissions).items() if key.isupper()} - {own}
        by = Principal(
            kind=PrincipalKind.STAFF, id=new_id(), permissions=frozenset(everything) if forbidden else held
        )
        codes = [
            error["code"] for error in (await ask(till, "admin", document, by, key="k"))[field]["errors"]
        ]
        assert codes
        assert (codes == ["FORBIDDEN"]) is forbidden
