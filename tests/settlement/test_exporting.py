"""The journal as a file: beancount adds it up by itself and agrees; spreadsheets get what stands in it."""

from __future__ import annotations

import csv
import io
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import openpyxl

from kameng.auth import Principal
from kameng.jobs import JobState
from kameng.money import Money
from kameng.tasks import drain
from kameng_settlement.contract import Books as BookContract
from kameng_settlement.contract import Charged, Exchange, Holder, Receipt, Receipts
from kameng_settlement.exporting.journal import COLUMNS, ExportFormat, export_journal
from kameng_settlement.exporting.reading import EVER
from kameng_settlement.periods import Period

from .conftest import Ask, Books, clerk, order
from .test_days import age

BEAN_CHECK = Path(sys.executable).with_name("bean-check")


def bean_check(book: bytes, folder: Path) -> str:
    """What beancount, a process of its own, has to say of a book; empty if it agrees."""
    file = folder / "book.beancount"
    file.write_bytes(book)
    done = subprocess.run([BEAN_CHECK, "--no-cache", file], capture_output=True, text=True, check=False)
    assert (done.returncode == 0) == (done.stdout + done.stderr == "")
    return done.stdout + done.stderr


async def exported(books: Books, form: ExportFormat, period: Period = EVER) -> bytes:
    file = io.BytesIO()
    await export_journal(books.kernel, period, form, file)
    return file.getvalue()


async def busy(books: Books) -> None:
    """Members in three currencies, sales, a reversal, money from sources with odd names, and an exchange."""
    member, other = await books.rich(10_000), await books.rich(5)
    await books.credit(member, 1500, "JPY")
    await books.credit(other, 700, "USD")
    [sale] = await books.charge(order(member, 250))
    await books.charge(*(order(member, minor) for minor in range(1, 40)), order(other, 5))
    assert isinstance(sale, Charged)
    async with books.kernel.db.transaction():
        await books.ledger.reverse(sale.transaction, key="reversal:1", memo='a "wrong" one \\ two\nlines')
        sources = ("wechat:190_0.a", "wechat:190-0-a", "manual")
        await books.kernel.services.get(Receipts).receive(
            [
                Receipt(source=source, reference="R-1", member=member, amount=Money(333, "CNY"), memo="=1+1")
                for source in sources
            ]
        )
        await books.kernel.services.get(BookContract).exchange(
            [
                Exchange(
                    key="exchange:1",
                    giver=Holder("wallet", member),
                    given=Money(720, "CNY"),
                    taker=Holder("wallet", member),
                    taken=Money(100, "USD"),
                )
            ]
        )


async def test_beancount_agrees_with_every_balance(books: Books, tmp_path: Path) -> None:
    await busy(books)
    book = await exported(books, ExportFormat.BEANCOUNT)
    assert bean_check(book, tmp_path) == ""
    accounts = await books.kernel.db.fetchval("select count(*) from settlement_account")
    assert book.count(b" balance ") == accounts
    assert book.count(b"transaction:") == (await books.size())[0]


async def test_beancount_agrees_with_an_empty_ledger(books: Books, tmp_path: Path) -> None:
    assert bean_check(await exported(books, ExportFormat.BEANCOUNT), tmp_path) == ""


async def test_beancount_finds_a_balance_that_is_wrong_by_one_fen(books: Books, tmp_path: Path) -> None:
    await busy(books)
    await books.kernel.db.execute(
        "update settlement_balance set credits = credits + 1"
        " where id = (select min(id) from settlement_balance where bounded)"
    )
    said = bean_check(await exported(books, ExportFormat.BEANCOUNT), tmp_path)
    assert "Balance failed for 'Liabilities:Wallet:Member-" in said
    assert said.count("Balance failed") == 1


async def test_a_period_begins_with_what_was_there(books: Books, tmp_path: Path) -> None:
    # Given a busy day two days ago, another one yesterday, and one today
    await busy(books)
    await age(books, 1)
    member = await books.rich(500)
    await books.charge(order(member, 120))
    await age(books, 1)
    await books.charge(order(member, 7))
    # When yesterday is exported
    midnight = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    period = Period.of(midnight - timedelta(days=1), midnight)
    book = await exported(books, ExportFormat.BEANCOUNT, period)
    # Then beancount agrees with what stood there at its end, and the book has yesterday's transactions alone
    assert bean_check(book, tmp_path) == ""
    assert book.count(b"transaction:") == 2
    assert b"opening balance" in book
    rows = list(
        csv.reader(io.StringIO((await exported(books, ExportFormat.CSV, period)).decode("utf-8-sig")))
    )
    assert [row[COLUMNS.index("amount")] for row in rows[1:]] == ["5.00", "1.20"]


async def test_a_table_has_a_row_for_each_posting_and_no_formula(books: Books) -> None:
    await busy(books)
    rows = list(csv.DictReader(io.StringIO((await exported(books, ExportFormat.CSV)).decode("utf-8-sig"))))
    assert len(rows) == (await books.size())[1]
    total = await books.kernel.db.fetchval(
        "select sum(amount) from settlement_posting where currency = 'CNY'"
    )
    assert sum(round(float(row["amount"]) * 100) for row in rows if row["currency"] == "CNY") == total
    receipts = [row for row in rows if row["kind"] == "receipt"]
    assert {row["memo"] for row in receipts} == {"'=1+1"}
    assert receipts[0]["debit_account"] == "clearing:wechat:190_0.a"
    assert receipts[0]["debit_owner"] == ""
    # And a workbook has the same
    sheet = openpyxl.load_workbook(
        io.BytesIO(await exported(books, ExportFormat.XLSX)), read_only=True
    ).active
    assert sheet is not None
    cells = [list(row) for row in sheet.iter_rows(values_only=True)]
    assert cells[0] == list(COLUMNS)
    memo, amount = COLUMNS.index("memo"), COLUMNS.index("amount")
    assert len(cells) == len(rows) + 1
    assert {row[memo] for row in cells[1:] if row[3] == "receipt"} == {"=1+1"}
    assert cells[1][amount] == 100


START = """
mutation Start($input: StartLedgerExportInput!) { startLedgerExport(input: $input) { job { state } errors { code } } }
"""


async def test_staff_has_it_written_by_a_job_which_stays_in_the_audit_log(books: Books, ask: Ask) -> None:
    await busy(books)
    staff = clerk("settlement.export_ledger")
    data = await ask("admin", START, {"input": {"format": "BEANCOUNT"}}, principal=staff)
    assert data["startLedgerExport"]["errors"] == []
    await drain(books.kernel)
    [job] = await books.kernel.db.fetch("select id from kernel_job")
    found = await books.kernel.jobs.find(job["id"], staff)
    assert found.state == JobState.SUCCEEDED
    logged = "select count(*) from kernel_audit where action = 'settlement.ledger_exported'"
    assert await books.kernel.db.fetchval(logged) == 1


async def test_who_may_read_the_ledger_may_not_carry_it_away(books: Books, ask: Ask) -> None:
    principals: list[Principal] = [clerk("settlement.read_ledger"), clerk()]
    for principal in principals:
        answer = await ask("admin", START, {"input": {}}, principal=principal)
        assert "FORBIDDEN" in str(answer)
    assert await books.kernel.db.fetchval("select count(*) from kernel_job") == 0
