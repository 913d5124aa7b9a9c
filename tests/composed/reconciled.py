"""Reconciled days in a filled shop: for each a bill, a run, and a case that was settled."""

from __future__ import annotations

import io
from datetime import timedelta

from kameng.auth import Principal
from kameng.graphql import Context
from kameng.ids import new_id
from kameng.kernel import Kernel
from kameng_settlement.reconciliation.cases import CaseAction, claim_case, resolve_case
from kameng_settlement.reconciliation.importing import import_bill
from kameng_settlement.reconciliation.running import reconcile
from kameng_settlement.reconciliation.statements import NOTE_FETCH
from tests.settlement.reconciliation.bills import DAY, NOON, Traded, wechat_bill

SOURCE = "wechat:filled"

DOCUMENTS = {
    "admin bill fetches": "billFetches(first: $first) { nodes { source day kind state message tries } }",
    "admin bills": "bills(first: $first) { nodes { source day kind format rows } }",
    "admin reconciliations": "reconciliations(first: $first) { nodes { source day matched carried } }",
    "admin reconciliation cases": (
        "reconciliationCases(first: $first) { nodes { number difference effect { amount } theirs { number } ours { number } "
        "history { what author } transaction { kind postings { amount { amount } } } } }"
    ),
}
"""What is asked of each list, by the name of the document."""


async def fill_reconciliations(kernel: Kernel, staff: Principal, count: int) -> None:
    """So many days of an account."""
    context = Context(kernel, principal=staff, locale="en", schema="admin")
    for back in range(count):
        day, at = DAY - timedelta(days=back), NOON - timedelta(days=back)
        content = io.BytesIO(wechat_bill([Traded(number=f"FILLED{back}", at=at)]))
        await import_bill(
            kernel,
            content,
            source=SOURCE,
            form="wechat-trade",
            principal=staff,
            day=day,
            file_name="bill.csv",
        )
        await reconcile(kernel, SOURCE, day, principal=staff)
        await kernel.db.execute(
            NOTE_FETCH,
            new_id(),
            SOURCE,
            day,
            "trade",
            "FAILED",
            "GATEWAY_UNANSWERED",
            "There was no answer.",
            "",
        )
    for row in await kernel.db.fetch("select id from settlement_case where source = $1", SOURCE):
        await claim_case(context, row["id"])
        await resolve_case(context, row["id"], CaseAction.SUSPEND, "Nobody knows whose it is")
