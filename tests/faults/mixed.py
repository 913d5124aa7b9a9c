"""A mixed load on a shop whose processes are killed at random, and what must hold afterwards.

``make faults MINUTES=30 SEED=7``: members buy from their wallets and for payment from outside, staff confirms payments and
refunds, everybody repeats himself; meanwhile web, worker, relay, Valkey and PostgreSQL are killed by SIGKILL. What each
client does and which process is killed follows from the seed. Ends with a report; exits with 1 if anything does not hold.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import random
import signal
import sys
import tempfile
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from uuid import UUID

import httpx

from kameng.auth import PrincipalKind
from kameng.graphql import Context
from kameng.ids import global_id, new_id
from kameng.kernel import Kernel
from kameng_settlement.verifying import verify_ledger
from tests.faults.shop import OWNER, PRODUCTS, Shop, post, running_shop

MEMBERS = 12
CREDIT = "20000.00"
CARDS = {"MANY": 60_000, "FEW": 300}
"""Cards of each variant; the few run out."""

PLACE = """mutation($input: PlaceOrderInput!, $key: String!) { placeOrder(input: $input) @idempotent(key: $key) {
  order { number state total { amount currency } lines { cards { secret } } } errors { code } } }"""
CANCEL = """mutation($number: String!, $key: String!) { cancelOrder(input: {number: $number}) @idempotent(key: $key) {
  order { state } errors { code } } }"""
CONFIRM = """mutation($input: ConfirmPaymentInput!, $key: String!) { confirmPayment(input: $input) @idempotent(key: $key) {
  outcome errors { code } } }"""
REFUND = """mutation($input: RefundOrderInput!, $key: String!) { refundOrder(input: $input) @idempotent(key: $key) {
  order { state } errors { code } } }"""


@dataclass
class Report:
    """What was done, and what was found.

    Attributes:
        seed, minutes: as asked.
        done: how often each answer came, such as ``buy COMPLETED``.
        killed: how often each kind of process.
        longest: seconds that a client had to repeat itself until there was an answer.
        found: what does not hold; empty if all is well.
    """

    seed: int
    minutes: float
    done: Counter[str] = field(default_factory=Counter)
    killed: Counter[str] = field(default_factory=Counter)
    longest: float = 0.0
    found: list[str] = field(default_factory=list)


class Member:
    """One client, who does one thing after the other.

    Args:
        shop, client: where and how.
        report: what it notes.
        chance: what it does next.
        token, staff: its own session, and that of the staff who serve it.
        variants: what it buys.
    """

    def __init__(
        self,
        shop: Shop,
        client: httpx.AsyncClient,
        report: Report,
        chance: random.Random,
        token: str,
        staff: str,
        variants: list[str],
    ) -> None:
        self._shop, self._client, self._report, self._chance = shop, client, report, chance
        self._token, self._staff, self._variants = token, staff, variants
        self.placed: dict[str, tuple[dict[str, Any], str]] = {}
        self._numbers: list[str] = []

    async def work(self, until: float) -> None:
        """Do things until that moment."""
        while time.monotonic() < until:
            await self._chance.choices(
                (self._buy, self._buy_outside, self._refund, self._repeat), (60, 15, 10, 15)
            )[0]()

    async def _ask(self, what: str, source: str, variables: dict[str, Any], *, staff: bool = False) -> Any:
        began = time.monotonic()
        token, schema = (self._staff, "admin") if staff else (self._token, "shop")
        data = await post(self._client, self._shop, source, variables, token, schema)
        self._report.longest = max(self._report.longest, time.monotonic() - began)
        (payload,) = data.values()
        kind = payload["errors"][0]["code"] if payload["errors"] else "done"
        self._report.done[f"{what}: {kind}"] += 1
        return payload

    async def _place(self, what: str, payment: str) -> dict[str, Any] | None:
        line = {"variantId": self._chance.choice(self._variants), "quantity": self._chance.randint(1, 3)}
        value = {"lines": [line], "payment": payment}
        key = UUID(int=self._chance.getrandbits(128)).hex
        placed = await self._ask(what, PLACE, {"input": value, "key": key})
        if placed["order"]:
            self.placed[key] = (value, placed["order"]["number"])
        return placed["order"]

    async def _buy(self) -> None:
        order = await self._place("buy", "WALLET")
        if order:
            self._numbers.append(order["number"])

    async def _buy_outside(self) -> None:
        order = await self._place("order for payment from outside", "OUTSIDE")
        if order is None:
            return
        number = order["number"]
        match self._chance.choice(("pay", "pay", "pay twice", "cancel", "pay and cancel", "forget")):
            case "pay":
                await self._pay(order)
            case "pay twice":
                await asyncio.gather(self._pay(order), self._pay(order))
            case "pay and cancel":
                await asyncio.gather(self._pay(order), self._cancel(number))
            case "cancel":
                await self._cancel(number)

    async def _pay(self, order: dict[str, Any]) -> None:
        value = {
            "number": order["number"],
            "amount": order["total"],
            "reference": f"bank-{order['number']}",
            "reason": "it came in",
        }
        key = f"pay-{order['number']}"
        await self._ask("confirm a payment", CONFIRM, {"input": value, "key": key}, staff=True)

    async def _cancel(self, number: str) -> None:
        await self._ask("cancel", CANCEL, {"number": number, "key": f"cancel-{number}"})

    async def _refund(self) -> None:
        if not self._numbers:
            return
        number = self._chance.choice(self._numbers)
        asked = {"input": {"number": number, "reason": "for a test"}, "key": f"refund-{number}"}
        both = self._chance.random() < 0.5
        await asyncio.gather(*(self._ask("refund", REFUND, asked, staff=True) for _ in range(1 + both)))

    async def _repeat(self) -> None:
        if not self.placed:
            return
        key = self._chance.choice(list(self.placed))
        value, number = self.placed[key]
        again = await self._ask("repeat", PLACE, {"input": value, "key": key})
        if again["order"] is None or again["order"]["number"] != number:
            self._report.found.append(f"key {key}: {number} at first, then {again}")


async def kill(shop: Shop, report: Report, chance: random.Random, until: float) -> None:
    """Kill one process after the other, a few seconds apart."""
    names = ("child of web", "worker", "postgres", "valkey", "web", "child of worker")
    while time.monotonic() < until:
        await asyncio.sleep(chance.uniform(2, 6))
        name = chance.choice(names)
        candidates = [pid for what, pid in shop.victims() if what == name]
        if candidates:
            os.kill(chance.choice(candidates), signal.SIGKILL)
            report.killed[name] += 1


async def furnish(shop: Shop) -> tuple[list[str], list[str], str]:
    """Products, members with money and somebody of the staff; gives variants, the members' sessions and his."""
    async with Kernel(shop.settings()) as kernel:
        kernel.db.use()

        async def change(source: str, variables: dict[str, Any]) -> None:
            context = Context(kernel, principal=OWNER, schema="admin", idempotency_key=new_id().hex)
            answer = await kernel.graphql["admin"].execute(source, variables, context)
            assert answer.errors is None, answer.errors
            assert isinstance(answer.data, dict)
            assert not next(iter(answer.data.values())).get("errors"), answer.data

        rows = "".join(
            f"{sku},{sku.lower()},卡,Card,一,One,games,游戏,Games,{kind},3.00,CNY,3.00,1,CNY,说明,Text,,published\n"
            for sku, kind in (("MANY", "card"), ("FEW", "card"), ("NOTE", "unlimited"))
        )
        load = "mutation($c: String!) { %s(input: {content: $c}) { applied errors { code } } }"
        await change(load % "importProducts", {"c": PRODUCTS + rows})
        for sku, count in CARDS.items():
            cards = "".join(f"{sku},,{sku}-{n},\n" for n in range(count))
            await change(load % "importCards", {"c": "sku,number,secret,expires_on\n" + cards})
        members = [new_id() for _ in range(MEMBERS)]
        await kernel.db.execute(
            """insert into membership_member (id, email, password_hash, level)
               select m.id, m.id || '@example.com', 'none', l.id
               from unnest($1::uuid[]) m (id) cross join membership_level l where l.code = 'retail'""",
            members,
        )
        credit = "mutation($i: CreditWalletInput!) { creditWallet(input: $i) { errors { code } } }"
        for member in members:
            money = {"amount": CREDIT, "currency": "CNY"}
            value = {"memberId": global_id("Member", member), "amount": money, "reason": "for a test"}
            await change(credit, {"i": value})
        staff = await kernel.db.fetchval(
            """with role as (
                   insert into membership_role (id, name, title_zh, title_en, permissions)
                   values (gen_random_uuid(), 'all', '全部', 'All', $1::jsonb) returning id
               ), person as (
                   insert into membership_staff (id, email, password_hash, name, state)
                   values (gen_random_uuid(), 'staff@example.com', 'x', 'S', 'active') returning id
               )
               insert into membership_staff_role (id, staff, role)
               select gen_random_uuid(), person.id, role.id from person, role returning staff""",
            json.dumps(sorted(kernel.permissions)),
        )
        sessions = [await kernel.auth.sessions.open(PrincipalKind.MEMBER, member) for member in members]
        served = await kernel.auth.sessions.open(PrincipalKind.STAFF, staff)
        rows = await kernel.db.fetch("select id from catalog_variant order by sku")
        variants = [global_id("Variant", row["id"]) for row in rows]
        return variants, [session.token for session in sessions], served.token


HOLDS = {
    "every order belongs to one key of one member": """
        select count(*) from (select member, idempotency_key from fulfilment_order group by 1, 2 having count(*) > 1) twice""",
    "every card is free, kept or sold, and in one of these only": """
        select count(*) from catalog_card c where 1 <> (
            (select count(*) from catalog_free_card f where f.card = c.id)
            + (select count(*) from catalog_reserved_card r where r.card = c.id)
            + (select count(*) from catalog_sold_card s where s.card = c.id))""",
    "nothing is kept for orders that do not wait": """
        select count(*) from catalog_reserved_card r join fulfilment_order_line l on l.id = r.line
        join fulfilment_order o on o.id = l.order_id where o.state <> 'PENDING_PAYMENT'""",
    "what was delivered of cards is what was sold": """
        select count(*) from fulfilment_order_line l join catalog_variant v on v.id = l.variant
        where v.stock_kind = 'card' and l.delivered_quantity <> (
            select count(*) from catalog_sold_card s where s.line = l.id)""",
    "every paid order is delivered, refunded, or waits for somebody": """
        select count(*) from fulfilment_order
        where state not in ('COMPLETED', 'REFUNDED', 'CANCELLED', 'EXPIRED', 'PENDING_PAYMENT', 'PAID', 'DELIVERING',
            'PARTLY_DELIVERED', 'REVIEW')
            or (state in ('COMPLETED', 'REFUNDED') and charge is null and total_minor > 0)""",
    "no unpaid order has anything": """
        select count(*) from fulfilment_order o join fulfilment_order_line l on l.order_id = o.id
        where o.state in ('CANCELLED', 'EXPIRED', 'PENDING_PAYMENT') and (l.delivered_quantity > 0 or o.charge is not null)""",
    "no charge was refunded beyond itself": """
        select count(*) from settlement_charge_refund where refunded > charged""",
    "every payment from outside counted once": """
        select count(*) from (select source, reference from fulfilment_payment group by 1, 2 having count(*) > 1) twice""",
    "money is where it came to": """
        select (coalesce(sum(p.amount) filter (where t.kind in ('manual_credit', 'receipt', 'refund')), 0)
              - coalesce(sum(p.amount) filter (where t.kind = 'charge'), 0)
              - (select coalesce(sum(b.credits - b.debits), 0) from settlement_balance b
                 join settlement_account a on a.id = b.account where a.kind = 'wallet'))::bigint
        from settlement_posting p join settlement_ledger_transaction t on t.id = p.transaction""",
}
"""What must hold, and a statement that counts what does not."""


async def examine(shop: Shop, report: Report, members: list[Member]) -> None:
    """Let everything come to rest, and look."""
    await shop.until_ready()  # what was killed last may still be starting
    async with Kernel(shop.settings()) as kernel:
        kernel.db.use()
        db = kernel.db
        for waited in (
            "select count(*) from fulfilment_order where state = 'PENDING_PAYMENT'",
            "select count(*) from kernel_outbox where relayed_at is null",
        ):
            while await db.fetchval(waited):
                await asyncio.sleep(0.5)
        for name, sql in HOLDS.items():
            wrong = await db.fetchval(sql)
            if wrong:
                report.found.append(f"not so: {name} ({wrong})")
        ledger = await verify_ledger(db)
        if not ledger.ok:
            report.found.append(str(ledger))
        known = {row["number"] for row in await db.fetch("select number from fulfilment_order")}
        told = [number for member in members for _, number in member.placed.values()]
        if len(told) != len(set(told)) or set(told) != known:
            report.found.append(f"{len(told)} orders were told of, {len(known)} are there")


async def run(minutes: float, seed: int) -> Report:
    """The whole."""
    report = Report(seed, minutes)
    with tempfile.TemporaryDirectory(prefix="kameng-faults-log-") as logs:
        async with (
            running_shop(
                Path(logs),
                KAMENG_FULFILMENT__RESERVATION_MINUTES="1",
                KAMENG_FULFILMENT__TWO_PERSONS_FROM_MINOR="1000000000",  # there is one person
            ) as shop,
            httpx.AsyncClient(timeout=15, limits=httpx.Limits(max_connections=100)) as client,
        ):
            variants, tokens, staff = await furnish(shop)
            members = [
                Member(shop, client, report, random.Random(f"{seed}:{n}"), token, staff, variants)
                for n, token in enumerate(tokens)
            ]
            until = time.monotonic() + minutes * 60
            await asyncio.gather(
                kill(shop, report, random.Random(seed), until), *(member.work(until) for member in members)
            )
            await examine(shop, report, members)
    return report


def main() -> int:
    """Run and tell."""
    parser = argparse.ArgumentParser(prog="make faults", description=__doc__)
    parser.add_argument("--minutes", type=float, default=2)
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args()
    report = asyncio.run(run(given.minutes, given.seed))
    print(
        f"seed {report.seed}, {report.minutes:g} minutes, longest wait for an answer {report.longest:.1f} s"
    )
    for title, counted in (("done", report.done), ("killed", report.killed)):
        print(title + ":")
        for name, count in sorted(counted.items()):
            print(f"  {count:>7,}  {name}")
    for fault in report.found:
        print(f"FAULT: {fault}")
    print("Everything holds." if not report.found else f"{len(report.found)} things do not hold.")
    return 1 if report.found else 0


if __name__ == "__main__":
    sys.exit(main())
