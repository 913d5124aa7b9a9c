"""The draft protocol "Kameng docking", by which one shop orders at another: JSON over HTTPS, signed both ways.

It is the example for authors of protocols, and what the tests speak. All amounts are decimal texts.

- ``POST /v1/orders`` with ``reference``, ``sku``, ``quantity``, ``answers``, ``at_most``, ``callback_url``. A reference that was
  sent before is answered with its order, and never makes a second one.
- ``GET /v1/orders/{reference}``: the order, or status 404.
- ``GET /v1/products``, ``GET /v1/balance``.
- An order is ``{"reference", "state", "number", "codes", "cost", "reason"}``; the state is one of ``accepted``, ``delivered`` and
  ``rejected``. A callback is an order, sent to its ``callback_url``.

What is signed is HMAC-SHA-256 with the account's secret over lines of text: the direction (``request``, ``answer`` or
``callback``), then for a request its method and target, for an answer its status and the request's nonce, then the time in
seconds, the nonce, and the SHA-256 of the body in hex. An answer that is not signed says nothing: a page of a proxy that
reads "404 not found" must not make an order that was taken look as if it never was.
"""

from __future__ import annotations

import hmac
import os
import time
from collections.abc import Mapping, Sequence
from hashlib import sha256
from typing import Annotated, Any, Final
from urllib.parse import quote, urlsplit

import msgspec

from kameng.errors import InvalidInput
from kameng.money import Money, UnitPrice
from kameng_fulfilment.supplier_contract import (
    Accepted,
    AskAnswer,
    CallbackRefused,
    Delivered,
    HttpAnswer,
    NeverReceived,
    NotSent,
    OrderAnswer,
    Rejected,
    SupplierHttp,
    SupplierNews,
    SupplierProduct,
    SupplierProtocol,
    SupplierRequest,
    Unknown,
)

TOLERANCE: Final = 300
"""Seconds by which the clocks of two shops may differ."""


class DockingSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Settings of an account.

    Attributes:
        url: where the supplier's interface begins, such as ``https://shop.example/docking``.
        key: names the account there.
        secret: signs.
    """

    url: Annotated[str, msgspec.Meta(min_length=8, max_length=500)]
    key: Annotated[str, msgspec.Meta(pattern="^[A-Za-z0-9_-]{1,64}$")]
    secret: Annotated[str, msgspec.Meta(min_length=16, max_length=200)]


class _Amount(msgspec.Struct, frozen=True):
    amount: str
    currency: str


class _Order(msgspec.Struct, frozen=True):
    reference: str
    state: str
    number: str = ""
    codes: tuple[str, ...] | None = None
    cost: _Amount | None = None
    reason: str = ""


class _Product(msgspec.Struct, frozen=True):
    sku: str
    title: str = ""
    cost: _Amount | None = None
    stock: int | None = None


class _Products(msgspec.Struct, frozen=True):
    products: tuple[_Product, ...]


class _Balance(msgspec.Struct, frozen=True):
    balances: tuple[_Amount, ...]


def signature(secret: str, *lines: str) -> str:
    """The signature over lines of text, in hex."""
    return hmac.digest(secret.encode(), "\n".join(lines).encode(), "sha256").hex()


class DockingSupplier:
    """`kameng_fulfilment.contract.Supplier` over this protocol.

    Args:
        settings: of the account.
        http: makes the calls.
    """

    def __init__(self, settings: DockingSettings, http: SupplierHttp) -> None:
        self._settings = settings
        self._http = http

    async def order(self, request: SupplierRequest) -> OrderAnswer:
        """See the contract."""
        content = {
            "reference": request.reference,
            "sku": request.sku,
            "quantity": request.quantity,
            "answers": dict(request.answers),
            "at_most": {"amount": str(request.at_most.amount), "currency": request.at_most.currency},
            "callback_url": request.callback_url,
        }
        answer = await self._call("POST", "/v1/orders", msgspec.json.encode(content))
        if answer is None:
            return Unknown(note="the answer is not signed")
        if answer.status in (429, 503):
            # Said by the shop itself, before it looked at the order.
            return NotSent(reason=f"the supplier is busy ({answer.status})", retry_after=_retry_after(answer))
        return _outcome(answer, request.reference)

    async def ask(self, reference: str, number: str | None) -> AskAnswer:
        """See the contract."""
        answer = await self._call("GET", f"/v1/orders/{quote(reference, safe='')}")
        if answer is None:
            return Unknown(note="the answer is not signed")
        return NeverReceived() if answer.status == 404 else _outcome(answer, reference)

    async def products(self) -> Sequence[SupplierProduct]:
        """See the contract."""
        content = await self._read("/v1/products", _Products)
        return [
            SupplierProduct(
                sku=each.sku,
                title=each.title,
                cost=UnitPrice.parse(each.cost.amount, each.cost.currency) if each.cost else None,
                stock=each.stock,
            )
            for each in content.products
        ]

    async def balance(self) -> Sequence[Money]:
        """See the contract."""
        content = await self._read("/v1/balance", _Balance)
        return [Money.parse(each.amount, each.currency) for each in content.balances]

    async def read_news(self, headers: Mapping[str, str], body: bytes) -> SupplierNews:
        """See the contract."""
        when, nonce = headers.get("kameng-timestamp", ""), headers.get("kameng-nonce", "")
        wanted = signature(self._settings.secret, "callback", when, nonce, sha256(body).hexdigest())
        if not hmac.compare_digest(wanted, headers.get("kameng-signature", "")):
            raise CallbackRefused("The signature is wrong.", cure="Sign with the account's secret.")
        if not when.isascii() or not when.isdigit() or abs(time.time() - int(when)) > TOLERANCE:
            raise CallbackRefused(
                "It was signed too long ago.", cure="Set the clock, and sign each try anew."
            )
        try:
            order = msgspec.json.decode(body, type=_Order)
        except msgspec.DecodeError as error:
            raise CallbackRefused("This is no order.", cure="See the protocol.") from error
        return SupplierNews(reference=order.reference, outcome=_of_order(order))

    async def _read(self, path: str, shape: type[Any]) -> Any:
        answer = await self._call("GET", path)
        if answer is None or answer.status != 200:
            said = "without a signature" if answer is None else f"{answer.status}"
            raise InvalidInput(
                f"The supplier answered {said}.", cure="Check the account's address and secret."
            )
        try:
            return msgspec.json.decode(answer.body, type=shape)
        except msgspec.DecodeError as error:
            raise InvalidInput(
                "The supplier's answer cannot be read.", cure="Ask the supplier which protocol it speaks."
            ) from error

    async def _call(self, method: str, path: str, body: bytes = b"") -> HttpAnswer | None:
        """A signed call; None where the answer is not signed, and so says nothing."""
        url = self._settings.url.rstrip("/") + path
        when, nonce = str(int(time.time())), os.urandom(16).hex()
        signed = signature(
            self._settings.secret,
            "request",
            method,
            urlsplit(url).path,
            when,
            nonce,
            sha256(body).hexdigest(),
        )
        headers = {
            "content-type": "application/json",
            "kameng-key": self._settings.key,
            "kameng-timestamp": when,
            "kameng-nonce": nonce,
            "kameng-signature": signed,
        }
        answer = await self._http.request(method, url, headers=headers, body=body)
        wanted = signature(
            self._settings.secret,
            "answer",
            str(answer.status),
            nonce,
            answer.headers.get("kameng-timestamp", ""),
            sha256(answer.body).hexdigest(),
        )
        is_signed = hmac.compare_digest(wanted, answer.headers.get("kameng-signature", ""))
        return answer if is_signed else None


def _outcome(answer: HttpAnswer, reference: str) -> Accepted | Delivered | Rejected | Unknown:
    if answer.status >= 500:
        return Unknown(note=f"the supplier answered {answer.status}")
    try:
        order = msgspec.json.decode(answer.body, type=_Order)
    except msgspec.DecodeError:
        return Unknown(note=f"the supplier answered {answer.status}, and no order", answered=True)
    if order.reference != reference:
        return Unknown(note="the supplier answered about another order", answered=True)
    return _of_order(order)


def _of_order(order: _Order) -> Accepted | Delivered | Rejected | Unknown:
    charged = None
    if order.cost is not None:
        try:
            charged = Money.parse(order.cost.amount, order.cost.currency)
        except InvalidInput:
            return Unknown(note="the cost cannot be read", answered=True)
    match order.state:
        case "accepted":
            return Accepted(number=order.number, charged=charged, note=order.reason)
        case "delivered":
            return Delivered(texts=order.codes or (), number=order.number, charged=charged, note=order.reason)
        case "rejected":
            return Rejected(reason=order.reason)
        case _:
            return Unknown(note=f"the state is {order.state[:40]}", answered=True)


def _retry_after(answer: HttpAnswer) -> float | None:
    text = answer.headers.get("retry-after", "")
    return float(text[:6]) if text.isascii() and text.isdigit() else None


protocol = SupplierProtocol(
    name="kameng-docking",
    title_en="Kameng docking (draft)",
    title_zh="Kameng 对接（草案）",
    settings=DockingSettings,
    secrets=frozenset({"secret"}),
    connect=DockingSupplier,
)
