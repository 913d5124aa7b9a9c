"""The service desk: claims of many at once, deadlines that are told once, delivering and failing."""

from __future__ import annotations

import asyncio
from uuid import UUID

import pytest

from kameng.auth import Principal
from kameng.graphql import Context
from kameng.ids import global_id
from kameng.tasks import drain
from kameng.testing.clients import Client, a_clerk
from kameng_fulfilment.holding import hold
from kameng_fulfilment.refunding import refund_order
from kameng_fulfilment.service_desk import working
from kameng_fulfilment.service_desk.brings import watch_services
from kameng_fulfilment.service_desk.working import NothingToServe, Service, ServiceClaimed, ServiceNotClaimed
from kameng_fulfilment.states import WrongDeliveryState

from . import lives
from .conftest import Shop

QUEUE = """
query($queue: ServiceQueue!) {
  services(queue: $queue, first: 10) {
    nodes { id dueBy overdue claimedBy order { number } line { sku quantity answers { value } deliveryState } }
  }
}
"""


def at(shop: Shop, principal: Principal | None = None) -> Context:
    return Context(shop.kernel, principal=principal or a_clerk("*"), schema="admin")


async def served(shop: Shop, quantity: int = 1, sku: str = "SERVICE") -> tuple[UUID, UUID]:
    """A paid order whose line the staff deliver; order and line."""
    variant = await shop.stock(sku, "5", [])
    await shop.kernel.db.execute(
        "update catalog_variant set delivery = 'manual', stock_kind = 'unlimited' where id = $1", variant
    )
    order = await lives.place(shop, await shop.member("100"), (variant, quantity), outside=False)
    (line,) = await lives.lines(shop, order)
    return order, line.id


async def texts(shop: Shop, line: UUID) -> list[str]:
    rows = await shop.kernel.db.fetch(
        "select * from fulfilment_delivered_text where line = $1 order by id", line
    )
    opened = await shop.kernel.vault.open_many(
        [(row["data_key"], row["sealed"], line.bytes + row["id"].bytes) for row in rows]
    )
    return [text.decode() for text in opened]


async def test_paid_lines_come_onto_the_desk_with_their_deadline(shop: Shop) -> None:
    order, line = await served(shop)
    await drain(shop.kernel)
    row = await shop.kernel.db.fetchrow(
        """select extract(epoch from s.due_by - l.due_at)::int as seconds from fulfilment_service s
           join fulfilment_order_line l on l.id = s.line where l.id = $1""",
        line,
    )
    assert row["seconds"] == 120 * 60
    admin = Client(shop.kernel, "admin", a_clerk("fulfilment.serve_orders"))
    (node,) = (await admin(QUEUE, {"queue": "WAITING"}))["services"]["nodes"]
    assert node["order"]["number"] == (await lives.stored(shop, order)).number
    assert (node["line"]["sku"], node["overdue"], node["claimedBy"]) == ("SERVICE", False, None)


async def test_two_who_claim_at_once_get_one_line(shop: Shop) -> None:
    # Given one line and eight of the staff
    _, line = await served(shop)
    # When all claim it at once
    answers = await asyncio.gather(*(working.claim(at(shop), line) for _ in range(8)), return_exceptions=True)
    # Then one has it, and the others are told so
    assert sum(isinstance(answer, Service) for answer in answers) == 1
    assert sum(isinstance(answer, ServiceClaimed) for answer in answers) == 7
    assert (
        await lives.lines(shop, (await shop.kernel.db.fetchval("select order_id from fulfilment_order_line")))
    )[0].delivery_state == "DELIVERING"


async def test_three_who_take_the_next_one_get_three(shop: Shop) -> None:
    lines = {(await served(shop, sku=f"S{number}"))[1] for number in range(3)}
    taken = await asyncio.gather(*(working.claim_next(at(shop)) for _ in range(3)))
    assert {service.line for service in taken} == lines
    with pytest.raises(NothingToServe):
        await working.claim_next(at(shop))


async def test_a_claim_runs_out_and_its_owner_delivers_no_more_once_somebody_else_has_it(shop: Shop) -> None:
    _, line = await served(shop)
    ann, bob = at(shop), at(shop)
    await working.claim(ann, line)
    with pytest.raises(ServiceClaimed):
        await working.claim(bob, line)
    await shop.kernel.db.execute("update fulfilment_service set claimed_until = now() - interval '1 second'")
    await working.claim(bob, line)
    with pytest.raises(ServiceNotClaimed):
        await working.deliver(ann, line, ["from Ann"])
    await working.deliver(bob, line, ["from Bob"])
    assert await texts(shop, line) == ["from Bob"]


async def test_a_line_is_delivered_in_parts_and_leaves_the_desk(shop: Shop) -> None:
    order, line = await served(shop, 3)
    ann = at(shop)
    with pytest.raises(ServiceNotClaimed):
        await working.deliver(ann, line, ["a"], 1)
    await working.claim(ann, line)
    first = await working.deliver(ann, line, ["a"], 1)
    assert (first.closed_at, await lives.state(shop, order)) == (None, "PARTLY_DELIVERED")
    with pytest.raises(WrongDeliveryState):
        await working.deliver(ann, line, ["b"], 3)
    last = await working.deliver(ann, line, ["b", "c"])
    assert last.closed_at is not None
    assert (await texts(shop, line), await lives.state(shop, order)) == (["a", "b", "c"], "COMPLETED")


async def test_a_double_click_delivers_once(shop: Shop) -> None:
    _, line = await served(shop, 2)
    ann = a_clerk("fulfilment.serve_orders")
    admin = Client(shop.kernel, "admin", ann)
    await working.claim(at(shop, ann), line)
    deliver = """
    mutation($input: DeliverServiceInput!) {
      deliverService(input: $input) @idempotent(key: "once") { service { id } errors { code } }
    }
    """
    value = {"serviceId": global_id("Service", line), "texts": ["a"], "quantity": 1}
    answers = await asyncio.gather(*(admin.answer(deliver, {"input": value}) for _ in range(4)))
    assert any(answer.data and answer.data["deliverService"]["errors"] == [] for answer in answers)
    assert await texts(shop, line) == ["a"]


async def test_what_fails_goes_to_the_rule_and_can_be_claimed_again(shop: Shop) -> None:
    order, line = await served(shop)
    ann = at(shop)
    await working.claim(ann, line)
    await working.fail(ann, line, "the account does not exist")
    (stored,) = await lives.lines(shop, order)
    assert (stored.delivery_state, stored.failure) == ("FAILED", "the account does not exist")
    admin = Client(shop.kernel, "admin", a_clerk("fulfilment.serve_orders"))
    assert len((await admin(QUEUE, {"queue": "FAILED"}))["services"]["nodes"]) == 1
    assert (await admin(QUEUE, {"queue": "WAITING"}))["services"]["nodes"] == []
    bob = at(shop)
    await working.claim(bob, line)
    await working.deliver(bob, line, [])
    assert await lives.state(shop, order) == "COMPLETED"


async def test_what_is_overdue_is_told_once(shop: Shop) -> None:
    order, line = await served(shop)
    _, late = await served(shop, sku="GONE")
    await drain(shop.kernel)
    # Given one line that is late, and one that is late and was refunded
    await shop.kernel.db.execute("update fulfilment_service set due_by = now() - interval '1 minute'")
    gone = await shop.kernel.db.fetchval("select order_id from fulfilment_order_line where id = $1", late)
    await refund_order(shop.kernel, gone, [], key="r", actor="staff:x", reason="sorry")
    # When it is looked at, twice at once and once more
    await asyncio.gather(watch_services(shop.kernel), watch_services(shop.kernel))
    await watch_services(shop.kernel)
    # Then one was told of, once
    rows = await shop.kernel.db.fetch(
        "select payload->>'line' as line from kernel_outbox where topic = 'fulfilment.service_overdue'"
    )
    assert [row["line"] for row in rows] == [str(line)]
    admin = Client(shop.kernel, "admin", a_clerk("fulfilment.serve_orders"))
    (node,) = (await admin(QUEUE, {"queue": "OVERDUE"}))["services"]["nodes"]
    assert (node["overdue"], node["order"]["number"]) == (True, (await lives.stored(shop, order)).number)


async def test_a_variant_has_its_own_time(shop: Shop) -> None:
    variant = await shop.stock("QUICK", "5", [])
    await working.set_service_time(at(shop), variant, 10)
    await shop.kernel.db.execute(
        "update catalog_variant set delivery = 'manual', stock_kind = 'unlimited' where id = $1", variant
    )
    order = await lives.place(shop, await shop.member("100"), (variant, 1), outside=False)
    (line,) = await lives.lines(shop, order)
    service = await working.claim(at(shop), line.id)
    due = await shop.kernel.db.fetchval("select due_at from fulfilment_order_line where id = $1", line.id)
    assert (service.due_by - due).total_seconds() == 600


async def test_a_held_order_is_served_to_nobody(shop: Shop) -> None:
    order, line = await served(shop)
    await hold(shop.kernel, order, "staff:x", "looks odd")
    with pytest.raises(WrongDeliveryState):
        await working.claim(at(shop), line)
    with pytest.raises(NothingToServe):
        await working.claim_next(at(shop))


async def test_refund_and_delivery_at_once_give_the_money_and_the_goods_never_twice(shop: Shop) -> None:
    for number in range(4):
        order, line = await served(shop, sku=f"R{number}")
        ann = at(shop)
        await working.claim(ann, line)
        delivered, _ = await asyncio.gather(
            working.deliver(ann, line, ["a"]),
            refund_order(shop.kernel, order, [], key="r", actor="staff:x", reason="sorry"),
            return_exceptions=True,
        )
        assert await lives.state(shop, order) == "REFUNDED"
        if isinstance(delivered, Service):
            assert await texts(shop, line) == ["a"]
        else:
            assert isinstance(delivered, WrongDeliveryState)
            assert await texts(shop, line) == []


async def test_releasing_is_for_ones_own_unless_one_manages_the_desk(shop: Shop) -> None:
    _, line = await served(shop)
    ann, bob = a_clerk("fulfilment.serve_orders"), a_clerk("fulfilment.serve_orders")
    boss = a_clerk("fulfilment.serve_orders", "fulfilment.manage_service_desk")
    await working.claim(at(shop, ann), line)
    release = (
        "mutation($id: ID!) { releaseService(serviceId: $id) { service { claimedBy } errors { code } } }"
    )
    value = {"id": global_id("Service", line)}
    assert (await Client(shop.kernel, "admin", bob)(release, value))["releaseService"]["errors"] == [
        {"code": "SERVICE_NOT_CLAIMED"}
    ]
    assert (await Client(shop.kernel, "admin", boss)(release, value))["releaseService"]["service"] == {
        "claimedBy": None
    }
    await working.claim(at(shop, bob), line)
