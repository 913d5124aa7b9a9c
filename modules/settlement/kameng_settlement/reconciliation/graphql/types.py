"""What the back office sees of bills, runs and cases."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from enum import Enum
from typing import Any
from uuid import UUID

import orjson
import strawberry
from strawberry.dataloader import DataLoader

from kameng import money
from kameng.db import Statement
from kameng.graphql import Context, Info, Money, Node
from kameng.ids import global_id, key_of
from kameng_settlement.admin_types import LedgerTransaction, load_transactions, title_of
from kameng_settlement.gateway_contract import BillKind
from kameng_settlement.reconciliation.cases import Case, case_of
from kameng_settlement.reconciliation.outcomes import Outcome, outcomes_of
from kameng_settlement.reconciliation.permissions import READ_RECONCILIATION

NOTES_SHOWN = 200
"""Entries of a case's history that are shown, the newest of them."""


@strawberry.enum(name="BillKind", description="What a bill lists.")
class BillKindName(Enum):
    """What a bill lists."""

    TRADE = strawberry.enum_value("trade", description="Payments and refunds.")
    FUNDS = strawberry.enum_value("funds", description="Movements of the account's money.")


@strawberry.enum(description="What is different.")
class CaseDifference(Enum):
    """The classes of differences."""

    MISSING_OURS = strawberry.enum_value("missing_ours", description="The gateway has it, and we do not.")
    MISSING_THEIRS = strawberry.enum_value(
        "missing_theirs", description="We have it, and the gateway does not."
    )
    AMOUNT = strawberry.enum_value("amount", description="Another amount or currency.")
    FEE = strawberry.enum_value("fee", description="Another fee.")
    STATUS = strawberry.enum_value("status", description="One side says done, the other does not.")
    DUPLICATE = strawberry.enum_value("duplicate", description="One side has it twice.")
    FUNDS = strawberry.enum_value(
        "funds", description="The account's money moved otherwise than its trades say."
    )


@strawberry.enum(description="How far a case is.")
class CaseState(Enum):
    """How far a case is."""

    DOUBTFUL = strawberry.enum_value("DOUBTFUL", description="A later bill may still explain it.")
    OPEN = strawberry.enum_value("OPEN", description="Somebody has to settle it.")
    RESOLVED = strawberry.enum_value("RESOLVED", description="Somebody has settled it.")
    CLEARED = strawberry.enum_value("CLEARED", description="A later run explained it.")


@strawberry.type(description="A bill that was taken in.")
class Bill(Node):
    """A bill."""

    source: str = strawberry.field(description="The account, such as wechat:main.")
    day: date
    kind: BillKindName
    format: str
    file_name: str
    rows: int
    imported_at: datetime

    @classmethod
    def of(cls, row: Mapping[str, Any]) -> Bill:
        """A row of ``settlement_bill``."""
        return cls(
            id=strawberry.ID(global_id("Bill", UUID(int=row["id"].int))),
            source=row["source"],
            day=row["day"],
            kind=BillKindName(BillKind(row["kind"]).value),
            format=row["format"],
            file_name=row["file_name"],
            rows=row["rows"],
            imported_at=row["imported_at"],
        )


@strawberry.type(description="What a bill adds up to in a currency.")
class BillTotals:
    """The sums of a bill."""

    payments: Money
    refunds: Money
    fees: Money

    @classmethod
    def all_of(cls, kept: str | None) -> list[BillTotals]:
        """They as they are kept with a run."""
        read = orjson.loads(kept) if kept else {}
        return [
            cls(
                **{
                    name: Money.of(money.Money(each.get(name, 0), currency))
                    for name in ("payments", "refunds", "fees")
                }
            )
            for currency, each in sorted(read.items())
        ]


@strawberry.type(description="Cases of a run in one state and currency, added up.")
class CaseSum:
    """Cases added up."""

    state: CaseState
    count: int
    effect: Money = strawberry.field(description="What the gateway has more than our books said.")
    fee_effect: Money


@strawberry.type(description="The comparison of a day of an account.")
class Reconciliation(Node):
    """A run."""

    source: str = strawberry.field(description="The account, such as wechat:main.")
    day: date
    their_rows: int = strawberry.field(description="Payments and refunds of the bill.")
    our_rows: int = strawberry.field(description="Payments and refunds that we recorded.")
    matched: int
    carried: int = strawberry.field(description="Rows that wait, or waited, for the next day's bill.")
    ended_at: datetime | None
    totals: list[BillTotals] = strawberry.field(description="What the bill adds up to, by currency.")

    @strawberry.field(description="What its cases come to, by state and currency.")
    async def cases(self, info: Info) -> list[CaseSum]:
        """The sums of its cases."""
        return await info.context.loader(_SUMS, _sums_loader).load(key_of("Reconciliation", self.id))

    @classmethod
    def of(cls, row: Mapping[str, Any]) -> Reconciliation:
        """A row of ``settlement_reconciliation``."""
        return cls(
            id=strawberry.ID(global_id("Reconciliation", UUID(int=row["id"].int))),
            source=row["source"],
            day=row["day"],
            their_rows=row["their_rows"],
            our_rows=row["our_rows"],
            matched=row["matched"],
            carried=row["carried"],
            ended_at=row["ended_at"],
            totals=BillTotals.all_of(row["totals"]),
        )


@strawberry.type(description="What one side of a case says.")
class CaseSide:
    """What one side of a case says."""

    number: str = strawberry.field(description="Our number.")
    reference: str = strawberry.field(description="The gateway's number.")
    status: str
    amount: Money
    fee: Money | None
    at: datetime
    line: int = strawberry.field(description="In the bill's file; 0 for our own side.")

    @classmethod
    def of(cls, said: Mapping[str, Any] | None) -> CaseSide | None:
        """Evidence as it is kept; None where there is none, or none of a single row."""
        if said is None or "at" not in said:
            return None
        currency, fee = said["currency"], said["fee"]
        return cls(
            number=said["number"],
            reference=said["reference"],
            status=said["status"],
            amount=Money.of(money.Money(said["amount"], currency)),
            fee=None if fee is None else Money.of(money.Money(fee, currency)),
            at=datetime.fromisoformat(said["at"]),
            line=said["line"],
        )


@strawberry.type(description="Something that happened to a case.")
class CaseNote:
    """An entry of a case's history."""

    what: str = strawberry.field(
        description="opened, doubt_ended, claimed, released, commented, resolved, cleared"
    )
    author: str
    text: str
    at: datetime


@strawberry.type(description="A posting that would be made.")
class PlannedPosting:
    """A posting that would be made."""

    debit: str = strawberry.field(
        description="The account that would be debited, in the language of the request."
    )
    credit: str
    amount: Money


@strawberry.type(description="A way to settle a case.")
class CaseOutcome:
    """A way to settle a case."""

    action: str = strawberry.field(description="A CaseAction.")
    postings: list[PlannedPosting]

    @classmethod
    def of(cls, context: Context, outcome: Outcome) -> CaseOutcome:
        """An outcome as GraphQL shows it."""
        return cls(
            action=outcome.action,
            postings=[
                PlannedPosting(
                    debit=title_of(context, each.debit),
                    credit=title_of(context, each.credit),
                    amount=Money.of(money.Money(each.minor, each.currency)),
                )
                for each in outcome.postings
            ],
        )


_HISTORY, _POSTED, _SUMS = object(), object(), object()

_CASE_SUMS = Statement(
    "settlement.sums_of_cases",
    """
    select reconciliation, state, currency, count(*) as cases, sum(effect_minor)::bigint as effect,
        sum(fee_effect_minor)::bigint as fee_effect
    from settlement_case where reconciliation = any($1::uuid[]) group by 1, 2, 3 order by 1, 2, 3
    """,
)

_NOTES = Statement(
    "settlement.case_notes",
    """
    select c.id, n.what, n.author, n.text, n.at
    from unnest($1::uuid[]) as c(id)
    cross join lateral (
        select * from settlement_case_note where case_id = c.id order by id desc limit $2
    ) n
    order by c.id, n.id
    """,
)


@strawberry.type(description="A difference between a gateway's bill and our records that is to be settled.")
class ReconciliationCase(Node):
    """A case."""

    key: strawberry.Private[UUID]
    stored: strawberry.Private[Case]
    source: str = strawberry.field(description="The account, such as wechat:main.")
    day: date
    difference: CaseDifference
    kind: str = strawberry.field(description="payment, refund or other")
    number: str
    effect: Money = strawberry.field(
        description="What the gateway has more than our books say, fees left out."
    )
    fee_effect: Money = strawberry.field(description="The same of fees: below zero where it kept more.")
    theirs: CaseSide | None
    ours: CaseSide | None
    state: CaseState
    doubtful_until: date | None
    owner: str | None = strawberry.field(description="Who works on it.")
    action: str | None
    reason: str
    opened_at: datetime
    settled_at: datetime | None
    settled_by: str | None

    @strawberry.field(description=f"What happened to it; its last {NOTES_SHOWN} entries.")
    async def history(self, info: Info) -> list[CaseNote]:
        """The case's history."""
        return await info.context.loader(_HISTORY, _history_loader).load(self.key)

    @strawberry.field(description="The ways to settle it that fit, each with what it would post.")
    async def outcomes(self, info: Info) -> list[CaseOutcome]:
        """What fits the case."""
        return [CaseOutcome.of(info.context, each) for each in await outcomes_of(info.context, self.stored)]

    @strawberry.field(description="Whether you work on it.")
    def mine(self, info: Info) -> bool:
        """Whether it is the asker's."""
        return self.owner == info.context.principal.key

    @strawberry.field(description="The entry that settled it.")
    async def transaction(self, info: Info) -> LedgerTransaction | None:
        """The ledger transaction that settled it."""
        posted = self.stored.posted
        return await info.context.loader(_POSTED, _posted_loader).load(posted) if posted else None

    @classmethod
    def of(cls, case: Case) -> ReconciliationCase:
        """A case as GraphQL shows it."""
        return cls(
            id=strawberry.ID(global_id("ReconciliationCase", case.id)),
            key=case.id,
            stored=case,
            source=case.source,
            day=case.day,
            difference=CaseDifference(case.difference),
            kind=case.kind,
            number=case.number,
            effect=Money.of(money.Money(case.effect_minor, case.currency)),
            fee_effect=Money.of(money.Money(case.fee_effect_minor, case.currency)),
            theirs=CaseSide.of(case.theirs_said),
            ours=CaseSide.of(case.ours_said),
            state=CaseState(case.state),
            doubtful_until=case.doubtful_until,
            owner=case.owner,
            action=case.action,
            reason=case.reason,
            opened_at=case.opened_at,
            settled_at=case.settled_at,
            settled_by=case.settled_by,
        )


def _history_loader(context: Context) -> DataLoader[UUID, list[CaseNote]]:
    async def load(keys: list[UUID]) -> list[list[CaseNote]]:
        found: dict[UUID, list[CaseNote]] = {key: [] for key in keys}
        for row in await context.db.fetch(_NOTES, list(found), NOTES_SHOWN):
            note = CaseNote(what=row["what"], author=row["author"], text=row["text"], at=row["at"])
            found[UUID(int=row["id"].int)].append(note)
        return [found[key] for key in keys]

    return DataLoader(load_fn=load)


def _posted_loader(context: Context) -> DataLoader[UUID, LedgerTransaction | None]:
    async def load(keys: list[UUID]) -> list[LedgerTransaction | None]:
        return await load_transactions(context, keys)

    return DataLoader(load_fn=load)


async def load_cases(context: Context, keys: Sequence[UUID]) -> list[ReconciliationCase | None]:
    """Cases by key; None where there is none. One statement."""
    rows = await context.db.fetch("select * from settlement_case where id = any($1::uuid[])", list(keys))
    found = {case.id: ReconciliationCase.of(case) for case in map(case_of, rows)}
    return [found.get(key) for key in keys]


async def case_nodes(context: Context, keys: Sequence[UUID]) -> list[ReconciliationCase | None]:
    """Cases for ``node(id:)``."""
    if not context.principal.may(READ_RECONCILIATION.name):
        return [None] * len(keys)
    return await load_cases(context, keys)


async def bill_nodes(context: Context, keys: Sequence[UUID]) -> list[Bill | None]:
    """Bills for ``node(id:)``."""
    if not context.principal.may(READ_RECONCILIATION.name):
        return [None] * len(keys)
    rows = await context.db.fetch("select * from settlement_bill where id = any($1::uuid[])", list(keys))
    found = {UUID(int=row["id"].int): Bill.of(row) for row in rows}
    return [found.get(key) for key in keys]


async def reconciliation_nodes(context: Context, keys: Sequence[UUID]) -> list[Reconciliation | None]:
    """Runs for ``node(id:)``."""
    if not context.principal.may(READ_RECONCILIATION.name):
        return [None] * len(keys)
    rows = await context.db.fetch(
        "select * from settlement_reconciliation where id = any($1::uuid[])", list(keys)
    )
    found = {UUID(int=row["id"].int): Reconciliation.of(row) for row in rows}
    return [found.get(key) for key in keys]


def _sums_loader(context: Context) -> DataLoader[UUID, list[CaseSum]]:
    async def load(keys: list[UUID]) -> list[list[CaseSum]]:
        found: dict[UUID, list[CaseSum]] = {key: [] for key in keys}
        for row in await context.db.fetch(_CASE_SUMS, keys):
            found[UUID(int=row["reconciliation"].int)].append(
                CaseSum(
                    state=CaseState(row["state"]),
                    count=row["cases"],
                    effect=Money.of(money.Money(row["effect"], row["currency"])),
                    fee_effect=Money.of(money.Money(row["fee_effect"], row["currency"])),
                )
            )
        return [found[key] for key in keys]

    return DataLoader(load_fn=load)
