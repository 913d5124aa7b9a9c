"""What became of asking gateways for bills, in the back office."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from enum import Enum
from typing import Any
from uuid import UUID

import strawberry

from kameng.graphql import Connection, Context, Info, Node
from kameng.graphql.pages import Keyset, PageRequest
from kameng.ids import global_id
from kameng_settlement.gateway_contract import BillKind
from kameng_settlement.reconciliation.graphql.types import BillKindName
from kameng_settlement.reconciliation.permissions import READ_RECONCILIATION

FETCHES = Keyset("bill-fetches-newest", (("id", "uuid"),), descending=True)
"""Bills that were asked for, those first asked for last first."""


@strawberry.enum(description="What became of asking a gateway for a bill.")
class BillFetchState(Enum):
    """What became of asking a gateway for a bill."""

    TAKEN = strawberry.enum_value("TAKEN", description="It is here, and its day was compared.")
    EMPTY = strawberry.enum_value("EMPTY", description="The gateway says that nothing happened on that day.")
    WAITING = strawberry.enum_value(
        "WAITING", description="The gateway is still making it; it is asked again."
    )
    FAILED = strawberry.enum_value(
        "FAILED", description="It could not be had, read or compared; it is tried again for some days."
    )


@strawberry.type(description="A bill that a gateway was asked for.")
class BillFetch(Node):
    """A bill that a gateway was asked for."""

    source: str = strawberry.field(description="The account, such as wechat:main.")
    day: date
    kind: BillKindName
    state: BillFetchState
    code: str | None = strawberry.field(description="Of what is wrong; null where nothing is.")
    message: str | None = strawberry.field(description="What is wrong, or what is awaited.")
    cure: str | None = strawberry.field(description="What to do.")
    tries: int
    first_at: datetime
    last_at: datetime

    @classmethod
    def of(cls, row: Mapping[str, Any]) -> BillFetch:
        """A row of ``settlement_bill_fetch``."""
        return cls(
            id=strawberry.ID(global_id("BillFetch", UUID(int=row["id"].int))),
            source=row["source"],
            day=row["day"],
            kind=BillKindName(BillKind(row["kind"]).value),
            state=BillFetchState(row["state"]),
            code=row["code"] or None,
            message=row["message"] or None,
            cure=row["cure"] or None,
            tries=row["tries"],
            first_at=row["first_at"],
            last_at=row["last_at"],
        )


@strawberry.type
class BillFetchQuery:
    """Queries of bills that gateways were asked for."""

    @strawberry.field(
        description="Bills that gateways were asked for, the newest first; of one state, or all. "
        "Needs settlement.read_reconciliation."
    )
    async def bill_fetches(
        self,
        info: Info,
        state: BillFetchState | None = None,
        first: int | None = None,
        after: str | None = None,
        last: int | None = None,
        before: str | None = None,
    ) -> Connection[BillFetch]:
        """A page of them."""
        info.context.require(READ_RECONCILIATION)
        page = PageRequest.of(first, after, last, before)
        behind, tail, cursor = page.clauses(FETCHES, 2)
        rows = await info.context.db.fetch(
            f"select * from settlement_bill_fetch where ($1::text is null or state = $1) and {behind} {tail}",
            state.value if state else None,
            *cursor,
        )
        return page.connection(rows, FETCHES, lambda row: [row["id"]], BillFetch.of)


async def fetch_nodes(context: Context, keys: Sequence[UUID]) -> list[BillFetch | None]:
    """Them for ``node(id:)``."""
    if not context.principal.may(READ_RECONCILIATION.name):
        return [None] * len(keys)
    rows = await context.db.fetch(
        "select * from settlement_bill_fetch where id = any($1::uuid[])", list(keys)
    )
    found = {UUID(int=row["id"].int): BillFetch.of(row) for row in rows}
    return [found.get(key) for key in keys]
