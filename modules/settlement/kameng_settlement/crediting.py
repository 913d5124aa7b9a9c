"""Money that staff books into a wallet by hand, and takes back again: postings, never a number changed."""

from __future__ import annotations

from uuid import UUID

from kameng.errors import InvalidInput, NotFound
from kameng.graphql import Context
from kameng.money import Money
from kameng_membership.contract import Members
from kameng_settlement.chart import OPERATOR_FUNDS, house, wallet_of
from kameng_settlement.events import TransactionReversed, WalletCredited
from kameng_settlement.ledger import Entry, Ledger, Posted, Transfer

MANUAL_CREDIT = "manual_credit"
"""The kind of ledger transaction by which staff credits a wallet."""

LONGEST_KEY = 100
"""Characters of a client's idempotency key."""

LONGEST_REASON = 500
"""Characters of a reason."""


async def credit_wallet(context: Context, member: UUID, amount: Money, reason: str) -> Posted:
    """Book an amount from the operator's funds into a member's wallet, once for each idempotency key.

    Args:
        context: the staff member's request, with its idempotency key.
        member: whose wallet.
        amount: more than zero.
        reason: why; it stays in the ledger, so it names no person.

    Raises:
        InvalidInput: no key, no reason, or an amount that is not above zero.
        NotFound: there is no such member.
        Conflict: the key was used for another credit.
    """
    key, memo = key_of_request(context, MANUAL_CREDIT), checked_reason(reason)
    if amount.minor <= 0:
        raise InvalidInput(
            "A credit is more than zero.",
            cure="Reverse the transaction that you want to take back.",
            path=("input", "amount", "amount"),
        )
    ledger = context.service(Ledger)
    if (await context.service(Members).snapshots([member]))[0] is None:
        raise NotFound("There is no such member.", cure="Check the id.", path=("input", "memberId"))
    wallet, funds = wallet_of(member, amount.currency), house(OPERATOR_FUNDS, amount.currency)
    async with context.db.transaction():
        accounts = await ledger.accounts.open((wallet, funds))
        transfer = Transfer(accounts[funds], accounts[wallet], amount.minor, amount.currency)
        posted = await ledger.post(Entry(key=key, kind=MANUAL_CREDIT, memo=memo, transfers=(transfer,)))
        if posted.fresh:
            await context.kernel.audit.record(
                "settlement.credit_wallet",
                principal=context.principal,
                subject=f"member:{member}",
                details={
                    "transaction": str(posted.transaction),
                    "amount_minor": amount.minor,
                    "currency": amount.currency,
                    "reason": memo,
                },
                correlation_id=context.correlation_id,
                address=context.address,
            )
            await context.kernel.events.emit(
                WalletCredited(
                    member=str(member),
                    amount_minor=amount.minor,
                    currency=amount.currency,
                    transaction=str(posted.transaction),
                )
            )
    return posted


async def reverse_transaction(context: Context, transaction: UUID, reason: str) -> Posted:
    """Take a ledger transaction back by a reversal, once.

    Args:
        context: the staff member's request, with its idempotency key.
        transaction: the one to take back.
        reason: why; it stays in the ledger, so it names no person.

    Raises:
        InvalidInput: no key, or no reason.
        NotFound: there is no such transaction.
        AlreadyReversed: it was reversed before, or is a reversal.
        InsufficientFunds: the wallet that would give the money back holds less.
        Conflict: the key was used for something else.
    """
    key, memo = key_of_request(context, "reversal"), checked_reason(reason)
    async with context.db.transaction():
        posted = await context.service(Ledger).reverse(transaction, key=key, memo=memo)
        if posted.fresh:
            await context.kernel.audit.record(
                "settlement.reverse_transaction",
                principal=context.principal,
                subject=f"transaction:{transaction}",
                details={"reversal": str(posted.transaction), "reason": memo},
                correlation_id=context.correlation_id,
                address=context.address,
            )
            await context.kernel.events.emit(
                TransactionReversed(transaction=str(transaction), reversal=str(posted.transaction))
            )
    return posted


def key_of_request(context: Context, kind: str) -> str:
    """The ledger's key of a request of the staff.

    Raises:
        InvalidInput: it came without an idempotency key, or with one that is too long.
    """
    # A key belongs to whoever sends it: nobody's keys can collide with, or probe, another one's.
    key = context.idempotency_key or ""
    if not 1 <= len(key) <= LONGEST_KEY:
        raise InvalidInput(
            "This needs an idempotency key." if not key else "The idempotency key is too long.",
            cure=f"Send one of 1 to {LONGEST_KEY} characters, such as a UUID, by @idempotent(key:)"
            " or the header Idempotency-Key.",
            path=("idempotencyKey",),
        )
    return f"{kind}:{context.principal.key}:{key}"


def checked_reason(text: str) -> str:
    """A reason as it is kept.

    Raises:
        InvalidInput: it is missing, too long, or holds what cannot be kept.
    """
    reason = text.strip()
    if not 1 <= len(reason) <= LONGEST_REASON or "\0" in reason:
        raise InvalidInput(
            "A reason is needed." if not reason else "The reason cannot be kept as it is.",
            cure=f"Write 1 to {LONGEST_REASON} plain characters.",
            path=("input", "reason"),
        )
    return reason
