"""Lines of accounts as nodes: each is found by its id, by those who may see it."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from kameng.auth import VISITOR, Principal, PrincipalKind
from kameng.db import counted_statements
from kameng.ids import global_id, key_of, new_id
from kameng_settlement.lines import Line, lines_by_key

from .conftest import Ask, Books, buyer, clerk, order

STATEMENT = "{ viewer { wallet { statement { nodes { id kind amount { amount } } } } } }"

NODES = "query ($ids: [ID!]!) { nodes(ids: $ids) { id ... on WalletEntry { kind amount { amount } } } }"

LINES = """
query ($ids: [ID!]!) { nodes(ids: $ids) { id ... on LedgerLine { side amount { amount } transaction { kind } } } }
"""


async def statement(ask: Ask, member: UUID) -> list[dict[str, Any]]:
    data = await ask("shop", STATEMENT, principal=buyer(member))
    entries: list[dict[str, Any]] = data["viewer"]["wallet"]["statement"]["nodes"]
    return entries


async def test_an_entry_of_ones_own_wallet_is_found_by_its_id(books: Books, ask: Ask) -> None:
    # Given a wallet with a credit and a sale
    member = await books.member()
    await books.credit(member, 1000)
    await books.charge(order(member, 250))
    entries = await statement(ask, member)
    assert [entry["amount"]["amount"] for entry in entries] == ["-2.50", "10.00"]

    # When both are asked for by their ids, then they are the same, by one statement
    ids = [entry["id"] for entry in entries]
    with counted_statements() as statements:
        data = await ask("shop", NODES, {"ids": ids}, principal=buyer(member))
    assert data == {"nodes": entries}
    assert sum("settlement.read_lines" in text for text in statements) == 1


async def test_nobody_else_finds_it(books: Books, ask: Ask) -> None:
    # Given an entry of a member
    member = await books.member()
    await books.credit(member, 1000)
    ids = [entry["id"] for entry in await statement(ask, member)]

    # When others ask for it, or the member by a token for other things, then it does not exist
    token = Principal(kind=PrincipalKind.MEMBER, id=member, scopes=frozenset({"catalog.read"}))
    for principal in (VISITOR, buyer(await books.member()), token):
        assert await ask("shop", NODES, {"ids": ids}, principal=principal) == {"nodes": [None]}
    for principal in (VISITOR, clerk("settlement.credit_wallet")):
        assert await ask("admin", NODES, {"ids": ids}, principal=principal) == {"nodes": [None]}
    data = await ask("admin", NODES, {"ids": ids}, principal=clerk("settlement.read_ledger"))
    assert data["nodes"][0]["amount"] == {"amount": "10.00"}


async def test_the_other_side_of_a_posting_is_another_line(books: Books, ask: Ask) -> None:
    # Given a credit, which is one posting from the operator's funds into a wallet
    member = await books.member()
    await books.credit(member, 1000)
    [entry] = await statement(ask, member)
    credit = key_of("WalletEntry", entry["id"])
    debit = UUID(int=credit.int & ~(1 << 80))
    assert debit != credit
    staff = clerk("settlement.read_ledger")

    # Then both sides are lines of the ledger
    data = await ask(
        "admin", LINES, {"ids": [global_id("LedgerLine", key) for key in (debit, credit)]}, principal=staff
    )
    money, moved = {"amount": "10.00"}, {"kind": "manual_credit"}
    assert [(line["side"], line["amount"], line["transaction"]) for line in data["nodes"]] == [
        ("DEBIT", money, moved),
        ("CREDIT", money, moved),
    ]
    assert await ask("admin", LINES, {"ids": [global_id("LedgerLine", debit)]}, principal=clerk()) == {
        "nodes": [None]
    }

    # But only the wallet's side is an entry of a wallet, for the member and for the staff
    other = {"ids": [global_id("WalletEntry", debit)]}
    assert await ask("shop", NODES, other, principal=buyer(member)) == {"nodes": [None]}
    assert await ask("admin", NODES, other, principal=staff) == {"nodes": [None]}


async def test_a_key_that_names_no_line_finds_none(books: Books, ask: Ask) -> None:
    # Given one line
    member = await books.member()
    await books.credit(member, 1000)
    [entry] = await statement(ask, member)
    key = key_of("WalletEntry", entry["id"])
    assert (key.version, key.variant) == (8, "specified in RFC 4122")

    # When keys are asked for that differ from it in any bit, then only the line's own finds it
    forged = [UUID(int=key.int ^ 1 << bit) for bit in range(128) if bit != 80]
    found = await lines_by_key(books.kernel.db, [*forged, new_id(), key])
    assert found[:-1] == [None] * 128
    assert isinstance(found[-1], Line)
    assert (found[-1].key, found[-1].credited) == (key, 1000)
