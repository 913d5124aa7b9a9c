"""Refunds whose end only people can find out: two persons of the staff say what became of the money, and how they know.

A gateway's own word goes first. People are asked where a refund was sent, nobody knows what came of it, and the gateway either
tells nothing of single refunds or has not told for long.
"""

from __future__ import annotations

from hashlib import sha256
from typing import TYPE_CHECKING, Final
from uuid import UUID

from kameng.errors import Conflict, InvalidInput, NotFound
from kameng_settlement.gateway_contract import RefundObservation, RefundStatus
from kameng_settlement.payments.accounts import read_accounts
from kameng_settlement.payments.desk import TwoPersons
from kameng_settlement.payments.errors import GatewayUnknown, RefundNotOpen
from kameng_settlement.payments.gateways import gateway
from kameng_settlement.payments.records import StoredRefund, note_history, payment_changed, refund_of
from kameng_settlement.payments.refund_settling import settle_refund
from kameng_settlement.payments.starting import lock_payment
from kameng_settlement.payments.statements import LOCK_REFUND, REFUND_BY_NUMBER

if TYPE_CHECKING:
    from kameng.graphql import Context

ASKED_LONG: Final = 8
"""So often a refund is worked on before people may settle it though its gateway can be asked; it is told to them then."""

LONGEST_EVIDENCE: Final = 300

_ENDS: Final = {True: RefundStatus.SUCCEEDED, False: RefundStatus.FAILED}


def people_may_settle(refund: StoredRefund, gateway_name: str) -> bool:
    """Whether the end of a refund is for people to say."""
    if refund.state not in ("REQUESTED", "ACCEPTED") or not refund.sends:
        return False
    try:
        asked = gateway(gateway_name).capabilities.refund_query
    except GatewayUnknown:
        # Nobody can ask a gateway that is not installed any more.
        asked = False
    return not asked or refund.asks >= ASKED_LONG


def claim_of(succeeded: bool) -> str:
    """What a verdict is called among confirmations: two persons agree where they say the same."""
    return f"refund {'succeeded' if succeeded else 'failed'}"


async def settle_by_people(
    context: Context, number: str, *, succeeded: bool, evidence: str, reference: str = "", person: UUID
) -> bool:
    """Note what a person says of a refund's end; whether two have said the same by now, and it is settled. Repeating is harmless.

    Where it failed, the wallet has the money again, in the same transaction.

    Args:
        context: the request; the person is its principal.
        number: the refund's.
        succeeded: whether the payer has his money.
        evidence: how the person knows.
        reference: what the gateway calls the refund.
        person: who says so.

    Raises:
        NotFound: there is no such refund.
        InvalidInput: there is no evidence.
        RefundNotOpen: its gateway is still asked, or it was never sent.
        SamePerson: he has said so before.
        Conflict: it has ended otherwise, or a worker is at it.
    """
    known, told = evidence.strip(), reference.strip()
    if not 1 <= len(known) <= LONGEST_EVIDENCE or not known.isprintable():
        raise InvalidInput(
            f"Say how you know, in 1 to {LONGEST_EVIDENCE} plain characters.",
            cure="Name the statement, its date and its line.",
            path=("input", "evidence"),
        )
    if len(told) > 120 or not told.isprintable():
        raise InvalidInput(
            "A reference has at most 120 plain characters.", cure="Correct it.", path=("input", "reference")
        )
    async with context.db.transaction():
        refund = await _locked(context, number)
        account = (await read_accounts(context.kernel, [refund.account]))[refund.account]
        if refund.state in ("SUCCEEDED", "FAILED"):
            if (refund.state == "SUCCEEDED") == succeeded:
                return True
            raise Conflict(
                "This refund has ended otherwise.",
                cure="Look at its history; a gateway's own word was there before.",
            )
        if not people_may_settle(refund, account.gateway):
            raise RefundNotOpen(
                "What becomes of this refund is still found out by itself.",
                cure="Wait until it is told to the staff; its gateway is asked again and again.",
            )
        if await context.db.fetchval("select $1::timestamptz > now()", refund.busy_until):
            raise Conflict(
                "A worker is asking about this refund just now.", cure="Try again in some minutes."
            )
        both = await context.service(TwoPersons).confirm(
            refund.id, claim_of(succeeded), refund.amount, person
        )
        who = context.principal.key
        await context.kernel.audit.record(
            "settlement.payment_refund_verdict",
            principal=context.principal,
            subject=f"payment_refund:{refund.id}",
            details={
                "refund": refund.number,
                "succeeded": succeeded,
                "evidence": known,
                "reference": told,
                "second": both,
            },
            correlation_id=context.correlation_id,
            address=context.address,
        )
        payment = await lock_payment(context.kernel, refund.payment)
        verdict = "has gone back" if succeeded else "has not gone back"
        await note_history(
            context.kernel,
            payment.id,
            payment.state,
            payment.state,
            who,
            f"{refund.number} {verdict}: {known}",
        )
        payment_changed(context.kernel, payment)
        if not both:
            return False
        said = RefundObservation(
            gateway=account.gateway,
            merchant=account.merchant,
            number=refund.number,
            status=_ENDS[succeeded],
            reference=told or None,
            raw_digest=sha256(f"{refund.number}\n{succeeded}\n{known}".encode()).digest(),
            note=f"said by two persons: {known}",
        )
        return await settle_refund(context.kernel, account, said, actor=who)


async def _locked(context: Context, number: str) -> StoredRefund:
    """The refund, locked after its payment, as everywhere.

    Raises:
        NotFound: there is none of this number.
    """
    row = await context.db.fetchrow(REFUND_BY_NUMBER, number[:64])
    if row is None:
        raise NotFound("There is no such refund.", cure="Check its number.")
    await lock_payment(context.kernel, row["payment"])
    now = await context.db.fetchrow(LOCK_REFUND, row["id"])
    assert now is not None  # noqa: S101 - refunds are never deleted
    return refund_of(now)
