"""Payments in a filled shop, with all that hangs on them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from hashlib import sha256
from uuid import UUID

from kameng.auth import Principal
from kameng.graphql import Context
from kameng.ids import new_id
from kameng.kernel import Kernel
from kameng.money import Money
from kameng_settlement.gateway_contract import Flow, Observation, PaymentStatus
from kameng_settlement.payments.accounts import AccountDraft, read_accounts, save_account, set_account_enabled
from kameng_settlement.payments.desk import PaymentDraft
from kameng_settlement.payments.gift_cards import BatchDraft, make_batch
from kameng_settlement.payments.observing import observe
from kameng_settlement.payments.opening import open_payment
from kameng_settlement.payments.starting import Choice, start
from kameng_settlement.payments.statements import ADD_PROOF
from kameng_settlement.payments.top_ups import BonusDraft, add_bonus

DOCUMENTS = {
    "admin payments": (
        "payments(first: $first) { nodes { number state ways { title } attempt { state } attempts { number parameters "
        "{ name } } account { name settings } history { note } observations { outcome account { name } payment { number } } "
        "refunds { state } proofs { size } payerId } }"
    ),
    "admin payment evidence": (
        "paymentEvidence(first: $first) { nodes { outcome account { name settings notifyUrl } payment { number ways { gateway } "
        "history { note } } } }"
    ),
    "admin open refunds": "openRefunds(first: $first) { nodes { number amount { amount } state settleable verdicts } }",
    "admin merchant accounts": "merchantAccounts(first: $first) { nodes { name settings } } gateways { name settings }",
    "admin top-up bonuses": "topUpBonuses(first: $first) { nodes { name from { amount } } }",
    "admin gift cards": "giftCardBatches(first: $first) { nodes { name redeemed void } }",
}
"""What is asked of each list, by the name of the document."""


UNANSWERED_REFUNDS = """
insert into settlement_payment_refund
    (id, payment, account, number, key, amount_minor, currency, reason, state, requested_by, posted, note, sends, asks,
     created_at)
select gen_random_uuid(), p.id, p.paid_to, 'R' || left(p.number, 20), 'filled:' || p.id, 1, p.currency, 'x', 'ACCEPTED',
    'system', o.posted, '', 1, 9, now()
from settlement_payment p join settlement_payment_observation o on o.payment = p.id and o.taken
where p.key like 'filled:%'
"""
"""A refund of each payment that was paid, whose end nobody knows."""


async def fill_payments(kernel: Kernel, staff: Principal, payers: list[UUID], count: int) -> None:
    """So many accounts, payments of each kind, bonuses and batches of gift cards."""
    context = Context(kernel, principal=staff, locale="en", schema="admin")
    for number in range(count):
        draft = AccountDraft(
            gateway="manual",
            code=f"bank{number}",
            name=f"Bank {number}",
            merchant=f"{number}",
            settings={"instructions": "to us"},
            priority=number,
        )
        key = await save_account(context, draft)
        await set_account_enabled(context, key, enabled=True)
        await add_bonus(context, BonusDraft(name=f"B{number}", currency="CNY", from_minor=100, fixed_minor=1))
        gift = BatchDraft(name=f"G{number}", amount=Money(100, "CNY"), count=2)
        await make_batch(context, gift)
    for number in range(count):
        for paid in (True, False):
            payment = await open_payment(
                kernel,
                PaymentDraft(
                    key=f"filled:{number}:{paid}",
                    purpose="top_up",
                    subject=new_id(),
                    payer=payers[number % len(payers)],
                    amount=Money(500, "CNY"),
                    expires_at=datetime.now(UTC) + timedelta(days=1),
                ),
            )
            attempt = await start(kernel, payment, Choice(gateway="manual", flow=Flow.MANUAL))
            data_key = await kernel.vault.current_key("settlement.transfer_proofs")
            await kernel.db.execute(
                ADD_PROOF, new_id(), attempt.id, "image/png", 1, sha256().digest(), b"x", data_key.id
            )
            used = (await read_accounts(kernel, [attempt.account]))[attempt.account]
            said = Observation(
                gateway="manual",
                merchant=used.merchant,
                number=attempt.number,
                status=PaymentStatus.PAID,
                transaction=f"T-{number}-{paid}",
                amount=Money(500 if paid else 400, "CNY"),
                raw_digest=sha256(attempt.number.encode()).digest(),
            )
            used = (await read_accounts(kernel, [attempt.account]))[attempt.account]
            await observe(kernel, used, said, told_by="person")
    await kernel.db.execute(UNANSWERED_REFUNDS)
