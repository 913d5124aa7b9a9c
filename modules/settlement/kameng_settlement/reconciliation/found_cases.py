"""What a run found, as cases are kept: what they are about, what each side says, and how long they are in doubt."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING, Any
from uuid import UUID
from zoneinfo import ZoneInfo

import msgspec
import orjson

from kameng_settlement.reconciliation.normal import RowKind, Totals

if TYPE_CHECKING:
    import polars as pl

DOUBT_DAYS = 2
"""How many days' bills a payment of ours may be missing in before somebody has to look: gateways list some late."""

_UNSAID = frozenset({"known", "near"})


class Found(msgspec.Struct, frozen=True, kw_only=True):
    """A difference; see `kameng_settlement.reconciliation.tables.CaseTable`."""

    mark: str
    difference: str
    kind: str
    number: str
    currency: str
    effect: int
    fee_effect: int
    bill_row: int | None
    ours: UUID | None
    theirs_said: str | None
    ours_said: str | None
    state: str
    doubtful_until: date | None


def found_cases(differences: pl.DataFrame, day: date, zone: str) -> list[Found]:
    """The cases that a comparison's differences make.

    Args:
        differences: as `kameng_settlement.reconciliation.matching.compare` gives them.
        day: of the run.
        zone: in which the account's days begin.
    """
    return [_case(row, day, ZoneInfo(zone)) for row in differences.iter_rows(named=True)]


def _case(row: Mapping[str, Any], day: date, zone: ZoneInfo) -> Found:
    theirs, ours = row["theirs"], row["ours_"]
    bill_row = None if theirs is None else int(theirs["row"])
    key = None if ours is None else str(ours["ours"])
    until = None
    if row["difference"] == "missing_theirs":
        happened: datetime = ours["at"]
        until = happened.astimezone(zone).date() + timedelta(days=DOUBT_DAYS)
    doubtful = until is not None and until > day
    return Found(
        mark=f"{row['difference']}:{bill_row or '-'}:{key or '-'}",
        difference=row["difference"],
        kind=row["kind"],
        number=row["number"],
        currency=(theirs or ours)["currency"],
        effect=row["effect"],
        fee_effect=row["fee_effect"],
        bill_row=bill_row,
        ours=None if key is None else UUID(key),
        theirs_said=_said(theirs),
        ours_said=_said(ours),
        state="DOUBTFUL" if doubtful else "OPEN",
        doubtful_until=until if doubtful else None,
    )


def _said(side: Mapping[str, Any] | None) -> str | None:
    if side is None:
        return None
    return orjson.dumps({name: value for name, value in side.items() if name not in _UNSAID}).decode()


def funds_cases(traded: Mapping[str, Any], moved: Mapping[str, int], day: date) -> list[Found]:
    """Cases of currencies in which the account's money did not move as the day's trades say.

    Args:
        traded: the totals of the bill of trades, by currency.
        moved: what payments, refunds and fees moved, by the bill of fund movements; signed.
        day: of both.
    """
    found = []
    for currency in sorted(traded.keys() | moved.keys()):
        trades = msgspec.convert(traded.get(currency, {}), Totals)
        net, came = trades.net, moved.get(currency, 0)
        if net != came:
            found.append(
                Found(
                    mark=f"funds:{day}:{currency}",
                    difference="funds",
                    kind=RowKind.OTHER.value,
                    number=day.isoformat(),
                    currency=currency,
                    effect=came - net,
                    fee_effect=0,
                    bill_row=None,
                    ours=None,
                    theirs_said=orjson.dumps({"moved": came}).decode(),
                    ours_said=orjson.dumps({"traded": msgspec.to_builtins(trades), "net": net}).decode(),
                    state="OPEN",
                    doubtful_until=None,
                )
            )
    return found
