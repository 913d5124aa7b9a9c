"""GraphQL types of reports."""

from __future__ import annotations

from datetime import date, datetime
from enum import Enum

import strawberry

from kameng import money
from kameng.graphql import Money, Node, PageInfo
from kameng.graphql.exact import Long
from kameng.ids import global_id, key_of_day
from kameng_analytics.reports.checking import Difference
from kameng_analytics.reports.closing import ClosedDay
from kameng_analytics.reports.reading import Asked, Dimension, Grain, Row, StoredFact

ReportGrain = strawberry.enum(
    Grain, name="ReportGrain", description="How long a period of a report is; weeks begin on Monday."
)
ReportDimension = strawberry.enum(
    Dimension, name="ReportDimension", description="By what the figures of a report are told apart."
)


@strawberry.enum(description="What a fact is.")
class FactKind(Enum):
    """What a fact is."""

    SALE = strawberry.enum_value("sale", description="A line of an order that was paid.")
    CORRECTION = strawberry.enum_value(
        "correction",
        description="What came to the sales account otherwise, such as a refund that was reversed.",
    )
    REFUND = strawberry.enum_value("refund", description="What left the sales account.")
    COST = strawberry.enum_value("cost", description="What delivered pieces of a line cost.")
    FEE = strawberry.enum_value("fee", description="What a gateway kept.")


@strawberry.type(description="Figures of a period and of one value of a dimension.")
class ReportRow:
    """A row of a report."""

    since: date = strawberry.field(description="The first day of the period that the report covers.")
    until: date = strawberry.field(description="The last one.")
    value: str = strawberry.field(
        description="The dimension's value: a key, or a name; empty for what is not known, and where all are together."
    )
    label: str = strawberry.field(description="What it is called.")
    orders: Long = strawberry.field(description="Orders that were paid.")
    pieces: Long
    turnover: Money = strawberry.field(description="All that came to the sales account.")
    refunded_pieces: Long
    refunds: Money = strawberry.field(description="All that left the sales account.")
    cost: Money = strawberry.field(
        description="What delivered pieces cost: cards what was paid for their batches, others what their variant cost when it "
        "was sold; nothing where that is not known."
    )
    gross_profit: Money = strawberry.field(description="Turnover less refunds and cost.")
    fees: Money = strawberry.field(description="What gateways kept.")
    late: Long = strawberry.field(
        description="How many facts belong to earlier days, which were closed when they came."
    )

    @classmethod
    def of(cls, row: Row, asked: Asked, label: str) -> ReportRow:
        """A row as GraphQL shows it."""

        def amount(minor: int) -> Money:
            return Money.of(money.Money(minor, asked.currency))

        since, until = row.days(asked)
        return cls(
            since=since,
            until=until,
            value=row.value,
            label=label,
            orders=Long(row.orders),
            pieces=Long(row.pieces),
            turnover=amount(row.turnover),
            refunded_pieces=Long(row.refunded_pieces),
            refunds=amount(row.refunds),
            cost=amount(row.cost),
            gross_profit=amount(row.gross_profit),
            fees=amount(row.fees),
            late=Long(row.late),
        )


@strawberry.type(description="Something that counts in a figure, once.")
class ReportFact(Node):
    """A fact."""

    kind: FactKind
    day: date = strawberry.field(description="The business day that it counts for.")
    own_day: date = strawberry.field(
        description="The one in which it happened: an earlier one where that was closed when it came."
    )
    late: bool = strawberry.field(description="Whether the two differ.")
    at: datetime
    amount: Money
    pieces: int
    order_id: strawberry.ID | None
    order_number: str | None
    product_id: strawberry.ID | None
    transaction_id: strawberry.ID | None = strawberry.field(
        description="The ledger transaction, by which `node` finds it; costs have none."
    )

    @classmethod
    def of(cls, fact: StoredFact) -> ReportFact:
        """A fact as GraphQL shows it."""
        return cls(
            id=strawberry.ID(global_id("ReportFact", fact.id)),
            kind=FactKind(fact.kind),
            day=fact.day,
            own_day=fact.own_day,
            late=fact.day != fact.own_day,
            at=fact.at,
            amount=Money.of(money.Money(fact.amount, fact.currency)),
            pieces=fact.pieces,
            order_id=strawberry.ID(global_id("Order", fact.order_id)) if fact.order_id else None,
            order_number=fact.number or None,
            product_id=strawberry.ID(global_id("Product", fact.product)) if fact.product else None,
            transaction_id=strawberry.ID(global_id("LedgerTransaction", fact.transaction))
            if fact.transaction
            else None,
        )


@strawberry.type(
    description="A page of a report. Its rows are sums: they have no ids, and are told without edges."
)
class Report:
    """A page of a report."""

    nodes: list[ReportRow]
    page_info: PageInfo


@strawberry.type(description="A figure of a day that reports and ledger do not agree on.")
class ReportDifference:
    """A difference."""

    day: date
    figure: str = strawberry.field(
        description="`turnover`, `refunds` or `fees`; `sums` where figures are not the sums of their facts."
    )
    reported: Money | None = strawberry.field(description="What the facts add up to.")
    posted: Money | None = strawberry.field(description="What the ledger says.")
    text: str = strawberry.field(description="It, for people.")

    @classmethod
    def of(cls, found: Difference) -> ReportDifference:
        """A difference as GraphQL shows it."""
        reported, posted = (
            Money.of(money.Money(minor, found.currency)) if found.currency else None
            for minor in (found.reported, found.posted)
        )
        return cls(day=found.day, figure=found.figure, reported=reported, posted=posted, text=str(found))


@strawberry.type(description="A business day that is closed: nothing is booked on it any more.")
class ClosedReportDay(Node):
    """A closed day."""

    day: date
    time_zone: str
    closed_at: datetime
    closed_by: str

    @classmethod
    def of(cls, closed: ClosedDay) -> ClosedReportDay:
        """A closed day as GraphQL shows it."""
        return cls(
            id=strawberry.ID(global_id("ClosedReportDay", key_of_day(closed.day))),
            day=closed.day,
            time_zone=closed.time_zone,
            closed_at=closed.closed_at,
            closed_by=closed.closed_by,
        )
