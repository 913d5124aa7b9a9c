"""A kernel with an audit log, and a hand that reaches past it."""

from collections.abc import AsyncIterator, Awaitable, Callable
from uuid import UUID

import asyncpg
import pytest

from kameng.auth.principal import Principal, PrincipalKind
from kameng.kernel import Kernel

STAFF = Principal(kind=PrincipalKind.STAFF, id=UUID(int=0xA), permissions=frozenset({"*"}))
MEMBER = Principal(kind=PrincipalKind.MEMBER, id=UUID(int=0xB))


@pytest.fixture
def staff() -> Principal:
    """One of the staff."""
    return STAFF


@pytest.fixture
def member() -> Principal:
    """A member."""
    return MEMBER


@pytest.fixture
async def kernel(make_kernel) -> Kernel:
    """A running kernel without modules."""
    return await make_kernel(())


@pytest.fixture
async def intruder(kernel) -> AsyncIterator[Callable[..., Awaitable[None]]]:
    """Runs SQL as the tables' owner, who may put the triggers to sleep for it."""
    connection = await asyncpg.connect(kernel.settings.engine.database_url)
    tables = ("kernel_audit", "kernel_audit_chain", "kernel_audit_head")

    async def run(sql: str, *arguments: object) -> None:
        async with connection.transaction():
            for table in tables:
                await connection.execute(f"alter table {table} disable trigger user")
            await connection.execute(sql, *arguments)
            for table in tables:
                await connection.execute(f"alter table {table} enable trigger user")

    yield run
    await connection.close()


@pytest.fixture
def write(kernel) -> Callable[..., Awaitable[list[UUID]]]:
    """Writes that many entries; returns their ids in order."""

    async def many(count: int, action: str = "settlement.credit_wallet") -> list[UUID]:
        return [
            await kernel.audit.record(
                action, principal=STAFF, subject=f"wallet:{number}", details={"amount": number}
            )
            for number in range(1, count + 1)
        ]

    return many
