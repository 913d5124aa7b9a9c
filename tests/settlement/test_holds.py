"""Holds: money that is set aside counts against the floor, and is posted, voided or expires once."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Sequence
from datetime import timedelta
from uuid import UUID

import asyncpg
import pytest

from kameng.db import counted_statements
from kameng.errors import Conflict, InvalidInput, NotFound, Refusal
from kameng.ids import new_id
from kameng.money import Money
from kameng_settlement.chart import OPERATOR_FUNDS, SALES, house, wallet_of
from kameng_settlement.contract import (
    Charged,
    Held,
    Hold,
    HoldClosed,
    HoldExceeded,
    HoldPosted,
    HoldPosting,
    Holds,
    HoldVoided,
    HoldVoiding,
    InsufficientFunds,
    Refund,
    Refunded,
    Wallets,
)
from kameng_settlement.holds.placing import Placement, place_holds
from kameng_settlement.holds.resolving import expire_holds

from .conftest import CNY, Books, order


def hold(member: UUID, minor: int, key: str | None = None, lasts: timedelta | None = None) -> Hold:
    """Money to set aside."""
    return Hold(
        key=key or f"hold:{new_id()}", member=member, amount=Money(minor, CNY), memo="W-1", lasts=lasts
    )


async def place(books: Books, *holds: Hold) -> list[Held | Refusal]:
    async with books.kernel.db.transaction():
        return await books.kernel.services.get(Holds).place(holds)


async def held(books: Books, member: UUID, minor: int, lasts: timedelta | None = None) -> UUID:
    """A hold that was placed."""
    [answer] = await place(books, hold(member, minor, lasts=lasts))
    assert isinstance(answer, Held)
    return answer.hold


async def post(
    books: Books, key: UUID, minor: int | None = None, by: str | None = None
) -> HoldPosted | Refusal:
    amount = None if minor is None else Money(minor, CNY)
    async with books.kernel.db.transaction():
        [answer] = await books.kernel.services.get(Holds).post(
            [HoldPosting(key=by or f"post:{new_id()}", hold=key, amount=amount)]
        )
    return answer


async def void(books: Books, key: UUID, by: str | None = None) -> HoldVoided | Refusal:
    async with books.kernel.db.transaction():
        [answer] = await books.kernel.services.get(Holds).void(
            [HoldVoiding(key=by or f"void:{new_id()}", hold=key)]
        )
    return answer


async def wallet(books: Books, member: UUID) -> tuple[int, int]:
    """What is there, and what can be spent."""
    [found] = await books.kernel.services.get(Wallets).wallets([member], CNY)
    return found.balance.minor, found.available.minor


async def states(books: Books, keys: Sequence[UUID]) -> list[str]:
    rows = await books.kernel.db.fetch(
        "select id, state from settlement_hold where id = any($1::uuid[])", list(keys)
    )
    found = {row["id"]: row["state"] for row in rows}
    return [found[key] for key in keys]


async def test_what_is_held_is_there_and_cannot_be_spent(books: Books) -> None:
    # Given 10.00, of which 7.00 are held
    member = await books.rich(1000)
    await held(books, member, 700)
    assert await wallet(books, member) == (1000, 300)
    # When 3.01 and 3.00 are charged, and 0.01 is to be held
    answers = await books.charge(order(member, 301), order(member, 300))
    [more] = await place(books, hold(member, 1))
    # Then only what is free is spent
    assert [type(answer) for answer in (*answers, more)] == [InsufficientFunds, Charged, InsufficientFunds]
    assert await wallet(books, member) == (700, 0)
    assert (await books.verified()).ok


async def test_posting_takes_all_that_was_held_as_a_charge_that_can_be_refunded(books: Books) -> None:
    # Given a hold of 7.00
    member = await books.rich(1000)
    key = await held(books, member, 700)
    # When it is posted
    answer = await post(books, key)
    # Then it is a charge
    assert isinstance(answer, HoldPosted)
    assert await wallet(books, member) == (300, 300)
    assert await books.sales() == 700
    assert await states(books, [key]) == ["posted"]
    # And it can be refunded as one
    async with books.kernel.db.transaction():
        from kameng_settlement.contract import Charging

        [refunded] = await books.kernel.services.get(Charging).refund(
            [Refund(key="refund:1", charge=answer.transaction, amount=Money(200, CNY))]
        )
    assert isinstance(refunded, Refunded)
    assert await wallet(books, member) == (500, 500)
    assert (await books.verified()).ok


async def test_posting_a_part_frees_the_rest_and_closes_the_hold(books: Books) -> None:
    member = await books.rich(1000)
    key = await held(books, member, 700)
    assert isinstance(await post(books, key, 250), HoldPosted)
    assert await wallet(books, member) == (750, 750)
    assert isinstance(await post(books, key, 1), HoldClosed)
    assert (await books.verified()).ok


async def test_voiding_frees_it_and_leaves_no_posting(books: Books) -> None:
    member = await books.rich(1000)
    before = await books.size()
    key = await held(books, member, 700)
    assert await void(books, key) == HoldVoided(fresh=True)
    assert await wallet(books, member) == (1000, 1000)
    assert await books.size() == before
    assert isinstance(await post(books, key), HoldClosed)
    assert isinstance(await void(books, key), HoldClosed)


async def test_the_same_again_answers_the_same_and_another_is_a_conflict(books: Books) -> None:
    member = await books.rich(1000)
    # Placing
    [first] = await place(books, hold(member, 100, "hold:1"))
    [again] = await place(books, hold(member, 100, "hold:1"))
    [other] = await place(books, hold(member, 101, "hold:1"))
    assert isinstance(first, Held)
    assert again == Held(hold=first.hold, fresh=False)
    assert isinstance(other, Conflict)
    # Posting
    done = await post(books, first.hold, 60, "post:1")
    assert isinstance(done, HoldPosted)
    assert await post(books, first.hold, 60, "post:1") == HoldPosted(
        transaction=done.transaction, fresh=False
    )
    assert isinstance(await post(books, first.hold, 61, "post:1"), Conflict)
    # Voiding
    second = await held(books, member, 200)
    assert await void(books, second, "void:1") == HoldVoided(fresh=True)
    assert await void(books, second, "void:1") == HoldVoided(fresh=False)
    # And placing is still what it was, although the hold is closed by now
    [late] = await place(books, hold(member, 100, "hold:1"))
    assert late == Held(hold=first.hold, fresh=False)
    assert await wallet(books, member) == (940, 940)
    assert (await books.verified()).ok


async def test_a_key_of_another_ledger_transaction_posts_nothing(books: Books) -> None:
    member = await books.rich(1000)
    await books.charge(order(member, 100, key="order:used"))
    key = await held(books, member, 200)
    with pytest.raises(Conflict):
        await post(books, key, by="order:used")
    assert await wallet(books, member) == (900, 700)
    assert await states(books, [key]) == ["pending"]


async def test_more_than_is_held_cannot_be_posted(books: Books) -> None:
    member = await books.rich(1000)
    key = await held(books, member, 700)
    answer = await post(books, key, 701)
    assert isinstance(answer, HoldExceeded)
    assert (answer.code, answer.message) == ("HOLD_EXCEEDED", "7.00 CNY are held, not 7.01.")
    assert isinstance(await post(books, key, 0), InvalidInput)
    assert isinstance(await post(books, new_id()), NotFound)
    assert isinstance(await void(books, new_id()), NotFound)
    assert await wallet(books, member) == (1000, 300)


async def test_a_batch_is_answered_in_order_as_far_as_the_wallet_goes(books: Books) -> None:
    member, poor = await books.rich(100), new_id()
    twin = hold(member, 10, "hold:twin")
    answers = await place(
        books,
        hold(member, 60),
        hold(poor, 1),
        hold(member, 41),
        twin,
        twin,
        hold(member, 30),
        hold(member, 0),
    )
    assert [type(answer) for answer in answers] == [
        Held,
        InsufficientFunds,
        InsufficientFunds,
        Held,
        Held,
        Held,
        InvalidInput,
    ]
    assert isinstance(answers[3], Held)
    assert answers[4] == Held(hold=answers[3].hold, fresh=False)
    assert await wallet(books, member) == (100, 0)


@pytest.mark.parametrize("count", [1, 64])
async def test_statements_do_not_depend_on_the_batch(books: Books, count: int) -> None:
    # Given wallets and a sale, so that all accounts are there
    members = [await books.rich(1000) for _ in range(count)]
    await books.charge(*(order(member, 1) for member in members))
    # When money of all of them is held and taken
    with counted_statements() as placing:
        answers = await place(books, *(hold(member, 10) for member in members))
    keys = [answer.hold for answer in answers if isinstance(answer, Held)]
    with counted_statements() as posting:
        async with books.kernel.db.transaction():
            await books.kernel.services.get(Holds).post(
                [HoldPosting(key=f"post:{key}", hold=key) for key in keys]
            )
    # Then
    assert [text.splitlines()[0] for text in placing] == [
        "-- settlement.find_accounts",
        "-- settlement.lock_accounts",
        "-- settlement.find_holds",
        "-- settlement.place_holds",
    ]
    assert [text.splitlines()[0] for text in posting] == [
        "-- settlement.lock_holds",
        "-- settlement.lock_accounts",
        "-- settlement.release_holds",
        "-- settlement.post",
        "-- settlement.close_holds",
    ]


async def _pass(books: Books, key: UUID) -> None:
    """Let a hold's time be over, which only who switches the triggers off can do."""
    async with books.kernel.db.transaction():
        await books.kernel.db.execute("alter table settlement_hold disable trigger settlement_hold_changed")
        await books.kernel.db.execute(
            "update settlement_hold set placed_at = now() - interval '2 hours',"
            " expires_at = now() - interval '1 second' where id = $1",
            key,
        )
        await books.kernel.db.execute(
            "alter table settlement_hold enable always trigger settlement_hold_changed"
        )


async def test_what_is_over_expires_once_however_often_the_schedule_runs(books: Books) -> None:
    # Given a hold whose time is over, one that lasts, and one for ever
    member = await books.rich(1000)
    over = await held(books, member, 100, timedelta(hours=1))
    lasting = await held(books, member, 200, timedelta(hours=1))
    ever = await held(books, member, 300)
    await _pass(books, over)
    # When nobody has swept yet, then it counts, but cannot be taken any more
    assert await wallet(books, member) == (1000, 400)
    assert isinstance(await post(books, over), HoldClosed)
    # When several processes sweep at once, and again
    await asyncio.gather(*(expire_holds(books.kernel) for _ in range(4)))
    await expire_holds(books.kernel)
    # Then it is free, once
    assert await wallet(books, member) == (1000, 500)
    assert await states(books, [over, lasting, ever]) == ["expired", "pending", "pending"]
    events = await books.kernel.db.fetchval(
        "select count(*) from kernel_outbox where topic = 'settlement.hold_expired'"
    )
    assert events == 1
    assert (await books.verified()).ok


async def test_a_hold_is_resolved_once_by_whoever_comes_first(books: Books) -> None:
    # Given a hold, and a dozen who post, void and let it expire at the same time
    member = await books.rich(1000)
    key = await held(books, member, 700, timedelta(hours=1))
    tries = [post(books, key, 100) for _ in range(6)] + [void(books, key) for _ in range(6)]
    answers = await asyncio.gather(*tries)
    # Then one of them did
    won = [answer for answer in answers if not isinstance(answer, Refusal)]
    assert len(won) == 1
    assert Counter(type(answer) for answer in answers)[HoldClosed] == 11
    taken = 100 if isinstance(won[0], HoldPosted) else 0
    assert await wallet(books, member) == (1000 - taken, 1000 - taken)
    assert (await books.verified()).ok


async def test_many_holds_of_one_wallet_at_once_never_exceed_it(books: Books) -> None:
    # Given 10.00, and sixty who hold, take and let go 1.00 each, while others buy
    member = await books.rich(1000)

    async def one(number: int) -> str:
        [answer] = await place(books, hold(member, 100))
        if not isinstance(answer, Held):
            return "refused"
        found = await wallet(books, member)
        assert found[1] >= 0
        if number % 3 == 0:
            await void(books, answer.hold)
            return "voided"
        if number % 3 == 1:
            await post(books, answer.hold, 60)
            return "posted"
        return "held"

    async def buy() -> str:
        [answer] = await books.charge(order(member, 50))
        return "bought" if isinstance(answer, Charged) else "refused"

    outcomes = Counter(
        await asyncio.gather(*(one(number) for number in range(60)), *(buy() for _ in range(20)))
    )
    # Then what is left is what nobody took, and what is held is held
    left = 1000 - 60 * outcomes["posted"] - 50 * outcomes["bought"]
    assert await wallet(books, member) == (left, left - 100 * outcomes["held"])
    assert await books.sales() == 1000 - left
    assert left - 100 * outcomes["held"] >= 0
    assert (await books.verified()).ok


async def test_holds_of_many_wallets_in_any_order_do_not_deadlock(books: Books) -> None:
    members = [await books.rich(10_000) for _ in range(8)]
    batches = [members[shift:] + members[:shift] for shift in range(8)]
    batches += [list(reversed(batch)) for batch in batches]

    async def one(batch: list[UUID]) -> None:
        answers = await place(books, *(hold(member, 10) for member in batch))
        keys = [answer.hold for answer in answers if isinstance(answer, Held)]
        assert len(keys) == 8
        async with books.kernel.db.transaction():
            await books.kernel.services.get(Holds).post(
                [HoldPosting(key=f"post:{key}", hold=key) for key in reversed(keys)]
            )

    await asyncio.gather(*(one(batch) for batch in batches))
    assert await books.balances(members) == [10_000 - 16 * 10] * 8
    assert (await books.verified()).ok


async def test_the_same_key_from_many_at_once_is_held_once(books: Books) -> None:
    member = await books.rich(1000)
    answers = await asyncio.gather(*(place(books, hold(member, 100, "hold:once")) for _ in range(16)))
    assert len({answer.hold for [answer] in answers if isinstance(answer, Held)}) == 1
    assert await wallet(books, member) == (1000, 900)


async def test_a_rollback_leaves_nothing_held(books: Books) -> None:
    member = await books.rich(1000)
    with pytest.raises(RuntimeError):
        async with books.kernel.db.transaction():
            await books.kernel.services.get(Holds).place([hold(member, 100)])
            raise RuntimeError
    assert await wallet(books, member) == (1000, 1000)
    assert await books.kernel.db.fetchval("select count(*) from settlement_hold") == 0


async def test_only_accounts_with_a_floor_can_have_money_held(books: Books) -> None:
    funds, sales = house(OPERATOR_FUNDS, CNY), house(SALES, CNY)
    accounts = await books.ledger.accounts.open((funds, sales))
    placement = Placement(
        key="hold:funds", debit=accounts[funds], credit=accounts[sales], minor=1, currency=CNY
    )
    async with books.kernel.db.transaction():
        [answer] = await place_holds(books.kernel.db, [placement])
    assert isinstance(answer, InvalidInput)


async def test_money_can_be_held_for_another_wallet(books: Books) -> None:
    # Given 10.00 of a giver that are held for a taker
    giver, taker = wallet_of(await books.rich(1000), CNY), wallet_of(await books.rich(1), CNY)
    accounts = await books.ledger.accounts.open((giver, taker))
    placement = Placement(
        key="gift:1", debit=accounts[giver], credit=accounts[taker], minor=1000, currency=CNY, kind="gift"
    )
    async with books.kernel.db.transaction():
        [answer] = await place_holds(books.kernel.db, [placement])
    assert isinstance(answer, Held)
    # When it is taken, then it is there
    assert isinstance(await post(books, answer.hold), HoldPosted)
    assert await books.balances([giver.owner, taker.owner]) == [0, 1001]
    assert (await books.verified()).ok


@pytest.mark.parametrize(
    "change",
    [
        "update settlement_hold set amount = amount + 1",
        "update settlement_hold set expires_at = now()",
        "delete from settlement_hold",
        "truncate settlement_hold",
    ],
)
async def test_what_a_hold_is_about_never_changes(books: Books, change: str) -> None:
    await held(books, await books.rich(1000), 100)
    with pytest.raises(asyncpg.RestrictViolationError, match="resolved once"):
        await books.kernel.db.execute(change)


async def test_a_hold_that_was_resolved_never_changes(books: Books) -> None:
    key = await held(books, await books.rich(1000), 100)
    await void(books, key)
    with pytest.raises(asyncpg.RestrictViolationError):
        await books.kernel.db.execute(
            "update settlement_hold set state = 'pending', resolved_at = null, resolution_key = null"
        )


async def test_a_verification_finds_holds_and_balances_that_differ(books: Books) -> None:
    member = await books.rich(1000)
    await held(books, member, 100)
    await books.kernel.db.execute("update settlement_balance set pending = 70 where bounded")
    account = (await books.ledger.accounts.open([wallet_of(member, CNY)]))[wallet_of(member, CNY)]
    report = await books.verified()
    assert report.findings == [f"account {account}: holds say 100 is pending; the balance says 70"]
