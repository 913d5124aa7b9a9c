"""Two hundred purchases over HTTP while every process of the shop is killed in turn: nothing is sold twice, nothing is lost."""

from __future__ import annotations

import asyncio
import os
import random
import signal
from collections import Counter
from collections.abc import AsyncIterator
from pathlib import Path
from uuid import uuid4

import httpx
import pytest_asyncio

from kameng.graphql import Context
from kameng.ids import global_id
from kameng.kernel import Kernel
from tests.faults.shop import OWNER, PRODUCTS, Shop, post, running_shop

PURCHASES = 200
BUYERS = 8
PRICE, CREDIT = "3.00", "60.00"
PLACE = """
mutation Place($input: PlaceOrderInput!, $key: String!) {
  placeOrder(input: $input) @idempotent(key: $key) {
    order { number state lines { cards { secret } } } errors { code }
  }
}
"""


@pytest_asyncio.fixture(loop_scope="session")
async def shop(tmp_path: Path) -> AsyncIterator[Shop]:
    async with running_shop(tmp_path) as shop:
        yield shop


async def furnish(kernel: Kernel) -> str:
    """Put cards into stock; returns the variant's id."""

    async def ask(source: str, variables: dict) -> dict:
        context = Context(kernel, principal=OWNER, schema="admin")
        answer = await kernel.graphql["admin"].execute(source, variables, context)
        assert answer.errors is None, answer.errors
        return answer.data

    row = f"CARD,card,卡,Card,一,One,games,游戏,Games,card,3.00,CNY,{PRICE},1,CNY,说明,Text,,published\n"
    source = "mutation($c: String!) { importProducts(input: {content: $c}) { applied } }"
    assert (await ask(source, {"c": PRODUCTS + row}))["importProducts"]["applied"]
    cards = "sku,number,secret,expires_on\n" + "".join(f"CARD,,secret-{n},\n" for n in range(PURCHASES + 50))
    source = "mutation($c: String!) { importCards(input: {content: $c}) { applied } }"
    assert (await ask(source, {"c": cards}))["importCards"]["applied"]
    return global_id("Variant", await kernel.db.fetchval("select id from catalog_variant"))


async def test_every_process_is_killed_in_turn_during_two_hundred_purchases(shop: Shop) -> None:
    chance = random.Random(2026)
    async with Kernel(shop.settings()) as kernel:
        kernel.db.use()
        variant = await furnish(kernel)
    async with httpx.AsyncClient(timeout=15) as client:
        # given members with money for twenty purchases each: together fewer than there are requests
        tokens = []
        register = "mutation($i: RegisterInput!) { register(input: $i) { token member { id } errors { code message } } }"
        credit = "mutation($i: CreditWalletInput!) { creditWallet(input: $i) { errors { code } } }"
        async with Kernel(shop.settings()) as kernel:
            kernel.db.use()
            for number in range(BUYERS):
                value = {
                    "email": f"b{number}@example.com",
                    "password": f"battery horse {uuid4()}",
                    "transport": "TOKEN",
                }
                made = (await post(client, shop, register, {"i": value}))["register"]
                assert made["errors"] == [], made
                tokens.append(made["token"])
                context = Context(kernel, principal=OWNER, schema="admin", idempotency_key=str(uuid4()))
                wanted = {
                    "memberId": made["member"]["id"],
                    "amount": {"amount": CREDIT, "currency": "CNY"},
                    "reason": "test",
                }
                answer = await kernel.graphql["admin"].execute(credit, {"i": wanted}, context)
                assert answer.data == {"creditWallet": {"errors": []}}, answer

        # when they buy, and everything is killed in turn meanwhile
        jobs = [(tokens[n % BUYERS], f"key-{n}") for n in range(PURCHASES)]
        chance.shuffle(jobs)
        queue = iter(jobs)
        value = {"lines": [{"variantId": variant, "quantity": 1}]}

        async def buy() -> None:
            for token, key in queue:
                shop.answers[key] = (await post(client, shop, PLACE, {"input": value, "key": key}, token))[
                    "placeOrder"
                ]

        killed: Counter[str] = Counter()

        async def kill() -> None:
            order = [
                "child of web",
                "worker",
                "postgres",
                "valkey",
                "web",
                "postgres",
                "child of web",
                "worker",
            ]
            for turn, name in enumerate(order):
                while len(shop.answers) < (turn + 1) * PURCHASES // (len(order) + 2):
                    await asyncio.sleep(0.02)
                candidates = [pid for what, pid in shop.victims() if what == name]
                while not candidates:
                    await asyncio.sleep(0.05)
                    candidates = [pid for what, pid in shop.victims() if what == name]
                os.kill(chance.choice(candidates), signal.SIGKILL)
                killed[name] += 1

        await asyncio.gather(kill(), *(buy() for _ in range(BUYERS)))
        assert sum(killed.values()) == 8

        # then each repeated request is answered as before
        for token, key in chance.sample(jobs, 30):
            again = (await post(client, shop, PLACE, {"input": value, "key": key}, token))["placeOrder"]
            if not shop.answers[key]["errors"]:
                assert again == shop.answers[key]

    # and no card was sold twice, each charged order was delivered, and everybody was answered rightly
    placed = [answer["order"] for answer in shop.answers.values() if answer["order"]]
    secrets = [card["secret"] for order in placed for line in order["lines"] for card in line["cards"]]
    refused = Counter(error["code"] for answer in shop.answers.values() for error in answer["errors"])
    assert len(secrets) == len(placed) == len(set(secrets)) == BUYERS * 20
    assert refused == {"INSUFFICIENT_FUNDS": PURCHASES - BUYERS * 20}
    assert {order["state"] for order in placed} == {"COMPLETED"}
    await check_books(shop)


async def check_books(shop: Shop) -> None:
    """Ledger, stock, orders and figures agree with each other."""
    async with Kernel(shop.settings()) as kernel:
        kernel.db.use()
        db = kernel.db
        from kameng_settlement.verifying import verify_ledger

        report = await verify_ledger(db)
        assert report.ok, str(report)
        assert await db.fetchval("select count(*) from fulfilment_order where state <> 'COMPLETED'") == 0
        orders, charged, lines, sold = await db.fetchrow(
            """select (select count(*) from fulfilment_order),
                      (select count(*) from settlement_ledger_transaction where kind = 'charge'),
                      (select sum(quantity) from fulfilment_order_line), (select count(*) from catalog_sold_card)"""
        )
        assert orders == charged == lines == sold == BUYERS * 20
        while await db.fetchval("select count(*) from kernel_outbox where relayed_at is null"):
            await asyncio.sleep(0.1)
        while (figures := await db.fetchrow("select sum(orders) o, sum(turnover) t from analytics_day"))[
            "o"
        ] != orders:
            assert (figures["o"] or 0) <= orders
            await asyncio.sleep(0.1)
        assert figures["t"] == orders * 300
