"""A day is compared: what agrees is marked, each difference is a case, what is late waits, and nothing happens twice."""

from __future__ import annotations

import asyncio
import threading
from datetime import date, timedelta

import asyncpg
import pytest

from kameng.errors import InvalidInput, UnavailableError
from kameng_settlement.reconciliation.faults import BillDiffers, BillMissing, UnreadableBill
from kameng_settlement.reconciliation.running import reconcile
from tests.settlement.reconciliation.bills import DAY, MIDNIGHT, Traded, wechat_bill, wechat_funds
from tests.settlement.reconciliation.ours import CLERK, SOURCE, Desk

NEXT = DAY + timedelta(days=1)
A, B, C = (Traded(number=f"P{number}", amount=1000 + number) for number in range(3))
BACK = Traded(number="R1", kind="refund", parent="P0", amount=400, fee=0)
LATE = Traded(number="LATE", at=MIDNIGHT - timedelta(seconds=20))


def turned(row: Traded, **values: object) -> Traded:
    return Traded(**{name: getattr(row, name) for name in row.__struct_fields__} | values)


async def test_two_sides_that_agree_are_marked_and_make_no_case(desk: Desk) -> None:
    await desk.record([A, B, C, BACK])
    await desk.bring_rows([A, B, C, BACK])
    run = await desk.run()
    assert (run.their_rows, run.our_rows, run.matched, run.carried, run.opened) == (4, 4, 4, 0, {})
    assert await desk.cases() == []
    marks = await desk.kernel.db.fetch("select ours from settlement_bill_match")
    assert len({mark["ours"] for mark in marks}) == 4


async def test_each_difference_is_a_case_of_its_class(desk: Desk) -> None:
    # Given a day on which everything goes wrong once
    await desk.record(
        [
            A,
            Traded(number="AMOUNT", amount=500),
            Traded(number="FEE", fee=6),
            Traded(number="STATUS", status="pending"),
            Traded(number="THEIRS"),
            Traded(number="TWICE"),
        ]
    )
    await desk.bring_rows(
        [
            A,
            Traded(number="AMOUNT", amount=501),
            Traded(number="FEE", fee=7),
            Traded(number="STATUS"),
            Traded(number="OURS", amount=2000, fee=12),
            Traded(number="TWICE"),
            Traded(number="TWICE", reference="42AGAIN", at=MIDNIGHT - timedelta(hours=1)),
            Traded(number="BACK", kind="refund", parent="P0", amount=300, fee=-2),
        ]
    )
    # When it is compared, then each is found, as what it is
    run = await desk.run()
    assert run.matched == 2
    assert await desk.cases() == [
        ("amount", "payment", "AMOUNT", 1, 0, "OPEN"),
        ("duplicate", "payment", "TWICE", 1000, -6, "OPEN"),
        ("fee", "payment", "FEE", 0, -1, "OPEN"),
        ("missing_ours", "refund", "BACK", -300, 2, "OPEN"),
        ("missing_ours", "payment", "OURS", 2000, -12, "OPEN"),
        ("missing_theirs", "payment", "THEIRS", -1000, 6, "DOUBTFUL"),
        ("status", "payment", "STATUS", 1000, -6, "OPEN"),
    ]
    assert run.opened == {
        "amount": 1, "duplicate": 1, "fee": 1, "missing_ours": 2, "missing_theirs": 1, "status": 1,
    }  # fmt: skip
    # and says what both sides said
    case = await desk.kernel.db.fetchrow("select * from settlement_case where number = 'AMOUNT'")
    assert case is not None
    assert '"amount": 501' in case["theirs_said"]
    assert '"amount": 500' in case["ours_said"]


async def test_a_second_run_changes_nothing(desk: Desk) -> None:
    await desk.record([A, Traded(number="AMOUNT", amount=500), LATE])
    await desk.bring_rows([A, B, Traded(number="AMOUNT", amount=501), turned(LATE, number="LATER")])
    first = await desk.run()
    before = await desk.everything()
    again = await desk.run()
    assert (again.matched, again.carried, again.opened, again.cleared) == (
        first.matched,
        first.carried,
        {},
        0,
    )
    assert await desk.everything() == before


async def test_two_runs_at_once_are_one(desk: Desk) -> None:
    await desk.record([A, C])
    await desk.bring_rows([A, B])
    runs = await asyncio.gather(*(desk.run() for _ in range(4)))
    assert {run.id for run in runs} == {runs[0].id}
    assert sorted(sum(run.opened.values()) for run in runs) == [0, 0, 0, 2]
    assert len(await desk.cases()) == 2


async def test_a_late_row_waits_for_the_next_days_bill_and_closes_there(desk: Desk) -> None:
    # Given a payment of the last minute that the gateway lists the next day
    await desk.record([A, LATE])
    await desk.bring_rows([A])
    first = await desk.run()
    assert (first.matched, first.carried, first.opened) == (1, 1, {})
    # When the next day's bill has it
    await desk.bring_rows([turned(LATE, at=MIDNIGHT + timedelta(seconds=2))], NEXT)
    second = await desk.run(NEXT)
    # Then both agree, and nobody had to look
    assert (second.matched, second.opened) == (1, {})
    assert await desk.cases() == []
    carries = await desk.kernel.db.fetch("select state from settlement_carry_over")
    assert [row["state"] for row in carries] == ["MATCHED"]


async def test_a_late_row_of_the_gateway_waits_for_ours(desk: Desk) -> None:
    await desk.bring_rows([LATE])
    assert (await desk.run()).carried == 1
    await desk.record([turned(LATE, at=MIDNIGHT + timedelta(hours=1))])
    await desk.bring_rows([], NEXT)
    assert ((await desk.run(NEXT)).matched, await desk.cases()) == (1, [])


async def test_ours_of_just_behind_midnight_needs_no_carrying(desk: Desk) -> None:
    await desk.record([turned(LATE, at=MIDNIGHT + timedelta(seconds=30))])
    await desk.bring_rows([LATE])
    run = await desk.run()
    assert (run.matched, run.carried) == (1, 0)


async def test_what_the_next_bill_does_not_explain_becomes_a_case(desk: Desk) -> None:
    await desk.record([LATE])
    await desk.bring_rows([turned(LATE, number="OTHER")])
    assert (await desk.run()).carried == 2
    await desk.bring_rows([], NEXT)
    run = await desk.run(NEXT)
    assert run.opened == {"missing_ours": 1, "missing_theirs": 1}
    carries = await desk.kernel.db.fetch("select state from settlement_carry_over")
    assert [row["state"] for row in carries] == ["CASE", "CASE"]


async def test_a_payment_that_no_bill_shows_is_in_doubt_for_two_days(desk: Desk) -> None:
    await desk.record([A])
    await desk.bring_rows([])
    await desk.run()
    states = [(await desk.cases())[0][5]]
    for days in (1, 2):
        day = DAY + timedelta(days=days)
        await desk.bring_rows([], day)
        await desk.run(day)
        states.append((await desk.cases())[0][5])
    assert states == ["DOUBTFUL", "DOUBTFUL", "OPEN"]
    notes = await desk.kernel.db.fetch("select what from settlement_case_note order by id")
    assert [note["what"] for note in notes] == ["opened", "doubt_ended"]


async def test_a_case_whose_other_side_comes_later_is_cleared(desk: Desk) -> None:
    await desk.record([A])
    await desk.bring_rows([])
    await desk.run()
    await desk.bring_rows([turned(A, at=MIDNIGHT + timedelta(hours=3))], NEXT)
    run = await desk.run(NEXT)
    assert (run.matched, run.cleared) == (1, 1)
    assert [case[5] for case in await desk.cases()] == ["CLEARED"]


async def test_a_status_that_was_mended_clears_its_case(desk: Desk) -> None:
    # Given a payment that nobody told us of
    await desk.record([turned(A, status="pending")])
    await desk.bring_rows([A])
    await desk.run()
    assert [case[0] for case in await desk.cases()] == ["status"]
    # When it is found by asking, and the day is compared again
    await desk.kernel.db.execute("update settlement_payment_attempt set number = 'X'")
    await desk.record([A])
    run = await desk.run()
    assert (run.matched, run.cleared) == (1, 1)


async def test_money_that_moved_otherwise_than_was_traded_is_a_case(desk: Desk) -> None:
    await desk.record([A, B])
    await desk.bring_rows([A, B])
    await desk.bring(
        wechat_funds([("交易", 1000), ("交易", 1001), ("扣除交易手续费", -12), ("提现", -900)]),
        form="wechat-funds",
    )
    assert (await desk.run()).opened == {}
    await desk.bring_rows([Traded(number="Z", at=MIDNIGHT + timedelta(hours=3))], NEXT)
    await desk.bring(wechat_funds([("交易", 1000)], MIDNIGHT + timedelta(hours=3)), NEXT, form="wechat-funds")
    await desk.record([Traded(number="Z", at=MIDNIGHT + timedelta(hours=3))])
    assert (await desk.run(NEXT)).opened == {"funds": 1}
    assert await desk.cases() == [("funds", "other", "2026-11-21", 6, 0, "OPEN")]


async def test_without_a_bill_nothing_is_compared(desk: Desk) -> None:
    with pytest.raises(BillMissing):
        await desk.run()
    assert await desk.kernel.db.fetchval("select count(*) from settlement_reconciliation") == 0


async def test_the_same_file_twice_is_harmless(desk: Desk) -> None:
    first = await desk.bring_rows([A, B])
    before = await desk.everything()
    again = await desk.bring_rows([A, B])
    assert (first.fresh, again.fresh, again.id) == (True, False, first.id)
    assert await desk.everything() == before


async def test_the_same_file_at_the_same_moment_is_taken_once(desk: Desk) -> None:
    content = wechat_bill([A, B])
    taken = await asyncio.gather(*(desk.bring(content) for _ in range(6)))
    assert sorted(each.fresh for each in taken) == [False] * 5 + [True]
    assert await desk.kernel.db.fetchval("select count(*) from settlement_bill_row") == 2


async def test_another_file_for_the_same_day_is_refused(desk: Desk) -> None:
    await desk.bring_rows([A, B])
    before = await desk.everything()
    with pytest.raises(BillDiffers):
        await desk.bring_rows([A, C])
    assert await desk.everything() == before


async def test_of_a_faulty_file_nothing_stays(desk: Desk) -> None:
    content = wechat_bill([A, B]).replace(b"`42P1,`P1,", b"`42P1,`,")
    with pytest.raises(UnreadableBill):
        await desk.bring(content)
    assert await desk.kernel.db.fetchval("select count(*) from settlement_bill_row") == 0
    # and the mended one comes in
    assert (await desk.bring_rows([A, B])).fresh


async def test_a_file_and_its_account_must_be_named(desk: Desk) -> None:
    with pytest.raises(InvalidInput):
        await desk.bring(wechat_bill([A]), form="nothing")
    with pytest.raises(InvalidInput):
        await desk.bring(wechat_bill([]), day=None)


@pytest.mark.parametrize(
    "table", ["settlement_bill", "settlement_bill_row", "settlement_bill_match", "settlement_case_note"]
)
async def test_evidence_is_never_changed(desk: Desk, table: str) -> None:
    await desk.record([A, B])
    await desk.bring_rows([A, C])
    await desk.run()
    for change in (
        f"delete from {table}",
        f"update {table} set id = id" if table != "settlement_bill_match" else f"truncate {table}",
    ):
        with pytest.raises(Exception, match="never changed"):
            await desk.kernel.db.execute(change)


@pytest.mark.parametrize("at", ["reading", "comparing", "writing"])
async def test_a_run_that_is_killed_leaves_nothing_and_is_done_again(desk: Desk, at: str) -> None:
    await desk.record([A, C])
    await desk.bring_rows([A, B])
    before = await desk.everything()

    # Given a run whose connection is cut in its middle
    def kill(step: str) -> None:
        if step == at:
            thread = threading.Thread(target=asyncio.run, args=(_cut_transactions(desk.kernel.db.dsn),))
            thread.start()
            thread.join()

    with pytest.raises((asyncpg.PostgresError, asyncpg.InterfaceError, UnavailableError, OSError)):
        await reconcile(desk.kernel, SOURCE, DAY, principal=CLERK, step=kill)
    # Then nothing of it is there, and the next one does all
    assert await desk.everything() == before
    assert (await desk.run()).opened == {"missing_ours": 1, "missing_theirs": 1}


async def _cut_transactions(dsn: str) -> None:
    killer = await asyncpg.connect(dsn)
    try:
        await killer.execute(
            "select pg_terminate_backend(pid, 60000) from pg_stat_activity"
            " where pid <> pg_backend_pid() and datname = current_database() and state = 'idle in transaction'"
        )
    finally:
        await killer.close()


async def test_days_are_days_of_the_account(desk: Desk) -> None:
    # Given payments at both ends of a Chinese day
    first = Traded(number="FIRST", at=MIDNIGHT - timedelta(days=1))
    last = Traded(number="LAST", at=MIDNIGHT - timedelta(seconds=1))
    await desk.record([first, last, Traded(number="NOT", at=MIDNIGHT - timedelta(days=1, minutes=30))])
    await desk.bring_rows([first, last], date(2026, 11, 20))
    run = await desk.run()
    assert (run.matched, run.opened) == (2, {})
