"""A running kernel with a ledger, and short words for what tests do with it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import pytest
import pytest_asyncio

from kameng.auth import Principal, PrincipalKind
from kameng.errors import Refusal
from kameng.graphql import Context
from kameng.ids import new_id
from kameng.kernel import Kernel
from kameng.module import Module
from kameng.money import Money
from kameng.testing.kernels import Kernels
from kameng_membership import module as membership
from kameng_settlement import module as settlement
from kameng_settlement.chart import OPERATOR_FUNDS, SALES, house, wallet_of
from kameng_settlement.contract import Charge, Charged, Charging, Wallets
from kameng_settlement.ledger import Entry, Ledger, Posted, Transfer
from kameng_settlement.verifying import LedgerReport, verify_ledger

CATALOG = Module(name="catalog", version="0.1.0")
"""All that membership needs of the catalogue at run time is that it is there."""

CNY = "CNY"


@dataclass(frozen=True)
class Books:
    """The ledger of a running kernel, as tests use it."""

    kernel: Kernel

    @property
    def ledger(self) -> Ledger:
        return self.kernel.services.get(Ledger)

    async def member(self) -> UUID:
        """A member that exists."""
        key = new_id()
        await self.kernel.db.execute(
            """
            insert into membership_member (id, email, password_hash, level)
            select $1, $2, 'none', id from membership_level where code = 'retail'
            """,
            key,
            f"{key}@example.com",
        )
        return key

    async def credit(self, member: UUID, minor: int, currency: str = CNY, key: str | None = None) -> Posted:
        """Money from the operator's funds into a wallet."""
        wallet, funds = wallet_of(member, currency), house(OPERATOR_FUNDS, currency)
        async with self.kernel.db.transaction():
            accounts = await self.ledger.accounts.open((wallet, funds))
            transfer = Transfer(accounts[funds], accounts[wallet], minor, currency)
            return await self.ledger.post(
                Entry(key=key or f"credit:{new_id()}", kind="manual_credit", transfers=(transfer,))
            )

    async def rich(self, minor: int, currency: str = CNY) -> UUID:
        """Somebody whose wallet holds this much; no member of the shop, which the ledger does not ask about."""
        member = new_id()
        await self.credit(member, minor, currency)
        return member

    async def charge(self, *charges: Charge) -> list[Charged | Refusal]:
        """A batch in a transaction of its own."""
        async with self.kernel.db.transaction():
            return await self.kernel.services.get(Charging).charge(charges)

    async def balances(self, members: Sequence[UUID], currency: str = CNY) -> list[int]:
        """What the wallets hold, in minor units."""
        wallets = await self.kernel.services.get(Wallets).wallets(members, currency)
        return [wallet.balance.minor for wallet in wallets]

    async def sales(self, currency: str = CNY) -> int:
        """What the shop has earned, in minor units."""
        account = (await self.ledger.accounts.open([house(SALES, currency)]))[house(SALES, currency)]
        return int(
            await self.kernel.db.fetchval(
                "select coalesce(sum(credits - debits), 0) from settlement_balance where account = $1",
                account,
            )
        )

    async def size(self) -> tuple[int, int]:
        """How many transactions and postings there are."""
        row = await self.kernel.db.fetchrow(
            "select (select count(*) from settlement_ledger_transaction), (select count(*) from settlement_posting)"
        )
        assert row is not None
        return row[0], row[1]

    async def verified(self) -> LedgerReport:
        """The report of a verification."""
        return await verify_ledger(self.kernel.db)


def order(member: UUID, minor: int, currency: str = CNY, key: str | None = None) -> Charge:
    """A charge as an order makes it."""
    return Charge(key=key or f"order:{new_id()}", member=member, amount=Money(minor, currency), memo="K-1")


Ask = Callable[..., Awaitable[dict[str, Any]]]


@pytest_asyncio.fixture(loop_scope="session")
async def books(make_kernel: Kernels) -> Books:
    """A ledger without an entry."""
    return Books(await make_kernel([CATALOG, membership, settlement]))


@pytest.fixture
def ask(books: Books) -> Ask:
    """Asks a schema as some principal; answers the data, or the whole answer where there are errors."""

    async def call(
        schema: str,
        document: str,
        variables: dict[str, Any] | None = None,
        *,
        principal: Principal,
        key: str | None = None,
    ) -> dict[str, Any]:
        context = Context(books.kernel, principal=principal, locale="en", schema=schema, idempotency_key=key)
        answer = await books.kernel.graphql[schema].execute(document, variables, context)
        if answer.errors:
            return {"errors": answer.errors, "data": answer.data}
        assert isinstance(answer.data, dict)
        return answer.data

    return call


def clerk(*permissions: str) -> Principal:
    """Somebody of the staff with these permissions."""
    return Principal(kind=PrincipalKind.STAFF, id=new_id(), permissions=frozenset(permissions))


def buyer(member: UUID) -> Principal:
    """A member who is logged in."""
    return Principal(kind=PrincipalKind.MEMBER, id=member)
