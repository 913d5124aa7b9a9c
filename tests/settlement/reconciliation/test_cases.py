"""Cases are worked on by one person at a time and settled by an entry; nothing is adjusted without one."""

from __future__ import annotations

import asyncio
from uuid import UUID

import pytest

from kameng.auth.principal import Principal, PrincipalKind
from kameng.errors import InvalidInput, NotFound, Refusal
from kameng.graphql import Context
from kameng.ids import new_id
from kameng.money import Money
from kameng_settlement.contract import Charge, Charging, InsufficientFunds, Wallets
from kameng_settlement.ledger import AlreadyReversed, Ledger
from kameng_settlement.reconciliation.cases import (
    Case,
    CaseAction,
    case_of,
    claim_case,
    comment_case,
    release_case,
    resolve_case,
)
from kameng_settlement.reconciliation.faults import ActionUnfit, CaseSettled, CaseTaken
from kameng_settlement.reconciliation.outcomes import Planned, outcomes_of
from kameng_settlement.verifying import verify_ledger
from tests.settlement.reconciliation.bills import Traded
from tests.settlement.reconciliation.ours import Desk

THEIRS = Traded(number="THEIRS", amount=1000, fee=6)


def staff(desk: Desk) -> Context:
    return Context(
        desk.kernel,
        principal=Principal(kind=PrincipalKind.STAFF, id=new_id()),
        locale="en",
        schema="admin",
        idempotency_key=None,
    )


async def case_of_day(
    desk: Desk, ours: list[Traded], theirs: list[Traded], member: UUID | None = None
) -> UUID:
    """The one case that a day with these two sides makes."""
    await desk.record(ours, member)
    await desk.bring_rows(theirs)
    await desk.run()
    rows = await desk.kernel.db.fetch("select id from settlement_case")
    assert len(rows) == 1
    return UUID(int=rows[0]["id"].int)


async def balances(desk: Desk) -> dict[str, int]:
    """Debits less credits of each kind of account that is not even."""
    rows = await desk.kernel.db.fetch(
        """
        select a.kind, sum(b.debits - b.credits)::bigint as held
        from settlement_balance b join settlement_account a on a.id = b.account group by a.kind
        """
    )
    return {row["kind"]: row["held"] for row in rows if row["held"]}


async def history(desk: Desk) -> list[str]:
    return [
        row["what"] for row in await desk.kernel.db.fetch("select what from settlement_case_note order by id")
    ]


async def member_of(desk: Desk) -> UUID:
    key = new_id()
    await desk.kernel.db.execute(
        """
        insert into membership_member (id, email, password_hash, level)
        select $1, $2, 'none', id from membership_level where code = 'retail'
        """,
        key,
        f"{key}@example.com",
    )
    return key


@pytest.mark.parametrize(
    ("action", "kind"), [(CaseAction.SUSPEND, "suspense"), (CaseAction.WRITE_OFF, "differences")]
)
async def test_money_that_only_the_gateway_has_is_booked(desk: Desk, action: CaseAction, kind: str) -> None:
    # Given a payment of 10.00 less 0.06 that the gateway has and we do not
    case = await case_of_day(desk, [], [THEIRS])
    # When it is settled
    await resolve_case(staff(desk), case, action, "Nobody knows whose it is")
    # Then clearing is what the gateway owes us, and the other account took it
    assert await balances(desk) == {"clearing:wechat:main": 994, "gateway_fees": 6, kind: -1000}
    assert (await verify_ledger(desk.kernel.db)).ok
    row = await desk.kernel.db.fetchrow("select * from settlement_case")
    assert row is not None
    assert (row["state"], row["action"], row["reason"]) == (
        "RESOLVED",
        action.value,
        "Nobody knows whose it is",
    )
    posted = await desk.kernel.db.fetchrow(
        "select kind, memo from settlement_ledger_transaction where id = $1", row["posted"]
    )
    assert posted is not None
    assert tuple(posted) == ("reconciliation", "wechat:main THEIRS: Nobody knows whose it is")
    assert await history(desk) == ["opened", "resolved"]
    page = await desk.kernel.audit.page(action="settlement.case_resolved")
    assert [entry.details["reason"] for entry in page.entries] == ["Nobody knows whose it is"]


async def test_money_goes_to_the_member_whose_it_is(desk: Desk) -> None:
    member, case = await member_of(desk), await case_of_day(desk, [], [THEIRS])
    await resolve_case(staff(desk), case, CaseAction.CREDIT, "Paid by an old code", member=member)
    [wallet] = await desk.kernel.services.get(Wallets).wallets([member], "CNY")
    assert wallet.balance.minor == 1000


async def test_our_entry_is_reversed_where_the_gateway_never_had_the_money(desk: Desk) -> None:
    case = await case_of_day(desk, [THEIRS], [])
    assert await balances(desk) == {"clearing:wechat:main": 994, "gateway_fees": 6, "wallet": -1000}
    await resolve_case(staff(desk), case, CaseAction.REVERSE, "Told in error")
    assert await balances(desk) == {}
    assert (await verify_ledger(desk.kernel.db)).ok


async def test_what_was_spent_is_not_taken_back(desk: Desk) -> None:
    # Given a payment in error that the member has spent
    member = await member_of(desk)
    case = await case_of_day(desk, [THEIRS], [], member)
    async with desk.kernel.db.transaction():
        await desk.kernel.services.get(Charging).charge(
            [Charge(key="order:1", member=member, amount=Money(1, "CNY"))]
        )
    before = await desk.everything()
    with pytest.raises(InsufficientFunds):
        await resolve_case(staff(desk), case, CaseAction.REVERSE, "Told in error")
    # Then nothing changed, and it can be written off
    assert await desk.everything() == before
    await resolve_case(staff(desk), case, CaseAction.WRITE_OFF, "Spent")
    assert (await balances(desk))["differences"] == 1000


@pytest.mark.parametrize(
    ("ours", "theirs", "written_off"),
    [((500, 3), (520, 3), -20), ((520, 3), (500, 3), 20), ((500, 3), (500, 5), 0), ((500, 5), (500, 3), 0)],
)
async def test_differences_of_amounts_and_fees_are_written_off(
    desk: Desk, ours: tuple[int, int], theirs: tuple[int, int], written_off: int
) -> None:
    # Given a payment and its fee that the gateway tells otherwise
    (amount, fee), (their_amount, their_fee) = ours, theirs
    case = await case_of_day(
        desk,
        [Traded(number="X", amount=amount, fee=fee)],
        [Traded(number="X", amount=their_amount, fee=their_fee)],
    )
    await resolve_case(staff(desk), case, CaseAction.WRITE_OFF, "As the gateway says")
    # Then clearing is what the gateway has of us, and the member keeps what was booked
    left = {
        "clearing:wechat:main": their_amount - their_fee,
        "gateway_fees": their_fee,
        "wallet": -amount,
        "differences": written_off,
    }
    assert await balances(desk) == {kind: held for kind, held in left.items() if held}


async def test_an_explanation_posts_nothing(desk: Desk) -> None:
    case = await case_of_day(desk, [], [THEIRS])
    await resolve_case(staff(desk), case, CaseAction.EXPLAIN, "A test of ours; paid back at the gateway")
    assert await balances(desk) == {}
    row = await desk.kernel.db.fetchrow("select state, posted from settlement_case")
    assert row is not None
    assert tuple(row) == ("RESOLVED", None)


async def test_a_case_is_settled_once(desk: Desk) -> None:
    case = await case_of_day(desk, [], [THEIRS])
    answers = await asyncio.gather(
        *(resolve_case(staff(desk), case, CaseAction.SUSPEND, "Unknown") for _ in range(6)),
        resolve_case(staff(desk), case, CaseAction.WRITE_OFF, "Other"),
        return_exceptions=True,
    )
    assert all(answer is None or isinstance(answer, CaseSettled) for answer in answers)
    assert (await balances(desk))["clearing:wechat:main"] == 994
    assert (await history(desk)).count("resolved") == 1


async def test_a_settled_case_stays_settled_when_the_day_is_compared_again(desk: Desk) -> None:
    case = await case_of_day(desk, [], [THEIRS])
    await resolve_case(staff(desk), case, CaseAction.SUSPEND, "Unknown")
    before = await desk.everything()
    assert (await desk.run()).opened == {}
    assert await desk.everything() == before


@pytest.mark.parametrize(
    ("ours", "theirs", "action", "error"),
    [
        ([], [THEIRS], CaseAction.REVERSE, ActionUnfit),
        ([], [THEIRS], CaseAction.CREDIT, ActionUnfit),
        ([THEIRS], [Traded(number="THEIRS", fee=7)], CaseAction.REVERSE, ActionUnfit),
    ],
)
async def test_an_action_that_does_not_fit_is_refused(
    desk: Desk, ours: list[Traded], theirs: list[Traded], action: CaseAction, error: type[Refusal]
) -> None:
    case = await case_of_day(desk, ours, theirs)
    before = await desk.everything()
    with pytest.raises(error) as caught:
        await resolve_case(staff(desk), case, action, "Because")
    assert caught.value.cure
    assert await desk.everything() == before


async def test_what_was_reversed_before_is_told(desk: Desk) -> None:
    case = await case_of_day(desk, [THEIRS], [])
    posted = await desk.kernel.db.fetchval("select posted from settlement_payment_observation")
    async with desk.kernel.db.transaction():
        await desk.kernel.services.get(Ledger).reverse(UUID(int=posted.int), key="by-hand")
    with pytest.raises(AlreadyReversed):
        await resolve_case(staff(desk), case, CaseAction.REVERSE, "Told in error")


@pytest.mark.parametrize("reason", ["", "  ", "x" * 301, "a\0b"])
async def test_a_reason_is_needed(desk: Desk, reason: str) -> None:
    case = await case_of_day(desk, [], [THEIRS])
    with pytest.raises(InvalidInput):
        await resolve_case(staff(desk), case, CaseAction.SUSPEND, reason)


async def test_one_person_works_on_a_case(desk: Desk) -> None:
    case, anna, bob = await case_of_day(desk, [], [THEIRS]), staff(desk), staff(desk)
    await claim_case(anna, case)
    await claim_case(anna, case)
    for act in (
        claim_case(bob, case),
        release_case(bob, case),
        resolve_case(bob, case, CaseAction.SUSPEND, "Mine"),
    ):
        with pytest.raises(CaseTaken):
            await act
    await comment_case(bob, case, "Ask the gateway")
    await claim_case(bob, case, from_others=True)
    await release_case(bob, case)
    await resolve_case(anna, case, CaseAction.SUSPEND, "Nobody else")
    assert await history(desk) == ["opened", "claimed", "commented", "claimed", "released", "resolved"]
    with pytest.raises(CaseSettled):
        await claim_case(bob, case)
    with pytest.raises(NotFound):
        await comment_case(bob, new_id(), "Nothing")


@pytest.mark.parametrize("side", ["ours", "theirs"])
async def test_what_a_way_to_settle_would_post_is_what_it_posts(desk: Desk, side: str) -> None:
    member = await member_of(desk)
    both: dict[str, list[Traded]] = {"ours": [], "theirs": []}
    both[side].append(THEIRS)
    key = await case_of_day(desk, both["ours"], both["theirs"], member)
    context = staff(desk)
    offered = await outcomes_of(context, await _stored(desk, key))
    wanted = offered[-1]
    assert [each.action for each in offered] == (
        ["EXPLAIN", "SUSPEND", "WRITE_OFF", "CREDIT", "REVERSE"]
        if side == "ours"
        else ["EXPLAIN", "SUSPEND", "WRITE_OFF", "CREDIT"]
    )

    to = member if wanted.action == "CREDIT" else None
    await resolve_case(context, key, CaseAction(wanted.action), "as it was told", member=to)

    posted = await desk.kernel.db.fetch(
        """
        select d.kind as debit, c.kind as credit, p.amount as minor, p.currency from settlement_posting p
        join settlement_account d on d.id = p.debit_account join settlement_account c on c.id = p.credit_account
        join settlement_ledger_transaction t on t.id = p.transaction
        where t.kind in ('reconciliation', 'reversal') order by p.id
        """
    )
    assert [Planned(*row.values()) for row in posted] == wanted.postings
    assert wanted.postings
    assert await outcomes_of(context, await _stored(desk, key)) == []


async def _stored(desk: Desk, key: UUID) -> Case:
    row = await desk.kernel.db.fetchrow("select * from settlement_case where id = $1", key)
    assert row is not None
    return case_of(row)
