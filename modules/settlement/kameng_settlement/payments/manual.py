"""Transfers that a payer makes by himself: proof that he uploads, and two persons of the staff who have seen the money."""

from __future__ import annotations

from hashlib import sha256
from typing import TYPE_CHECKING, Final
from uuid import UUID

import msgspec

from kameng.errors import Conflict, InvalidInput, NotFound
from kameng.graphql.uploads import UploadedFile
from kameng.ids import new_id
from kameng.money import Money
from kameng_settlement.gateway_contract import (
    Capabilities,
    Flow,
    GatewayTitle,
    MerchantAccount,
    Observation,
    PaymentRequest,
    PaymentStatus,
    Started,
)
from kameng_settlement.payments.accounts import read_accounts
from kameng_settlement.payments.balance import OwnGateway
from kameng_settlement.payments.desk import TwoPersons
from kameng_settlement.payments.observing import observe
from kameng_settlement.payments.outcomes import Observed
from kameng_settlement.payments.records import StoredAttempt, StoredPayment, attempt_of, note_history
from kameng_settlement.payments.statements import (
    ADD_PROOF,
    ATTEMPTS_OF,
    COUNT_PROOFS,
    END_ATTEMPT,
    LOCK_PAYMENT,
    PROOF,
)

if TYPE_CHECKING:
    from kameng.graphql import Context

MANUAL: Final = "manual"
"""The gateway's name."""

SCOPE: Final = "settlement.transfer_proofs"
"""The scope of the data keys that seal proofs."""

LARGEST_PROOF: Final = 5 * 1024 * 1024
"""Bytes of a proof."""

MOST_PROOFS: Final = 5
"""Proofs of one transfer."""

_PROOF_HEADS: Final = {
    b"\x89PNG\r\n\x1a\n": "image/png",
    b"\xff\xd8\xff": "image/jpeg",
    b"%PDF-": "application/pdf",
}


class TransferSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Where payers transfer to.

    Attributes:
        instructions: what the payer reads: bank, holder, account number.
    """

    instructions: str


class ManualGateway(OwnGateway):
    """A transfer that people confirm, as a gateway."""

    name = MANUAL
    title = GatewayTitle(en="Bank transfer", zh="人工转账")
    settings = TransferSettings
    capabilities = Capabilities(flows=(Flow.MANUAL,))

    async def start(self, account: MerchantAccount, request: PaymentRequest) -> Started:
        """Tell the payer where to transfer to, and under which number."""
        told = {"instructions": account.settings.instructions, "reference": request.number}
        return Started(flow=Flow.MANUAL, params=told)


gateway = ManualGateway()


async def add_proof(context: Context, payment: StoredPayment, file: UploadedFile) -> None:
    """Keep a picture or document by which the payer shows his transfer, sealed. The same file again is harmless.

    Raises:
        NotFound: no transfer was begun for this payment.
        InvalidInput: the file is too large, or no PNG, JPEG or PDF.
        Conflict: there are enough of them, or the payment is paid.
    """
    if file.size > LARGEST_PROOF:
        raise InvalidInput(
            f"A proof has at most {LARGEST_PROOF // 2**20} MB.",
            cure="Make it smaller.",
            path=("input", "file"),
        )
    with file.open() as opened:
        content = opened.read()
    media_type = next((kind for head, kind in _PROOF_HEADS.items() if content.startswith(head)), None)
    if media_type is None:
        raise InvalidInput(
            "A proof is a PNG, a JPEG or a PDF.", cure="Take a picture of it.", path=("input", "file")
        )
    async with context.db.transaction():
        data_key = await context.kernel.vault.current_key(SCOPE)
        await context.db.fetchrow(LOCK_PAYMENT, payment.id)
        attempt = await transfer_of(context, payment)
        if payment.state == "PAID":
            raise Conflict("This payment is paid.", cure="There is nothing more to do.")
        if await context.db.fetchval(COUNT_PROOFS, attempt.id) >= MOST_PROOFS:
            raise Conflict("There are enough proofs of this transfer.", cure="Wait for an answer.")
        own = new_id()
        [sealed] = await context.kernel.vault.seal_many(data_key, [(content, own.bytes)])
        await context.db.execute(
            ADD_PROOF,
            own,
            attempt.id,
            media_type,
            len(content),
            sha256(content).digest(),
            sealed,
            data_key.id,
        )
        await note_history(
            context.kernel,
            payment.id,
            payment.state,
            payment.state,
            context.principal.key,
            "a proof of the transfer came in",
        )


async def open_proof(context: Context, key: UUID) -> tuple[str, bytes]:
    """A proof's media type and content, with an entry in the audit log.

    Raises:
        NotFound: there is no such proof.
    """
    async with context.db.transaction():
        row = await context.db.fetchrow(PROOF, key)
        if row is None:
            raise NotFound("There is no such proof.", cure="Check its id.")
        content = await context.kernel.vault.open(row["data_key"], row["sealed"], row["id"].bytes)
        await context.kernel.audit.record(
            "settlement.transfer_proof_opened",
            principal=context.principal,
            subject=f"transfer_proof:{key}",
            correlation_id=context.correlation_id,
            address=context.address,
        )
    return row["media_type"], content


async def confirm_transfer(
    context: Context, payment: StoredPayment, amount: Money, reference: str, person: UUID
) -> Observed | None:
    """Note that somebody of the staff has seen a transfer. None: it waits for a second person.

    Raises:
        NotFound: no transfer was begun for this payment.
        SamePerson, ConfirmationDiffers, InvalidInput: see `TwoPersons`.
    """
    async with context.db.transaction():
        attempt = await transfer_of(context, payment)
        both = await context.service(TwoPersons).confirm(attempt.id, reference, amount, person)
        await context.kernel.audit.record(
            "settlement.transfer_confirmed",
            principal=context.principal,
            subject=f"payment:{payment.id}",
            details={
                "amount_minor": amount.minor,
                "currency": amount.currency,
                "reference": reference,
                "second": both,
            },
            correlation_id=context.correlation_id,
            address=context.address,
        )
        if not both:
            note = "a transfer was seen by the first person"
            await note_history(
                context.kernel, payment.id, payment.state, payment.state, context.principal.key, note
            )
            return None
        account = (await read_accounts(context.kernel, [attempt.account]))[attempt.account]
        said = Observation(
            gateway=MANUAL,
            merchant=account.merchant,
            number=attempt.number,
            status=PaymentStatus.PAID,
            transaction=reference,
            amount=amount,
            raw_digest=sha256(f"{attempt.number}\n{reference}\n{amount.minor}".encode()).digest(),
        )
        return await observe(context.kernel, account, said, told_by="person", actor=context.principal.key)


async def reject_transfer(context: Context, payment: StoredPayment, reason: str) -> None:
    """Wait no more for a transfer that did not come; the payer may choose another way.

    Raises:
        NotFound: no transfer was begun for this payment.
        InvalidInput: no reason.
    """
    why = reason.strip()
    if not 1 <= len(why) <= 300 or not why.isprintable():
        raise InvalidInput("A reason has 1 to 300 plain characters.", path=("input", "reason"))
    async with context.db.transaction():
        attempt = await transfer_of(context, payment)
        await context.db.execute(END_ATTEMPT, attempt.id, "FAILED", why)
        await note_history(
            context.kernel, payment.id, payment.state, payment.state, context.principal.key, why
        )
        await context.kernel.audit.record(
            "settlement.transfer_rejected",
            principal=context.principal,
            subject=f"payment:{payment.id}",
            details={"reason": why},
            correlation_id=context.correlation_id,
            address=context.address,
        )


async def transfer_of(context: Context, payment: StoredPayment) -> StoredAttempt:
    """The last transfer that was begun for a payment.

    Raises:
        NotFound: there is none.
    """
    rows = await context.db.fetch(ATTEMPTS_OF, [payment.id])
    found = [each for each in map(attempt_of, rows) if each.flow == Flow.MANUAL.value]
    if not found:
        raise NotFound("No transfer was begun for this payment.", cure="Choose to pay by transfer first.")
    return found[-1]
