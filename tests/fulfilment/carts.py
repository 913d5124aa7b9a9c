"""Words for carts, on top of the shop of `conftest`."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from kameng.auth import VISITOR, Principal
from kameng.graphql import Context
from kameng.ids import global_id, new_id

from .conftest import Shop

CART = """cart { quantity ready total { amount currency } lines { id quantity title
  unitPrice { amount } total { amount } notes { code available was { amount } } answers { name value } } }"""
ERRORS = "errors { code path message cure }"
ADD = f"""mutation($input: AddToCartInput!, $key: String!) {{
  addToCart(input: $input) @idempotent(key: $key) {{ {CART} visitorToken {ERRORS} }} }}"""
CHANGE = f"""mutation($input: ChangeCartLineInput!, $key: String!) {{
  changeCartLine(input: $input) @idempotent(key: $key) {{ {CART} {ERRORS} }} }}"""
REMOVE = f"mutation($input: RemoveFromCartInput!) {{ removeFromCart(input: $input) {{ {CART} {ERRORS} }} }}"
CLEAR = f"mutation {{ clearCart {{ {CART} {ERRORS} }} }}"
PLACE = """mutation($input: PlaceOrderInput!, $key: String!) { placeOrder(input: $input) @idempotent(key: $key) {
  order { number state total { amount } lines { sku quantity } } errors { code path } } }"""


class Buyer:
    """Somebody in front of a shop: a member, or a visitor who keeps his token."""

    def __init__(
        self, shop: Shop, principal: Principal = VISITOR, visitor: str = "", address: str = ""
    ) -> None:
        self.shop = shop
        self.principal = principal
        self.visitor = visitor
        self.address = address
        self.cookies: list[str] = []

    async def ask(self, source: str, variables: dict[str, Any] | None = None) -> Any:
        """The data of an answer that has no errors."""
        context = Context(
            self.shop.kernel,
            principal=self.principal,
            locale="en",
            visitor=self.visitor,
            address=self.address,
        )
        answer = await self.shop.kernel.graphql["shop"].execute(source, variables, context)
        assert answer.errors is None, answer.errors
        self.visitor = context.visitor
        self.cookies += context.cookies
        return answer.data

    async def cart(self) -> Any:
        """The cart."""
        return (await self.ask(f"{{ {CART} }}"))["cart"]

    async def content(self) -> dict[str, int]:
        """Titles and quantities."""
        return {line["title"]: line["quantity"] for line in (await self.cart())["lines"]}

    async def add(self, variant: UUID, quantity: int = 1, key: str | None = None, **values: Any) -> Any:
        """Put something into the cart; the payload."""
        currency = values.pop("currency", "CNY")
        line = {"variantId": global_id("Variant", variant), "quantity": quantity, **values}
        value = {"lines": [line], "currency": currency}
        return (await self.ask(ADD, {"input": value, "key": key or str(new_id())}))["addToCart"]

    async def change(self, line: str, quantity: int, key: str | None = None, **values: Any) -> Any:
        """Change a line; the payload."""
        value = {"lineId": line, "quantity": quantity, **values}
        return (await self.ask(CHANGE, {"input": value, "key": key or str(new_id())}))["changeCartLine"]

    async def order(self, key: str | None = None, **values: Any) -> Any:
        """Order the cart as a member; the payload."""
        value = {"fromCart": True, **values}
        return (await self.ask(PLACE, {"input": value, "key": key or str(new_id())}))["placeOrder"]


def codes(payload: Any) -> list[str]:
    """The codes of a payload's errors."""
    return [error["code"] for error in payload["errors"]]


def notes(cart: Any) -> list[list[str]]:
    """The codes of each line's notes."""
    return [[note["code"] for note in line["notes"]] for line in cart["lines"]]
