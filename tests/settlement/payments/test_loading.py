"""Wallets that are filled: top-ups with their bonus, and gift cards, each once."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest

from kameng.auth import Principal, PrincipalKind
from kameng.errors import InvalidInput, RateLimited
from kameng.ids import new_id
from kameng.money import Money
from kameng.testing.kernels import Kernels
from kameng_membership import module as membership
from kameng_settlement import module as settlement
from kameng_settlement.payments.accounts import StoredAccount
from kameng_settlement.payments.errors import GiftCardUnknown
from kameng_settlement.payments.gift_cards import (
    BatchDraft,
    Redeemed,
    make_batch,
    redeem,
    reveal_batch,
    void_batch,
)
from kameng_settlement.payments.records import StoredPayment
from kameng_settlement.payments.top_ups import BonusDraft, add_bonus, open_top_up, set_bonus_enabled
from tests.settlement.conftest import CATALOG, Books

from .conftest import Bank, Till


async def begun(till: Till, member: UUID, minor: int) -> tuple[StoredPayment, str]:
    """A top-up that was begun, and its number at the bank."""
    payment = await open_top_up(till.context(), member, Money(minor, "CNY"), str(new_id()))
    return payment, (await till.start(payment)).number


async def topped_up(till: Till, account: StoredAccount, member: UUID, minor: int) -> int:
    """A top-up; what the wallet holds then."""
    payment, number = await begun(till, member, minor)
    await till.tell(account, await till.bank.pay(number))
    return await till.wallet(payment)


async def bonus(till: Till, **values: Any) -> UUID:
    """A rule."""
    given = {"name": "Spring", "currency": "CNY", "from_minor": 10_000, **values}
    return await add_bonus(till.context(), BonusDraft(**given))


async def test_a_top_up_earns_the_best_bonus_of_its_size(till: Till) -> None:
    account = await till.account()
    await bonus(till, percent_ppm=50_000)
    await bonus(till, from_minor=50_000, percent_ppm=100_000, most_minor=8000)
    await bonus(till, fixed_minor=600)
    for minor, held in ((9999, 9999), (10_000, 10_600), (20_000, 21_000), (50_000, 55_000), (90_000, 98_000)):
        assert await topped_up(till, account, new_id(), minor) == held
    assert await till.account_sum("promotions") == 600 + 1000 + 5000 + 8000
    assert (await till.books.verified()).ok


async def test_a_bonus_once_for_each_member_is_given_once_however_many_top_ups_come_at_once(
    till: Till,
) -> None:
    account = await till.account()
    await bonus(till, fixed_minor=500, once_per_member=True)
    member = new_id()
    numbers = [(await begun(till, member, 10_000))[1] for _ in range(8)]
    values = [await till.bank.pay(number) for number in numbers]
    await asyncio.gather(*(till.tell(account, value) for value in values))
    assert await till.books.balances([member]) == [8 * 10_000 + 500]
    # And another member gets his own
    assert await topped_up(till, account, new_id(), 10_000) == 10_500


async def test_a_bonus_of_another_time_currency_or_that_is_disabled_is_not_given(till: Till) -> None:
    account = await till.account()
    now = datetime.now(UTC)
    await bonus(till, fixed_minor=1, starts_at=now + timedelta(hours=1))
    await bonus(till, fixed_minor=1, starts_at=now - timedelta(hours=2), ends_at=now - timedelta(hours=1))
    await bonus(till, fixed_minor=1, currency="USD")
    off = await bonus(till, fixed_minor=1)
    await set_bonus_enabled(till.context(), off, enabled=False)
    assert await topped_up(till, account, new_id(), 10_000) == 10_000


async def test_a_bonus_that_gives_nothing_and_a_top_up_of_nothing_are_refused(till: Till) -> None:
    for values in (
        {},
        {"percent_ppm": -1},
        {"fixed_minor": 5, "most_minor": 0},
        {"fixed_minor": 1, "name": ""},
    ):
        with pytest.raises(InvalidInput):
            await bonus(till, **values)
    for minor in (99, 5_000_001):
        with pytest.raises(InvalidInput):
            await begun(till, new_id(), minor)


async def cards(till: Till, count: int = 1, **values: Any) -> tuple[UUID, list[str]]:
    """A batch and its codes."""
    draft = BatchDraft(name="New year", amount=Money(5000, "CNY"), count=count, **values)
    batch = await make_batch(till.context(), draft)
    return batch, [card.code for card in await reveal_batch(till.context(), batch, "printed for the fair")]


def buyer() -> Principal:
    return Principal(kind=PrincipalKind.MEMBER, id=new_id())


async def use(till: Till, who: Principal, code: str, address: str = "") -> Redeemed:
    assert who.id is not None
    return await redeem(till.context(who, address=address), who.id, code)


async def test_a_gift_card_loads_the_wallet_that_redeems_it(till: Till) -> None:
    _, [code] = await cards(till)
    who = buyer()
    assert who.id is not None
    # When its buyer types it as people do
    redeemed = await use(till, who, code.lower().replace("-", " ").replace("0", "o").replace("1", "l"))
    # Then it is in his wallet, once, and nobody else's
    again = await use(till, who, code)
    assert redeemed == again
    assert await till.books.balances([who.id]) == [5000]
    assert await till.account_sum("gift_cards") == 5000
    with pytest.raises(GiftCardUnknown):
        await use(till, buyer(), code)


async def test_thirty_at_once_with_one_card_are_one_load(till: Till) -> None:
    _, [code] = await cards(till)
    buyers = [buyer() for _ in range(30)]
    answers = await asyncio.gather(*(use(till, who, code) for who in buyers), return_exceptions=True)
    assert sum(isinstance(answer, Redeemed) for answer in answers) == 1
    assert sum(isinstance(answer, GiftCardUnknown) for answer in answers) == 29
    held = await till.books.balances([who.id for who in buyers if who.id])
    assert sorted(held)[-2:] == [0, 5000]


async def test_void_expired_and_unknown_cards_are_answered_alike(till: Till) -> None:
    batch, [used, left] = await cards(till, 2)
    await use(till, buyer(), used)
    assert await void_batch(till.context(), batch, "printed twice") == 1
    late, [expired] = await cards(till, expires_at=datetime.now(UTC) + timedelta(days=1))
    await till.kernel.db.execute(
        "update settlement_gift_card_batch set expires_at = now() where id = $1", late
    )
    messages = set()
    for code in (left, expired, "0000-0000-0000-0000", ""):
        with pytest.raises(GiftCardUnknown) as refused:
            await use(till, buyer(), code)
        messages.add(str(refused.value))
    assert len(messages) == 1


async def test_codes_are_sealed_differ_and_cannot_be_tried_for_long(make_kernel: Kernels, bank: Bank) -> None:
    kernel = await make_kernel(
        [CATALOG, membership, settlement],
        settlement={"gift_card_tries_per_member": "3/hour", "gift_card_tries_per_address": "5/hour"},
    )
    till = Till(Books(kernel), bank)
    _, codes = await cards(till, 500)
    assert len(set(codes)) == 500
    stored = await kernel.db.fetch("select sealed, mark from settlement_gift_card")
    plain = codes[0].replace("-", "").encode()
    assert not any(plain in row["sealed"] or plain in row["mark"] for row in stored)
    # One member, and one network address of many members
    who = buyer()
    for _ in range(3):
        with pytest.raises(GiftCardUnknown):
            await use(till, who, "0000-0000-0000-0000")
    with pytest.raises(RateLimited):
        await use(till, who, codes[0])
    for _ in range(5):
        with pytest.raises(GiftCardUnknown):
            await use(till, buyer(), "0000-0000-0000-0000", "203.0.113.9")
    with pytest.raises(RateLimited):
        await use(till, buyer(), codes[0], "203.0.113.9")
