"""Whatever happens to stock, in whatever order and how many at once: no piece is sold twice, and none is lost."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from dataclasses import dataclass
from typing import Any, TypeVar
from uuid import UUID

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test

from kameng.errors import Conflict, InvalidInput
from kameng_catalog.batches import BatchState, set_batch_state, settle_batches
from kameng_catalog.contract import RetireRequest
from kameng_catalog.counting import adjust_stock
from kameng_catalog.stock import expire_cards

from .conftest import Shop
from .stocking import check_stock, desk, left, pay, put_back, quota, release, reusable, secrets, take

T = TypeVar("T")

KINDS = ("card", "expiring", "quota", "reusable")
GONE = "select coalesce(-sum(quantity), 0) from catalog_stock_movement where kind in ('expiry', 'recall')"
FATES = """
    select m.line, sum(-m.quantity) as pieces,
        (select count(*) from catalog_sold_card s where s.line = m.line) as cards,
        (select coalesce(sum(quantity - returned), 0) from catalog_sold_piece s where s.line = m.line) as counted
    from catalog_stock_movement m where m.kind in ('sale', 'return') group by m.line
"""
SOUND = """
    select r.kind <> 'card' or r.quantity = (
        select count(*) from catalog_reserved_card c
        where c.line = r.line and (c.expires_on is null or c.expires_on >= (now() at time zone 'Asia/Shanghai')::date)
    )
    from catalog_reservation r where r.line = $1
"""

kinds = st.sampled_from(KINDS)
pieces = st.integers(1, 4)
which = st.integers(0, 1_000)
wishes = st.tuples(kinds, pieces, st.sampled_from(["buy", "reserve", "look"]))


@dataclass
class Line:
    """What a line should have: kept for it, sold to it, or given back."""

    kind: str
    pieces: int
    state: str


class StockMachine(RuleBasedStateMachine):
    """Stock of four kinds, with as many clients as a step has wishes. Hypothesis calls from a thread of its own."""

    shop: Shop
    loop: asyncio.AbstractEventLoop
    example = 0

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        return asyncio.run_coroutine_threadsafe(work, self.loop).result(120)

    @initialize()
    def open(self) -> None:
        self.run(self.opened())

    async def opened(self) -> None:
        StockMachine.example += 1
        name = f"M-{StockMachine.example}"
        self.lines: dict[UUID, Line] = {}
        self.secrets: dict[str, UUID] = {}
        self.batches: list[UUID] = []
        self.recalled: set[UUID] = set()
        self.variants = {
            "card": await self.shop.stocked(f"{name}-C"),
            "expiring": await self.shop.stocked(f"{name}-E"),
            "quota": await quota(self.shop, 6, f"{name}-Q"),
            "reusable": await reusable(self.shop, 6, f"{name}-R", f"{name}-shared"),
        }
        await self.shop.kernel.db.execute(
            "update catalog_variant set picking = 'soonest_expiring' where id = $1", self.variants["expiring"]
        )
        for sku in (f"{name}-C", f"{name}-C", f"{name}-E"):
            report = await self.shop.cards(sku, 4)
            assert report.batch is not None
            self.batches.append(report.batch)

    # -- what buyers do ------------------------------------------------------------------------------------------

    @rule(wish=wishes)
    def one_comes(self, wish: tuple[str, int, Any]) -> None:
        before = self.run(left(self.shop, self.variants[wish[0]]))
        line = self.run(self.come(wish))
        # Alone, somebody is refused only if there is too little.
        assert (line is None) == (wish[2] == "look" or before < wish[1])

    @rule(many=st.lists(wishes, min_size=2, max_size=10))
    def many_come(self, many: list[tuple[str, int, Any]]) -> None:
        self.run(self.together([self.come(wish) for wish in many]))

    async def come(self, wish: tuple[str, int, Any]) -> UUID | None:
        kind, quantity, how = wish
        line = await take(self.shop, self.variants[kind], quantity, how)
        if isinstance(line, str) or how == "look":
            return None
        self.lines[line] = Line(kind, quantity, "sold" if how == "buy" else "reserved")
        return line

    def chosen(self, state: str, place: int) -> UUID | None:
        lines = [key for key, line in self.lines.items() if line.state == state]
        return lines[place % len(lines)] if lines else None

    @rule(place=which)
    def a_line_is_paid(self, place: int) -> None:
        if line := self.chosen("reserved", place):
            sound = self.run(self.shop.kernel.db.fetchval(SOUND, line))
            assert self.run(self.paid(line)) is sound

    @rule(place=which)
    def a_line_is_released(self, place: int) -> None:
        if line := self.chosen("reserved", place):
            self.run(self.released(line))

    @rule(place=which, twice=st.booleans())
    def a_line_is_paid_and_released_at_once(self, place: int, twice: bool) -> None:
        if line := self.chosen("reserved", place):
            work = [self.paid(line), self.released(line)]
            self.run(self.together([*work, self.paid(line)] if twice else work))

    @rule(place=which)
    def a_line_is_paid_back_twice(self, place: int) -> None:
        if line := self.chosen("sold", place):
            self.run(self.together([put_back(self.shop, line), put_back(self.shop, line)]))
            if self.lines[line].kind == "quota":
                self.lines[line].state = "returned"

    @rule(place=which)
    def a_card_turns_out_to_be_bad(self, place: int) -> None:
        if (line := self.chosen("sold", place)) and self.lines[line].kind != "quota":
            self.run(self.retired(line))

    async def paid(self, line: UUID) -> bool:
        whole = line in await pay(self.shop, line)
        if whole:
            self.lines[line].state = "sold"
        return whole

    async def released(self, line: UUID) -> None:
        await release(self.shop, line)
        if self.lines[line].state == "reserved":
            self.lines[line].state = "released"

    async def retired(self, line: UUID) -> None:
        [first, *_] = await self.shop.stock.sold_cards([line])
        async with self.shop.kernel.db.transaction():
            await self.shop.stock.retire(
                [RetireRequest(line=line, key=first.key, reason="used", by="staff:1")]
            )
        assert (await self.shop.stock.sold_cards([line]))[0].retired

    # -- what the staff and the worker do ------------------------------------------------------------------------

    @rule(place=which, state=st.sampled_from(["sellable", "quarantined", "quarantined", "recalled"]))
    def a_batch_changes(self, place: int, state: BatchState) -> None:
        self.run(self.put(place, state))

    @rule(
        place=which,
        state=st.sampled_from(["sellable", "quarantined"]),
        many=st.lists(wishes, min_size=1, max_size=6),
        line=which,
    )
    def a_batch_changes_amid_buyers(
        self, place: int, state: BatchState, many: list[tuple[str, int, Any]], line: int
    ) -> None:
        work: list[Coroutine[Any, Any, Any]] = [self.put(place, state), *(self.come(wish) for wish in many)]
        if kept := self.chosen("reserved", line):
            work += [self.released(kept)]
        self.run(self.together(work))

    async def put(self, place: int, state: BatchState) -> None:
        batch = self.batches[place % len(self.batches)]
        try:
            await set_batch_state(desk(self.shop), batch, state, "tried")
        except Conflict:
            assert batch in self.recalled
        if state == "recalled":
            self.recalled.add(batch)

    @rule(place=which, where=st.sampled_from(["free", "reserved", "quarantined"]))
    def a_card_expires(self, place: int, where: str) -> None:
        self.run(
            self.shop.kernel.db.execute(
                f"update catalog_{where}_card set expires_on = current_date - 2 where card ="
                f" (select card from catalog_{where}_card order by card offset $1 limit 1)",
                place % 3,
            )
        )

    @rule()
    def the_worker_comes_by(self) -> None:
        self.run(expire_cards(self.shop.kernel))
        self.run(settle_batches(self.shop.kernel))

    @rule(kind=st.sampled_from(["quota", "reusable"]), change=st.integers(-3, 3))
    def somebody_counts(self, kind: str, change: int) -> None:
        before = self.run(left(self.shop, self.variants[kind]))
        try:
            after = self.run(adjust_stock(desk(self.shop), self.variants[kind], "counted", by=change))
        except InvalidInput:
            assert before + change < 0
        else:
            assert after == before + change == self.run(left(self.shop, self.variants[kind]))

    async def together(self, work: list[Coroutine[Any, Any, Any]]) -> None:
        await asyncio.gather(*work)

    # -- what is always true -------------------------------------------------------------------------------------

    @invariant()
    def nothing_is_lost(self) -> None:
        if hasattr(self, "variants"):
            self.run(self.checked())

    async def checked(self) -> None:
        db = self.shop.kernel.db
        await check_stock(self.shop, gone=await db.fetchval(GONE))
        fates = {row["line"]: row for row in await db.fetch(FATES)}
        reserved = {row["line"] for row in await db.fetch("select line from catalog_reservation")}
        for key, line in self.lines.items():
            fate = fates.get(key)
            assert (key in reserved) == (line.state == "reserved"), line
            sold = line.pieces if line.state == "sold" else 0
            assert (0 if fate is None else fate["pieces"]) == sold, line
            if fate is not None:
                assert fate["cards"] + fate["counted"] == sold, line
        # A secret belongs to one line for ever.
        for key, line in self.lines.items():
            if line.state == "sold" and line.kind in ("card", "expiring"):
                for secret in await secrets(self.shop, key):
                    assert self.secrets.setdefault(secret, key) == key


@pytest.mark.slow
async def test_nothing_is_sold_twice_or_lost(shop: Shop) -> None:
    class Here(StockMachine):
        pass

    Here.shop, Here.loop = shop, asyncio.get_running_loop()
    await asyncio.to_thread(
        run_state_machine_as_test,
        Here,
        settings=settings(
            max_examples=25,
            stateful_step_count=20,
            deadline=None,
            suppress_health_check=list(HealthCheck),
            database=None,
        ),
    )
