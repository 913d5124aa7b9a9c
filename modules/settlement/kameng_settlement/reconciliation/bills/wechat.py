"""WeChat Pay's trade bill (ALL, 27 columns) and its bill of fund movements (11 columns).

Each cell has a backtick in front, which keeps spreadsheets from changing it and lets names of goods hold commas. Columns are
found by their names. Both bills end with a line of names and a line of totals. Amounts are yuan; fees have five decimals.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

import polars as pl

from kameng_settlement.reconciliation.bills.cells import Cells, rounded
from kameng_settlement.reconciliation.bills.layout import Control, Layout
from kameng_settlement.reconciliation.faults import UnreadableBill, shown
from kameng_settlement.reconciliation.normal import BillKind, RowKind, RowStatus

_TIME = "%Y-%m-%d %H:%M:%S"
_ZONE = "Asia/Shanghai"
_FEE_DECIMALS = 5
_AMOUNT = re.compile(r"-?\d{1,15}(\.\d{1,5})?")

TRADE = Layout(
    name="wechat-trade",
    title="微信支付交易账单 / WeChat Pay trade bill",
    kind=BillKind.TRADE,
    needed=(
        "交易时间",
        "微信订单号",
        "商户订单号",
        "交易状态",
        "货币种类",
        "微信退款单号",
        "商户退款单号",
        "退款状态",
        "手续费",
        "订单金额",
        "申请退款金额",
    ),
    zone=_ZONE,
    backticks=True,
    padded=False,
    footer="总交易单数",
)

FUNDS = Layout(
    name="wechat-funds",
    title="微信支付资金账单 / WeChat Pay bill of fund movements",
    kind=BillKind.FUNDS,
    needed=("记账时间", "资金流水单号", "业务类型", "收支类型", "收支金额(元)", "业务凭证号"),
    zone=_ZONE,
    backticks=True,
    padded=False,
    footer="资金流水总笔数",
)

_REFUND_STATES = {
    "": RowStatus.DONE,
    "SUCCESS": RowStatus.DONE,
    "PROCESSING": RowStatus.PENDING,
    "CHANGE": RowStatus.FAILED,
    "FAIL": RowStatus.FAILED,
}
_MOVEMENTS = {
    "交易": RowKind.PAYMENT,
    "退款": RowKind.REFUND,
    "扣除交易手续费": RowKind.FEE,
    "交易手续费": RowKind.FEE,
    "退还交易手续费": RowKind.FEE,
    "提现": RowKind.PAYOUT,
}


class WechatTrade:
    """The trade bill."""

    layout = TRADE

    def normal(self, cells: Cells) -> Mapping[str, pl.Expr]:
        """The normal form. What buyers owe is 订单金额; 应结订单金额 leaves out what coupons paid."""
        kind = cells.one_of(
            "交易状态",
            {"SUCCESS": RowKind.PAYMENT, "REFUND": RowKind.REFUND, "REVOKED": RowKind.REFUND},
        )
        paid = kind == RowKind.PAYMENT
        refund = cells.text("商户退款单号")
        ours, theirs = cells.text("商户订单号", needed=True), cells.text("微信订单号", needed=True)
        amount, back = cells.minor("订单金额", "CNY"), cells.minor("申请退款金额", "CNY")
        return {
            "kind": kind,
            # A revoked payment may have no number of a refund; it is taken back under its own.
            "number": pl.when(paid | (refund == "")).then(ours).otherwise(refund),
            "reference": pl.when(paid).then(theirs).otherwise(cells.text("微信退款单号")),
            "parent": pl.when(paid).then(pl.lit("")).otherwise(ours),
            "status": pl.when(paid)
            .then(pl.lit(RowStatus.DONE.value))
            .otherwise(cells.one_of("退款状态", _REFUND_STATES)),
            "currency": cells.text("货币种类", needed=True),
            "amount": pl.when(paid).then(amount).otherwise(back),
            "fee": rounded(cells.fine("手续费", _FEE_DECIMALS), _FEE_DECIMALS - 2),
            "at": cells.moment("交易时间", _TIME, _ZONE),
        }

    def sums(self, cells: Cells) -> Mapping[str, pl.Expr]:
        """By the names that the totals have."""
        return {
            "总交易单数": pl.lit(1, dtype=pl.Int64),
            "订单总金额": cells.minor("订单金额", "CNY"),
            "申请退款总金额": cells.minor("申请退款金额", "CNY"),
            "手续费总金额": cells.fine("手续费", _FEE_DECIMALS),
        }

    def controls(self, footer: Sequence[str], line: int) -> Sequence[Control]:
        """The last two lines."""
        return _controls(footer, line, dict.fromkeys(_TRADE_TOTALS, 2) | {"总交易单数": 0, "手续费总金额": 5})


_TRADE_TOTALS = ("总交易单数", "订单总金额", "申请退款总金额", "手续费总金额")
_FUND_TOTALS = ("资金流水总笔数", "收入笔数", "收入金额", "支出笔数", "支出金额")


class WechatFunds:
    """The bill of fund movements."""

    layout = FUNDS

    def normal(self, cells: Cells) -> Mapping[str, pl.Expr]:
        """The normal form: amounts are signed, above zero where money came in."""
        way = cells.one_of("收支类型", {"收入": "1", "支出": "-1"}).cast(pl.Int64, strict=False)
        return {
            "kind": cells.one_of("业务类型", _MOVEMENTS, other=RowKind.OTHER),
            "number": cells.text("业务凭证号"),
            "reference": cells.text("资金流水单号", needed=True),
            "parent": pl.lit(""),
            "status": pl.lit(RowStatus.DONE.value),
            "currency": pl.lit("CNY"),
            "amount": cells.fine("收支金额(元)", 2, sign=False) * way,
            "fee": pl.lit(None, dtype=pl.Int64),
            "at": cells.moment("记账时间", _TIME, _ZONE),
        }

    def sums(self, cells: Cells) -> Mapping[str, pl.Expr]:
        """By the names that the totals have."""
        came, amount = cells.text("收支类型") == "收入", cells.fine("收支金额(元)", 2, sign=False)
        return {
            "资金流水总笔数": pl.lit(1, dtype=pl.Int64),
            "收入笔数": came.cast(pl.Int64),
            "收入金额": pl.when(came).then(amount).otherwise(0),
            "支出笔数": (~came).cast(pl.Int64),
            "支出金额": pl.when(came).then(0).otherwise(amount),
        }

    def controls(self, footer: Sequence[str], line: int) -> Sequence[Control]:
        """The last two lines."""
        return _controls(footer, line, {name: 0 if "笔数" in name else 2 for name in _FUND_TOTALS})


def _controls(footer: Sequence[str], line: int, wanted: Mapping[str, int]) -> Sequence[Control]:
    """Totals by name; ``wanted`` tells their decimals."""
    if len(footer) < 2:
        raise UnreadableBill(
            "the bill ends behind the names of its totals.",
            cure="Download it again; it was cut off.",
            line=line,
        )
    names = footer[0].split(",")
    cells = footer[1].removeprefix("`").split(",`")
    found = []
    for name, cell in zip(names, cells, strict=False):
        text = cell.strip()
        if name.strip() not in wanted:
            continue
        if not _AMOUNT.fullmatch(text):
            raise UnreadableBill(
                f"the total {shown(text)} is no number.",
                cure="Download the bill again.",
                line=line + 1,
                column=name,
            )
        decimals = wanted[name.strip()]
        found.append(Control(name.strip(), units(text, decimals), line + 1, text, decimals))
    if missing := [name for name in wanted if name not in {control.name for control in found}]:
        raise UnreadableBill(
            f"the totals lack {', '.join(missing)}.", cure="Download the bill again.", line=line
        )
    return found


def units(text: str, decimals: int) -> int:
    """A plain number as a whole number of ``10 ** -decimals``; further digits count as long as they are zero."""
    whole, _, fraction = text.partition(".")
    kept, lost = fraction[:decimals].ljust(decimals, "0"), fraction[decimals:]
    if lost.strip("0"):
        raise UnreadableBill(
            f"{shown(text)} has more than {decimals} decimals.", cure="Download the bill again."
        )
    return int(whole + kept)
