"""What the gateways hand out, reconciliation reads: each bill of a simulator's day, with its totals."""

from __future__ import annotations

import io
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from kameng_gateways.moments import CHINA
from kameng_settlement.gateway_contract import BillKind, RefundStatus
from kameng_settlement.reconciliation.bills.formats import format_of, open_bill
from kameng_settlement.reconciliation.faults import UnreadableBill

from .cases import CASES, Case, Simulated, new_number, refund_of, request

WECHAT, ALIPAY, STRIPE, EPAY, _ = CASES
BILLS = [
    pytest.param(WECHAT, BillKind.TRADE, "wechat-trade", id="wechat-trade"),
    pytest.param(ALIPAY, BillKind.TRADE, "alipay-trade", id="alipay-trade"),
    pytest.param(STRIPE, BillKind.TRADE, "stripe-balance", id="stripe-balance"),
    pytest.param(EPAY, BillKind.TRADE, "epay-orders", id="epay-orders"),
]


@pytest.fixture
def fresh(tmp_path: Path) -> Any:
    """Starts a simulator without a past."""
    running: list[Simulated] = []

    def start(case: Case) -> Simulated:
        running.append(Simulated(case.simulator, tmp_path))
        return running[-1]

    yield start
    for each in running:
        each.stop()


@pytest.mark.parametrize(("case", "kind", "form"), BILLS)
async def test_a_bill_is_read_whole(
    fresh: Callable[[Case], Simulated], case: Case, kind: BillKind, form: str
) -> None:
    # Given three payments of two days ago and a part of one that went back the same day
    simulated = fresh(case)
    simulated.control("policy", refunds="succeeded")
    account = case.account(simulated)
    zone = UTC if case is STRIPE else CHINA
    noon = (datetime.now(zone) - timedelta(days=2)).replace(hour=12, minute=0)
    numbers = {}
    for amount in (9850, 100, 1):
        number = new_number()
        currency = case.currency.lower() if case is STRIPE else case.currency
        simulated.control("open", number=number, amount=amount, currency=currency, at=noon.timestamp())
        paid = simulated.control("pay", number=number, at=noon.timestamp())["trade"]
        numbers[number] = (amount, paid["transaction"])
    back = None
    if case.gateway.capabilities.partial_refunds:
        first = next(iter(numbers))
        wanted = request(case, number=first)
        back = refund_of(wanted, numbers[first][1], 3000)
        assert (await case.gateway.refund(account, back)).status is RefundStatus.SUCCEEDED
        simulated.control("settle", number=back.number, at=noon.timestamp())
    # When the bill of that day is fetched and read
    content = await case.gateway.bill(account, noon.date(), kind)
    assert content is not None
    with open_bill(io.BytesIO(content), format_of(form), noon.date()) as reader:
        rows = pl.concat(list(reader.frames())).to_dicts()
    # Then its totals hold, and each payment and refund stands there under our number and the gateway's
    payments = {row["number"]: row for row in rows if row["kind"] == "payment" or row["kind"] == "PAYMENT"}
    assert {number: (row["amount"], row["reference"]) for number, row in payments.items()} == numbers
    assert {row["currency"] for row in rows} == {case.currency}
    refunds = [row for row in rows if row["number"] not in payments]
    if back is None:
        assert refunds == []
    else:
        assert [(row["number"], row["amount"]) for row in refunds] == [(back.number, 3000)]


async def test_wechats_bill_of_funds_is_read(fresh: Callable[[Case], Simulated]) -> None:
    simulated = fresh(WECHAT)
    noon = (datetime.now(CHINA) - timedelta(days=2)).replace(hour=12)
    number = new_number()
    simulated.control("open", number=number, amount=9850, at=noon.timestamp())
    simulated.control("pay", number=number, at=noon.timestamp())
    content = await WECHAT.gateway.bill(WECHAT.account(simulated), noon.date(), BillKind.FUNDS)
    assert content is not None
    with open_bill(io.BytesIO(content), format_of("wechat-funds"), noon.date()) as reader:
        rows = pl.concat(list(reader.frames())).to_dicts()
    assert sorted(row["amount"] for row in rows) in ([-59, 9850], [59, 9850])


async def test_a_bill_that_lost_a_row_is_found_out_by_its_totals(fresh: Callable[[Case], Simulated]) -> None:
    simulated = fresh(WECHAT)
    noon = (datetime.now(CHINA) - timedelta(days=2)).replace(hour=12)
    for _ in range(2):
        number = new_number()
        simulated.control("open", number=number, amount=100, at=noon.timestamp())
        simulated.control("pay", number=number, at=noon.timestamp())
    content = await WECHAT.gateway.bill(WECHAT.account(simulated), noon.date(), BillKind.TRADE)
    assert content is not None
    lines = content.split(b"\r\n")
    cut = b"\r\n".join(lines[:1] + lines[2:])
    with (
        pytest.raises(UnreadableBill),
        open_bill(io.BytesIO(cut), format_of("wechat-trade"), noon.date()) as reader,
    ):
        list(reader.frames())
