"""What is peculiar to one gateway: what it is sent, its ways to pay, its units."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qs, parse_qsl, urlsplit
from uuid import UUID

import msgspec
import pytest
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_pem_private_key
from hypothesis import given
from hypothesis import strategies as st

from kameng.money import Money
from kameng_gateways import calling
from kameng_gateways.amounts import decimal_text, read_decimal, read_minor
from kameng_gateways.epay.settings import EpaySettings
from kameng_gateways.epay.v1 import signature
from kameng_gateways.epay.wire import name_of_goods
from kameng_gateways.stripe.amounts import read_units, units
from kameng_settlement.gateway_contract import (
    Flow,
    GatewayMisconfigured,
    GatewayNotReached,
    GatewayRefused,
    GatewayUnanswered,
    MerchantAccount,
    PaymentStatus,
)

from .cases import CASES, Case, Simulated, new_number, refund_of, request, visit

WECHAT, ALIPAY, STRIPE, EPAY, EPAY_V2 = CASES


async def test_wechat_pay_native_h5_and_jsapi(simulators: Callable[[str], Simulated]) -> None:
    simulated = simulators("wechat")
    account = WECHAT.account(simulated)
    # A QR code
    started = await WECHAT.gateway.start(account, request(WECHAT))
    assert (started.qr or "").startswith("weixin://wxpay/bizpayurl?pr=")
    # A mobile browser, which comes back
    started = await WECHAT.gateway.start(account, request(WECHAT, flow=Flow.REDIRECT))
    query = parse_qs(urlsplit(started.redirect_url or "").query)
    assert query["redirect_url"] == ["https://shop.example/back"]
    with pytest.raises(GatewayRefused) as refused:
        await WECHAT.gateway.start(account, request(WECHAT, flow=Flow.REDIRECT, client_ip=""))
    assert refused.value.reason == "CLIENT_IP"
    # Within WeChat, signed for the app
    wanted = request(WECHAT, flow=Flow.IN_APP, payer_reference="oUpF8uMuAJO")
    started = await WECHAT.gateway.start(account, wanted)
    params = started.params
    assert params["appId"] == account.settings.app_id
    assert params["package"] == f"prepay_id={started.gateway_reference}"
    message = f"{params['appId']}\n{params['timeStamp']}\n{params['nonceStr']}\n{params['package']}\n"
    key = load_pem_private_key(account.settings.private_key.encode(), None).public_key()
    key.verify(base64.b64decode(params["paySign"]), message.encode(), PKCS1v15(), SHA256())  # type: ignore[union-attr, call-arg] # an RSA key
    with pytest.raises(GatewayRefused) as refused:
        await WECHAT.gateway.start(account, request(WECHAT, flow=Flow.IN_APP))
    assert refused.value.reason == "OPENID"


async def test_wechat_pay_tells_the_whole_amount_of_a_payment_with_vouchers(
    simulators: Callable[[str], Simulated],
) -> None:
    # The simulator lets a voucher pay a fen of each payment: `payer_total` is 9849.
    simulated = simulators("wechat")
    account, wanted = WECHAT.account(simulated), request(WECHAT)
    await WECHAT.gateway.start(account, wanted)
    simulated.control("pay", number=wanted.number)
    assert (await WECHAT.gateway.query(account, wanted.number)).amount == Money(9850, "CNY")


async def test_a_payment_that_was_refunded_is_still_one_that_was_paid(
    simulators: Callable[[str], Simulated],
) -> None:
    for case in CASES:
        simulated = simulators(case.simulator)
        account, wanted = case.account(simulated), request(case)
        await case.gateway.start(account, wanted)
        paid = simulated.control("pay", number=wanted.number)["trade"]
        simulated.control("policy", refunds="succeeded")
        await case.gateway.refund(account, refund_of(wanted, paid["transaction"]))
        found = await case.gateway.query(account, wanted.number)
        assert (found.status, found.amount) == (PaymentStatus.PAID, wanted.amount), case.name
        simulated.control("policy", refunds="succeeded" if case.currency == "USD" else "accepted")


async def test_wechat_pay_without_its_certificates_serial_is_not_believed(
    simulators: Callable[[str], Simulated],
) -> None:
    simulated = simulators("wechat")
    account = WECHAT.account(simulated, certificate_serial="00")
    with pytest.raises(GatewayRefused) as refused:
        await WECHAT.gateway.query(account, new_number())
    assert refused.value.reason == "SIGN_ERROR"


async def test_alipay_page_and_wap_are_signed_addresses(simulators: Callable[[str], Simulated]) -> None:
    simulated = simulators("alipay")
    account = ALIPAY.account(simulated, "http://127.0.0.1:9/told")
    for method, product in (("", "FAST_INSTANT_TRADE_PAY"), ("wap", "QUICK_WAP_WAY")):
        wanted = request(ALIPAY, amount=1, flow=Flow.REDIRECT, method=method)
        before = len(simulated.calls())
        started = await ALIPAY.gateway.start(account, wanted)
        assert len(simulated.calls()) == before  # nobody was called
        fields = dict(parse_qsl(urlsplit(started.redirect_url or "").query))
        content = json.loads(fields["biz_content"])
        assert (content["total_amount"], content["product_code"]) == ("0.01", product)
        assert fields["notify_url"] == "http://127.0.0.1:9/told"
        # Before the payer opens it Alipay knows nothing; afterwards it does.
        assert (await ALIPAY.gateway.query(account, wanted.number)).status is PaymentStatus.UNKNOWN
        visit(started, simulated)
        assert (await ALIPAY.gateway.query(account, wanted.number)).status is PaymentStatus.PENDING


async def test_stripe_finds_a_payment_that_its_search_does_not_know_yet(
    simulators: Callable[[str], Simulated],
) -> None:
    simulated = simulators("stripe")
    account, wanted = STRIPE.account(simulated), request(STRIPE)
    await STRIPE.gateway.start(account, wanted)
    paid = simulated.control("pay", number=wanted.number)["trade"]
    simulated.control("policy", search_lags=True, page=3)
    found = await STRIPE.gateway.query(account, wanted.number)
    simulated.control("policy", search_lags=False, page=100)
    assert (found.status, found.transaction) == (PaymentStatus.PAID, paid["transaction"])
    assert found.fee == Money(59, "USD")


async def test_stripes_session_lives_half_an_hour_at_least(simulators: Callable[[str], Simulated]) -> None:
    account = STRIPE.account(simulators("stripe"))
    wanted = request(STRIPE, expires_at=datetime.now(UTC) + timedelta(minutes=5))
    started = await STRIPE.gateway.start(account, wanted)
    assert started.expires_at is not None
    assert started.expires_at > datetime.now(UTC) + timedelta(minutes=30)
    # and one that is asked for again, when the clock went on, is the same
    again = await STRIPE.gateway.start(
        account, msgspec.structs.replace(wanted, expires_at=datetime.now(UTC) + timedelta(minutes=50))
    )
    assert (again.redirect_url, again.gateway_reference) == (started.redirect_url, started.gateway_reference)


async def test_a_wrong_key_of_stripe_is_told_as_one(simulators: Callable[[str], Simulated]) -> None:
    account = STRIPE.account(simulators("stripe"), secret_key="sk_test_wrong")
    with pytest.raises(GatewayMisconfigured):
        await STRIPE.gateway.query(account, new_number())


@pytest.mark.parametrize(
    ("amount", "currency", "expected"),
    [
        (9850, "USD", 9850),
        (500, "JPY", 500),
        (500, "KRW", 500),
        (1230, "KWD", 1230),
        (50, "ISK", 5000),
        (50, "UGX", 5000),
        (1050, "HUF", 1050),
    ],
)
def test_stripes_units(amount: int, currency: str, expected: int) -> None:
    money = Money(amount, currency)
    assert units(money) == expected
    assert read_units(expected, currency.lower()) == money


def test_stripe_refuses_parts_that_it_does_not_take() -> None:
    with pytest.raises(GatewayRefused):
        units(Money(1231, "KWD"))
    assert read_units(5050, "isk") is None
    assert read_units(1.5, "usd") is None
    assert read_units(True, "usd") is None


async def test_epay_posts_a_signed_form_and_asks_for_a_page(simulators: Callable[[str], Simulated]) -> None:
    simulated = simulators("epay")
    for case in (EPAY, EPAY_V2):
        account = case.account(simulated)
        # A redirect is a form for the browser
        wanted = request(case, flow=Flow.REDIRECT, method="wxpay", subject="点卡 & 'x'=1")
        started = await case.gateway.start(account, wanted)
        assert started.form["type"] == "wxpay"
        assert "&" not in started.form["name"]
        assert account.settings.url not in started.form.values()
        visit(started, simulated)
        assert (await case.gateway.query(account, wanted.number)).status is PaymentStatus.PENDING
    # An epay that has no QR code sends the payer to a page of its own
    simulated.control("policy", mapi="page")
    started = await EPAY.gateway.start(EPAY.account(simulated), request(EPAY))
    simulated.control("policy", mapi="")
    assert started.flow is Flow.REDIRECT
    assert (started.redirect_url or "").startswith(f"{simulated.url}/pay/")
    with pytest.raises(GatewayRefused) as refused:
        await EPAY.gateway.start(EPAY.account(simulated), request(EPAY, method="cash"))
    assert refused.value.reason == "METHOD"


def test_epays_signature_is_the_documented_one() -> None:
    values = {"pid": "1001", "money": "1.00", "name": "test", "param": "", "sign_type": "MD5", "sign": "x"}
    wanted = hashlib.md5(b"money=1.00&name=test&pid=1001K" + b"0" * 15).hexdigest()
    assert signature(EpaySettings(url="https://a.example", key="K" + "0" * 15), values) == wanted
    prefixed = EpaySettings(url="https://a.example", key="K" + "0" * 15, key_prefix="&key=")
    wanted = hashlib.md5(b"money=1.00&name=test&pid=1001&key=K" + b"0" * 15).hexdigest()
    assert signature(prefixed, values) == wanted


@given(st.text(max_size=200))
def test_a_name_of_goods_separates_nothing_and_is_not_cut_by_servers(subject: str) -> None:
    name = name_of_goods(subject)
    assert name
    assert not set(name) & set("&=")
    assert len(name.encode()) <= 127


@given(st.integers(0, 10**12))
def test_amounts_go_over_and_come_back_exactly(minor: int) -> None:
    money = Money(minor, "CNY")
    assert read_decimal(decimal_text(money)) == money
    assert read_minor(minor) == money


@pytest.mark.parametrize(
    "text",
    ["1e3", "+1.00", " 1.00", "1.005", "-1.00", "1,000.00", "١.٠٠", "NaN", "1_0", "", None, 1, 1.0, ".5"],
)
def test_amounts_that_gateways_do_not_write_are_none(text: object) -> None:
    assert read_decimal(text) is None


@pytest.mark.parametrize("value", ["100", 1.0, True, None, -1, 2**60])
def test_fen_are_integers(value: object) -> None:
    assert read_minor(value) is None


@pytest.mark.parametrize(
    "url",
    [
        "http://pay.example",
        "https://10.0.0.1",
        "https://169.254.169.254",
        "https://127.0.0.1",
        "file:///etc/passwd",
        "https://user:word@pay.example",
    ],
)
async def test_gateways_are_called_at_public_addresses_only(
    simulators: Callable[[str], Simulated], monkeypatch: pytest.MonkeyPatch, url: str
) -> None:
    account = EPAY.account(simulators("epay"), url=url)
    monkeypatch.delenv(calling.LOOPBACK)
    with pytest.raises(GatewayMisconfigured):
        EPAY.gateway.check(account)
    with pytest.raises(GatewayNotReached):
        await EPAY.gateway.query(account, new_number())


async def test_redirects_are_not_followed() -> None:
    # Given a server that sends everybody elsewhere
    async def elsewhere(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 302 Found\r\nlocation: http://127.0.0.1:9/\r\ncontent-length: 0\r\n\r\n")
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(elsewhere, "127.0.0.1", 0)
    url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    account = MerchantAccount(
        key=UUID(int=1),
        gateway="epay",
        merchant="1001",
        settings=EpaySettings(url=url, key="0" * 16),
        notify_url="",
        timeout_seconds=60,
    )
    with pytest.raises(GatewayUnanswered, match="302"):
        await EPAY.gateway.query(account, new_number())
    server.close()
    await server.wait_closed()


def test_settings_that_can_work_pass(case: Case, simulated: Simulated) -> None:
    case.gateway.check(case.account(simulated))


@pytest.mark.parametrize(
    ("case", "changed"),
    [
        (WECHAT, {"private_key": "no key"}),
        (WECHAT, {"api_v3_key": "short"}),
        (WECHAT, {"platform_keys": {}}),
        (WECHAT, {"platform_keys": {"1F": "no key"}}),
        (ALIPAY, {"private_key": ""}),
        (ALIPAY, {"alipay_public_key": "AAAA"}),
        (STRIPE, {"webhook_secret": ""}),
        (STRIPE, {"live": True}),
        (EPAY, {"key": ""}),
        (EPAY_V2, {"platform_key": ""}),
    ],
)
def test_settings_that_cannot_work_are_refused_when_they_are_saved(
    simulators: Callable[[str], Simulated], case: Case, changed: dict[str, object]
) -> None:
    with pytest.raises(GatewayMisconfigured):
        case.gateway.check(case.account(simulators(case.simulator), **changed))


def test_our_own_public_key_is_not_taken_for_the_gateways(simulators: Callable[[str], Simulated]) -> None:
    for case, name in ((ALIPAY, "alipay_public_key"), (EPAY_V2, "platform_key")):
        account = case.account(simulators(case.simulator))
        own = load_pem_private_key(account.settings.private_key.encode(), None).public_key()
        pem = own.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()
        with pytest.raises(GatewayMisconfigured):
            case.gateway.check(case.account(simulators(case.simulator), **{name: pem}))


def test_keys_may_be_bare(simulators: Callable[[str], Simulated]) -> None:
    # As the back offices show them: one line of base64.
    account = ALIPAY.account(simulators("alipay"))

    def bare(pem: str) -> str:
        return "".join(line for line in pem.splitlines() if "---" not in line)

    told = account.settings
    changed = {"private_key": bare(told.private_key), "alipay_public_key": bare(told.alipay_public_key)}
    ALIPAY.gateway.check(ALIPAY.account(simulators("alipay"), **changed))
