"""A supplier in a process of its own that speaks Kameng docking and misbehaves. The SKU says how.

It writes each order that it takes money for as a line of JSON into the file that it is given, and its port into the one
beside it. What it signs it computes by itself: nothing of the shop is imported.
"""

from __future__ import annotations

import hashlib
import hmac
import http.client
import json
import os
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import urlsplit

SECRET = "a secret of sixteen and more"
orders: dict[str, dict] = {}
asked: dict[str, int] = {}
lock = threading.Lock()


def sign(*lines: str) -> str:
    return hmac.new(SECRET.encode(), "\n".join(lines).encode(), hashlib.sha256).hexdigest()


class Supplier(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    log = Path()
    mark = ""

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["content-length"]))
        if not self.is_signed(body):
            self.answer(401, {})
            return
        wanted = json.loads(body)
        note("called", reference=wanted["reference"], sku=wanted["sku"])
        mode = wanted["sku"].split("-")[0]
        if mode == "never":  # hangs up without having taken notice
            self.hang_up()
            return
        if mode == "busy":
            self.answer(429, {"reference": wanted["reference"], "state": "rejected"}, {"retry-after": "1"})
            return
        if mode == "errorbefore":
            self.answer(500, {})
            return
        if mode == "reject":
            self.answer(
                200, {"reference": wanted["reference"], "state": "rejected", "reason": "out of stock"}
            )
            return
        order = self.take(wanted, mode)
        if mode == "slow":
            time.sleep(0.3)
        if mode == "timeout":  # has taken the order, and answers when nobody listens any more
            time.sleep(4)
        if mode == "error":
            self.answer(500, {})
            return
        if mode == "hangup":
            self.hang_up()
            return
        if mode == "unsigned":
            self.answer(200, order, signed=False)
            return
        if mode in ("early", "twice", "badsign"):
            done = {**order, "state": "delivered"}
            if mode == "early":  # its callback is there before its answer
                tell(wanted["callback_url"], done)
            elif mode == "badsign":
                threading.Timer(0.1, tell, (wanted["callback_url"], done), {"secret": "x" * 20}).start()
            else:
                for pause in (0.1, 0.1, 0.15):
                    threading.Timer(pause, tell, (wanted["callback_url"], done)).start()
            self.answer(200, {**order, "state": "accepted", "codes": None})
            return
        if mode in ("accept", "partial", "whole"):
            self.answer(200, shown(order, mode))
            return
        self.answer(200, order)

    def take(self, wanted: dict, mode: str) -> dict:
        """Take money for an order, once for each reference."""
        with lock:
            known = orders.get(wanted["reference"])
            if known is None:
                codes = [f"{self.mark}{wanted['reference'][-6:]}-{n}" for n in range(wanted["quantity"])]
                known = {
                    "reference": wanted["reference"],
                    "state": "delivered",
                    "number": f"N{len(orders) + 1}",
                    "codes": [] if mode == "message" else codes,
                    "cost": {"nocost": None, "zero": {"amount": "0.00", "currency": "CNY"}}.get(
                        mode, wanted["at_most"]
                    ),
                }
                orders[wanted["reference"]] = {**known, "mode": mode}
                note("paid", reference=wanted["reference"], sku=wanted["sku"], answers=wanted["answers"])
        return known

    def do_GET(self) -> None:
        path = urlsplit(self.path).path
        if not self.is_signed(b""):
            self.answer(401, {})
        elif path.startswith("/v1/orders/"):
            reference = path.rsplit("/", 1)[-1]
            with lock:
                order = orders.get(reference)
                asked[reference] = asked.get(reference, 0) + 1
            note("asked", reference=reference)
            if order is None:
                self.answer(404, {"code": "not_found"})
            else:
                mode = order["mode"]
                told = {key: value for key, value in order.items() if key != "mode"}
                if mode in ("partial", "whole", "accept") and (mode == "partial" or asked[reference] < 2):
                    told = shown(told, mode)
                if mode in ("early", "twice", "badsign", "lazy"):
                    told = {**told, "state": "accepted", "codes": None}
                self.answer(200, told)
        elif path == "/v1/products":
            price = {"amount": "3.5000", "currency": "CNY"}
            self.answer(
                200,
                {
                    "products": [
                        {"sku": "ok-1", "title": "Ten", "cost": price, "stock": 7},
                        {"sku": "ok-2", "title": "No cost"},
                    ]
                },
            )
        elif path == "/v1/balance":
            self.answer(200, {"balances": [{"amount": "88.00", "currency": "CNY"}]})
        else:
            self.answer(404, {})

    def is_signed(self, body: bytes) -> bool:
        get = self.headers.get
        wanted = sign(
            "request",
            self.command,
            urlsplit(self.path).path,
            get("kameng-timestamp", ""),
            get("kameng-nonce", ""),
            hashlib.sha256(body).hexdigest(),
        )
        return hmac.compare_digest(wanted, get("kameng-signature", ""))

    def answer(self, status: int, content: dict, headers: dict | None = None, *, signed: bool = True) -> None:
        body, when = json.dumps(content).encode(), str(int(time.time()))
        nonce = self.headers.get("kameng-nonce", "")
        self.send_response(status)
        self.send_header("content-length", str(len(body)))
        if signed:
            self.send_header("kameng-timestamp", when)
            digest = hashlib.sha256(body).hexdigest()
            self.send_header("kameng-signature", sign("answer", str(status), nonce, when, digest))
        for key, value in (headers or {}).items():
            self.send_header(key, value)
        self.end_headers()
        self.wfile.write(body)

    def hang_up(self) -> None:
        self.connection.close()
        self.close_connection = True

    def handle(self) -> None:
        try:
            super().handle()
        except (OSError, ValueError):
            self.close_connection = True

    def log_message(self, *_arguments: object) -> None:
        return


def shown(order: dict, mode: str) -> dict:
    if mode == "accept":
        return {**order, "state": "accepted", "codes": None}
    return {**order, "codes": order["codes"][:-1]}


def note(event: str, **values: object) -> None:
    with Supplier.log.open("a") as file:
        file.write(json.dumps({"event": event, **values}) + "\n")


def signed_callback(order: dict, secret: str = SECRET, age: int = 0) -> tuple[dict[str, str], bytes]:
    """Headers and body of a callback that was signed so many seconds ago."""
    body, when, nonce = json.dumps(order).encode(), str(int(time.time()) - age), os.urandom(8).hex()
    lines = "\n".join(("callback", when, nonce, hashlib.sha256(body).hexdigest()))
    mac = hmac.new(secret.encode(), lines.encode(), hashlib.sha256).hexdigest()
    return {"kameng-timestamp": when, "kameng-nonce": nonce, "kameng-signature": mac}, body


def tell(url: str, order: dict, secret: str = SECRET) -> None:
    """Send a callback; the status goes into the log."""
    headers, body = signed_callback(order, secret)
    parts = urlsplit(url)
    connection = http.client.HTTPConnection(parts.hostname or "", parts.port or 80, timeout=10)
    try:
        connection.request("POST", parts.path, body, headers)
        note("told", reference=order["reference"], status=connection.getresponse().status)
    except OSError as error:
        note("told", reference=order["reference"], status=0, error=str(error))
    finally:
        connection.close()


def main(log: Path, mark: str) -> None:
    Supplier.log, Supplier.mark = log, mark
    server = ThreadingHTTPServer(("127.0.0.1", 0), Supplier)
    server.daemon_threads = True
    beside = log.with_suffix(".port")
    beside.with_suffix(".new").write_text(str(server.server_address[1]))
    beside.with_suffix(".new").rename(beside)
    server.serve_forever()


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2] if len(sys.argv) > 2 else "code-")
