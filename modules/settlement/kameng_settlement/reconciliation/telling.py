"""Telling the staff what reconciliation found, and which bills could not be had."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kameng.module import NotificationKind
from kameng.notify import Notifications
from kameng_settlement.reconciliation.permissions import READ_RECONCILIATION

if TYPE_CHECKING:
    from kameng.kernel import Kernel
    from kameng_settlement.reconciliation.events import BillNotFetched, CasesFound

CASES_FOUND = NotificationKind(
    name="reconciliation_cases",
    title_en="Differences between a bill and our records",
    title_zh="对账发现差异",
    templates="kameng_settlement:notifications",
    staff=READ_RECONCILIATION.name,
)

BILL_NOT_FETCHED = NotificationKind(
    name="bill_not_fetched",
    title_en="A bill could not be fetched",
    title_zh="账单下载失败",
    templates="kameng_settlement:notifications",
    staff=READ_RECONCILIATION.name,
)


async def tell_cases_found(kernel: Kernel, event: CasesFound) -> None:
    """Tell whoever may see cases, once for each run that found new ones."""
    notifications = kernel.services.find(Notifications)
    if notifications is None:
        return
    at = await kernel.db.fetchval("select now()")
    await notifications.tell_staff(
        "settlement.reconciliation_cases",
        # The time of this transaction is this occasion's: the event is handled once in its effects.
        f"{event.reconciliation}:{at.isoformat()}",
        {
            "account": event.account,
            "day": event.day,
            "found": sum(event.opened.values()),
            "kinds": ", ".join(f"{kind}: {count}" for kind, count in sorted(event.opened.items())),
            "url": f"{kernel.settings.public_url}/admin",
        },
    )


async def tell_bill_not_fetched(kernel: Kernel, event: BillNotFetched) -> None:
    """Tell whoever may see bills, once for each thing that is wrong with a bill."""
    notifications = kernel.services.find(Notifications)
    if notifications is None:
        return
    await notifications.tell_staff(
        "settlement.bill_not_fetched",
        f"{event.account}:{event.day}:{event.kind}:{event.code}",
        {
            "account": event.account,
            "day": event.day,
            "kind": event.kind,
            "message": event.message,
            "cure": event.cure,
            "url": f"{kernel.settings.public_url}/admin",
        },
    )
