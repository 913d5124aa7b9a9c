"""Bills as gateways write them, made of plain facts."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterable, Sequence
from datetime import UTC, date, datetime, timedelta, timezone

import msgspec

DAY = date(2026, 11, 20)
CHINA = timezone(timedelta(hours=8))
NOON = datetime(2026, 11, 20, 12, tzinfo=CHINA).astimezone(UTC)
MIDNIGHT = datetime(2026, 11, 21, tzinfo=CHINA).astimezone(UTC)
"""The end of `DAY` in China."""

WECHAT = (
    "交易时间,公众账号ID,商户号,特约商户号,设备号,微信订单号,商户订单号,用户标识,交易类型,交易状态,付款银行,货币种类,"
    "应结订单金额,代金券金额,微信退款单号,商户退款单号,退款金额,充值券退款金额,退款类型,退款状态,商品名称,商户数据包,"
    "手续费,费率,订单金额,申请退款金额,费率备注"
)
_MOVED = "记账时间,微信支付业务单号,资金流水单号,业务名称,业务类型,收支类型,收支金额(元),账户结余(元)"
FUNDS = f"{_MOVED},资金变更提交申请人,备注,业务凭证号"
ALIPAY = (
    "支付宝交易号,商户订单号,业务类型,商品名称,创建时间,完成时间,门店编号,门店名称,操作员,终端号,对方账户,订单金额（元）,"
    "商家实收（元）,支付宝红包（元）,集分宝（元）,支付宝优惠（元）,商家优惠（元）,券核销金额（元）,券名称,商家红包消费金额（元）,"
    "卡消费金额（元）,退款批次号/请求号,服务费（元）,分润（元）,备注"
)


class Traded(msgspec.Struct, frozen=True, kw_only=True):
    """A payment or refund as a gateway lists it; amounts in fen."""

    number: str
    amount: int = 1000
    fee: int = 6
    kind: str = "payment"
    parent: str = ""
    status: str = "done"
    at: datetime = NOON
    reference: str = ""

    @property
    def their_number(self) -> str:
        return self.reference or f"42{self.number}"


def yuan(fen: int, decimals: int = 2) -> str:
    """An amount as bills write it."""
    sign = "-" if fen < 0 else ""
    return f"{sign}{abs(fen) // 100}.{abs(fen) % 100:02d}{'0' * (decimals - 2)}"


def _local(at: datetime) -> str:
    return at.astimezone(CHINA).strftime("%Y-%m-%d %H:%M:%S")


def wechat_row(traded: Traded) -> str:
    refund = traded.kind == "refund"
    paid, back = (0, traded.amount) if refund else (traded.amount, 0)
    state = {"done": "SUCCESS", "pending": "PROCESSING", "failed": "FAIL"}[traded.status]
    cells = {
        "交易时间": _local(traded.at),
        "公众账号ID": "wx0123456789",
        "商户号": "1900000109",
        "微信订单号": f"42{traded.parent}" if refund else traded.their_number,
        "商户订单号": traded.parent if refund else traded.number,
        "用户标识": "oUpF8uMuAJO",
        "交易类型": "NATIVE",
        "交易状态": "REFUND" if refund else "SUCCESS",
        "付款银行": "OTHERS",
        "货币种类": "CNY",
        "应结订单金额": yuan(paid),
        "代金券金额": "0.00",
        "微信退款单号": traded.their_number if refund else "0",
        "商户退款单号": traded.number if refund else "0",
        "退款金额": yuan(back),
        "充值券退款金额": "0.00",
        "退款类型": "ORIGINAL" if refund else "",
        "退款状态": state if refund else "",
        "商品名称": '充值卡, 面值"100"',
        "手续费": yuan(traded.fee, 5),
        "费率": "0.60%",
        "订单金额": yuan(paid),
        "申请退款金额": yuan(back),
    }
    return ",".join("`" + cells.get(name, "") for name in WECHAT.split(","))


def wechat_bill(rows: Sequence[Traded]) -> bytes:
    """WeChat's trade bill."""
    paid = sum(row.amount for row in rows if row.kind == "payment")
    back = sum(row.amount for row in rows if row.kind == "refund")
    fees = sum(row.fee for row in rows)
    lines = [
        "\ufeff" + WECHAT,
        *map(wechat_row, rows),
        "总交易单数,应结订单总金额,退款总金额,充值券退款总金额,手续费总金额,订单总金额,申请退款总金额",
        f"`{len(rows)},`{yuan(paid)},`{yuan(back)},`0.00,`{yuan(fees, 5)},`{yuan(paid)},`{yuan(back)}",
    ]
    return ("\r\n".join(lines) + "\r\n").encode()


def wechat_funds(movements: Iterable[tuple[str, int]], at: datetime = NOON) -> bytes:
    """WeChat's bill of fund movements; each is its 业务类型 and its signed amount."""
    lines, balance, moved = ["\ufeff" + FUNDS], 100_000, list(movements)
    for number, (what, amount) in enumerate(moved):
        balance += amount
        way = "收入" if amount >= 0 else "支出"
        cells = (_local(at), f"42{number}", f"F{number}", what, what, way, yuan(abs(amount)), yuan(balance))
        lines.append(",".join(f"`{cell}" for cell in (*cells, "system", "", f"N{number}")))
    came, went = [a for _, a in moved if a >= 0], [-a for _, a in moved if a < 0]
    lines += [
        "资金流水总笔数,收入笔数,收入金额,支出笔数,支出金额",
        f"`{len(moved)},`{len(came)},`{yuan(sum(came))},`{len(went)},`{yuan(sum(went))}",
    ]
    return ("\r\n".join(lines) + "\r\n").encode()


def alipay_table(rows: Sequence[Traded]) -> str:
    """Alipay's table, before it is encoded and packed."""
    lines = [
        "#支付宝业务明细查询",
        "#账号：[20880000000000000156]",
        "#起始日期：[2026年11月20日 00:00:00]   终止日期：[2026年11月21日 00:00:00]",
        "#-----------------------------------------业务明细列表----------------------------------------",
        ALIPAY,
    ]
    for row in rows:
        refund = row.kind == "refund"
        amount = yuan(-row.amount if refund else row.amount)
        cells = {
            "支付宝交易号": row.their_number,
            "商户订单号": row.parent if refund else row.number,
            "业务类型": "退款" if refund else "交易",
            "商品名称": "充值卡",
            "创建时间": _local(row.at),
            "完成时间": _local(row.at),
            "订单金额（元）": amount,
            "商家实收（元）": amount,
            "退款批次号/请求号": row.number if refund else "",
            "服务费（元）": yuan(-row.fee),
        }
        lines.append(",".join(cells.get(name, "") + "\t" for name in ALIPAY.split(",")))
    paid = [row.amount for row in rows if row.kind == "payment"]
    back = [row.amount for row in rows if row.kind == "refund"]
    lines += [
        "#-----------------------------------------业务明细列表结束------------------------------------",
        f"#交易合计：{len(paid)}笔，商家实收共{yuan(sum(paid))}元，商家优惠共0.00元",
        f"#退款合计：{len(back)}笔，商家实收退款共{yuan(-sum(back))}元，商家优惠退款共0.00元",
        "#导出时间：[2026年11月21日 10:30:56]",
    ]
    return "\r\n".join(lines) + "\r\n"


def alipay_bill(rows: Sequence[Traded]) -> bytes:
    """Alipay's archive, whose names are GBK as well."""
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, text in (
            ("20880000000000000156_20261120_业务明细.csv", alipay_table(rows)),
            ("20880000000000000156_20261120_业务明细(汇总).csv", "#支付宝业务汇总查询\r\n"),
        ):
            archive.writestr(name, text.encode("gbk"))
    return target.getvalue()


def stripe_bill(rows: Iterable[tuple[str, str, str, str, str, str]]) -> bytes:
    """Stripe's report; rows are id, category, currency, gross, fee and our number."""
    header = (
        "balance_transaction_id,created_utc,available_on_utc,currency,gross,fee,net,reporting_category,source_id,"
        "description,payment_intent_id,payment_metadata[kameng_number],refund_metadata[kameng_number]"
    )
    lines = [header]
    for key, category, currency, gross, fee, number in rows:
        places = len(gross.partition(".")[2])
        cents = int(gross.replace(".", "")) - int(fee.replace(".", ""))
        net = yuan(cents) if places else str(cents)
        refund = category == "refund"
        numbers = f"pi_{key},{'' if refund else number},{number if refund else ''}"
        lines.append(
            f"{key},2026-11-20 12:00:00,2026-11-27 00:00:00,{currency},{gross},{fee},{net},{category},ch_{key},"
            f'"a, b\nsecond line",{numbers}'
        )
    return ("\n".join(lines) + "\n").encode()
