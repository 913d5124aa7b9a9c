"""WeChat Pay, API v3."""

from __future__ import annotations

import base64
import hashlib
import json
import os
import re
import time
from typing import Any

from cryptography.hazmat.primitives.ciphers.aead import AESGCM

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
    yuan,
)

AUTHORIZATION = re.compile(
    r'WECHATPAY2-SHA256-RSA2048 mchid="([^"]*)",nonce_str="([^"]*)",signature="([^"]*)",timestamp="([^"]*)",serial_no="([^"]*)"'
)
PAYMENT_STATES = {"open": "NOTPAY", "paid": "SUCCESS", "closed": "CLOSED", "failed": "PAYERROR"}
REFUND_STATES = {"accepted": "PROCESSING", "succeeded": "SUCCESS", "failed": "CLOSED"}
TRADE_COLUMNS = (
    "交易时间,公众账号ID,商户号,特约商户号,设备号,微信订单号,商户订单号,用户标识,交易类型,交易状态,付款银行,货币种类,"
    "应结订单金额,代金券金额,微信退款单号,商户退款单号,退款金额,充值券退款金额,退款类型,退款状态,商品名称,商户数据包,"
    "手续费,费率,订单金额,申请退款金额,费率备注"
)
TRADE_TOTALS = "总交易单数,应结订单总金额,退款总金额,充值券退款总金额,手续费总金额,订单总金额,申请退款总金额"
FUND_COLUMNS = (
    "记账时间,微信支付业务单号,资金流水单号,业务名称,业务类型,收支类型,"
    "收支金额(元),账户结余(元),资金变更提交申请人,备注,业务凭证号"
)
FUND_TOTALS = "资金流水总笔数,收入笔数,收入金额,支出笔数,支出金额"


def rfc3339(moment: float) -> str:
    return china(moment, "%Y-%m-%dT%H:%M:%S+08:00")


class WeChat(Simulator):
    """A merchant with an official account; WeChat Pay signs with a key of the new kind, by its id."""

    name = "wechat"
    merchant, app = "1900000109", "wxd678efh567hg6787"
    key_id = "PUB_KEY_ID_0119000001092026112300000000000001"
    serial = "5F2C8E4A1B3D6F7089ABCDEF0123456789ABCDEF"
    api_key = "0123456789abcdefghijABCDEFGHIJ!?"

    def __init__(self, port: int) -> None:
        super().__init__(port)
        self.merchant_key, self.platform_key = Key(), Key()
        self.files: dict[str, bytes] = {}

    def account(self) -> dict[str, Any]:
        return {
            "merchant": self.merchant,
            "settings": {
                "app_id": self.app,
                "private_key": self.merchant_key.private_pem,
                "certificate_serial": self.serial,
                "api_v3_key": self.api_key,
                "platform_keys": {self.key_id: self.platform_key.public_pem},
                "api_url": self.url,
            },
        }

    def handle(self, request: Request) -> Answer:
        if not self.is_signed(request):
            return error(401, "SIGN_ERROR", "签名错误")
        path, method = request.path, request.method
        content = json.loads(request.body) if request.body else {}
        if method == "POST" and path.startswith("/v3/pay/transactions/") and path.count("/") == 4:
            return self.start(path.rsplit("/", 1)[1], content)
        if path.startswith("/v3/pay/transactions/out-trade-no/"):
            rest = path.removeprefix("/v3/pay/transactions/out-trade-no/")
            number, _, act = rest.partition("/")
            trade = self.trades.get(number)
            merchant = content.get("mchid") if act else request.query.get("mchid")
            if merchant != self.merchant:
                return error(400, "MCH_NOT_EXISTS", "商户号不存在")
            if trade is None:
                return error(404, "ORDER_NOT_EXIST", "订单不存在")
            if act == "close" and method == "POST":
                return self.close(trade)
            return ok(self.payment(trade, Twist()))
        if method == "POST" and path == "/v3/refund/domestic/refunds":
            return self.refund(content)
        if path.startswith("/v3/refund/domestic/refunds/"):
            known = self.find_refund(path.rsplit("/", 1)[1])
            return ok(self.refunded(*known)) if known else error(404, "RESOURCE_NOT_EXISTS", "退款单不存在")
        if path in ("/v3/bill/tradebill", "/v3/bill/fundflowbill"):
            return self.bill(path, request.query)
        if path == "/v3/billdownload/file":
            file = self.files.get(request.query.get("token", ""))
            return Answer(200, file, signed=False) if file is not None else error(404, "NO_FILE", "-")
        return error(404, "NOT_FOUND", "-")

    def is_signed(self, request: Request) -> bool:
        found = AUTHORIZATION.fullmatch(request.headers.get("authorization", ""))
        if not found:
            return False
        merchant, nonce, signature, when, serial = found.groups()
        message = f"{request.method}\n{request.target}\n{when}\n{nonce}\n{request.body.decode()}\n"
        return (
            merchant == self.merchant
            and serial == self.serial
            and abs(time.time() - int(when)) <= 300
            and self.merchant_key.holds(message, signature)
        )

    def start(self, kind: str, wanted: dict[str, Any]) -> Answer:
        amount = wanted.get("amount", {})
        if wanted.get("appid") != self.app or wanted.get("mchid") != self.merchant:
            return error(400, "APPID_MCHID_NOT_MATCH", "appid和mch_id不匹配")
        if type(amount.get("total")) is not int or amount["total"] <= 0 or amount.get("currency") != "CNY":
            return error(400, "PARAM_ERROR", "金额错误")
        known = self.trades.get(wanted["out_trade_no"])
        if known is None:
            known = Trade(
                number=wanted["out_trade_no"],
                amount=amount["total"],
                currency="CNY",
                subject=wanted["description"],
                flow=kind,
                reference=self.next_number("wx"),
                notify_url=wanted["notify_url"],
            )
            self.trades[known.number] = known
        elif (known.amount, known.flow) != (amount["total"], kind):
            return error(403, "OUT_TRADE_NO_USED", "商户订单号重复")
        elif known.state == "paid":
            return error(400, "ORDERPAID", "订单已支付")
        elif known.state != "open":
            return error(400, "ORDER_CLOSED", "订单已关闭")
        if kind == "native":
            return ok({"code_url": f"weixin://wxpay/bizpayurl?pr={known.reference}"})
        if kind == "h5":
            scene = wanted.get("scene_info", {})
            if not scene.get("payer_client_ip") or not scene.get("h5_info", {}).get("type"):
                return error(400, "PARAM_ERROR", "scene_info")
            return ok(
                {
                    "h5_url": f"https://wx.tenpay.com/cgi-bin/mmpayweb-bin/checkmweb?prepay_id={known.reference}"
                }
            )
        if kind == "jsapi":
            if not wanted.get("payer", {}).get("openid"):
                return error(400, "PARAM_ERROR", "openid")
            return ok({"prepay_id": known.reference})
        return error(404, "NOT_FOUND", "-")

    def close(self, trade: Trade) -> Answer:
        if trade.state == "paid":
            return error(400, "ORDERPAID", "订单已支付")
        if trade.state == "closed":
            return error(400, "ORDER_CLOSED", "订单已关闭")
        trade.state = "closed"
        return Answer(204)

    def refund(self, wanted: dict[str, Any]) -> Answer:
        trade = next((t for t in self.trades.values() if t.transaction == wanted.get("transaction_id")), None)
        if trade is None:
            return error(404, "RESOURCE_NOT_EXISTS", "订单不存在")
        amount = wanted["amount"]
        known = trade.refunds.get(wanted["out_refund_no"])
        if amount.get("total") != trade.amount or (known and known.amount != amount["refund"]):
            return error(400, "INVALID_REQUEST", "金额不一致")
        if self.policy.get("balance") == "empty":
            return error(403, "NOT_ENOUGH", "基本账户余额不足")
        if known is None and len(trade.refunds) >= 50:
            return error(400, "INVALID_REQUEST", "退款次数超限")
        made = self.add_refund(trade, wanted["out_refund_no"], amount["refund"])
        if made is None:
            return error(400, "INVALID_REQUEST", "退款金额超限")
        return ok(self.refunded(trade, made))

    def payment(self, trade: Trade, twist: Twist) -> dict[str, Any]:
        state = twist.state or PAYMENT_STATES[trade.state]
        if trade.refunds and state == "SUCCESS" and twist.state is None:
            state = "REFUND"
        amount = trade.amount if twist.amount is None else twist.amount
        currency = twist.currency or trade.currency
        values: dict[str, Any] = {
            "mchid": twist.merchant or self.merchant,
            "appid": twist.app or self.app,
            "out_trade_no": twist.number or trade.number,
            "trade_state": state,
            "trade_state_desc": "-",
            "trade_type": trade.flow.upper(),
            "attach": "",
            "amount": {"total": amount, "currency": currency},
        }
        if trade.paid_at:
            values |= {
                "transaction_id": twist.transaction or trade.transaction,
                "bank_type": "OTHERS",
                "success_time": rfc3339(trade.paid_at),
                "payer": {"openid": "oUpF8uMuAJO_M2pxb1Q9zNjWeS6o"},
            }
            # A voucher paid a fen of it: what the shop has to compare is the total.
            values["amount"] |= {"payer_total": max(amount - 1, 0), "payer_currency": currency}
        return values

    def refunded(self, trade: Trade, refund: Refund) -> dict[str, Any]:
        values = {
            "refund_id": refund.reference,
            "out_refund_no": refund.number,
            "transaction_id": trade.transaction,
            "out_trade_no": trade.number,
            "channel": "ORIGINAL",
            "user_received_account": "支付用户零钱",
            "create_time": rfc3339(refund.at),
            "status": REFUND_STATES.get(refund.state, refund.state),
            "amount": {
                "total": trade.amount,
                "refund": refund.amount,
                "payer_total": trade.amount,
                "payer_refund": refund.amount,
                "currency": trade.currency,
            },
        }
        if refund.state == "succeeded":
            values["success_time"] = rfc3339(refund.at)
        return values

    def notice(self, trade: Trade, refund: Refund | None, twist: Twist) -> Notice:
        if refund is None:
            event, original, plain = "TRANSACTION.SUCCESS", "transaction", self.payment(trade, twist)
            if twist.state is None and plain["trade_state"] == "REFUND":
                plain["trade_state"] = "SUCCESS"
        else:
            state = twist.state or REFUND_STATES.get(refund.state, refund.state)
            event, original = f"REFUND.{state}", "refund"
            plain = {
                "mchid": twist.merchant or self.merchant,
                "out_trade_no": trade.number,
                "transaction_id": trade.transaction,
                "out_refund_no": twist.number or refund.number,
                "refund_id": refund.reference,
                "refund_status": state,
                "success_time": rfc3339(refund.at),
                "user_received_account": "支付用户零钱",
                "amount": {
                    "total": trade.amount,
                    "refund": refund.amount if twist.amount is None else twist.amount,
                    "payer_total": trade.amount,
                    "payer_refund": refund.amount,
                },
            }
        nonce = os.urandom(6).hex()
        sealed = AESGCM(self.api_key.encode()).encrypt(
            nonce.encode(), json.dumps(plain).encode(), original.encode()
        )
        body = json.dumps(
            {
                "id": os.urandom(16).hex(),
                "create_time": rfc3339(time.time() - twist.age),
                "resource_type": "encrypt-resource",
                "event_type": twist.event or event,
                "summary": "支付成功",
                "resource": {
                    "original_type": original,
                    "algorithm": "AEAD_AES_256_GCM",
                    "ciphertext": base64.b64encode(sealed).decode(),
                    "associated_data": original,
                    "nonce": nonce,
                },
            },
            ensure_ascii=False,
        )
        key = self.stranger if twist.signature == "stranger" else self.platform_key
        headers = self.signature(body, key, time.time() - twist.age, twist.serial or self.key_id)
        if twist.signature == "bad":
            headers["Wechatpay-Signature"] = alter(headers["Wechatpay-Signature"])
        if twist.signature == "none":
            headers = {key: value for key, value in headers.items() if not key.startswith("Wechatpay-")}
        return Notice("POST", trade.notify_url, {**headers, "Content-Type": "application/json"}, body)

    def signature(self, body: str, key: Key, moment: float, serial: str) -> dict[str, str]:
        when, nonce = str(int(moment)), os.urandom(16).hex()
        return {
            "Wechatpay-Timestamp": when,
            "Wechatpay-Nonce": nonce,
            "Wechatpay-Signature": key.sign(f"{when}\n{nonce}\n{body}\n"),
            "Wechatpay-Serial": serial,
            "Wechatpay-Signature-Type": "WECHATPAY2-SHA256-RSA2048",
            "Request-ID": os.urandom(8).hex(),
        }

    def sign_answer(self, answer: Answer, *, stranger: bool) -> Answer:
        key = self.stranger if stranger else self.platform_key
        answer.headers |= self.signature(answer.body.decode(), key, time.time(), self.key_id)
        return answer

    def refused(self) -> Answer:
        return error(429, "FREQUENCY_LIMITED", "频率超限")

    def took(self, status: int, body: str) -> bool:
        return status in (200, 204)

    def bill(self, path: str, query: dict[str, str]) -> Answer:
        day = query.get("bill_date", "")
        if day >= china_day(time.time()):
            return error(400, "INVALID_REQUEST", "账单日期不能晚于昨天")
        if self.policy.get("bills") == "creating":
            return error(400, "STATEMENT_CREATING", "账单生成中")
        content = self.trade_bill(day) if path.endswith("tradebill") else self.fund_bill(day)
        if content is None:
            return error(400, "NO_STATEMENT_EXIST", "账单不存在")
        token = os.urandom(8).hex()
        digest = hashlib.sha1(content).hexdigest()
        self.files[token] = content[:-1] if self.policy.get("bills") == "cut" else content
        url = f"{self.url}/v3/billdownload/file?token={token}"
        return ok({"hash_type": "SHA1", "hash_value": digest, "download_url": url})

    def trade_bill(self, day: str) -> bytes | None:
        rows, total, refunded, fees = [], 0, 0, 0
        for trade in self.trades.values():
            if trade.paid_at and china_day(trade.paid_at) == day:
                rows.append(self.trade_row(trade, None))
                total, fees = total + trade.amount, fees + trade.fee
            for refund in trade.refunds.values():
                if refund.state == "succeeded" and china_day(refund.at) == day:
                    rows.append(self.trade_row(trade, refund))
                    refunded += refund.amount
        if not rows:
            return None
        totals = (
            str(len(rows)),
            yuan(total),
            yuan(refunded),
            "0.00",
            f"{yuan(fees)}000",
            yuan(total),
            yuan(refunded),
        )
        return table(TRADE_COLUMNS, rows, TRADE_TOTALS, totals)

    def trade_row(self, trade: Trade, refund: Refund | None) -> tuple[str, ...]:
        paid, back = (yuan(trade.amount), "0.00") if refund is None else ("0.00", yuan(refund.amount))
        return (
            china(refund.at if refund else trade.paid_at), self.app, self.merchant, "0", "", trade.transaction,
            trade.number, "oUpF8uMuAJO_M2pxb1Q9zNjWeS6o", trade.flow.upper(), "REFUND" if refund else "SUCCESS",
            "OTHERS", "CNY", paid, "0.00", refund.reference if refund else "0", refund.number if refund else "0",
            back, "0.00", "ORIGINAL" if refund else "", "SUCCESS" if refund else "", trade.subject, "",
            "0.00000" if refund else f"{yuan(trade.fee)}000", "0.60%", paid, back, "",
        )  # fmt: skip

    def fund_bill(self, day: str) -> bytes | None:
        rows, balance, incomes, outgoes = [], 0, [], []
        for trade in self.trades.values():
            moves = []
            if trade.paid_at:
                moves.append((trade.paid_at, trade.transaction, "交易", trade.amount, trade.number))
                moves.append((trade.paid_at, trade.transaction, "扣除交易手续费", -trade.fee, trade.number))
            moves += [
                (refund.at, refund.reference, "退款", -refund.amount, refund.number)
                for refund in trade.refunds.values()
                if refund.state == "succeeded"
            ]
            for at, reference, kind, amount, number in moves:
                if china_day(at) != day or amount == 0:
                    continue
                balance += amount
                (incomes if amount > 0 else outgoes).append(abs(amount))
                direction = "收入" if amount > 0 else "支出"
                rows.append(
                    (china(at), reference, f"F{len(rows):012d}", kind, kind, direction, yuan(abs(amount)),
                     yuan(balance), "system", "-", number)
                )  # fmt: skip
        if not rows:
            return None
        totals = (
            str(len(rows)),
            str(len(incomes)),
            yuan(sum(incomes)),
            str(len(outgoes)),
            yuan(sum(outgoes)),
        )
        return table(FUND_COLUMNS, rows, FUND_TOTALS, totals)


def table(columns: str, rows: list[tuple[str, ...]], total_columns: str, totals: tuple[str, ...]) -> bytes:
    """A bill: each field behind a backtick, totals at the end, and a mark of UTF-8 before it."""
    lines = [columns, *(",".join(f"`{field}" for field in row) for row in rows)]
    lines += [total_columns, ",".join(f"`{field}" for field in totals)]
    return ("\ufeff" + "\r\n".join(lines) + "\r\n").encode()


def ok(values: dict[str, Any]) -> Answer:
    body = json.dumps(values, ensure_ascii=False).encode()
    return Answer(200, body, {"content-type": "application/json; charset=utf-8"})


def error(status: int, code: str, message: str) -> Answer:
    body = json.dumps({"code": code, "message": message}, ensure_ascii=False).encode()
    return Answer(status, body, {"content-type": "application/json; charset=utf-8"})
