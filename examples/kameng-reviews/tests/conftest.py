"""A shop of all installed modules with one product, and members who may have bought it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pytest_asyncio

from kameng.auth import Principal, PrincipalKind
from kameng.ids import global_id, new_id
from kameng.kernel import Kernel
from kameng.tasks import drain
from kameng.testing.clients import Client, a_clerk
from kameng.testing.kernels import Kernels

COLUMNS = (
    "sku,product,title_zh,title_en,variant_zh,variant_en,category,category_zh,category_en,kind,face_value,"
    "face_currency,price,cost,currency,description_zh,description_en,tags,status\n"
)

REVIEW = """
mutation Review($input: ReviewProductInput!) {
  reviewProduct(input: $input) {
    review { id stars text } errors { code path }
  }
}
"""

RATING = """
query Rating($slug: String!) {
  product(slug: $slug) { averageStars reviewCount reviews { nodes { stars text } } }
}
"""


@dataclass(frozen=True)
class Shop:
    """A running shop."""

    kernel: Kernel

    @property
    def admin(self) -> Client:
        return Client(self.kernel, "admin", a_clerk("*"))

    def client(self, member: Principal | None = None) -> Client:
        return Client(self.kernel, "shop", member) if member else Client(self.kernel, "shop")

    async def stock(self, sku: str, cards: int) -> str:
        """A product of one variant with that many cards; its global id."""
        row = f"{sku},{sku.lower()},卡,Card,一,One,games,游戏,Games,card,1,CNY,1.00,0.5,CNY,说明,Text,,published\n"
        for name, content in (
            ("importProducts", COLUMNS + row),
            (
                "importCards",
                "sku,number,secret,expires_on\n" + "".join(f"{sku},,{sku}-{n},\n" for n in range(cards)),
            ),
        ):
            source = f"mutation($text: String!) {{ {name}(input: {{content: $text}}) {{ applied }} }}"
            assert (await self.admin(source, {"text": content}))[name]["applied"]
        key = await self.kernel.db.fetchval("select product from catalog_variant where sku = $1", sku)
        return global_id("Product", key)

    async def member(self) -> Principal:
        """A member with money."""
        key = new_id()
        await self.kernel.db.execute(
            """insert into membership_member (id, email, password_hash, level)
               select $1, $2, 'none', id from membership_level where code = 'retail'""",
            key,
            f"{key}@example.com",
        )
        credit = {
            "memberId": global_id("Member", key),
            "amount": {"amount": "100.00", "currency": "CNY"},
            "reason": "test",
        }
        answer = await self.admin(
            "mutation($input: CreditWalletInput!) { creditWallet(input: $input) { errors { code } } }",
            {"input": credit},
            key=str(new_id()),
        )
        assert answer["creditWallet"]["errors"] == []
        return Principal(kind=PrincipalKind.MEMBER, id=key)

    async def buyer(self, *skus: str) -> Principal:
        """A member who bought one of each, in one order, and of whom reviews have heard."""
        member = await self.member()
        lines = [
            {
                "quantity": 1,
                "variantId": global_id(
                    "Variant",
                    await self.kernel.db.fetchval("select id from catalog_variant where sku = $1", sku),
                ),
            }
            for sku in skus
        ]
        answer = await self.client(member)(
            "mutation($input: PlaceOrderInput!) { placeOrder(input: $input) { errors { code } } }",
            {"input": {"lines": lines}},
            key=str(new_id()),
        )
        assert answer["placeOrder"]["errors"] == []
        await drain(self.kernel)
        return member

    async def review(
        self, member: Principal, product: str, stars: int, text: str = "Good", *, key: str | None = None
    ) -> Any:
        """Write a review; the payload."""
        value = {"productId": product, "stars": stars, "text": text}
        return (await self.client(member)(REVIEW, {"input": value}, key=key))["reviewProduct"]


@pytest_asyncio.fixture(loop_scope="session")
async def shop(make_kernel: Kernels) -> Shop:
    """A shop without anything."""
    return Shop(await make_kernel())
