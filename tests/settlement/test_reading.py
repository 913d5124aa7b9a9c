"""Reading: one's own wallet and its statement in the shop, the ledger and its trial balance in the back office."""

from __future__ import annotations

from typing import Any

from kameng.auth import VISITOR
from kameng.db import counted_statements
from kameng.ids import global_id, new_id
from kameng.money import Money
from kameng_settlement.contract import Wallets

from .conftest import Ask, Books, buyer, clerk, order

WALLET = """
query Wallet($currency: String, $first: Int, $after: String, $last: Int, $before: String) {
  viewer {
    wallet(currency: $currency) {
      currency balance { amount } available { amount }
      statement(first: $first, after: $after, last: $last, before: $before) {
        nodes { kind memo amount { amount currency } }
        pageInfo { hasNextPage hasPreviousPage startCursor endCursor }
      }
    }
  }
}
"""


async def test_an_unused_wallet_is_empty(books: Books, ask: Ask) -> None:
    data = await ask("shop", WALLET, principal=buyer(await books.member()))
    assert data["viewer"]["wallet"] == {
        "currency": "CNY",
        "balance": {"amount": "0.00"},
        "available": {"amount": "0.00"},
        "statement": {
            "nodes": [],
            "pageInfo": {
                "hasNextPage": False,
                "hasPreviousPage": False,
                "startCursor": None,
                "endCursor": None,
            },
        },
    }


async def test_the_statement_tells_what_came_and_went_the_newest_first_page_by_page(
    books: Books, ask: Ask
) -> None:
    # Given a wallet with a credit and four sales, among those of others
    member, other = await books.member(), await books.rich(1000)
    await books.credit(member, 1000)
    for minor in (1, 2, 3, 4):
        await books.charge(order(member, minor), order(other, 100))

    async def page(**variables: Any) -> tuple[list[str], dict[str, Any]]:
        data = await ask("shop", WALLET, variables, principal=buyer(member))
        statement = data["viewer"]["wallet"]["statement"]
        return [node["amount"]["amount"] for node in statement["nodes"]], statement["pageInfo"]

    # When it is read forwards and backwards
    amounts, info = await page(first=2)
    assert (amounts, info["hasNextPage"]) == (["-0.04", "-0.03"], True)
    amounts, info = await page(first=2, after=info["endCursor"])
    assert (amounts, info["hasNextPage"]) == (["-0.02", "-0.01"], True)
    amounts, info = await page(first=2, after=info["endCursor"])
    assert (amounts, info["hasNextPage"]) == (["10.00"], False)
    amounts, info = await page(last=2, before=info["startCursor"])
    assert (amounts, info["hasPreviousPage"]) == (["-0.02", "-0.01"], True)


async def test_a_wallet_of_a_currency_without_decimals(books: Books, ask: Ask) -> None:
    member = await books.member()
    await books.credit(member, 1500, "JPY")
    data = await ask("shop", WALLET, {"currency": "JPY"}, principal=buyer(member))
    assert data["viewer"]["wallet"]["balance"] == {"amount": "1500"}


async def test_an_unknown_currency_is_an_error(books: Books, ask: Ask) -> None:
    answer = await ask("shop", WALLET, {"currency": "QQQ"}, principal=buyer(await books.member()))
    assert answer["errors"][0]["extensions"]["code"] == "INVALID_INPUT"


async def test_nobody_reads_another_members_wallet(books: Books, ask: Ask) -> None:
    member = await books.member()
    await books.credit(member, 1000)
    document = "query ($id: ID!) { node(id: $id) { id ... on Member { wallet { balance { amount } } } } }"
    for principal in (VISITOR, buyer(await books.member())):
        data = await ask("shop", document, {"id": global_id("Member", member)}, principal=principal)
        assert data == {"node": None}


async def test_staff_reads_wallets_of_a_page_of_members_with_one_statement(books: Books, ask: Ask) -> None:
    # Given members with money
    members = [await books.member() for _ in range(5)]
    for number, member in enumerate(members, start=1):
        await books.credit(member, number * 100)
    # When a page of them is read
    staff = clerk("membership.read_members", "settlement.read_ledger")
    with counted_statements() as statements:
        data = await ask("admin", "{ members { nodes { wallet { balance { amount } } } } }", principal=staff)
    # Then all wallets came together
    amounts = [node["wallet"]["balance"]["amount"] for node in data["members"]["nodes"]]
    assert amounts == ["5.00", "4.00", "3.00", "2.00", "1.00"]
    assert sum("settlement.read_wallets" in text for text in statements) == 1


async def test_the_contract_answers_in_order_and_empty_for_the_unknown(books: Books) -> None:
    rich, nobody = await books.rich(700), new_id()
    wallets = await books.kernel.services.get(Wallets).wallets([nobody, rich, nobody], "CNY")
    assert [(wallet.member, wallet.balance, wallet.available) for wallet in wallets] == [
        (nobody, Money(0, "CNY"), Money(0, "CNY")),
        (rich, Money(700, "CNY"), Money(700, "CNY")),
        (nobody, Money(0, "CNY"), Money(0, "CNY")),
    ]


async def test_the_trial_balance_is_zero_in_each_currency(books: Books, ask: Ask) -> None:
    # Given money in two currencies
    member = await books.rich(1000)
    await books.credit(member, 300, "USD")
    await books.charge(order(member, 250))
    # When the books are added up
    document = """
    { trialBalance { currency debits { amount } credits { amount } difference { amount }
                     lines { kind title accounts debits { amount } credits { amount } } } }
    """
    data = await ask("admin", document, principal=clerk("settlement.read_ledger"))

    # Then debits equal credits
    def line(kind: str, title: str, debits: str, credits_: str) -> dict[str, Any]:
        return {
            "kind": kind,
            "title": title,
            "accounts": 1,
            "debits": {"amount": debits},
            "credits": {"amount": credits_},
        }

    assert data["trialBalance"] == [
        {
            "currency": "CNY",
            "debits": {"amount": "12.50"},
            "credits": {"amount": "12.50"},
            "difference": {"amount": "0.00"},
            "lines": [
                line("operator_funds", "Operator's funds", "10.00", "0.00"),
                line("sales", "Sales", "0.00", "2.50"),
                line("wallet", "Member's wallet", "2.50", "10.00"),
            ],
        },
        {
            "currency": "USD",
            "debits": {"amount": "3.00"},
            "credits": {"amount": "3.00"},
            "difference": {"amount": "0.00"},
            "lines": [
                line("operator_funds", "Operator's funds", "3.00", "0.00"),
                line("wallet", "Member's wallet", "0.00", "3.00"),
            ],
        },
    ]


LEDGER = """
query Ledger($first: Int, $after: String) {
  ledgerTransactions(first: $first, after: $after) {
    nodes {
      id kind
      postings { amount { amount } debit { kind statement(first: 5) { nodes { side transaction { kind } } } } }
    }
    pageInfo { hasNextPage endCursor }
  }
}
"""


async def test_the_ledger_is_read_page_by_page_and_drilled_down(books: Books, ask: Ask) -> None:
    # Given a credit and two sales
    member = await books.rich(1000)
    await books.charge(order(member, 10))
    await books.charge(order(member, 20))
    staff = clerk("settlement.read_ledger")
    # When the newest two are read, with the accounts behind them
    with counted_statements() as statements:
        data = await ask("admin", LEDGER, {"first": 2}, principal=staff)
    nodes = data["ledgerTransactions"]["nodes"]
    assert [node["postings"][0]["amount"]["amount"] for node in nodes] == ["0.20", "0.10"]
    assert nodes[0]["postings"][0]["debit"] == {
        "kind": "wallet",
        "statement": {
            "nodes": [
                {"side": "DEBIT", "transaction": {"kind": "charge"}},
                {"side": "DEBIT", "transaction": {"kind": "charge"}},
                {"side": "CREDIT", "transaction": {"kind": "manual_credit"}},
            ]
        },
    }
    # Then the postings of the page came together
    assert sum("settlement.read_sides" in text for text in statements) == 1
    info = data["ledgerTransactions"]["pageInfo"]
    rest = await ask("admin", LEDGER, {"first": 2, "after": info["endCursor"]}, principal=staff)
    assert [node["kind"] for node in rest["ledgerTransactions"]["nodes"]] == ["manual_credit"]
    # and each is found by its id, by who may read the ledger
    by_id = "query ($id: ID!) { node(id: $id) { ... on LedgerTransaction { kind } } }"
    assert await ask("admin", by_id, {"id": nodes[0]["id"]}, principal=staff) == {"node": {"kind": "charge"}}
    assert await ask("admin", by_id, {"id": nodes[0]["id"]}, principal=clerk()) == {"node": None}


async def test_the_books_are_closed_to_who_may_not_read_them(books: Books, ask: Ask) -> None:
    for document in (LEDGER, "{ trialBalance { currency } }"):
        answer = await ask("admin", document, principal=clerk("settlement.credit_wallet"))
        assert answer["errors"][0]["extensions"]["code"] == "FORBIDDEN"
