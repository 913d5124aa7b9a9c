"""The schedule that fetches the bills which gateways hand out by themselves, and compares the days they are of.

No gateway is called inside a transaction. A gateway that has no bill yet, or does not answer, is asked again with the next
turn; a bill that cannot be read stays with the gateway and is told in the log.
"""

from __future__ import annotations

import io
import logging
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING, Final
from zoneinfo import ZoneInfo

from kameng.auth.principal import Principal, PrincipalKind
from kameng.errors import KamengError
from kameng_settlement.gateway_contract import BillKind, BillNotReady, GatewayError
from kameng_settlement.payments.accounts import StoredAccount, account_of, open_account
from kameng_settlement.payments.statements import ENABLED_ACCOUNTS
from kameng_settlement.reconciliation.importing import bill_format, import_bill
from kameng_settlement.reconciliation.running import reconcile
from kameng_settlement.reconciliation.statements import FIND_BILL

if TYPE_CHECKING:
    from kameng.kernel import Kernel

DAYS_BACK: Final = 3
"""How many days' bills are asked for, yesterday's first."""

FORMATS: Final = {
    ("wechat", BillKind.TRADE): "wechat-trade",
    ("wechat", BillKind.FUNDS): "wechat-funds",
    ("alipay", BillKind.TRADE): "alipay-trade",
    ("stripe", BillKind.TRADE): "stripe-balance",
    ("epay", BillKind.TRADE): "epay-orders",
}
"""The format of each gateway's bills; others need a description named ``<gateway>-<kind>``."""

_SYSTEM: Final = Principal(kind=PrincipalKind.STAFF)
_log = logging.getLogger(__name__)


async def download_bills(kernel: Kernel) -> None:
    """Fetch what is there of the last days and was not imported; safe at any time and any number of times at once."""
    rows = await kernel.db.fetch(ENABLED_ACCOUNTS)
    for row in rows:
        account = account_of(row)
        try:
            await _download(kernel, account)
        except (KamengError, OSError) as error:
            _log.warning("no bill of %s: %s", account.source, error)


async def _download(kernel: Kernel, account: StoredAccount) -> None:
    gateway, opened = await open_account(kernel, account)
    for kind in sorted(gateway.capabilities.bills, key=lambda each: each.value, reverse=True):
        form = FORMATS.get((account.gateway, kind), f"{account.gateway}-{kind.value}")
        zone = (await bill_format(kernel, form)).layout.zone
        today = datetime.now(ZoneInfo(zone)).date()
        for back in range(1, DAYS_BACK + 1):
            day = today - timedelta(days=back)
            if await kernel.db.fetchrow(FIND_BILL, account.source, day, kind.value) is None:
                try:
                    content = await gateway.bill(opened, day, kind)
                except BillNotReady:
                    continue
                except GatewayError as error:
                    _log.warning("no %s bill of %s for %s: %s", kind.value, account.source, day, error)
                    continue
                if content is not None:
                    await _take(kernel, account.source, form, day, kind, content)


async def _take(kernel: Kernel, source: str, form: str, day: date, kind: BillKind, content: bytes) -> None:
    name = f"{source.replace(':', '-')}-{day}-{kind.value}"
    await import_bill(
        kernel, io.BytesIO(content), source=source, form=form, principal=_SYSTEM, day=day, file_name=name
    )
    # Trades are compared as soon as they are there; movements of funds once both bills are.
    if await kernel.db.fetchrow(FIND_BILL, source, day, BillKind.TRADE.value) is not None:
        await reconcile(kernel, source, day, principal=_SYSTEM)
