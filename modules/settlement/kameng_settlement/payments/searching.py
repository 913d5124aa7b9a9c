"""Payments by what somebody knows of them: a number, an account, a day, or that they are transfers to be confirmed."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from typing import Final
from uuid import UUID
from zoneinfo import ZoneInfo

import msgspec

from kameng.db import Statement

WAITING_TRANSFER: Final = "flow = 'manual' and state in ('STARTING', 'WAITING', 'UNKNOWN')"
"""A try by a transfer of which nobody knows yet whether it comes; part of an index."""

CONFIRMATIONS_OF = Statement(
    "settlement.confirmations_of_payments",
    """
    select a.payment, c.person, c.amount_minor, c.currency, c.reference, c.at
    from settlement_payment_attempt a join settlement_transfer_confirmation c on c.about = a.id
    where a.payment = any($1::uuid[]) order by c.at, c.id
    """,
)

ASK_AGAIN = Statement(
    "settlement.ask_gateway_again",
    # The schedule asks about what is due, and those who are at it already answer for this too.
    """
    update settlement_payment_attempt set next_at = now()
    where payment = $1 and state in ('STARTING', 'WAITING', 'UNKNOWN') and flow not in ('manual', 'balance')
    returning id
    """,
)


class Wanted(msgspec.Struct, frozen=True, kw_only=True):
    """Which payments; what is left out asks for nothing.

    Attributes:
        search: a payment's number, that of a try, an order's number, or what the gateway calls it.
        state: of the payment.
        gateway: by which somebody tried to pay it.
        account: at which somebody tried to pay it.
        payer: whose wallet it is for.
        since, until: the days on which it was opened, both included.
        transfers: only those that wait for somebody to see a transfer.
    """

    search: str = ""
    state: str | None = None
    gateway: str | None = None
    account: UUID | None = None
    payer: UUID | None = None
    since: date | None = None
    until: date | None = None
    transfers: bool = False


def conditions(wanted: Wanted, zone: ZoneInfo) -> tuple[list[str], list[object]]:
    """Conditions on ``settlement_payment`` and their parameters, from ``$1`` on.

    Args:
        wanted: which payments.
        zone: in which days begin.
    """
    found, values = ["true"], list[object]()

    def ask(condition: str, value: object) -> None:
        values.append(value)
        found.append(condition.replace("?", f"${len(values)}"))

    if text := wanted.search.strip():
        # Each part has an index of its own.
        ask(
            """id in (select id from settlement_payment where number = ? or memo = ? or transaction = ?
                union all select payment from settlement_payment_attempt where number = ?)""",
            text.replace("\0", ""),
        )
    if wanted.payer is not None:
        ask("payer = ?", wanted.payer)
    if wanted.state is not None:
        ask("state = ?", wanted.state)
    if wanted.account is not None:
        ask("id in (select payment from settlement_payment_attempt where account = ?)", wanted.account)
    if wanted.gateway is not None:
        ask(
            """id in (select a.payment from settlement_payment_attempt a
                join settlement_merchant_account m on m.id = a.account where m.gateway = ?)""",
            wanted.gateway,
        )
    if wanted.since is not None:
        ask("created_at >= ?", _begin(wanted.since, zone))
    if wanted.until is not None:
        ask("created_at < ?", _begin(wanted.until + timedelta(days=1), zone))
    if wanted.transfers:
        found.append("state in ('CREATED', 'PENDING')")
        found.append(f"id in (select payment from settlement_payment_attempt where {WAITING_TRANSFER})")
    return found, values


def _begin(day: date, zone: ZoneInfo) -> datetime:
    return datetime.combine(day, time(), zone).astimezone(UTC)
