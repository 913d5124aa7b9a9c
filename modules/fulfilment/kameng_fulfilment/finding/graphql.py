"""The list of all orders in the admin schema: found by anything, narrowed down, and written to a file by a job."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from enum import Enum

import msgspec
import strawberry

from kameng.errors import InvalidInput
from kameng.graphql import Connection, Info, mutation, payload
from kameng.graphql.pages import Keyset, PageRequest
from kameng.ids import key_of
from kameng.jobs import JobStoreFull
from kameng.jobs.types import Job
from kameng_fulfilment.finding.exporting import EXPORT_ORDERS
from kameng_fulfilment.finding.filtering import WantedOrders, choice
from kameng_fulfilment.finding.periods import OrderPeriod
from kameng_fulfilment.finding.terms import meanings
from kameng_fulfilment.life_types import OrderState
from kameng_fulfilment.numbers import read_number
from kameng_fulfilment.orders import READ_ORDERS, order_of
from kameng_fulfilment.types import Order

NEWEST = Keyset("orders-newest", (("o.id", "uuid"),), descending=True)

MOST_NUMBERS = 500
"""Orders that are named one by one."""


@strawberry.enum(description="How a line is delivered once it is paid.")
class LineDelivery(Enum):
    """How a line is delivered."""

    INSTANT = strawberry.enum_value("instant", description="From stock, at once.")
    MANUAL = strawberry.enum_value("manual", description="By the staff.")
    SUPPLIER = strawberry.enum_value("supplier", description="By a supplier.")


@strawberry.input(description="Which orders to list; conditions add up.")
class OrderFilter:
    """Which orders to list."""

    search: str | None = strawberry.field(
        default=None,
        description="Anything known of it: its number, a guest's e-mail address or phone number, the beginning of a member's"
        " address, words of a product's title or a SKU, a payment's number or its gateway's, a supplier's reference, and with"
        " catalog.reveal_cards a card's secret, after its number if it has one.",
    )
    state: OrderState | None = None
    member_id: strawberry.ID | None = None
    delivery: LineDelivery | None = strawberry.field(
        default=None, description="How at least one of its lines is delivered."
    )
    period: OrderPeriod | None = None
    since: datetime | None = None
    until: datetime | None = strawberry.field(default=None, description="The first moment that is left out.")
    total_from: Decimal | None = strawberry.field(
        default=None, description="In main units. Without a time, a search or a member: of the last 90 days."
    )
    total_to: Decimal | None = None
    currency: str = strawberry.field(default="CNY", description="Of totalFrom and totalTo.")
    site: str | None = strawberry.field(default=None, description="The code of the site it was placed in.")
    needs_person: bool = strawberry.field(
        default=False, description="Only paid ones that are neither delivered nor refunded."
    )

    numbers: list[str] | None = strawberry.field(default=None, description="Only these, at most 500.")

    def plain(self) -> WantedOrders:
        """The same as its reader takes it."""
        return WantedOrders(
            search=(self.search or "").strip(),
            state=str(self.state.value) if self.state else "",
            member=key_of("Member", self.member_id) if self.member_id else None,
            delivery=str(self.delivery.value) if self.delivery else "",
            period=str(self.period.value) if self.period else "",
            since=self.since,
            until=self.until,
            total_from=self.total_from,
            total_to=self.total_to,
            currency=self.currency,
            site=(self.site or "").strip(),
            needs_person=self.needs_person,
            numbers=None
            if self.numbers is None
            else tuple(_number(number) for number in self.numbers[:MOST_NUMBERS]),
        )


def _number(text: str) -> str:
    try:
        return read_number(text)
    except InvalidInput:
        return ""


@strawberry.enum(description="The form of a file of orders.")
class OrderExportFormat(Enum):
    """The forms of files."""

    CSV = strawberry.enum_value("csv", description="A row for each line, in UTF-8.")
    XLSX = strawberry.enum_value("xlsx", description="A workbook with a row for each line.")


@strawberry.input(description="Which orders to write to a file.")
class StartOrderExportInput:
    """Which orders to write to a file."""

    filter: OrderFilter | None = None
    format: OrderExportFormat = OrderExportFormat.CSV


@payload(JobStoreFull)
class StartOrderExportPayload:
    """The job, or why there is none."""

    job: Job | None = None


@strawberry.type
class OrdersQuery:
    """The list of all orders."""

    @strawberry.field(description="Orders, the newest first. Needs fulfilment.read_orders.")
    async def orders(
        self,
        info: Info,
        filter: OrderFilter | None = None,  # noqa: A002 - GraphQL's name
        first: int | None = None,
        after: str | None = None,
        last: int | None = None,
        before: str | None = None,
    ) -> Connection[Order]:
        """A page of all orders."""
        context = info.context
        context.require(READ_ORDERS)
        page = PageRequest.of(first, after, last, before)
        chosen = await choice(context.kernel, context.principal, (filter or OrderFilter()).plain())
        behind, tail, cursor = page.clauses(NEWEST, len(chosen.values) + 1)
        rows = await context.db.fetch(chosen.page(behind, tail), *chosen.values, *cursor)
        return page.connection(rows, NEWEST, lambda row: [row["id"]], lambda row: Order.of(order_of(row)))


@strawberry.type
class OrdersMutation:
    """Files of orders."""

    @mutation
    async def start_order_export(
        self,
        info: Info,
        input: StartOrderExportInput,  # noqa: A002 - GraphQL's name
    ) -> StartOrderExportPayload:
        """Have orders written to a file; who had it made and who fetched it goes into the audit log."""
        context = info.context
        context.require(EXPORT_ORDERS)
        context.require(READ_ORDERS)
        wanted = (input.filter or OrderFilter()).plain()
        # A term may be a secret or an address: what it stands for is looked up now, and it is kept nowhere.
        found = await meanings(context.kernel, context.principal, wanted.search) if wanted.search else None
        wanted = msgspec.structs.replace(wanted, search="", found=found)
        # What cannot be asked for is told now, and not by a job that has failed.
        await choice(context.kernel, context.principal, wanted)
        job = await context.kernel.jobs.start(
            "fulfilment.export_orders",
            principal=context.principal,
            locale=context.locale,
            correlation_id=context.correlation_id,
            address=context.address,
            wanted=msgspec.to_builtins(wanted),
            format=str(input.format.value),
        )
        return StartOrderExportPayload(job=Job.of(context, job))
