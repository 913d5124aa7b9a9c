"""The life of orders through GraphQL: what buyers and the staff may do, and what each of them sees."""

from __future__ import annotations

from typing import Any

import pytest

from kameng.auth import Principal, PrincipalKind
from kameng.db import counted_statements
from kameng.ids import global_id, new_id
from kameng_fulfilment import permissions
from kameng_fulfilment.attention import UNFINISHED

from . import lives
from .conftest import OWNER, Shop

ORDER = """
query($number: String!) { order(number: $number) {
  state payment reservedUntil refunded { amount }
  history { kind fromState toState note amount { amount } }
  tickets { id state answer evidence }
  lines { position deliveryState deliveredQuantity refundedQuantity refunded { amount }
          cards { key secret retired } texts deliveryNote }
} }
"""

STAFF_ORDER = """
query($number: String!) { order(number: $number) {
  state held received { amount } attention history { kind note actor } lines { failure }
} }
"""


def act(name: str, answer: str = "order { state }") -> str:
    """A mutation of that name."""
    kind = name[0].upper() + name[1:]
    kind = {"CancelOrder": "OrderReason", "HoldOrder": "OrderReason", "ReleaseOrder": "OrderReason"}.get(
        kind, kind
    )
    kind = "TicketAnswer" if "Ticket" in kind and kind not in ("OpenTicket", "WithdrawTicket") else kind
    return (
        f"mutation($input: {kind}Input!, $key: String!) {{"
        f" {name}(input: $input) @idempotent(key: $key) {{ {answer} errors {{ code path }} }} }}"
    )


async def staff(shop: Shop, name: str, value: dict[str, Any], *, by: Principal = OWNER, **more: Any) -> Any:
    """What a mutation of the staff answers."""
    key = more.pop("key", None) or str(new_id())
    answer = await shop.ask("admin", act(name, **more), {"input": value, "key": key}, by)
    assert answer.errors is None, answer.errors
    return answer.data[name]


async def buyers(shop: Shop, member: Principal, name: str, value: dict[str, Any], answer: str) -> Any:
    """What a mutation of the shop answers."""
    source = act(name, answer).replace("OrderReasonInput", "CancelOrderInput")
    given = await shop.ask("shop", source, {"input": value, "key": str(new_id())}, member)
    assert given.errors is None, given.errors
    return given.data[name]


async def seen(shop: Shop, member: Principal, number: str) -> Any:
    """The order as its buyer sees it."""
    answer = await shop.ask("shop", ORDER, {"number": number}, member)
    assert answer.errors is None, answer.errors
    return answer.data["order"]


async def managed(shop: Shop, number: str) -> Any:
    """The order as the staff sees it."""
    answer = await shop.ask("admin", STAFF_ORDER, {"number": number}, OWNER)
    assert answer.errors is None, answer.errors
    return answer.data["order"]


async def test_an_order_is_placed_for_outside_payment_and_confirmed_by_the_staff(shop: Shop) -> None:
    # Given an order that waits for its payment
    variant = await shop.stock("CARD", "5", ["SECRET"])
    ann = await shop.member()
    placed = (await shop.buy(ann, (variant, 1), payment="OUTSIDE"))["order"]
    assert (placed["state"], placed["lines"][0]["cards"]) == ("PENDING_PAYMENT", [])
    assert (await seen(shop, ann, placed["number"]))["reservedUntil"] is not None
    # When somebody of the staff confirms it
    value = {
        "number": placed["number"],
        "amount": {"amount": "5.00", "currency": "CNY"},
        "reference": "B-1",
        "reason": "seen in the bank's app",
    }
    answer = await staff(shop, "confirmPayment", value, answer="order { state } outcome")
    assert answer == {"order": {"state": "PENDING_PAYMENT"}, "outcome": None, "errors": []}
    # Then he cannot be the second one too, and the second one cannot say anything else
    answer = await staff(shop, "confirmPayment", value, answer="outcome")
    assert [error["code"] for error in answer["errors"]] == ["SAME_PERSON"]
    second = Principal(kind=PrincipalKind.STAFF, id=new_id(), permissions=frozenset({"*"}))
    less = {**value, "amount": {"amount": "4.00", "currency": "CNY"}}
    answer = await staff(shop, "confirmPayment", less, by=second, answer="outcome")
    assert [error["code"] for error in answer["errors"]] == ["CONFIRMATION_DIFFERS"]
    # When a second one confirms the same, twice
    for _ in range(2):
        answer = await staff(shop, "confirmPayment", value, by=second, answer="order { state } outcome")
        assert answer == {"order": {"state": "COMPLETED"}, "outcome": "PAID", "errors": []}
    # Then it is delivered once, and the audit log tells of both
    order = await seen(shop, ann, placed["number"])
    assert [card["secret"] for card in order["lines"][0]["cards"]] == ["SECRET"]
    assert [entry["kind"] for entry in order["history"]] == ["STATE", "PAYMENT", "STATE", "DELIVERY", "STATE"]
    assert (
        await shop.kernel.db.fetchval(
            "select count(*) from kernel_audit where action = 'fulfilment.confirm_payment'"
        )
        == 2
    )
    # And its reference does not pay another order
    other = (await shop.buy(ann, (await shop.stock("TWO", "5", ["x"]), 1), payment="OUTSIDE"))["order"]
    await staff(shop, "confirmPayment", {**value, "number": other["number"]}, by=second, answer="outcome")
    answer = await staff(shop, "confirmPayment", {**value, "number": other["number"]}, answer="outcome")
    assert [error["code"] for error in answer["errors"]] == ["CONFLICT"]


async def test_buyers_call_their_own_unpaid_orders_off(shop: Shop) -> None:
    variant = await shop.stock("CARD", "5", ["a"])
    ann, bob = await shop.member(), await shop.member()
    number = (await shop.buy(ann, (variant, 1), payment="OUTSIDE"))["order"]["number"]
    answer = await buyers(shop, bob, "cancelOrder", {"number": number}, "order { state }")
    assert answer["errors"][0]["code"] == "NOT_FOUND"
    answer = await buyers(shop, ann, "cancelOrder", {"number": number}, "order { state }")
    assert answer == {"order": {"state": "CANCELLED"}, "errors": []}
    answer = await buyers(shop, ann, "cancelOrder", {"number": number}, "order { state }")
    assert answer["errors"][0]["code"] == "WRONG_ORDER_STATE"


async def test_too_many_unpaid_orders_are_told(shop: Shop) -> None:
    variant = await shop.stock("CARD", "5", [f"c{n}" for n in range(9)])
    ann = await shop.member()
    for _ in range(5):
        assert (await shop.buy(ann, (variant, 1), payment="OUTSIDE"))["errors"] == []
    payload = await shop.buy(ann, (variant, 1), payment="OUTSIDE")
    assert payload["errors"][0]["code"] == "TOO_MANY_UNPAID_ORDERS"


async def test_a_held_order_shows_the_buyer_neither_goods_nor_reasons(shop: Shop) -> None:
    # Given an order of which one line is delivered and one is not, and which is held
    card, service = await shop.stock("CARD", "5", ["SECRET"]), await shop.stock("SERVICE", "5", ["x"])
    await lives.delivery(shop, service, "manual")
    ann = await shop.member("10")
    number = (await shop.buy(ann, (card, 1), (service, 1)))["order"]["number"]
    held = await staff(shop, "holdOrder", {"number": number, "reason": "stolen card?"})
    assert held["order"]["state"] == "REVIEW"
    order = await seen(shop, ann, number)
    assert [line["cards"] for line in order["lines"]] == [[], []]
    assert "stolen" not in str(order)
    # The staff sees why
    told = await managed(shop, number)
    assert (told["held"], told["attention"]) == (True, ["REVIEW", "TO_DELIVER"])
    assert [e["actor"] for e in told["history"] if "stolen" in e["note"]] == [OWNER.key]
    # It cannot be delivered until it is let go
    deliver = {"number": number, "position": 2, "texts": ["code"]}
    assert (await staff(shop, "deliverLine", deliver))["errors"][0]["code"] == "WRONG_ORDER_STATE"
    assert (await staff(shop, "releaseOrder", {"number": number, "reason": "ok"}))["errors"] == []
    assert (await staff(shop, "deliverLine", deliver))["order"]["state"] == "COMPLETED"
    order = await seen(shop, ann, number)
    assert (order["lines"][0]["cards"][0]["secret"], order["lines"][1]["texts"]) == ("SECRET", ["code"])


async def test_orders_that_need_a_person_are_listed_with_their_reasons(shop: Shop) -> None:
    service = await shop.stock("SERVICE", "5", ["x", "y", "z"])
    await lives.delivery(shop, service, "supplier")
    ann = await shop.member("20")
    failed = (await shop.buy(ann, (service, 1)))["order"]["number"]
    waiting = (await shop.buy(ann, (service, 1)))["order"]["number"]
    done = (await shop.buy(ann, (service, 1)))["order"]["number"]
    await staff(shop, "failLine", {"number": failed, "position": 1, "reason": "wrong number"})
    await staff(shop, "deliverLine", {"number": done, "position": 1})
    answer = await shop.ask("admin", "{ ordersNeedingAttention { nodes { number attention } } }", None, OWNER)
    assert answer.data["ordersNeedingAttention"]["nodes"] == [
        {"number": failed, "attention": ["FAILED"]},
        {"number": waiting, "attention": ["AT_SUPPLIER"]},
    ]
    assert (await managed(shop, failed))["lines"] == [{"failure": "wrong number"}]
    assert "wrong number" not in str(await seen(shop, ann, failed))


async def test_refunds_need_a_key_and_are_carried_out_once(shop: Shop) -> None:
    variant = await shop.stock("CARD", "5", ["a", "b"])
    ann = await shop.member("10")
    number = (await shop.buy(ann, (variant, 2)))["order"]["number"]
    value = {"number": number, "lines": [{"position": 1, "quantity": 1}], "reason": "sorry"}
    without = "mutation($input: RefundOrderInput!) { refundOrder(input: $input) { errors { code } } }"
    answer = await shop.ask("admin", without, {"input": value}, OWNER)
    assert answer.data["refundOrder"]["errors"] == [{"code": "IDEMPOTENCY_KEY_MISSING"}]
    for _ in range(2):
        answer = await staff(
            shop, "refundOrder", value, key="k", answer="refunded { amount } order { state }"
        )
        assert (answer["refunded"], answer["order"]) == ({"amount": "5.00"}, {"state": "COMPLETED"})
    assert await shop.balance(ann) == "5.00"
    too_much = {**value, "lines": [{"position": 1, "amount": {"amount": "5.01", "currency": "CNY"}}]}
    assert (await staff(shop, "refundOrder", too_much))["errors"][0]["code"] == "REFUND_TOO_MUCH"
    order = await seen(shop, ann, number)
    assert (order["refunded"]["amount"], order["lines"][0]["refundedQuantity"]) == ("5.00", 1)
    assert [e["note"] for e in order["history"] if e["kind"] == "REFUND"] == ["sorry"]


async def test_a_bad_card_by_ticket_from_the_buyer_to_the_staff(shop: Shop) -> None:
    variant = await shop.stock("CARD", "5", ["a", "b"])
    ann, bob = await shop.member("10"), await shop.member()
    number = (await shop.buy(ann, (variant, 1)))["order"]["number"]
    card = (await seen(shop, ann, number))["lines"][0]["cards"][0]
    value = {"number": number, "position": 1, "cardKey": card["key"], "evidence": "used already"}
    assert (await buyers(shop, bob, "openTicket", value, "ticket { id }"))["errors"][0]["code"] == "NOT_FOUND"
    opened = await buyers(shop, ann, "openTicket", value, "ticket { id state evidence }")
    ticket = opened["ticket"]
    assert (ticket["state"], ticket["evidence"]) == ("OPEN", "used already")
    listed = await shop.ask("admin", "{ tickets { nodes { id order { number attention } } } }", None, OWNER)
    assert listed.data["tickets"]["nodes"] == [
        {"id": ticket["id"], "order": {"number": number, "attention": ["OPEN_TICKET"]}}
    ]
    # Nobody else finds it by its id
    node = "query($id: ID!) { node(id: $id) { id } }"
    for principal, found in ((ann, {"id": ticket["id"]}), (bob, None)):
        assert (await shop.ask("shop", node, {"id": ticket["id"]}, principal)).data["node"] == found
    # When the staff replaces it, then the buyer has another card beside the bad one
    settled = await staff(
        shop, "replaceTicketCard", {"ticketId": ticket["id"], "answer": "here"}, answer="ticket { state }"
    )
    assert settled == {"ticket": {"state": "REPLACED"}, "errors": []}
    order = await seen(shop, ann, number)
    assert sorted((c["secret"], c["retired"]) for c in order["lines"][0]["cards"]) == [
        ("a", True),
        ("b", False),
    ]
    assert order["tickets"][0]["answer"] == "here"
    withdrawn = await buyers(shop, ann, "withdrawTicket", {"ticketId": ticket["id"]}, "ticket { state }")
    assert withdrawn["errors"][0]["code"] == "TICKET_CLOSED"


async def test_notes_are_for_the_staff(shop: Shop) -> None:
    variant = await shop.stock("CARD", "5", ["a"])
    ann = await shop.member("5")
    number = (await shop.buy(ann, (variant, 1)))["order"]["number"]
    await staff(shop, "addOrderNote", {"number": number, "note": "called us twice"})
    assert "called us" not in str(await seen(shop, ann, number))
    assert "called us twice" in [entry["note"] for entry in (await managed(shop, number))["history"]]


@pytest.mark.parametrize(
    ("name", "value", "permission", "answer"),
    [
        ("cancelOrder", {"reason": "x"}, permissions.MANAGE_ORDERS, "order { id }"),
        ("addOrderNote", {"note": "x"}, permissions.MANAGE_ORDERS, "order { id }"),
        ("holdOrder", {"reason": "x"}, permissions.HOLD_ORDERS, "order { id }"),
        ("releaseOrder", {"reason": "x"}, permissions.HOLD_ORDERS, "order { id }"),
        ("refundOrder", {"reason": "x"}, permissions.REFUND_ORDERS, "order { id }"),
        ("deliverLine", {"position": 1}, permissions.DELIVER_ORDERS, "order { id }"),
        ("failLine", {"position": 1, "reason": "x"}, permissions.DELIVER_ORDERS, "order { id }"),
        ("replaceTicketCard", None, permissions.SETTLE_TICKETS, "ticket { id }"),
        ("refundTicketCard", None, permissions.SETTLE_TICKETS, "ticket { id }"),
        ("rejectTicket", None, permissions.SETTLE_TICKETS, "ticket { id }"),
        (
            "confirmPayment",
            {"reference": "r", "reason": "x", "amount": {"amount": "1", "currency": "CNY"}},
            permissions.CONFIRM_PAYMENTS,
            "order { id }",
        ),
    ],
)
async def test_each_thing_needs_its_permission(
    shop: Shop, name: str, value: dict[str, Any] | None, permission: str, answer: str
) -> None:
    ticket = {"ticketId": global_id("Ticket", new_id()), "answer": "x"}
    given = {**value, "number": "0000000000000"} if value is not None else ticket
    others = frozenset(item.name for item in permissions.PERMISSIONS) - {permission}
    for held, codes in ((others, {"FORBIDDEN"}), (frozenset({permission}), {"NOT_FOUND", "INVALID_INPUT"})):
        by = Principal(kind=PrincipalKind.STAFF, id=new_id(), permissions=held)
        refused = await staff(shop, name, given, by=by, answer=answer)
        assert {error["code"] for error in refused["errors"]} <= codes
        assert refused["errors"]


LIFE = """
{ ordersNeedingAttention(first: 50) { nodes {
    number attention held received { amount } history { kind actor } tickets { id order { number } } lines { failure }
} } }
"""


async def test_the_list_of_orders_that_need_a_person_takes_as_many_statements_for_ten_as_for_one(
    shop: Shop,
) -> None:
    # Given one order that waits, and its history
    service = await shop.stock("SERVICE", "5", [f"s{n}" for n in range(20)])
    await lives.delivery(shop, service, "manual")
    ann = await shop.member("100")
    counts = []
    for more in (1, 9):
        for _ in range(more):
            await shop.buy(ann, (service, 1))
        await shop.ask("admin", LIFE, None, OWNER)
        with counted_statements() as statements:
            answer = await shop.ask("admin", LIFE, None, OWNER)
        assert answer.errors is None
        counts.append((len(answer.data["ordersNeedingAttention"]["nodes"]), len(statements)))
    # Then ten take no more than one
    assert [found for found, _ in counts] == [1, 10]
    assert counts[0][1] == counts[1][1] <= 5


async def test_the_list_of_orders_that_need_a_person_is_found_by_its_index(shop: Shop) -> None:
    # Given many finished orders and a few that wait
    await shop.kernel.db.execute(
        """insert into fulfilment_order
               (id, number, member, idempotency_key, fingerprint, state, currency, total_minor, created_at)
           select gen_random_uuid(), 'X' || n, gen_random_uuid(), 'k', '',
                  case when n % 1000 = 0 then 'PAID' else 'COMPLETED' end, 'CNY', 0, now()
           from generate_series(1, 20000) n"""
    )
    await shop.kernel.db.execute("analyze fulfilment_order")
    rows = await shop.kernel.db.fetch(
        f"explain select * from fulfilment_order where ({UNFINISHED}) and true order by id limit 21"
    )
    # Then it reads them by an index of unfinished orders alone
    plan = "\n".join(row[0] for row in rows)
    assert "fulfilment_order_unfinished" in plan or "fulfilment_order_attention" in plan, plan
