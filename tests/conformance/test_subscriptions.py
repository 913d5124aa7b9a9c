"""Order states as the reference clients of both protocols receive them, from several processes and across a reconnect."""

from __future__ import annotations

import os
import signal
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

import httpx
import pytest
import pytest_asyncio

from kameng.auth import PrincipalKind
from kameng.ids import global_id
from kameng_fulfilment.live import orders_changed
from tests.fulfilment.conftest import PLACE, Shop

from .server import Server
from .subscriber import Subscriber
from .test_websocket_protocol import ACK, INIT, closed, hear, say, socket

CHANGES = (
    "subscription Changes($number: String!) { orderChanged(number: $number) { number state lines { sku } } }"
)
CONNECTIONS = 4


@dataclass
class Buyer:
    """A member with a session who has bought something.

    Attributes:
        server: where.
        member: its key.
        token: of its session.
        number: of its order.
    """

    server: Server
    member: Any
    token: str
    number: str

    async def change(self, state: str) -> None:
        """Another process than the web's changes the order."""
        kernel = self.server.kernel
        async with kernel.db.transaction():
            order = await kernel.db.fetchval(
                "update fulfilment_order set state = $2 where number = $1 returning id", self.number, state
            )
            orders_changed(kernel, [(self.member, order)])

    def shown(self, state: str) -> dict[str, Any]:
        return {"orderChanged": {"number": self.number, "state": state, "lines": [{"sku": "LIVE"}]}}


@pytest_asyncio.fixture(loop_scope="session")
async def buyer(server: Server) -> Buyer:
    shop = Shop(server.kernel)
    with server.kernel.db.in_use():
        variant = await shop.stock("LIVE", "3.00", [f"secret-{uuid4().hex}" for _ in range(3)])
        principal = await shop.member("20")
        assert principal.id is not None
        session = await server.kernel.auth.sessions.open(PrincipalKind.MEMBER, principal.id)
    lines = [{"variantId": global_id("Variant", variant), "quantity": 1}]
    async with httpx.AsyncClient(base_url=server.url, timeout=60) as client:
        answer = await client.post(
            "/graphql/shop",
            json={"query": PLACE, "variables": {"input": {"lines": lines}, "key": str(uuid4())}},
            headers={"authorization": f"Bearer {session.token}"},
        )
    number = answer.json()["data"]["placeOrder"]["order"]["number"]
    return Buyer(server, principal.id, session.token, number)


@pytest.mark.usefixtures("node")
@pytest.mark.parametrize(("script", "scheme"), [("subscribe_ws.mjs", "ws"), ("subscribe_sse.mjs", "http")])
async def test_reference_client_receives_order_states_across_a_reconnect(
    buyer: Buyer, script: str, scheme: str
) -> None:
    url = buyer.server.url.replace("http", scheme, 1) + "/graphql/shop"
    async with Subscriber.started(
        script, url, buyer.token, CHANGES, {"number": buyer.number}, CONNECTIONS
    ) as subscriber:
        # Given several connections that know the order as it stands
        await subscriber.each(event="next", data=buyer.shown("COMPLETED"))

        # When another process changes it, then each of them is told
        await buyer.change("PARTLY_DELIVERED")
        await subscriber.each(event="next", data=buyer.shown("PARTLY_DELIVERED"))

        # When the web processes are replaced, then each connects anew and is told where the order stands now
        os.kill(buyer.server.process.pid, signal.SIGHUP)
        await subscriber.each(event="next", data=buyer.shown("PARTLY_DELIVERED"))

        # And hears the next change as before
        await buyer.change("REFUNDED")
        await subscriber.each(event="next", data=buyer.shown("REFUNDED"))


async def test_what_is_heard_ends_with_the_session(buyer: Buyer) -> None:
    async with socket(buyer.server) as client:
        # Given an open subscription to the order
        payload = {"query": CHANGES, "variables": {"number": buyer.number}}
        subscribe = {"type": "subscribe", "id": "1", "payload": payload}
        await say(client, INIT | {"payload": {"authorization": f"Bearer {buyer.token}"}}, subscribe)
        assert await hear(client) == ACK
        assert (await hear(client))["payload"]["data"] == buyer.shown("COMPLETED")

        # When the session ends and the order changes, then nothing more is told
        await buyer.server.kernel.auth.end_everything(PrincipalKind.MEMBER, buyer.member)
        await buyer.change("REFUNDED")
        ended = await hear(client)
        assert (ended["type"], ended["payload"][0]["extensions"]["code"]) == ("error", "UNAUTHENTICATED")


async def test_an_id_taken_twice_closes_the_connection(buyer: Buyer) -> None:
    async with socket(buyer.server) as client:
        subscribe = {
            "type": "subscribe",
            "id": "1",
            "payload": {"query": CHANGES, "variables": {"number": buyer.number}},
        }
        await say(
            client, INIT | {"payload": {"authorization": f"Bearer {buyer.token}"}}, subscribe, subscribe
        )
        assert await closed(client) == 4409
