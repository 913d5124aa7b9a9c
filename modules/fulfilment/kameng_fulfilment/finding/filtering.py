"""Which orders are wanted, as SQL whose every way into the table of orders is an index."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from typing import TYPE_CHECKING
from uuid import UUID

import msgspec

from kameng.errors import InvalidInput
from kameng.money import Money
from kameng.themes.themes import time_zone
from kameng_fulfilment.attention import UNFINISHED
from kameng_fulfilment.finding.periods import SLACK, OrderPeriod, bounds, key_from
from kameng_fulfilment.finding.terms import Found, meanings

if TYPE_CHECKING:
    from zoneinfo import ZoneInfo

    from kameng.auth import Principal
    from kameng.kernel import Kernel

DELIVERIES = ("instant", "manual", "supplier")


class WantedOrders(msgspec.Struct, frozen=True, kw_only=True):
    """Which orders; what is empty asks for nothing, and conditions add up.

    Attributes:
        search: a term, see `terms`.
        state: the order's.
        member: its buyer.
        delivery: how at least one of its lines is delivered: ``instant``, ``manual`` or ``supplier``.
        period: days that move with today; `since` and `until` narrow it down further.
        since, until: when it was placed: from then on, and before then.
        total_from, total_to: what it cost, both included, in main units of `currency`; without a time or anything that
            names orders, of the last 90 days.
        currency: ISO 4217.
        site: the code of the site that it was placed in.
        needs_person: only paid ones of which something is owed.
        numbers: only these; an empty one: none at all.
        found: what `search` stands for, if somebody has looked it up before.
    """

    search: str = ""
    state: str = ""
    member: UUID | None = None
    delivery: str = ""
    period: str = ""
    since: datetime | None = None
    until: datetime | None = None
    total_from: Decimal | None = None
    total_to: Decimal | None = None
    currency: str = "CNY"
    site: str = ""
    needs_person: bool = False
    numbers: tuple[str, ...] | None = None
    found: Found | None = None


class OrderChoice(msgspec.Struct, frozen=True):
    """Orders, as SQL on ``fulfilment_order o`` that has the places of a page's condition and order in it.

    Attributes:
        sql: the statement.
        values: its parameters; those of the page come after them.
    """

    sql: str
    values: tuple[object, ...]

    def page(self, behind: str, tail: str) -> str:
        """The statement of one page, as `kameng.graphql.pages.PageRequest.clauses` gives its parts."""
        # By the line's key of the order, so that the index of lines by variant gives them in order.
        by_line = tail.replace("o.id", "l.order_id")
        return self.sql.replace("{behind}", behind).replace("{tail}", tail).replace("{line_tail}", by_line)


async def choice(
    kernel: Kernel, principal: Principal, wanted: WantedOrders, now: datetime | None = None
) -> OrderChoice:
    """The orders that are wanted.

    Raises:
        InvalidInput: an amount is none of its currency, or there is no such kind of delivery.
    """
    zone = time_zone(kernel.settings)
    conditions, values = _conditions(wanted, zone, now or datetime.now(UTC))
    where = " and ".join(["{behind}", *conditions])
    found = wanted.found
    if found is None and wanted.search.strip():
        found = await meanings(kernel, principal, wanted.search)
    if found is None:
        return OrderChoice(f"select o.* from fulfilment_order o where {where} {{tail}}", tuple(values))
    # Each way takes no more than the page holds, in its order, so that a member or a product with a million orders costs
    # what one with ten does.
    ways: list[str] = []
    if found.orders:
        values.append(list(found.orders))
        ways.append(
            f"(select o.id from fulfilment_order o where o.id = any(${len(values)}::uuid[]) and {where} {{tail}})"
        )
    if found.members:
        values.append(list(found.members))
        ways.append(
            f"(select x.id from unnest(${len(values)}::uuid[]) as m (id) cross join lateral"
            f" (select o.id from fulfilment_order o where o.member = m.id and {where} {{tail}}) x)"
        )
    if found.variants:
        values.append(list(found.variants))
        ways.append(
            f"(select x.id from unnest(${len(values)}::uuid[]) as v (id) cross join lateral"
            f" (select o.id from fulfilment_order_line l join fulfilment_order o on o.id = l.order_id"
            f" where l.variant = v.id and {where} {{line_tail}}) x)"
        )
    if not ways:
        return OrderChoice(
            "select o.* from fulfilment_order o where false and {behind} {tail}", tuple(values)
        )
    return OrderChoice(
        f"select o.* from fulfilment_order o where o.id in ({' union '.join(ways)}) {{tail}}", tuple(values)
    )


def _conditions(wanted: WantedOrders, zone: ZoneInfo, now: datetime) -> tuple[list[str], list[object]]:
    conditions: list[str] = []
    values: list[object] = []

    def add(condition: str, value: object) -> None:
        values.append(value)
        conditions.append(condition.format(f"${len(values)}"))

    since, until = _times(wanted, zone, now)
    has_total = wanted.total_from is not None or wanted.total_to is not None
    if has_total and since is None and not _narrow(wanted):
        # An amount alone would have all orders looked at that were ever placed.
        since = bounds(OrderPeriod.LAST_90_DAYS, zone, now)[0]
    if wanted.needs_person:
        conditions.append(f"o.{UNFINISHED}")
    if wanted.state:
        # A literal, so that the indexes of unfinished and of ended orders can be used.
        conditions.append(f"o.state = '{_plain(wanted.state)}'")
    if wanted.member is not None:
        add("o.member = {}::uuid", wanted.member)
    if wanted.numbers is not None:
        add("o.number = any({}::text[])", list(wanted.numbers))
    if wanted.site:
        # The index of orders by site holds those of other sites than the operator's own.
        conditions.append("o.site <> ''")
        add("o.site = {}", wanted.site)
    if wanted.delivery:
        if wanted.delivery not in DELIVERIES:
            raise InvalidInput("This is no kind of delivery.", cure=f"Take one of {', '.join(DELIVERIES)}.")
        conditions.append(
            "exists (select from fulfilment_order_line k where k.order_id = o.id"
            f" and k.delivery = '{wanted.delivery}')"
        )
    # Keys grow with time, so a stretch of time is a stretch of the primary key.
    if since is not None:
        add("o.id >= {}::uuid", key_from(since - SLACK))
        add("o.created_at >= {}::timestamptz", since)
    if until is not None:
        add("o.id < {}::uuid", key_from(until + SLACK))
        add("o.created_at < {}::timestamptz", until)
    if has_total:
        add("o.currency = {}", wanted.currency)
        if wanted.total_from is not None:
            add("o.total_minor >= {}::bigint", Money.parse(wanted.total_from, wanted.currency).minor)
        if wanted.total_to is not None:
            add("o.total_minor <= {}::bigint", Money.parse(wanted.total_to, wanted.currency).minor)
    return conditions, values


def _narrow(wanted: WantedOrders) -> bool:
    return bool(wanted.search.strip() or wanted.found or wanted.member or wanted.numbers is not None)


def _times(wanted: WantedOrders, zone: ZoneInfo, now: datetime) -> tuple[datetime | None, datetime | None]:
    since, until = wanted.since, wanted.until
    if wanted.period:
        first, behind = bounds(OrderPeriod(wanted.period), zone, now)
        since = max(first, since) if since else first
        until = min(behind, until) if until else behind
    return since, until


def _plain(state: str) -> str:
    if not state.replace("_", "").isalpha():
        raise InvalidInput("This is no state of orders.", cure="Take one of OrderState.")
    return state
