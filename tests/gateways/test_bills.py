"""Bills of a day, as the gateways hand them out, and what is checked before they are believed."""

from __future__ import annotations

import csv
import io
import json
import time
import zipfile
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from importlib import import_module
from typing import Any

import pytest

from kameng_gateways.alipay.calling import AlipayAnswer
from kameng_gateways.calling import HttpAnswer
from kameng_gateways.moments import CHINA
from kameng_settlement.gateway_contract import (
    BillKind,
    BillNotReady,
    GatewayRefused,
    GatewayUnanswered,
    GatewayUnsupported,
)

from .cases import CASES, Case, Simulated, new_number, refund_of, request

alipay_gateway = import_module("kameng_gateways.alipay.gateway")  # the package's `gateway` is the object
WECHAT, ALIPAY, STRIPE, EPAY, EPAY_V2 = CASES


async def a_day(case: Case, simulated: Simulated, days_ago: int):
    """Two payments and a refund of a day, found nowhere else; the account, the day and the payments."""
    account = case.account(simulated)
    noon = datetime.now(UTC) - timedelta(days=days_ago)
    numbers = []
    for amount in (9850, 100):
        number = new_number()
        simulated.control(
            "open", number=number, amount=amount, currency=case.currency.lower(), at=noon.timestamp()
        )
        numbers.append((number, simulated.control("pay", number=number, at=noon.timestamp())["trade"]))
    zone = UTC if case.name == "stripe" else CHINA
    return account, noon.astimezone(zone).date(), numbers


@pytest.fixture
def fresh(tmp_path: Any) -> Any:
    """Starts a simulator without a past."""
    running: list[Simulated] = []

    def start(case: Case) -> Simulated:
        running.append(Simulated(case.simulator, tmp_path))
        return running[-1]

    yield start
    for each in running:
        each.stop()


async def test_wechats_bill_of_trades(fresh: Callable[[Case], Simulated]) -> None:
    account, day, ((number, trade), _) = await a_day(WECHAT, fresh(WECHAT), 2)
    content = await WECHAT.gateway.bill(account, day, BillKind.TRADE)
    assert content is not None
    header, first, second, totals, sums = content.decode("utf-8-sig").split("\r\n")[:5]
    row = dict(zip(header.split(","), (field.removeprefix("`") for field in first.split(",")), strict=True))
    assert len(row) == 27
    assert (row["商户订单号"], row["微信订单号"], row["订单金额"], row["手续费"]) == (
        number,
        trade["transaction"],
        "98.50",
        "0.59000",
    )
    assert second.startswith("`")
    assert totals.startswith("总交易单数")
    assert sums.split(",")[0] == "`2"


async def test_wechats_bill_of_funds(fresh: Callable[[Case], Simulated]) -> None:
    account, day, _ = await a_day(WECHAT, fresh(WECHAT), 2)
    content = await WECHAT.gateway.bill(account, day, BillKind.FUNDS)
    assert content is not None
    header, *rows, _, sums = content.decode("utf-8-sig").strip().split("\r\n")
    assert len(header.split(",")) == 11
    assert len(rows) == 4  # two incomes and their fees
    assert sums == "`4,`2,`99.50,`2,`0.60"


async def test_a_day_without_trades_has_no_bill_at_wechat_pay(fresh: Callable[[Case], Simulated]) -> None:
    account, day, _ = await a_day(WECHAT, fresh(WECHAT), 2)
    assert await WECHAT.gateway.bill(account, day - timedelta(days=30), BillKind.TRADE) is None


async def test_a_bill_that_is_being_made_is_not_ready(fresh: Callable[[Case], Simulated]) -> None:
    for case in (WECHAT, ALIPAY):
        simulated = fresh(case)
        account, day, _ = await a_day(case, simulated, 2)
        simulated.control("policy", bills="creating")
        with pytest.raises(BillNotReady):
            await case.gateway.bill(account, day, BillKind.TRADE)
    account = STRIPE.account(fresh(STRIPE))
    with pytest.raises(BillNotReady):
        await STRIPE.gateway.bill(account, datetime.now(UTC).date(), BillKind.TRADE)


async def test_a_bill_that_is_not_the_one_that_was_signed_for_is_refused(
    fresh: Callable[[Case], Simulated],
) -> None:
    simulated = fresh(WECHAT)
    account, day, _ = await a_day(WECHAT, simulated, 2)
    simulated.control("policy", bills="cut")  # one byte lacks
    with pytest.raises(GatewayUnanswered):
        await WECHAT.gateway.bill(account, day, BillKind.TRADE)


async def test_todays_bill_is_refused_by_wechat_pay(fresh: Callable[[Case], Simulated]) -> None:
    account = WECHAT.account(fresh(WECHAT))
    with pytest.raises(GatewayRefused):
        await WECHAT.gateway.bill(account, datetime.now(CHINA).date(), BillKind.TRADE)


async def test_alipays_bill_is_a_zip_in_gbk(fresh: Callable[[Case], Simulated]) -> None:
    simulated = fresh(ALIPAY)
    account, day, ((number, trade), _) = await a_day(ALIPAY, simulated, 2)
    content = await ALIPAY.gateway.bill(account, day, BillKind.TRADE)
    assert content is not None
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        [name] = [each for each in archive.namelist() if "汇总" not in each]
        lines = archive.read(name).decode("gbk").split("\r\n")
    [header, *_] = [line for line in lines if line.startswith("支付宝交易号")]
    rows = [line for line in lines if not line.startswith("#") and "\t" in line]
    first = dict(zip(header.split(","), (field.strip() for field in rows[0].split(",")), strict=True))
    assert len(first) == 25
    assert (first["商户订单号"], first["支付宝交易号"], first["订单金额（元）"], first["服务费（元）"]) == (
        number,
        trade["transaction"],
        "98.50",
        "-0.59",
    )
    assert "#交易合计：2笔，商家实收共99.50元，商家优惠共0.00元" in lines


async def test_alipays_plain_addresses_of_bills_are_called_by_https(
    fresh: Callable[[Case], Simulated], monkeypatch: pytest.MonkeyPatch
) -> None:
    # Given an account whose interface is https, and an answer that names a plain address
    called = []

    async def answered(*_: Any, **__: Any) -> Any:
        values = {"bill_download_url": "http://dwbillcenter.alipay.com/downloadBillFile.resource?token=1"}
        return AlipayAnswer(values=values, raw=b"")

    async def call(_account: Any, _method: str, url: str, **_: Any) -> Any:
        called.append(url)
        return HttpAnswer(status=200, headers={}, body=b"PK")

    monkeypatch.setattr(alipay_gateway, "send", answered)
    monkeypatch.setattr(alipay_gateway, "call", call)
    account = ALIPAY.account(fresh(ALIPAY), api_url="https://openapi.alipay.com/gateway.do")
    assert await ALIPAY.gateway.bill(account, date(2026, 11, 1), BillKind.TRADE) == b"PK"
    assert called == ["https://dwbillcenter.alipay.com/downloadBillFile.resource?token=1"]


async def test_stripes_movements_as_csv_over_several_pages(fresh: Callable[[Case], Simulated]) -> None:
    # Given two payments and a refund of an earlier day, and pages of one
    simulated = fresh(STRIPE)
    account, day, ((number, trade), (second, _)) = await a_day(STRIPE, simulated, 2)
    simulated.control("policy", page=1)
    content = await STRIPE.gateway.bill(account, day, BillKind.TRADE)
    assert content is not None
    rows = list(csv.DictReader(io.StringIO(content.decode())))
    # Then each movement stands there once
    assert len({row["balance_transaction_id"] for row in rows}) == len(rows) == 2
    [row] = [each for each in rows if each["payment_metadata[kameng_number]"] == number]
    assert tuple(
        row[name] for name in ("reporting_category", "payment_intent_id", "gross", "fee", "net", "currency")
    ) == (
        "charge",
        trade["transaction"],
        "98.50",
        "0.59",
        "97.91",
        "usd",
    )
    assert {each["payment_metadata[kameng_number]"] for each in rows} == {number, second}
    assert await STRIPE.gateway.bill(account, day - timedelta(days=30), BillKind.TRADE) is None


async def test_a_refund_stands_in_the_bill_of_its_day(fresh: Callable[[Case], Simulated]) -> None:
    # Given a payment of today and a part of it that went back; the day is over for the bills of the simulator's trades
    simulated = fresh(STRIPE)
    account = STRIPE.account(simulated)
    wanted = request(STRIPE)
    await STRIPE.gateway.start(account, wanted)
    paid = simulated.control("pay", number=wanted.number, at=time.time())["trade"]
    back = refund_of(wanted, paid["transaction"], 100)
    done = await STRIPE.gateway.refund(account, back)
    assert done.reference is not None
    # Then what it gave back has the refund's own number there
    known = simulated.control("trades")[wanted.number]["refunds"][back.number]
    assert done.reference == f"re_{known['reference']}"


async def test_what_has_no_bills_says_so(fresh: Callable[[Case], Simulated]) -> None:
    account = EPAY_V2.account(fresh(EPAY_V2))
    assert EPAY_V2.gateway.capabilities.bills == frozenset()
    with pytest.raises(GatewayUnsupported):
        await EPAY_V2.gateway.bill(account, date(2026, 11, 1), BillKind.TRADE)


async def test_epays_list_of_a_day_over_several_pages(fresh: Callable[[Case], Simulated]) -> None:
    # Given 60 orders of the day, of which one is unpaid, and others before and after it
    simulated = fresh(EPAY)
    wanted = []
    for days_ago, count in ((1, 3), (2, 60), (6, 3)):
        noon = (datetime.now(UTC) - timedelta(days=days_ago)).timestamp()
        for _ in range(count):
            number = new_number()
            simulated.control("open", number=number, amount=100, at=noon)
            if days_ago == 2:
                wanted.append(number)
            if len(wanted) != 60:
                simulated.control("pay", number=number, at=noon)
    day = (datetime.now(UTC) - timedelta(days=2)).astimezone(CHINA).date()
    # When the list of the day is read, then it holds the paid ones, once
    content = await EPAY.gateway.bill(EPAY.account(simulated), day, BillKind.TRADE)
    assert content is not None
    told = [order["out_trade_no"] for order in json.loads(content)["data"]]
    assert sorted(told) == sorted(wanted[:59])
    with pytest.raises(BillNotReady):
        await EPAY.gateway.bill(EPAY.account(simulated), datetime.now(CHINA).date(), BillKind.TRADE)
