"""Reading the ledger for reports."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from kameng.db import Database, Statement
from kameng_settlement.figures_contract import FEES, SALES, Movement, Totals

_KINDS = [SALES, FEES]

_MOVEMENT = """
    select p.id as posting, t.id as transaction, t.key, t.posted_at, t.reverses, a.kind as account,
           o.kind as other, side.sign * p.amount as credited, p.currency
    from settlement_ledger_transaction t
    join settlement_posting p on p.transaction = t.id
    cross join lateral (values (p.credit_account, p.debit_account, 1), (p.debit_account, p.credit_account, -1))
        as side(own, other, sign)
    join house a on a.id = side.own
    join settlement_account o on o.id = side.other
"""

_HOUSE = """
    with house as materialized (
        select id, kind, currency from settlement_account
        where owner_id = '00000000-0000-0000-0000-000000000000' and kind = any($1::text[])
    )
"""

_OF_TRANSACTIONS = Statement(
    "settlement.figures_movements",
    f"{_HOUSE} {_MOVEMENT} where t.id = any($2::uuid[]) order by p.id, side.sign",
)

_POSTED = Statement(
    "settlement.figures_posted",
    f"{_HOUSE} {_MOVEMENT} where t.posted_at >= $2 and t.posted_at < $3 and p.id > $4"
    " order by p.id fetch first $5 rows with ties",
)

_TOTALS = Statement(
    "settlement.figures_totals",
    f"""
    {_HOUSE}
    select span.place::int as place, a.currency,
           coalesce(sum(p.amount) filter (where a.kind = '{SALES}' and side.sign = 1), 0)::bigint as sales,
           coalesce(sum(p.amount) filter (where a.kind = '{SALES}' and side.sign = -1), 0)::bigint as given_back,
           coalesce(sum(-side.sign * p.amount) filter (where a.kind = '{FEES}'), 0)::bigint as fees
    from unnest($2::timestamptz[], $3::timestamptz[]) with ordinality as span(since, until, place)
    join settlement_ledger_transaction t on t.posted_at >= span.since and t.posted_at < span.until
    join settlement_posting p on p.transaction = t.id
    cross join lateral (values (p.credit_account, 1), (p.debit_account, -1)) as side(own, sign)
    join house a on a.id = side.own
    group by span.place, a.currency
    order by span.place, a.currency
    """,
)

_BY_KEY = Statement(
    "settlement.figures_by_key",
    "select id from settlement_ledger_transaction where key = any($1::text[])",
)


_SITES_OF_FEES = Statement(
    "settlement.figures_sites_of_fees",
    # gateway-fee:<gateway>:<code>:<the gateway's own number>; neither gateways nor codes hold a colon.
    """
    select t.id, p.site
    from settlement_ledger_transaction t
    cross join lateral (values (split_part(t.key, ':', 2), split_part(t.key, ':', 3))) as told(gateway, code)
    join settlement_merchant_account a on a.gateway = told.gateway and a.code = told.code
    join settlement_payment_observation o on o.account = a.id and o.taken
        and o.transaction = substr(t.key, length('gateway-fee:' || told.gateway || ':' || told.code || ':') + 1)
    join settlement_payment p on p.id = o.payment
    where t.id = any($1::uuid[]) and t.key like 'gateway-fee:%' and p.site <> ''
    """,
)


class SettledFigures:
    """`kameng_settlement.figures_contract.LedgerFigures`.

    Args:
        db: where the ledger is.
    """

    def __init__(self, db: Database) -> None:
        self._db = db

    async def movements(self, transactions: Sequence[UUID]) -> list[Movement]:
        """See the contract."""
        if not transactions:
            return []
        rows = await self._db.fetch(_OF_TRANSACTIONS, _KINDS, list(transactions))
        return [Movement(**dict(row)) for row in rows]

    async def posted(self, since: datetime, until: datetime, after: int, limit: int) -> list[Movement]:
        """See the contract."""
        rows = await self._db.fetch(_POSTED, _KINDS, since, until, after, limit)
        return [Movement(**dict(row)) for row in rows]

    async def totals(self, spans: Sequence[tuple[datetime, datetime]]) -> list[Totals]:
        """See the contract."""
        rows = await self._db.fetch(
            _TOTALS, _KINDS, [since for since, _ in spans], [until for _, until in spans]
        )
        return [Totals(**{**dict(row), "place": row["place"] - 1}) for row in rows]

    async def sites_of_fees(self, transactions: Sequence[UUID]) -> dict[UUID, str]:
        """See the contract."""
        rows = await self._db.fetch(_SITES_OF_FEES, list(transactions)) if transactions else []
        return {row["id"]: row["site"] for row in rows}

    async def fee_of(self, payments: Sequence[tuple[str, str]]) -> list[UUID]:
        """See the contract."""
        keys = [f"gateway-fee:{source}:{reference}" for source, reference in payments]
        return [row["id"] for row in await self._db.fetch(_BY_KEY, keys)]
