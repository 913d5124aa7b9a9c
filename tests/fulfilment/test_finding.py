"""Orders are found by whatever is known of them, narrowed down, done the same to, and written to files; all by indexes."""

from __future__ import annotations

import csv
import io
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

import orjson

from kameng.auth import Principal, PrincipalKind
from kameng.graphql.pages import PageRequest
from kameng.ids import global_id, new_id
from kameng.jobs.running import run_job
from kameng_fulfilment.finding.filtering import WantedOrders, choice
from kameng_fulfilment.finding.graphql import NEWEST
from kameng_fulfilment.finding.periods import OrderPeriod, bounds, key_from

from .conftest import OWNER, Shop
from .lives import pay, place, quota, stored

LIST = """
query Found($filter: OrderFilter, $first: Int, $after: String) {
  orders(filter: $filter, first: $first, after: $after) {
    nodes { number }
    pageInfo { hasNextPage endCursor }
  }
}
"""


async def numbers(shop: Shop, principal: Principal = OWNER, **filter: Any) -> list[str]:  # noqa: A002 - GraphQL's name
    answer = await shop.ask("admin", LIST, {"filter": filter}, principal)
    assert answer.errors is None, answer.errors
    return [node["number"] for node in answer.data["orders"]["nodes"]]


async def number_of(shop: Shop, order: UUID) -> str:
    return str(await shop.kernel.db.fetchval("select number from fulfilment_order where id = $1", order))


async def bought(shop: Shop, *lines: tuple[UUID, int]) -> tuple[Principal, str]:
    """A member with an order from the wallet; and its number."""
    member = await shop.member("100")
    return member, await number_of(shop, await place(shop, member, *lines, outside=False))


async def test_a_term_finds_orders_by_number_member_product_and_sku(shop: Shop) -> None:
    pear = await shop.stock("PEAR-1", "9.50", ["P1", "P2", "P3"])
    fig = await shop.stock("FIG-1", "5.00", ["F1", "F2"])
    lin, first = await bought(shop, (pear, 1))
    _, second = await bought(shop, (fig, 1), (pear, 1))
    email = await shop.kernel.db.fetchval("select email from membership_member where id = $1", lin.id)

    assert await numbers(shop) == [second, first]
    assert await numbers(shop, search=first) == [first]
    assert await numbers(shop, search=f" {first[:5].lower()}-{first[5:].lower()} ") == [first]
    assert await numbers(shop, search=email) == [first]
    assert await numbers(shop, search="PEAR-1") == [second, first]
    assert await numbers(shop, search="card fig") == [second]
    assert await numbers(shop, search="nothing of this kind") == []


async def test_a_cards_secret_finds_its_order_for_those_who_may_see_secrets(shop: Shop) -> None:
    pear = await shop.stock("PEAR-1", "9.50", ["AAAA-1111-PEAR"])
    _, number = await bought(shop, (pear, 1))
    reader = Principal(
        kind=PrincipalKind.STAFF, id=new_id(), permissions=frozenset({"fulfilment.read_orders"})
    )

    assert await numbers(shop, search="AAAA-1111-PEAR") == [number]
    assert await numbers(shop, reader, search="AAAA-1111-PEAR") == []
    assert await numbers(shop, reader, search=number) == [number]


async def test_filters_narrow_down_alone_and_together(shop: Shop) -> None:
    pear = await shop.stock("PEAR-1", "9.50", ["P1", "P2", "P3"])
    fig = await quota(shop, 5)
    _, done = await bought(shop, (pear, 1))
    member = await shop.member("100")
    open_ = await number_of(shop, await place(shop, member, (pear, 1)))
    owed_key = await place(shop, member, (fig, 1))
    await pay(shop, owed_key, 500)
    owed = await number_of(shop, owed_key)

    assert await numbers(shop, state="PENDING_PAYMENT") == [open_]
    assert await numbers(shop, needsPerson=True) == [owed]
    assert await numbers(shop, delivery="MANUAL") == [owed]
    assert await numbers(shop, delivery="INSTANT", search="PEAR-1") == [open_, done]
    assert await numbers(shop, period="TODAY", totalFrom="9.50", totalTo="9.50") == [open_, done]
    assert await numbers(shop, period="YESTERDAY") == []
    assert await numbers(shop, until="2001-01-01T00:00:00Z") == []
    assert await numbers(shop, memberId=global_id("Member", member.id or new_id())) == [owed, open_]
    assert await numbers(shop, site="nowhere") == []


async def test_what_would_look_at_all_orders_is_bounded(shop: Shop) -> None:
    pear = await shop.stock("PEAR-1", "9.50", ["P1"])
    _, number = await bought(shop, (pear, 1))
    assert await numbers(shop, totalFrom="5") == [number]
    assert await numbers(shop, search="x") == []

    # an amount alone: of the last 90 days
    chosen = await choice(shop.kernel, OWNER, WantedOrders(total_from=Decimal(5)))
    assert "o.id >= $1" in chosen.sql
    assert (
        "o.id >="
        not in (await choice(shop.kernel, OWNER, WantedOrders(total_from=Decimal(5), search=number))).sql
    )


async def test_pages_of_a_term_follow_each_other(shop: Shop) -> None:
    pear = await shop.stock("PEAR-1", "1.00", [f"P{n}" for n in range(5)])
    member = await shop.member("100")
    placed = [await number_of(shop, await place(shop, member, (pear, 1), outside=False)) for _ in range(5)]

    seen, after = [], None
    for _ in range(3):
        variables = {"filter": {"search": "PEAR-1"}, "first": 2, "after": after}
        page = (await shop.ask("admin", LIST, variables, OWNER)).data["orders"]
        seen += [node["number"] for node in page["nodes"]]
        after = page["pageInfo"]["endCursor"]

    assert seen == placed[::-1]
    assert page["pageInfo"]["hasNextPage"] is False


def test_days_begin_at_midnight_of_the_shops_time_zone() -> None:
    from zoneinfo import ZoneInfo

    zone, now = ZoneInfo("Asia/Shanghai"), datetime(2026, 3, 1, 17, 0, tzinfo=UTC)

    # In Shanghai it is one o'clock of the next day already.
    assert bounds(OrderPeriod.TODAY, zone, now) == (
        datetime(2026, 3, 1, 16, tzinfo=UTC),
        datetime(2026, 3, 2, 16, tzinfo=UTC),
    )
    assert bounds(OrderPeriod.YESTERDAY, zone, now)[0] == datetime(2026, 2, 28, 16, tzinfo=UTC)
    key = new_id()
    moment = datetime.now(UTC)
    assert key_from(moment - timedelta(seconds=10)) < key < key_from(moment + timedelta(seconds=10))


async def test_every_way_to_orders_is_an_index(shop: Shop) -> None:
    # Given many orders of many people and products, with what ANALYZE knows of them
    await shop.kernel.db.execute(FILL_ORDERS)
    await shop.kernel.db.execute(FILL_LINES)
    await shop.kernel.db.execute("analyze fulfilment_order")
    await shop.kernel.db.execute("analyze fulfilment_order_line")
    some = await shop.kernel.db.fetchrow("select id, member, number from fulfilment_order limit 1 offset 999")
    variant = await shop.kernel.db.fetchval("select variant from fulfilment_order_line limit 1 offset 500")
    from kameng_fulfilment.finding.terms import Found

    for wanted in (
        WantedOrders(),
        WantedOrders(found=Found(orders=(some["id"],))),
        WantedOrders(found=Found(members=(some["member"],))),
        WantedOrders(found=Found(variants=(variant,))),
        WantedOrders(found=Found((some["id"],), (some["member"],), (variant,))),
        WantedOrders(state="REFUNDED"),
        WantedOrders(state="REVIEW"),
        WantedOrders(needs_person=True),
        WantedOrders(delivery="manual"),
        WantedOrders(period="YESTERDAY"),
        WantedOrders(site="west"),
        WantedOrders(numbers=(some["number"],)),
    ):
        chosen = await choice(shop.kernel, OWNER, wanted)
        for cursor in (None, _cursor(some["id"])):
            behind, tail, values = PageRequest.of(20, cursor).clauses(NEWEST, len(chosen.values) + 1)
            text = await shop.kernel.db.fetchval(
                f"explain (format json) {chosen.page(behind, tail)}", *chosen.values, *values
            )
            whole = [
                step.get("Relation Name")
                for step in steps(orjson.loads(text)[0]["Plan"])
                if step["Node Type"] == "Seq Scan"
            ]
            # Then no table is read as a whole
            assert whole == [], (wanted, text)


def steps(plan: dict[str, Any]) -> list[dict[str, Any]]:
    """The steps of a plan."""
    return [plan, *(step for part in plan.get("Plans", ()) for step in steps(part))]


def _cursor(key: UUID) -> str:
    from kameng.graphql.pages import write_cursor

    return write_cursor(NEWEST, [key])


FILL_ORDERS = """
insert into fulfilment_order (id, number, member, idempotency_key, fingerprint, state, currency, total_minor, created_at,
    reserved_until, site)
select ('0189' || lpad(to_hex(n), 8, '0') || '70008000000000000000')::uuid, 'N' || lpad(n::text, 12, '0'),
    ('0189000000007000800000000000' || lpad(to_hex(n % 500), 4, '0'))::uuid, 'k' || n, '\\x00',
    case when n % 1000 = 1 then 'REFUNDED' when n % 1000 = 2 then 'REVIEW' when n % 1000 = 3 then 'PAID' else 'COMPLETED' end,
    'CNY', 100, to_timestamp(1690000000 + n), now(), case when n % 900 = 5 then 'west' else '' end
from generate_series(1, 30000) n
"""

FILL_LINES = """
insert into fulfilment_order_line (id, order_id, position, variant, product, sku, titles, quantity, unit_price, total_minor,
    delivery_state, delivery)
select ('0190' || lpad(to_hex(n), 8, '0') || '70008000000000000000')::uuid,
    ('0189' || lpad(to_hex(n), 8, '0') || '70008000000000000000')::uuid, 1,
    ('0189000000007000800000000001' || lpad(to_hex(n % 300), 4, '0'))::uuid, gen_random_uuid(), 'S' || n % 300, '{}', 1, 10000,
    100, 'PENDING', case when n % 1000 = 7 then 'manual' else 'instant' end
from generate_series(1, 30000) n
"""

ACT = """
mutation Act($input: ActOnOrdersInput!) {
  actOnOrders(input: $input) { outcomes { number done code order { state held } } errors { code path } }
}
"""


async def act(
    shop: Shop, action: str, *orders: str, reason: str = "checked by phone"
) -> list[tuple[Any, ...]]:
    variables = {"input": {"numbers": list(orders), "action": action, "reason": reason}}
    answer = await shop.ask("admin", ACT, variables, OWNER)
    assert answer.errors is None, answer.errors
    assert answer.data["actOnOrders"]["errors"] == []
    return [
        (item["number"], item["done"], item["code"], item["order"] and item["order"]["state"])
        for item in answer.data["actOnOrders"]["outcomes"]
    ]


async def test_several_orders_are_held_and_released_each_by_itself(shop: Shop) -> None:
    pear = await shop.stock("PEAR-1", "9.50", ["P1"])
    _, done = await bought(shop, (pear, 1))
    member = await shop.member()
    owed_key = await place(shop, member, (await shop.stock("FIG-1", "5.00", ["F1"]), 1))
    owed = await number_of(shop, owed_key)

    assert await act(shop, "HOLD", done, owed, "NONSENSE") == [
        (done, False, "WRONG_ORDER_STATE", "COMPLETED"),
        (owed, True, None, "PENDING_PAYMENT"),
        ("NONSENSE", False, "INVALID_INPUT", None),
    ]
    await pay(shop, owed_key, 500)
    assert (await stored(shop, owed_key)).state == "REVIEW"
    assert await act(shop, "RELEASE", owed) == [(owed, True, None, "COMPLETED")]


async def test_what_waits_for_stock_is_delivered_again_once_there_is_some(shop: Shop) -> None:
    pear = await shop.stock("PEAR-1", "9.50", ["P1"])
    member = await shop.member()
    key = await place(shop, member, (pear, 1))
    await shop.kernel.db.execute("delete from catalog_reserved_card")
    await pay(shop, key, 950)
    number = await number_of(shop, key)
    assert await act(shop, "REDELIVER", number) == [(number, False, "WRONG_ORDER_STATE", "PAID")]

    await shop.add_cards("PEAR-1", ["P2"])

    assert await act(shop, "REDELIVER", number) == [(number, True, None, "COMPLETED")]


async def test_chosen_orders_are_written_to_a_file_and_the_term_is_kept_nowhere(shop: Shop) -> None:
    pear = await shop.stock("PEAR-1", "9.50", ["AAAA-1111-PEAR", "P2"])
    _, first = await bought(shop, (pear, 1))
    await bought(shop, (pear, 1))
    source = "mutation($input: StartOrderExportInput!) { startOrderExport(input: $input) { job { id } errors { code } } }"

    started = await shop.ask("admin", source, {"input": {"filter": {"search": "AAAA-1111-PEAR"}}}, OWNER)
    assert started.data["startOrderExport"]["errors"] == [], started
    job = await shop.kernel.db.fetchval("select id from kernel_job where kind = 'fulfilment.export_orders'")
    await run_job(shop.kernel, str(job))

    file = await shop.kernel.jobs.files.of_role(job, "output")
    assert file is not None
    with await shop.kernel.jobs.files.open(file) as content:
        rows = list(csv.DictReader(io.StringIO(content.read().decode("utf-8-sig"))))
    assert [(row["number"], row["sku"], row["total"], row["line_total"]) for row in rows] == [
        (first, "PEAR-1", "9.50", "9.50")
    ]
    written = await shop.kernel.db.fetchval("select string_agg(details::text, ' ') from kernel_audit")
    assert "AAAA-1111" not in written
    assert "AAAA-1111" not in await shop.kernel.db.fetchval(
        "select input::text from kernel_job where id = $1", job
    )
