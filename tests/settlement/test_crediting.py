"""Staff books money into wallets and takes transactions back, through the admin schema."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from kameng.auth import VISITOR, Principal
from kameng.ids import global_id, new_id
from kameng_settlement.contract import Charged

from .conftest import Ask, Books, buyer, clerk, order

CREDIT = """
mutation Credit($input: CreditWalletInput!) {
  creditWallet(input: $input) {
    wallet { currency balance { amount currency } available { amount } }
    transaction { id key kind memo postings { debit { kind ownerId } credit { kind ownerId title } amount { amount } } }
    errors { code path message cure }
  }
}
"""

REVERSE = """
mutation Reverse($input: ReverseTransactionInput!) {
  reverseTransaction(input: $input) {
    reversal { kind reverses { id reversedBy { kind } } }
    errors { code message }
  }
}
"""


def credit_input(
    member: object, amount: str = "98.50", currency: str = "CNY", reason: str = "Bank transfer 7"
) -> Any:
    return {
        "input": {
            "memberId": global_id("Member", member),  # type: ignore[arg-type]  # a UUID
            "amount": {"amount": amount, "currency": currency},
            "reason": reason,
        }
    }


async def test_a_credit_is_a_posting_from_the_operators_funds(books: Books, ask: Ask) -> None:
    # Given a member
    member, staff = await books.member(), clerk("settlement.credit_wallet")
    # When staff credits the wallet
    data = await ask("admin", CREDIT, credit_input(member), principal=staff, key="k-1")
    # Then the wallet holds it, and the ledger says where it came from
    payload = data["creditWallet"]
    assert payload["errors"] == []
    assert payload["wallet"] == {
        "currency": "CNY",
        "balance": {"amount": "98.50", "currency": "CNY"},
        "available": {"amount": "98.50"},
    }
    transaction = payload["transaction"]
    assert transaction["key"] == f"manual_credit:staff:{staff.id}:k-1"
    assert (transaction["kind"], transaction["memo"]) == ("manual_credit", "Bank transfer 7")
    assert transaction["postings"] == [
        {
            "debit": {"kind": "operator_funds", "ownerId": None},
            "credit": {
                "kind": "wallet",
                "ownerId": global_id("Member", member),
                "title": "Member's wallet",
            },
            "amount": {"amount": "98.50"},
        }
    ]
    assert await books.balances([member]) == [9850]
    assert (await books.verified()).ok


async def test_a_credit_is_told_and_recorded_once(books: Books, ask: Ask) -> None:
    # Given a credit that was sent three times
    member, staff = await books.member(), clerk("settlement.credit_wallet")
    answers = [await ask("admin", CREDIT, credit_input(member), principal=staff, key="k-1") for _ in range(3)]
    # Then all answers name the same transaction, and there is one posting, one event, one audit entry
    assert len({answer["creditWallet"]["transaction"]["id"] for answer in answers}) == 1
    assert await books.balances([member]) == [9850]
    events = await books.kernel.db.fetch(
        "select * from kernel_outbox where topic = 'settlement.wallet_credited'"
    )
    assert len(events) == 1
    page = await books.kernel.audit.page(action="settlement.credit_wallet")
    assert [(entry.subject, entry.details["amount_minor"]) for entry in page.entries] == [
        (f"member:{member}", 9850)
    ]


async def test_a_key_can_stand_at_each_mutation_of_a_document(books: Books, ask: Ask) -> None:
    # Given a document with two credits, each with its own key
    member, staff = await books.member(), clerk("settlement.credit_wallet")
    document = """
    mutation Two($input: CreditWalletInput!, $second: String!) {
      a: creditWallet(input: $input) @idempotent(key: "first") { errors { code } }
      b: creditWallet(input: $input) @idempotent(key: $second) { errors { code } }
    }
    """
    # When it is sent twice, then each is booked once
    for _ in range(2):
        data = await ask("admin", document, {**credit_input(member), "second": "other"}, principal=staff)
        assert data == {"a": {"errors": []}, "b": {"errors": []}}
    assert await books.balances([member]) == [2 * 9850]


async def test_the_same_key_at_the_same_moment_credits_once(books: Books, ask: Ask) -> None:
    member, staff = await books.member(), clerk("settlement.credit_wallet")
    answers = await asyncio.gather(
        *(ask("admin", CREDIT, credit_input(member), principal=staff, key="k-1") for _ in range(8))
    )
    assert len({answer["creditWallet"]["transaction"]["id"] for answer in answers}) == 1
    assert await books.balances([member]) == [9850]


async def test_the_same_key_with_another_input_is_a_conflict(books: Books, ask: Ask) -> None:
    member, staff = await books.member(), clerk("settlement.credit_wallet")
    await ask("admin", CREDIT, credit_input(member), principal=staff, key="k-1")
    for other in (
        credit_input(member, "98.51"),
        credit_input(member, reason="Another"),
        credit_input(await books.member()),
    ):
        data = await ask("admin", CREDIT, other, principal=staff, key="k-1")
        assert [error["code"] for error in data["creditWallet"]["errors"]] == ["CONFLICT"]
        assert data["creditWallet"]["wallet"] is None
    assert await books.size() == (1, 1)


async def test_keys_belong_to_whoever_sends_them(books: Books, ask: Ask) -> None:
    member = await books.member()
    for _ in range(2):
        staff = clerk("settlement.credit_wallet")
        data = await ask("admin", CREDIT, credit_input(member), principal=staff, key="k-1")
        assert data["creditWallet"]["errors"] == []
    assert await books.balances([member]) == [19700]


@pytest.mark.parametrize(
    ("change", "key", "code", "path"),
    [
        ({"amount": "0"}, "k", "INVALID_INPUT", ["input", "amount", "amount"]),
        ({"amount": "-5"}, "k", "INVALID_INPUT", ["input", "amount", "amount"]),
        ({"amount": "1.005"}, "k", "INVALID_INPUT", []),
        ({"currency": "XYZ"}, "k", "INVALID_INPUT", []),
        ({"reason": "  "}, "k", "INVALID_INPUT", ["input", "reason"]),
        ({"reason": "x" * 501}, "k", "INVALID_INPUT", ["input", "reason"]),
        ({}, None, "INVALID_INPUT", ["idempotencyKey"]),
        ({}, "k" * 101, "INVALID_INPUT", ["idempotencyKey"]),
        ({"member": new_id()}, "k", "NOT_FOUND", ["input", "memberId"]),
    ],
)
async def test_an_unusable_credit_is_refused_and_changes_nothing(
    books: Books, ask: Ask, change: dict[str, Any], key: str | None, code: str, path: list[str]
) -> None:
    member = change.pop("member", None) or await books.member()
    data = await ask(
        "admin", CREDIT, credit_input(member, **change), principal=clerk("settlement.credit_wallet"), key=key
    )
    [error] = data["creditWallet"]["errors"]
    assert (error["code"], error["path"]) == (code, path)
    assert error["cure"]
    assert await books.size() == (0, 0)


@pytest.mark.parametrize(
    ("principal", "code"),
    [
        (VISITOR, "UNAUTHENTICATED"),
        (buyer(new_id()), "FORBIDDEN"),
        (clerk("settlement.read_ledger"), "FORBIDDEN"),
    ],
)
async def test_only_who_may_credits(books: Books, ask: Ask, principal: Principal, code: str) -> None:
    member = await books.member()
    data = await ask("admin", CREDIT, credit_input(member), principal=principal, key="k")
    assert [error["code"] for error in data["creditWallet"]["errors"]] == [code]
    assert await books.size() == (0, 0)


async def test_a_sale_is_taken_back_once(books: Books, ask: Ask) -> None:
    # Given a sale
    member = await books.rich(1000)
    [sale] = await books.charge(order(member, 300))
    assert isinstance(sale, Charged)
    staff = clerk("settlement.reverse_transaction")
    ask_back = {
        "input": {"transactionId": global_id("LedgerTransaction", sale.transaction), "reason": "Wrong card"}
    }
    # When it is taken back, and again under the same and another key
    first = await ask("admin", REVERSE, ask_back, principal=staff, key="r-1")
    again = await ask("admin", REVERSE, ask_back, principal=staff, key="r-1")
    other = await ask("admin", REVERSE, ask_back, principal=staff, key="r-2")
    # Then the first two are one, and the third is refused
    assert first == again
    assert first["reverseTransaction"] == {
        "reversal": {
            "kind": "reversal",
            "reverses": {
                "id": ask_back["input"]["transactionId"],
                "reversedBy": {"kind": "reversal"},
            },
        },
        "errors": [],
    }
    assert [error["code"] for error in other["reverseTransaction"]["errors"]] == ["ALREADY_REVERSED"]
    assert await books.balances([member]) == [1000]
    page = await books.kernel.audit.page(action="settlement.reverse_transaction")
    assert len(page.entries) == 1


async def test_a_spent_credit_is_not_taken_back(books: Books, ask: Ask) -> None:
    member = new_id()
    credit = await books.credit(member, 100)
    await books.charge(order(member, 1))
    variables = {
        "input": {"transactionId": global_id("LedgerTransaction", credit.transaction), "reason": "Mistake"}
    }
    data = await ask(
        "admin", REVERSE, variables, principal=clerk("settlement.reverse_transaction"), key="r-1"
    )
    assert [error["code"] for error in data["reverseTransaction"]["errors"]] == ["INSUFFICIENT_FUNDS"]
    assert await books.balances([member]) == [99]
