"""What reconciliation brings to the module's declaration."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import timedelta
from uuid import UUID

from kameng.graphql import Context
from kameng.module import Task
from kameng_settlement.reconciliation.commands import reconcile
from kameng_settlement.reconciliation.downloading import download_bills
from kameng_settlement.reconciliation.graphql.types import bill_nodes, case_nodes, reconciliation_nodes
from kameng_settlement.reconciliation.jobs import JOBS
from kameng_settlement.reconciliation.permissions import PERMISSIONS

TASKS = (Task(name="download_bills", call=download_bills, every=timedelta(minutes=30)),)
ADMIN_NODES: Mapping[str, Callable[[Context, Sequence[UUID]], Awaitable[Sequence[object | None]]]] = {
    "Bill": bill_nodes,
    "Reconciliation": reconciliation_nodes,
    "ReconciliationCase": case_nodes,
}
COMMANDS = (reconcile,)

__all__ = ["ADMIN_NODES", "COMMANDS", "JOBS", "PERMISSIONS", "TASKS"]
