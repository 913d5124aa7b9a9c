"""Paying from one's own wallet, and transfers that two persons confirm."""

from __future__ import annotations

import asyncio
from tempfile import TemporaryFile

import pytest

from kameng.auth import Principal, PrincipalKind
from kameng.errors import InvalidInput, Refusal
from kameng.graphql.uploads import UploadedFile
from kameng.ids import new_id
from kameng.money import Money
from kameng_settlement.contract import InsufficientFunds
from kameng_settlement.gateway_contract import Flow
from kameng_settlement.payments.accounts import StoredAccount
from kameng_settlement.payments.errors import ConfirmationDiffers, NoWayToPay, PaymentOver, SamePerson
from kameng_settlement.payments.manual import add_proof, confirm_transfer, open_proof, reject_transfer
from kameng_settlement.payments.outcomes import Observed
from kameng_settlement.payments.records import StoredPayment

from .conftest import Till


async def wallet_account(till: Till) -> StoredAccount:
    return await till.account("own", gateway="balance", merchant="shop", settings={})


async def transfers(till: Till) -> StoredAccount:
    return await till.account(
        "icbc", gateway="manual", merchant="6222", settings={"instructions": "ICBC 6222 0000, Kameng Ltd"}
    )


def clerk() -> Principal:
    return Principal(kind=PrincipalKind.STAFF, id=new_id(), permissions=frozenset({"*"}))


async def test_paid_from_the_wallet_the_money_is_set_aside_until_it_is_taken_in(till: Till) -> None:
    await wallet_account(till)
    payer = await till.books.rich(1500)
    payment = await till.open(1000, payer)
    await till.start(payment, "balance", Flow.BALANCE)
    assert ((await till.now(payment)).state, await till.wallet(payment)) == ("PAID", 500)
    assert await till.account_sum("clearing:balance:own") == -1000
    assert await till.events("settlement.payment_succeeded") == 1
    assert (await till.books.verified()).ok


async def test_an_empty_wallet_pays_nothing_and_twenty_at_once_pay_once(till: Till) -> None:
    await wallet_account(till)
    payer = await till.books.rich(1500)
    dear = await till.open(1501, payer)
    with pytest.raises(InsufficientFunds):
        await till.start(dear, "balance", Flow.BALANCE)
    assert ((await till.now(dear)).state, await till.wallet(dear)) == ("CREATED", 1500)
    payment = await till.open(500, payer)
    answers = await asyncio.gather(
        *(till.start(payment, "balance", Flow.BALANCE) for _ in range(20)), return_exceptions=True
    )
    assert sum(isinstance(answer, PaymentOver) for answer in answers) == 19
    assert await till.wallet(payment) == 1000


async def test_a_wallet_is_not_filled_from_itself(till: Till) -> None:
    await wallet_account(till)
    payment = await till.open(500, await till.books.rich(1500), purpose="top_up")
    with pytest.raises(NoWayToPay):
        await till.start(payment, "balance", Flow.BALANCE)


async def confirm(till: Till, payment: StoredPayment, who: Principal, minor: int = 1000) -> Observed | None:
    assert who.id is not None
    return await confirm_transfer(
        till.context(who), await till.now(payment), Money(minor, "CNY"), "B-2026-1", who.id
    )


async def test_two_different_persons_confirm_a_transfer(till: Till) -> None:
    await transfers(till)
    payment = await till.open()
    attempt = await till.start(payment, "manual", Flow.MANUAL)
    assert "ICBC 6222 0000" in (attempt.answer or "")
    first, second = clerk(), clerk()
    # When the first one confirms, and once more
    assert await confirm(till, payment, first) is None
    with pytest.raises(SamePerson):
        await confirm(till, payment, first)
    # Then nothing has come in yet
    assert ((await till.now(payment)).state, await till.wallet(payment)) == ("PENDING", 0)
    # Nor if the second one saw another amount
    with pytest.raises(ConfirmationDiffers):
        await confirm(till, payment, second, 999)
    # But when he says the same, it has, once
    for _ in range(2):
        await confirm(till, payment, second)
    assert ((await till.now(payment)).state, await till.wallet(payment)) == ("PAID", 1000)
    assert await till.account_sum("clearing:manual:icbc") == 1000
    entries = await till.kernel.db.fetchval(
        "select count(*) from kernel_audit where action = 'settlement.transfer_confirmed'"
    )
    assert entries == 3


async def test_one_person_twenty_times_at_once_is_one_person(till: Till) -> None:
    await transfers(till)
    payment = await till.open()
    await till.start(payment, "manual", Flow.MANUAL)
    alone = clerk()
    answers = await asyncio.gather(
        *(confirm(till, payment, alone) for _ in range(20)), return_exceptions=True
    )
    assert sum(isinstance(answer, SamePerson) for answer in answers) == 19
    assert (await till.now(payment)).state == "PENDING"


async def test_ten_persons_at_once_are_one_credit(till: Till) -> None:
    await transfers(till)
    payment = await till.open()
    await till.start(payment, "manual", Flow.MANUAL)
    await asyncio.gather(*(confirm(till, payment, clerk()) for _ in range(10)))
    assert ((await till.now(payment)).state, await till.wallet(payment)) == ("PAID", 1000)


async def test_another_amount_than_is_to_be_paid_is_kept_and_moves_nothing(till: Till) -> None:
    await transfers(till)
    payment = await till.open()
    await till.start(payment, "manual", Flow.MANUAL)
    await confirm(till, payment, clerk(), 900)
    observed = await confirm(till, payment, clerk(), 900)
    assert observed is not None
    assert (observed.outcome, await till.wallet(payment)) == ("WRONG_AMOUNT", 0)


async def test_a_transfer_that_did_not_come_is_rejected_and_another_way_may_be_chosen(till: Till) -> None:
    await transfers(till)
    await till.account()
    payment = await till.open()
    await till.start(payment, "manual", Flow.MANUAL)
    await reject_transfer(till.context(clerk()), payment, "nothing came in")
    attempt = await till.start(await till.now(payment))
    assert attempt.state == "WAITING"


async def prove(till: Till, payment: StoredPayment, content: bytes) -> None:
    """The payer uploads a file."""
    member = Principal(kind=PrincipalKind.MEMBER, id=payment.payer)
    with TemporaryFile() as file:
        file.write(content)
        file.flush()
        upload = UploadedFile(file, name="p.png", media_type="image/png", size=len(content), sha256="")
        await add_proof(till.context(member), payment, upload)


async def test_a_proof_is_kept_sealed_and_each_look_is_written_down(till: Till) -> None:
    await transfers(till)
    payment = await till.open()
    await till.start(payment, "manual", Flow.MANUAL)
    content = b"\x89PNG\r\n\x1a\n" + b"a bank slip"
    for _ in range(2):
        await prove(till, payment, content)
    rows = await till.kernel.db.fetch("select * from settlement_transfer_proof")
    assert (len(rows), content in rows[0]["sealed"]) == (1, False)
    assert await open_proof(till.context(), rows[0]["id"]) == ("image/png", content)
    looks = await till.kernel.db.fetchval(
        "select count(*) from kernel_audit where action = 'settlement.transfer_proof_opened'"
    )
    assert looks == 1
    # And what is no picture is refused
    with pytest.raises(InvalidInput):
        await prove(till, payment, b"<html>")
    with pytest.raises(Refusal):
        await prove(till, await till.open(), content)
