"""Simulators of gateways, and a shop that takes their notifications."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from kameng_gateways.calling import LOOPBACK
from kameng_settlement.gateway_contract import (
    Gateway,
    MerchantAccount,
    Notification,
    NotificationRefused,
    NotificationRequest,
)

from .cases import CASES, Case, Simulated


@pytest.fixture(autouse=True)
def loopback(monkeypatch: pytest.MonkeyPatch) -> None:
    """Gateways may be on this machine."""
    monkeypatch.setenv(LOOPBACK, "1")


@pytest.fixture(scope="session")
def simulators(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[str], Simulated]]:
    """Simulators by name, each started when it is first asked for."""
    running: dict[str, Simulated] = {}
    folder: Path = tmp_path_factory.mktemp("simulators")

    def get(name: str) -> Simulated:
        if name not in running:
            running[name] = Simulated(name, folder)
        return running[name]

    yield get
    for each in running.values():
        each.stop()


@pytest.fixture(params=CASES, ids=lambda case: case.name)
def case(request: pytest.FixtureRequest) -> Case:
    """Each gateway."""
    return request.param


@pytest.fixture
def simulated(case: Case, simulators: Callable[[str], Simulated]) -> Iterator[Simulated]:
    """The gateway's simulator, well-behaved again after the test."""
    found = simulators(case.simulator)
    yield found
    reset(found)


def reset(simulated: Simulated) -> None:
    """Let it behave."""
    refunds = (
        "succeeded" if simulated.control("account")["merchant"].startswith(("acct", "1001")) else "accepted"
    )
    simulated.control("misbehave", errors=0)
    simulated.control("policy", refunds=refunds, balance="", bills="", search_lags=False, page=100)


class Listener:
    """A shop's endpoint: reads what comes, keeps it, and answers as the gateway wants it."""

    def __init__(self) -> None:
        listener = self
        self.gateway: Gateway | None = None
        self.account: MerchantAccount | None = None
        self.broken = 0
        self.requests: list[NotificationRequest] = []
        self.told: list[Notification | NotificationRefused] = []

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def reply(self) -> None:
                body = self.rfile.read(int(self.headers.get("content-length") or 0))
                answer = listener.take(
                    NotificationRequest(
                        method=self.command,
                        headers={key.lower(): value for key, value in self.headers.items()},
                        query=urlsplit(self.path).query.encode(),
                        body=body,
                        received_at=datetime.now(UTC),
                    )
                )
                self.send_response(answer.status)
                if answer.status != 204:
                    self.send_header("content-length", str(len(answer.body)))
                self.end_headers()
                self.wfile.write(answer.body)

            def do_GET(self) -> None:
                self.reply()

            def do_POST(self) -> None:
                self.reply()

            def log_message(self, *_arguments: object) -> None:
                return

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}/notify"
        self.thread = threading.Thread(target=self.server.serve_forever, daemon=True)
        self.thread.start()

    def take(self, request: NotificationRequest) -> Any:
        assert self.gateway is not None
        assert self.account is not None
        self.requests.append(request)
        if self.broken:
            self.broken -= 1
            return self.gateway.notification_answer(False)
        try:
            self.told.append(self.gateway.read_notification(self.account, request))
        except NotificationRefused as error:
            self.told.append(error)
            return self.gateway.notification_answer(False)
        return self.gateway.notification_answer(True)

    def stop(self) -> None:
        self.server.shutdown()
        self.server.server_close()
        self.thread.join()


@pytest.fixture
def listener() -> Iterator[Listener]:
    """An endpoint for notifications."""
    made = Listener()
    yield made
    made.stop()
