"""Statements of account: opening, what came and went, closing; one's own in the shop, anybody's for the staff."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from click.testing import CliRunner

from kameng.cli import cli
from kameng.db import counted_statements
from kameng.errors import InvalidInput
from kameng.ids import global_id
from kameng_settlement.chart import wallet_of
from kameng_settlement.holds.resolving import expire_holds
from kameng_settlement.periods import Period, sums_of_accounts

from .conftest import CNY, Ask, Books, buyer, clerk, order
from .test_days import age
from .test_holds import held

MINE = """
query Mine($since: DateTime!, $until: DateTime!, $first: Int, $after: String) {
  viewer { wallet { period(since: $since, until: $until) {
    opening { amount } moneyIn { amount } moneyOut { amount } closing { amount }
    entries(first: $first, after: $after) { nodes { kind amount { amount } } pageInfo { hasNextPage endCursor } }
  } } }
}
"""


def midnight() -> datetime:
    return datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0)


async def three_days(books: Books) -> UUID:
    """A member with 10.00 the day before yesterday, three sales yesterday, one today."""
    member = await books.member()
    await books.credit(member, 1000)
    await age(books, 1)
    for minor in (10, 20, 30):
        await books.charge(order(member, minor))
    await age(books, 1)
    await books.charge(order(member, 5))
    return member


def yesterday() -> dict[str, Any]:
    return {"since": (midnight() - timedelta(days=1)).isoformat(), "until": midnight().isoformat()}


async def test_a_member_sees_the_statement_of_a_day_page_by_page(books: Books, ask: Ask) -> None:
    member = await three_days(books)
    data = await ask("shop", MINE, {**yesterday(), "first": 2}, principal=buyer(member))
    period = data["viewer"]["wallet"]["period"]
    assert [period[name]["amount"] for name in ("opening", "moneyIn", "moneyOut", "closing")] == [
        "10.00",
        "0.00",
        "0.60",
        "9.40",
    ]
    entries = period["entries"]
    assert [node["amount"]["amount"] for node in entries["nodes"]] == ["-0.30", "-0.20"]
    assert entries["pageInfo"]["hasNextPage"] is True
    data = await ask(
        "shop",
        MINE,
        {**yesterday(), "first": 2, "after": entries["pageInfo"]["endCursor"]},
        principal=buyer(member),
    )
    rest = data["viewer"]["wallet"]["period"]["entries"]
    assert [node["amount"]["amount"] for node in rest["nodes"]] == ["-0.10"]
    assert rest["pageInfo"]["hasNextPage"] is False


async def test_a_wallet_that_was_never_used_has_an_empty_statement(books: Books, ask: Ask) -> None:
    data = await ask("shop", MINE, yesterday(), principal=buyer(await books.member()))
    period = data["viewer"]["wallet"]["period"]
    assert period["opening"] == period["closing"] == {"amount": "0.00"}
    assert period["entries"]["nodes"] == []


async def test_a_time_that_ends_before_it_begins_is_refused(books: Books, ask: Ask) -> None:
    now = datetime.now(UTC)
    with pytest.raises(InvalidInput):
        Period.of(now, now)
    answer = await ask(
        "shop",
        MINE,
        {"since": midnight().isoformat(), "until": (midnight() - timedelta(days=1)).isoformat()},
        principal=buyer(await books.member()),
    )
    assert answer["errors"][0]["extensions"]["code"] == "INVALID_INPUT"


STAFF = """
query Staff($since: DateTime!, $until: DateTime!, $member: ID) {
  ledgerAccount(currency: "CNY", memberId: $member) {
    id kind balance { amount } held { amount } floor { amount }
    period(since: $since, until: $until) {
      opening { amount } debits { amount } credits { amount } closing { amount }
      lines { nodes { side amount { amount } transaction { kind } } }
    }
  }
  ledgerAccounts {
    nodes { kind title balance { amount } floor { amount }
            period(since: $since, until: $until) { opening { amount } closing { amount } } }
  }
}
"""


async def test_staff_sees_everybodys_and_the_shops_own(books: Books, ask: Ask) -> None:
    member = await three_days(books)
    await held(books, member, 100)
    variables = {**yesterday(), "member": global_id("Member", member)}
    with counted_statements() as statements:
        data = await ask("admin", STAFF, variables, principal=clerk("settlement.read_ledger"))
    account = data["ledgerAccount"]
    assert [account[name]["amount"] for name in ("balance", "held", "floor")] == ["9.35", "1.00", "0.00"]
    assert account["period"] == {
        "opening": {"amount": "10.00"},
        "debits": {"amount": "0.60"},
        "credits": {"amount": "0.00"},
        "closing": {"amount": "9.40"},
        "lines": {
            "nodes": [
                {"side": "DEBIT", "amount": {"amount": amount}, "transaction": {"kind": "charge"}}
                for amount in ("0.30", "0.20", "0.10")
            ]
        },
    }

    # The shop's own accounts grow by the side that is theirs
    def own(kind: str, title: str, balance: str, opening: str, closing: str) -> dict[str, Any]:
        return {
            "kind": kind,
            "title": title,
            "balance": {"amount": balance},
            "floor": None,
            "period": {"opening": {"amount": opening}, "closing": {"amount": closing}},
        }

    assert data["ledgerAccounts"]["nodes"] == [
        own("operator_funds", "Operator's funds", "10.00", "10.00", "10.00"),
        own("sales", "Sales", "0.65", "0.00", "0.60"),
    ]
    # All balances came by at most two statements: those of the one account and those of the page
    assert sum("settlement.read_account_figures" in text for text in statements) <= 2

    # And an account is found by its id, by whoever may read the ledger
    by_id = "query ($id: ID!) { node(id: $id) { ... on LedgerAccount { kind } } }"
    found = await ask("admin", by_id, {"id": account["id"]}, principal=clerk("settlement.read_ledger"))
    assert found == {"node": {"kind": "wallet"}}
    assert await ask("admin", by_id, {"id": account["id"]}, principal=clerk()) == {"node": None}


async def test_the_accounts_are_closed_to_who_may_not_read_them(books: Books, ask: Ask) -> None:
    for document in ("{ ledgerAccounts { nodes { id } } }", '{ ledgerAccount(currency: "CNY") { id } }'):
        answer = await ask("admin", document, principal=clerk("settlement.credit_wallet"))
        assert answer["errors"][0]["extensions"]["code"] == "FORBIDDEN"


async def test_the_sums_of_many_accounts_come_by_one_statement(books: Books) -> None:
    members = [await books.rich(100 * number) for number in (1, 2, 3)]
    wallets = [wallet_of(member, CNY) for member in members]
    keys = await books.ledger.accounts.open(wallets)
    period = Period.of(midnight(), midnight() + timedelta(days=2))
    with counted_statements() as statements:
        sums = await sums_of_accounts(books.kernel.db, [keys[wallet] for wallet in wallets], period)
    assert [found.closing for found in sums] == [100, 200, 300]
    assert len(statements) == 1


HOLDS = """
query Holds($pending: Boolean!) { holds(pending: $pending) { nodes {
  id state amount { amount } posted { amount } debit { kind } credit { kind } transaction { kind } } } }
"""
VOID = """
mutation Void($input: VoidHoldInput!) { voidHold(input: $input) { hold { state } errors { code } } }
"""


async def test_staff_sees_holds_and_lets_one_go_once(books: Books, ask: Ask) -> None:
    member = await books.rich(1000)
    await held(books, member, 300)
    staff = clerk("settlement.read_ledger", "settlement.void_hold")
    [hold] = (await ask("admin", HOLDS, {"pending": True}, principal=staff))["holds"]["nodes"]
    assert {name: value for name, value in hold.items() if name != "id"} == {
        "state": "PENDING",
        "amount": {"amount": "3.00"},
        "posted": None,
        "debit": {"kind": "wallet"},
        "credit": {"kind": "sales"},
        "transaction": None,
    }
    given = {"input": {"holdId": hold["id"], "reason": "asked by phone"}}
    assert "FORBIDDEN" in str(
        await ask("admin", VOID, given, principal=clerk("settlement.read_ledger"), key="v:1")
    )
    for _ in range(2):
        data = await ask("admin", VOID, given, principal=staff, key="v:1")
        assert data["voidHold"] == {"hold": {"state": "VOIDED"}, "errors": []}
    again = await ask("admin", VOID, given, principal=staff, key="v:2")
    assert again["voidHold"]["errors"] == [{"code": "HOLD_CLOSED"}]
    logged = "select count(*) from kernel_audit where action = 'settlement.void_hold'"
    assert await books.kernel.db.fetchval(logged) == 1
    await expire_holds(books.kernel)
    assert (await ask("admin", HOLDS, {"pending": True}, principal=staff))["holds"]["nodes"] == []
    [found] = (await ask("admin", HOLDS, {"pending": False}, principal=staff))["holds"]["nodes"]
    assert found["state"] == "VOIDED"


async def test_the_command_line_seals_proves_adds_up_and_exports(books: Books, tmp_path: Path) -> None:
    import asyncio

    engine = books.kernel.settings.engine
    config = tmp_path / "kameng.toml"
    config.write_text(
        f"""
        [kameng]
        database_url = "{engine.database_url}"
        redis_url = "{engine.redis_url}"
        data_dir = "{engine.data_dir}"
        [modules]
        enabled = ["catalog", "membership", "settlement"]
        """
    )
    await books.rich(1000)
    await age(books, 2)

    async def kameng(*arguments: str) -> tuple[int, str]:
        # In a thread, since a command runs a loop of its own.
        result = await asyncio.to_thread(CliRunner().invoke, cli, ["--config", str(config), *arguments])
        return result.exit_code, result.output

    assert (await kameng("migrate"))[0] == 0
    assert await kameng("ledger", "anchor") == (0, "No day is sealed yet.\n")
    assert await kameng("ledger", "seal") == (0, "2 days are sealed.\n")
    code, noted = await kameng("ledger", "anchor")
    assert (code, noted.partition(":")[0]) == (0, str((midnight() - timedelta(days=1)).date()))
    code, output = await kameng("ledger", "verify", "--anchor", noted.strip())
    assert (code, output.splitlines()[-1].rpartition(" ")[2]) == (0, noted.strip())
    other = noted.strip()[:-1] + ("0" if noted.strip()[-1] != "0" else "1")
    code, output = await kameng("ledger", "verify", "--anchor", other)
    assert code == 1
    assert "the anchor" in output
    assert (await kameng("ledger", "verify", "--anchor", "nonsense"))[0] == 2
    code, output = await kameng("ledger", "trial-balance")
    assert code == 0
    assert output.splitlines()[-1].split() == ["CNY", "10.00", "10.00"]
    file = tmp_path / "journal.csv"
    assert await kameng("ledger", "export", str(file)) == (0, f"1 postings were written to {file}.\n")
    assert len(file.read_text("utf-8-sig").splitlines()) == 2
    assert (await kameng("ledger", "export", str(tmp_path / "journal.pdf")))[0] == 2
