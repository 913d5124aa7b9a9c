"""What each way to settle a case would post, told before anybody chooses one."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING
from uuid import UUID

import msgspec
from strawberry.dataloader import DataLoader

from kameng.errors import Refusal
from kameng_settlement.chart import DIFFERENCES, GATEWAY_FEES, SUSPENSE, WALLET, clearing_of
from kameng_settlement.journal import StoredPosting, postings_of
from kameng_settlement.reconciliation.settling import insist_fit

if TYPE_CHECKING:
    from kameng.graphql import Context
    from kameng_settlement.reconciliation.cases import Case

_OTHER = {"SUSPEND": SUSPENSE, "WRITE_OFF": DIFFERENCES, "CREDIT": WALLET}


class Planned(msgspec.Struct, frozen=True):
    """A posting that would be made.

    Attributes:
        debit, credit: codes of kinds in the chart.
        minor, currency: how much.
    """

    debit: str
    credit: str
    minor: int
    currency: str


class Outcome(msgspec.Struct, frozen=True):
    """A way to settle a case that fits it.

    Attributes:
        action: see `kameng_settlement.reconciliation.cases.CaseAction`.
        postings: what it would post; none of EXPLAIN.
    """

    action: str
    postings: list[Planned]


async def outcomes_of(context: Context, case: Case) -> list[Outcome]:
    """What fits a case that is open, in the order in which it is offered; nothing of a settled one."""
    if not case.open:
        return []
    found = [Outcome("EXPLAIN", [])]
    for action, other in _OTHER.items():
        if _fits(case, action):
            found.append(Outcome(action, list(_moves(case, other.code, case.effect_minor))))
    if _fits(case, "REVERSE"):
        posted = UUID((case.ours_said or {})["posted"])
        ours = await context.loader(_OURS, _loader).load(posted)
        back = [Planned(each.credit.kind, each.debit.kind, each.minor, each.currency) for each in ours]
        found.append(Outcome("REVERSE", [*back, *_moves(case, GATEWAY_FEES.code, 0)]))
    return found


_OURS = object()


def _loader(context: Context) -> DataLoader[UUID, list[StoredPosting]]:
    async def load(keys: list[UUID]) -> list[list[StoredPosting]]:
        return await postings_of(context.db, keys)

    return DataLoader(load_fn=load)


def _fits(case: Case, action: str) -> bool:
    try:
        insist_fit(case, action)
    except Refusal:
        return False
    return True


def _moves(case: Case, other: str, effect: int) -> Iterator[Planned]:
    clearing = clearing_of(case.source).code
    for account, minor in ((other, effect), (GATEWAY_FEES.code, case.fee_effect_minor)):
        if minor:
            debit, credit = (clearing, account) if minor > 0 else (account, clearing)
            yield Planned(debit, credit, abs(minor), case.currency)
