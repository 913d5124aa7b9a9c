"""Alipay's open platform."""

from __future__ import annotations

import io
import json
import os
import time
import zipfile
from typing import Any
from urllib.parse import parse_qsl, urlencode

from .serving import (
    Answer,
    Key,
    Notice,
    Refund,
    Request,
    Simulator,
    Trade,
    Twist,
    alter,
    china,
    china_day,
    fen,
    yuan,
)

STATES = {
    "open": "WAIT_BUYER_PAY",
    "paid": "TRADE_SUCCESS",
    "closed": "TRADE_CLOSED",
    "failed": "TRADE_CLOSED",
}
COLUMNS = (
    "支付宝交易号,商户订单号,业务类型,商品名称,创建时间,完成时间,门店编号,门店名称,操作员,终端号,对方账户,订单金额（元）,"
    "商家实收（元）,支付宝红包（元）,集分宝（元）,支付宝优惠（元）,商家优惠（元）,券核销金额（元）,券名称,商家红包消费金额（元）,"
    "卡消费金额（元）,退款批次号/请求号,服务费（元）,分润（元）,备注"
)


class Alipay(Simulator):
    """An application of one seller."""

    name = "alipay"
    merchant, app = "2088102146225135", "2021000119600000"

    def __init__(self, port: int) -> None:
        super().__init__(port)
        self.app_key, self.platform_key = Key(), Key()
        self.files: dict[str, bytes] = {}

    def account(self) -> dict[str, Any]:
        return {
            "merchant": self.merchant,
            "settings": {
                "app_id": self.app,
                "private_key": self.app_key.private_pem,
                "alipay_public_key": self.platform_key.public_pem,
                "api_url": f"{self.url}/gateway.do",
            },
        }

    def handle(self, request: Request) -> Answer:
        if request.path == "/bill":
            file = self.files.pop(request.query.get("token", ""), None)
            return Answer(200, file, signed=False) if file else Answer(403, b"expired", signed=False)
        form = request.form if request.method == "POST" else dict(parse_qsl(request.target.partition("?")[2]))
        method = form.get("method", "")
        refusal = self.check(form)
        if refusal:
            return self.say(method, code="40002", msg="Invalid Arguments", sub_code=refusal)
        content = json.loads(form["biz_content"])
        acts = {
            "alipay.trade.page.pay": self.page,
            "alipay.trade.wap.pay": self.page,
            "alipay.trade.precreate": self.precreate,
            "alipay.trade.query": self.query,
            "alipay.trade.close": self.close,
            "alipay.trade.refund": self.refund,
            "alipay.trade.fastpay.refund.query": self.query_refund,
            "alipay.data.dataservice.bill.downloadurl.query": self.bill,
        }
        return acts[method](form, content)

    def check(self, form: dict[str, str]) -> str | None:
        if form.get("app_id") != self.app:
            return "isv.invalid-app-id"
        if form.get("sign_type") != "RSA2" or form.get("charset") != "utf-8":
            return "isv.invalid-signature-type"
        signed = "&".join(f"{key}={value}" for key, value in sorted(form.items()) if key != "sign" and value)
        if not self.app_key.holds(signed, form.get("sign", "")):
            return "isv.invalid-signature"
        return None

    def page(self, form: dict[str, str], content: dict[str, Any]) -> Answer:
        """What a browser that follows the redirect gets; the trade comes to be with it."""
        trade = self.begin(form, content)
        return Answer(200, f"<html>{trade.number}</html>".encode(), signed=False)

    def precreate(self, form: dict[str, str], content: dict[str, Any]) -> Answer:
        known = self.trades.get(content["out_trade_no"])
        if known and known.state != "open":
            return self.fail(
                form["method"], "ACQ.TRADE_HAS_SUCCESS" if known.state == "paid" else "ACQ.TRADE_HAS_CLOSE"
            )
        if known and known.amount != fen(content["total_amount"]):
            return self.fail(form["method"], "ACQ.CONTEXT_INCONSISTENT")
        trade = self.begin(form, content)
        return self.say(
            form["method"],
            code="10000",
            msg="Success",
            out_trade_no=trade.number,
            qr_code=f"https://qr.alipay.com/{trade.reference}",
        )

    def begin(self, form: dict[str, str], content: dict[str, Any]) -> Trade:
        number = content["out_trade_no"]
        if number not in self.trades:
            self.trades[number] = Trade(
                number=number,
                amount=fen(content["total_amount"]),
                currency="CNY",
                subject=content["subject"],
                flow=form["method"],
                reference=self.next_number("bax"),
                notify_url=form.get("notify_url", ""),
            )
        return self.trades[number]

    def query(self, form: dict[str, str], content: dict[str, Any]) -> Answer:
        trade = self.trades.get(content["out_trade_no"])
        if trade is None:
            return self.fail(form["method"], "ACQ.TRADE_NOT_EXIST")
        state = STATES[trade.state]
        values = {
            "out_trade_no": trade.number,
            "trade_status": state,
            "total_amount": yuan(trade.amount),
            "buyer_logon_id": "a{b***@example.com",  # a brace within a text
        }
        if trade.paid_at:
            if trade.refunded == trade.amount:
                values["trade_status"] = "TRADE_CLOSED"
            values |= {"trade_no": trade.transaction, "send_pay_date": china(trade.paid_at)}
        return self.say(form["method"], code="10000", msg="Success", **values)

    def close(self, form: dict[str, str], content: dict[str, Any]) -> Answer:
        trade = self.trades.get(content["out_trade_no"])
        if trade is None:
            return self.fail(form["method"], "ACQ.TRADE_NOT_EXIST")
        if trade.state != "open":
            return self.fail(form["method"], "ACQ.TRADE_STATUS_ERROR")
        trade.state = "closed"
        return self.say(form["method"], code="10000", msg="Success", out_trade_no=trade.number)

    def refund(self, form: dict[str, str], content: dict[str, Any]) -> Answer:
        trade = self.trades.get(content["out_trade_no"])
        if trade is None:
            return self.fail(form["method"], "ACQ.TRADE_NOT_EXIST")
        if self.policy.get("balance") == "empty":
            return self.fail(form["method"], "ACQ.SELLER_BALANCE_NOT_ENOUGH")
        known = trade.refunds.get(content["out_request_no"])
        amount = fen(content["refund_amount"])
        if known and known.amount != amount:
            return self.fail(form["method"], "ACQ.DISCORDANT_REPEAT_REQUEST")
        made = self.add_refund(trade, content["out_request_no"], amount)
        if made is None:
            return self.fail(form["method"], "ACQ.REFUND_AMT_NOT_EQUAL_TOTAL")
        changed = known is None and made.state == "succeeded"
        return self.say(
            form["method"],
            code="10000",
            msg="Success",
            out_trade_no=trade.number,
            trade_no=trade.transaction,
            fund_change="Y" if changed else "N",
            refund_fee=yuan(trade.refunded),  # of all refunds
        )

    def query_refund(self, form: dict[str, str], content: dict[str, Any]) -> Answer:
        trade = self.trades.get(content["out_trade_no"])
        if trade is None:
            return self.fail(form["method"], "ACQ.TRADE_NOT_EXIST")
        refund = trade.refunds.get(content["out_request_no"])
        values: dict[str, str] = {}
        if refund:
            values = {
                "out_trade_no": trade.number,
                "trade_no": trade.transaction,
                "out_request_no": refund.number,
                "refund_amount": yuan(refund.amount),
                "total_amount": yuan(trade.amount),
            }
            if refund.state == "succeeded":
                values |= {"refund_status": "REFUND_SUCCESS", "gmt_refund_pay": china(refund.at)}
        return self.say(form["method"], code="10000", msg="Success", **values)

    def notice(self, trade: Trade, refund: Refund | None, twist: Twist) -> Notice:
        state = twist.state or STATES[trade.state]
        number = (twist.number if refund is None else None) or trade.number
        values = {
            "notify_time": china(time.time() - twist.age),
            "notify_type": "trade_status_sync",
            "notify_id": os.urandom(16).hex(),
            "app_id": twist.app or self.app,
            "auth_app_id": self.app,
            "charset": "utf-8",
            "version": "1.0",
            "trade_no": twist.transaction or trade.transaction,
            "out_trade_no": number,
            "seller_id": twist.merchant or self.merchant,
            "trade_status": state,
            "total_amount": yuan(trade.amount if twist.amount is None else twist.amount),
            "receipt_amount": yuan(trade.amount),
            "subject": trade.subject,
            "body": "",  # an empty field is signed too
            "gmt_create": china(trade.created_at),
        }
        if trade.paid_at:
            values["gmt_payment"] = china(trade.paid_at)
        if refund is not None:
            values |= {
                "gmt_refund": china(refund.at),
                "refund_fee": yuan(trade.refunded),
                "out_biz_no": twist.number or refund.number,
            }
            if trade.refunded == trade.amount:
                values["trade_status"] = "TRADE_CLOSED"
        key = self.stranger if twist.signature == "stranger" else self.platform_key
        signature = key.sign("&".join(f"{name}={value}" for name, value in sorted(values.items())))
        if twist.signature == "bad":
            signature = alter(signature)
        if twist.signature != "none":
            values |= {"sign": signature, "sign_type": "RSA2"}
        headers = {"Content-Type": "application/x-www-form-urlencoded; charset=utf-8"}
        return Notice("POST", trade.notify_url, headers, urlencode(values))

    def took(self, status: int, body: str) -> bool:
        return body == "success"

    def fail(self, method: str, code: str) -> Answer:
        return self.say(method, code="40004", msg="Business Failed", sub_code=code, sub_msg="失败")

    def say(self, method: str, **values: str) -> Answer:
        content = json.dumps(values, ensure_ascii=False).replace("/", "\\/")
        answer = Answer(200, headers={"content-type": "text/html;charset=utf-8"})
        answer.body = f'{{"{method.replace(".", "_")}_response":{content}}}'.encode()
        return answer

    def sign_answer(self, answer: Answer, *, stranger: bool) -> Answer:
        text = answer.body.decode()
        if not text.startswith("{"):
            return answer
        content = text[text.index(":") + 1 : -1]
        signature = (self.stranger if stranger else self.platform_key).sign(content)
        answer.body = f'{text[:-1]},"sign":"{signature}"}}'.encode()
        return answer

    def refused(self) -> Answer:
        return self.say("alipay.trade.query", code="40005", msg="limited", sub_code="isv.app-call-limited")

    def bill(self, form: dict[str, str], content: dict[str, Any]) -> Answer:
        day = content["bill_date"]
        if day >= china_day(time.time()) or self.policy.get("bills") == "creating":
            return self.fail(form["method"], "isp.bill_not_exist")
        token = os.urandom(8).hex()
        packed = self.zipped(day)
        self.files[token] = packed[: len(packed) // 2] if self.policy.get("bills") == "cut" else packed
        url = f"{self.url}/bill?token={token}"
        return self.say(form["method"], code="10000", msg="Success", bill_download_url=url)

    def zipped(self, day: str) -> bytes:
        rows, received, returned, count, back = [], 0, 0, 0, 0
        for trade in self.trades.values():
            if trade.paid_at and china_day(trade.paid_at) == day:
                rows.append(self.row(trade, None))
                received, count = received + trade.amount, count + 1
            for refund in trade.refunds.values():
                if refund.state == "succeeded" and china_day(refund.at) == day:
                    rows.append(self.row(trade, refund))
                    returned, back = returned + refund.amount, back + 1
        stamp = f"{day[:4]}年{day[5:7]}月{day[8:]}日"
        lines = [
            "#支付宝业务明细查询",
            f"#账号：[{self.merchant}0156]",
            f"#起始日期：[{stamp} 00:00:00]   终止日期：[{stamp} 24:00:00]",
            "#-----------------------------------------业务明细列表----------------------------------------",
            COLUMNS,
            *rows,
            "#-----------------------------------------业务明细列表结束------------------------------------",
            f"#交易合计：{count}笔，商家实收共{yuan(received)}元，商家优惠共0.00元",
            f"#退款合计：{back}笔，商家实收退款共{yuan(returned)}元，商家优惠退款共0.00元",
            f"#导出时间：[{china(time.time())}]",
        ]
        packed = io.BytesIO()
        with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
            name = f"{self.merchant}0156_{day.replace('-', '')}_业务明细"
            archive.writestr(f"{name}.csv", ("\r\n".join(lines) + "\r\n").encode("gbk"))
            archive.writestr(f"{name}(汇总).csv", "#支付宝业务汇总查询\r\n".encode("gbk"))
        return packed.getvalue()

    def row(self, trade: Trade, refund: Refund | None) -> str:
        amount = trade.amount if refund is None else -refund.amount
        fee = "0.00" if refund else yuan(-trade.fee)
        fields = [
            trade.transaction, trade.number, "退款" if refund else "交易", trade.subject, china(trade.created_at),
            china(refund.at if refund else trade.paid_at), "", "", "", "", "*三(abc***)", yuan(amount), yuan(amount),
            *(["0.00"] * 5), "", "0.00", "0.00", refund.number if refund else "", fee, "0.00", "",
        ]  # fmt: skip
        return ",".join(f"{field}\t" for field in fields)
