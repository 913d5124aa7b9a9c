"""A ledger, a bank that is a process of its own, and short words for what tests do with the two."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from importlib.metadata import EntryPoint
from pathlib import Path
from typing import Any
from uuid import UUID

import httpx
import pytest
import pytest_asyncio

from kameng.auth import Principal, PrincipalKind
from kameng.embedded.ports import free_port
from kameng.graphql import Context
from kameng.ids import new_id
from kameng.money import Money
from kameng_settlement.gateway_contract import Flow, NotificationAnswer
from kameng_settlement.payments import gateways
from kameng_settlement.payments.accounts import (
    AccountDraft,
    StoredAccount,
    read_accounts,
    save_account,
    set_account_enabled,
)
from kameng_settlement.payments.desk import PaymentDraft
from kameng_settlement.payments.graphql import admin
from kameng_settlement.payments.notifying import take_notification
from kameng_settlement.payments.opening import open_payment, payment_by_number
from kameng_settlement.payments.records import StoredAttempt, StoredPayment
from kameng_settlement.payments.starting import Choice, start
from tests.settlement.conftest import Books

from .bank_gateway import told

SECRET = "the bank's own secret"
STAFF = Principal(kind=PrincipalKind.STAFF, id=new_id(), permissions=frozenset({"*"}))
BANK = EntryPoint("bank", "tests.settlement.payments.bank_gateway:gateway", "kameng.gateways")


@pytest.fixture(autouse=True)
def bank_installed(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The tests' gateway as if a package had brought it."""
    known = gateways.installed_gateways()
    for module in (gateways, admin):
        monkeypatch.setattr(module, "installed_gateways", lambda: {**known, "bank": BANK})
    gateways.gateway.cache_clear()
    yield
    gateways.gateway.cache_clear()


@dataclass
class Bank:
    """The bank's process."""

    url: str

    async def call(self, path: str, /, **value: Any) -> dict[str, Any]:
        async with httpx.AsyncClient(timeout=60) as client:
            found: dict[str, Any] = (await client.post(self.url + path, json=value)).json()
        return found

    async def pay(self, number: str, **value: Any) -> dict[str, Any]:
        """The payer pays; what the bank would tell of it."""
        return {**await self.call("/paid", number=number), **value}


@pytest_asyncio.fixture(loop_scope="session")
async def bank() -> AsyncIterator[Bank]:
    """A bank that runs."""
    port = free_port()
    script = Path(__file__).with_name("bank.py")
    process = subprocess.Popen([sys.executable, str(script), str(port)], env={**os.environ})
    found = Bank(f"http://127.0.0.1:{port}")
    try:
        while process.poll() is None:
            try:
                await found.call("/seen")
                break
            except httpx.HTTPError:
                await asyncio.sleep(0.05)
        yield found
    finally:
        process.kill()
        process.wait()


@dataclass
class Till:
    """Payments of a running kernel with the bank, as tests use them."""

    books: Books
    bank: Bank
    staff: Principal = STAFF

    @property
    def kernel(self) -> Any:
        return self.books.kernel

    def context(self, principal: Principal | None = None, **values: Any) -> Context:
        schema = "admin" if principal is None else "shop"
        return Context(self.kernel, principal=principal or self.staff, locale="en", schema=schema, **values)

    async def account(self, code: str = "main", **values: Any) -> StoredAccount:
        """An account that is offered to payers."""
        given = {
            "gateway": "bank",
            "name": f"The {code} account",
            "merchant": f"M-{code}",
            "settings": {"url": self.bank.url, "secret": SECRET},
            **values,
        }
        key = await save_account(self.context(), AccountDraft(code=code, **given))
        await set_account_enabled(self.context(), key, enabled=True)
        return await self.stored(key)

    async def stored(self, key: UUID) -> StoredAccount:
        return (await read_accounts(self.kernel, [key]))[key]

    async def open(self, minor: int = 1000, payer: UUID | None = None, **values: Any) -> StoredPayment:
        """A payment that can be paid."""
        given: dict[str, Any] = {
            "key": f"test:{new_id()}",
            "purpose": "order",
            "subject": new_id(),
            "payer": payer or new_id(),
            "amount": Money(minor, "CNY"),
            "expires_at": datetime.now(UTC) + timedelta(hours=1),
            "memo": "K-1",
        }
        return await open_payment(self.kernel, PaymentDraft(**(given | values)))

    async def start(
        self, payment: StoredPayment, gateway: str = "bank", flow: Flow = Flow.QR
    ) -> StoredAttempt:
        """Begin to pay."""
        return await start(self.kernel, payment, Choice(gateway=gateway, flow=flow))

    async def begun(self, minor: int = 1000, **values: Any) -> tuple[StoredPayment, StoredAttempt]:
        """A payment that was begun at the bank."""
        payment = await self.open(minor, **values)
        return payment, await self.start(payment)

    async def tell(
        self,
        account: StoredAccount,
        value: dict[str, Any],
        *,
        secret: str = SECRET,
        at: float | None = None,
        address: str = "",
    ) -> NotificationAnswer:
        """The bank tells."""
        request = told(secret, value, at)
        return await take_notification(self.kernel, account.gateway, account.id, request, address)

    async def now(self, payment: StoredPayment) -> StoredPayment:
        """The payment as it is now."""
        found = await payment_by_number(self.kernel, payment.number)
        assert found is not None
        return found

    async def wallet(self, payment: StoredPayment) -> int:
        """What the payer's wallet holds, in minor units."""
        return (await self.books.balances([payment.payer]))[0]

    async def outcomes(self) -> list[str]:
        """What came of all that was kept of the gateway's words."""
        rows = await self.kernel.db.fetch("select outcome from settlement_payment_observation order by id")
        return [row["outcome"] for row in rows]

    async def account_sum(self, kind: str) -> int:
        """Debits less credits of one of the shop's own accounts."""
        return int(
            await self.kernel.db.fetchval(
                """select coalesce(sum(b.debits - b.credits), 0) from settlement_balance b
                   join settlement_account a on a.id = b.account where a.kind = $1""",
                kind,
            )
        )

    async def events(self, topic: str) -> int:
        """How many events of a topic were published."""
        return int(
            await self.kernel.db.fetchval("select count(*) from kernel_outbox where topic = $1", topic)
        )


@pytest_asyncio.fixture(loop_scope="session")
async def till(books: Books, bank: Bank) -> Till:
    """Payments with the bank."""
    return Till(books, bank)
