"""A shop's story, told by the typed clients: money, a log-in, a purchase, and refusals. Prints what it saw as JSON.

Arguments: the server, the e-mail address and password of one of the staff, a SKU.
"""

from __future__ import annotations

import asyncio
import json
import sys
from decimal import Decimal
from typing import TypeVar
from uuid import uuid4

from admin_client import AdminClient, CreditWalletInput, MoneyInput
from admin_client import LogInInput as StaffLogInInput
from admin_client import SessionTransport as StaffTransport
from shop_client import (
    AnythingNodeOrder,
    GraphQLClientGraphQLMultiError,
    LogInInput,
    OrderLineInput,
    PlaceOrderInput,
    RegisterInput,
    SessionTransport,
    ShopClient,
)

T = TypeVar("T")


def present(value: T | None) -> T:
    """A value that is there."""
    assert value is not None
    return value


def bearer(token: str | None) -> dict[str, str]:
    """The header of a session."""
    return {"authorization": f"Bearer {present(token)}"}


async def main(server: str, staff_email: str, staff_password: str, sku: str) -> None:
    """Tell the story."""
    shop_url, admin_url = f"{server}/graphql/shop", f"{server}/graphql/admin"
    email, password = f"{uuid4()}@example.com", str(uuid4())

    async with ShopClient(shop_url) as visitor, AdminClient(admin_url) as door:
        member = present(
            (await visitor.register(RegisterInput(email=email, password=password))).register.member
        )
        listed = (await visitor.products(first=5, search=sku)).products
        [variant] = [one for edge in listed.edges for one in edge.node.variants if one.sku == sku]
        guess = LogInInput(email=email, password="a guess", transport=SessionTransport.TOKEN)
        wrong = (await visitor.log_in(guess)).log_in
        known = LogInInput(email=email, password=password, transport=SessionTransport.TOKEN)
        inside = (await visitor.log_in(known)).log_in
        keys = StaffLogInInput(email=staff_email, password=staff_password, transport=StaffTransport.TOKEN)
        staff = (await door.staff_log_in(keys)).log_in

    async with (
        ShopClient(shop_url, headers=bearer(inside.token)) as shop,
        AdminClient(admin_url, headers=bearer(staff.token)) as admin,
        ShopClient(shop_url) as visitor,
    ):
        wanted = PlaceOrderInput(lines=[OrderLineInput(variantId=variant.id, quantity=2)])
        refused = (await shop.place_order(wanted, str(uuid4()))).place_order
        [found] = (await admin.find_member(email)).members.nodes
        gift = MoneyInput(amount=Decimal("20.00"), currency="CNY")
        credit = CreditWalletInput(memberId=found.id, amount=gift, reason="a gift")
        credited = (await admin.credit_wallet(credit, str(uuid4()))).credit_wallet

        key = str(uuid4())
        placed = present((await shop.place_order(wanted, key)).place_order.order)
        again = present((await shop.place_order(wanted, key)).place_order.order)
        order = (await shop.order(placed.number)).order
        node = (await shop.anything(placed.id)).node
        viewer = present((await shop.wallet()).viewer)
        try:
            await visitor.order(placed.number)
        except GraphQLClientGraphQLMultiError as error:
            strange = [present(one.extensions)["code"] for one in error.errors]

    [line] = order.lines
    story = {
        "sameMember": found.id == member.id == present(inside.member).id,
        "price": present(variant.price).model_dump(mode="json"),
        "wrongPassword": [error.code for error in wrong.errors],
        "withoutMoney": [error.code for error in refused.errors],
        "credited": present(credited.wallet).balance.model_dump(mode="json"),
        "repeated": again.number == placed.number,
        "order": {
            "number": order.number == placed.number,
            "state": order.state,
            "paidAt": present(order.paid_at).tzinfo is not None,
            "total": order.total.model_dump(mode="json"),
            "lines": [line.model_dump(mode="json", by_alias=True)],
        },
        "node": isinstance(node, AnythingNodeOrder) and node.number == placed.number,
        "balance": str(viewer.wallet.balance.amount),
        "statement": [[entry.kind, str(entry.amount.amount)] for entry in viewer.wallet.statement.nodes],
        "asVisitor": strange,
    }
    print(json.dumps(story))


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
