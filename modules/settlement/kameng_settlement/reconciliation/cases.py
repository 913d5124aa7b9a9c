"""Working on cases: taking them over, writing to them, and settling them by an entry in the ledger.

A case is changed only under its own lock. All that happens to it is added to its history.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from enum import StrEnum
from typing import TYPE_CHECKING, Any
from uuid import UUID

import msgspec
import orjson

from kameng.db import Statement
from kameng.errors import InvalidInput, NotFound
from kameng_settlement.reconciliation.faults import ActionUnfit, CaseSettled, CaseTaken
from kameng_settlement.reconciliation.settling import post_action
from kameng_settlement.reconciliation.statements import ADD_NOTES

if TYPE_CHECKING:
    from kameng.graphql import Context

LONGEST_COMMENT = 2000
LONGEST_REASON = 300

_LOCK = Statement("settlement.lock_case", "select * from settlement_case where id = $1 for update")
_OWN = Statement("settlement.own_case", "update settlement_case set owner = $2 where id = $1")
_RESOLVE = Statement(
    "settlement.resolve_case",
    """
    update settlement_case
    set state = 'RESOLVED', action = $2, reason = $3, posted = $4, settled_at = now(), settled_by = $5
    where id = $1
    """,
)


class CaseAction(StrEnum):
    """How a case is settled. Whatever it does to fees is booked to gateways' fees."""

    EXPLAIN = "EXPLAIN"
    """It is no difference of money, or is mended elsewhere; nothing is posted."""
    SUSPEND = "SUSPEND"
    """Clearing agrees with the gateway, and the money waits to be clarified."""
    WRITE_OFF = "WRITE_OFF"
    """Clearing agrees with the gateway, and the shop gains or loses."""
    CREDIT = "CREDIT"
    """Clearing agrees with the gateway, and a member's wallet gets it, or gives it."""
    REVERSE = "REVERSE"
    """Our own entry is reversed: the gateway does not have the money."""


class Case(msgspec.Struct, frozen=True, kw_only=True):
    """A case as it is kept; see the table."""

    id: UUID
    reconciliation: UUID
    source: str
    day: date
    difference: str
    kind: str
    number: str
    currency: str
    effect_minor: int
    fee_effect_minor: int
    theirs_said: dict[str, Any] | None
    ours_said: dict[str, Any] | None
    state: str
    doubtful_until: date | None
    owner: str | None
    action: str | None
    reason: str
    posted: UUID | None
    opened_at: datetime
    settled_at: datetime | None
    settled_by: str | None

    @property
    def open(self) -> bool:
        """Whether somebody still has to settle it."""
        return self.state in ("DOUBTFUL", "OPEN")


def case_of(row: Mapping[str, Any]) -> Case:
    """A row of ``settlement_case``."""
    values = {name: row[name] for name in Case.__struct_fields__}
    for name in ("theirs_said", "ours_said"):
        values[name] = None if values[name] is None else orjson.loads(values[name])
    for name in ("id", "reconciliation", "posted"):
        values[name] = None if values[name] is None else UUID(int=values[name].int)
    return Case(**values)


async def claim_case(context: Context, key: UUID, *, from_others: bool = False) -> None:
    """Take a case over. Doing it again is harmless.

    Args:
        context: the staff member's request.
        key: of the case.
        from_others: take it although somebody else works on it.

    Raises:
        NotFound: there is no such case.
        CaseSettled: it is settled.
        CaseTaken: somebody else works on it.
    """
    async with context.db.transaction():
        case = await _open_case(context, key)
        if case.owner == context.principal.key:
            return
        if case.owner is not None and not from_others:
            raise _taken()
        await context.db.execute(_OWN, key, context.principal.key)
        await _note(context, key, "claimed", "" if case.owner is None else f"taken over from {case.owner}")


async def release_case(context: Context, key: UUID) -> None:
    """Give a case back, so that others take it. Doing it again is harmless.

    Raises:
        NotFound, CaseSettled, CaseTaken: see `claim_case`.
    """
    async with context.db.transaction():
        case = await _open_case(context, key)
        if case.owner is None:
            return
        _insist_own(context, case)
        await context.db.execute(_OWN, key, None)
        await _note(context, key, "released", "")


async def comment_case(context: Context, key: UUID, text: str) -> None:
    """Write something to a case, settled or not.

    Raises:
        InvalidInput: nothing, or too much, or no plain text.
        NotFound: there is no such case.
    """
    async with context.db.transaction():
        await _locked(context, key)
        await _note(context, key, "commented", _plain(text, "text", LONGEST_COMMENT))


async def resolve_case(
    context: Context, key: UUID, action: CaseAction, reason: str, *, member: UUID | None = None
) -> None:
    """Settle a case, with its entry in the ledger. The same again is harmless.

    Args:
        context: the staff member's request.
        key: of the case.
        action: how.
        reason: why; it stays in the books, so it names no person.
        member: whose wallet, for `CaseAction.CREDIT`.

    Raises:
        NotFound: there is no such case, or no such member.
        CaseSettled: it was settled otherwise.
        CaseTaken: somebody else works on it.
        ActionUnfit: the action does not fit the case.
        InvalidInput: no reason.
        InsufficientFunds: the wallet that would give the money holds less.
        AlreadyReversed, AlreadyRefunded: our entry cannot be reversed any more.
    """
    why = _plain(reason, "reason", LONGEST_REASON)
    async with context.db.transaction():
        case = await _locked(context, key)
        if case.state == "RESOLVED" and (case.action, case.reason) == (action.value, why):
            return
        if not case.open:
            raise _settled(case)
        _insist_own(context, case)
        if (member is not None) != (action is CaseAction.CREDIT):
            raise ActionUnfit(
                "A member is named for CREDIT, and only for it.",
                cure="Name whose wallet it is, or leave the member out.",
                path=("input", "memberId"),
            )
        posted = await post_action(context, case, action.value, why, member)
        await context.db.execute(_RESOLVE, key, action.value, why, posted, context.principal.key)
        await _note(context, key, "resolved", f"{action.value}: {why}")
        await context.kernel.audit.record(
            "settlement.case_resolved",
            principal=context.principal,
            subject=f"reconciliation_case:{key}",
            details={
                "source": case.source,
                "difference": case.difference,
                "number": case.number,
                "action": action.value,
                "reason": why,
                "transaction": None if posted is None else str(posted),
                "effect_minor": case.effect_minor,
                "fee_effect_minor": case.fee_effect_minor,
                "currency": case.currency,
            },
            correlation_id=context.correlation_id,
            address=context.address,
        )


async def _locked(context: Context, key: UUID) -> Case:
    row = await context.db.fetchrow(_LOCK, key)
    if row is None:
        raise NotFound("There is no such case.", cure="Check its id.", path=("input", "id"))
    return case_of(row)


async def _open_case(context: Context, key: UUID) -> Case:
    case = await _locked(context, key)
    if not case.open:
        raise _settled(case)
    return case


def _insist_own(context: Context, case: Case) -> None:
    if case.owner not in (None, context.principal.key):
        raise _taken()


def _settled(case: Case) -> CaseSettled:
    how = "was cleared by a run" if case.state == "CLEARED" else f"was resolved by {case.action}"
    return CaseSettled(f"The case {how}.", cure="Look at its history; what was posted can be reversed.")


def _taken() -> CaseTaken:
    return CaseTaken("Somebody else works on the case.", cure="Ask them, or take it over from them.")


async def _note(context: Context, key: UUID, what: str, text: str) -> None:
    await context.db.execute(ADD_NOTES, [key], what, context.principal.key, text)


def _plain(text: str, name: str, longest: int) -> str:
    plain = text.strip()
    if not 1 <= len(plain) <= longest or "\0" in plain:
        raise InvalidInput(
            f"A {name} is needed." if not plain else f"The {name} cannot be kept as it is.",
            cure=f"Write 1 to {longest} plain characters.",
            path=("input", name),
        )
    return plain
