"""What holds of the ledger after any sequence of operations, and under any interleaving of clients."""

from __future__ import annotations

import asyncio
import random
from contextlib import suppress
from dataclasses import dataclass, field
from uuid import UUID

import asyncpg
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from kameng.db import CommitUnknown
from kameng.errors import Conflict, TransactionError, UnavailableError
from kameng.ids import new_id
from kameng_settlement.contract import Charge, Charged, InsufficientFunds
from kameng_settlement.folding import fold_balances
from kameng_settlement.ledger import AlreadyReversed

from .conftest import Books, order

MEMBERS = 4
CURRENCIES = ("CNY", "JPY")

member = st.integers(0, MEMBERS - 1)
currency = st.sampled_from(CURRENCIES)
amount = st.integers(1, 60)

operations = st.lists(
    st.one_of(
        st.tuples(st.just("credit"), member, currency, amount),
        st.tuples(st.just("charge"), st.lists(st.tuples(member, currency, amount), min_size=1, max_size=8)),
        st.tuples(st.just("reverse"), st.integers(0, 30)),
        st.tuples(st.just("repeat"), st.integers(0, 30)),
        st.tuples(st.just("fold")),
    ),
    max_size=25,
)


@dataclass
class Model:
    """The ledger as plain sums, kept beside the real one."""

    members: list[UUID]
    wallets: dict[tuple[UUID, str], int] = field(default_factory=dict)
    sales: dict[str, int] = field(default_factory=dict)
    # What was posted: (transaction, wallet, currency, change of the wallet, whether sales took part)
    posted: list[tuple[UUID, UUID, str, int, bool]] = field(default_factory=list)
    keys: list[Charge] = field(default_factory=list)
    reversed: set[UUID] = field(default_factory=set)

    def move(self, wallet: UUID, currency: str, change: int, *, sale: bool) -> None:
        self.wallets[wallet, currency] = self.wallets.get((wallet, currency), 0) + change
        if sale:
            self.sales[currency] = self.sales.get(currency, 0) - change


@settings(
    max_examples=120,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(steps=operations)
async def test_the_ledger_does_what_plain_sums_do(books: Books, steps: list[tuple]) -> None:  # type: ignore[type-arg]  # as Hypothesis draws them
    # Given members nobody has heard of, and the shop's sales so far
    model = Model([new_id() for _ in range(MEMBERS)])
    model.sales = {code: await books.sales(code) for code in CURRENCIES}
    # When anything happens, in any order, then after each step:
    for step in steps:
        before = await books.size()
        changed = await _do(books, model, step)
        # a refusal has changed nothing,
        if not changed:
            assert await books.size() == before
        # wallets and sales are the sums, and none is below its floor,
        for code in CURRENCIES:
            expected = [model.wallets.get((wallet, code), 0) for wallet in model.members]
            assert await books.balances(model.members, code) == expected
            assert min(expected) >= 0
            assert await books.sales(code) == model.sales[code]
        # balances are what the postings add up to, and debits equal credits.
        report = await books.verified()
        assert report.ok, str(report)


async def _do(books: Books, model: Model, step: tuple) -> bool:  # type: ignore[type-arg]  # as Hypothesis draws them
    """Carry a step out on both; whether anything was posted."""
    match step:
        case ("credit", who, code, minor):
            wallet = model.members[who]
            posted = await books.credit(wallet, minor, code)
            model.move(wallet, code, minor, sale=False)
            model.posted.append((posted.transaction, wallet, code, minor, False))
            return True
        case ("charge", batch):
            return await _charge(
                books, model, [(model.members[who], code, minor) for who, code, minor in batch]
            )
        case ("reverse", which) if model.posted:
            return await _reverse(books, model, which % len(model.posted))
        case ("repeat", which) if model.keys:
            charge = model.keys[which % len(model.keys)]
            try:
                await books.charge(charge)
            except Conflict:
                return False
            raise AssertionError("a used key was charged again")
        case ("fold",):
            await fold_balances(books.kernel)
    return False


async def _charge(books: Books, model: Model, batch: list[tuple[UUID, str, int]]) -> bool:
    charges = [order(wallet, minor, code) for wallet, code, minor in batch]
    any_paid = False
    for charge, answer in zip(charges, await books.charge(*charges), strict=True):
        wallet, code, minor = charge.member, charge.amount.currency, charge.amount.minor
        if model.wallets.get((wallet, code), 0) >= minor:
            assert isinstance(answer, Charged)
            model.move(wallet, code, -minor, sale=True)
            model.posted.append((answer.transaction, wallet, code, -minor, True))
            model.keys.append(charge)
            any_paid = True
        else:
            assert isinstance(answer, InsufficientFunds)
    return any_paid


async def _reverse(books: Books, model: Model, which: int) -> bool:
    transaction, wallet, code, change, sale = model.posted[which]
    enough = model.wallets.get((wallet, code), 0) >= change
    try:
        async with books.kernel.db.transaction():
            await books.ledger.reverse(transaction, key=f"reversal:{new_id()}")
    except AlreadyReversed:
        assert transaction in model.reversed
        return False
    except InsufficientFunds:
        assert not enough
        return False
    assert enough
    assert transaction not in model.reversed
    model.reversed.add(transaction)
    model.move(wallet, code, -change, sale=sale)
    return True


async def test_clients_whose_connections_are_killed_leave_each_charge_once(books: Books) -> None:
    # Given ten wallets that can pay for about half of what will be asked, and clients that resubmit until answered
    chance = random.Random(7)
    members = [await books.rich(300) for _ in range(10)]
    charges = [order(chance.choice(members), chance.randint(1, 20)) for _ in range(600)]
    paid: dict[str, bool] = {}
    killed = 0
    running = True

    async def client(own: list[Charge]) -> None:
        while own:
            batch, own = own[:6], own[6:]
            for charge in await _submit(books, batch):
                paid[charge.key] = True
            for charge in batch:
                paid.setdefault(charge.key, False)

    async def killer() -> None:
        nonlocal killed
        while running:
            await asyncio.sleep(0.02)
            with suppress(
                asyncpg.PostgresError, asyncpg.InterfaceError, asyncpg.InternalClientError, UnavailableError
            ):
                killed += await books.kernel.db.fetchval(
                    """
                    with victim as (
                        select pid from pg_stat_activity
                        where datname = current_database() and pid <> pg_backend_pid() and xact_start is not null
                        order by random() limit 1
                    )
                    select count(pg_terminate_backend(pid)) from victim
                    """
                )

    # When backends are killed in the midst of it
    killing = asyncio.create_task(killer())
    await asyncio.gather(*(client(charges[start::5]) for start in range(5)))
    running = False
    await killing
    assert killed > 0
    # Then every charge has one answer, and the books hold exactly those that were paid
    booked = {
        row["key"]
        for row in await books.kernel.db.fetch(
            "select key from settlement_ledger_transaction where kind = 'charge'"
        )
    }
    assert booked == {key for key, was_paid in paid.items() if was_paid}
    assert len(paid) == 600
    spent = dict.fromkeys(members, 0)
    for charge in charges:
        if paid[charge.key]:
            spent[charge.member] += charge.amount.minor
    assert await books.balances(members) == [300 - spent[wallet] for wallet in members]
    assert (await books.verified()).ok


async def _submit(books: Books, batch: list[Charge]) -> list[Charge]:
    """Those of a batch that are paid in the end, however often the connection breaks."""
    lost = (
        CommitUnknown,
        UnavailableError,
        TransactionError,
        asyncpg.PostgresError,
        asyncpg.InterfaceError,
        asyncpg.InternalClientError,
        OSError,
    )
    while True:
        try:
            answers = await books.charge(*batch)
            return [
                charge for charge, answer in zip(batch, answers, strict=True) if isinstance(answer, Charged)
            ]
        except Conflict:
            # The lost transaction was committed after all: its outcome stands in the journal.
            rows = await books.kernel.db.fetch(
                "select key from settlement_ledger_transaction where key = any($1::text[])",
                [c.key for c in batch],
            )
            keys = {row["key"] for row in rows}
            return [charge for charge in batch if charge.key in keys]
        except lost:
            await asyncio.sleep(0.01)
