"""What holds of the ledger after any sequence of operations, and under any interleaving of clients."""

from __future__ import annotations

import asyncio
import random
from collections import Counter
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TypeVar
from uuid import UUID

import asyncpg
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from kameng.db import CommitUnknown
from kameng.errors import Conflict, Refusal, TransactionError, UnavailableError
from kameng.ids import new_id
from kameng.money import Money
from kameng_settlement.contract import (
    Booked,
    Charge,
    Charged,
    Exchange,
    Held,
    Hold,
    HoldClosed,
    Holder,
    HoldExceeded,
    HoldPosted,
    HoldPosting,
    Holds,
    HoldVoided,
    HoldVoiding,
    InsufficientFunds,
    Wallets,
)
from kameng_settlement.contract import Books as BookContract
from kameng_settlement.folding import fold_balances
from kameng_settlement.holds.resolving import expire_holds
from kameng_settlement.ledger import AlreadyReversed

from .conftest import Books, order

MEMBERS = 4
CURRENCIES = ("CNY", "JPY")

LOST = (
    CommitUnknown,
    UnavailableError,
    TransactionError,
    asyncpg.PostgresError,
    asyncpg.InterfaceError,
    asyncpg.InternalClientError,
    OSError,
)
"""What a client hears whose connection broke."""

KILL_ONE = """
with victim as (
    select pid from pg_stat_activity
    where datname = current_database() and pid <> pg_backend_pid() and xact_start is not null
    order by random() limit 1
)
select count(pg_terminate_backend(pid)) from victim
"""

T = TypeVar("T")

member = st.integers(0, MEMBERS - 1)
currency = st.sampled_from(CURRENCIES)
amount = st.integers(1, 60)

operations = st.lists(
    st.one_of(
        st.tuples(st.just("credit"), member, currency, amount),
        st.tuples(st.just("charge"), st.lists(st.tuples(member, currency, amount), min_size=1, max_size=8)),
        st.tuples(st.just("reverse"), st.integers(0, 30)),
        st.tuples(st.just("repeat"), st.integers(0, 30)),
        st.tuples(st.just("hold"), member, currency, amount),
        st.tuples(st.just("post_hold"), st.integers(0, 30), st.integers(1, 60)),
        st.tuples(st.just("void_hold"), st.integers(0, 30)),
        st.tuples(st.just("expire_hold"), st.integers(0, 30)),
        st.tuples(st.just("repeat_hold"), st.integers(0, 30)),
        st.tuples(st.just("exchange"), member, amount, amount),
        st.tuples(st.just("fold")),
    ),
    max_size=25,
)


@dataclass
class Pending:
    """A hold of the model."""

    asked: Hold
    key: UUID
    open: bool = True


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
    holds: list[Pending] = field(default_factory=list)
    exchanged: dict[str, int] = field(default_factory=dict)

    def pending(self, wallet: UUID, currency: str) -> int:
        """What is held of a wallet."""
        return sum(
            hold.asked.amount.minor
            for hold in self.holds
            if hold.open and hold.asked.member == wallet and hold.asked.amount.currency == currency
        )

    def free(self, wallet: UUID, currency: str) -> int:
        """What can be spent of a wallet."""
        return self.wallets.get((wallet, currency), 0) - self.pending(wallet, currency)

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
    position = {code: await _position(books, code) for code in CURRENCIES}
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
            free = [model.free(wallet, code) for wallet in model.members]
            wallets = await books.kernel.services.get(Wallets).wallets(model.members, code)
            assert [wallet.available.minor for wallet in wallets] == free
            assert min(free) >= 0
            assert await books.sales(code) == model.sales[code]
            assert await _position(books, code) - position[code] == model.exchanged.get(code, 0)
        # balances are what the postings add up to, holds what is pending, and debits equal credits.
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
        case ("hold", who, code, minor):
            return await _hold(books, model, model.members[who], Money(minor, code))
        case ("repeat_hold", which) if model.holds:
            hold = model.holds[which % len(model.holds)]
            assert await _place(books, hold.asked) == Held(hold=hold.key, fresh=False)
        case ("post_hold", which, part) if model.holds:
            return await _post_hold(books, model, model.holds[which % len(model.holds)], part)
        case ("void_hold", which) if model.holds:
            hold = model.holds[which % len(model.holds)]
            async with books.kernel.db.transaction():
                [answer] = await books.kernel.services.get(Holds).void(
                    [HoldVoiding(key=f"void:{new_id()}", hold=hold.key)]
                )
            assert isinstance(answer, HoldVoided if hold.open else HoldClosed)
            hold.open = False
        case ("expire_hold", which) if model.holds:
            hold = model.holds[which % len(model.holds)]
            if hold.open:
                await _let_pass(books, hold.key)
            await expire_holds(books.kernel)
            hold.open = False
        case ("exchange", who, minor, taken):
            return await _exchange(books, model, model.members[who], minor, taken)
    return False


async def _place(books: Books, hold: Hold) -> Held | Refusal:
    async with books.kernel.db.transaction():
        [answer] = await books.kernel.services.get(Holds).place([hold])
    return answer


async def _hold(books: Books, model: Model, wallet: UUID, amount: Money) -> bool:
    asked = Hold(key=f"hold:{new_id()}", member=wallet, amount=amount)
    answer = await _place(books, asked)
    if model.free(wallet, amount.currency) < amount.minor:
        assert isinstance(answer, InsufficientFunds)
    else:
        assert isinstance(answer, Held)
        model.holds.append(Pending(asked, answer.hold))
    return False  # nothing is posted yet


async def _post_hold(books: Books, model: Model, hold: Pending, part: int) -> bool:
    amount = Money(part, hold.asked.amount.currency)
    async with books.kernel.db.transaction():
        [answer] = await books.kernel.services.get(Holds).post(
            [HoldPosting(key=f"post:{new_id()}", hold=hold.key, amount=amount)]
        )
    if not hold.open:
        assert isinstance(answer, HoldClosed)
        return False
    if part > hold.asked.amount.minor:
        assert isinstance(answer, HoldExceeded)
        return False
    assert isinstance(answer, HoldPosted)
    hold.open = False
    model.move(hold.asked.member, amount.currency, -part, sale=True)
    model.posted.append((answer.transaction, hold.asked.member, amount.currency, -part, True))
    return True


async def _let_pass(books: Books, hold: UUID) -> None:
    """Let the time of a hold be over, which only the table's owner can do."""
    async with books.kernel.db.transaction():
        await books.kernel.db.execute("alter table settlement_hold disable trigger settlement_hold_changed")
        await books.kernel.db.execute(
            "update settlement_hold set expires_at = now() where id = $1 and state = 'pending'", hold
        )
        await books.kernel.db.execute(
            "alter table settlement_hold enable always trigger settlement_hold_changed"
        )


async def _exchange(books: Books, model: Model, wallet: UUID, minor: int, taken: int) -> bool:
    given, other = CURRENCIES
    holder = Holder("wallet", wallet)
    async with books.kernel.db.transaction():
        [answer] = await books.kernel.services.get(BookContract).exchange(
            [
                Exchange(
                    key=f"exchange:{new_id()}",
                    giver=holder,
                    given=Money(minor, given),
                    taker=holder,
                    taken=Money(taken, other),
                )
            ]
        )
    if model.free(wallet, given) < minor:
        assert isinstance(answer, InsufficientFunds)
        return False
    assert isinstance(answer, Booked)
    model.move(wallet, given, -minor, sale=False)
    model.move(wallet, other, taken, sale=False)
    model.exchanged[given] = model.exchanged.get(given, 0) + minor
    model.exchanged[other] = model.exchanged.get(other, 0) - taken
    return True


async def _position(books: Books, currency: str) -> int:
    """What the shop's exchange account of a currency holds."""
    return int(
        await books.kernel.db.fetchval(
            """
            select coalesce(sum(b.credits - b.debits), 0) from settlement_account a
            join settlement_balance b on b.account = a.id where a.kind = 'exchange' and a.currency = $1
            """,
            currency,
        )
    )


async def _charge(books: Books, model: Model, batch: list[tuple[UUID, str, int]]) -> bool:
    charges = [order(wallet, minor, code) for wallet, code, minor in batch]
    any_paid = False
    for charge, answer in zip(charges, await books.charge(*charges), strict=True):
        wallet, code, minor = charge.member, charge.amount.currency, charge.amount.minor
        if model.free(wallet, code) >= minor:
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
    enough = model.free(wallet, code) >= change
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
            with suppress(*LOST):
                killed += await books.kernel.db.fetchval(KILL_ONE)

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


deeds = st.one_of(
    st.tuples(st.just("credit"), member, currency, amount),
    st.tuples(st.just("take_back"), member, currency, amount),
    st.tuples(st.just("charge"), member, currency, amount),
    st.tuples(st.just("keep"), member, currency, amount),
    st.tuples(st.just("void"), member, currency, amount),
    st.tuples(st.just("post"), member, currency, amount, st.integers(1, 60)),
    st.tuples(st.just("exchange"), member, amount, amount),
)


@dataclass
class Told:
    """What clients were told in the end, added up."""

    wallets: Counter[tuple[UUID, str]] = field(default_factory=Counter)
    pending: Counter[tuple[UUID, str]] = field(default_factory=Counter)
    sales: Counter[str] = field(default_factory=Counter)
    answers: list[tuple[Deed, bool]] = field(default_factory=list)


Deed = tuple[str, tuple]  # type: ignore[type-arg]  # its key, and what Hypothesis drew


@settings(
    max_examples=8,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(programs=st.lists(st.lists(deeds, min_size=3, max_size=12), min_size=2, max_size=4))
async def test_what_clients_were_told_is_what_the_ledger_has_whatever_is_killed(
    books: Books,
    programs: list[list[tuple]],  # type: ignore[type-arg]  # as Hypothesis draws them
) -> None:
    # Given wallets with some money, and clients who share them, each resubmitting until it is answered
    members = [await books.rich(60) for _ in range(MEMBERS)]
    told = Told(wallets=Counter({(wallet, "CNY"): 60 for wallet in members}))
    before = {code: await books.sales(code) for code in CURRENCIES}
    everything = [[(f"deed:{new_id()}", deed) for deed in program] for program in programs]

    async def client(program: list[Deed]) -> None:
        for deed in program:
            told.answers.append((deed, await _until_answered(books, members, deed, told)))

    # When backends are killed in the midst of it, and balances folded
    running = True
    killing = asyncio.create_task(_kill(books, lambda: running, lambda: len(told.answers)))
    try:
        await asyncio.gather(
            *(client(program) for program in everything), _until_done(lambda: fold_balances(books.kernel))
        )
    finally:
        running = False
        await killing

    async def hold() -> None:
        # Then the ledger has what they were told, no floor was crossed, and all adds up
        for code in CURRENCIES:
            wallets = await books.kernel.services.get(Wallets).wallets(members, code)
            assert [wallet.balance.minor for wallet in wallets] == [
                told.wallets[wallet, code] for wallet in members
            ]
            assert [wallet.balance.minor - wallet.available.minor for wallet in wallets] == [
                told.pending[wallet, code] for wallet in members
            ]
            assert min(wallet.available.minor for wallet in wallets) >= 0
            assert await books.sales(code) - before[code] == told.sales[code]
        report = await books.verified()
        assert report.ok, str(report)

    await hold()
    # And whoever asks for all of it again, hears that it is done, and changes nothing
    size = await books.size()
    for deed, done in told.answers:
        if done:
            assert await _until_answered(books, members, deed, Told())
    assert await books.size() == size
    await hold()


async def _until_answered(books: Books, members: list[UUID], deed: Deed, told: Told) -> bool:
    """Do something as often as it takes to hear what became of it; whether it was done."""
    key, drawn = deed
    wallet = members[drawn[1]]
    match drawn:
        case ("credit", _, code, minor):
            await _until_done(lambda: books.credit(wallet, minor, code, key))
            told.wallets[wallet, code] += minor
        case ("take_back", _, code, minor):
            posted = await _until_done(lambda: books.credit(wallet, minor, code, key))
            try:
                await _until_done(lambda: _take_back(books, posted.transaction, f"{key}:back"))
            except InsufficientFunds:  # somebody has spent it in between
                told.wallets[wallet, code] += minor
                return False
        case ("charge", _, code, minor):
            charge = order(wallet, minor, code, key)
            if not await _submit(books, [charge]):
                return False
            told.wallets[wallet, code] -= minor
            told.sales[code] += minor
        case ("keep" | "void" | "post", _, code, minor, *_):
            held = await _until_done(
                lambda: _place(books, Hold(key=key, member=wallet, amount=Money(minor, code)))
            )
            if isinstance(held, Refusal):
                assert isinstance(held, InsufficientFunds)
                return False
            await _resolve(books, drawn, held.hold, f"{key}:end", told, (wallet, code))
        case ("exchange", _, minor, taken):
            if not isinstance(await _until_done(lambda: _change(books, wallet, minor, taken, key)), Booked):
                return False
            told.wallets[wallet, CURRENCIES[0]] -= minor
            told.wallets[wallet, CURRENCIES[1]] += taken
    return True


async def _resolve(
    books: Books,
    drawn: tuple,  # type: ignore[type-arg]  # as Hypothesis draws it
    hold: UUID,
    key: str,
    told: Told,
    place: tuple[UUID, str],
) -> None:
    """Keep a hold, void it or take a part of it."""
    what, _, code, minor, *part = drawn
    if what == "keep":
        told.pending[place] += minor
    elif what == "void":

        async def void() -> HoldVoided | Refusal:
            async with books.kernel.db.transaction():
                [answer] = await books.kernel.services.get(Holds).void([HoldVoiding(key=key, hold=hold)])
            return answer

        assert isinstance(await _until_done(void), HoldVoided)
    else:
        taken = min(part[0], minor)

        async def post() -> HoldPosted | Refusal:
            async with books.kernel.db.transaction():
                [answer] = await books.kernel.services.get(Holds).post(
                    [HoldPosting(key=key, hold=hold, amount=Money(taken, code))]
                )
            return answer

        assert isinstance(await _until_done(post), HoldPosted)
        told.wallets[place] -= taken
        told.sales[code] += taken


async def _take_back(books: Books, transaction: UUID, key: str) -> None:
    async with books.kernel.db.transaction():
        await books.ledger.reverse(transaction, key=key)


async def _change(books: Books, wallet: UUID, minor: int, taken: int, key: str) -> Booked | Refusal:
    holder = Holder("wallet", wallet)
    wanted = Exchange(
        key=key,
        giver=holder,
        given=Money(minor, CURRENCIES[0]),
        taker=holder,
        taken=Money(taken, CURRENCIES[1]),
    )
    async with books.kernel.db.transaction():
        [answer] = await books.kernel.services.get(BookContract).exchange([wanted])
    return answer


async def _until_done(call: Callable[[], Awaitable[T]]) -> T:
    """The answer of something that is safe to repeat, however often the connection breaks."""
    while True:
        try:
            return await call()
        except LOST:
            await asyncio.sleep(0.01)


async def _kill(books: Books, running: Callable[[], bool], answered: Callable[[], int]) -> None:
    """Kill backends at work, one for each answer: on a slow machine too, something gets done between two of them."""
    killed = 0
    while running():
        await asyncio.sleep(0.01)
        if killed <= answered():
            with suppress(*LOST):
                killed += await books.kernel.db.fetchval(KILL_ONE)


async def _submit(books: Books, batch: list[Charge]) -> list[Charge]:
    """Those of a batch that are paid in the end, however often the connection breaks."""
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
        except LOST:
            await asyncio.sleep(0.01)
