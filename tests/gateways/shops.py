"""A shop that gateways tell of payments, over HTTP to its own address."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
from litestar import Litestar

from kameng.auth import Principal, PrincipalKind
from kameng.graphql import Context
from kameng.ids import new_id
from kameng.kernel import Kernel
from kameng.money import Money
from kameng_settlement.payments.accounts import (
    AccountDraft,
    StoredAccount,
    read_accounts,
    save_account,
    set_account_enabled,
)
from kameng_settlement.payments.desk import PaymentDraft
from kameng_settlement.payments.notifying import payment_notification
from kameng_settlement.payments.opening import open_payment, payment_by_number
from kameng_settlement.payments.polling import poll_payments
from kameng_settlement.payments.records import StoredAttempt, StoredPayment
from kameng_settlement.payments.starting import Choice, start
from tests.settlement.conftest import Books

from .cases import Case, Simulated

STAFF = Principal(kind=PrincipalKind.STAFF, id=new_id(), permissions=frozenset({"*"}))


@dataclass(frozen=True)
class Shop:
    """A shop that gateways tell of payments."""

    kernel: Kernel

    @property
    def books(self) -> Books:
        return Books(self.kernel)

    async def account(self, case: Case, simulated: Simulated) -> StoredAccount:
        """An account with the simulator, as an operator saves it."""
        told = await asyncio.to_thread(simulated.control, "account")
        context = Context(self.kernel, principal=STAFF, locale="en", schema="admin")
        draft = AccountDraft(
            gateway=case.gateway.name,
            code="main",
            name="Main",
            merchant=told["merchant"],
            settings=told[case.settings_key],
            currencies=(case.currency,),
            timeout_seconds=60,
        )
        key = await save_account(context, draft)
        await set_account_enabled(context, key, enabled=True)
        account = (await read_accounts(self.kernel, [key]))[key]
        url = f"{self.kernel.settings.public_url}/payments/notify/{account.gateway}/{account.id}"
        await asyncio.to_thread(simulated.control, "policy", notify_url=url)
        return account

    async def begun(self, case: Case, minor: int = 9850) -> tuple[StoredPayment, StoredAttempt]:
        """A payment that was begun at the gateway."""
        draft = PaymentDraft(
            key=f"test:{new_id()}",
            purpose="order",
            subject=new_id(),
            payer=new_id(),
            amount=Money(minor, case.currency),
            expires_at=datetime.now(UTC) + timedelta(hours=1),
            memo="点卡",
        )
        payment = await open_payment(self.kernel, draft)
        return payment, await self.start(case, payment)

    async def start(self, case: Case, payment: StoredPayment) -> StoredAttempt:
        """Begin to pay at the gateway."""
        choice = Choice(
            gateway=case.gateway.name,
            flow=case.flow,
            client_ip="203.0.113.7",
            return_url="https://shop.example/back",
        )
        return await start(self.kernel, payment, choice)

    async def now(self, payment: StoredPayment) -> StoredPayment:
        found = await payment_by_number(self.kernel, payment.number)
        assert found is not None
        return found

    async def wallet(self, payment: StoredPayment) -> int:
        return (await self.books.balances([payment.payer], payment.currency))[0]

    async def outcomes(self) -> list[str]:
        rows = await self.kernel.db.fetch("select outcome from settlement_payment_observation order by id")
        return [row["outcome"] for row in rows]

    async def poll(self) -> None:
        """Let all that is asked about be due, and ask."""
        await self.kernel.db.execute(
            "update settlement_payment_attempt set next_at = now() where ended_at is null"
        )
        await poll_payments(self.kernel)


@asynccontextmanager
async def served(kernel: Kernel, port: int) -> AsyncIterator[Shop]:
    """The shop, with its address of notifications served at a port of this machine."""
    app = Litestar([payment_notification], openapi_config=None)
    app.state.kernel = kernel
    transport = httpx.ASGITransport(app)  # type: ignore[arg-type]  # Litestar's own type of it

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
        headers = dict(line.split(": ", 1) for line in head[1:] if ": " in line)
        length = next((int(value) for key, value in headers.items() if key.lower() == "content-length"), 0)
        body = await reader.readexactly(length)
        method, target, _ = head[0].split()
        kernel.db.use()
        async with httpx.AsyncClient(transport=transport, base_url="http://shop") as client:
            answer = await client.request(method, target, content=body, headers=headers)
        content = answer.content
        writer.write(f"HTTP/1.1 {answer.status_code} -\r\nconnection: close\r\n".encode())
        writer.write(f"content-length: {len(content)}\r\n\r\n".encode() + content)
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", port)
    yield Shop(kernel)
    server.close()
    await server.wait_closed()


async def control(simulated: Simulated, what: str, **values: Any) -> Any:
    """Ask the simulator, while the shop goes on answering."""
    return await asyncio.to_thread(simulated.control, what, **values)
