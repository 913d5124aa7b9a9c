"""What all simulators share: the server, the trades, the control interface, and how to misbehave.

A simulator is a process of its own that speaks a gateway's real wire format over loopback HTTP and signs with keys that it made
when it started. Nothing of Kameng is imported: whatever the simulator says or checks it works out by itself.

The control interface is JSON below ``/_control``:

- ``GET account``: what a merchant account has to be configured with.
- ``GET trades``, ``GET calls``: what is there, and which calls came.
- ``POST open``: a trade of ``number`` and ``amount`` that the shop never asked for, made ``at``.
- ``POST pay``: a payer pays ``number``; ``notify`` (an object, see `Twist`) tells the shop.
- ``POST fail``: ``number`` cannot be paid any more.
- ``POST settle``: the refund ``number`` ends as ``state`` ``succeeded`` or ``failed``; ``notify`` as above.
- ``POST notify``: tell of the payment or refund ``number`` as a `Twist` says, ``times`` times, after ``delay`` seconds, and again
  after each of ``retries`` seconds until the shop takes it. ``send: false`` only answers what would be sent.
- ``POST misbehave``: the next calls go wrong: ``{"errors": 2}``; see `Simulator.KINDS`.
- ``POST policy``: lasting behaviour, such as ``{"refunds": "succeeded"}``.
"""

from __future__ import annotations

import base64
import http.client
import json
import threading
import time
from abc import ABC, abstractmethod
from dataclasses import asdict, dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)

FEE_PER_10000 = 60
CHINA_SECONDS = 8 * 3600


class Key:
    """An RSA key made on the spot."""

    def __init__(self) -> None:
        self.own = rsa.generate_private_key(public_exponent=65537, key_size=2048)

    @property
    def private_pem(self) -> str:
        return self.own.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()

    @property
    def public_pem(self) -> str:
        return self.own.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()

    def sign(self, message: str) -> str:
        return base64.b64encode(self.own.sign(message.encode(), padding.PKCS1v15(), SHA256())).decode()

    def holds(self, message: str, signature: str) -> bool:
        try:
            self.own.public_key().verify(
                base64.b64decode(signature), message.encode(), padding.PKCS1v15(), SHA256()
            )
        except Exception:  # whatever is wrong with it, it is no signature
            return False
        return True


@dataclass
class Refund:
    """A refund; amounts in minor units."""

    number: str
    amount: int
    reference: str
    state: str = "accepted"  # accepted, succeeded, failed
    at: float = 0.0


@dataclass
class Trade:
    """A payment; amounts in minor units, times in seconds of Unix."""

    number: str
    amount: int
    currency: str
    subject: str
    flow: str
    reference: str
    notify_url: str = ""
    state: str = "open"  # open, paid, closed, failed
    transaction: str = ""
    created_at: float = field(default_factory=time.time)
    paid_at: float = 0.0
    expires_at: float = 0.0
    refunds: dict[str, Refund] = field(default_factory=dict)
    more: dict[str, Any] = field(default_factory=dict)

    @property
    def fee(self) -> int:
        return (self.amount * FEE_PER_10000 + 5000) // 10000

    @property
    def refunded(self) -> int:
        return sum(each.amount for each in self.refunds.values() if each.state == "succeeded")


@dataclass
class Twist:
    """How a notification differs from the truth; what is None is as it should be.

    Attributes:
        amount: minor units.
        age: seconds ago that it was signed.
        signature: ``good``, ``bad`` (one byte altered), ``none``, ``stranger`` (a key that the shop does not know).
        serial: what it says that it was signed with.
        state: the gateway's own word.
    """

    amount: int | None = None
    currency: str | None = None
    number: str | None = None
    transaction: str | None = None
    merchant: str | None = None
    app: str | None = None
    state: str | None = None
    serial: str | None = None
    event: str | None = None
    age: float = 0.0
    signature: str = "good"


@dataclass
class Request:
    """A call, taken apart."""

    method: str
    path: str
    target: str
    query: dict[str, str]
    headers: dict[str, str]
    body: bytes

    @property
    def form(self) -> dict[str, str]:
        return dict(parse_qsl(self.body.decode(), keep_blank_values=True))


@dataclass
class Answer:
    """What is answered; ``signed`` says whether it is one of those that the gateway signs."""

    status: int
    body: bytes = b""
    headers: dict[str, str] = field(default_factory=dict)
    signed: bool = True


@dataclass
class Notice:
    """A notification as it goes out."""

    method: str
    url: str
    headers: dict[str, str]
    body: str


class Simulator(ABC):
    """A gateway. Subclasses speak its wire format."""

    name: str
    KINDS = (
        "errors",
        "errors_after",
        "hang_up",
        "hang_up_after",
        "unsigned",
        "stranger",
        "garbage",
        "limited",
    )
    """How a call can go wrong: a status 500 before or after the work is done, a connection that is closed before or after
    it, an answer without a signature or with a stranger's, a page of a proxy, "too many calls"."""

    def __init__(self, port: int) -> None:
        self.port = port
        self.url = f"http://127.0.0.1:{port}"
        self.trades: dict[str, Trade] = {}
        self.calls: list[dict[str, str]] = []
        self.plan: dict[str, int] = {}
        self.policy: dict[str, Any] = {"refunds": "accepted"}
        self.stranger = Key()
        self.lock = threading.RLock()
        self.started = int(time.time())
        self.counter = 0

    # What a gateway is.

    @abstractmethod
    def account(self) -> dict[str, Any]:
        """The settings of a merchant account, and its merchant."""

    @abstractmethod
    def handle(self, request: Request) -> Answer:
        """A call of the shop, or of a payer's browser."""

    @abstractmethod
    def notice(self, trade: Trade, refund: Refund | None, twist: Twist) -> Notice:
        """What tells of a payment or a refund."""

    @abstractmethod
    def took(self, status: int, body: str) -> bool:
        """Whether the shop's answer means that it need not be told again."""

    def sign_answer(self, answer: Answer, *, stranger: bool) -> Answer:
        """The answer, signed where the gateway signs its answers."""
        return answer

    def refused(self) -> Answer:
        """What it says to calls that come too often."""
        return Answer(429, b"{}")

    # What they share.

    def next_number(self, prefix: str) -> str:
        self.counter += 1
        return f"{prefix}{self.started:010d}{self.counter:08d}"

    def find_refund(self, number: str) -> tuple[Trade, Refund] | None:
        for trade in self.trades.values():
            if number in trade.refunds:
                return trade, trade.refunds[number]
        return None

    def pay(self, trade: Trade, at: float | None = None) -> None:
        if trade.state == "open":
            trade.state, trade.paid_at = "paid", at or time.time()
            trade.transaction = trade.transaction or self.next_number("42000")

    def add_refund(self, trade: Trade, number: str, amount: int) -> Refund | None:
        """A refund; the one that is known, if it was sent before; None where it would be more than was paid."""
        if number in trade.refunds:
            return trade.refunds[number]
        promised = sum(each.amount for each in trade.refunds.values() if each.state != "failed")
        if trade.state != "paid" or amount <= 0 or promised + amount > trade.amount:
            return None
        refund = Refund(number, amount, self.next_number("50000"), self.policy["refunds"], time.time())
        trade.refunds[number] = refund
        return refund

    def answer(self, request: Request) -> Answer | None:
        """The answer to a call; None: the connection is closed."""
        if request.path.startswith("/_control/"):
            return self.control(request)
        with self.lock:
            self.calls.append({"method": request.method, "target": request.target})
            wrong = next((kind for kind in self.KINDS if self.plan.get(kind, 0) > 0), None)
            if wrong:
                self.plan[wrong] -= 1
            if wrong == "errors":
                return Answer(500, b"<html>Internal Server Error</html>")
            if wrong == "garbage":
                return Answer(404, b"<html>404 Not Found</html>")
            if wrong == "hang_up":
                return None
            if wrong == "limited":
                return self.sign_answer(self.refused(), stranger=False)
            answer = self.handle(request)
            if wrong == "errors_after":
                return Answer(500, b"<html>Internal Server Error</html>")
            if wrong == "hang_up_after":
                return None
            if wrong == "unsigned" or not answer.signed:
                return answer
            return self.sign_answer(answer, stranger=wrong == "stranger")

    def control(self, request: Request) -> Answer:
        """The control interface."""
        what = request.path.removeprefix("/_control/")
        wanted = json.loads(request.body or b"{}")
        with self.lock:
            if what == "account":
                found: Any = self.account()
            elif what == "trades":
                found = {number: asdict(trade) for number, trade in self.trades.items()}
            elif what == "calls":
                found = self.calls
            elif what == "misbehave":
                assert set(wanted) <= set(self.KINDS), wanted
                self.plan = {key: int(value) for key, value in wanted.items()}
                found = self.plan
            elif what == "policy":
                self.policy |= wanted
                found = self.policy
            elif what == "open":
                trade = Trade(
                    number=wanted["number"],
                    amount=wanted["amount"],
                    currency=wanted.get("currency", "CNY"),
                    subject=wanted.get("subject", "test"),
                    flow="test",
                    reference=self.next_number("ref"),
                    notify_url=wanted.get("notify_url", ""),
                    created_at=wanted.get("at", time.time()),
                )
                self.trades[trade.number] = trade
                found = asdict(trade)
            elif what == "pay":
                trade = self.trades[wanted["number"]]
                self.pay(trade, wanted.get("at"))
                found = {"trade": asdict(trade)}
            elif what == "fail":
                self.trades[wanted["number"]].state = wanted.get("state", "closed")
                found = {}
            elif what == "settle":
                known = self.find_refund(wanted["number"])
                assert known is not None, wanted
                known[1].state = wanted.get("state", "succeeded")
                known[1].at = wanted.get("at", known[1].at)
                found = {"refund": asdict(known[1])}
            elif what == "notify":
                found = {}
            else:
                return Answer(404, b"{}")
        notify = wanted if what == "notify" else wanted.get("notify")
        if notify is not None and what in ("notify", "pay", "settle"):
            found |= self.tell(wanted["number"], notify)
        return Answer(200, json.dumps(found).encode(), {"content-type": "application/json"})

    def tell(self, number: str, wanted: dict[str, Any]) -> dict[str, Any]:
        """Tell the shop of a payment or refund; what was sent and what the shop answered."""
        options = dict(wanted)
        options.pop("number", None)
        send, times = options.pop("send", True), options.pop("times", 1)
        delay, retries = options.pop("delay", 0.0), options.pop("retries", [])
        with self.lock:
            known = self.find_refund(number)
            trade, refund = known if known else (self.trades[number], None)
            twist = Twist(number=options.pop("as_number", None), **options)
            notice = self.notice(trade, refund, twist)
        answers: list[dict[str, Any]] = []
        if send and delay:
            threading.Timer(delay, self.deliver, (notice, times, retries, answers)).start()
        elif send:
            self.deliver(notice, times, retries, answers)
        return {"notice": asdict(notice), "answers": answers}

    def deliver(
        self, notice: Notice, times: int, retries: list[float], answers: list[dict[str, Any]]
    ) -> None:
        answers.extend(post(notice) for _ in range(times))
        for pause in retries:
            if self.took(answers[-1]["status"], answers[-1]["body"]):
                return
            time.sleep(pause)
            answers.append(post(notice))


def post(notice: Notice) -> dict[str, Any]:
    """Send a notification; the shop's answer, or status 0 where there was none."""
    parts = urlsplit(notice.url)
    connection = http.client.HTTPConnection(parts.hostname or "", parts.port or 80, timeout=60)
    target = parts.path + (f"?{parts.query}" if parts.query else "")
    try:
        connection.request(notice.method, target, notice.body.encode() or None, notice.headers)
        answer = connection.getresponse()
        return {"status": answer.status, "body": answer.read().decode()}
    except OSError as error:
        return {"status": 0, "body": str(error)}
    finally:
        connection.close()


def china(moment: float, shape: str = "%Y-%m-%d %H:%M:%S") -> str:
    """A time in China."""
    return time.strftime(shape, time.gmtime(moment + CHINA_SECONDS))


def china_day(moment: float) -> str:
    return china(moment, "%Y-%m-%d")


def yuan(fen: int) -> str:
    sign = "-" if fen < 0 else ""
    return f"{sign}{abs(fen) // 100}.{abs(fen) % 100:02d}"


def fen(text: str) -> int:
    whole, _, part = text.partition(".")
    return int(whole) * 100 + int((part + "00")[:2])


def alter(signature: str) -> str:
    """Another signature of the same length."""
    return ("B" if signature[0] != "B" else "C") + signature[1:]


def serve(make: type[Simulator], port: int = 0, port_file: str | None = None) -> None:
    """Run a simulator until the process ends."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def reply(self) -> None:
            parts = urlsplit(self.path)
            body = self.rfile.read(int(self.headers.get("content-length") or 0))
            request = Request(
                self.command,
                parts.path,
                self.path,
                dict(parse_qsl(parts.query, keep_blank_values=True)),
                {key.lower(): value for key, value in self.headers.items()},
                body,
            )
            answer = simulator.answer(request)
            if answer is None:
                self.connection.close()
                self.close_connection = True
                return
            self.send_response(answer.status)
            self.send_header("content-length", str(len(answer.body)))
            for key, value in answer.headers.items():
                self.send_header(key, value)
            self.end_headers()
            self.wfile.write(answer.body)

        def do_GET(self) -> None:
            self.reply()

        def do_POST(self) -> None:
            self.reply()

        def handle(self) -> None:
            try:
                super().handle()
            except (OSError, ValueError):
                self.close_connection = True

        def log_message(self, *_arguments: object) -> None:
            return

    server = ThreadingHTTPServer(("127.0.0.1", port), Handler)
    server.daemon_threads = True
    simulator = make(server.server_address[1])
    if port_file:
        beside = Path(port_file + ".new")
        beside.write_text(str(simulator.port))
        beside.rename(port_file)
    else:
        print(f"{simulator.name} at {simulator.url}; settings: {simulator.url}/_control/account", flush=True)
    server.serve_forever()
