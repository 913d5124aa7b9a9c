"""Reports by site: what each one sold and what gateways kept of it, on the business days of its own time zone."""

from __future__ import annotations

import asyncio
from datetime import UTC, date, datetime, timedelta
from uuid import UUID

import pytest

from kameng.auth import VISITOR, Principal
from kameng.ids import global_id, key_of, new_id
from kameng.money import Money
from kameng.testing.kernels import Kernels
from kameng_analytics.reports.booking import book_orders
from kameng_analytics.reports.checking import differences
from kameng_analytics.reports.closing import DayNotOver, close_day
from kameng_analytics.reports.days import business_zones
from kameng_analytics.reports.gathering import gather
from kameng_analytics.reports.rebuilding import rebuild
from kameng_fulfilment.refunding import refund_order
from kameng_settlement.contract import Booking, Books, Holder, Move
from kameng_settlement.ledger import Ledger
from tests.analytics.reported import figures, now, settle, total, unlike_ledger
from tests.analytics.test_reports import LONG_AGO
from tests.fulfilment.conftest import OWNER, PLACE, Shop

SITES = {"north.example": "north", "south.example": "south"}


async def bought(shop: Shop, member: Principal, variant: UUID, host: str) -> UUID:
    """An order of one piece from the wallet, on a site."""
    line = {"variantId": global_id("Variant", variant), "quantity": 1}
    values = {"input": {"lines": [line]}, "key": str(new_id())}
    answer = await shop.ask("shop", PLACE, values, member, host=host)
    assert answer.errors is None, answer.errors
    assert answer.data["placeOrder"]["errors"] == []
    return key_of("Order", answer.data["placeOrder"]["order"]["id"])


async def moved_to(shop: Shop, moment: datetime) -> None:
    """Let everything have happened at that moment."""
    async with shop.kernel.db.transaction():
        await shop.kernel.db.execute(
            "alter table settlement_ledger_transaction disable trigger settlement_ledger_transaction_never_changed"
        )
        await shop.kernel.db.execute("update settlement_ledger_transaction set posted_at = $1", moment)
        await shop.kernel.db.execute(
            "alter table settlement_ledger_transaction"
            " enable always trigger settlement_ledger_transaction_never_changed"
        )
        await shop.kernel.db.execute("update fulfilment_order set paid_at = $1, completed_at = $1", moment)


async def test_each_site_has_its_sales_and_all_of_them_are_the_ledgers(make_kernel: Kernels) -> None:
    # given orders on two sites and on the operator's own, one of which goes back
    shop = Shop(await make_kernel(catalog={"sites": SITES}))
    variant = await shop.stock("A", "5", [f"a-{n}" for n in range(9)])
    member = await shop.member("100")
    orders = [
        await bought(shop, member, variant, host)
        for host in ("north.example", "north.example", "south.example", "own.example")
    ]
    await refund_order(shop.kernel, orders[0], [], key="r", actor="staff", reason="bad")
    # when they are reported, by events and from the ledger
    await settle(shop.kernel)
    await asyncio.gather(*(book_orders(shop.kernel, orders) for _ in range(3)))
    assert await gather(shop.kernel, now() - LONG_AGO, now()) == 0
    # then each site has its own, and their sum is all
    sold = {site: await total(shop.kernel, "site", site) for site in ("north", "south", "")}
    assert {
        site: (own["orders"], own["turnover"], own["refunds"], own["cost"]) for site, own in sold.items()
    } == {
        "north": (2, 1000, 500, 200),
        "south": (1, 500, 0, 100),
        "": (1, 500, 0, 100),
    }
    everything = await total(shop.kernel)
    assert {name: sum(own[name] for own in sold.values()) for name in everything} == everything
    assert await unlike_ledger(shop.kernel) == []
    # and the staff reads them, with the facts behind each
    answer = await shop.ask(
        "admin",
        """{ report(dimension: SITE, grain: MONTH) { nodes { value turnover { amount } grossProfit { amount } } }
             reportFacts(since: "2000-01-01", until: "2002-12-30", dimension: SITE, value: "north") { nodes { kind } } }""",
        None,
        OWNER,
    )
    assert answer.errors is None, answer.errors
    assert {row["value"]: row["turnover"]["amount"] for row in answer.data["report"]["nodes"]} == {
        "north": "10.00",
        "south": "5.00",
        "": "5.00",
    }
    # and anew from the facts they are the same
    before = await figures(shop.kernel)
    await shop.kernel.db.execute("delete from analytics_figure where dimension = 'site'")
    await rebuild(shop.kernel)
    assert await figures(shop.kernel) == before


FEE = """
with payment as (
    insert into settlement_payment (id, number, key, purpose, subject, payer, amount_minor, currency, site, state,
        paid_to, transaction, created_at, expires_at, paid_at)
    select gen_random_uuid(), 'P1', 'k1', 'order', gen_random_uuid(), gen_random_uuid(), 500, 'CNY', 'north', 'PAID',
        $1, 'T:1', now(), now(), now()
    returning id
)
insert into settlement_payment_observation (id, account, payment, number, told_by, status, transaction, amount_minor,
    currency, digest, outcome, taken, at)
select gen_random_uuid(), $1, id, 'A1', 'query', 'paid', 'T:1', 500, 'CNY', sha256('x'), 'PAID', true, now() from payment
"""


async def test_what_a_gateway_kept_belongs_to_the_site_of_its_payment(make_kernel: Kernels) -> None:
    # given a payment on a site, whose gateway kept a fee and gave another one back
    shop = Shop(await make_kernel(catalog={"sites": SITES}))
    account = new_id()
    await shop.kernel.db.execute(
        """insert into settlement_merchant_account (id, gateway, code, name, merchant, sealed_settings, data_key, currencies,
               created_at, changed_at)
           values ($1, 'wechat', 'main', 'n', 'm', '', $1, '{CNY}', now(), now())""",
        account,
    )
    await shop.kernel.db.execute(FEE, account)
    async with shop.kernel.db.transaction():
        fees = [
            Booking(
                key=f"gateway-fee:wechat:main:{number}",
                kind="gateway_fee",
                moves=(Move(Holder("gateway_fees"), Holder("clearing:wechat:main"), Money(minor, "CNY")),),
            )
            for number, minor in (("T:1", 3), ("elsewhere", 4))
        ]
        await shop.kernel.services.get(Books).book(fees)
    await gather(shop.kernel, now() - LONG_AGO, now())
    # then each stands with its site
    assert [(await total(shop.kernel, "site", site))["fees"] for site in ("north", "")] == [3, 4]
    # and what takes it back as well
    posted = await shop.kernel.db.fetchval(
        "select id from settlement_ledger_transaction where key = 'gateway-fee:wechat:main:T:1'"
    )
    async with shop.kernel.db.transaction():
        await shop.kernel.services.get(Ledger).reverse(posted, key="back", memo="")
    await gather(shop.kernel, now() - LONG_AGO, now())
    assert [(await total(shop.kernel, "site", site))["fees"] for site in ("north", "")] == [0, 4]
    assert await unlike_ledger(shop.kernel) == []


async def test_a_site_has_business_days_of_its_own(make_kernel: Kernels) -> None:
    # given a shop in Shanghai with a site in New York, and a sale on each at half past one at night in Shanghai
    shop = Shop(
        await make_kernel(
            catalog={"sites": SITES}, analytics={"site_time_zones": {"north": "America/New_York"}}
        )
    )
    variant = await shop.stock("A", "5", ["a-1", "a-2", "a-3"])
    member = await shop.member("100")
    for host in ("north.example", "own.example"):
        await bought(shop, member, variant, host)
    await moved_to(shop, datetime(2026, 7, 1, 17, 30, tzinfo=UTC))
    await settle(shop.kernel)
    # then it is still the day before in New York
    rows = [(row[0], row[3], row[6]) for row in await figures(shop.kernel) if row[2] == "site"]
    assert rows == [(date(2026, 7, 1), "north", 500), (date(2026, 7, 2), "", 500)]
    # and both days agree with the ledger, and can be closed
    assert await differences(shop.kernel, date(2026, 6, 30), date(2026, 7, 3)) == []
    for day in (date(2026, 7, 1), date(2026, 7, 2)):
        assert (await close_day(shop.kernel, day, VISITOR)).day == day
    # and what is missing is told of the days that it may belong to
    await bought(shop, member, variant, "north.example")
    await moved_to(shop, datetime(2026, 7, 10, 17, 30, tzinfo=UTC))
    found = await differences(shop.kernel, date(2026, 7, 8), date(2026, 7, 13))
    assert {(each.day, each.figure) for each in found} == {
        (date(2026, 7, 10), "turnover"),
        (date(2026, 7, 11), "turnover"),
    }


async def test_a_day_is_over_when_it_is_over_on_the_last_site(make_kernel: Kernels) -> None:
    shop = Shop(await make_kernel(analytics={"site_time_zones": {"north": "America/New_York"}}))
    zones = business_zones(shop.kernel)
    # a day of July begins in Shanghai, and ends twelve hours after that one in New York
    assert zones.span(date(2026, 7, 1)) == (
        datetime(2026, 6, 30, 16, tzinfo=UTC),
        datetime(2026, 7, 2, 4, tzinfo=UTC),
    )
    assert zones.last_over(datetime(2026, 7, 2, 3, 59, tzinfo=UTC)) == date(2026, 6, 30)
    assert zones.last_over(datetime(2026, 7, 2, 4, tzinfo=UTC)) == date(2026, 7, 1)
    # nor can a day be closed that is not over there
    with pytest.raises(DayNotOver):
        await close_day(shop.kernel, zones.last_over(datetime.now(UTC)) + timedelta(days=1), VISITOR)
