"""The gateway beside a server on this machine that computes its signatures by itself."""

from __future__ import annotations

import hashlib
import json
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from importlib.metadata import entry_points
from typing import Any
from uuid import UUID

import pytest

from kameng.money import Money
from kameng_gateway_epusdt.gateway import EpusdtSettings
from kameng_settlement.gateway_contract import (
    Flow,
    Gateway,
    GatewayMisconfigured,
    GatewayRefused,
    GatewayUnsupported,
    MerchantAccount,
    NotificationRefused,
    NotificationRequest,
    PaymentRequest,
    PaymentStatus,
)

TOKEN = "a token of sixteen and more"
NUMBER = "P00000000000000000000001"


def signed(raw: str, token: str = TOKEN) -> bytes:
    """A JSON object with its signature, over the texts that stand in it."""
    values = json.loads(raw, parse_float=str, parse_int=str)
    text = "&".join(f"{key}={values[key]}" for key in sorted(values) if values[key] != "")
    mac = hashlib.md5((text + token).encode()).hexdigest()
    return f'{raw[:-1]}, "signature": "{mac}"}}'.encode()


@pytest.fixture
def gateway() -> Gateway:
    """As settlement finds it."""
    [point] = entry_points(group="kameng.gateways", name="epusdt")
    found: Gateway = point.load()
    return found


class Server(ThreadingHTTPServer):
    """An epusdt server: keeps what it was asked for."""

    asked: list[dict[str, Any]]


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    """A server that runs."""
    monkeypatch.setenv("KAMENG_GATEWAYS_LOOPBACK", "1")

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            raw = self.rfile.read(int(self.headers["content-length"])).decode()
            asked = json.loads(raw, parse_float=str, parse_int=str)
            made.asked.append(asked)
            given = asked.pop("signature")
            text = "&".join(f"{key}={asked[key]}" for key in sorted(asked))
            good = given == hashlib.md5((text + TOKEN).encode()).hexdigest()
            data = {"trade_id": "T1", "order_id": asked["order_id"], "payment_url": "https://usdt.example/T1"}
            answer = {"status_code": 200, "data": data} if good else {"status_code": 400}
            body = json.dumps(answer).encode()
            self.send_response(200)
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_arguments: object) -> None:
            return

    made = Server(("127.0.0.1", 0), Handler)
    made.asked = []
    thread = threading.Thread(target=made.serve_forever, daemon=True)
    thread.start()
    yield made
    made.shutdown()
    made.server_close()
    thread.join()


def account(port: int = 443, token: str = TOKEN) -> MerchantAccount:
    return MerchantAccount(
        key=UUID(int=1),
        gateway="epusdt",
        merchant="own",
        settings=EpusdtSettings(url=f"http://127.0.0.1:{port}", token=token),
        notify_url="https://shop.example/payments/notify/epusdt/1",
        timeout_seconds=60,
    )


def payment(minor: int, flow: Flow = Flow.REDIRECT, currency: str = "CNY") -> PaymentRequest:
    return PaymentRequest(
        number=NUMBER,
        amount=Money(minor, currency),
        subject="点卡",
        flow=flow,
        expires_at=datetime.now(UTC) + timedelta(minutes=15),
    )


def told(body: bytes) -> NotificationRequest:
    return NotificationRequest(method="POST", headers={}, query=b"", body=body, received_at=datetime.now(UTC))


@pytest.mark.parametrize(("minor", "written"), [(9850, "98.5"), (9800, "98"), (1, "0.01"), (10000, "100")])
async def test_a_payment_is_begun_with_the_amount_as_it_is_signed(
    gateway: Gateway, server: Server, minor: int, written: str
) -> None:
    started = await gateway.start(account(server.server_port), payment(minor))
    assert (started.redirect_url, started.gateway_reference) == ("https://usdt.example/T1", "T1")
    assert server.asked[0]["amount"] == written


async def test_a_wrong_token_is_refused_by_the_server(gateway: Gateway, server: Server) -> None:
    with pytest.raises(GatewayRefused):
        await gateway.start(account(server.server_port, "another token of sixteen"), payment(100))


async def test_what_it_cannot_do_it_says(gateway: Gateway, server: Server) -> None:
    for wrong in (payment(100, flow=Flow.QR), payment(100, currency="USD")):
        with pytest.raises(GatewayRefused):
            await gateway.start(account(server.server_port), wrong)
    assert not gateway.capabilities.query
    with pytest.raises(GatewayUnsupported):
        await gateway.query(account(), NUMBER)


@pytest.mark.parametrize("written", ["98.5", "98.50"])
def test_a_notification_is_verified_over_the_text_of_its_numbers(gateway: Gateway, written: str) -> None:
    raw = f'{{"trade_id": "T1", "order_id": "{NUMBER}", "amount": {written}, "actual_amount": 13.7519, "status": 2}}'
    said = gateway.read_notification(account(), told(signed(raw)))
    assert (said.number, said.status) == (NUMBER, PaymentStatus.PAID)
    assert said.amount == Money(9850, "CNY")


@pytest.mark.parametrize("state", ["1", "3", "4", "20", '"2 "'])
def test_no_other_state_is_paid(gateway: Gateway, state: str) -> None:
    raw = f'{{"trade_id": "T1", "order_id": "{NUMBER}", "amount": 98.5, "status": {state}}}'
    said = gateway.read_notification(account(), told(signed(raw)))
    assert said.status is not PaymentStatus.PAID


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (signed('{"order_id": "1", "status": 2}', "another token of sixteen"), "SIGNATURE"),
        (signed('{"order_id": "1", "status": 1}').replace(b'"status": 1', b'"status": 2'), "SIGNATURE"),
        (b'{"order_id": "1", "status": 2}', "SIGNATURE"),
        (signed('{"order_id": "1&status=2", "status": 1}'), "MALFORMED"),
        (b'{"order_id": ["1"], "status": 2}', "MALFORMED"),
        (b"", "MALFORMED"),
    ],
)
def test_what_is_not_signed_is_refused(gateway: Gateway, body: bytes, reason: str) -> None:
    with pytest.raises(NotificationRefused) as refused:
        gateway.read_notification(account(), told(body))
    assert refused.value.reason == reason


def test_an_empty_token_verifies_nothing(gateway: Gateway) -> None:
    with pytest.raises(NotificationRefused) as refused:
        gateway.read_notification(account(token=""), told(signed('{"order_id": "1", "status": 2}', "")))
    assert refused.value.reason == "SECRET"
    with pytest.raises(GatewayMisconfigured):
        gateway.check(account(token=""))


def test_the_server_hears_what_it_waits_for(gateway: Gateway) -> None:
    assert gateway.notification_answer(True).body == b"ok"
    assert gateway.notification_answer(False).status == 500
