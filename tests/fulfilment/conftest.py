"""A small shop of all modules: one product in stock, members with money, and short words for what tests do."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import pytest_asyncio

from kameng.auth import Principal, PrincipalKind
from kameng.graphql import Context
from kameng.ids import global_id, new_id
from kameng.kernel import Kernel
from kameng.testing.kernels import Kernels

PLACE = """
mutation Place($input: PlaceOrderInput!, $key: String!) {
  placeOrder(input: $input) @idempotent(key: $key) {
    order { id number state total { amount currency } lines { sku quantity title cards { number secret } } }
    errors { code path message cure }
  }
}
"""

CREDIT = """
mutation Credit($input: CreditWalletInput!, $key: String!) {
  creditWallet(input: $input) @idempotent(key: $key) { errors { code message } }
}
"""

PRODUCTS = (
    "sku,product,title_zh,title_en,variant_zh,variant_en,category,category_zh,category_en,kind,face_value,face_currency,"
    "price,cost,currency,description_zh,description_en,tags,status\n"
)


@dataclass(frozen=True)
class Shop:
    """A running shop."""

    kernel: Kernel

    async def ask(
        self, schema: str, source: str, variables: dict[str, Any] | None, principal: Principal, **values: Any
    ) -> Any:
        context = Context(self.kernel, principal=principal, schema=schema, locale="en", **values)
        return await self.kernel.graphql[schema].execute(source, variables, context)

    async def stock(self, sku: str, price: str, cards: Sequence[str], cost: str = "1") -> UUID:
        """A product of one variant with these cards."""
        row = (
            f"{sku},{sku.lower()},卡{sku},Card {sku},一,One,games,游戏,Games,card,10.00,CNY,"
            f"{price},{cost},CNY,说明,Text,,published\n"
        )
        await self._import("importProducts", "ImportProductsInput", {"content": PRODUCTS + row})
        if cards:
            await self.add_cards(sku, cards)
        return await self.kernel.db.fetchval("select id from catalog_variant where sku = $1", sku)

    async def add_cards(self, sku: str, cards: Sequence[str]) -> None:
        text = "sku,number,secret,expires_on\n" + "".join(f"{sku},,{secret},\n" for secret in cards)
        await self._import("importCards", "ImportCardsInput", {"content": text})

    async def _import(self, name: str, kind: str, value: dict[str, Any]) -> None:
        fields = "applied faults { line reason } errors { code message }"
        source = (
            f"mutation($input: {kind}!, $key: String!) {{"
            f" {name}(input: $input) @idempotent(key: $key) {{ {fields} }} }}"
        )
        answer = await self.ask("admin", source, {"input": value, "key": str(new_id())}, OWNER)
        assert answer.errors is None, answer.errors
        assert answer.data[name]["applied"], answer.data

    async def member(self, yuan: str | None = None) -> Principal:
        """Somebody who may buy, with this much money."""
        key = new_id()
        await self.kernel.db.execute(
            """insert into membership_member (id, email, password_hash, level)
               select $1, $2, 'none', id from membership_level where code = 'retail'""",
            key,
            f"{key}@example.com",
        )
        if yuan:
            money = {"amount": yuan, "currency": "CNY"}
            value = {"memberId": global_id("Member", key), "amount": money, "reason": "for a test"}
            answer = await self.ask("admin", CREDIT, {"input": value, "key": str(new_id())}, OWNER)
            assert answer.errors is None, answer.errors
            assert answer.data["creditWallet"]["errors"] == []
        return Principal(kind=PrincipalKind.MEMBER, id=key)

    async def buy(
        self, member: Principal, *lines: tuple[UUID, int], key: str | None = None, **values: Any
    ) -> dict[str, Any]:
        """Place an order; the payload."""
        wanted = [
            {"variantId": global_id("Variant", variant), "quantity": quantity} for variant, quantity in lines
        ]
        variables = {"input": {"lines": wanted, **values}, "key": key or str(new_id())}
        answer = await self.ask("shop", PLACE, variables, member)
        assert answer.errors is None, answer.errors
        return answer.data["placeOrder"]

    async def balance(self, member: Principal) -> str:
        answer = await self.ask("shop", "{ viewer { wallet { balance { amount } } } }", None, member)
        assert answer.errors is None, answer.errors
        return answer.data["viewer"]["wallet"]["balance"]["amount"]

    async def state(self) -> tuple[int, int, int, int]:
        """Orders, lines, ledger transactions and sold cards: what a refusal must not change."""
        row = await self.kernel.db.fetchrow(
            """select (select count(*) from fulfilment_order), (select count(*) from fulfilment_order_line),
                      (select count(*) from settlement_ledger_transaction),
                      (select count(*) from catalog_sold_card)"""
        )
        assert row is not None
        return tuple(row)


OWNER = Principal(kind=PrincipalKind.STAFF, id=new_id(), permissions=frozenset({"*"}))
"""Somebody of the staff who may do everything."""


@pytest_asyncio.fixture(loop_scope="session")
async def shop(make_kernel: Kernels) -> Shop:
    """An empty shop of all modules."""
    return Shop(await make_kernel())
