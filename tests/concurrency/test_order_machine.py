"""Whatever happens to orders, in whatever order and how many at once: no card twice, no cent lost, no paid order forgotten."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any, TypeVar
from uuid import UUID

import pytest
import pytest_asyncio
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test

from kameng.auth import Principal
from kameng.errors import Refusal
from kameng.ids import new_id
from kameng.testing.kernels import Kernels
from kameng_catalog.contract import Stock
from kameng_fulfilment.contract import Deliveries
from kameng_fulfilment.delivering import deliver_waiting
from kameng_fulfilment.exceptions import refund_failed
from kameng_fulfilment.holding import hold, release
from kameng_fulfilment.refund_parts import RefundedLine
from kameng_fulfilment.refunding import refund_order
from kameng_fulfilment.tickets import open_ticket, refund_card, replace_card, withdraw_ticket
from kameng_fulfilment.unpaid import cancel_unpaid, expire_unpaid
from kameng_settlement.verifying import verify_ledger
from tests.fulfilment import lives
from tests.fulfilment.conftest import Shop

T = TypeVar("T")

ACTS = (
    *("buy",) * 3,
    *("place",) * 4,
    *("pay",) * 5,
    "pay again",
    "cancel",
    "time passes",
    "sweep",
    "hold",
    "release",
    "refund all",
    "refund pieces",
    "refund amount",
    "deliver",
    "fail",
    "rule",
    "restock",
    "redeliver",
    "spoil",
    "complain",
    "replace",
    "pay card back",
    "withdraw",
)

acts = st.tuples(st.sampled_from(ACTS), st.integers(0, 1_000), st.integers(1, 4))

TWICE = """
    select count(*) from catalog_sold_card s
    where exists (select from catalog_free_card f where f.card = s.card)
        or exists (select from catalog_reserved_card r where r.card = s.card)
"""

ORDERS = """
    select o.*,
        (select coalesce(sum(p.amount), 0)::bigint from settlement_posting p where p.transaction = o.charge) as charged,
        (select coalesce(sum(r.amount), 0)::bigint from settlement_refund r where r.charge = o.charge) as given_back,
        (select coalesce(sum(p.amount_minor), 0)::bigint from fulfilment_payment p where p.order_id = o.id) as came_in,
        (select count(*) from kernel_outbox e
         where e.topic = 'fulfilment.order_completed' and e.payload->>'order' = o.id::text) as completions
    from fulfilment_order o
"""

LINES = """
    select l.*, v.stock_kind,
        (select count(*) from catalog_sold_card s where s.line = l.id) as cards,
        (select count(*) from catalog_reserved_card r where r.line = l.id) as kept,
        (select count(*) from fulfilment_ticket t where t.line = l.id and t.state = 'REPLACED') as replaced
    from fulfilment_order_line l join catalog_variant v on v.id = l.variant
"""

CLEARING = """
    select coalesce(sum(b.debits - b.credits), 0)::bigint from settlement_balance b
    join settlement_account a on a.id = b.account where a.kind like 'clearing:%'
"""


class OrderMachine(RuleBasedStateMachine):
    """A shop with three buyers, cards, and something that people deliver. Hypothesis calls from a thread of its own."""

    shop: Shop
    loop: asyncio.AbstractEventLoop
    example = 0

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        return asyncio.run_coroutine_threadsafe(work, self.loop).result(120)

    @initialize()
    def open(self) -> None:
        self.run(self.opened())

    async def opened(self) -> None:
        OrderMachine.example += 1
        self.sku = f"M{OrderMachine.example}"
        self.secrets = 0
        self.card = await self.shop.stock(f"{self.sku}C", "3.3333", [f"{self.sku}-{n}" for n in range(6)])
        self.service = await self.shop.stock(f"{self.sku}S", "2.50", [])
        await self.shop.kernel.db.execute(
            "update catalog_variant set stock_kind = 'unlimited', delivery = 'manual' where id = $1",
            self.service,
        )
        self.members: list[Principal] = [await self.shop.member("30") for _ in range(3)]
        self.orders: list[UUID] = []
        self.outside: list[UUID] = []
        self.payments: list[tuple[UUID, int, str]] = []
        self.tickets: list[tuple[UUID, UUID]] = []

    # -- what happens --------------------------------------------------------------------------------------------

    @rule(act=acts)
    def one_acts(self, act: tuple[str, int, int]) -> None:
        self.run(self.together([act]))

    @rule(many=st.lists(acts, min_size=2, max_size=8))
    def many_act(self, many: list[tuple[str, int, int]]) -> None:
        self.run(self.together(many))

    @rule(act=acts)
    def one_acts_twice_at_once(self, act: tuple[str, int, int]) -> None:
        self.run(self.together([act, act]))

    async def together(self, many: list[tuple[str, int, int]]) -> None:
        outcomes = await asyncio.gather(*(self.acted(*act) for act in many), return_exceptions=True)
        for outcome in outcomes:
            if isinstance(outcome, BaseException) and not isinstance(outcome, Refusal):
                raise outcome

    async def acted(self, what: str, place: int, count: int) -> None:
        match what:
            case "buy" | "place":
                await self.ordered(place, count, outside=what == "place")
            case "restock":
                self.secrets += 1
                await self.shop.add_cards(
                    f"{self.sku}C", [f"{self.sku}+{self.secrets}+{n}" for n in range(count)]
                )
            case "sweep":
                await expire_unpaid(self.shop.kernel)
            case "redeliver":
                await deliver_waiting(self.shop.kernel)
            case "rule":
                await refund_failed(self.shop.kernel)
            case "spoil":
                await self.shop.kernel.db.execute(
                    """update catalog_reserved_card set expires_on = current_date - 2 where card =
                           (select card from catalog_reserved_card order by card offset $1 limit 1)""",
                    place % 3,
                )
            case "replace" | "pay card back" | "withdraw":
                if self.tickets:
                    ticket, buyer = self.tickets[place % len(self.tickets)]
                    await self.settled(what, ticket, buyer)
            case "pay again":
                if self.payments:
                    order, minor, reference = self.payments[place % len(self.payments)]
                    await lives.pay(self.shop, order, minor, reference)
            case "pay" | "cancel" | "time passes" if self.outside:
                await self.changed(what, self.outside[-1 - place % min(len(self.outside), 4)], count)
            case _ if self.orders:
                await self.changed(what, self.orders[-1 - place % min(len(self.orders), 6)], count)

    async def ordered(self, place: int, count: int, *, outside: bool) -> None:
        lines = [(self.card, count), (self.service, 1)][place % 2 :]
        if place % 3 == 0:
            lines = [(self.card, count)]
        member = self.members[place % 3]
        order = await lives.place(self.shop, member, *lines, outside=outside)
        self.orders.append(order)
        if outside:
            self.outside.append(order)

    async def changed(self, what: str, order: UUID, count: int) -> None:
        kernel = self.shop.kernel
        match what:
            case "pay":
                total = (await lives.stored(self.shop, order)).total_minor
                payment = (order, max(1, total + (count - 2) * 7), str(new_id()))
                self.payments.append(payment)
                await lives.pay(self.shop, *payment)
            case "cancel":
                await cancel_unpaid(kernel, order, "staff:x")
            case "time passes":
                await lives.overdue(self.shop, order)
            case "hold":
                await hold(kernel, order, "staff:x", "odd")
            case "release":
                await release(kernel, order, "staff:x", "fine")
            case "refund all":
                await refund_order(kernel, order, [], key=str(new_id()), actor="staff:x", reason="sorry")
            case "refund pieces" | "refund amount":
                line = (await lives.lines(self.shop, order))[0]
                wanted = (
                    RefundedLine(line=line.id, quantity=count)
                    if what == "refund pieces"
                    else RefundedLine(line=line.id, amount_minor=count * 100)
                )
                await refund_order(
                    kernel, order, [wanted], key=str(new_id()), actor="staff:x", reason="sorry"
                )
            case "deliver":
                line = (await lives.lines(self.shop, order))[-1]
                if line.delivery == "manual":
                    await kernel.services.get(Deliveries).delivered(line.id, ["code"], "staff:x")
            case "fail":
                line = (await lives.lines(self.shop, order))[-1]
                if line.delivery == "manual":
                    await kernel.services.get(Deliveries).failed(line.id, "no", "staff:x")
                    await kernel.db.execute(
                        "update fulfilment_order_line set failed_at = failed_at - interval '1 hour' where id = $1"
                        " and failed_at is not null",
                        line.id,
                    )
            case "complain":
                line = (await lives.lines(self.shop, order))[0]
                cards = await kernel.services.get(Stock).sold_cards([line.id])
                if cards:
                    buyer = (await lives.stored(self.shop, order)).member
                    ticket = await open_ticket(kernel, order, 1, cards[count % len(cards)].key, "used", buyer)
                    self.tickets.append((ticket.id, buyer))

    async def settled(self, what: str, ticket: UUID, buyer: UUID) -> None:
        match what:
            case "replace":
                await replace_card(self.shop.kernel, ticket, "staff:x", "here")
            case "pay card back":
                await refund_card(self.shop.kernel, ticket, "staff:x", "sorry")
            case _:
                await withdraw_ticket(self.shop.kernel, ticket, buyer)

    # -- what is always true -------------------------------------------------------------------------------------

    @invariant()
    def nothing_is_lost(self) -> None:
        if hasattr(self, "card"):
            self.run(self.checked())

    async def checked(self) -> None:
        db = self.shop.kernel.db
        # No card is sold twice, or sold and still for sale or kept for somebody,
        assert await db.fetchval(TWICE) == 0
        # the books are in balance, and hold what came in from outside,
        report = await verify_ledger(db)
        assert report.ok, str(report)
        assert (
            await db.fetchval(CLEARING)
            == sum({r: minor for _, minor, r in self.payments}.values()) + self.before
        )
        # and each order is where its money and its goods say.
        lines: dict[UUID, list[Any]] = {}
        for line in await db.fetch(LINES):
            lines.setdefault(line["order_id"], []).append(line)
        for order in await db.fetch(ORDERS):
            self.check_order(order, lines[order["id"]])

    before = 0

    def check_order(self, order: Any, lines: list[Any]) -> None:
        assert order["received_minor"] == order["came_in"], order
        assert (
            order["refunded_minor"] == order["given_back"] == sum(line["refunded_minor"] for line in lines)
        ), order
        assert order["completions"] <= 1, order
        if order["charge"] is None:
            assert order["state"] in ("PENDING_PAYMENT", "EXPIRED", "CANCELLED"), order
            assert all(line["cards"] == 0 and line["delivered_quantity"] == 0 for line in lines), lines
            if order["state"] != "PENDING_PAYMENT":
                assert all(line["kept"] == 0 for line in lines), lines
            return
        assert order["charged"] == order["total_minor"] >= order["refunded_minor"], order
        owed = [line["quantity"] - line["delivered_quantity"] - line["withdrawn_quantity"] for line in lines]
        match order["state"]:
            case "COMPLETED":
                assert sum(owed) == 0, lines
                assert order["completions"] == 1, order
            case "REFUNDED":
                assert order["refunded_minor"] == order["total_minor"], order
                assert sum(owed) == 0, lines
            case "PAID" | "DELIVERING" | "PARTLY_DELIVERED":
                # It stands in the list of the staff, since something is owed.
                assert sum(owed) > 0, lines
            case state:
                assert state == "REVIEW", order
                assert order["held"], order
        for line, left in zip(lines, owed, strict=True):
            if line["stock_kind"] == "card":
                assert line["cards"] == line["delivered_quantity"] + line["replaced"], line
            if order["state"] != "REVIEW":
                assert line["kept"] == 0, line
            assert (line["due_at"] is not None) == (left > 0), line


@pytest_asyncio.fixture(loop_scope="session")
async def shop(make_kernel: Kernels) -> Shop:
    """A shop that refunds failed lines after ten minutes, and allows many unpaid orders."""
    return Shop(await make_kernel(fulfilment={"refund_failed_minutes": 10, "max_unpaid_orders": 50}))


@pytest.mark.slow
async def test_no_card_twice_no_cent_lost_no_paid_order_forgotten(shop: Shop) -> None:
    class Here(OrderMachine):
        async def opened(self) -> None:
            # Examples share a shop: what came in before belongs to those before.
            self.before = await self.shop.kernel.db.fetchval(CLEARING)
            await super().opened()

    Here.shop, Here.loop = shop, asyncio.get_running_loop()
    await asyncio.to_thread(
        run_state_machine_as_test,
        Here,
        settings=settings(
            max_examples=20,
            stateful_step_count=25,
            deadline=None,
            suppress_health_check=list(HealthCheck),
            database=None,
        ),
    )
