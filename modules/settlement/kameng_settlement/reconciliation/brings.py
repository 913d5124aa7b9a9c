"""What reconciliation brings to the module's declaration."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import timedelta
from uuid import UUID

from kameng.graphql import Context
from kameng.module import Handler, Task
from kameng_settlement.reconciliation.commands import reconcile
from kameng_settlement.reconciliation.downloading import download_bills
from kameng_settlement.reconciliation.events import BillNotFetched, CasesFound
from kameng_settlement.reconciliation.graphql.fetches import fetch_nodes
from kameng_settlement.reconciliation.graphql.types import bill_nodes, case_nodes, reconciliation_nodes
from kameng_settlement.reconciliation.jobs import JOBS
from kameng_settlement.reconciliation.permissions import PERMISSIONS
from kameng_settlement.reconciliation.telling import (
    BILL_NOT_FETCHED,
    CASES_FOUND,
    tell_bill_not_fetched,
    tell_cases_found,
)

TASKS = (Task(name="download_bills", call=download_bills, every=timedelta(minutes=30)),)
ADMIN_NODES: Mapping[str, Callable[[Context, Sequence[UUID]], Awaitable[Sequence[object | None]]]] = {
    "Bill": bill_nodes,
    "BillFetch": fetch_nodes,
    "Reconciliation": reconciliation_nodes,
    "ReconciliationCase": case_nodes,
}
COMMANDS = (reconcile,)
EVENTS = (CasesFound, BillNotFetched)
HANDLERS = (
    Handler(name="tell_cases_found", event=CasesFound, call=tell_cases_found),
    Handler(name="tell_bill_not_fetched", event=BillNotFetched, call=tell_bill_not_fetched),
)
NOTIFICATIONS = (CASES_FOUND, BILL_NOT_FETCHED)

__all__ = ["ADMIN_NODES", "COMMANDS", "EVENTS", "HANDLERS", "JOBS", "NOTIFICATIONS", "PERMISSIONS", "TASKS"]
