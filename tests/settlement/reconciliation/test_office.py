"""The back office: bills come in by jobs, cases are listed and settled in the admin schema, each by whoever may."""

from __future__ import annotations

import csv
import io
from datetime import timedelta
from typing import Any
from uuid import UUID

import openpyxl
import pytest

from kameng.auth import VISITOR, Principal
from kameng.auth.principal import PrincipalKind
from kameng.db.database import counted_statements
from kameng.graphql import Context
from kameng.ids import global_id, new_id
from kameng.jobs import Job, JobState
from kameng.tasks import drain
from tests.settlement.reconciliation.bills import DAY, Traded, wechat_bill
from tests.settlement.reconciliation.ours import SOURCE, Desk

READ, RUN, RESOLVE = (
    "settlement.read_reconciliation",
    "settlement.reconcile",
    "settlement.resolve_cases",
)

CASES = """
query Cases($filter: ReconciliationCaseFilter, $after: String) {
  reconciliationCases(filter: $filter, first: 2, after: $after) {
    nodes {
      id source day difference kind number effect { amount currency } feeEffect { amount } state owner action
      theirs { number reference amount { amount } fee { amount } line } ours { amount { amount } status }
      history { what author text } transaction { kind }
    }
    pageInfo { hasNextPage endCursor }
  }
}
"""

RESOLVE_CASE = """
mutation Resolve($input: ResolveReconciliationCaseInput!) {
  resolveReconciliationCase(input: $input) {
    case { state action reason transaction { kind memo } } errors { code message cure path }
  }
}
"""


def clerk(*permissions: str) -> Principal:
    return Principal(kind=PrincipalKind.STAFF, id=new_id(), permissions=frozenset(permissions))


async def ask(desk: Desk, principal: Principal, document: str, **variables: Any) -> Any:
    context = Context(desk.kernel, principal=principal, locale="en", schema="admin", idempotency_key=None)
    answer = await desk.kernel.graphql["admin"].execute(document, variables, context)
    return {"errors": answer.errors} if answer.errors else answer.data


async def job(
    desk: Desk, principal: Principal, kind: str, content: bytes | None = None, **values: Any
) -> Job:
    """A job that has ended."""
    started = await desk.kernel.jobs.start(
        f"settlement.{kind}",
        principal=principal,
        content=None if content is None else io.BytesIO(content),
        source=SOURCE,
        **values,
    )
    await drain(desk.kernel)
    found = await desk.kernel.jobs.find(started.id, principal)
    assert found is not None
    assert not found.state.open
    return found


async def test_a_bill_comes_in_by_a_job_that_compares_its_day(desk: Desk) -> None:
    # Given a payment of ours and one of the gateway's
    await desk.record([Traded(number="A"), Traded(number="B")])
    staff = clerk(RUN, READ)
    done = await job(
        desk,
        staff,
        "import_bill",
        wechat_bill([Traded(number="A"), Traded(number="C")]),
        format="wechat-trade",
        day=DAY.isoformat(),
        reconcile=True,
    )
    # Then the job tells what came of it
    assert done.state is JobState.SUCCEEDED
    assert done.result is not None
    assert done.result.counts == {
        "rows": 2, "fresh": 1, "matched": 1, "carried": 0, "cleared": 0, "missing_ours": 1, "missing_theirs": 1,
    }  # fmt: skip
    bills = await ask(desk, staff, "{ bills(first: 5) { nodes { id source day kind format rows } } }")
    [bill] = bills["bills"]["nodes"]
    assert bill["id"] == done.result.subject
    assert (bill["source"], bill["day"], bill["kind"], bill["rows"]) == (SOURCE, "2026-11-20", "TRADE", 2)
    runs = await ask(
        desk, staff, "{ reconciliations(first: 5) { nodes { day theirRows ourRows matched carried } } }"
    )
    assert runs["reconciliations"]["nodes"] == [
        {"day": "2026-11-20", "theirRows": 2, "ourRows": 2, "matched": 1, "carried": 0}
    ]


async def test_a_faulty_bill_fails_its_job_with_the_place(desk: Desk) -> None:
    content = wechat_bill([Traded(number="A")]).replace(b"`0.06000", b"`6 fen")
    done = await job(desk, clerk(RUN), "import_bill", content, format="wechat-trade", day=DAY.isoformat())
    assert done.state is JobState.FAILED
    assert done.result is not None
    [problem] = done.result.problems
    assert (problem.line, problem.subject, problem.reason) == (
        2,
        "手续费",
        "'6 fen' is no amount with at most 5 decimals.",
    )
    assert done.error is not None
    assert (done.error.code, bool(done.error.cure)) == ("BILL_UNREADABLE", True)


async def test_a_day_without_a_bill_fails_its_job(desk: Desk) -> None:
    done = await job(desk, clerk(RUN), "reconcile", day=DAY.isoformat())
    assert done.state is JobState.FAILED
    assert done.error is not None
    assert done.error.code == "BILL_MISSING"


@pytest.mark.parametrize("form", ["csv", "xlsx"])
async def test_a_days_cases_as_a_file(desk: Desk, form: str) -> None:
    await _three_cases(desk)
    done = await job(desk, clerk(READ), "export_reconciliation", day=DAY.isoformat(), format=form)
    assert done.state is JobState.SUCCEEDED
    file = await desk.kernel.jobs.files.of_role(done.id, "output")
    assert file is not None
    assert file.name == f"reconciliation-wechat-main-2026-11-20.{form}"
    with await desk.kernel.jobs.files.open(file) as opened:
        content = opened.read()
    if form == "csv":
        rows = list(csv.reader(io.StringIO(content.decode("utf-8-sig"))))
    else:
        sheet = openpyxl.load_workbook(io.BytesIO(content)).active
        rows = [
            ["" if cell is None else str(cell) for cell in row] for row in sheet.iter_rows(values_only=True)
        ]
    header, *cases = rows
    found = [dict(zip(header, row, strict=True)) for row in cases]
    assert {(row["difference"], row["number"], float(row["effect"])) for row in found} == {
        ("missing_ours", "C1", 10.0), ("missing_ours", "C2", 20.0), ("amount", "A", 0.5),
    }  # fmt: skip


async def _three_cases(desk: Desk) -> None:
    await desk.record([Traded(number="A", amount=1000)])
    await desk.bring_rows(
        [Traded(number="A", amount=1050), Traded(number="C1"), Traded(number="C2", amount=2000, fee=12)]
    )
    await desk.run()


async def test_cases_are_listed_by_page_and_by_filter(desk: Desk) -> None:
    await _three_cases(desk)
    staff = clerk(READ)
    first = (await ask(desk, staff, CASES))["reconciliationCases"]
    assert first["pageInfo"]["hasNextPage"]
    after = first["pageInfo"]["endCursor"]
    second = (await ask(desk, staff, CASES, after=after))["reconciliationCases"]
    assert {case["number"] for case in first["nodes"] + second["nodes"]} == {"A", "C1", "C2"}
    wanted = {"difference": "AMOUNT", "source": SOURCE, "day": "2026-11-20", "states": ["OPEN"]}
    [case] = (await ask(desk, staff, CASES, filter=wanted))["reconciliationCases"]["nodes"]
    assert case["effect"] == {"amount": "0.50", "currency": "CNY"}
    assert case["theirs"] == {
        "number": "A", "reference": "42A", "amount": {"amount": "10.50"}, "fee": {"amount": "0.06"}, "line": 2,
    }  # fmt: skip
    assert case["ours"] == {"amount": {"amount": "10.00"}, "status": "done"}
    assert case["history"] == [{"what": "opened", "author": "run", "text": ""}]
    for other in ({"number": "X"}, {"mine": True}, {"states": ["CLEARED"]}, {"day": "2026-11-21"}):
        assert (await ask(desk, staff, CASES, filter=other))["reconciliationCases"]["nodes"] == []


async def test_a_case_is_claimed_commented_and_resolved(desk: Desk) -> None:
    await _three_cases(desk)
    staff = clerk(READ, RESOLVE)
    [case] = (await ask(desk, staff, CASES, filter={"number": "C1"}))["reconciliationCases"]["nodes"]
    document = """
    mutation Work($id: ID!) {
      claimReconciliationCase(input: {id: $id}) { case { owner } errors { code } }
      commentReconciliationCase(input: {id: $id, text: "Asked the gateway"}) { case { id } errors { code } }
    }
    """
    data = await ask(desk, staff, document, id=case["id"])
    assert data["claimReconciliationCase"] == {"case": {"owner": staff.key}, "errors": []}
    # Another one cannot settle it meanwhile
    settle = {"id": case["id"], "action": "SUSPEND", "reason": "Nobody knows"}
    refused = await ask(desk, clerk(RESOLVE), RESOLVE_CASE, input=settle)
    assert [error["code"] for error in refused["resolveReconciliationCase"]["errors"]] == ["CASE_TAKEN"]
    for _ in range(2):
        data = await ask(desk, staff, RESOLVE_CASE, input=settle)
        assert data["resolveReconciliationCase"] == {
            "case": {
                "state": "RESOLVED",
                "action": "SUSPEND",
                "reason": "Nobody knows",
                "transaction": {"kind": "reconciliation", "memo": "wechat:main C1: Nobody knows"},
            },
            "errors": [],
        }
    again = await ask(desk, staff, RESOLVE_CASE, input=settle | {"action": "WRITE_OFF"})
    assert [error["code"] for error in again["resolveReconciliationCase"]["errors"]] == ["CASE_SETTLED"]
    [case] = (await ask(desk, staff, CASES, filter={"mine": True}))["reconciliationCases"]["nodes"]
    assert [note["what"] for note in case["history"]] == ["opened", "claimed", "commented", "resolved"]


async def test_only_who_may_sees_and_settles(desk: Desk) -> None:
    await _three_cases(desk)
    key = UUID(int=(await desk.kernel.db.fetchval("select id from settlement_case limit 1")).int)
    settle = {"id": global_id("ReconciliationCase", key), "action": "EXPLAIN", "reason": "x"}
    node = "query Node($id: ID!) { node(id: $id) { id } }"
    for principal in (VISITOR, clerk(), clerk("settlement.read_ledger")):
        assert "errors" in await ask(desk, principal, CASES)
        refused = await ask(desk, principal, RESOLVE_CASE, input=settle)
        assert refused["resolveReconciliationCase"]["errors"][0]["code"] in ("UNAUTHENTICATED", "FORBIDDEN")
        assert (await ask(desk, principal, node, id=settle["id"]))["node"] is None
    refused = await ask(desk, clerk(READ), RESOLVE_CASE, input=settle)
    assert [error["code"] for error in refused["resolveReconciliationCase"]["errors"]] == ["FORBIDDEN"]
    assert (await ask(desk, clerk(READ), node, id=settle["id"]))["node"] == {"id": settle["id"]}


async def test_a_format_that_was_described_is_read(desk: Desk) -> None:
    await desk.record([Traded(number="A")])
    describe = """
    mutation Describe($name: String!, $text: String!) {
      describeBill(input: {name: $name, description: $text}) { name errors { code path } }
    }
    """
    text = (
        '{"columns": {"amount": "sum", "at": "when", "number": "order", "fee": "fee"}, "currency": "CNY",'
        ' "zone": "Asia/Shanghai", "unit": "minor"}'
    )
    data = await ask(desk, clerk(RUN), describe, name="city-bank", text=text)
    assert data["describeBill"] == {"name": "city-bank", "errors": []}
    await desk.bring(b"order,when,sum,fee\nA,2026-11-20 12:00:00,1000,6\n", form="city-bank")
    assert (await desk.run()).matched == 1
    for name, bad in (("City Bank", text), ("wechat-trade", text), ("x", "{"), ("x", '{"currency": "CNY"}')):
        data = await ask(desk, clerk(RUN), describe, name=name, text=bad)
        assert [error["code"] for error in data["describeBill"]["errors"]] == ["INVALID_INPUT"]


async def test_lists_take_as_many_statements_as_they_are_long_or_short(desk: Desk) -> None:
    await _three_cases(desk)
    counts = []
    for first in (1, 2):
        with counted_statements() as statements:
            await ask(desk, clerk(READ), CASES.replace("first: 2", f"first: {first}"))
        counts.append(len(statements))
    assert counts[0] == counts[1]


async def test_days_are_told_apart(desk: Desk) -> None:
    await _three_cases(desk)
    done = await job(desk, clerk(READ), "export_reconciliation", day=(DAY + timedelta(days=1)).isoformat())
    assert done.result is not None
    assert done.result.counts == {"cases": 0}
