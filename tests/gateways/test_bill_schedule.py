"""The schedule that fetches bills, against gateways that are processes of their own: once, again, or told to the staff."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from kameng.kernel import Kernel
from kameng.testing.kernels import Kernels
from kameng_gateways.moments import CHINA
from kameng_membership import module as membership
from kameng_settlement import module as settlement
from kameng_settlement.reconciliation.downloading import DAYS_BACK, FORMATS, download_bills
from tests.settlement.conftest import CATALOG, clerk

from .cases import CASES, Case, Simulated, new_number
from .shops import Shop, control

WECHAT, ALIPAY, STRIPE, EPAY, _ = CASES
FETCHED = pytest.mark.parametrize("case", [WECHAT, ALIPAY, STRIPE, EPAY], ids=lambda case: case.name)

Fresh = Callable[[Case], Simulated]


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


async def shop_of(make_kernel: Kernels, case: Case, simulated: Simulated) -> Kernel:
    """A shop with an account at the simulator."""
    kernel = await make_kernel([CATALOG, membership, settlement])
    await Shop(kernel).account(case, simulated)
    return kernel


def yesterday(case: Case) -> datetime:
    """Noon of yesterday, where the gateway is."""
    zone = UTC if case is STRIPE else CHINA
    return (datetime.now(zone) - timedelta(days=1)).replace(hour=12, minute=0)


async def sold(case: Case, simulated: Simulated, minor: int = 9850) -> None:
    """A payment of yesterday that we know nothing of."""
    number, at = new_number(), yesterday(case).timestamp()
    currency = case.currency.lower() if case is STRIPE else case.currency
    await control(simulated, "open", number=number, amount=minor, currency=currency, at=at)
    await control(simulated, "pay", number=number, at=at)


async def fetched(kernel: Kernel, kind: str = "trade") -> dict[date, tuple[str, str, int]]:
    """What became of each day's bill: state, code and tries."""
    rows = await kernel.db.fetch(
        "select day, state, code, tries from settlement_bill_fetch where kind = $1 order by day desc", kind
    )
    return {row["day"]: (row["state"], row["code"], row["tries"]) for row in rows}


async def bills(kernel: Kernel) -> list[tuple[date, int]]:
    """Days and rows of the bills of trades that are kept."""
    rows = await kernel.db.fetch(
        "select day, rows from settlement_bill where kind = 'trade' order by day desc"
    )
    return [(row["day"], row["rows"]) for row in rows]


async def told(kernel: Kernel) -> int:
    """How often something was published that is wrong with a bill."""
    return int(
        await kernel.db.fetchval(
            "select count(*) from kernel_outbox where topic = 'settlement.bill_not_fetched'"
        )
    )


@FETCHED
async def test_yesterdays_bill_is_fetched_once_and_compared_and_a_day_without_trades_is_kept_as_such(
    make_kernel: Kernels, fresh: Fresh, case: Case
) -> None:
    # Given two payments of yesterday, and nothing before
    simulated = fresh(case)
    kernel = await shop_of(make_kernel, case, simulated)
    for minor in (9850, 100):
        await sold(case, simulated, minor)
    day = yesterday(case).date()
    days = [day - timedelta(days=back) for back in range(DAYS_BACK)]
    # When the schedule runs, three times at once and once more
    await asyncio.gather(*(download_bills(kernel) for _ in range(3)))
    await download_bills(kernel)
    # Then each day has one bill, yesterday's with its rows, the others saying that they are empty
    assert await bills(kernel) == [(days[0], 2), (days[1], 0), (days[2], 0)]
    assert {day: state for day, (state, _, _) in (await fetched(kernel)).items()} == {
        days[0]: "TAKEN",
        days[1]: "EMPTY",
        days[2]: "EMPTY",
    }
    # And all were compared: what the gateway has and we do not are two cases, once
    runs = await kernel.db.fetch(
        "select day from settlement_reconciliation where state = 'DONE' order by day"
    )
    assert [row["day"] for row in runs] == days[::-1]
    cases = await kernel.db.fetch("select day, difference from settlement_case where difference <> 'funds'")
    assert [tuple(row) for row in cases] == [(days[0], "missing_ours")] * 2
    assert await told(kernel) == 0
    # And nothing is asked for again
    before = await fetched(kernel)
    await control(simulated, "misbehave", errors=100)
    await download_bills(kernel)
    assert await fetched(kernel) == before


@pytest.mark.parametrize("case", [WECHAT, ALIPAY], ids=lambda case: case.name)
async def test_a_bill_that_is_still_being_made_is_asked_for_again(
    make_kernel: Kernels, fresh: Fresh, case: Case
) -> None:
    simulated = fresh(case)
    kernel = await shop_of(make_kernel, case, simulated)
    await sold(case, simulated)
    await control(simulated, "policy", bills="creating")
    await download_bills(kernel)
    # yesterday's may take its time; those of the days before should be there, which is told
    states = list((await fetched(kernel)).values())
    assert states == [("WAITING", "", 1), ("FAILED", "BILL_LATE", 1), ("FAILED", "BILL_LATE", 1)]
    assert await bills(kernel) == []
    late = await told(kernel)
    await control(simulated, "policy", bills="")
    await download_bills(kernel)
    assert list((await fetched(kernel)).values()) == [("TAKEN", "", 2), ("EMPTY", "", 2), ("EMPTY", "", 2)]
    assert [rows for _, rows in await bills(kernel)] == [1, 0, 0]
    assert await told(kernel) == late


LIST = """{ billFetches(state: FAILED, first: 9) { nodes { id source day kind state code message cure tries } } }"""


@FETCHED
async def test_a_gateway_that_answers_errors_is_told_to_the_staff_once_and_asked_again(
    make_kernel: Kernels, fresh: Fresh, case: Case
) -> None:
    simulated = fresh(case)
    kernel = await shop_of(make_kernel, case, simulated)
    await sold(case, simulated)
    await control(simulated, "misbehave", errors=1000)
    for _ in range(2):
        await download_bills(kernel)
    states = await fetched(kernel)
    assert {(state, tries) for state, _, tries in states.values()} == {("FAILED", 2)}
    assert {code for _, code, _ in states.values()} <= {"GATEWAY_UNANSWERED", "GATEWAY_NOT_REACHED"}
    kinds = sum((case.gateway.name, kind) in FORMATS for kind in case.gateway.capabilities.bills)
    assert await told(kernel) == DAYS_BACK * kinds
    # and whoever may see bills reads what is wrong
    from kameng.graphql import Context

    context = Context(kernel, principal=clerk("settlement.read_reconciliation"), locale="en", schema="admin")
    answer = await kernel.graphql["admin"].execute(LIST, None, context)
    assert answer.errors is None, answer.errors
    nodes = answer.data["billFetches"]["nodes"]
    assert len(nodes) == DAYS_BACK * kinds
    assert all(node["message"] and node["tries"] == 2 for node in nodes)
    # until the gateway answers
    await control(simulated, "misbehave", errors=0)
    await download_bills(kernel)
    assert {state for state, _, _ in (await fetched(kernel)).values()} == {"TAKEN", "EMPTY"}


@pytest.mark.parametrize("case", [WECHAT, ALIPAY], ids=lambda case: case.name)
async def test_a_broken_file_is_not_taken_and_told(make_kernel: Kernels, fresh: Fresh, case: Case) -> None:
    simulated = fresh(case)
    kernel = await shop_of(make_kernel, case, simulated)
    await sold(case, simulated)
    await control(simulated, "policy", bills="cut")
    await download_bills(kernel)
    state, code, _ = (await fetched(kernel))[yesterday(case).date()]
    assert (state, code) == ("FAILED", {WECHAT: "GATEWAY_UNANSWERED", ALIPAY: "BILL_UNREADABLE"}[case])
    assert (yesterday(case).date(), 1) not in await bills(kernel)
    assert await told(kernel) >= 1
    # and the whole one afterwards is
    await control(simulated, "policy", bills="")
    await download_bills(kernel)
    assert (await bills(kernel))[0] == (yesterday(case).date(), 1)


async def test_a_gateway_whose_bill_differs_from_the_one_that_is_here_changes_nothing(
    make_kernel: Kernels, fresh: Fresh
) -> None:
    # Given a day that was said to be empty, and a comparison that failed afterwards
    simulated = fresh(WECHAT)
    kernel = await shop_of(make_kernel, WECHAT, simulated)
    await download_bills(kernel)
    await kernel.db.execute(
        "update settlement_bill_fetch set state = 'FAILED', code = 'X' where kind = 'trade'"
    )
    # When there is something on that day after all
    await sold(WECHAT, simulated)
    await download_bills(kernel)
    # Then the bill that is here stays, and a person is told
    assert (await bills(kernel))[0] == (yesterday(WECHAT).date(), 0)
    assert (await fetched(kernel))[yesterday(WECHAT).date()] == ("FAILED", "BILL_DIFFERS", 2)
