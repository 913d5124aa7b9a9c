"""Alipay's bill of transactions (业务明细): GBK in a zip, with lines that begin with ``#`` before and behind the table.

Cells end with tabs. 订单金额 is what buyers owe; 服务费 is below zero where Alipay keeps it; refunds have amounts below zero.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

import polars as pl

from kameng_settlement.reconciliation.bills.cells import Cells
from kameng_settlement.reconciliation.bills.layout import Control, Layout
from kameng_settlement.reconciliation.bills.wechat import units
from kameng_settlement.reconciliation.faults import UnreadableBill
from kameng_settlement.reconciliation.normal import BillKind, RowKind, RowStatus

LAYOUT = Layout(
    name="alipay-trade",
    title="支付宝业务明细 / Alipay bill of transactions",
    kind=BillKind.TRADE,
    needed=(
        "支付宝交易号",
        "商户订单号",
        "业务类型",
        "完成时间",
        "订单金额(元)",
        "商家实收(元)",
        "退款批次号/请求号",
        "服务费(元)",
    ),
    zone="Asia/Shanghai",
    encoding="gb18030",
    comment="#",
    footer="#",
    beside="汇总",
)

_PAID = re.compile(r"交易合计[:：]\s*(\d+)\s*笔.*?商家实收共\s*(-?[\d.]+)\s*元")
_BACK = re.compile(r"退款合计[:：]\s*(\d+)\s*笔.*?商家实收退款共\s*(-?[\d.]+)\s*元")


class AlipayTrade:
    """The bill of transactions."""

    layout = LAYOUT

    def normal(self, cells: Cells) -> Mapping[str, pl.Expr]:
        """The normal form."""
        kind = cells.one_of(
            "业务类型", {"交易": RowKind.PAYMENT, "退款": RowKind.REFUND}, other=RowKind.OTHER
        )
        refunded = kind == RowKind.REFUND
        ours = cells.text("商户订单号")
        amount = cells.minor("订单金额(元)", "CNY")
        return {
            "kind": kind,
            "number": pl.when(refunded).then(cells.text("退款批次号/请求号")).otherwise(ours),
            "reference": cells.text("支付宝交易号", needed=True),
            "parent": pl.when(refunded).then(ours).otherwise(pl.lit("")),
            "status": pl.lit(RowStatus.DONE.value),
            "currency": pl.lit("CNY"),
            "amount": pl.when(refunded).then(amount.abs()).otherwise(amount),
            "fee": -cells.minor("服务费(元)", "CNY"),
            "at": cells.moment("完成时间", "%Y-%m-%d %H:%M:%S", LAYOUT.zone),
        }

    def sums(self, cells: Cells) -> Mapping[str, pl.Expr]:
        """Numbers and sums of payments and refunds."""
        kind, got = cells.text("业务类型"), cells.minor("商家实收(元)", "CNY")
        return {
            "交易合计笔数": (kind == "交易").cast(pl.Int64),
            "交易合计商家实收": pl.when(kind == "交易").then(got).otherwise(0),
            "退款合计笔数": (kind == "退款").cast(pl.Int64),
            "退款合计商家实收": pl.when(kind == "退款").then(got.abs()).otherwise(0),
        }

    def controls(self, footer: Sequence[str], line: int) -> Sequence[Control]:
        """What stands behind the table."""
        found: list[Control] = []
        for place, text in enumerate(footer, start=line):
            for pattern, name in ((_PAID, "交易合计"), (_BACK, "退款合计")):
                if match := pattern.search(text):
                    count, amount = match.groups()
                    found += [
                        Control(f"{name}笔数", int(count), place, count),
                        Control(f"{name}商家实收", abs(units(amount, 2)), place, amount, 2),
                    ]
        if len(found) != 4:
            raise UnreadableBill(
                "the bill ends without its totals (交易合计 and 退款合计).",
                cure="Download it again; it was cut off.",
                line=line,
            )
        return found
