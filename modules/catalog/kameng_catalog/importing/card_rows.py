"""Sound lines as sealed rows of the vault, in PostgreSQL's binary form of COPY.

The form is made here by columns, since a row's way through a driver costs more than its encryption: most of a row is the same
for all cards of a variant, and joining bytes is done without a step of Python for each.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from datetime import date
from itertools import chain, repeat
from struct import Struct
from typing import TYPE_CHECKING
from uuid import UUID

from kameng.vault import BLIND_INDEX_BYTES
from kameng_catalog.importing.card_lines import CardColumns
from kameng_catalog.sealing import fingerprint_of, sealed_for

if TYPE_CHECKING:
    from kameng.vault import DataKey

COLUMNS = ("variant", "batch", "data_key", "expires_on", "number", "sealed", "blind_index")
"""The columns of a card, in the order in which they are copied: first those that many rows share."""

_LENGTH = Struct(">i").pack
_HEAD = b"PGCOPY\n\xff\r\n\0" + bytes(8)
_END = Struct(">h").pack(-1)
_FIELDS = Struct(">h").pack(len(COLUMNS))
_KEY = _LENGTH(16)
_NULL = _LENGTH(-1)
_INDEX = _LENGTH(BLIND_INDEX_BYTES)
_FIRST_DAY = date(2000, 1, 1).toordinal()
"""PostgreSQL counts days from here."""


@dataclass(frozen=True, slots=True)
class SealedRows:
    """Cards as they enter the vault, column by column.

    Attributes:
        lines, skus: of the file.
        indexes: their blind indexes.
        heads: of each row what many share: its variant, batch, data key and last day.
        numbers: each with its length.
        sealed: their sealed secrets.
        content: all rows as COPY takes them.
    """

    lines: Sequence[int]
    skus: Sequence[str]
    indexes: Sequence[bytes]
    heads: Sequence[bytes] = ()
    numbers: Sequence[bytes] = ()
    sealed: Sequence[bytes] = ()
    content: bytes = field(default=b"", repr=False)

    def __len__(self) -> int:
        return len(self.lines)

    def copied(self, without: AbstractSet[bytes]) -> bytes:
        """What COPY takes, without the rows that have one of these blind indexes."""
        rows = _rows(self.heads, self.numbers, self.sealed, self.indexes)
        return _joined(row for row in rows if row[-1] not in without)


def _rows(
    heads: Sequence[bytes], numbers: Sequence[bytes], sealed: Sequence[bytes], indexes: Sequence[bytes]
) -> Iterator[tuple[bytes, ...]]:
    lengths = map(_LENGTH, map(len, sealed))
    return zip(heads, numbers, lengths, sealed, repeat(_INDEX), indexes, strict=False)


def _joined(rows: Iterable[tuple[bytes, ...]]) -> bytes:
    return b"".join((_HEAD, *chain.from_iterable(rows), _END))


def fingerprints(cards: CardColumns) -> list[bytes]:
    """What two entries of the same card have in common, of each."""
    return list(map(fingerprint_of, cards.numbers, cards.secrets))


def sealed_rows(
    cards: CardColumns,
    indexes: Sequence[bytes],
    variants: Mapping[str, UUID],
    batch: UUID,
    key: DataKey,
    last_day: date | None,
) -> SealedRows:
    """The rows of cards, sealed; for a thread.

    Args:
        cards: sound lines.
        indexes: their blind indexes.
        variants: the keys of their variants by SKU.
        batch: their batch.
        key: seals them.
        last_day: of those cards that tell none.

    Raises:
        DataKeySpentError: the key may not seal as many.
    """
    places = {sku: sealed_for(variants[sku], b"") for sku in set(cards.skus)}
    associated = [places[sku] + index for sku, index in zip(cards.skus, indexes, strict=True)]
    sealed = key.seal_columns(list(map(str.encode, cards.secrets)), associated)
    shared = {
        (sku, day): _head(variants[sku], batch, key.id, day or last_day)
        for sku, day in set(zip(cards.skus, cards.days, strict=True))
    }
    heads = list(map(shared.__getitem__, zip(cards.skus, cards.days, strict=True)))
    numbers = [_LENGTH(len(text)) + text if text else _NULL for text in map(str.encode, cards.numbers)]
    content = _joined(_rows(heads, numbers, sealed, indexes))
    return SealedRows(cards.lines, cards.skus, indexes, heads, numbers, sealed, content)


def _head(variant: UUID, batch: UUID, key: UUID, day: date | None) -> bytes:
    expiry = _NULL if day is None else _LENGTH(4) + _LENGTH(day.toordinal() - _FIRST_DAY)
    return b"".join((_FIELDS, _KEY, variant.bytes, _KEY, batch.bytes, _KEY, key.bytes, expiry))
