"""Epay (易支付), both versions on one server: ``submit.php``, ``mapi.php``, ``api.php``, and ``/api/pay/…``."""

from __future__ import annotations

import hashlib
import json
import time
from typing import Any
from urllib.parse import urlencode

from .serving import Answer, Key, Notice, Refund, Request, Simulator, Trade, Twist, alter, china, fen, yuan

STATES = {"open": "0", "paid": "1", "closed": "0", "failed": "0"}


def signed_text(values: dict[str, str]) -> str:
    kept = {key: value for key, value in values.items() if value != "" and key not in ("sign", "sign_type")}
    return "&".join(f"{key}={kept[key]}" for key in sorted(kept))


class Epay(Simulator):
    """One merchant, who may call in either version. The platform's key is one for all merchants."""

    name = "epay"
    merchant, key = "1001", "8H3k29sFKq0dLmZx7PwQvT4nYb6RcUeJ"

    def __init__(self, port: int) -> None:
        super().__init__(port)
        self.policy |= {"refunds": "succeeded"}
        self.merchant_key, self.platform_key = Key(), Key()

    def account(self) -> dict[str, Any]:
        return {
            "merchant": self.merchant,
            "settings": {"url": self.url, "key": self.key},
            "settings_v2": {
                "url": self.url,
                "private_key": self.merchant_key.private_pem,
                "platform_key": self.platform_key.public_pem,
            },
        }

    def handle(self, request: Request) -> Answer:
        form = request.query | (request.form if request.method == "POST" else {})
        if request.path.startswith("/api/pay/"):
            return self.second(request.path.rsplit("/", 1)[1], form)
        if request.path in ("/submit.php", "/mapi.php"):
            if not self.holds_md5(form):
                return say(code=-1, msg="签名校验失败")
            trade = self.begin(form, "v1")
            if request.path == "/submit.php":
                return Answer(200, f"<html>{trade.number}</html>".encode())
            if self.policy.get("mapi") == "page":
                return say(code=1, trade_no=trade.reference, payurl=f"{self.url}/pay/{trade.reference}")
            return say(code=1, trade_no=trade.reference, qrcode=f"https://qr.example/{trade.reference}")
        if request.path == "/api.php":
            if form.get("pid") != self.merchant or form.get("key") != self.key:
                return say(code=-3, msg="商户密钥错误")
            return self.first(form)
        return Answer(404, b"")

    def holds_md5(self, form: dict[str, str]) -> bool:
        wanted = hashlib.md5((signed_text(form) + self.key).encode()).hexdigest()
        return (
            form.get("sign") == wanted and form.get("pid") == self.merchant and form.get("sign_type") == "MD5"
        )

    def begin(self, form: dict[str, str], version: str) -> Trade:
        number = form["out_trade_no"]
        if number not in self.trades:
            self.trades[number] = Trade(
                number=number,
                amount=fen(form["money"]),
                currency="CNY",
                subject=form["name"],
                flow=version,
                reference=self.next_number("20"),
                notify_url=form["notify_url"],
                more={"type": form.get("type") or "alipay", "return_url": form["return_url"]},
            )
            self.trades[number].transaction = self.trades[number].reference
        return self.trades[number]

    def first(self, form: dict[str, str]) -> Answer:
        if form["act"] == "orders":
            limit, page = min(int(form["limit"]), 50), int(form["page"])
            newest = sorted(self.trades.values(), key=lambda each: -each.created_at)
            chosen = newest[(page - 1) * limit : page * limit]
            return say(code=1, count=len(chosen), data=[self.order(trade) for trade in chosen])
        trade = self.trades.get(form.get("out_trade_no", ""))
        if trade is None:
            return say(code=-1, msg="订单号不存在")
        if form["act"] == "order":
            return say(code=1, msg="succ", **self.order(trade))
        if form["act"] == "refund":
            made = self.add_refund(trade, f"R{trade.number}", fen(form["money"]))
            if made is None:
                return say(code=-1, msg="订单状态不允许退款")
            return say(code=1, msg="退款成功")
        return say(code=-5, msg="act")

    def order(self, trade: Trade) -> dict[str, Any]:
        paid = bool(trade.paid_at)
        return {
            "trade_no": trade.transaction,
            "out_trade_no": trade.number,
            "type": trade.more.get("type", "alipay"),
            "pid": int(self.merchant),
            "addtime": china(trade.created_at),
            "endtime": china(trade.paid_at) if paid else None,
            "name": trade.subject,
            "money": yuan(trade.amount),
            "status": int("2" if trade.refunded == trade.amount else STATES[trade.state]),
        }

    def second(self, act: str, form: dict[str, str]) -> Answer:
        if (
            form.get("pid") != self.merchant
            or abs(time.time() - int(form.get("timestamp", "0"))) > 300
            or not self.merchant_key.holds(signed_text(form), form.get("sign", ""))
        ):
            return say(code=-1, msg="签名校验失败")
        if act in ("submit", "create"):
            trade = self.begin(form, "v2")
            if act == "submit":
                return Answer(200, f"<html>{trade.number}</html>".encode())
            info = f"https://qr.example/{trade.reference}"
            return self.signed(trade_no=trade.reference, pay_type="qrcode", pay_info=info)
        if act == "refundquery":
            known = self.find_refund(form["out_refund_no"])
            if known is None:
                return say(code=-1, msg="退款记录不存在")
            return self.signed(**self.refunded(*known))
        trade = self.trades.get(form.get("out_trade_no", ""))
        if trade is None:
            return say(code=-1, msg="订单号不存在")
        if act == "query":
            return self.signed(**self.order(trade))
        if act == "close":
            if trade.state == "paid":
                return say(code=-1, msg="订单已支付")
            trade.state = "closed"
            return self.signed(msg="succ")
        if act == "refund":
            made = self.add_refund(trade, form["out_refund_no"], fen(form["money"]))
            if made is None:
                return say(code=-1, msg="退款金额超限")
            return self.signed(**self.refunded(trade, made))
        return say(code=-5, msg="act")

    def refunded(self, trade: Trade, refund: Refund) -> dict[str, Any]:
        return {
            "refund_no": refund.reference,
            "out_refund_no": refund.number,
            "trade_no": trade.transaction,
            "out_trade_no": trade.number,
            "money": yuan(refund.amount),
            "status": {"succeeded": 1, "failed": 0}.get(refund.state, 2),
            "endtime": china(refund.at),
        }

    def signed(self, **values: Any) -> Answer:
        """An answer as version 2 signs it: numbers as they are written, nothing of what is empty."""
        told = {"code": 0, "timestamp": str(int(time.time())), "sign_type": "RSA"} | values
        answer = say(**told)
        answer.headers["sign-it"] = "1"
        return answer

    def sign_answer(self, answer: Answer, *, stranger: bool) -> Answer:
        if answer.headers.pop("sign-it", ""):
            told = json.loads(answer.body)
            text = signed_text({key: str(value) for key, value in told.items() if value is not None})
            told["sign"] = (self.stranger if stranger else self.platform_key).sign(text)
            answer.body = json.dumps(told, ensure_ascii=False).encode()
        return answer

    def notice(self, trade: Trade, refund: Refund | None, twist: Twist) -> Notice:
        values = {
            "pid": twist.merchant or self.merchant,
            "trade_no": twist.transaction or trade.transaction,
            "out_trade_no": twist.number or trade.number,
            "type": trade.more.get("type", "alipay"),
            "name": trade.subject,
            "money": yuan(trade.amount if twist.amount is None else twist.amount),
            "trade_status": twist.state or ("TRADE_SUCCESS" if trade.state == "paid" else "WAIT"),
            "param": "",
        }
        if trade.flow == "v2":
            values |= {
                "timestamp": str(int(time.time() - twist.age)),
                "addtime": china(trade.created_at),
                "endtime": china(trade.paid_at),
            }
            key = self.stranger if twist.signature == "stranger" else self.platform_key
            signature, kind = key.sign(signed_text(values)), "RSA"
        else:
            secret = "somebody else's key" if twist.signature == "stranger" else self.key
            signature, kind = hashlib.md5((signed_text(values) + secret).encode()).hexdigest(), "MD5"
        if twist.signature == "bad":
            signature = alter(signature)
        if twist.signature != "none":
            values |= {"sign": signature, "sign_type": kind}
        return Notice("GET", f"{trade.notify_url}?{urlencode(values)}", {}, "")

    def took(self, status: int, body: str) -> bool:
        return body == "success"

    def refused(self) -> Answer:
        return Answer(429, b"")


def say(**values: Any) -> Answer:
    return Answer(200, json.dumps(values, ensure_ascii=False).encode(), {"content-type": "text/html"})
