"""What is not from the gateway, not for this account, not now, or not as it was signed, is refused; and only paid is paid."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qsl, urlencode

import msgspec
import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, load_pem_public_key
from cryptography.x509.oid import NameOID
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from kameng_settlement.gateway_contract import (
    GatewayMisconfigured,
    NotificationRefused,
    NotificationRequest,
    Observation,
    PaymentStatus,
)

from .cases import CASES, Case, Simulated, as_request, new_number, of, request, visit


async def a_notice(case: Case, simulated: Simulated, **twist: Any):
    """An account, and a notification of a payment that was paid there."""
    account = case.account(simulated)
    wanted = request(case)
    visit(await case.gateway.start(account, wanted), simulated)
    simulated.control("pay", number=wanted.number)
    return account, wanted, simulated.notice(wanted.number, **twist)


def reason(case: Case, account: Any, notice: NotificationRequest) -> str:
    with pytest.raises(NotificationRefused) as refused:
        case.gateway.read_notification(account, notice)
    return refused.value.reason


async def test_a_genuine_one_is_read(case: Case, simulated: Simulated) -> None:
    account, wanted, notice = await a_notice(case, simulated)
    told = case.gateway.read_notification(account, as_request(notice))
    assert isinstance(told, Observation)
    assert (told.number, told.status, told.amount) == (wanted.number, PaymentStatus.PAID, wanted.amount)


@pytest.mark.parametrize("signature", ["bad", "none", "stranger"])
async def test_a_wrong_signature_is_refused(case: Case, simulated: Simulated, signature: str) -> None:
    account, _, notice = await a_notice(case, simulated, signature=signature)
    assert reason(case, account, as_request(notice)) == "SIGNATURE"


@of("wechat")
async def test_an_unknown_serial_is_refused_and_nobody_is_asked(case: Case, simulated: Simulated) -> None:
    account, _, _ = await a_notice(case, simulated)
    number = new_number()
    simulated.control("open", number=number, amount=1)
    simulated.control("pay", number=number)
    calls = simulated.calls()
    for serial in ("PUB_KEY_ID_0000000000000000000000000000000000", "ABCDEF", "zz", "0x1F"):
        notice = simulated.notice(number, serial=serial, signature="stranger")
        assert reason(case, account, as_request(notice)) == "SERIAL"
    assert simulated.calls() == calls


@of("wechat", "stripe", "epay_v2")
@pytest.mark.parametrize("age", [-3600, -301, 301, 3600, 86400 * 400])
async def test_a_stale_one_is_refused_although_it_is_signed(
    case: Case, simulated: Simulated, age: int
) -> None:
    now = datetime.now(UTC)
    account, _, notice = await a_notice(case, simulated, age=age)
    assert reason(case, account, as_request(notice, now)) == "STALE"


@pytest.mark.parametrize("age", [-280, 0, 280])
async def test_clocks_may_differ_by_five_minutes(case: Case, simulated: Simulated, age: int) -> None:
    # As the one of the shop sees it: the notice is as old as the difference.
    account, wanted, notice = await a_notice(case, simulated)
    received = datetime.now(UTC) + timedelta(seconds=age)
    assert case.gateway.read_notification(account, as_request(notice, received)).number == wanted.number


@of("wechat", "stripe", "epay_v2")
async def test_a_genuine_one_is_refused_later(case: Case, simulated: Simulated) -> None:
    account, _, notice = await a_notice(case, simulated)
    assert reason(case, account, as_request(notice, datetime.now(UTC) + timedelta(hours=1))) == "STALE"


async def test_one_for_another_merchant_is_refused(case: Case, simulated: Simulated) -> None:
    # Given one that the gateway signed for another merchant
    others = {"stripe": "acct_1Other"}.get(case.name, "2088000000000000")
    account, _, notice = await a_notice(case, simulated, merchant=others)
    assert reason(case, account, as_request(notice)) == "MERCHANT"
    # and ours, where the account is another merchant's with the same secrets
    if case.name != "stripe":
        _, _, notice = await a_notice(case, simulated)
        other = case.account(simulated, merchant="1900000999")
        assert reason(case, other, as_request(notice)) == "MERCHANT"


@of("wechat", "alipay", "stripe")
async def test_one_for_another_app_or_mode_is_refused(case: Case, simulated: Simulated) -> None:
    account, _, notice = await a_notice(case, simulated, app="live" if case.name == "stripe" else "wx0000")
    assert reason(case, account, as_request(notice)) == ("MERCHANT" if case.name == "stripe" else "APP")


async def test_another_gateways_is_refused(case: Case, simulated: Simulated, simulators: Any) -> None:
    # Given genuine notifications of all other gateways
    account = case.account(simulated)
    for other in CASES:
        if other.name == case.name:
            continue
        _, _, notice = await a_notice(other, simulators(other.simulator))
        assert reason(case, account, as_request(notice)) in ("SIGNATURE", "STALE", "MALFORMED", "SERIAL")


async def test_an_empty_secret_verifies_nothing(case: Case, simulated: Simulated) -> None:
    # Given an account whose secrets were emptied, and what an attacker signs with an empty one
    emptied = {
        "wechat": {"api_v3_key": ""},
        "alipay": {"alipay_public_key": ""},
        "stripe": {"webhook_secret": ""},
        "epay": {"key": ""},
        "epay_v2": {"platform_key": ""},
    }[case.name]
    _, _, notice = await a_notice(case, simulated)
    account = case.account(simulated, **emptied)
    assert reason(case, account, as_request(notice)) == "SECRET"
    with pytest.raises(Exception, match=r".") as raised:
        case.gateway.check(account)
    assert getattr(raised.value, "code", "") == "GATEWAY_MISCONFIGURED"
    # and one that does not say who we are binds nothing
    nobody = case.account(simulated, merchant="")
    assert reason(case, nobody, as_request(notice)) == "SECRET" or case.name.startswith("epay")


def certificate(public_pem: str, serial: int, days: int) -> str:
    """A certificate of a key, valid for so many days from ten days ago."""
    issuer = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Tenpay.com sign")])
    begin = datetime.now(UTC) - timedelta(days=10)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(load_pem_public_key(public_pem.encode()))  # type: ignore[arg-type]  # an RSA key
        .serial_number(serial)
        .not_valid_before(begin)
        .not_valid_after(begin + timedelta(days=days))
        .sign(issuer, SHA256())
    )
    return made.public_bytes(Encoding.PEM).decode()


async def test_wechat_pay_may_sign_with_a_certificate_while_it_is_valid(
    simulators: Callable[[str], Simulated],
) -> None:
    # Given a merchant of the old kind, who knows WeChat Pay by a certificate, and in the other case
    case, simulated = CASES[0], simulators("wechat")
    serial = "5157F09EFDC096DE15EBE81A47057A7232F1B8E1"
    [key] = simulated.control("account")["settings"]["platform_keys"].values()
    _, wanted, _ = await a_notice(case, simulated)
    notice = as_request(simulated.notice(wanted.number, serial=serial.lower()))
    valid = case.account(simulated, platform_keys={serial: certificate(key, int(serial, 16), 20)})
    case.gateway.check(valid)
    assert case.gateway.read_notification(valid, notice).number == wanted.number
    # When it has run out, then nothing is verified with it
    over = case.account(simulated, platform_keys={serial: certificate(key, int(serial, 16), 9)})
    assert reason(case, over, notice) == "SECRET"
    with pytest.raises(GatewayMisconfigured):
        case.gateway.check(over)


async def test_no_keys_of_wechat_pay_verify_nothing(simulators: Callable[[str], Simulated]) -> None:
    case = CASES[0]
    _, _, notice = await a_notice(case, simulators("wechat"))
    account = case.account(simulators("wechat"), platform_keys={})
    assert reason(case, account, as_request(notice)) == "SECRET"


UNPAID = {
    "wechat": ["NOTPAY", "USERPAYING", "CLOSED", "PAYERROR", "REVOKED", "ACCEPT", "success", "PAID", ""],
    "alipay": ["WAIT_BUYER_PAY", "trade_success", "TRADE_SUCCESS ", "PAID", "TRADE_PENDING"],
    "stripe": ["unpaid", "no_payment_required", "PAID", "processing", "succeeded"],
    "epay": ["TRADE_FINISHED", "trade_success", "1", "SUCCESS", "WAIT"],
    "epay_v2": ["TRADE_FINISHED", "trade_success", "1", "SUCCESS", "WAIT"],
}


async def test_no_other_word_than_paid_is_paid(case: Case, simulated: Simulated) -> None:
    account, wanted, _ = await a_notice(case, simulated)
    for state in UNPAID[case.name]:
        notice = as_request(simulated.notice(wanted.number, state=state or "-"))
        told = case.gateway.read_notification(account, notice)
        assert told.status is not PaymentStatus.PAID, state


async def test_altered_amounts_and_numbers_are_told_as_they_are(case: Case, simulated: Simulated) -> None:
    # A gateway that says another amount, or the number of another payment, is not corrected: settlement compares.
    account, wanted, _ = await a_notice(case, simulated)
    told = case.gateway.read_notification(account, as_request(simulated.notice(wanted.number, amount=1)))
    assert told.amount is not None
    assert told.amount.minor == 1
    other = new_number()
    told = case.gateway.read_notification(
        account, as_request(simulated.notice(wanted.number, as_number=other))
    )
    assert told.number == other


@pytest.mark.parametrize("body", [b"", b"{}", b"[]", b"null", b"\xff\xfe", b"a=1&a=2", b"{" * 5000, b"=" * 9])
async def test_rubbish_is_refused(case: Case, simulated: Simulated, body: bytes) -> None:
    account = case.account(simulated)
    for method in ("GET", "POST"):
        for headers in ({}, {"wechatpay-signature-type": "WECHATPAY2-SHA256-RSA2048"}):
            notice = NotificationRequest(
                method=method, headers=headers, query=body, body=body, received_at=datetime.now(UTC)
            )
            assert reason(case, account, notice) in NotificationRefused.REASONS


@pytest.fixture(scope="module")
def genuine(simulators: Callable[[str], Simulated]) -> dict[str, Any]:
    """For each gateway an account and a genuine notification, made once."""
    return {}


async def the_genuine(genuine: dict[str, Any], case: Case, simulated: Simulated):
    if case.name not in genuine:
        account, wanted, notice = await a_notice(case, simulated)
        genuine[case.name] = (account, wanted, as_request(notice))
    return genuine[case.name]


def parts_of(notice: NotificationRequest) -> list[tuple[str, str]]:
    """Everything in a notification that can be altered: headers of signatures, fields of forms, places in bodies."""
    found = [("header", name) for name in notice.headers if "wechatpay" in name or "stripe" in name]
    raw = notice.query or notice.body
    if not raw.startswith(b"{"):
        return found + [("field", name) for name, _ in parse_qsl(raw.decode(), keep_blank_values=True)]
    return [*found, ("body", "")]


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
async def test_nothing_can_be_altered(
    case: Case, simulated: Simulated, genuine: dict[str, Any], data: st.DataObject
) -> None:
    # Given a genuine notification
    account, wanted, notice = await the_genuine(genuine, case, simulated)
    raw = notice.query or notice.body
    kind, name = data.draw(st.sampled_from(parts_of(notice)))
    # When one part of it is altered
    if kind == "header":
        value = notice.headers[name]
        altered = data.draw(
            st.one_of(st.just(""), st.text("0123456789abcdefXYZ=,+/_", max_size=80), st.just(value[:-1]))
        )
        changed = msgspec.structs.replace(notice, headers={**notice.headers, name: altered})
        same = altered == value or (name == "stripe-signature" and altered in value and "v1=" in altered)
    elif kind == "body":
        at = data.draw(st.integers(0, len(raw) - 1))
        byte = data.draw(st.integers(0, 255))
        changed = msgspec.structs.replace(notice, body=raw[:at] + bytes([byte]) + raw[at + 1 :])
        same = changed.body == raw
    else:
        fields = dict(parse_qsl(raw.decode(), keep_blank_values=True))
        act = data.draw(st.sampled_from(["set", "drop", "add"]))
        if act == "set":
            fields[name] = data.draw(
                st.text(st.characters(codec="utf-8", exclude_categories=["Cs"]), max_size=20)
            )
        elif act == "drop":
            del fields[name]
        else:
            fields["extra"] = data.draw(st.text("abc", min_size=1, max_size=5))
        key = "query" if notice.query else "body"
        changed = msgspec.structs.replace(notice, **{key: urlencode(fields).encode()})
        # Epay signs no empty fields, and a kind of signature that is not there at all is MD5.
        before = {
            k: v for k, v in parse_qsl(raw.decode(), keep_blank_values=True) if v or case.name == "alipay"
        }
        after = {k: v for k, v in fields.items() if v or case.name == "alipay"}
        if case.name == "epay":
            before["sign_type"] = "MD5"
            after["sign_type"] = fields.get("sign_type", "MD5").upper()
        same = before == after
    # Then it is refused, unless nothing that means anything changed
    try:
        told = case.gateway.read_notification(account, changed)
    except NotificationRefused:
        assert not same
    else:
        assert same
        assert (told.number, told.amount) == (wanted.number, wanted.amount)


async def test_fields_cannot_be_moved_within_the_signed_text(simulators: Callable[[str], Simulated]) -> None:
    # Given an epay notification, whose signed text has no escaping: name=A and money=1.00 are also one field name
    case = CASES[3]
    account, _, notice = await a_notice(case, simulators("epay"))
    fields = dict(parse_qsl(notice["url"].partition("?")[2], keep_blank_values=True))
    joined = dict(fields)
    joined["money"] = f"{joined['money']}&name={joined.pop('name')}"
    query = urlencode(joined).encode()
    moved = msgspec.structs.replace(as_request(notice), query=query)
    # Then the other reading of the same signed text is refused
    assert reason(case, account, moved) == "MALFORMED"


async def test_a_field_that_stands_there_twice_is_refused(simulators: Callable[[str], Simulated]) -> None:
    for case in (CASES[1], CASES[3], CASES[4]):
        account, _, notice = await a_notice(case, simulators(case.simulator))
        genuine = as_request(notice)
        if genuine.query:
            doubled = msgspec.structs.replace(genuine, query=genuine.query + b"&money=0.01")
        else:
            doubled = msgspec.structs.replace(genuine, body=genuine.body + b"&total_amount=0.01")
        assert reason(case, account, doubled) == "MALFORMED"


async def test_events_about_something_else_are_refused(simulators: Callable[[str], Simulated]) -> None:
    wechat, stripe = CASES[0], CASES[2]
    account, _, notice = await a_notice(wechat, simulators("wechat"), event="COUPON.USE")
    assert reason(wechat, account, as_request(notice)) == "UNSUPPORTED"
    account, _, notice = await a_notice(stripe, simulators("stripe"), event="customer.created")
    assert reason(stripe, account, as_request(notice)) == "UNSUPPORTED"
    # An event that claims to be of another kind than its object is, is about neither.
    account, wanted, notice = await a_notice(stripe, simulators("stripe"), event="payment_intent.succeeded")
    told = stripe.gateway.read_notification(account, as_request(notice))
    assert (told.number, told.status, told.amount) == (wanted.number, PaymentStatus.PAID, wanted.amount)
    account, _, notice = await a_notice(stripe, simulators("stripe"), event="refund.updated")
    assert reason(stripe, account, as_request(notice)) == "UNSUPPORTED"


async def test_a_secret_of_stripe_is_rolled(simulators: Callable[[str], Simulated]) -> None:
    case = CASES[2]
    simulated = simulators("stripe")
    _, wanted, notice = await a_notice(case, simulated)
    old = simulated.control("account")["settings"]["webhook_secret"]
    rolled = case.account(simulated, webhook_secret="whsec_the_new_one_0000", old_webhook_secret=old)
    assert case.gateway.read_notification(rolled, as_request(notice)).number == wanted.number
    done = case.account(simulated, webhook_secret="whsec_the_new_one_0000")
    assert reason(case, done, as_request(notice)) == "SIGNATURE"


async def test_a_notification_is_read_without_a_word_to_anybody(case: Case, simulated: Simulated) -> None:
    account, _, notice = await a_notice(case, simulated)
    before = simulated.calls()
    case.gateway.read_notification(account, as_request(notice))
    assert simulated.calls() == before


async def test_what_is_refused_tells_no_value(case: Case, simulated: Simulated) -> None:
    account, wanted, notice = await a_notice(case, simulated, signature="bad")
    with pytest.raises(NotificationRefused) as refused:
        case.gateway.read_notification(account, as_request(notice))
    told = json.dumps([refused.value.message, refused.value.cure])
    assert wanted.number not in told
