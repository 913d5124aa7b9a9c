"""A guest becomes a member, and takes his order and its money along: once, whoever else tries at the same moment."""

from __future__ import annotations

import asyncio
from typing import Any
from uuid import UUID

import asyncpg
import pytest

from kameng.auth import Principal
from kameng.ids import new_id
from kameng.money import Money
from kameng_fulfilment.contract import Payments
from kameng_fulfilment.guests.claiming import claim_order
from kameng_fulfilment.refund_parts import RefundedLine
from kameng_fulfilment.refunding import refund_order
from kameng_settlement.contract import Receipt, Receipts, Wallets

from . import lives
from .carts import Buyer, codes
from .conftest import Shop
from .test_guest_actions import COMPLAIN, OPEN, SHOWN, do
from .test_guests import place, read

CLAIM = """mutation($input: ClaimGuestOrderInput!) {
  claimGuestOrder(input: $input) { order { number state lines { cards { secret } } tickets { state } }
    errors { code path message cure } } }"""
ORDERS = "{ viewer { orders(first: 10) { edges { node { number } } } } }"


async def claim(who: Buyer, number: str, secret: str | None) -> Any:
    return await do(who, CLAIM, "claimGuestOrder", number=number, secret=secret)


async def guests_order(shop: Shop, pieces: int = 2) -> tuple[UUID, str, str]:
    """A guest's order at 5.00 a piece: its key, number and secret."""
    variant = await shop.kernel.db.fetchval("select id from catalog_variant where sku = 'CARD'")
    if variant is None:
        variant = await shop.stock("CARD", "5", [f"PLUM-{n}" for n in range(60)])
    placed = await place(Buyer(shop), f"{new_id()}@example.com", (variant, pieces))
    number = placed["order"]["number"]
    key = await shop.kernel.db.fetchval("select id from fulfilment_order where number = $1", number)
    return key, number, placed["secret"]


async def wallet(shop: Shop, owner: UUID) -> int:
    (found,) = await shop.kernel.services.get(Wallets).wallets([owner], "CNY")
    return found.balance.minor


async def owner(shop: Shop, order: UUID) -> UUID:
    key: UUID = await shop.kernel.db.fetchval("select member from fulfilment_order where id = $1", order)
    return key


async def moves(shop: Shop) -> int:
    count: int = await shop.kernel.db.fetchval(
        "select count(*) from settlement_ledger_transaction where kind = 'wallet_move'"
    )
    return count


async def test_a_member_takes_his_guests_order_into_his_account(shop: Shop) -> None:
    # Given a guest who has paid too much for an order, and complained about a card of it
    key, number, secret = await guests_order(shop)
    guest = await owner(shop, key)
    await lives.pay(shop, key, 1300)
    card = (await do(Buyer(shop), OPEN, "openGuestOrder", number=number, secret=secret))["order"]["lines"][0]
    asked = {"position": 1, "cardKey": card["cards"][0]["key"], "evidence": "used"}
    await do(Buyer(shop), COMPLAIN, "openGuestTicket", number=number, secret=secret, **asked)
    assert await wallet(shop, guest) == 300
    # When the member who he becomes claims it, and says so again
    ann = await shop.member("1")
    for _ in range(2):
        answer = await claim(Buyer(shop, ann), number.lower(), secret)
        assert answer["errors"] == []
        assert answer["order"]["number"] == number
        assert [one["secret"] for one in answer["order"]["lines"][0]["cards"]] == ["PLUM-0", "PLUM-1"]
        assert [ticket["state"] for ticket in answer["order"]["tickets"]] == ["OPEN"]
    # Then it is among his orders, and the money in his wallet, by one transfer
    shown = await Buyer(shop, ann).ask(ORDERS)
    assert [edge["node"]["number"] for edge in shown["viewer"]["orders"]["edges"]] == [number]
    assert (await wallet(shop, guest), await shop.balance(ann), await moves(shop)) == (0, "4.00", 1)
    assert "order_claimed" in await lives.events(shop, key)
    # And the secret opens nothing any more, in whatever way it is shown
    opened = await do(Buyer(shop), OPEN, "openGuestOrder", number=number, secret=secret)
    assert codes(opened) == ["ORDER_CLAIMED"]
    (error,) = (await read(shop, number, secret)).errors
    assert (error["extensions"]["code"], "in an account" in error["message"]) == ("NOT_FOUND", True)
    (error,) = (await read(shop, number, secret[:-1] + "x")).errors
    assert (error["extensions"]["code"], "in an account" in error["message"]) == ("NOT_FOUND", False)
    kinds = await shop.kernel.db.fetch(
        "select actor from fulfilment_order_history where order_id = $1 and kind = 'claim'", key
    )
    assert [row["actor"] for row in kinds] == [ann.key]


async def test_of_two_members_who_claim_at_once_one_gets_the_order_and_the_money(shop: Shop) -> None:
    for _ in range(6):
        # Given a guest's order with money left over
        key, number, secret = await guests_order(shop)
        await lives.pay(shop, key, 1300)
        ann, bob = await shop.member(), await shop.member()
        # When two members claim it, each several times at once
        answers = await asyncio.gather(
            *(claim(Buyer(shop, who), number, secret) for who in (ann, bob, ann, bob, ann, bob))
        )
        # Then one of them has it, with all of the money
        won = [not answer["errors"] for answer in answers]
        assert won in ([True, False] * 3, [False, True] * 3)
        lost = next(answer for answer in answers if answer["errors"])
        assert codes(lost) == ["ORDER_CLAIMED"]
        assert sorted([await shop.balance(ann), await shop.balance(bob)]) == ["0.00", "3.00"]
    assert await moves(shop) == 6


async def test_money_of_the_order_finds_its_new_owner(shop: Shop) -> None:
    # Given an order that a guest paid and a member has claimed
    key, number, secret = await guests_order(shop)
    guest = await owner(shop, key)
    await lives.pay(shop, key, 1000)
    ann = await shop.member()
    assert (await claim(Buyer(shop, ann), number, secret))["errors"] == []
    # When something of it is refunded, which goes back to the wallet that paid
    (line,) = await lives.lines(shop, key)
    wanted = [RefundedLine(line=line.id, quantity=1)]
    for _ in range(2):
        await refund_order(shop.kernel, key, wanted, key="r1", actor="staff:x", reason="sorry")
    # Then the member has it
    assert (await wallet(shop, guest), await shop.balance(ann)) == (0, "5.00")
    # And what comes in late from outside is his too
    await lives.pay(shop, key, 250)
    assert (await wallet(shop, guest), await shop.balance(ann)) == (0, "7.50")


async def test_an_unpaid_order_is_paid_by_its_new_owner(shop: Shop) -> None:
    # Given a guest who has paid a part
    key, number, secret = await guests_order(shop)
    await lives.pay(shop, key, 400)
    ann = await shop.member()
    assert (await claim(Buyer(shop, ann), number, secret))["order"]["state"] == "PENDING_PAYMENT"
    assert await shop.balance(ann) == "4.00"
    # When the rest comes in
    taken = await lives.pay(shop, key, 600)
    # Then it is paid from the member's wallet
    assert (taken.outcome.value, await lives.state(shop, key), await shop.balance(ann)) == (
        "PAID",
        "COMPLETED",
        "0.00",
    )


async def test_a_claim_and_a_payment_at_once_lose_no_money(shop: Shop) -> None:
    for _ in range(5):
        key, number, secret = await guests_order(shop)
        guest = await owner(shop, key)
        ann = await shop.member()
        answer, _ = await asyncio.gather(claim(Buyer(shop, ann), number, secret), lives.pay(shop, key, 1100))
        assert answer["errors"] == []
        assert (await lives.state(shop, key), await wallet(shop, guest), await shop.balance(ann)) == (
            "COMPLETED",
            0,
            "1.00",
        )


async def test_who_orders_again_with_the_same_key_gets_no_second_order(shop: Shop) -> None:
    # Given a guest's order that was claimed
    variant = await shop.stock("CARD", "5", ["a", "b"])
    key = str(new_id())
    placed = await place(Buyer(shop), "lin@example.com", (variant, 1), key=key)
    ann = await shop.member()
    await claim(Buyer(shop, ann), placed["order"]["number"], placed["secret"])
    # When the guest's request comes again, and another one with its key
    again = await place(Buyer(shop), "lin@example.com", (variant, 1), key=key)
    other = await place(Buyer(shop), "lin@example.com", (variant, 2), key=key)
    # Then he is told where his order is, and nothing was placed
    assert (codes(again), again["order"], again["secret"]) == (["ORDER_CLAIMED"], None, None)
    assert codes(other) == ["CONFLICT"]
    assert await shop.kernel.db.fetchval("select count(*) from fulfilment_order") == 1


async def test_a_cart_that_was_ordered_and_claimed_is_not_ordered_twice(shop: Shop) -> None:
    variant = await shop.stock("CARD", "5", ["a", "b"])
    guest, key = Buyer(shop), str(new_id())
    await guest.add(variant, 1)
    placed = await place(guest, "lin@example.com", key=key, fromCart=True)
    ann = await shop.member()
    await claim(Buyer(shop, ann), placed["order"]["number"], placed["secret"])
    assert codes(await place(guest, "lin@example.com", key=key, fromCart=True)) == ["ORDER_CLAIMED"]


async def test_what_a_visitor_has_opened_he_claims_after_the_log_in_without_its_secret(shop: Shop) -> None:
    # Given a visitor with a cart and an order that he has just placed
    _, number, secret = await guests_order(shop)
    here = Buyer(shop)
    await do(here, OPEN, "openGuestOrder", number=number, secret=secret)
    token = here.visitor
    # When he logs in, which ends his token
    here.principal = await shop.member()
    await here.cart()
    assert here.visitor == ""
    # Then the order is still open for him, and he claims it
    assert (await here.ask(SHOWN, {"number": number}))["guestOrder"]["opened"] is True
    assert (await claim(here, number, None))["errors"] == []
    # And the token is worth nothing
    assert codes(await claim(Buyer(shop, await shop.member(), visitor=token), number, None)) == ["NOT_FOUND"]


async def test_who_may_not_claim(shop: Shop) -> None:
    key, number, secret = await guests_order(shop)
    assert codes(await claim(Buyer(shop), number, secret)) == ["UNAUTHENTICATED"]
    ann = await shop.member("10")
    assert codes(await claim(Buyer(shop, ann), number, secret[:-1] + "x")) == ["NOT_FOUND"]
    # An order of a member is nobody's to claim, with whatever secret
    variant = await shop.kernel.db.fetchval("select id from catalog_variant")
    own = (await shop.buy(ann, (variant, 1)))["order"]["number"]
    assert codes(await claim(Buyer(shop, await shop.member()), own, secret)) == ["NOT_FOUND"]
    assert (await lives.stored(shop, key)).buyer_kind == "guest"


async def test_a_claim_that_fails_changes_nothing(shop: Shop) -> None:
    # Given a guest's order with money left over, and a ledger that refuses
    key, _, _ = await guests_order(shop)
    guest = await owner(shop, key)
    await lives.pay(shop, key, 1300)
    ann = lives.buyer(await shop.member())
    await shop.kernel.db.execute(
        "create function no_moves() returns trigger language plpgsql as $$ begin raise exception 'no'; end $$;"
    )
    await shop.kernel.db.execute(
        "create trigger no_moves before insert on settlement_ledger_transaction for each row"
        " when (new.kind = 'wallet_move') execute function no_moves()"
    )
    # When it is claimed
    with pytest.raises(asyncpg.RaiseError):
        await claim_order(shop.kernel, key, ann)
    # Then nothing has happened
    stored = await lives.stored(shop, key)
    assert (stored.buyer_kind, stored.member, await wallet(shop, guest)) == ("guest", guest, 300)
    assert await shop.kernel.db.fetchval("select count(*) from fulfilment_claim") == 0


async def test_money_in_another_currency_comes_along(shop: Shop) -> None:
    # Given a guest who has paid a part in yuan, and something in dollars by mistake
    key, number, secret = await guests_order(shop)
    payments = shop.kernel.services.get(Payments)
    await payments.paid(key, Money(100, "CNY"), "manual", "a")
    await payments.paid(key, Money(700, "USD"), "manual", "b")
    ann: Principal = await shop.member()
    assert (await claim(Buyer(shop, ann), number, secret))["errors"] == []
    assert ann.id is not None
    found = [
        (await shop.kernel.services.get(Wallets).wallets([ann.id], currency))[0].balance.minor
        for currency in ("CNY", "USD")
    ]
    assert found == [100, 700]


async def test_a_payment_that_the_guest_began_pays_the_order_of_its_new_owner(shop: Shop) -> None:
    # Given a claimed order, and money that came into the guest's wallet afterwards, as he had begun to pay before
    key, number, secret = await guests_order(shop)
    guest = await owner(shop, key)
    ann = await shop.member()
    await claim(Buyer(shop, ann), number, secret)
    async with shop.kernel.db.transaction():
        receipt = Receipt(source="manual", reference="g1", member=guest, amount=Money(900, "CNY"))
        await shop.kernel.services.get(Receipts).receive([receipt])
    # When the last of it comes in
    await shop.kernel.db.execute("update fulfilment_order set received_minor = 900")
    taken = await lives.pay(shop, key, 100)
    # Then the order is paid
    assert (taken.outcome.value, await wallet(shop, guest), await shop.balance(ann)) == ("PAID", 0, "0.00")
