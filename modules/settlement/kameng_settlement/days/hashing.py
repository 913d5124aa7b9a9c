"""How a day is hashed: the format of the chain.

A transaction's text is the JSON array ``[id, key, fingerprint, kind, memo, effective_at, posted_at, reverses]``, followed by
one array ``[id, seq, debit account, credit account, amount, currency]`` for each of its postings in the order of ``seq``:
as PostgreSQL writes JSON (a comma and a space between values), fingerprints in hexadecimal, moments in microseconds of the
epoch, UTF-8. A day's content is SHA-256 over the SHA-256 of its transactions, ordered by ``posted_at``, then ``id``. A
day's hash is SHA-256 over the hash of the day before (32 zero bytes for the first one) and
``["2026-11-23",transactions,postings,"content"]``.

The transactions of a day are those whose ``posted_at`` lies in it, in UTC.
"""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from hashlib import sha256
from typing import TYPE_CHECKING, Any

import msgspec
import orjson

from kameng.db import Statement
from kameng.vault import Signature

if TYPE_CHECKING:
    from kameng.db import Database
    from kameng.vault import Vault

GENESIS = bytes(32)
"""What stands before the first day."""

_DOMAIN = "settlement.ledger_day"

_CONTENT = Statement(
    "settlement.hash_day",
    """
    with t as materialized (
        select id, posted_at, json_build_array(id, key, encode(fingerprint, 'hex'), kind, memo,
            (extract(epoch from effective_at) * 1000000)::bigint, (extract(epoch from posted_at) * 1000000)::bigint,
            reverses)::text as head
        from settlement_ledger_transaction where posted_at >= $1 and posted_at < $2
    ), p as (
        select p.transaction, count(*) as postings, string_agg(json_build_array(
            p.id, p.seq, p.debit_account, p.credit_account, p.amount, p.currency)::text, '' order by p.seq) as lines
        from settlement_posting p join t on t.id = p.transaction
        group by p.transaction
    )
    select count(*) as transactions, coalesce(sum(p.postings), 0)::bigint as postings,
        sha256(coalesce(string_agg(sha256(convert_to(t.head || coalesce(p.lines, ''), 'UTF8')), ''::bytea
            order by t.posted_at, t.id), ''::bytea)) as content
    from t left join p on p.transaction = t.id
    """,
)


class DayContent(msgspec.Struct, frozen=True):
    """What the ledger has of a day.

    Attributes:
        transactions, postings: how many.
        content: their hash.
    """

    transactions: int
    postings: int
    content: bytes


class SealedDay(msgspec.Struct, frozen=True, kw_only=True):
    """A day as it was sealed.

    Attributes:
        day: in UTC.
        content: what it had.
        hash: ties it to the day before.
        signature: the vault's, over the hash.
    """

    day: date
    content: DayContent
    hash: bytes
    signature: Signature

    @classmethod
    def of(cls, row: Any) -> SealedDay:
        """The day in a row of ``settlement_ledger_day``."""
        return cls(
            day=row["day"],
            content=DayContent(row["transactions"], row["postings"], row["content"]),
            hash=row["hash"],
            signature=Signature(row["key_version"], row["mac"]),
        )


def bounds(day: date) -> tuple[datetime, datetime]:
    """The first moment of a day, and that of the next one."""
    start = datetime(day.year, day.month, day.day, tzinfo=UTC)
    return start, start + timedelta(days=1)


async def read_content(db: Database, day: date) -> DayContent:
    """Hash what the ledger has of a day now. One statement."""
    row = await db.fetchrow(_CONTENT, *bounds(day))
    assert row is not None  # noqa: S101 - an aggregate without GROUP BY has one row
    return DayContent(*row.values())


def day_hash(previous: bytes, day: date, content: DayContent) -> bytes:
    """The hash of a day, from that of the day before."""
    told = [day.isoformat(), content.transactions, content.postings, content.content.hex()]
    return sha256(previous + orjson.dumps(told)).digest()


def sign_day(vault: Vault, day: date, hash_: bytes) -> Signature:
    """Sign a day's hash."""
    return vault.sign(_DOMAIN, _message(day, hash_))


def is_genuine(vault: Vault, sealed: SealedDay) -> bool:
    """Whether a day is as it was signed.

    Raises:
        MasterKeyUnknownError: the ring lacks the signing key that it names.
    """
    return vault.is_signed(_DOMAIN, _message(sealed.day, sealed.hash), sealed.signature)


def _message(day: date, hash_: bytes) -> bytes:
    return orjson.dumps([day.isoformat(), hash_.hex()])
