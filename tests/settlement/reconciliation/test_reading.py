"""Bills of each gateway come into one form; a file that is not whole is refused with the place of its fault."""

from __future__ import annotations

import gzip
import io
from datetime import UTC, date, datetime
from typing import Any

import polars as pl
import pytest

from kameng.errors import InvalidInput
from kameng_settlement.reconciliation.bills import pieces
from kameng_settlement.reconciliation.bills.formats import format_of, open_bill
from kameng_settlement.reconciliation.description import Columns, Description, Signs, Unit
from kameng_settlement.reconciliation.faults import BillOfAnotherDay, BillTotalsDiffer, UnreadableBill
from kameng_settlement.reconciliation.normal import COLUMNS, Totals
from tests.settlement.reconciliation.bills import (
    ALIPAY,
    DAY,
    NOON,
    WECHAT,
    Traded,
    alipay_bill,
    alipay_table,
    stripe_bill,
    wechat_bill,
    wechat_funds,
)

PAID = Traded(number="P1")
BACK = Traded(number="R1", kind="refund", parent="P1", amount=500, fee=-3)


def read(
    content: bytes, name: str, day: date | None = DAY, description: Description | None = None
) -> tuple[list[dict[str, Any]], dict[str, Totals]]:
    with open_bill(io.BytesIO(content), format_of(name, description), day) as reader:
        frames = list(reader.frames())
        rows = pl.concat(frames).to_dicts() if frames else []
        assert reader.rows == len(rows)
        return rows, reader.totals


def fault(
    content: bytes, name: str, day: date | None = DAY, description: Description | None = None
) -> UnreadableBill:
    with pytest.raises(UnreadableBill) as caught:
        read(content, name, day, description)
    assert caught.value.cure
    return caught.value


def values(row: dict[str, Any]) -> tuple[Any, ...]:
    return tuple(row[name] for name in COLUMNS)


def test_a_wechat_bill() -> None:
    rows, totals = read(wechat_bill([PAID, BACK]), "wechat-trade")
    assert [values(row) for row in rows] == [
        (2, "payment", "P1", "42P1", "", "done", "CNY", 1000, 6, NOON),
        (3, "refund", "R1", "42R1", "P1", "done", "CNY", 500, -3, NOON),
    ]
    assert totals == {"CNY": Totals(rows=2, payments=1000, refunds=500, fees=3)}


def test_columns_are_found_by_their_names() -> None:
    # Given the same bill with its columns the other way round
    text = wechat_bill([PAID, BACK]).decode("utf-8-sig")
    header, *rest = text.split("\r\n")
    turned = [",".join(reversed(header.split(",")))]
    cells = [line.removeprefix("`").split(",`") for line in rest[:2]]
    turned += [",".join("`" + cell for cell in reversed(row)) for row in cells]
    # Then it reads the same
    assert read("\r\n".join(turned + rest[2:]).encode(), "wechat-trade") == read(
        text.encode(), "wechat-trade"
    )


def test_a_refund_under_way_is_not_done() -> None:
    rows, totals = read(
        wechat_bill([Traded(number="R1", kind="refund", parent="P1", status="pending", fee=0)]),
        "wechat-trade",
    )
    assert [row["status"] for row in rows] == ["pending"]
    assert totals["CNY"].refunds == 0


def test_a_bill_of_fund_movements_is_signed() -> None:
    rows, totals = read(
        wechat_funds([("交易", 1000), ("扣除交易手续费", -6), ("提现", -500)]), "wechat-funds"
    )
    assert [(row["kind"], row["amount"]) for row in rows] == [
        ("payment", 1000),
        ("fee", -6),
        ("payout", -500),
    ]
    assert totals == {"CNY": Totals(rows=3, payments=1000, others=-506)}


def test_an_alipay_archive() -> None:
    rows, totals = read(alipay_bill([PAID, BACK]), "alipay-trade")
    assert [values(row) for row in rows] == [
        (6, "payment", "P1", "42P1", "", "done", "CNY", 1000, 6, NOON),
        (7, "refund", "R1", "42R1", "P1", "done", "CNY", 500, -3, NOON),
    ]
    assert totals == {"CNY": Totals(rows=2, payments=1000, refunds=500, fees=3)}


def test_a_stripe_report_has_currencies_of_its_own_decimals() -> None:
    content = stripe_bill(
        [
            ("txn_1", "charge", "usd", "10.00", "0.59", "P1"),
            ("txn_2", "charge", "jpy", "1200", "43", "P2"),
            ("txn_3", "refund", "usd", "-4.00", "0.00", "R1"),
            ("txn_4", "payout", "usd", "-5.41", "0.00", ""),
        ]
    )
    rows, totals = read(content, "stripe-balance")
    assert [
        (row["line"], row["kind"], row["number"], row["currency"], row["amount"], row["fee"]) for row in rows
    ] == [
        (3, "payment", "P1", "USD", 1000, 59),
        (5, "payment", "P2", "JPY", 1200, 43),
        (7, "refund", "R1", "USD", 400, 0),
        (9, "payout", "", "USD", -541, 0),
    ]
    assert totals["JPY"] == Totals(rows=1, payments=1200, fees=43)


EPAY = b"""{"code":1,"msg":"ok","data":[
 {"trade_no":"T1","out_trade_no":"P1","type":"alipay","money":"10.00","status":1,
  "addtime":"2026-11-20 11:59:00","endtime":"2026-11-20 12:00:00"},
 {"trade_no":"T2","out_trade_no":"P2","type":"wxpay","money":"5","status":0,
  "addtime":"2026-11-20 12:00:00","endtime":null}]}"""


def test_an_epay_list_as_json_and_as_csv() -> None:
    csv = (
        "trade_no,out_trade_no,type,money,status,addtime,endtime\n"
        "T1,P1,alipay,10.00,1,2026-11-20 11:59:00,2026-11-20 12:00:00\n"
        "T2,P2,wxpay,5,0,2026-11-20 12:00:00,\n"
    )
    wanted = [("P1", "T1", "done", 1000, None, NOON), ("P2", "T2", "pending", 500, None, NOON)]
    for content in (EPAY, csv.encode()):
        rows, _ = read(content, "epay-orders")
        assert [
            (row["number"], row["reference"], row["status"], row["amount"], row["fee"], row["at"])
            for row in rows
        ] == wanted


DESCRIPTION = Description(
    columns=Columns(amount="Betrag", at="Zeit", number="Nr", kind="Art", fee="Gebühr"),
    currency="EUR",
    zone="Europe/Berlin",
    time="%d.%m.%Y %H:%M",
    encoding="cp1252",
    separator=";",
    unit=Unit.MINOR,
    fees=Signs.BELOW_ZERO,
    kinds={"Zahlung": "payment", "Rückzahlung": "refund"},
    footer="Summe",
)


def test_a_described_file() -> None:
    content = (
        "Nr;Art;Zeit;Betrag;Gebühr\r\nP1;Zahlung;20.11.2026 00:30;1000;-6\r\n"
        "R1;Rückzahlung;20.11.2026 23:59;-500;0\r\nSumme;;;500\r\n"
    ).encode("cp1252")
    rows, totals = read(content, "sparkasse", DAY, DESCRIPTION)
    assert [values(row) for row in rows] == [
        (2, "payment", "P1", "", "", "done", "EUR", 1000, 6, datetime(2026, 11, 19, 23, 30, tzinfo=UTC)),
        (3, "refund", "R1", "", "", "done", "EUR", 500, 0, datetime(2026, 11, 20, 22, 59, tzinfo=UTC)),
    ]
    assert totals == {"EUR": Totals(rows=2, payments=1000, refunds=500, fees=6)}


@pytest.mark.parametrize(
    "change",
    [
        {"columns": Columns(amount="a", at="b")},
        {"encoding": "utf-99"},
        {"zone": "Europe/Nowhere"},
        {"separator": ";;"},
        {"currency": "EURO"},
        {"kinds": {"x": "loan"}},
    ],
)
def test_a_description_that_cannot_work_is_refused(change: dict[str, Any]) -> None:
    values = {name: getattr(DESCRIPTION, name) for name in DESCRIPTION.__struct_fields__} | change
    with pytest.raises(InvalidInput):
        format_of("x", Description(**values))


WHOLE = wechat_bill([PAID, BACK])


@pytest.mark.parametrize(
    ("content", "line", "column", "what"),
    [
        (WHOLE.replace(b"`0.06000", "`六分".encode()), 2, "手续费", "'六分' is no amount with at most 5 decimals."),
        (WHOLE.replace(b"`REFUND", b"`REFUNDED"), 3, "交易状态", "'REFUNDED' is unknown here."),
        (WHOLE.replace(b"`42P1,`P1,", b"`42P1,`,", 1), 2, "商户订单号", "there is nothing in this cell."),
        (WHOLE.replace(b"`2026-11-20 12:00:00", b"`20.11.2026 12:00", 1), 2, "交易时间", "'20.11.2026 12:00' is no time."),
        (WHOLE.replace(b"`wx0123456789,", b"", 1), 2, "", "the row has 26 cells, and the header names 27 columns."),
        (WHOLE.replace(b"`oUpF8uMuAJO,", b"`o,`,", 1), 2, "", "the row has 28 cells, and the header names 27 columns."),
        (WHOLE.replace("充值卡".encode(), "充值卡".encode("gbk"), 1), 2, "", "the bytes b3 e4 d6 b5 are no utf-8."),
        (WHOLE.replace("充值卡".encode(), b"\0", 1), 2, "", "the file holds NUL characters, so it is no text."),
    ],
)  # fmt: skip
def test_a_fault_is_told_with_its_place(content: bytes, line: int, column: str, what: str) -> None:
    found = fault(content, "wechat-trade")
    assert (found.line, found.column, found.what) == (line, column, what)
    assert found.code == "BILL_UNREADABLE"


def test_rows_that_do_not_add_up_are_refused() -> None:
    found = fault(WHOLE.replace(b",`10.00,`5.00\r\n", b",`10.01,`5.00\r\n"), "wechat-trade")
    assert isinstance(found, BillTotalsDiffer)
    assert (found.line, found.column) == (5, "订单总金额")
    assert "states 10.01" in found.message
    assert "come to 10.00" in found.message


def test_a_lost_row_is_noticed() -> None:
    lines = WHOLE.split(b"\r\n")
    found = fault(b"\r\n".join(lines[:2] + lines[3:]), "wechat-trade")
    assert (type(found), found.column) == (BillTotalsDiffer, "总交易单数")


@pytest.mark.parametrize("kept", [3, 4])
def test_a_bill_that_was_cut_off_is_noticed(kept: int) -> None:
    lines = WHOLE.split(b"\r\n")
    assert "cut off" in fault(b"\r\n".join(lines[:kept]) + b"\r\n", "wechat-trade").cure


def test_an_alipay_bill_whose_sum_is_wrong_is_refused() -> None:
    text = alipay_table([PAID, BACK]).replace("商家实收共10.00元", "商家实收共11.00元")
    found = fault(text.encode("gbk"), "alipay-trade")
    assert (type(found), found.column) == (BillTotalsDiffer, "交易合计商家实收")


def test_an_alipay_bill_as_utf_8_is_not_gbk() -> None:
    found = fault(alipay_table([PAID]).encode(), "alipay-trade")
    # Chinese UTF-8 is often GBK as well, of other characters: then the columns are not found
    assert "gb18030" in found.what or "no line of its beginning" in found.what


def test_a_row_of_another_day_is_refused() -> None:
    found = fault(WHOLE, "wechat-trade", date(2026, 11, 21))
    assert (type(found), found.line) == (BillOfAnotherDay, 2)


def test_the_day_is_that_of_the_first_row_if_nobody_names_one() -> None:
    with open_bill(io.BytesIO(WHOLE), format_of("wechat-trade")) as reader:
        list(reader.frames())
        assert reader.day == DAY


@pytest.mark.parametrize("size", [40, 200, -30])
def test_a_truncated_archive_is_refused(size: int) -> None:
    assert "damaged" in fault(alipay_bill([PAID] * 30)[:size], "alipay-trade").message


def test_an_archive_whose_content_was_changed_is_refused() -> None:
    content = bytearray(alipay_bill([PAID] * 30))
    content[200] ^= 0xFF
    assert "damaged" in fault(bytes(content), "alipay-trade").message


def test_a_truncated_gzip_is_refused() -> None:
    packed = gzip.compress(WHOLE)
    assert read(packed, "wechat-trade") == read(WHOLE, "wechat-trade")
    assert "damaged" in fault(packed[:-12], "wechat-trade").message


def test_another_gateways_bill_is_refused() -> None:
    assert "names the columns" in fault(WHOLE, "stripe-balance").message
    assert "订单金额" in fault(WHOLE.replace("订单金额".encode(), "金额".encode()), "wechat-trade").message


def test_an_empty_file_is_refused() -> None:
    assert fault(b"", "wechat-trade").message == "The file is empty."


def test_a_bill_of_a_day_without_trade() -> None:
    assert read(wechat_bill([]), "wechat-trade") == ([], {})
    assert read(alipay_bill([]), "alipay-trade") == ([], {})


def test_stripes_net_must_be_gross_less_fee() -> None:
    content = stripe_bill([("txn_1", "charge", "usd", "10.00", "0.59", "P1")]).replace(b",9.41,", b",9.40,")
    assert fault(content, "stripe-balance").column == "net"


def test_a_large_bill_is_read_in_pieces(monkeypatch: pytest.MonkeyPatch) -> None:
    # Given pieces of some hundred bytes, of which a line may begin in one and end in the next
    rows = [Traded(number=f"P{number}", amount=number + 1) for number in range(500)]
    content, table = wechat_bill(rows), alipay_bill(rows)
    stripe = stripe_bill([(f"t{n}", "charge", "usd", f"{n}.00", "0.10", f"P{n}") for n in range(300)])
    whole = [read(content, "wechat-trade"), read(table, "alipay-trade"), read(stripe, "stripe-balance")]
    monkeypatch.setattr(pieces, "PIECE", 700)
    # Then it reads the same, lines included, and so do faults
    assert read(content, "wechat-trade") == whole[0]
    assert read(table, "alipay-trade") == whole[1]
    assert read(stripe, "stripe-balance") == whole[2]
    assert fault(content.replace(b"`P400,", b"`,", 1), "wechat-trade").line == 402


def test_the_samples_have_the_columns_that_gateways_have() -> None:
    assert (len(WECHAT.split(",")), len(ALIPAY.split(","))) == (27, 25)
