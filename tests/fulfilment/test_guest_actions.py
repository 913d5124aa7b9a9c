"""A guest does with his order what a member can: he opens it, calls it off, complains about a card, and takes that back."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from kameng.auth import VISITOR
from kameng.db import counted_statements
from kameng.testing.kernels import Kernels
from kameng_fulfilment.guests import openings
from kameng_fulfilment.numbers import new_number

from . import lives
from .carts import Buyer, codes
from .conftest import OWNER, Shop
from .test_guests import look_up, place, read

ORDER = """number state opened secret history { kind note } tickets { id state answer evidence }
  lines { position refundedQuantity cards { key secret retired } }"""
ERRORS = "errors { code path message cure }"
OPEN = f"""mutation($input: OpenGuestOrderInput!) {{
  openGuestOrder(input: $input) {{ order {{ {ORDER} }} visitorToken {ERRORS} }} }}"""
CANCEL = f"""mutation($input: CancelGuestOrderInput!) {{
  cancelGuestOrder(input: $input) {{ order {{ {ORDER} }} {ERRORS} }} }}"""
COMPLAIN = f"""mutation($input: OpenGuestTicketInput!) {{
  openGuestTicket(input: $input) {{ ticket {{ id state }} order {{ {ORDER} }} {ERRORS} }} }}"""
WITHDRAW = f"""mutation($input: WithdrawGuestTicketInput!) {{
  withdrawGuestTicket(input: $input) {{ ticket {{ id state }} order {{ {ORDER} }} {ERRORS} }} }}"""
SHOWN = f"query($number: String!) {{ guestOrder(number: $number) {{ {ORDER} }} }}"


async def do(guest: Buyer, source: str, name: str, **values: Any) -> Any:
    """A mutation's payload."""
    return (await guest.ask(source, {"input": values}))[name]


async def bought(shop: Shop, contact: str = "lin@example.com", cards: int = 3) -> tuple[str, str]:
    """Number and secret of a guest's order of two cards that is paid."""
    variant = await shop.stock("CARD", "5", [f"PLUM-{n}" for n in range(cards)])
    placed = await place(Buyer(shop), contact, (variant, 2))
    order = await shop.kernel.db.fetchval(
        "select id from fulfilment_order where number = $1", placed["order"]["number"]
    )
    await lives.pay(shop, order, 1000)
    return placed["order"]["number"], placed["secret"]


async def test_a_guest_calls_his_unpaid_order_off_once_however_often_he_says_so(shop: Shop) -> None:
    # Given a guest's order that waits for its payment
    variant = await shop.stock("CARD", "1", ["a"])
    placed = await place(Buyer(shop), "lin@example.com", (variant, 1))
    number, secret = placed["order"]["number"], placed["secret"]
    assert await lives.free(shop) == 0
    # When he calls it off several times at once
    answers = await asyncio.gather(
        *(do(Buyer(shop), CANCEL, "cancelGuestOrder", number=number, secret=secret) for _ in range(4))
    )
    # Then it is over once, its stock is for sale again, and all are answered alike
    assert [(answer["order"]["state"], answer["errors"]) for answer in answers] == [("CANCELLED", [])] * 4
    assert await lives.free(shop) == 1
    order = await shop.kernel.db.fetchrow("select id, member from fulfilment_order")
    assert order is not None
    rows = await shop.kernel.db.fetch(
        "select actor from fulfilment_order_history where to_state = 'CANCELLED'"
    )
    assert [row["actor"] for row in rows] == [f"guest:{order['member']}"]
    assert await lives.events(shop, order["id"]) == ["order_placed", "order_cancelled"]


async def test_what_is_paid_is_not_called_off(shop: Shop) -> None:
    number, secret = await bought(shop)
    refused = await do(Buyer(shop), CANCEL, "cancelGuestOrder", number=number, secret=secret)
    assert (codes(refused), refused["order"]) == (["WRONG_ORDER_STATE"], None)


async def test_a_guest_complains_about_a_card_and_follows_his_ticket(shop: Shop) -> None:
    # Given a guest with two cards
    number, secret = await bought(shop)
    guest = Buyer(shop)
    opened = await do(guest, OPEN, "openGuestOrder", number=number, secret=secret)
    (line,) = opened["order"]["lines"]
    asked = {
        "number": number,
        "secret": secret,
        "position": 1,
        "cardKey": line["cards"][0]["key"],
        "evidence": "It says: used already",
    }
    # When he complains about one of them, twice at once
    answers = await asyncio.gather(*(do(Buyer(shop), COMPLAIN, "openGuestTicket", **asked) for _ in range(2)))
    # Then there is one ticket, with what he wrote
    assert [answer["errors"] for answer in answers] == [[], []]
    assert answers[0]["ticket"] == answers[1]["ticket"]
    (ticket,) = answers[0]["order"]["tickets"]
    assert (ticket["state"], ticket["evidence"]) == ("OPEN", "It says: used already")
    other = await do(Buyer(shop), COMPLAIN, "openGuestTicket", **{**asked, "evidence": "Something else"})
    assert codes(other) == ["TICKET_NOT_ALLOWED"]
    # And he may take it back, once however often he says so
    for _ in range(2):
        taken = await do(
            Buyer(shop), WITHDRAW, "withdrawGuestTicket", number=number, secret=secret, ticketId=ticket["id"]
        )
        assert (taken["ticket"]["state"], taken["errors"]) == ("WITHDRAWN", [])
    again = await do(Buyer(shop), COMPLAIN, "openGuestTicket", **asked)
    assert again["ticket"]["id"] != ticket["id"]
    kinds = [entry["kind"] for entry in again["order"]["history"]]
    assert kinds.count("TICKET") == 3
    actors = await shop.kernel.db.fetch(
        "select distinct h.actor, o.member from fulfilment_order_history h join fulfilment_order o on o.id = h.order_id"
        " where h.kind = 'ticket'"
    )
    assert [row["actor"] for row in actors] == [f"guest:{row['member']}" for row in actors]


async def test_the_rule_that_replaces_cards_knows_guests_by_their_contacts(make_kernel: Kernels) -> None:
    # Given a shop that replaces cheap cards by itself, for buyers who rarely complain
    shop = Shop(await make_kernel(fulfilment={"replace_below_minor": 1000, "replace_ticket_share": 0.01}))
    variant = await shop.stock("CARD", "5", [f"PLUM-{n}" for n in range(9)])
    told = []
    # When the same contact complains of a card of each of two orders, and another contact of one
    for contact in ("lin@example.com", "lin@example.com", "bob@example.com"):
        placed = await place(Buyer(shop), contact, (variant, 1))
        number, secret = placed["order"]["number"], placed["secret"]
        key = await shop.kernel.db.fetchval("select id from fulfilment_order where number = $1", number)
        await lives.pay(shop, key, 500)
        opened = await do(Buyer(shop), OPEN, "openGuestOrder", number=number, secret=secret)
        card = opened["order"]["lines"][0]["cards"][0]["key"]
        answer = await do(
            Buyer(shop),
            COMPLAIN,
            "openGuestTicket",
            number=number,
            secret=secret,
            position=1,
            cardKey=card,
            evidence="used",
        )
        told.append(answer["ticket"]["state"])
    # Then the second one is for a person
    assert told == ["REPLACED", "OPEN", "REPLACED"]


async def test_number_and_contact_alone_do_nothing_but_show(shop: Shop) -> None:
    # Given somebody who knows number and contact
    number, secret = await bought(shop)
    card = (await read(shop, number, secret)).data["guestOrder"]
    assert card["opened"]
    guest = Buyer(shop)
    passed = await look_up(guest, number, "lin@example.com")
    # When he shows his pass, or what is remembered of him
    for token in (passed["token"], None):
        for source, name, more in (
            (CANCEL, "cancelGuestOrder", {}),
            (COMPLAIN, "openGuestTicket", {"position": 1, "cardKey": "00", "evidence": "x"}),
            (WITHDRAW, "withdrawGuestTicket", {"ticketId": "VGlja2V0Og"}),
        ):
            answer = await do(guest, source, name, number=number, secret=token, **more)
            # Then he is told what he lacks
            assert codes(answer) == ["ORDER_SECRET_NEEDED"], name
            assert answer["errors"][0]["cure"]
    shown = (await guest.ask(SHOWN, {"number": number}))["guestOrder"]
    assert (shown["opened"], shown["secret"], shown["tickets"], shown["history"]) == (False, None, [], [])


async def test_what_was_opened_stays_open_for_this_visitor_alone(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Given a visitor who has opened an order
    number, secret = await bought(shop)
    guest = Buyer(shop)
    opened = await do(guest, OPEN, "openGuestOrder", number=number, secret=secret)
    assert opened["visitorToken"] == guest.visitor
    assert guest.visitor
    # Then he sees it without its secret, also after a look-up that shows less
    await look_up(guest, number, "lin@example.com")
    shown = (await guest.ask(SHOWN, {"number": number.lower()}))["guestOrder"]
    assert (shown["opened"], shown["secret"]) == (True, secret)
    assert [card["secret"] for card in shown["lines"][0]["cards"]] == ["PLUM-0", "PLUM-1"]
    # And nobody else does, nor is anybody told whether there is such an order
    told = set()
    for who, asked in ((Buyer(shop), number), (guest, new_number()), (guest, "nonsense")):
        with counted_statements() as counted:
            answer = await shop.ask("shop", SHOWN, {"number": asked}, VISITOR, visitor=who.visitor)
        told.add((answer.errors[0]["message"], answer.errors[0]["extensions"]["code"], tuple(counted)))
    assert len(told) == 1
    # And not for ever
    later = openings._now() + openings.OPENED_SECONDS + 1
    monkeypatch.setattr(openings, "_now", lambda: later)
    answer = await shop.ask("shop", SHOWN, {"number": number}, VISITOR, visitor=guest.visitor)
    assert answer.errors[0]["extensions"]["code"] == "NOT_FOUND"


async def test_whoever_places_an_order_has_opened_it(shop: Shop) -> None:
    variant = await shop.stock("CARD", "1", ["a"])
    guest = Buyer(shop)
    placed = await place(guest, "lin@example.com", (variant, 1))
    shown = (await guest.ask(SHOWN, {"number": placed["order"]["number"]}))["guestOrder"]
    assert (shown["opened"], shown["secret"]) == (True, placed["secret"])


async def test_wrong_secrets_are_counted_and_answered_alike(shop: Shop) -> None:
    number, secret = await bought(shop)
    answers = set()
    for given, shown in ((number, f"{secret[:-2]}xx"), (new_number(), secret), ("nonsense", "x")):
        guest = Buyer(shop, address=f"192.0.2.{len(answers)}{given[:1]}")
        for source, name, more in (
            (OPEN, "openGuestOrder", {}),
            (CANCEL, "cancelGuestOrder", {}),
            (WITHDRAW, "withdrawGuestTicket", {"ticketId": "VGlja2V0Og"}),
        ):
            answer = await do(guest, source, name, number=given, secret=shown, **more)
            answers.add(str(answer["errors"]))
    assert len(answers) == 1
    assert "NOT_FOUND" in answers.pop()
    guest = Buyer(shop, address="198.51.100.9")
    told = [
        codes(await do(guest, CANCEL, "cancelGuestOrder", number=number, secret=f"s{n}"))[0]
        for n in range(22)
    ]
    assert told == ["NOT_FOUND"] * 20 + ["RATE_LIMITED"] * 2


async def test_the_staff_opens_nothing_for_later(shop: Shop) -> None:
    number, secret = await bought(shop)
    staff = Buyer(shop, OWNER)
    opened = await do(staff, OPEN, "openGuestOrder", number=number, secret=secret)
    assert (opened["order"]["opened"], opened["visitorToken"], staff.visitor) == (True, None, "")
