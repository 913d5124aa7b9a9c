"""The entries by which cases are settled: clearing comes to agree with the gateway, and something else takes the difference."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final
from uuid import UUID

from kameng.errors import NotFound
from kameng_membership.contract import Members
from kameng_settlement.chart import (
    DIFFERENCES,
    GATEWAY_FEES,
    SUSPENSE,
    Address,
    clearing_of,
    house,
    wallet_of,
)
from kameng_settlement.ledger import Entry, Ledger, Transfer
from kameng_settlement.reconciliation.faults import ActionUnfit

if TYPE_CHECKING:
    from kameng.graphql import Context
    from kameng_settlement.reconciliation.cases import Case

RECONCILIATION: Final = "reconciliation"
"""The kind of ledger transaction that settles a case."""

_LONGEST_MEMO = 500


async def post_action(
    context: Context, case: Case, action: str, reason: str, member: UUID | None
) -> UUID | None:
    """Post what settles a case, once, inside the caller's transaction; the ledger transaction, None where nothing moves.

    Raises:
        ActionUnfit: the action does not fit the case.
        NotFound: there is no such member.
        InsufficientFunds, AlreadyReversed, AlreadyRefunded: as the ledger says.
    """
    if action == "EXPLAIN":
        return None
    insist_fit(case, action)
    memo = f"{case.source} {case.number}: {reason}"[:_LONGEST_MEMO]
    if action == "REVERSE":
        return await _reverse(context, case, memo)
    if member is not None:
        if (await context.service(Members).snapshots([member]))[0] is None:
            raise NotFound("There is no such member.", cure="Check the id.", path=("input", "memberId"))
        other = wallet_of(member, case.currency)
    else:
        other = house(SUSPENSE if action == "SUSPEND" else DIFFERENCES, case.currency)
    transfers = await _transfers(context, case, other, case.effect_minor, case.fee_effect_minor)
    posted = await context.service(Ledger).post(
        Entry(key=f"case:{case.id}", kind=RECONCILIATION, memo=memo, transfers=transfers)
    )
    return posted.transaction


def insist_fit(case: Case, action: str) -> None:
    """Insist that an action that posts something fits a case.

    Raises:
        ActionUnfit: it does not.
    """
    _insist_one_currency(case)
    if action == "REVERSE":
        _insist_alone(case)
    elif not (case.effect_minor or case.fee_effect_minor) or (action == "CREDIT" and not case.effect_minor):
        raise ActionUnfit(
            "The case moves no money that could be booked so.",
            cure="Take WRITE_OFF for a fee, or EXPLAIN where nothing is to be posted.",
            path=("input", "action"),
        )


def _insist_alone(case: Case) -> None:
    ours, theirs = case.ours_said or {}, case.theirs_said or {}
    alone = case.difference == "missing_theirs" or (
        case.difference == "status" and ours.get("status") == "done" and theirs.get("status") != "done"
    )
    if not alone or not ours.get("posted"):
        raise ActionUnfit(
            "There is no entry of ours that stands alone.",
            cure="Take SUSPEND, WRITE_OFF, CREDIT or EXPLAIN.",
            path=("input", "action"),
        )


async def _reverse(context: Context, case: Case, memo: str) -> UUID:
    """Take our own entry back, and with it the fee that was booked for it."""
    ours = case.ours_said or {}
    ledger = context.service(Ledger)
    reversal = await ledger.reverse(UUID(ours["posted"]), key=f"case:{case.id}", memo=memo)
    if case.fee_effect_minor:
        fees = house(GATEWAY_FEES, case.currency)
        transfers = await _transfers(context, case, fees, 0, case.fee_effect_minor)
        await ledger.post(
            Entry(key=f"case:{case.id}:fee", kind=RECONCILIATION, memo=memo, transfers=transfers)
        )
    return reversal.transaction


async def _transfers(
    context: Context, case: Case, other: Address, effect: int, fee_effect: int
) -> tuple[Transfer, ...]:
    """What moves: above zero into clearing, below zero out of it."""
    clearing, fees = house(clearing_of(case.source), case.currency), house(GATEWAY_FEES, case.currency)
    accounts = await context.service(Ledger).accounts.open((clearing, fees, other))
    transfers = []
    for account, minor in ((other, effect), (fees, fee_effect)):
        if minor:
            sides = (accounts[clearing], accounts[account])
            debit, credit = sides if minor > 0 else sides[::-1]
            transfers.append(Transfer(debit, credit, abs(minor), case.currency))
    return tuple(transfers)


def _insist_one_currency(case: Case) -> None:
    said = {side["currency"] for side in (case.theirs_said, case.ours_said) if side and "currency" in side}
    if len(said) > 1:
        raise ActionUnfit(
            f"The two sides name different currencies: {', '.join(sorted(said))}.",
            cure="Post what is right by hand, and EXPLAIN the case.",
            path=("input", "action"),
        )
