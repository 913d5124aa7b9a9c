"""Orders paid at each gateway: told, or found by asking, and delivered; what comes too late is credited or goes back."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from uuid import UUID

import pytest
import pytest_asyncio

from kameng.embedded.ports import free_port
from kameng.tasks import drain
from kameng.testing.kernels import Kernels
from kameng_fulfilment.online.asking import open_order_payment
from kameng_fulfilment.unpaid import expire_unpaid
from kameng_settlement.payments.opening import payment_by_number
from kameng_settlement.payments.records import StoredAttempt
from tests.fulfilment import lives
from tests.fulfilment.conftest import Shop as Counter

from .cases import CASES, Case, Simulated
from .shops import Shop, control, served


@dataclass(frozen=True)
class Whole:
    """A shop of all modules: the counter where orders are placed, and the till where gateways tell."""

    counter: Counter
    till: Shop

    async def ordered(self, case: Case, simulated: Simulated) -> tuple[UUID, StoredAttempt]:
        """An order of one card that waits for its payment, begun at the gateway."""
        await self.till.account(case, simulated)
        member = await self.counter.member()
        variant = await self.counter.stock("CARD", "98.50", ["code-1"])
        order = await lives.place(self.counter, member, (variant, 1))
        opened = await open_order_payment(
            self.counter.kernel, await lives.stored(self.counter, order), "buyer"
        )
        payment = await payment_by_number(self.counter.kernel, opened.number)
        assert payment is not None
        return order, await self.till.start(case, payment)

    async def state(self, order: UUID) -> str:
        await drain(self.counter.kernel)
        return await lives.state(self.counter, order)


@pytest_asyncio.fixture(loop_scope="session")
async def whole(make_kernel: Kernels) -> AsyncIterator[Whole]:
    """A shop of all modules."""
    port = free_port()
    kernel = await make_kernel(kameng={"public_url": f"http://127.0.0.1:{port}"})
    async with served(kernel, port) as till:
        yield Whole(Counter(kernel), till)


def in_yuan(case: Case) -> Case:
    """The gateway, for prices of this shop: Stripe takes CNY as well."""
    return Case(case.name, case.gateway, case.simulator, "CNY", case.settings_key, case.flow)


async def test_an_order_is_paid_told_and_delivered(whole: Whole, case: Case, simulated: Simulated) -> None:
    # Given an order that waits for its payment
    order, attempt = await whole.ordered(in_yuan(case), simulated)
    assert await whole.state(order) == "PENDING_PAYMENT"
    # When the payer pays, and the gateway tells twice
    said = await control(simulated, "pay", number=attempt.number, notify={"times": 2})
    assert {answer["status"] for answer in said["answers"]} <= {200, 204}
    # Then the card is his, once, and the books add up
    assert await whole.state(order) == "COMPLETED"
    assert await lives.sold(whole.counter) == 1
    assert (await whole.till.books.verified()).ok


async def test_an_order_whose_payment_nobody_told_of_is_delivered(
    whole: Whole, case: Case, simulated: Simulated
) -> None:
    order, attempt = await whole.ordered(in_yuan(case), simulated)
    await control(simulated, "pay", number=attempt.number)
    assert await whole.state(order) == "PENDING_PAYMENT"
    await whole.till.poll()
    assert await whole.state(order) == "COMPLETED"
    assert await lives.sold(whole.counter) == 1


@pytest.mark.parametrize("case", CASES[:1], ids=lambda case: case.name)  # what follows is not the gateway's
async def test_a_payment_that_comes_after_the_card_is_gone_is_the_buyers(
    whole: Whole, case: Case, simulated: Simulated
) -> None:
    # Given an order whose time is over, and whose card somebody else bought
    order, attempt = await whole.ordered(in_yuan(case), simulated)
    await lives.overdue(whole.counter, order)
    variant = await whole.counter.kernel.db.fetchval("select id from catalog_variant where sku = 'CARD'")
    rich = await whole.counter.member("1000")
    await expire_unpaid(whole.counter.kernel)
    assert (await whole.counter.buy(rich, (variant, 1)))["errors"] == []
    # When the gateway tells of a payment after all
    await control(simulated, "pay", number=attempt.number, notify={})
    # Then nothing is delivered, and the money is in the buyer's wallet
    assert await whole.state(order) == "EXPIRED"
    assert await lives.sold(whole.counter) == 1
    payer = (await lives.stored(whole.counter, order)).member
    assert (await whole.till.books.balances([payer]))[0] == 9850
    assert (await whole.till.books.verified()).ok
