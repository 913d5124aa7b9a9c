"""What reports may read of the ledger: each movement of what the shop earns and of what gateways keep. No tables."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol
from uuid import UUID

import msgspec

SALES = "sales"
"""The kind of account that shows what the shop has earned."""

FEES = "gateway_fees"
"""The kind of account that shows what gateways keep."""


class Movement(msgspec.Struct, frozen=True, kw_only=True):
    """A posting that touches `SALES` or `FEES`, as that account sees it.

    Attributes:
        posting: its number, unique for ever.
        transaction: the ledger transaction that it belongs to.
        key: the idempotency key of that, such as ``order:<id>``.
        posted_at: when it was posted.
        reverses: the transaction that it takes back, if any.
        account: `SALES` or `FEES`.
        other: the kind of the account on the other side, such as ``wallet`` or ``clearing:wechat:main``.
        credited: minor units that came in on the credit side; negative where they went out on the debit side.
        currency: ISO 4217.
    """

    posting: int
    transaction: UUID
    key: str
    posted_at: datetime
    reverses: UUID | None
    account: str
    other: str
    credited: int
    currency: str


class Totals(msgspec.Struct, frozen=True, kw_only=True):
    """What was posted to `SALES` and `FEES` in a span of time, in one currency; amounts in minor units.

    Attributes:
        place: the span's place among those that were asked for.
        currency: ISO 4217.
        sales: all that was credited to sales.
        given_back: all that was debited to sales.
        fees: what gateways kept, less what they gave back.
    """

    place: int
    currency: str
    sales: int
    given_back: int
    fees: int


class LedgerFigures(Protocol):
    """Reading the ledger for reports. Each call is one statement."""

    async def movements(self, transactions: Sequence[UUID]) -> list[Movement]:
        """The movements of these ledger transactions, in the order of their postings."""
        ...

    async def posted(self, since: datetime, until: datetime, after: int, limit: int) -> list[Movement]:
        """Movements of the time from `since` until before `until`, in the order of their postings, that come after the posting
        `after`; so many at most, but always all of the last posting.
        """
        ...

    async def totals(self, spans: Sequence[tuple[datetime, datetime]]) -> list[Totals]:
        """What was posted in each span, the end not included; nothing for spans and currencies without a posting."""
        ...

    async def sites_of_fees(self, transactions: Sequence[UUID]) -> dict[UUID, str]:
        """Of these transactions, those by which gateways kept their fees, with the sites of the payments that they are for; not
        those of the operator's own site.
        """
        ...

    async def fee_of(self, payments: Sequence[tuple[str, str]]) -> list[UUID]:
        """The transactions by which gateways kept their fees of payments, each named by source and reference."""
        ...
