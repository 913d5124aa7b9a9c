"""The ledger: charges beside a ledger as one writes it first, and every balance recomputed from millions of postings.

``ledger/postings``: sixteen clients charge wallets through settlement's own function, a batch a transaction, as the order path
does with orders that arrive together. The reference is a ledger in plain tables: one entry a transaction, four statements, the
wallet's balance and the shop's one hot balance updated in it; as many clients, the same server, durable commits.
``ledger/recompute``: seconds to add up all postings and compare every balance; the reference is a bare sum over the same rows.
"""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from uuid import UUID

import asyncpg

from benchmarks.figures import Figure, median, say
from benchmarks.running import services
from kameng.db import Database
from kameng.ids import new_id
from kameng.money import Money
from kameng_settlement.charging import LedgerCharging
from kameng_settlement.chart import OPERATOR_FUNDS, SALES, house, wallet_of
from kameng_settlement.contract import Charge, Charged
from kameng_settlement.ledger import Entry, Ledger, Transfer
from kameng_settlement.statements import FOLD
from kameng_settlement.verifying import balance_differences, verify_ledger

CLIENTS = 16
MEMBERS = 5_000
CURRENCY = "CNY"


@dataclass(frozen=True)
class Size:
    """How much a run measures.

    Attributes:
        rounds, seconds: of each side of the postings.
        batch: charges of one transaction.
        postings: that are added up.
        passes: how often.
    """

    rounds: int
    seconds: float
    batch: int
    postings: int
    passes: int


SIZES = {
    "small": Size(rounds=5, seconds=3, batch=64, postings=500_000, passes=5),
    "full": Size(rounds=7, seconds=8, batch=64, postings=10_000_000, passes=5),
}


async def measure(size: str) -> list[Figure]:
    """Both figures."""
    wanted = SIZES[size]
    async with services() as (running, _):
        db = Database(running.database_url, pool_size=CLIENTS)
        await db.open()
        naive = await asyncpg.create_pool(running.database_url, min_size=CLIENTS, max_size=CLIENTS)
        try:
            members = await _members(db)
            postings = await _postings(db, naive, members, wanted)
            recompute = await _recompute(db, wanted)
        finally:
            await naive.close()
            await db.close()
    return [postings, recompute]


async def _members(db: Database) -> list[UUID]:
    """Members with more money than they can spend here."""
    members = [new_id() for _ in range(MEMBERS)]
    ledger = Ledger(db)
    funds = house(OPERATOR_FUNDS, CURRENCY)
    async with db.transaction():
        accounts = await ledger.accounts.open(
            [funds, house(SALES, CURRENCY), *(wallet_of(member, CURRENCY) for member in members)]
        )
        await ledger.write(
            [
                Entry(
                    key=f"bench:{member}",
                    kind="manual_credit",
                    transfers=(
                        Transfer(
                            accounts[funds], accounts[wallet_of(member, CURRENCY)], 1_000_000_000, CURRENCY
                        ),
                    ),
                )
                for member in members
            ]
        )
    return members


async def _postings(db: Database, naive: asyncpg.Pool, members: Sequence[UUID], wanted: Size) -> Figure:
    await naive.execute(NAIVE)
    await naive.execute(
        "insert into naive_account select n, 1000000000000 from generate_series(0, $1) n", MEMBERS
    )
    await db.execute("vacuum analyze")
    charging = LedgerCharging(db, Ledger(db))

    async def ours(batch: int) -> int:
        charges = [
            Charge(key=f"order:{new_id()}", member=member, amount=Money(300, CURRENCY), memo="BENCH")
            for member in random.choices(members, k=batch)
        ]
        async with db.transaction():
            answers = await charging.charge(charges)
        return sum(isinstance(answer, Charged) for answer in answers)

    async def theirs() -> int:
        async with naive.acquire() as connection, connection.transaction():
            entry, member = new_id(), random.randint(1, MEMBERS)
            await connection.execute(
                "insert into naive_entry values ($1, $2, 'BENCH', now())", entry, f"order:{entry}"
            )
            await connection.execute(
                "insert into naive_posting (entry, debit, credit, amount) values ($1, $2, 0, 300)",
                entry,
                member,
            )
            await connection.execute("update naive_account set balance = balance - 300 where id = $1", member)
            await connection.execute("update naive_account set balance = balance + 300 where id = 0")
        return 1

    sides: dict[str, Callable[[], Awaitable[int]]] = {
        "ours": lambda: ours(wanted.batch),
        "naive": theirs,
        "ours one by one": lambda: ours(1),
    }
    rates: dict[str, list[float]] = {side: [] for side in sides}
    for number in range(wanted.rounds + 1):
        for side, call in sides.items():
            rate = await _rate(call, wanted.seconds if number else 1)
            if number:  # the first round warms up
                rates[side].append(rate)
        await db.execute(FOLD)  # as the task does once a minute
        if number:
            told = ", ".join(f"{side} {found[-1]:,.0f}/s" for side, found in rates.items())
            say(f"ledger/postings round {number}: {told}")
    report = await verify_ledger(db)
    say(str(report).splitlines()[0])
    sold = await naive.fetchval("select balance - 1000000000000 from naive_account where id = 0")
    say(f"the naive ledger has sold {sold / 100:,.2f}")
    return Figure(
        name="ledger/postings",
        ours=median(rates["ours"]),
        reference=median(rates["naive"]),
        reference_is="one entry a transaction, four statements, the hot balance updated in it",
        unit="postings/s",
        better="higher",
        notes=f"{CLIENTS} clients, {wanted.batch} charges a transaction over {MEMBERS:,} wallets;"
        f" ours with one charge a transaction {median(rates['ours one by one']):,.0f}/s",
    )


async def _rate(call: Callable[[], Awaitable[int]], seconds: float) -> float:
    done = 0
    began = time.perf_counter()

    async def client() -> None:
        nonlocal done
        while time.perf_counter() - began < seconds:
            done += await call()

    await asyncio.gather(*(client() for _ in range(CLIENTS)))
    return done / (time.perf_counter() - began)


async def _recompute(db: Database, wanted: Size) -> Figure:
    await _grow(db, wanted.postings)
    ours: list[float] = []
    bare: list[float] = []
    for number in range(wanted.passes):
        began = time.perf_counter()
        differences = await balance_differences(db)
        ours.append(time.perf_counter() - began)
        began = time.perf_counter()
        await db.fetchrow("select count(*), sum(amount) from settlement_posting")
        bare.append(time.perf_counter() - began)
        say(
            f"ledger/recompute pass {number + 1}: {ours[-1]:.2f} s, a bare sum {bare[-1]:.2f} s,"
            f" {len(differences)} differences"
        )
    began = time.perf_counter()
    report = await verify_ledger(db)
    whole = time.perf_counter() - began
    say(str(report).splitlines()[0])
    return Figure(
        name="ledger/recompute",
        ours=median(ours),
        reference=median(bare),
        reference_is="count and sum of the same postings",
        unit="s",
        better="lower",
        notes=f"{report.postings:,} postings of {report.accounts:,} accounts;"
        f" holds, floors and orphans too: {whole:.1f} s",
    )


async def _grow(db: Database, postings: int) -> None:
    """Write postings of the past until there are so many, two a transaction, without the checks of their keys meanwhile."""
    rows = await db.fetch(
        "select conname, pg_get_constraintdef(oid) as made from pg_constraint"
        " where conrelid = 'settlement_posting'::regclass and contype = 'f'"
    )
    for row in rows:
        await db.execute(f"alter table settlement_posting drop constraint {row['conname']}")
    wallets = [row["id"] for row in await db.fetch("select id from settlement_account where kind = 'wallet'")]
    sales = await db.fetchval("select id from settlement_account where kind = 'sales'")
    there = await db.fetchval("select count(*) from settlement_posting")
    while there < postings:
        count = min(250_000, (postings - there + 1) // 2)
        await db.execute(GROW, count, wallets, sales)
        there += 2 * count
        say(f"{there:,} postings")
    for row in rows:
        await db.execute(f"alter table settlement_posting add constraint {row['conname']} {row['made']}")
    await db.execute(SETTLE)
    await db.execute("delete from settlement_balance where not bounded")
    await db.execute(SETTLE_UNBOUNDED)
    await db.execute("vacuum analyze")


NAIVE = """
create table naive_account (id int primary key, balance bigint not null check (balance >= 0)) with (fillfactor = 50);
create table naive_entry (id uuid primary key, key text not null unique, memo text not null, at timestamptz not null);
create table naive_posting (
    id bigserial primary key, entry uuid not null references naive_entry, debit int not null references naive_account,
    credit int not null references naive_account, amount bigint not null check (amount > 0)
);
create index on naive_posting (debit, id);
create index on naive_posting (credit, id);
"""

GROW = """
with made as materialized (
    select uuidv7() as id, n, ($2::uuid[])[1 + floor(random() * array_length($2::uuid[], 1))::int] as wallet
    from generate_series(1, $1::int) n
), entered as (
    insert into settlement_ledger_transaction (id, key, fingerprint, kind, memo, effective_at, posted_at)
    select id, 'past:' || id, sha256(id::text::bytea), 'charge', '', now(), now() from made
)
insert into settlement_posting (transaction, seq, debit_account, credit_account, amount, currency)
select id, seq, wallet, $3, 3, 'CNY' from made cross join generate_series(1, 2) seq
"""

SETTLE = """
update settlement_balance b set debits = s.amount
from (select debit_account as account, sum(amount)::bigint as amount from settlement_posting group by 1) s
where s.account = b.account and b.bounded
"""

SETTLE_UNBOUNDED = """
insert into settlement_balance (account, bounded, debits, credits, pending, floor)
select a.id, false, (select coalesce(sum(amount), 0) from settlement_posting where debit_account = a.id),
    (select coalesce(sum(amount), 0) from settlement_posting where credit_account = a.id), 0, null
from settlement_account a where not a.bounded
"""
