"""What we sign others verify, and the other way round: the gateways' own packages as a second opinion, and their traps."""

from __future__ import annotations

import base64
import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qsl

import msgspec
import pytest
import stripe as stripe_package
from alipay import AliPay
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from hypothesis import given, settings
from hypothesis import strategies as st
from wechatpayv3.async_ import AsyncWeChatPay, WeChatPayType

from kameng_gateways.alipay.signing import answer_of, form_holds, signed_form
from kameng_gateways.keys import holds, private_key, sign
from kameng_gateways.reading import Unreadable
from kameng_gateways.stripe.settings import StripeSettings
from kameng_gateways.stripe.signing import verify
from kameng_settlement.gateway_contract import NotificationRefused

from .cases import CASES, Simulated, as_request, request

WECHAT, ALIPAY, STRIPE, _, _ = CASES
SECRET = "whsec_0123456789abcdef"


@settings(deadline=None, max_examples=50)
@given(body=st.text(max_size=300), shift=st.integers(-200, 200))
def test_stripes_own_package_agrees(body: str, shift: int) -> None:
    # Given what Stripe's package signs
    when = int(time.time()) + shift
    header = stripe_package.WebhookSignature.generate_signature_header(body, SECRET, when)
    # Then it holds here
    verify(StripeSettings(secret_key="", webhook_secret=SECRET), header, body.encode(), datetime.now(UTC))
    assert stripe_package.WebhookSignature.verify_header(body, header, SECRET, 300)


def test_a_time_in_the_future_is_taken_by_stripes_package_and_not_here() -> None:
    header = stripe_package.WebhookSignature.generate_signature_header(
        "{}", SECRET, int(time.time()) + 86_400
    )
    assert stripe_package.WebhookSignature.verify_header("{}", header, SECRET, 300)
    with pytest.raises(NotificationRefused) as refused:
        verify(StripeSettings(secret_key="", webhook_secret=SECRET), header, b"{}", datetime.now(UTC))
    assert refused.value.reason == "STALE"


async def test_wechat_pays_package_reads_what_the_simulator_sends_and_takes_what_is_stale(
    simulators: Callable[[str], Simulated],
) -> None:
    # Given the package's own client, of the same account
    simulated = simulators("wechat")
    account, wanted = WECHAT.account(simulated), request(WECHAT)
    await WECHAT.gateway.start(account, wanted)
    simulated.control("pay", number=wanted.number)
    [(key_id, key)] = account.settings.platform_keys.items()
    client = AsyncWeChatPay(
        wechatpay_type=WeChatPayType.NATIVE,
        mchid=account.merchant,
        private_key=account.settings.private_key,
        cert_serial_no=account.settings.certificate_serial,
        appid=account.settings.app_id,
        apiv3_key=account.settings.api_v3_key,
        public_key=key,
        public_key_id=key_id,
    )
    # Then it reads the simulator's notification as we do
    fresh = simulated.notice(wanted.number)
    read: Any = client.callback(as_request(fresh).headers, fresh["body"].encode())
    assert read["resource"]["out_trade_no"] == wanted.number
    assert WECHAT.gateway.read_notification(account, as_request(fresh)).number == wanted.number
    # and takes one of last year, which we do not
    stale = simulated.notice(wanted.number, age=365 * 86_400)
    read = client.callback(as_request(stale).headers, stale["body"].encode())
    assert read["resource"]["out_trade_no"] == wanted.number
    with pytest.raises(NotificationRefused) as refused:
        WECHAT.gateway.read_notification(account, as_request(stale))
    assert refused.value.reason == "STALE"


async def test_alipays_package_and_ours_verify_each_other(simulators: Callable[[str], Simulated]) -> None:
    # Given an account whose both sides have one key, so that each can be the other
    own = ALIPAY.account(simulators("alipay")).settings
    public = private_key(own.private_key).public_key()
    pem = public.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()
    both = msgspec.structs.replace(own, alipay_public_key=pem)
    # Then what we sign, the package verifies, and the other way round
    form = dict(
        parse_qsl(signed_form(both, {"a": "1 &=+中", "b": "", "sign_type": "RSA2"}), keep_blank_values=True)
    )
    package = AliPay(appid=own.app_id, app_private_key_string=own.private_key, alipay_public_key_string=pem)
    values = {key: value for key, value in form.items() if key not in ("sign", "sign_type")}
    assert (
        package.verify({**values, "sign_type": "RSA2"}, form["sign"]) is False
    )  # a request signs its kind along
    signature = package._sign("&".join(f"{key}={value}" for key, value in sorted(values.items())))
    assert form_holds(both, {**values, "sign": signature, "sign_type": "RSA2"})
    # and a kind of signature that is weaker, or not named, is not taken
    for kind in ("RSA", "MD5", ""):
        assert not form_holds(both, {**values, "sign": signature, "sign_type": kind})
    assert not form_holds(both, {**values, "sign": signature})


def test_what_an_answer_of_alipay_signs_is_found_whatever_its_texts_hold(
    simulators: Callable[[str], Simulated],
) -> None:
    own = ALIPAY.account(simulators("alipay")).settings
    key = private_key(own.private_key)
    pem = key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()
    both = msgspec.structs.replace(own, alipay_public_key=pem)
    for content in (
        '{"code":"10000"}',
        '{ "code" : "10000", "text":"a } b { \\" c" }',
        '{"code":"10000","url":"https:\\/\\/x"}',
        '{"code":"10000","more":{"x":[1,2,{"y":"}"}]}}',
    ):
        signature = sign(key, content.encode())
        for body in (
            f'{{"alipay_trade_query_response":{content},"sign":"{signature}"}}',
            f'{{"sign":"{signature}" , "alipay_trade_query_response" : {content}}}',
        ):
            found = answer_of(both, body, "alipay.trade.query")
            assert found is not None
            assert found[1] == content
        # A second member of the name, or one of another method, is not what was signed.
        with pytest.raises(Unreadable):
            answer_of(
                both,
                f'{{"alipay_trade_query_response":{content},"alipay_trade_query_response":{{}},"sign":"{signature}"}}',
                "alipay.trade.query",
            )
        with pytest.raises(Unreadable):
            answer_of(both, f'{{"error_response":{content},"sign":"{signature}"}}', "alipay.trade.query")
        altered = content.replace("10000", "10001")
        body = f'{{"alipay_trade_query_response":{altered},"sign":"{signature}"}}'
        assert answer_of(both, body, "alipay.trade.query") is None


def test_a_signature_is_base64_and_nothing_else(simulators: Callable[[str], Simulated]) -> None:
    key = private_key(ALIPAY.account(simulators("alipay")).settings.private_key)
    good = sign(key, b"x")
    public = key.public_key()
    assert holds(public, b"x", good)
    for wrong in ("", good[:-4], good + "!", " " + good, base64.b64encode(b"0" * 256).decode(), "é"):
        assert not holds(public, b"x", wrong)
