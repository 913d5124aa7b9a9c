"""Days are sealed when they are over, and whatever is changed afterwards is found."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, date, datetime, timedelta
from hashlib import sha256
from uuid import UUID

import asyncpg
import pytest

from kameng.errors import InvalidInput
from kameng.ids import new_id
from kameng_settlement.chart import wallet_of
from kameng_settlement.contract import Charged
from kameng_settlement.days import sealing
from kameng_settlement.days.checking import check_ledger
from kameng_settlement.days.hashing import GENESIS, DayContent, day_hash
from kameng_settlement.days.proving import Anchor, read_days
from kameng_settlement.days.sealing import seal_days
from kameng_settlement.verifying import LedgerReport, anchors, verify_ledger

from .conftest import CNY, Ask, Books, clerk, order

TABLES = (
    "settlement_ledger_transaction",
    "settlement_posting",
    "settlement_ledger_day",
    "settlement_balance",
)


@asynccontextmanager
async def by_force(books: Books) -> AsyncIterator[None]:
    """As the tables' owner, who has switched off the triggers that keep the journals."""
    async with books.kernel.db.transaction():
        for table in TABLES:
            await books.kernel.db.execute(f"alter table {table} disable trigger user")
        yield
        for table in TABLES:
            await books.kernel.db.execute(f"alter table {table} enable trigger user")


async def age(books: Books, days: int) -> None:
    """Let everything be this much older."""
    async with by_force(books):
        await books.kernel.db.execute(
            "update settlement_ledger_transaction set posted_at = posted_at - $1::interval",
            timedelta(days=days),
        )


@pytest.fixture
async def sealed(books: Books) -> tuple[Books, UUID, UUID]:
    """Three sealed days: a credit and two sales, nothing, a sale; and the first and last sale."""
    member = await books.rich(1000)
    [first] = await books.charge(order(member, 10, key="order:1"))
    await books.charge(order(member, 20, key="order:2"))
    await age(books, 2)
    [last] = await books.charge(order(member, 30, key="order:3"))
    await age(books, 1)
    await seal_days(books.kernel)
    assert isinstance(first, Charged)
    assert isinstance(last, Charged)
    return books, first.transaction, last.transaction


async def verified(books: Books, anchor: Anchor | None = None) -> LedgerReport:
    return await verify_ledger(books.kernel.db, books.kernel.vault, anchor=anchor)


def today() -> date:
    return datetime.now(UTC).date()


async def test_all_days_that_are_over_are_sealed_once_and_today_is_not(
    sealed: tuple[Books, UUID, UUID],
) -> None:
    books = sealed[0]
    # When several processes seal at once, and again
    await asyncio.gather(*(seal_days(books.kernel) for _ in range(4)))
    # Then each day has one entry, the empty one too
    days = await read_days(books.kernel.db)
    assert [(day.day, day.content.transactions, day.content.postings) for day in days] == [
        (today() - timedelta(days=3), 3, 3),
        (today() - timedelta(days=2), 0, 0),
        (today() - timedelta(days=1), 1, 1),
    ]
    report = await verified(books)
    assert report.ok, str(report)
    assert str(report).splitlines()[1:] == [
        f"3 days are sealed, the newest one is {today() - timedelta(days=1)}.",
        f"Anchor (keep it elsewhere, and give it to the next verification): {days[-1].day}:{days[-1].hash.hex()}",
    ]


async def test_the_chain_is_what_its_description_says(sealed: tuple[Books, UUID, UUID]) -> None:
    # Given a memo with everything that JSON writes in a way of its own
    books = sealed[0]
    member = await books.rich(5)
    memo = 'a "quoted" \\ line\nwith\ttabs, \x01 and 汉字 \u2028 / '
    charge = order(member, 5, key="order:odd")
    async with books.kernel.db.transaction():
        from kameng_settlement.ledger import Entry, Transfer

        wallet = wallet_of(member, CNY)
        other = wallet_of(new_id(), CNY)
        accounts = await books.ledger.accounts.open((wallet, other))
        moves = (
            Transfer(accounts[wallet], accounts[other], 2, CNY),
            Transfer(accounts[wallet], accounts[other], 3, CNY),
        )
        await books.ledger.post(Entry(key=charge.key, kind="test", memo=memo, transfers=moves))
    await age(books, 1)
    async with by_force(books):
        await books.kernel.db.execute("delete from settlement_ledger_day")
    await seal_days(books.kernel)

    # When the days are hashed by other means
    rows = await books.kernel.db.fetch(
        """
        select t.*, p.id as posting, p.seq, p.debit_account, p.credit_account, p.amount, p.currency
        from settlement_ledger_transaction t join settlement_posting p on p.transaction = t.id
        order by t.posted_at, t.id, p.seq
        """
    )
    heads: dict[UUID, tuple[date, str]] = {}
    lines: dict[UUID, str] = {}

    def micros(moment: datetime) -> int:
        return (moment - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(microseconds=1)

    for row in rows:
        head = [str(row["id"]), row["key"], row["fingerprint"].hex(), row["kind"], row["memo"]]
        told = [*head, micros(row["effective_at"]), micros(row["posted_at"]), row["reverses"]]
        heads[row["id"]] = (row["posted_at"].date(), json.dumps(told, ensure_ascii=False))
        line = [row["posting"], row["seq"], str(row["debit_account"]), str(row["credit_account"])]
        lines[row["id"]] = lines.get(row["id"], "") + json.dumps([*line, row["amount"], row["currency"]])
    previous = GENESIS
    for day in await read_days(books.kernel.db):
        own = [key for key, (at, _) in heads.items() if at == day.day]
        hashes = b"".join(sha256((heads[key][1] + lines[key]).encode()).digest() for key in own)
        content = DayContent(len(own), sum(1 for row in rows if row["id"] in own), sha256(hashes).digest())
        # Then they are the same
        assert day.content == content
        previous = day_hash(previous, day.day, content)
        assert day.hash == previous


async def test_a_posting_that_was_changed_is_found_and_named(sealed: tuple[Books, UUID, UUID]) -> None:
    books, first, _ = sealed
    # Given somebody who changes an amount, and the balances with it, so that the sums are right
    async with by_force(books):
        await books.kernel.db.execute(
            "update settlement_posting set amount = 9 where transaction = $1", first
        )
        await books.kernel.db.execute(
            """
            update settlement_balance b set debits = s.debits, credits = s.credits from (
                select a.id, (select coalesce(sum(amount), 0) from settlement_posting where debit_account = a.id) as debits,
                    (select coalesce(sum(amount), 0) from settlement_posting where credit_account = a.id) as credits
                from settlement_account a where a.bounded
            ) s where s.id = b.account and b.bounded
            """
        )
        await books.kernel.db.execute(
            "update settlement_balance set credits = credits - 1 where id ="
            " (select min(id) from settlement_balance where not bounded and credits = 10)"
        )
    # Then the day tells, and the transaction is named
    report = await verified(books)
    day = today() - timedelta(days=3)
    assert report.findings == [
        f"day {day}: its 3 transactions with 3 postings are not what was sealed",
        f"transaction {first} (order:1) is not what its fingerprint says",
    ]


async def test_a_deleted_transaction_is_found(sealed: tuple[Books, UUID, UUID]) -> None:
    books, _, last = sealed
    async with by_force(books):
        await books.kernel.db.execute("delete from settlement_posting where transaction = $1", last)
        await books.kernel.db.execute("delete from settlement_ledger_transaction where id = $1", last)
        await books.kernel.db.execute("update settlement_balance set debits = debits - 30 where bounded")
        await books.kernel.db.execute("delete from settlement_balance where credits = 30")
    report = await verified(books)
    assert report.findings == [
        f"day {today() - timedelta(days=1)}: 1 transactions with 1 postings were sealed; now there are 0 with 0"
    ]


async def test_a_transaction_that_was_put_in_is_found(sealed: tuple[Books, UUID, UUID]) -> None:
    books = sealed[0]
    await books.credit(new_id(), 77, key="credit:late")
    async with by_force(books):
        await books.kernel.db.execute(
            "update settlement_ledger_transaction set posted_at = now() - interval '2 days' where key = 'credit:late'"
        )
    report = await verified(books)
    assert report.findings == [
        f"day {today() - timedelta(days=2)}: 0 transactions with 0 postings were sealed; now there are 1 with 1"
    ]


async def test_a_changed_memo_is_found_and_named(sealed: tuple[Books, UUID, UUID]) -> None:
    books, _, last = sealed
    async with by_force(books):
        await books.kernel.db.execute(
            "update settlement_ledger_transaction set memo = 'other' where id = $1", last
        )
    report = await verified(books)
    assert report.findings == [
        f"day {today() - timedelta(days=1)}: its 1 transactions with 1 postings are not what was sealed",
        f"transaction {last} (order:3) is not what its fingerprint says",
    ]


async def test_a_changed_day_is_found(sealed: tuple[Books, UUID, UUID]) -> None:
    books = sealed[0]
    day = today() - timedelta(days=2)
    async with by_force(books):
        await books.kernel.db.execute("update settlement_ledger_day set transactions = 1 where day = $1", day)
    report = await verified(books)
    assert report.findings == [
        f"day {day}: its hash does not follow from the day before and what it says",
        f"day {day}: 1 transactions with 0 postings were sealed; now there are 0 with 0",
    ]


async def test_a_chain_that_was_made_anew_after_a_change_is_not_as_it_was_signed(
    sealed: tuple[Books, UUID, UUID],
) -> None:
    # Given somebody who changes a memo and recomputes all hashes, but has not the vault's key
    books, first, _ = sealed
    noted = (await anchors(books.kernel.db))[-1]
    async with by_force(books):
        await books.kernel.db.execute(
            "update settlement_ledger_transaction set memo = 'other' where id = $1", first
        )
    old = await read_days(books.kernel.db)
    from kameng_settlement.days.hashing import read_content

    async with by_force(books):
        previous = GENESIS
        for day in old:
            content = await read_content(books.kernel.db, day.day)
            previous = day_hash(previous, day.day, content)
            await books.kernel.db.execute(
                "update settlement_ledger_day set content = $2, hash = $3 where day = $1",
                day.day,
                content.content,
                previous,
            )
    # Then the signatures tell
    report = await verified(books)
    assert report.findings == [f"day {day.day}: its entry is not as it was signed" for day in old]
    # And so does an anchor
    noticed = (await verified(books, noted)).findings
    assert f"day {noted.day}: the chain has {previous.hex()}, the anchor {noted.hash.hex()}" in noticed


async def test_a_missing_day_is_found(sealed: tuple[Books, UUID, UUID]) -> None:
    books = sealed[0]
    days = await read_days(books.kernel.db)
    async with by_force(books):
        await books.kernel.db.execute("delete from settlement_ledger_day where day = $1", days[1].day)
    assert (await verified(books)).findings == [f"day {days[1].day} is missing from the chain"]
    # And the first one
    async with by_force(books):
        await books.kernel.db.execute("delete from settlement_ledger_day where day = $1", days[0].day)
    findings = (await verified(books)).findings
    assert f"3 transactions are dated before {days[2].day}, where the chain begins" in findings
    # And the last one, by an anchor
    async with by_force(books):
        await books.kernel.db.execute("delete from settlement_ledger_day where day = $1", days[2].day)
    assert (await verified(books)).ok
    anchor = Anchor(days[2].day, days[2].hash)
    assert (await verified(books, anchor)).findings == [
        f"day {anchor.day} is not in the chain, but there is an anchor of it"
    ]


async def test_an_anchor_is_read_as_it_is_printed() -> None:
    anchor = Anchor(date(2026, 11, 23), bytes(range(32)))
    assert Anchor.parse(f" {anchor}\n") == anchor
    for text in ("", "2026-11-23", "2026-11-23:00", "x:" + "00" * 32):
        with pytest.raises(InvalidInput):
            Anchor.parse(text)


@pytest.mark.parametrize(
    "change", ["update {table} set {column} = {column}", "delete from {table}", "truncate {table}"]
)
@pytest.mark.parametrize(
    ("table", "column"), [("settlement_ledger_day", "day"), ("settlement_ledger_check", "found")]
)
async def test_days_and_checks_are_only_added_to(books: Books, table: str, column: str, change: str) -> None:
    with pytest.raises(asyncpg.RestrictViolationError, match="only added to"):
        await books.kernel.db.execute(change.format(table=table, column=column))


async def test_a_day_waits_for_what_began_in_it(books: Books) -> None:
    # Given a transaction that is under way
    db = books.kernel.db
    async with db.connection() as other:
        transaction = other.transaction()
        await transaction.start()
        await other.execute("select 1")
        later = await db.fetchval("select clock_timestamp()")
        # Then a day that ends later is open, for as long as that lasts
        assert await db.fetchval(sealing._UNDER_WAY, later) is True
        assert await db.fetchval(sealing._UNDER_WAY, later - timedelta(days=1)) is False
        await transaction.rollback()
    assert await db.fetchval(sealing._UNDER_WAY, later) is False


async def test_the_nightly_check_keeps_what_it_found_and_tells_the_staff_only_of_what_is_wrong(
    books: Books, ask: Ask
) -> None:
    document = "{ ledgerChecks(whole: %s) { nodes { whole found findings transactions } } }"
    staff = clerk("settlement.read_ledger")
    member = await books.rich(1000)
    await books.charge(order(member, 10))
    events = "select payload->>'first' from kernel_outbox where topic = 'settlement.ledger_not_whole'"
    # Given a ledger that is whole
    await check_ledger(books.kernel)
    data = await ask("admin", document % "null", principal=staff)
    assert data["ledgerChecks"]["nodes"] == [{"whole": True, "found": 0, "findings": [], "transactions": 2}]
    assert await books.kernel.db.fetch(events) == []
    # When somebody changes a balance
    await books.kernel.db.execute("update settlement_balance set credits = credits + 1 where bounded")
    await check_ledger(books.kernel)
    # Then it is kept and told, and nothing was adjusted
    wallet = wallet_of(member, CNY)
    account = (await books.ledger.accounts.open([wallet]))[wallet]
    findings = [
        "CNY: debits minus credits is -1",
        f"account {account}: postings say debits 10, credits 1000; the balance says 10, 1001",
    ]
    data = await ask("admin", document % "false", principal=staff)
    assert data["ledgerChecks"]["nodes"] == [
        {"whole": False, "found": 2, "findings": findings, "transactions": 2}
    ]
    assert await books.kernel.db.fetchval(events) == findings[0]
    assert await books.balances([member]) == [991]


async def test_staff_reads_sealed_days(sealed: tuple[Books, UUID, UUID], ask: Ask) -> None:
    books = sealed[0]
    document = (
        "{ ledgerDays(first: 1) { nodes { day transactions postings anchor } pageInfo { hasNextPage } } }"
    )
    data = await ask("admin", document, principal=clerk("settlement.read_ledger"))
    noted = (await anchors(books.kernel.db))[-1]
    assert data["ledgerDays"] == {
        "nodes": [{"day": str(noted.day), "transactions": 1, "postings": 1, "anchor": str(noted)}],
        "pageInfo": {"hasNextPage": True},
    }
    for closed in (document, "{ ledgerChecks { nodes { id } } }", "{ holds { nodes { id } } }"):
        answer = await ask("admin", closed, principal=clerk("settlement.credit_wallet"))
        assert answer["errors"][0]["extensions"]["code"] == "FORBIDDEN"
