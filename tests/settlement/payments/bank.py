"""A payment gateway as a process of its own, for tests: it keeps payments and refunds, and says what it is told to say.

    python bank.py PORT

``/control`` sets how it misbehaves: ``{"delay": seconds, "status": 500, "path": "/pay"}``.
"""

import json
import sys
import threading
import time
from collections import Counter
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

PAYMENTS: dict[str, dict[str, Any]] = {}
REFUNDS: dict[str, dict[str, Any]] = {}
CALLS: Counter[str] = Counter()
FAULTS: dict[str, dict[str, Any]] = {}
LOCK = threading.Lock()


def pay(value: dict[str, Any]) -> dict[str, Any]:
    """Begin a payment; the same number again gives the same one."""
    return PAYMENTS.setdefault(value["number"], {**value, "status": "pending"})


def paid(value: dict[str, Any]) -> dict[str, Any]:
    """The payer pays."""
    payment = PAYMENTS[value["number"]]
    payment |= {"status": "paid", "transaction": value.get("transaction") or f"T{value['number']}"}
    return payment


def query(value: dict[str, Any]) -> dict[str, Any]:
    """What is known of a payment."""
    return PAYMENTS.get(value["number"], {"number": value["number"], "status": "unknown"})


def close(value: dict[str, Any]) -> dict[str, Any]:
    """Make a payment unpayable, if it is not paid."""
    payment = query(value)
    if payment["status"] == "pending":
        payment["status"] = "closed"
    return payment


def refund(value: dict[str, Any]) -> dict[str, Any]:
    """Give money back, once for each number."""
    if value["number"] not in REFUNDS:
        fate = FAULTS.get("refunds", {}).get("fate", "succeeded")
        REFUNDS[value["number"]] = {**value, "status": fate, "reference": f"F{len(REFUNDS) + 1}"}
    return REFUNDS[value["number"]]


def query_refund(value: dict[str, Any]) -> dict[str, Any]:
    """What is known of a refund."""
    return REFUNDS.get(value["number"], {"number": value["number"], "status": "unknown"})


def control(value: dict[str, Any]) -> dict[str, Any]:
    """Misbehave on a path, or no more."""
    FAULTS[value.pop("path")] = value
    return {}


def seen(_value: dict[str, Any]) -> dict[str, Any]:
    """What came in so far."""
    return {"calls": CALLS, "payments": PAYMENTS, "refunds": REFUNDS}


CALLED = {
    f"/{call.__name__}": call for call in (pay, paid, query, close, refund, query_refund, control, seen)
}


class Handler(BaseHTTPRequestHandler):
    """One request."""

    def do_POST(self) -> None:
        length = int(self.headers.get("content-length", 0))
        value = json.loads(self.rfile.read(length) or b"{}")
        fault = FAULTS.get(self.path, {})
        with LOCK:
            CALLS[self.path] += 1
            unheard = fault.get("status") and not fault.get("done")
            answer = {} if unheard else CALLED[self.path](value)
            body = json.dumps(answer).encode()
        if fault.get("delay"):
            time.sleep(fault["delay"])
        self.send_response(fault.get("status", 200))
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_values: object) -> None:
        """Nothing on the console."""


if __name__ == "__main__":
    ThreadingHTTPServer(("127.0.0.1", int(sys.argv[1])), Handler).serve_forever()
