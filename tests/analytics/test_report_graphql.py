"""Reports in the back office: rows, what is behind them, permissions, files and commands."""

from __future__ import annotations

import csv
import io
from pathlib import Path
from typing import Any

import openpyxl
import pytest

from kameng.auth import Principal, PrincipalKind
from kameng.db import counted_statements
from kameng.ids import new_id
from kameng.jobs import JobState
from kameng.testing.databases import TestServices
from kameng_analytics.reports.reading import Asked, Dimension, Grain
from kameng_analytics.reports.writing import COLUMNS, ReportForm, write_report
from tests.analytics.reported import settle, today
from tests.commands import Commands
from tests.fulfilment.conftest import OWNER, Shop
from tests.fulfilment.lives import place

REPORT = """
query($grain: ReportGrain!, $dimension: ReportDimension!, $value: String, $currency: String! = "CNY",
      $first: Int = 20, $after: String) {
  report(grain: $grain, dimension: $dimension, value: $value, currency: $currency, first: $first, after: $after) {
    nodes {
      since until value label orders pieces turnover { amount } refunds { amount } cost { amount } grossProfit { amount }
      fees { amount } late
    }
    pageInfo { hasNextPage endCursor }
  }
}
"""

FACTS = """
query($since: Date!, $until: Date!, $dimension: ReportDimension!, $value: String, $kinds: [FactKind!], $after: String) {
  reportFacts(since: $since, until: $until, dimension: $dimension, value: $value, kinds: $kinds, first: 2, after: $after) {
    nodes { kind day ownDay late amount { amount } pieces orderNumber orderId transactionId }
    pageInfo { hasNextPage endCursor }
  }
}
"""

CLOSE = """
mutation($input: CloseReportDayInput!, $key: String!) {
  closeReportDay(input: $input) @idempotent(key: $key) { day { day } errors { code message } }
}
"""

EXPORT = """
mutation($input: StartReportExportInput!, $key: String!) {
  startReportExport(input: $input) @idempotent(key: $key) { job { id } errors { code } }
}
"""


def staff(*permissions: str) -> Principal:
    """Somebody of the staff who may do this alone."""
    return Principal(kind=PrincipalKind.STAFF, id=new_id(), permissions=frozenset(permissions))


READER = staff("analytics.read_figures")


async def busy(shop: Shop, orders: int = 3) -> None:
    """Orders of two products at 5.00 each, at a cost of 1.00."""
    variants = [await shop.stock(sku, "5", [f"{sku}-{n}" for n in range(orders)]) for sku in ("A", "B")]
    member = await shop.member("1000")
    for _ in range(orders):
        await place(shop, member, *((variant, 1) for variant in variants), outside=False)
    await settle(shop.kernel)


async def ask(shop: Shop, source: str, principal: Principal = READER, **variables: Any) -> Any:
    return await shop.ask("admin", source, variables, principal)


async def test_a_report_has_its_rows_by_period_and_value(shop: Shop) -> None:
    await busy(shop)
    answer = await ask(shop, REPORT, grain="MONTH", dimension="PRODUCT")
    assert answer.errors is None, answer.errors
    rows = answer.data["report"]["nodes"]
    assert sorted(row["label"] for row in rows) == ["Card A", "Card B"]
    assert {key: rows[0][key] for key in ("orders", "pieces", "turnover", "cost", "grossProfit", "late")} == {
        "orders": 3,
        "pieces": 3,
        "turnover": {"amount": "15.00"},
        "cost": {"amount": "3.00"},
        "grossProfit": {"amount": "12.00"},
        "late": 0,
    }
    # both products are in one category, and each order counts once there
    [row] = (await ask(shop, REPORT, grain="WEEK", dimension="CATEGORY")).data["report"]["nodes"]
    assert (row["label"], row["orders"], row["pieces"]) == ("Games", 3, 6)
    # page by page
    first = (await ask(shop, REPORT, grain="DAY", dimension="PRODUCT", first=1)).data["report"]
    assert first["pageInfo"]["hasNextPage"]
    second = await ask(
        shop, REPORT, grain="DAY", dimension="PRODUCT", first=1, after=first["pageInfo"]["endCursor"]
    )
    values = {first["nodes"][0]["value"], second.data["report"]["nodes"][0]["value"]}
    assert values == {row["value"] for row in rows}
    # another currency has nothing
    dollars = await ask(shop, REPORT, grain="DAY", dimension="ALL", currency="USD")
    assert dollars.data["report"]["nodes"] == []


async def test_a_figure_leads_to_its_orders_and_its_ledger_transactions(shop: Shop) -> None:
    await busy(shop)
    [row] = (await ask(shop, REPORT, grain="DAY", dimension="LEVEL", value="retail")).data["report"]["nodes"]
    about = {"since": str(today()), "until": str(today()), "dimension": "LEVEL", "value": "retail"}
    facts, after = [], None
    while True:
        answer = await ask(shop, FACTS, **about, kinds=["SALE"], after=after)
        assert answer.errors is None, answer.errors
        page = answer.data["reportFacts"]
        facts += page["nodes"]
        after = page["pageInfo"]["endCursor"]
        if not page["pageInfo"]["hasNextPage"]:
            break
    # then the facts add up to the figure, and each names its order and a transaction that is there
    assert len(facts) == 6
    assert sum(float(fact["amount"]["amount"]) for fact in facts) == float(row["turnover"]["amount"]) == 30
    assert len({fact["orderNumber"] for fact in facts}) == row["orders"]
    found = await shop.ask(
        "admin",
        "query($id: ID!) { node(id: $id) { ... on LedgerTransaction { kind } } }",
        {"id": facts[0]["transactionId"]},
        OWNER,
    )
    assert found.data["node"] == {"kind": "charge"}


async def test_the_number_of_statements_does_not_depend_on_the_rows(shop: Shop) -> None:
    counts = []
    for orders in (1, 5):
        await busy(shop, orders) if orders == 1 else await more(shop, orders)
        for _ in range(2):
            with counted_statements() as statements:
                await ask(shop, REPORT, grain="DAY", dimension="PRODUCT")
        counts.append(len(statements))
    assert counts[0] == counts[1] == 2


async def more(shop: Shop, products: int) -> None:
    """More products, one order of each."""
    for number in range(products):
        variant = await shop.stock(f"M{number}", "5", [f"m-{number}"])
        await place(shop, await shop.member("10"), (variant, 1), outside=False)
    await settle(shop.kernel)


@pytest.mark.parametrize(
    ("source", "variables"),
    [
        (REPORT, {"grain": "DAY", "dimension": "ALL"}),
        (FACTS, {"since": "2026-01-01", "until": "2026-01-02", "dimension": "ALL"}),
        ('{ reportDifferences(since: "2026-01-01", until: "2026-01-02") { text } }', {}),
        ("{ closedReportDays { nodes { day } } }", {}),
        (CLOSE, {"input": {"day": "2026-01-01"}, "key": "k"}),
        (EXPORT, {"input": {}, "key": "k"}),
    ],
)
async def test_each_needs_its_permission(shop: Shop, source: str, variables: dict[str, Any]) -> None:
    answer = await ask(shop, source, staff("settlement.read_ledger"), **variables)
    assert "FORBIDDEN" in str(answer.errors or answer.data)


@pytest.mark.parametrize(
    "variables",
    [
        {"since": "2026-01-02", "until": "2026-01-01", "dimension": "ALL"},
        {"since": "2016-01-02", "until": "2026-01-01", "dimension": "ALL"},
        {"since": "2026-01-01", "until": "2026-01-01", "dimension": "PRODUCT", "value": "no key"},
    ],
)
async def test_unusable_questions_are_told(shop: Shop, variables: dict[str, Any]) -> None:
    assert (await ask(shop, FACTS, **variables)).errors[0]["extensions"]["code"] == "INVALID_INPUT"


async def test_closing_by_hand_tells_why_it_cannot_be(shop: Shop) -> None:
    closer = staff("analytics.close_days", "analytics.read_figures")
    answer = await ask(shop, CLOSE, closer, input={"day": str(today())}, key="a")
    assert [each["code"] for each in answer.data["closeReportDay"]["errors"]] == ["DAY_NOT_OVER"]
    for key in "bc":
        answer = await ask(shop, CLOSE, closer, input={"day": "2026-01-01"}, key=key)
        assert answer.data["closeReportDay"] == {"day": {"day": "2026-01-01"}, "errors": []}
    listed = await ask(shop, "{ closedReportDays { nodes { day timeZone closedBy } } }", closer)
    assert listed.data["closedReportDays"]["nodes"] == [
        {"day": "2026-01-01", "timeZone": "Asia/Shanghai", "closedBy": closer.key}
    ]


async def test_files_hold_the_rows_and_no_formula(shop: Shop) -> None:
    await busy(shop)
    # given a product whose name is a formula
    await shop.kernel.db.execute(
        """update catalog_product set titles = '{"zh-CN": "=1+1", "en": "@SUM(A1)"}' where slug = 'a'"""
    )
    asked = Asked(
        since=today(), until=today(), currency="CNY", grain=Grain.MONTH, dimension=Dimension.PRODUCT
    )
    table, book = io.BytesIO(), io.BytesIO()
    assert await write_report(shop.kernel, asked, ReportForm.CSV, table, "zh-CN") == 2
    assert await write_report(shop.kernel, asked, ReportForm.XLSX, book, "en") == 2
    lines = list(csv.reader(io.StringIO(table.getvalue().decode("utf-8-sig"))))
    assert tuple(lines[0]) == COLUMNS["zh"]
    assert {line[3] for line in lines[1:]} == {"'=1+1", "卡B"}
    assert {line[7] for line in lines[1:]} == {"15.00"}
    sheet = openpyxl.load_workbook(io.BytesIO(book.getvalue())).active
    cells = [cell for row in sheet.iter_rows(min_row=2) for cell in row]
    assert "f" not in {cell.data_type for cell in cells}
    assert {row[3].value for row in sheet.iter_rows(min_row=2)} == {"@SUM(A1)", "Card B"}
    assert {row[7].value for row in sheet.iter_rows(min_row=2)} == {15}


async def test_the_back_office_has_a_report_made(shop: Shop) -> None:
    await busy(shop)
    answer = await ask(
        shop,
        EXPORT,
        staff("analytics.export_reports"),
        input={"format": "XLSX", "dimension": "GATEWAY", "grain": "WEEK"},
        key="k",
    )
    assert answer.data["startReportExport"]["errors"] == []
    await settle(shop.kernel)
    row = await shop.kernel.db.fetchrow(
        "select state, rows_total from kernel_job where kind = 'analytics.export_report'"
    )
    assert row is not None
    assert tuple(row) == (JobState.SUCCEEDED, 1)


async def test_the_command_line_shows_checks_rebuilds_and_closes(
    shop: Shop, commands: Commands, tmp_path: Path, services: TestServices
) -> None:
    await busy(shop)
    day = str(today())
    variables = {"DATABASE_URL": shop.kernel.db.dsn, "REDIS_URL": services.redis_url}

    async def kameng(*arguments: str) -> tuple[int, str]:
        ended = await commands("reports", *arguments, folder=tmp_path, variables=variables)
        return ended.status, ended.output + ended.errors

    status, output = await kameng("show", "--by", "category")
    assert (status, "Games" in output, "30.00" in output) == (0, True, True)
    assert await kameng("check", "--since", day, "--until", day) == (0, "Reports and ledger agree.\n")
    await shop.kernel.db.execute("delete from analytics_figure where dimension = 'level'")
    assert (await kameng("check", "--since", day, "--until", day))[0] == 1
    assert "1 were wrong" in (await kameng("rebuild"))[1]
    assert "0 postings were missing" in (await kameng("gather", "--since", day, "--until", day))[1]
    assert "were written" in (await kameng("export", str(tmp_path / "report.csv"), "--by", "product"))[1]
    assert (await kameng("close", day))[0] == 1
    assert "is closed" in (await kameng("close", "2026-01-01"))[1]
