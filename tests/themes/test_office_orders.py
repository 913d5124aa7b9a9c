"""The back office's orders: found by anything, kept as views, looked at as a whole, and all that is done with them."""

from __future__ import annotations

import re

from kameng.ids import global_id
from kameng.jobs.running import run_job
from kameng_fulfilment.reading import OrderReads
from kameng_fulfilment.tickets import open_ticket
from tests.themes.conftest import Browser, Shop, text_of

NUMBER = re.compile(r'href="/admin/orders/([0-9A-Z]{13})"')


async def two_orders(shop: Shop) -> tuple[Browser, str, str]:
    """An office, and the numbers of two orders of a member: two cards, then one."""
    lin = await shop.member("lin@example.com")
    office = await shop.first_administrator()
    await shop.credit(office, "lin@example.com", "100.00")
    numbers = []
    for quantity in ("2", "1"):
        bought = await lin.send("/products/plum", "place_order", **{"input.lines[0].quantity": quantity})
        assert bought.status_code == 303, text_of(bought)
        numbers.append(bought.headers["location"].removeprefix("/orders/"))
    return office, numbers[0], numbers[1]


async def listed(office: Browser, query: str) -> list[str]:
    """The numbers on a page of the list, in order."""
    answer = await office.get(f"/admin/orders?{query}")
    assert answer.status_code == 200, text_of(answer)
    return list(dict.fromkeys(NUMBER.findall(answer.text)))


async def owed(shop: Shop, number: str) -> None:
    """As if the last card of an order had not been delivered: it is paid, and short of stock."""
    await shop.kernel.db.execute(
        """with line as (
               update fulfilment_order_line set delivered_quantity = quantity - 1, delivery_state = 'PENDING', due_at = now()
               where order_id = (select id from fulfilment_order where number = $1) returning order_id
           )
           update fulfilment_order set state = 'PAID', completed_at = null where id = (select order_id from line)""",
        number,
    )


async def test_orders_are_found_by_anything_and_narrowed_down(shop: Shop) -> None:
    office, first, second = await two_orders(shop)

    assert await listed(office, "") == [second, first]
    assert await listed(office, f"filter.search={first}") == [first]
    assert await listed(office, "filter.search=lin@example") == [second, first]
    assert await listed(office, "filter.search=plum+card") == [second, first]
    assert await listed(office, "filter.search=AAAA-1111-PLUM") == [first]
    assert await listed(office, "filter.period=TODAY&filter.totalFrom=19") == [first]
    assert await listed(office, "filter.state=REFUNDED") == []
    assert await listed(office, "filter.search=x") == []


async def test_a_view_is_saved_for_oneself_shown_and_deleted(shop: Shop) -> None:
    office, first, _ = await two_orders(shop)
    page = "/admin/orders?filter.period=TODAY&filter.totalFrom=19"

    saved = await office.send(page, "save_view", input__name="Large ones of today")
    assert saved.status_code == 303, text_of(saved)
    shown = await office.get("/admin/orders")
    link = re.search(r'href="(/admin/orders\?[^"]+)"[^>]*>Large ones of today<', shown.text)
    assert link
    assert await listed(office, link[1].partition("?")[2].replace("&amp;", "&")) == [first]

    nameless = await office.send(page, "save_view", input__name="n" * 61)
    assert nameless.status_code == 422
    assert "This is no name of a view." in text_of(nameless)

    deleted = await office.send(link[1].replace("&amp;", "&"), "delete_view")
    assert deleted.status_code == 303
    assert "Large ones of today" not in (await office.get("/admin/orders")).text


async def test_an_order_is_shown_as_a_whole_and_noted_on(shop: Shop) -> None:
    office, first, _ = await two_orders(shop)
    page = f"/admin/orders/{first}"

    noted = await office.send(page, "add_order_note", input__note="Called: <b>all fine</b>")
    shown = await office.get(page)

    assert noted.status_code == 303, text_of(noted)
    assert "Called: &lt;b&gt;all fine&lt;/b&gt;" in shown.text
    text = text_of(shown)
    assert "lin@example.com" in text
    assert "Plum card" in text
    assert "From the wallet" in text
    # and of what was delivered nothing without a reason
    assert "AAAA-1111" not in shown.text
    nameless = await office.send(page, "reveal_delivered", input__reason="")
    assert (nameless.status_code, "AAAA-1111" in nameless.text) == (422, False)
    seen = await office.send(page, "reveal_delivered", input__reason="the buyer lost it")
    assert seen.status_code == 200
    assert "AAAA-1111-PLUM" in seen.text
    assert seen.headers["cache-control"].startswith("no-store") or "private" in seen.headers["cache-control"]
    log = text_of(await office.get("/admin/audit?filter.action=fulfilment.reveal_delivered"))
    assert "the buyer lost it" in log


async def test_a_refund_is_looked_at_before_it_is_made(shop: Shop) -> None:
    office, first, _ = await two_orders(shop)
    page = f"/admin/orders/{first}/refund"

    whole = text_of(await office.get(page))
    part = await office.get(f"{page}?lines[0].position=1&lines[0].quantity=1")
    assert "The order is then refunded as a whole." in whole
    assert "Refund CN¥19.00 now" in whole
    assert "Refund CN¥9.50 now" in text_of(part)
    assert "1 delivered, which stay with the buyer" in text_of(part)
    too_much = text_of(await office.get(f"{page}?lines[0].position=1&lines[0].quantity=3"))
    assert "Of PLUM-10 only 2 pieces are left to refund." in too_much

    made = await office.send(
        f"{page}?lines[0].position=1&lines[0].quantity=1", "refund_order", input__reason="one was used"
    )
    assert (made.status_code, made.headers.get("location")) == (303, f"/admin/orders/{first}"), text_of(made)
    shown = text_of(await office.get(f"/admin/orders/{first}"))
    assert "CN¥9.50" in shown
    assert "one was used" in shown


async def test_a_bad_card_is_replaced_without_a_ticket_once(shop: Shop) -> None:
    office, first, second = await two_orders(shop)
    page = f"/admin/orders/{second}"
    key = re.search(r'name="input.cardKey" value="([0-9a-f]+)"', (await office.get(page)).text)
    assert key

    fields = {"input__cardKey": key[1], "input__reason": "redeemed already"}
    empty = await office.send(page, "replace_card", **fields)
    assert empty.status_code == 422, text_of(empty)

    # and once there is another one
    await shop.kernel.db.execute(
        "delete from catalog_sold_card where line in (select id from fulfilment_order_line"
        " where order_id = (select id from fulfilment_order where number = $1))",
        first,
    )
    await shop.kernel.db.execute(
        "insert into catalog_free_card (card, variant) select id, variant from catalog_card c where not exists"
        " (select from catalog_sold_card s where s.card = c.id)"
    )
    replaced = await office.send(page, "replace_card", **fields)
    assert replaced.status_code == 303, text_of(replaced)
    shown = text_of(await office.get(page))
    assert "card replaced: redeemed already" in shown


async def test_several_orders_are_held_with_a_result_for_each_and_let_go_again(shop: Shop) -> None:
    office, first, second = await two_orders(shop)
    await owed(shop, first)
    page = f"/admin/order-actions?numbers={first}&numbers={second}&action=HOLD"

    asked = text_of(await office.get(page))
    assert "Nothing more of these orders is delivered until somebody releases them." in asked
    held = await office.send(page, "act_on_orders", input__reason="the payment is disputed")
    assert held.status_code == 200, text_of(held)
    text = text_of(held)
    assert "1 of 2 were done" in text
    assert f"Order {second} is COMPLETED: there is nothing left to hold." in text
    assert await listed(office, "filter.state=REVIEW") == [first]

    # The order's own page lets it go on
    released = await office.send(f"/admin/orders/{first}", "release_order", input__reason="it is settled")
    assert released.status_code == 303, text_of(released)
    assert await listed(office, "filter.needsPerson=true") == [first]
    stuck = text_of(await office.get("/admin/stuck"))
    assert first in stuck
    assert "Out of stock" in stuck

    nobody = text_of(await office.get("/admin/order-actions?action=HOLD"))
    assert "No order was chosen." in nobody


async def test_a_line_is_delivered_by_hand_from_its_order(shop: Shop) -> None:
    office, first, _ = await two_orders(shop)
    await owed(shop, first)

    done = await office.send(
        f"/admin/orders/{first}", "deliver_line", input__quantity="1", input__texts="CODE-BY-HAND"
    )

    assert done.status_code == 303, text_of(done)
    shown = await office.get(f"/admin/orders/{first}")
    assert "Completed" in text_of(shown)
    assert "CODE-BY-HAND" not in shown.text


async def test_a_list_is_exported_by_a_job(shop: Shop) -> None:
    office, first, _ = await two_orders(shop)

    started = await office.send(
        f"/admin/orders?filter.search={first}", "start_order_export", input__format="CSV"
    )

    assert started.status_code == 303, text_of(started)
    job = await shop.kernel.db.fetchval("select id from kernel_job where kind = 'fulfilment.export_orders'")
    await run_job(shop.kernel, str(job))
    assert await shop.kernel.db.fetchval("select rows_done from kernel_job where id = $1", job) == 1


async def test_a_complaint_is_answered(shop: Shop) -> None:
    office, first, _ = await two_orders(shop)
    line = await shop.kernel.db.fetchrow(
        "select l.id, o.id as order_id, o.member from fulfilment_order_line l join fulfilment_order o on o.id = l.order_id"
        " where o.number = $1",
        first,
    )
    assert line is not None
    cards = await shop.kernel.services.get(OrderReads).cards(line["id"])
    ticket = await open_ticket(
        shop.kernel, line["order_id"], 1, cards[0].key, "It says <used>.", line["member"]
    )
    page = f"/admin/tickets/{global_id('Ticket', ticket.id)}"

    assert "It says &lt;used&gt;." in (await office.get("/admin/tickets")).text
    # There is nothing to replace it with
    refused = await office.send(page, "replace_ticket_card", input__answer="Here is another.")
    assert refused.status_code == 422
    assert "Here is another." in refused.text
    settled = await office.send(
        page, "replace_ticket_card", send_to="refund_ticket_card", input__answer="Paid back, sorry."
    )
    assert settled.status_code == 303, text_of(settled)
    shown = text_of(await office.get(page))
    assert "Refunded" in shown
    assert "Paid back, sorry." in shown
