"""Orders as others are told of them by webhooks."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any
from uuid import uuid4

from kameng.ids import global_id
from kameng.tasks import drain
from kameng.testing.kernels import Kernels
from tests.engine.webhooks.conftest import Receiver, start_receiver

from .conftest import OWNER, Shop

__all__ = ["start_receiver"]  # a fixture

CREATE = """
mutation($input: WebhookEndpointInput!, $key: String!) {
  createWebhookEndpoint(input: $input) @idempotent(key: $key) { endpoint { id } errors { code message path } }
}
"""
ORDER = """
query Told($number: String!, $buyer: ID!) {
  order(number: $number) { number state total { amount currency } lines { sku quantity } }
  buyer: node(id: $buyer) { ... on Member { email } }
}
"""


async def endpoint(shop: Shop, url: str, **values: Any) -> None:
    """Have orders told to an address."""
    value = {"name": "Test", "url": url, "events": ["fulfilment.order_completed"], **values}
    answer = await shop.ask("admin", CREATE, {"input": value, "key": str(uuid4())}, OWNER)
    assert answer.errors is None, answer.errors
    assert answer.data["createWebhookEndpoint"]["errors"] == []


async def test_an_order_is_told_as_it_is_and_as_a_document_asks(
    make_kernel: Kernels, start_receiver: Callable[..., Receiver]
) -> None:
    # given one who hears the events as they are, and a bookkeeper with a document of his own
    receiver = start_receiver()
    shop = Shop(await make_kernel(webhooks={"allow_loopback": True}))
    await endpoint(shop, f"{receiver.url}/plain")
    await endpoint(
        shop,
        f"{receiver.url}/books",
        document=ORDER,
        variables=[
            {"name": "number", "field": "number"},
            {"name": "buyer", "field": "member", "nodeType": "Member"},
        ],
        permissions=["fulfilment.read_orders", "membership.read_members"],
    )
    variant = await shop.stock("HOOK", "3.00", ["secret-one", "secret-two"])
    ann = await shop.member("10")
    # when somebody buys
    order = (await shop.buy(ann, (variant, 2)))["order"]
    await drain(shop.kernel)
    # then both are told, and no goods or addresses are in the event itself
    [plain] = receiver.got("/plain")
    told = json.loads(plain["body"])
    assert told["type"] == "fulfilment.order_completed"
    assert (told["data"]["number"], told["data"]["total_minor"]) == (order["number"], 600)
    assert told["data"]["member"] == str(ann.id)
    for hidden in ("secret", "@example.com"):
        assert hidden not in plain["body"]
    [books] = receiver.got("/books")
    assert json.loads(books["body"])["data"] == {
        "order": {
            "number": order["number"],
            "state": "COMPLETED",
            "total": {"amount": "6.00", "currency": "CNY"},
            "lines": [{"sku": "HOOK", "quantity": 2}],
        },
        "buyer": {"email": f"{ann.id}@example.com"},
    }


async def test_an_integration_sees_no_cards(
    make_kernel: Kernels, start_receiver: Callable[..., Receiver]
) -> None:
    # given a document of the shop that asks for the cards, which are for their buyer alone
    receiver = start_receiver()
    shop = Shop(await make_kernel(webhooks={"allow_loopback": True}))
    await endpoint(
        shop,
        f"{receiver.url}/cards",
        schema="SHOP",
        document="query($id: ID!) { node(id: $id) { ... on Order { lines { cards { secret } } } } }",
        variables=[{"name": "id", "field": "order", "nodeType": "Order"}],
    )
    variant = await shop.stock("HOOK", "3.00", ["secret-one"])
    order = (await shop.buy(await shop.member("10"), (variant, 1)))["order"]
    await drain(shop.kernel)
    # then it sees no order at all
    [told] = receiver.got("/cards")
    assert json.loads(told["body"])["data"] == {"node": None}
    assert order["id"] == global_id("Order", await shop.kernel.db.fetchval("select id from fulfilment_order"))
