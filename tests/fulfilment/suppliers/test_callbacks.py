"""Callbacks: several at once, before the answer, from somebody else, after a refund; and people who decide."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any
from uuid import UUID

import httpx
import pytest

from kameng.errors import Refusal
from kameng.http.app import create_app
from kameng.ids import new_id
from kameng_fulfilment.refunding import refund_order
from kameng_fulfilment.states import WrongDeliveryState
from kameng_fulfilment.supplier_contract import Delivered, Rejected
from kameng_fulfilment.suppliers import hands
from kameng_fulfilment.suppliers.callbacks import take_callback
from kameng_fulfilment.suppliers.settling import settle
from tests.fulfilment import lives

from .conftest import Fake, Supplied
from .fake_supplier import SECRET, signed_callback


async def until(check: Callable[[], Any]) -> None:
    while not check():
        await asyncio.sleep(0.05)


def told(reference: str, *codes: str, state: str = "delivered") -> dict[str, Any]:
    return {"reference": reference, "state": state, "number": "N1", "codes": list(codes)}


async def accepted(shop: Supplied, fake: Fake, sku: str = "lazy-10") -> tuple[UUID, dict[str, Any], Any]:
    """An order that its supplier has, without a word of it since."""
    goods = await shop.goods(f"G{new_id().hex[-6:]}")
    names = await shop.kernel.db.fetch("select id from fulfilment_supplier_connection where name = 'Lazy'")
    connection = names[0]["id"] if names else await shop.connect(fake, "Lazy")
    await shop.offer(goods, connection, sku)
    order, ann = await shop.order(goods)
    await shop.kernel.db.execute(
        """update fulfilment_supplier_connection set timeout_seconds = 1 where id = $1""", connection
    )
    from kameng_fulfilment.suppliers.planning import plan_waiting

    await plan_waiting(shop.kernel)
    (at,) = await shop.at_suppliers(order)
    # As a worker leaves it that sent it and heard that it was taken.
    await shop.kernel.db.execute(
        """update fulfilment_supplier_order set state = 'ACCEPTED', sent_at = now(), sends = 1,
               next_at = now() + interval '1 hour' where id = $1""",
        at["id"],
    )
    return order, at, ann


@pytest.mark.parametrize("mode", ["early", "twice"])
async def test_callbacks_before_the_answer_and_three_at_once_deliver_once(
    supplied: Supplied, fake: Fake, mode: str
) -> None:
    goods = await supplied.goods()
    await supplied.offer(goods, await supplied.connect(fake, seconds=10), f"{mode}-10")
    order, _ = await supplied.order(goods)
    await supplied.work()
    times = {"early": 1, "twice": 3}[mode]
    await until(lambda: len(fake.noted("told")) == times)
    assert {entry["status"] for entry in fake.noted("told")} == {200}
    assert (await lives.state(supplied, order), await supplied.states(order)) == ("COMPLETED", ["DELIVERED"])
    assert len(await supplied.texts(order)) == 1
    (at,) = await supplied.at_suppliers(order)
    assert at["attention"] == ""


async def test_a_wrong_signature_changes_nothing(supplied: Supplied, fake: Fake) -> None:
    goods = await supplied.goods()
    await supplied.offer(goods, await supplied.connect(fake, seconds=10), "badsign-10")
    order, _ = await supplied.order(goods)
    await supplied.kernel.db.execute("update fulfilment_supplier_connection set concurrency = 1")
    work = asyncio.ensure_future(supplied.work())
    await until(lambda: fake.noted("told"))
    assert fake.noted("told")[0]["status"] == 401
    assert await lives.state(supplied, order) == "DELIVERING"
    work.cancel()
    await asyncio.gather(work, return_exceptions=True)
    assert await supplied.states(order) == ["ACCEPTED"]


async def test_one_suppliers_word_about_anothers_order_is_worth_nothing(
    supplied: Supplied, fake: Fake
) -> None:
    # Given an order at one supplier, and another account whose signature is good
    order, at, _ = await accepted(supplied, fake)
    other = await supplied.connect(fake, "Other")
    headers, body = signed_callback(told(at["reference"], "forged"))
    # When the other one tells of the order
    assert await take_callback(supplied.kernel, other, headers, body) == 404
    # Then nothing has changed, and the supplier itself is believed
    assert (await supplied.states(order), await supplied.texts(order)) == (["ACCEPTED"], [])
    assert await take_callback(supplied.kernel, at["connection"], headers, body) == 200
    assert await supplied.texts(order) == ["forged"]
    assert await take_callback(supplied.kernel, new_id(), headers, body) == 404


async def test_an_old_callback_is_refused(supplied: Supplied, fake: Fake) -> None:
    order, at, _ = await accepted(supplied, fake)
    headers, body = signed_callback(told(at["reference"], "a"), age=301)
    assert await take_callback(supplied.kernel, at["connection"], headers, body) == 401
    assert await supplied.texts(order) == []


async def test_the_route_takes_callbacks(supplied: Supplied, fake: Fake) -> None:
    order, at, _ = await accepted(supplied, fake)
    headers, body = signed_callback(told(at["reference"], "a"))
    transport = httpx.ASGITransport(create_app(supplied.kernel))
    async with httpx.AsyncClient(transport=transport, base_url="http://localhost") as client:
        path = f"/callbacks/suppliers/{at['connection']}"
        wrong = await client.post(path, content=body, headers={**headers, "kameng-signature": "0" * 64})
        first = await client.post(path, content=body, headers=headers)
        again = await client.post(path, content=body, headers=headers)
    assert [wrong.status_code, first.status_code, again.status_code] == [401, 200, 200]
    assert await supplied.texts(order) == ["a"]


async def test_twenty_callbacks_and_answers_at_once_deliver_once(supplied: Supplied, fake: Fake) -> None:
    order, at, _ = await accepted(supplied, fake)
    outcome = Delivered(texts=("a",))
    states = await asyncio.gather(
        *(settle(supplied.kernel, at["id"], outcome, kind="callback", actor="supplier:x") for _ in range(10)),
        *(settle(supplied.kernel, at["id"], outcome, kind="ask", actor="supplier:x") for _ in range(10)),
    )
    assert set(states) == {"DELIVERED"}
    assert (await supplied.texts(order), await lives.state(supplied, order)) == (["a"], "COMPLETED")


async def test_what_comes_after_a_refund_goes_to_a_person(supplied: Supplied, fake: Fake) -> None:
    # Given an order that was refunded while its supplier was at it
    order, at, ann = await accepted(supplied, fake)
    await refund_order(supplied.kernel, order, [], key="r", actor="staff:x", reason="sorry")
    # When the supplier delivers
    headers, body = signed_callback(told(at["reference"], "late-code"))
    assert await take_callback(supplied.kernel, at["connection"], headers, body) == 200
    # Then the buyer gets his money and not the code, which is kept for a person, who is told
    assert (await lives.state(supplied, order), await supplied.balance(ann)) == ("REFUNDED", "1000.00")
    assert await supplied.texts(order) == []
    (now,) = await supplied.at_suppliers(order)
    assert (now["state"], now["attention"]) == ("DELIVERED", "LATE")
    topic = "fulfilment.supplier_order_needs_attention"
    count = await supplied.kernel.db.fetchval("select count(*) from kernel_outbox where topic = $1", topic)
    assert count == 1
    # And only somebody of the staff gets at it
    assert await hands.reveal_kept(supplied.context(), at["id"]) == ("late-code",)
    with pytest.raises(WrongDeliveryState):
        await hands.deliver_kept(supplied.context(), at["id"])
    await hands.resolve(supplied.context(), at["id"], "returned it to the supplier")
    assert (await supplied.at_suppliers(order))[0]["attention"] == ""
    actions = await supplied.kernel.db.fetch(
        "select action from kernel_audit where subject = $1 order by id", f"supplier_order:{at['id']}"
    )
    assert [row["action"] for row in actions] == [
        "fulfilment.supplier_reveal_kept",
        "fulfilment.supplier_resolve",
    ]


async def test_refund_and_delivery_at_once_are_one_of_the_two(supplied: Supplied, fake: Fake) -> None:
    for _ in range(6):
        order, at, ann = await accepted(supplied, fake)
        outcome = Delivered(texts=("a",))
        await asyncio.gather(
            settle(supplied.kernel, at["id"], outcome, kind="callback", actor="supplier:x"),
            refund_order(supplied.kernel, order, [], key="r", actor="staff:x", reason="sorry"),
        )
        (now,) = await supplied.at_suppliers(order)
        assert (await supplied.balance(ann), now["state"]) == ("1000.00", "DELIVERED")
        # Delivered first and refunded as goodwill, or refunded first and the code kept.
        assert (await supplied.texts(order), now["attention"]) in ((["a"], ""), ([], "LATE"))


async def test_a_refund_before_it_is_sent_keeps_it_from_being_sent(supplied: Supplied, fake: Fake) -> None:
    from kameng_fulfilment.suppliers.planning import plan_waiting

    goods = await supplied.goods()
    await supplied.offer(goods, await supplied.connect(fake), "ok-10")
    order, _ = await supplied.order(goods)
    await plan_waiting(supplied.kernel)
    await refund_order(supplied.kernel, order, [], key="r", actor="staff:x", reason="sorry")
    await supplied.work()
    assert (await supplied.states(order), fake.calls.total()) == (["FAILED"], 0)


async def test_what_was_given_up_and_comes_all_the_same_is_kept_and_can_be_delivered(
    supplied: Supplied, fake: Fake
) -> None:
    # Given an order that a person gave up, with nobody else who could deliver it
    order, at, _ = await accepted(supplied, fake)
    await hands.give_up(supplied.context(), at["id"], "they said on the phone that it failed")
    await supplied.kernel.db.execute("update fulfilment_supplier_offer set enabled = false")
    await supplied.work()
    (line,) = await lives.lines(supplied, order)
    assert line.delivery_state == "FAILED"
    # When it comes all the same
    assert (
        await settle(supplied.kernel, at["id"], Delivered(texts=("a",)), kind="callback", actor="supplier:x")
        == "DELIVERED"
    )
    assert (await supplied.at_suppliers(order))[0]["attention"] == "LATE"
    assert await supplied.texts(order) == []
    # Then a person hands it over, once
    await hands.deliver_kept(supplied.context(), at["id"])
    assert (await supplied.texts(order), await lives.state(supplied, order)) == (["a"], "COMPLETED")
    with pytest.raises(hands.NothingKept):
        await hands.deliver_kept(supplied.context(), at["id"])


async def test_a_no_after_a_yes_is_shown_to_a_person(supplied: Supplied, fake: Fake) -> None:
    order, at, _ = await accepted(supplied, fake)
    for outcome in (Delivered(texts=("a",)), Rejected(reason="reversed")):
        await settle(supplied.kernel, at["id"], outcome, kind="callback", actor="supplier:x")
    (now,) = await supplied.at_suppliers(order)
    assert (now["state"], now["attention"]) == ("DELIVERED", "CONTRADICTS")
    assert await supplied.texts(order) == ["a"]


async def test_a_person_can_have_all_suppliers_tried_again(supplied: Supplied, fake: Fake) -> None:
    goods = await supplied.goods()
    connection = await supplied.connect(fake)
    offer = await supplied.offer(goods, connection, "reject-10")
    order, _ = await supplied.order(goods)
    await supplied.work()
    (line,) = await lives.lines(supplied, order)
    assert line.delivery_state == "FAILED"
    await supplied.kernel.db.execute(
        "update fulfilment_supplier_offer set their_sku = 'ok-10' where id = $1", offer
    )
    await hands.search_again(supplied.context(), line.id, "our account was topped up")
    await supplied.work()
    assert await supplied.states(order) == ["REJECTED", "DELIVERED"]
    with pytest.raises(WrongDeliveryState):
        await hands.search_again(supplied.context(), line.id, "once more")


async def test_what_takes_long_is_shown_to_a_person_once(supplied: Supplied, fake: Fake) -> None:
    from kameng_fulfilment.suppliers.working import supply

    order, at, _ = await accepted(supplied, fake)
    await supplied.kernel.db.execute(
        "update fulfilment_supplier_order set created_at = now() - interval '31 minutes'"
    )
    await supply(supplied.kernel)
    await supply(supplied.kernel)
    assert (await supplied.at_suppliers(order))[0]["attention"] == "SLOW"
    topic = "fulfilment.supplier_order_needs_attention"
    count = await supplied.kernel.db.fetchval("select count(*) from kernel_outbox where topic = $1", topic)
    assert count == 1
    # And when it comes, nobody has to look any more.
    await settle(supplied.kernel, at["id"], Delivered(texts=("a",)), kind="callback", actor="supplier:x")
    assert (await supplied.at_suppliers(order))[0]["attention"] == ""


async def test_codes_and_secrets_are_in_no_log(supplied: Supplied, fake: Fake) -> None:
    order, at, _ = await accepted(supplied, fake)
    outcome = Delivered(texts=("TOP-SECRET-1",), note="your code TOP-SECRET-1\n\x00 enjoy")
    await settle(supplied.kernel, at["id"], outcome, kind="callback", actor="supplier:x")
    rows = await supplied.kernel.db.fetch("select note from fulfilment_supplier_attempt order by id")
    assert [row["note"] for row in rows][-1] == "your code *** enjoy"
    (now,) = await supplied.at_suppliers(order)
    assert "TOP-SECRET" not in str(now)
    # What a supplier says of our own secret is struck out, too.
    order, at, _ = await accepted(supplied, fake)
    headers, body = signed_callback({**told(at["reference"]), "state": "rejected", "reason": f"bad {SECRET}"})
    assert await take_callback(supplied.kernel, at["connection"], headers, body) == 200
    assert (await supplied.at_suppliers(order))[0]["note"] == "bad ***"
    sealed = await supplied.kernel.db.fetchval("select sealed_settings from fulfilment_supplier_connection")
    assert b"sixteen" not in sealed


async def test_the_log_of_exchanges_cannot_be_changed(supplied: Supplied, fake: Fake) -> None:
    await accepted(supplied, fake)
    for statement in (
        "update fulfilment_supplier_attempt set note = ''",
        "delete from fulfilment_supplier_attempt",
    ):
        with pytest.raises(Exception, match="never changed"):
            await supplied.kernel.db.execute(statement)


async def test_a_line_has_one_open_order_at_suppliers(supplied: Supplied, fake: Fake) -> None:
    from kameng_fulfilment.suppliers.planning import plan_line

    goods = await supplied.goods()
    await supplied.offer(goods, await supplied.connect(fake), "ok-10")
    order, _ = await supplied.order(goods)
    (line,) = await lives.lines(supplied, order)
    planned = await asyncio.gather(*(plan_line(supplied.kernel, line.id) for _ in range(8)))
    assert sum(planned) == 1
    assert await supplied.states(order) == ["PREPARED"]
    with pytest.raises(Refusal):
        await hands.search_again(supplied.context(), line.id, "again")
