"""Proving that sealed days are as they were sealed, or telling what differs."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from itertools import groupby
from typing import TYPE_CHECKING, Any

import msgspec

from kameng.db import Statement
from kameng.errors import InvalidInput
from kameng.vault import MasterKeyUnknownError
from kameng_settlement.days.hashing import GENESIS, SealedDay, bounds, day_hash, is_genuine, read_content
from kameng_settlement.ledger import Entry, Transfer

if TYPE_CHECKING:
    from kameng.db import Database
    from kameng.vault import Vault

_DAYS = Statement("settlement.read_days", "select * from settlement_ledger_day order by day")

_DAYS_OF = Statement(
    "settlement.read_some_days", "select * from settlement_ledger_day where day = any($1::date[])"
)

_BEFORE = Statement(
    "settlement.count_before_chain", "select count(*) from settlement_ledger_transaction where posted_at < $1"
)

_ENTRIES = Statement(
    "settlement.read_entries_of_day",
    """
    select t.id, t.key, t.fingerprint, t.kind, t.memo, t.effective_at, t.reverses,
        p.debit_account, p.credit_account, p.amount, p.currency
    from settlement_ledger_transaction t left join settlement_posting p on p.transaction = t.id
    where t.posted_at >= $1 and t.posted_at < $2
    order by t.posted_at, t.id, p.seq
    """,
)


class Anchor(msgspec.Struct, frozen=True):
    """A sealed day that was noted down elsewhere: whoever changes the whole database cannot change the note.

    Attributes:
        day: which.
        hash: as it was then.
    """

    day: date
    hash: bytes

    def __str__(self) -> str:
        return f"{self.day}:{self.hash.hex()}"

    @classmethod
    def parse(cls, text: str) -> Anchor:
        """The anchor in ``day:hash``, the hash in hexadecimal.

        Raises:
            InvalidInput: the text has another form.
        """
        day, _, hash_ = text.strip().partition(":")
        try:
            anchor = cls(date.fromisoformat(day), bytes.fromhex(hash_))
            if len(anchor.hash) != 32:
                raise ValueError(text)
        except ValueError as error:
            raise InvalidInput(
                f"{text[:100]!r} is no anchor.", cure="Give day:hash as `kameng ledger anchor` prints it."
            ) from error
        return anchor


async def read_days_of(db: Database, days: Sequence[date]) -> list[SealedDay]:
    """Those of these days that are sealed, in no order."""
    return [SealedDay.of(row) for row in await db.fetch(_DAYS_OF, list(days))]


async def read_days(db: Database) -> list[SealedDay]:
    """All sealed days, the oldest first."""
    return [SealedDay.of(row) for row in await db.fetch(_DAYS)]


async def prove_days(
    db: Database,
    vault: Vault,
    days: list[SealedDay],
    *,
    newest: int | None = None,
    anchor: Anchor | None = None,
) -> list[str]:
    """What differs from what was sealed, for people; empty if nothing does.

    Args:
        db: the ledger's, in a transaction with one snapshot.
        vault: holds the signing key.
        days: all sealed days.
        newest: of how many days, the newest, the content is hashed anew; None: of all. The chain is always checked whole.
        anchor: a day that was noted down elsewhere.
    """
    findings: list[str] = []
    previous: SealedDay | None = None
    for sealed in days:
        findings += _link(vault, sealed, previous)
        previous = sealed
    if days and (before := await db.fetchval(_BEFORE, bounds(days[0].day)[0])):
        findings.append(f"{before} transactions are dated before {days[0].day}, where the chain begins")
    if anchor is not None:
        findings += _anchored(days, anchor)
    for sealed in days if newest is None else days[-newest:]:
        findings += await _content(db, sealed)
    return findings


def _link(vault: Vault, sealed: SealedDay, previous: SealedDay | None) -> list[str]:
    findings = []
    before = previous.hash if previous else GENESIS
    if previous and sealed.day != previous.day + timedelta(days=1):
        first, last = previous.day + timedelta(days=1), sealed.day - timedelta(days=1)
        missing = f"day {first} is" if first == last else f"days {first} to {last} are"
        findings.append(f"{missing} missing from the chain")
    elif day_hash(before, sealed.day, sealed.content) != sealed.hash:
        findings.append(f"day {sealed.day}: its hash does not follow from the day before and what it says")
    try:
        if not is_genuine(vault, sealed):
            findings.append(f"day {sealed.day}: its entry is not as it was signed")
    except MasterKeyUnknownError as error:
        findings.append(f"day {sealed.day}: its signature cannot be checked: {error}")
    return findings


def _anchored(days: list[SealedDay], anchor: Anchor) -> list[str]:
    for sealed in days:
        if sealed.day == anchor.day:
            if sealed.hash == anchor.hash:
                return []
            return [f"day {anchor.day}: the chain has {sealed.hash.hex()}, the anchor {anchor.hash.hex()}"]
    return [f"day {anchor.day} is not in the chain, but there is an anchor of it"]


async def _content(db: Database, sealed: SealedDay) -> list[str]:
    there = await read_content(db, sealed.day)
    was = sealed.content
    if there == was:
        return []
    findings = []
    if (there.transactions, there.postings) != (was.transactions, was.postings):
        findings.append(
            f"day {sealed.day}: {was.transactions} transactions with {was.postings} postings were sealed;"
            f" now there are {there.transactions} with {there.postings}"
        )
    else:
        findings.append(
            f"day {sealed.day}: its {was.transactions} transactions with {was.postings} postings"
            f" are not what was sealed"
        )
    return findings + await _altered(db, sealed.day)


async def _altered(db: Database, day: date) -> list[str]:
    """Transactions of a day that are not what their fingerprints say: a change can be named, not only seen."""
    findings = []
    for _, group in groupby(await db.fetch(_ENTRIES, *bounds(day)), key=lambda row: row["id"]):
        rows = list(group)
        own = [row for row in rows if row["amount"] is not None]
        if rows[0]["fingerprint"] not in _fingerprints(rows[0], own):
            findings.append(
                f"transaction {rows[0]['id']} ({rows[0]['key']}) is not what its fingerprint says"
            )
    return findings


def _fingerprints(row: Any, postings: list[Any]) -> tuple[bytes, ...]:
    transfers = tuple(
        Transfer(posting["debit_account"], posting["credit_account"], posting["amount"], posting["currency"])
        for posting in postings
    )

    def of(effective_at: datetime | None) -> bytes:
        return Entry(
            key=row["key"],
            kind=row["kind"],
            transfers=transfers,
            memo=row["memo"],
            effective_at=effective_at,
            reverses=row["reverses"],
        ).fingerprint

    # Whether a date was given when it was posted, or taken from the clock, is not kept.
    return of(None), of(row["effective_at"])
