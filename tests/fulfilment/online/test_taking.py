"""Orders paid through gateways: delivered once, in time, late or not at all, with the money always the buyer's."""

from __future__ import annotations

import asyncio
from typing import Any
from uuid import UUID

import msgspec
import pytest
import pytest_asyncio

from kameng.auth import Principal
from kameng.ids import new_id
from kameng.kernel import Kernel
from kameng.testing.kernels import Kernels
from kameng_fulfilment.events import OrderCancelled
from kameng_fulfilment.online.asking import open_order_payment
from kameng_fulfilment.online.taking import close_payments, take_payment
from kameng_fulfilment.orders import StoredOrder, order_by_number
from kameng_fulfilment.states import WrongOrderState
from kameng_fulfilment.unpaid import cancel_unpaid
from kameng_settlement.contract import PaymentSucceeded
from kameng_settlement.gateway_contract import Flow
from kameng_settlement.payments.opening import payment_by_number
from kameng_settlement.payments.records import StoredPayment
from tests.fulfilment.carts import Buyer
from tests.fulfilment.conftest import Shop
from tests.fulfilment.test_guests import place
from tests.settlement.conftest import Books
from tests.settlement.payments.conftest import Bank, Till, bank, bank_installed

__all__ = ["bank", "bank_installed"]


class Online(Shop):
    """A shop whose orders are paid at the bank."""

    def __init__(self, kernel: Kernel, bank: Bank) -> None:
        super().__init__(kernel)
        object.__setattr__(self, "till", Till(Books(kernel), bank))

    till: Till

    async def order(self, member: Principal, variant: UUID, quantity: int = 1) -> StoredOrder:
        """An order that waits for its payment."""
        placed = await self.buy(member, (variant, quantity), payment="OUTSIDE")
        assert placed["errors"] == []
        return await self.now(placed["order"]["number"])

    async def now(self, number: str) -> StoredOrder:
        found = await order_by_number(self.kernel.db, number)
        assert found is not None
        return found

    async def payment(self, order: StoredOrder) -> StoredPayment:
        opened = await open_order_payment(self.kernel, order, "system")
        found = await payment_by_number(self.kernel, opened.number)
        assert found is not None
        return found

    async def pay(self, account: Any, order: StoredOrder) -> PaymentSucceeded:
        """Pay an order at the bank; what is published."""
        attempt = await self.till.start(await self.payment(order))
        await self.till.tell(account, await self.till.bank.pay(attempt.number))
        return await self.succeeded()

    async def succeeded(self) -> PaymentSucceeded:
        row = await self.kernel.db.fetchrow(
            "select payload from kernel_outbox where topic = 'settlement.payment_succeeded' order by id desc limit 1"
        )
        assert row is not None
        return msgspec.json.decode(row["payload"], type=PaymentSucceeded)

    async def handle(self, event: PaymentSucceeded) -> None:
        """The event is handled."""
        async with self.kernel.db.transaction():
            await take_payment(self.kernel, event)


@pytest_asyncio.fixture(loop_scope="session")
async def online(make_kernel: Kernels, bank: Bank) -> Online:
    """A shop of all modules, with an account at the bank."""
    return Online(await make_kernel(), bank)


async def test_a_payment_delivers_its_order_and_its_money_comes_in_once(online: Online) -> None:
    # Given an order of 5.00, and an account at the bank
    account = await online.till.account()
    variant = await online.stock("CARD", "5", ["SECRET"])
    ann = await online.member()
    order = await online.order(ann, variant)
    # When it is paid, and the event is handled as often as it likes
    event = await online.pay(account, order)
    assert (await online.now(order.number)).state == "PENDING_PAYMENT"
    for _ in range(2):
        await online.handle(event)
    # Then it is delivered, the wallet is empty, and the bank owes 5.00
    assert (await online.now(order.number)).state == "COMPLETED"
    assert await online.balance(ann) == "0.00"
    assert await online.till.account_sum("clearing:bank:main") == 500
    assert await online.till.account_sum("sales") == -500
    assert (await online.till.books.verified()).ok


async def test_ten_handlings_at_once_deliver_once(online: Online) -> None:
    account = await online.till.account()
    variant = await online.stock("CARD", "5", ["a", "b"])
    ann = await online.member()
    event = await online.pay(account, await online.order(ann, variant))
    await asyncio.gather(*(online.handle(event) for _ in range(10)))
    assert await online.state() == (1, 1, 2, 1)


async def test_an_order_paid_from_the_wallet_later_is_charged_with_the_money_set_aside(
    online: Online,
) -> None:
    await online.till.account("own", gateway="balance", merchant="shop", settings={})
    variant = await online.stock("CARD", "5", ["SECRET", "b"])
    ann = await online.member("7")
    order = await online.order(ann, variant)
    await online.till.start(await online.payment(order), "balance", Flow.BALANCE)
    # What is set aside cannot buy anything else
    assert await online.balance(ann) == "2.00"
    refused = await online.buy(ann, (variant, 1))
    assert [error["code"] for error in refused["errors"]] == ["INSUFFICIENT_FUNDS"]
    await online.handle(await online.succeeded())
    assert ((await online.now(order.number)).state, await online.balance(ann)) == ("COMPLETED", "2.00")
    assert await online.till.account_sum("clearing:balance:own") == 0


async def test_money_for_an_order_that_was_called_off_stays_the_buyers(online: Online) -> None:
    account = await online.till.account()
    variant = await online.stock("CARD", "5", ["SECRET"])
    ann = await online.member()
    order = await online.order(ann, variant)
    attempt = await online.till.start(await online.payment(order))
    await cancel_unpaid(online.kernel, order.id, "system")
    await online.till.tell(account, await online.till.bank.pay(attempt.number))
    await online.handle(await online.succeeded())
    assert ((await online.now(order.number)).state, await online.balance(ann)) == ("CANCELLED", "5.00")


async def test_or_goes_back_by_its_gateway_where_the_rule_says_so(make_kernel: Kernels, bank: Bank) -> None:
    online = Online(await make_kernel(fulfilment={"unfulfillable": "refund"}), bank)
    account = await online.till.account()
    variant = await online.stock("CARD", "5", ["SECRET"])
    ann = await online.member()
    order = await online.order(ann, variant)
    attempt = await online.till.start(await online.payment(order))
    await cancel_unpaid(online.kernel, order.id, "system")
    await online.till.tell(account, await online.till.bank.pay(attempt.number))
    event = await online.succeeded()
    for _ in range(2):
        await online.handle(event)
    assert await online.balance(ann) == "0.00"
    rows = await online.kernel.db.fetch("select state, amount_minor from settlement_payment_refund")
    assert [tuple(row) for row in rows] == [("REQUESTED", 500)]


async def test_an_order_asks_for_one_payment_until_something_comes_in(online: Online) -> None:
    await online.till.account()
    variant = await online.stock("CARD", "5", ["SECRET"])
    ann = await online.member("10")
    order = await online.order(ann, variant)
    payments = await asyncio.gather(*(online.payment(order) for _ in range(5)))
    assert {payment.number for payment in payments} == {payments[0].number}
    assert (payments[0].payer, payments[0].amount_minor, payments[0].memo) == (ann.id, 500, order.number)
    assert payments[0].expires_at == order.reserved_until
    # An order that was paid, or is over, asks for none
    await cancel_unpaid(online.kernel, order.id, "system")
    with pytest.raises(WrongOrderState):
        await online.payment(await online.now(order.number))


async def test_the_payments_of_an_order_that_is_over_are_closed(online: Online) -> None:
    await online.till.account()
    variant = await online.stock("CARD", "5", ["SECRET"])
    order = await online.order(await online.member(), variant)
    payment = await online.payment(order)
    gone = OrderCancelled(
        order=str(order.id),
        number=order.number,
        buyer=str(order.member),
        buyer_kind="member",
        total_minor=500,
        currency="CNY",
        at="2026-01-01T00:00:00Z",
    )
    for _ in range(2):
        async with online.kernel.db.transaction():
            await close_payments(online.kernel, gone)
    assert (await online.till.now(payment)).state == "CLOSED"


async def test_the_money_goes_with_an_order_that_has_become_somebody_elses(online: Online) -> None:
    # Given a payment that was begun by a buyer whose order became a member's before it was paid
    account = await online.till.account()
    variant = await online.stock("CARD", "5", ["SECRET"])
    order = await online.order(await online.member(), variant)
    attempt = await online.till.start(await online.payment(order))
    heir = await online.member()
    await online.kernel.db.execute("update fulfilment_order set member = $2 where id = $1", order.id, heir.id)
    # When it is paid
    await online.till.tell(account, await online.till.bank.pay(attempt.number))
    await online.handle(await online.succeeded())
    # Then the order is delivered, and nobody has too much
    assert (await online.now(order.number)).state == "COMPLETED"
    assert await online.till.books.balances([order.member, heir.id or new_id()]) == [0, 0]


PAY_GUEST = """mutation($input: PayGuestOrderInput!) { payGuestOrder(input: $input) { paymentNumber errors { code } } }"""
START = """mutation($input: StartPaymentInput!) { startPayment(input: $input) {
  payment { state ways { gateway } } attempt { number } errors { code } } }"""
PAYMENT = "query($number: String!) { payment(number: $number) { state } }"


async def test_a_guest_pays_his_order_at_the_bank_and_nobody_else_knows_of_it(online: Online) -> None:
    # Given a guest's order that waits for its payment
    account = await online.till.account()
    variant = await online.stock("CARD", "5", ["SECRET"])
    guest = Buyer(online)
    placed = await place(guest, "lin@example.com", (variant, 1))
    number = placed["order"]["number"]
    # When a stranger asks for its payment, he is refused
    wrong = {"number": number, "secret": "x" * 43}
    refused = (await Buyer(online).ask(PAY_GUEST, {"input": wrong}))["payGuestOrder"]
    assert (refused["paymentNumber"], [error["code"] for error in refused["errors"]]) == (None, ["NOT_FOUND"])
    # When the guest does, and begins to pay
    value = {"number": number, "secret": placed["secret"]}
    opened = (await guest.ask(PAY_GUEST, {"input": value}))["payGuestOrder"]
    assert opened["errors"] == []
    begin = {"number": opened["paymentNumber"], "gateway": "bank", "flow": "QR"}
    begun = (await guest.ask(START, {"input": begin}))["startPayment"]
    assert (begun["errors"], begun["payment"]["state"]) == ([], "PENDING")
    await online.till.tell(account, await online.till.bank.pay(begun["attempt"]["number"]))
    await online.handle(await online.succeeded())
    # Then it is delivered
    assert (await guest.ask(PAYMENT, {"number": opened["paymentNumber"]}))["payment"] == {"state": "PAID"}
    assert (await online.now(number)).state == "COMPLETED"


PAY = """mutation($input: PayOrderInput!) { payOrder(input: $input) { payment { number amount { amount } } errors { code } } }"""


async def test_a_member_asks_for_the_payment_of_his_own_order(online: Online) -> None:
    await online.till.account()
    variant = await online.stock("CARD", "5", ["SECRET"])
    ann, bob = await online.member(), await online.member()
    order = await online.order(ann, variant)
    answer = (await Buyer(online, ann).ask(PAY, {"input": {"number": order.number}}))["payOrder"]
    assert (answer["payment"]["amount"], answer["errors"]) == ({"amount": "5.00"}, [])
    answer = (await Buyer(online, bob).ask(PAY, {"input": {"number": order.number}}))["payOrder"]
    assert (answer["payment"], [error["code"] for error in answer["errors"]]) == (None, ["NOT_FOUND"])
