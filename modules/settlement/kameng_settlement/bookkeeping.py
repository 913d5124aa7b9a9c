"""What settlement's declaration holds of the books: posting for others, holds, days, checks, accounts and exports."""

from collections.abc import Awaitable, Callable, Sequence
from datetime import timedelta
from typing import TypeAlias
from uuid import UUID

from kameng.graphql import Context
from kameng.module import Handler, Permission, Provide, Task
from kameng_settlement.account_graphql import AccountFigures, WalletStatements, account_nodes
from kameng_settlement.booking import LedgerBooks
from kameng_settlement.chart import Chart
from kameng_settlement.contract import Books, Holds
from kameng_settlement.days.checking import LEDGER_NOT_WHOLE, check_ledger, tell_ledger_not_whole
from kameng_settlement.days.graphql import check_nodes, day_nodes
from kameng_settlement.days.sealing import seal_days
from kameng_settlement.events import HoldExpired, LedgerNotWhole
from kameng_settlement.exporting.job import EXPORT_JOB, EXPORT_LEDGER
from kameng_settlement.figures import SettledFigures
from kameng_settlement.figures_contract import LedgerFigures
from kameng_settlement.holds.graphql import VOID_HOLD, hold_nodes
from kameng_settlement.holds.resolving import expire_holds
from kameng_settlement.holds.service import LedgerHolds
from kameng_settlement.ledger import Ledger

PROVIDES = (
    Provide(Chart, lambda kernel: Chart.of(kernel.modules)),
    Provide(
        Books,
        lambda kernel: LedgerBooks(kernel.db, kernel.services.get(Ledger), kernel.services.get(Chart)),
    ),
    Provide(LedgerFigures, lambda kernel: SettledFigures(kernel.db)),
    Provide(Holds, lambda kernel: LedgerHolds(kernel.db, kernel.services.get(Ledger))),
)

SHOP_EXTEND = {"Wallet": WalletStatements}

ADMIN_EXTEND = {"Wallet": WalletStatements, "LedgerAccount": AccountFigures}

NodeLoader: TypeAlias = Callable[[Context, Sequence[UUID]], Awaitable[Sequence[object | None]]]

ADMIN_NODES: dict[str, NodeLoader] = {
    "LedgerAccount": account_nodes,
    "LedgerHold": hold_nodes,
    "LedgerCheck": check_nodes,
    "LedgerDay": day_nodes,
}

EVENTS = (HoldExpired, LedgerNotWhole)

HANDLERS = (Handler(name="tell_ledger_not_whole", event=LedgerNotWhole, call=tell_ledger_not_whole),)

TASKS = (
    Task(name="expire_holds", call=expire_holds, every=timedelta(minutes=1)),
    Task(name="seal_days", call=seal_days, every=timedelta(minutes=10)),
    Task(name="check_ledger", call=check_ledger, every=timedelta(days=1)),
)

NOTIFICATIONS = (LEDGER_NOT_WHOLE,)

PERMISSIONS = (
    EXPORT_LEDGER,
    Permission(VOID_HOLD, "Let held money go", "解除冻结资金"),
)

JOBS = (EXPORT_JOB,)
