"""The schedule that fetches the bills which gateways hand out by themselves, and compares the days they are of.

No gateway is called inside a transaction. What became of each bill is kept (`BillFetchTable`): taken, empty, awaited or failed.
What is awaited or failed is asked for again with the next turn, for some days; what failed is told to the staff, once for each
reason.
"""

from __future__ import annotations

import io
from datetime import date, datetime, timedelta
from hashlib import sha256
from typing import TYPE_CHECKING, Any, Final
from zoneinfo import ZoneInfo

import structlog

from kameng.auth.principal import Principal, PrincipalKind
from kameng.errors import KamengError, Refusal
from kameng.ids import new_id
from kameng_settlement.gateway_contract import BillKind, BillNotReady, Gateway, MerchantAccount
from kameng_settlement.payments.accounts import StoredAccount, account_of, open_account
from kameng_settlement.payments.statements import ENABLED_ACCOUNTS
from kameng_settlement.reconciliation.events import BillNotFetched
from kameng_settlement.reconciliation.faults import BillDiffers
from kameng_settlement.reconciliation.importing import bill_format, import_bill
from kameng_settlement.reconciliation.running import reconcile
from kameng_settlement.reconciliation.statements import (
    ADD_BILL,
    FIND_BILL,
    FIND_FETCH,
    NOTE_FETCH,
    TAKE_TURNS,
)

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

EMPTY: Final = sha256(b"").digest()
"""The digest of the bill of a day on which nothing happened."""

_SYSTEM: Final = Principal(kind=PrincipalKind.STAFF)

log = structlog.get_logger(__name__)


class BillLate(Refusal):
    """The gateway has no bill of a day that is long over."""

    code = "BILL_LATE"


async def download_bills(kernel: Kernel) -> None:
    """Fetch what is there of the last days and was not imported; safe at any time and any number of times at once."""
    for row in await kernel.db.fetch(ENABLED_ACCOUNTS):
        account = account_of(row)
        try:
            gateway, opened = await open_account(kernel, account)
        except KamengError as error:
            log.warning("an account cannot be opened", account=account.source, error=error.code)
            continue
        for kind in sorted(gateway.capabilities.bills, key=lambda each: each.value, reverse=True):
            await _download(kernel, account, gateway, opened, kind)


async def _download(
    kernel: Kernel, account: StoredAccount, gateway: Gateway, opened: MerchantAccount, kind: BillKind
) -> None:
    form = FORMATS.get((account.gateway, kind), f"{account.gateway}-{kind.value}")
    try:
        zone = ZoneInfo((await bill_format(kernel, form)).layout.zone)
    except KamengError as error:
        # Nobody has described the bills of this gateway, or nothing that reads bills is installed.
        log.warning("bills cannot be read", account=account.source, format=form, error=error.code)
        return
    today = datetime.now(zone).date()
    for back in range(1, DAYS_BACK + 1):
        bill = _Bill(kernel, account, form, today - timedelta(days=back), kind)
        if await bill.is_done():
            continue
        try:
            content = await gateway.bill(opened, bill.day, kind)
            state = await bill.take(content)
        except BillNotReady as error:
            if back == 1:
                await bill.note("WAITING", error.message)
            else:
                await bill.failed(
                    BillLate(f"It is still not there: {error.message}", cure="Ask the gateway, or upload it.")
                )
        except BillDiffers as error:
            # Somebody else fetched it at the same moment: archives that are made anew differ by the time in them.
            if bill.was_there:
                await bill.failed(error)
        except KamengError as error:
            await bill.failed(error)
        except OSError as error:
            await bill.failed(KamengError(f"The connection broke: {error}.", cure="It is tried again."))
        else:
            await bill.note(state)


class _Bill:
    """A bill that a gateway is asked for."""

    def __init__(self, kernel: Kernel, account: StoredAccount, form: str, day: date, kind: BillKind) -> None:
        self._kernel, self._form, self._kind = kernel, form, kind
        self._source = account.source
        self.day = day
        self.was_there = False

    async def is_done(self) -> bool:
        """Whether it is there, and compared if it is to be; one that somebody uploaded is nobody's to fetch."""
        self.was_there = await self._found(self._kind) is not None
        if not self.was_there:
            return False
        last = await self._kernel.db.fetchrow(FIND_FETCH, self._source, self.day, self._kind.value)
        return last is None or last["state"] != "FAILED"

    async def take(self, content: bytes | None) -> str:
        """Keep it and compare its day; the state that it is in.

        Raises:
            KamengError: it cannot be read, or not be compared.
        """
        if content is None:
            await self._keep_empty()
        else:
            name = f"{self._source.replace(':', '-')}-{self.day}-{self._kind.value}"
            await import_bill(
                self._kernel,
                io.BytesIO(content),
                source=self._source,
                form=self._form,
                principal=_SYSTEM,
                day=self.day,
                file_name=name,
            )
        # Trades are compared as soon as they are there; movements of funds once both bills are.
        if await self._found(BillKind.TRADE) is not None:
            await reconcile(self._kernel, self._source, self.day, principal=_SYSTEM)
        kept = await self._found(self._kind)
        return "TAKEN" if kept is not None and kept["rows"] else "EMPTY"

    async def note(self, state: str, message: str = "", code: str = "", cure: str = "") -> None:
        """Write down how it ended this time."""
        await self._kernel.db.execute(
            NOTE_FETCH,
            new_id(),
            self._source,
            self.day,
            self._kind.value,
            state,
            code[:60],
            message[:1000],
            cure[:1000],
        )

    async def failed(self, error: KamengError) -> None:
        """Write down what is wrong, and tell the staff."""
        log.warning(
            "a bill could not be had",
            account=self._source,
            day=str(self.day),
            kind=self._kind.value,
            error=error.code,
        )
        async with self._kernel.db.transaction():
            before = await self._kernel.db.fetchrow(FIND_FETCH, self._source, self.day, self._kind.value)
            await self.note("FAILED", error.message, error.code, error.cure or "")
            if before is None or before["code"] != error.code:
                await self._kernel.events.emit(
                    BillNotFetched(
                        account=self._source,
                        day=self.day.isoformat(),
                        kind=self._kind.value,
                        code=error.code,
                        message=error.message,
                        cure=error.cure or "",
                    )
                )

    async def _found(self, kind: BillKind) -> Any:
        return await self._kernel.db.fetchrow(FIND_BILL, self._source, self.day, kind.value)

    async def _keep_empty(self) -> None:
        """Keep that nothing happened on that day: a bill without rows, against which our records are held as ever."""
        async with self._kernel.db.transaction():
            await self._kernel.db.execute(TAKE_TURNS, self._source)
            if await self._found(self._kind) is not None:
                return
            own = new_id()
            await self._kernel.db.execute(
                ADD_BILL,
                own,
                self._source,
                self.day,
                self._kind.value,
                self._form,
                "",
                EMPTY,
                0,
                "{}",
                _SYSTEM.key,
            )
            await self._kernel.audit.record(
                "settlement.bill_imported",
                principal=_SYSTEM,
                subject=f"bill:{own}",
                details={
                    "source": self._source,
                    "day": self.day.isoformat(),
                    "kind": self._kind.value,
                    "format": self._form,
                    "rows": 0,
                },
            )
