"""The gateways, their simulators, and short words for what tests do with both."""

from __future__ import annotations

import itertools
import json
import subprocess
import sys
import time
import urllib.request
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlencode, urlsplit
from uuid import UUID

import msgspec
import pytest

from kameng.money import Money
from kameng_gateways import alipay, epay, stripe, wechat
from kameng_settlement.gateway_contract import (
    Flow,
    Gateway,
    MerchantAccount,
    NotificationRequest,
    PaymentRequest,
    RefundRequest,
    Started,
)

ROOT = Path(__file__).parents[2]
_numbers = itertools.count(1)


def new_number(prefix: str = "P") -> str:
    """A number of ours: 24 characters."""
    return f"{prefix}{time.time_ns() % 10**15:015d}{next(_numbers):08d}"


class Simulated:
    """A simulator in a process of its own."""

    def __init__(self, name: str, folder: Path) -> None:
        port_file = folder / f"{name}-{new_number()}.port"
        command = [sys.executable, "-m", "tests.gateways.simulators", name, "--port-file", str(port_file)]
        self.process = subprocess.Popen(command, cwd=ROOT)
        while not port_file.exists():
            assert self.process.poll() is None
            time.sleep(0.02)
        self.url = f"http://127.0.0.1:{port_file.read_text()}"

    def control(self, what: str, **values: Any) -> Any:
        """Ask the control interface."""
        body = json.dumps(values).encode() if values else None
        with urllib.request.urlopen(f"{self.url}/_control/{what}", body, timeout=120) as answer:
            return json.load(answer)

    def notice(self, number: str, **twist: Any) -> dict[str, Any]:
        """A notification that is not sent."""
        return self.control("notify", number=number, send=False, **twist)["notice"]

    def calls(self) -> list[str]:
        """What was called, in order, without the simulator's own."""
        return [f"{each['method']} {each['target'].partition('?')[0]}" for each in self.control("calls")]

    def stop(self) -> None:
        self.process.kill()
        self.process.wait()


@dataclass(frozen=True)
class Case:
    """A gateway and how to try it."""

    name: str
    gateway: Gateway
    simulator: str
    currency: str = "CNY"
    settings_key: str = "settings"
    flow: Flow = Flow.QR

    def account(
        self, simulated: Simulated, notify_url: str = "http://127.0.0.1:9/none", **settings: Any
    ) -> MerchantAccount:
        """The simulator's merchant account; ``settings`` change it."""
        told = simulated.control("account")
        merchant = settings.pop("merchant", told["merchant"])
        seconds = settings.pop("timeout_seconds", 60.0)
        return MerchantAccount(
            key=UUID(int=1),
            gateway=self.gateway.name,
            merchant=merchant,
            settings=msgspec.convert(told[self.settings_key] | settings, self.gateway.settings),
            notify_url=notify_url,
            timeout_seconds=seconds,
        )


CASES = (
    Case("wechat", wechat.gateway, "wechat"),
    Case("alipay", alipay.gateway, "alipay"),
    Case("stripe", stripe.gateway, "stripe", currency="USD", flow=Flow.REDIRECT),
    Case("epay", epay.gateway, "epay"),
    Case("epay_v2", epay.gateway_v2, "epay", settings_key="settings_v2"),
)


def of(*names: str) -> pytest.MarkDecorator:
    """Run a test for these gateways alone."""
    chosen = [case for case in CASES if case.name in names]
    assert len(chosen) == len(names)
    return pytest.mark.parametrize("case", chosen, ids=[case.name for case in chosen])


def request(case: Case, amount: int = 9850, **values: Any) -> PaymentRequest:
    """A payment that the gateway can take."""
    wanted = {
        "number": new_number(),
        "amount": Money(amount, case.currency),
        "subject": "点卡 100 元",
        "flow": case.flow,
        "expires_at": datetime.now(UTC) + timedelta(minutes=15),
        "return_url": "https://shop.example/back",
        "client_ip": "203.0.113.7",
    }
    return PaymentRequest(**(wanted | values))


def refund_of(
    paid: PaymentRequest, transaction: str, amount: int | None = None, number: str = ""
) -> RefundRequest:
    """A refund of a payment."""
    return RefundRequest(
        number=number or new_number("R"),
        payment_number=paid.number,
        transaction=transaction,
        amount=Money(paid.amount.minor if amount is None else amount, paid.amount.currency),
        paid=paid.amount,
        reason="out of stock",
    )


def visit(started: Started, simulated: Simulated) -> None:
    """What a browser does with a redirect, where it leads to the simulator."""
    url = started.redirect_url
    if url and url.startswith(simulated.url):
        body = urlencode(started.form).encode() if started.form else None
        urllib.request.urlopen(url, body, timeout=120).read()


def as_request(notice: dict[str, Any], received_at: datetime | None = None) -> NotificationRequest:
    """A notification as the shop's server hands it over."""
    return NotificationRequest(
        method=notice["method"],
        headers={key.lower(): value for key, value in notice["headers"].items()},
        query=urlsplit(notice["url"]).query.encode(),
        body=notice["body"].encode(),
        received_at=received_at or datetime.now(UTC),
    )
