"""The books as of a day: by the date of posting they never change again, by the effective date they say what counts."""

from __future__ import annotations

import asyncio
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

from click.testing import CliRunner

from kameng.cli import cli
from kameng.db import counted_statements
from kameng.ids import global_id
from kameng.money import Money
from kameng_settlement.contract import Booking, Holder, Move
from kameng_settlement.contract import Books as BookContract
from kameng_settlement.journal import KindTotal, trial_balance
from kameng_settlement.periods import LedgerDate, days_of_pages, today_of_pages

from .conftest import Ask, Books, clerk, order
from .test_days import age

DAY = timedelta(days=1)

BALANCE = """query($at: Date, $by: LedgerDate!) {
  trialBalance(at: $at, by: $by) { difference { amount } lines { kind accounts balance { amount } } } }"""

FOLD = """
select a.currency, a.kind, count(distinct a.id) as accounts, sum(s.debit)::bigint, sum(s.credit)::bigint
from settlement_ledger_transaction t
join settlement_posting p on p.transaction = t.id
cross join lateral (values (p.debit_account, p.amount, 0), (p.credit_account, 0, p.amount)) as s(account, debit, credit)
join settlement_account a on a.id = s.account
where t.{column} < $1 group by 1, 2 order by 1, 2
"""


async def book(books: Books, member: UUID, minor: int, effective_at: datetime, key: str) -> None:
    """Something that costs a member money and counts for another time."""
    booking = Booking(
        key=key,
        kind="by_hand",
        moves=(Move(Holder("wallet", member), Holder("sales"), Money(minor, "CNY")),),
        effective_at=effective_at,
    )
    async with books.kernel.db.transaction():
        await books.kernel.services.get(BookContract).book([booking])


async def some_days(books: Books) -> UUID:
    """10.00 the day before yesterday, 0.30 sold yesterday; today 0.05 that counts for yesterday, and 0.07 for tomorrow."""
    member = await books.member()
    await books.credit(member, 1000)
    await age(books, 1)
    await books.charge(order(member, 30))
    await age(books, 1)
    await books.kernel.db.execute(
        "alter table settlement_ledger_transaction disable trigger settlement_ledger_transaction_never_changed"
    )
    await books.kernel.db.execute("update settlement_ledger_transaction set effective_at = posted_at")
    await books.kernel.db.execute(
        "alter table settlement_ledger_transaction"
        " enable always trigger settlement_ledger_transaction_never_changed"
    )
    now = datetime.now(UTC)
    await book(books, member, 5, now - DAY, "late")
    await book(books, member, 7, now + DAY, "early")
    return member


async def sales_at(ask: Ask, day: date | None, by: str) -> str | None:
    data = await ask(
        "admin",
        BALANCE,
        {"at": day.isoformat() if day else None, "by": by},
        principal=clerk("settlement.read_ledger"),
    )
    for balance in data["trialBalance"]:
        assert balance["difference"]["amount"] == "0.00"
        for line in balance["lines"]:
            if line["kind"] == "sales":
                return str(line["balance"]["amount"])
    return None


async def test_the_trial_balance_of_a_day_goes_by_the_date_that_is_asked_for(books: Books, ask: Ask) -> None:
    await some_days(books)
    today = today_of_pages(books.kernel)
    # by posting: what was written by then; by effect: what counts by then
    assert [await sales_at(ask, today - n * DAY, "POSTED") for n in (2, 1, 0)] == [None, "0.30", "0.42"]
    assert [await sales_at(ask, today - n * DAY, "EFFECTIVE") for n in (2, 1, 0, -1)] == [
        None,
        "0.35",
        "0.35",
        "0.42",
    ]
    # and without a day all that was ever posted
    assert await sales_at(ask, None, "POSTED") == "0.42"


async def test_it_is_what_the_journal_adds_up_to_at_any_moment_by_one_statement(books: Books) -> None:
    await some_days(books)
    now = datetime.now(UTC)
    for moment in (now + n * DAY / 2 for n in range(-6, 5)):
        for by in LedgerDate:
            folded = [
                KindTotal(*row.values())
                for row in await books.kernel.db.fetch(FOLD.format(column=by.column), moment)
            ]
            with counted_statements() as counted:
                assert await trial_balance(books.kernel.db, moment, by) == folded, (moment, by)
            assert len(counted) == 1


async def test_a_statement_goes_by_the_date_that_is_asked_for(books: Books, ask: Ask) -> None:
    member = await some_days(books)
    today = today_of_pages(books.kernel)
    document = """query($m: ID!, $day: Date!, $by: LedgerDate!) {
      ledgerAccount(currency: "CNY", memberId: $m) { days(since: $day, until: $day, by: $by) {
        opening { amount } debits { amount } closing { amount } lines(first: 9) { nodes { transaction { kind } } } } } }"""

    async def stated(day: date, by: str) -> list[Any]:
        values = {"m": global_id("Member", member), "day": day.isoformat(), "by": by}
        data = await ask("admin", document, values, principal=clerk("settlement.read_ledger"))
        assert "errors" not in data, data["errors"]
        days = data["ledgerAccount"]["days"]
        amounts = [days[name]["amount"] for name in ("opening", "debits", "closing")]
        return [*amounts, [line["transaction"]["kind"] for line in days["lines"]["nodes"]]]

    yesterday = today - DAY
    assert await stated(yesterday, "POSTED") == ["10.00", "0.30", "9.70", ["charge"]]
    assert await stated(yesterday, "EFFECTIVE") == ["10.00", "0.35", "9.65", ["by_hand", "charge"]]
    assert await stated(today, "POSTED") == ["9.70", "0.12", "9.58", ["by_hand", "by_hand"]]
    assert await stated(today, "EFFECTIVE") == ["9.65", "0.00", "9.65", []]


async def test_the_command_line_prints_both(books: Books, tmp_path: Path) -> None:
    member = await some_days(books)
    email = await books.kernel.db.fetchval("select email from membership_member where id = $1", member)
    today = today_of_pages(books.kernel)
    yesterday = (today - DAY).isoformat()
    engine = books.kernel.settings.engine
    config = tmp_path / "kameng.toml"
    config.write_text(
        f'''
        [kameng]
        database_url = "{engine.database_url}"
        redis_url = "{engine.redis_url}"
        data_dir = "{engine.data_dir}"
        [modules]
        enabled = ["catalog", "membership", "settlement"]
        '''
    )

    async def said(*words: str) -> list[str]:
        # In a thread, since a command runs a loop of its own.
        arguments = ["--config", str(config), "ledger", *words]
        answer = await asyncio.to_thread(CliRunner().invoke, cli, arguments)
        assert answer.exit_code == 0, answer.output
        return [" ".join(line.split()) for line in answer.output.splitlines()]

    await asyncio.to_thread(CliRunner().invoke, cli, ["--config", str(config), "migrate"])
    assert "CNY sales 1 0.00 0.30" in await said("trial-balance", "--at", yesterday)
    assert "CNY sales 1 0.00 0.35" in await said("trial-balance", "--at", yesterday, "--by", "effective")
    options = ("--member", email, "--since", yesterday, "--until", yesterday)
    lines = await said("statement", "wallet", *options, "--by", "effective")
    assert lines[2] == "opening 10.00"
    assert [line.split()[2:6] for line in lines[3:5]] == [
        ["charge", "0.30", "9.70", "K-1"],
        ["by_hand", "0.05", "9.65"],
    ]
    assert lines[5] == "closing 0.35 0.00 9.65"


async def test_a_long_statement_is_printed_whole(books: Books) -> None:
    from kameng_settlement.account_commands import AT_ONCE, _lines
    from kameng_settlement.chart import wallet_of
    from kameng_settlement.ledger import Ledger
    from kameng_settlement.periods import Period

    member = await books.rich(100_000)
    await books.charge(*(order(member, minor) for minor in range(1, AT_ONCE * 2 + 3)))
    today = today_of_pages(books.kernel)
    wallet = wallet_of(member, "CNY")
    account = (await books.kernel.services.get(Ledger).accounts.find([wallet]))[wallet]
    period = Period.of(*days_of_pages(books.kernel, today - DAY, today))
    found = [line async for line in _lines(books.kernel, account, period)]
    assert [line.id for line in found] == sorted({line.id for line in found})
    assert len(found) == AT_ONCE * 2 + 3
