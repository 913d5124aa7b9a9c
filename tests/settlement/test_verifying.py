"""``kameng ledger verify`` finds what is wrong, wherever it is."""

from __future__ import annotations

import asyncio
from pathlib import Path

from click.testing import CliRunner

from kameng.cli import cli
from kameng.ids import new_id
from kameng_settlement.chart import SALES, house, wallet_of
from kameng_settlement.verifying import Difference

from .conftest import CNY, Books, order


async def test_a_sound_ledger_is_whole(books: Books) -> None:
    member = await books.rich(1000)
    await books.charge(order(member, 10), order(member, 20))
    report = await books.verified()
    assert (report.ok, report.accounts, report.transactions, report.postings) == (True, 3, 3, 3)
    assert str(report) == (
        "The ledger is whole: 3 accounts, 3 transactions, 3 postings; the trial balance of every currency is zero."
    )


async def test_an_empty_ledger_is_whole(books: Books) -> None:
    assert (await books.verified()).ok


async def test_a_balance_that_was_changed_by_hand_is_found(books: Books) -> None:
    # Given a wallet to which somebody with access added money
    wallet = wallet_of(await books.rich(1000), CNY)
    account = (await books.ledger.accounts.open([wallet]))[wallet]
    await books.kernel.db.execute(
        "update settlement_balance set credits = credits + 7 where account = $1", account
    )
    # Then it is named, and the books do not balance
    report = await books.verified()
    assert not report.ok
    assert report.differences == (Difference(account, 0, 1000, 0, 1007),)
    assert report.unbalanced == {"CNY": -7}
    assert f"account {account}: postings say debits 0, credits 1000; the balance says 0, 1007" in str(report)


async def test_a_balance_that_was_removed_is_found(books: Books) -> None:
    member = await books.rich(1000)
    await books.charge(order(member, 10))
    sales = house(SALES, CNY)
    account = (await books.ledger.accounts.open([sales]))[sales]
    await books.kernel.db.execute("delete from settlement_balance where account = $1", account)
    report = await books.verified()
    assert report.differences == (Difference(account, 0, 10, 0, 0),)
    assert report.unbalanced == {"CNY": 10}


async def test_a_transaction_without_a_posting_is_found(books: Books) -> None:
    key = new_id()
    await books.kernel.db.execute(
        """
        insert into settlement_ledger_transaction (id, key, fingerprint, kind, effective_at, posted_at)
        values ($1, 'empty', $2, 'test', now(), now())
        """,
        key,
        bytes(32),
    )
    report = await books.verified()
    assert (report.ok, report.empty) == (False, (key,))


async def test_the_command_exits_with_1_where_the_ledger_is_not_whole(books: Books, tmp_path: Path) -> None:
    # Given a deployment on this database
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

    async def kameng(*arguments: str) -> tuple[int, str]:
        # In a thread, since a command runs a loop of its own.
        result = await asyncio.to_thread(CliRunner().invoke, cli, ["--config", str(config), *arguments])
        return result.exit_code, result.output

    assert (await kameng("migrate"))[0] == 0
    # Then the command says that it is whole, until somebody lays hands on it
    code, output = await kameng("ledger", "verify")
    assert (code, output.partition(":")[0]) == (0, "The ledger is whole")
    await books.kernel.db.execute("update settlement_balance set credits = credits + 1 where bounded")
    code, output = await kameng("ledger", "verify")
    assert (code, output.partition(" (")[0]) == (1, "The ledger is NOT whole")


def test_the_command_prints_rights_for_a_role_and_refuses_what_is_no_name() -> None:
    runner = CliRunner()
    printed = runner.invoke(cli, ["ledger", "rights", "shop"])
    assert "grant select, insert on settlement_posting to shop;" in printed.output.splitlines()
    assert runner.invoke(cli, ["ledger", "rights", "shop; drop table x"]).exit_code == 2
