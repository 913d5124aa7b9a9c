"""Buying without an account: placed, paid, looked up again by its owner, and by nobody else."""

from __future__ import annotations

import asyncio
import time
from typing import Any
from uuid import UUID

import pytest

from kameng.auth import VISITOR
from kameng.db import counted_statements
from kameng.errors import InvalidInput
from kameng.graphql import Context
from kameng.ids import global_id, new_id
from kameng_fulfilment.guests.contacts import read_contact
from kameng_fulfilment.guests.secrets import make_pass, read_pass
from kameng_fulfilment.numbers import new_number

from . import lives
from .carts import Buyer, codes
from .conftest import Shop

ORDER = """number state opened contact total { amount } lines { title quantity deliveryState cards { secret } texts
  answers { value } deliveryNote }"""
PLACE = f"""mutation($input: PlaceGuestOrderInput!, $key: String!) {{
  placeGuestOrder(input: $input) @idempotent(key: $key) {{
    order {{ {ORDER} }} secret errors {{ code path message }} }} }}"""
LOOK_UP = """mutation($input: LookUpOrderInput!) { lookUpOrder(input: $input) {
  number token errors { code path message cure } } }"""
READ = (
    f"query($number: String!, $token: String!) {{ guestOrder(number: $number, token: $token) {{ {ORDER} }} }}"
)


async def place(
    guest: Buyer, contact: str, *lines: tuple[UUID, int], key: str | None = None, **values: Any
) -> Any:
    value: dict[str, Any] = {"contact": contact, **values}
    if lines:
        value["lines"] = [
            {"variantId": global_id("Variant", variant), "quantity": quantity} for variant, quantity in lines
        ]
    return (await guest.ask(PLACE, {"input": value, "key": key or str(new_id())}))["placeGuestOrder"]


async def look_up(guest: Buyer, number: str, contact: str) -> Any:
    return (await guest.ask(LOOK_UP, {"input": {"number": number, "contact": contact}}))["lookUpOrder"]


async def read(shop: Shop, number: str, token: str, address: str = "") -> Any:
    context = Context(shop.kernel, principal=VISITOR, locale="en", address=address)
    return await shop.kernel.graphql["shop"].execute(READ, {"number": number, "token": token}, context)


async def test_a_guest_orders_pays_and_gets_his_card_by_the_secret(shop: Shop) -> None:
    # Given a guest who orders with his e-mail address
    variant = await shop.stock("CARD", "9.85", ["PLUM-4711", "PLUM-4712"])
    placed = await place(Buyer(shop), " Lin@Example.com ", (variant, 1))
    assert placed["errors"] == []
    order, secret = placed["order"], placed["secret"]
    assert (order["state"], order["contact"], order["total"]) == (
        "PENDING_PAYMENT",
        "l***@example.com",
        {"amount": "9.85"},
    )
    row = await shop.kernel.db.fetchrow("select * from fulfilment_order")
    assert row is not None
    assert (row["buyer_kind"], row["payment"]) == ("guest", "OUTSIDE")
    assert await lives.events(shop, row["id"]) == ["order_placed"]
    # When he has paid
    await lives.pay(shop, row["id"], 985)
    # Then the secret shows the card, however the number is written
    answer = await read(shop, order["number"].lower(), secret)
    assert answer.errors is None, answer.errors
    found = answer.data["guestOrder"]
    assert (found["state"], found["opened"], found["lines"][0]["cards"]) == (
        "COMPLETED",
        True,
        [{"secret": "PLUM-4711"}],
    )
    # And number and contact show the order without it
    passed = await look_up(Buyer(shop), order["number"], "lin@example.com")
    answer = await read(shop, passed["number"], passed["token"])
    found = answer.data["guestOrder"]
    assert (found["state"], found["opened"], found["lines"][0]["cards"]) == ("COMPLETED", False, [])
    # And nothing of him is stored in the open
    dumped = str(await shop.kernel.db.fetch("select * from fulfilment_contact"))
    assert "lin" not in dumped.lower()
    assert secret not in dumped


async def test_a_phone_number_is_a_contact_too(shop: Shop) -> None:
    variant = await shop.stock("CARD", "1", ["a"])
    placed = await place(Buyer(shop), "138 1234 5678", (variant, 1))
    assert placed["order"]["contact"] == "+86138****5678"
    found = await look_up(Buyer(shop), placed["order"]["number"], "+86 13812345678")
    assert found["errors"] == []
    wrong = await place(Buyer(shop), "12345", (variant, 1))
    assert (codes(wrong), wrong["errors"][0]["path"]) == (["INVALID_INPUT"], ["input", "contact"])


@pytest.mark.parametrize("text", ["", "@", "a@b", "123", "x" * 300, "a b@example.com", "\0"])
def test_what_is_no_contact(text: str) -> None:
    with pytest.raises(InvalidInput):
        read_contact(text)


async def test_the_same_order_sent_again_is_answered_alike(shop: Shop) -> None:
    variant = await shop.stock("CARD", "1", ["a", "b"])
    key = str(new_id())
    first, again = await asyncio.gather(
        *(place(Buyer(shop), "lin@example.com", (variant, 1), key=key) for _ in range(2))
    )
    assert first == again
    assert first["secret"] is not None
    assert await lives.free(shop) == 1
    # The same key of somebody else is another order, and a key that could be guessed is refused
    other = await place(Buyer(shop), "bob@example.com", (variant, 1), key=key)
    assert other["order"]["number"] != first["order"]["number"]
    assert codes(await place(Buyer(shop), "lin@example.com", (variant, 1), key="1")) == ["INVALID_INPUT"]


async def test_a_guest_orders_his_cart(shop: Shop) -> None:
    variant = await shop.stock("CARD", "2.50", ["a", "b"])
    guest = Buyer(shop)
    assert codes(await place(guest, "lin@example.com", fromCart=True)) == ["CART_EMPTY"]
    await guest.add(variant, 2)
    key = str(new_id())
    total = {"amount": "5.00", "currency": "CNY"}
    placed = await place(guest, "lin@example.com", key=key, fromCart=True, expectedTotal=total, note="hello")
    assert placed["errors"] == []
    assert (placed["order"]["lines"][0]["quantity"], await guest.content()) == (2, {})
    assert (await place(guest, "lin@example.com", key=key, fromCart=True, note="hello"))["order"] == placed[
        "order"
    ]


async def test_a_guest_has_no_wallet_and_gets_nothing_for_nothing(shop: Shop) -> None:
    free = await shop.stock("FREE", "0", ["a"], cost="0")
    assert codes(await place(Buyer(shop), "lin@example.com", (free, 1))) == ["NOT_FOR_SALE"]
    member = Buyer(shop, await shop.member("10"))
    assert codes(await place(member, "lin@example.com", (free, 1))) == ["FORBIDDEN"]
    assert await lives.free(shop) == 1


async def test_unpaid_orders_are_bounded_for_each_contact_and_each_address(shop: Shop) -> None:
    variant = await shop.stock("CARD", "1", [f"c{number}" for number in range(40)])
    # Given one contact from many addresses, all at once
    answers = await asyncio.gather(
        *(place(Buyer(shop, address=f"192.0.2.{n}"), "lin@example.com", (variant, 1)) for n in range(8))
    )
    assert sorted(codes(answer) for answer in answers) == [[]] * 3 + [["TOO_MANY_UNPAID_ORDERS"]] * 5
    # And one address with many contacts
    guest = Buyer(shop, address="198.51.100.7")
    told = [codes(await place(guest, f"g{number}@example.com", (variant, 1))) for number in range(10)]
    assert told == [[]] * 10
    late = [codes(await place(Buyer(shop, address="198.51.100.7"), "new@example.com", (variant, 1)))]
    assert late[0] in (["TOO_MANY_UNPAID_ORDERS"], ["RATE_LIMITED"])
    # When one is paid, the contact may order again
    order = await shop.kernel.db.fetchval(
        """select o.id from fulfilment_order o join fulfilment_contact c on c.order_id = o.id
           where c.contact_mark = $1 limit 1""",
        shop.kernel.vault.blind_index("fulfilment.contacts", read_contact("lin@example.com").text),
    )
    await lives.pay(shop, order, 100)
    assert codes(await place(Buyer(shop), "lin@example.com", (variant, 1))) == []


async def test_whoever_tries_learns_nothing_about_which_orders_there_are(shop: Shop) -> None:
    # Given an order of a guest and one of a member
    variant = await shop.stock("CARD", "1", ["a", "b"])
    number = (await place(Buyer(shop), "lin@example.com", (variant, 1)))["order"]["number"]
    member = await shop.member("10")
    of_member = (await shop.buy(member, (variant, 1)))["order"]["number"]
    asked = {
        "wrong contact": (number, "eve@example.com"),
        "wrong number": (new_number(), "lin@example.com"),
        "both wrong": (new_number(), "eve@example.com"),
        "a member's": (of_member, f"{member.id}@example.com"),
        "no number": ("not a number", "lin@example.com"),
        "no contact": (number, "not a contact"),
        "a phone": (number, "138 1234 5678"),
        "a slip": (number[:-1] + ("0" if number[-1] != "0" else "1"), "lin@example.com"),
    }
    answers = {}
    statements: dict[str, set[tuple[str, ...]]] = {name: set() for name in asked}
    for name, (given, contact) in asked.items():
        for attempt in range(2):
            guest = Buyer(shop, address=f"203.0.113.{len(answers)}-{attempt}")
            with counted_statements() as counted:
                answers[name] = await look_up(guest, given, contact)
            statements[name].add(tuple(counted))
    # Then all are told the same, word for word, and take the very same statements
    assert len({str(answer) for answer in answers.values()}) == 1, answers
    assert codes(answers["wrong contact"]) == ["NOT_FOUND"]
    assert len({frozenset(found) for found in statements.values()}) == 1, statements


async def test_look_ups_are_limited_alike_for_numbers_that_exist_and_that_do_not(shop: Shop) -> None:
    variant = await shop.stock("CARD", "1", ["a"])
    real = (await place(Buyer(shop), "lin@example.com", (variant, 1)))["order"]["number"]

    async def tries(number: str, contact: str, count: int) -> list[str]:
        answers = [
            await look_up(Buyer(shop, address=f"2001:db8::{number}:{contact}:{attempt}"), number, contact)
            for attempt in range(count)
        ]
        return [codes(answer)[0] for answer in answers]

    # Given somebody who tries contacts on one number, from ever other addresses
    existing, made_up = [], []
    imagined = new_number()
    for attempt in range(12):
        existing += await tries(real, f"e{attempt}@example.com", 1)
        made_up += await tries(imagined, f"m{attempt}@example.com", 1)
    assert existing == made_up == ["NOT_FOUND"] * 10 + ["RATE_LIMITED"] * 2
    # And somebody who tries numbers on one contact
    told = [(await tries(new_number(), "lin@example.com", 1))[0] for _ in range(22)]
    assert told == ["NOT_FOUND"] * 20 + ["RATE_LIMITED"] * 2
    # And somebody who tries anything from one address
    told = [
        codes(await look_up(Buyer(shop, address="192.0.2.9"), new_number(), f"x{n}@example.com"))[0]
        for n in range(22)
    ]
    assert told == ["NOT_FOUND"] * 20 + ["RATE_LIMITED"] * 2


async def test_secrets_and_passes_open_their_own_order_alone(shop: Shop) -> None:
    variant = await shop.stock("CARD", "1", ["a", "b"])
    one, two = [await place(Buyer(shop), "lin@example.com", (variant, 1)) for _ in range(2)]
    passed = await look_up(Buyer(shop), one["order"]["number"], "lin@example.com")
    wrong = [
        (two["order"]["number"], one["secret"]),
        (two["order"]["number"], passed["token"]),
        (one["order"]["number"], one["secret"][:-1] + "x"),
        (one["order"]["number"], ""),
        (new_number(), one["secret"]),
        ("nonsense", one["secret"]),
    ]
    answers = [await read(shop, number, token) for number, token in wrong]
    told = {
        str([(error["message"], error["extensions"]["code"]) for error in answer.errors])
        for answer in answers
    }
    assert len(told) == 1
    assert "NOT_FOUND" in told.pop()


async def test_a_pass_ends_and_cannot_be_made_up(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    order = new_id()
    text = make_pass(shop.kernel, order)
    assert read_pass(shop.kernel, text) == order
    for place_ in range(1, len(text)):
        changed = text[:place_] + ("A" if text[place_] != "A" else "B") + text[place_ + 1 :]
        # The last character carries bits that mean nothing
        assert read_pass(shop.kernel, changed) is None or place_ == len(text) - 1
    assert read_pass(shop.kernel, "p" + "A" * 74) is None
    later = time.time() + 1801
    monkeypatch.setattr("kameng_fulfilment.guests.secrets.time.time", lambda: later)
    assert read_pass(shop.kernel, text) is None


async def test_a_shop_may_sell_to_members_alone(make_kernel: Any) -> None:
    shop = Shop(await make_kernel(fulfilment={"guest_orders": False}))
    variant = await shop.stock("CARD", "1", ["a"])
    assert codes(await place(Buyer(shop), "lin@example.com", (variant, 1))) == ["GUEST_ORDERS_CLOSED"]
