"""A file in pieces that end at line ends, as UTF-8, whatever its encoding and size.

Memory is bounded by the piece, not by the file.
"""

from __future__ import annotations

import codecs
from collections.abc import Iterator
from typing import BinaryIO

import msgspec
import polars as pl

from kameng_settlement.reconciliation.faults import UnreadableBill

PIECE = 8 << 20
"""Bytes that are read at once."""

LONGEST_LINE = 1 << 20
"""Bytes of a record; what has none of its ends within so many is no table."""

_MARK = codecs.BOM_UTF8


class Piece(msgspec.Struct):
    """Some whole lines.

    Attributes:
        text: UTF-8 with ``\\n`` at each line's end, the last one included.
        line: the number of its first line in the file, from 1.
    """

    text: bytes
    line: int


def pieces_of(file: BinaryIO, encoding: str, *, quoted: bool) -> Iterator[Piece]:
    """Read a file from where it stands.

    Args:
        file: opened for reading bytes.
        encoding: a codec's name, such as ``utf-8`` or ``gb18030``.
        quoted: whether cells may hold line ends between quotation marks.

    Raises:
        UnreadableBill: bytes that do not fit the encoding, or no line ends.
    """
    line, held, first = 1, b"", True
    while True:
        read = file.read(PIECE)
        if first:
            read, first = read.removeprefix(_MARK), False
        held += read
        if not read:
            if held:
                yield Piece(_utf_8(_ended(held, quoted=quoted), encoding, line), line)
            return
        cut = _cut(held, quoted=quoted)
        if cut == 0:
            if len(held) > max(PIECE, LONGEST_LINE) * 2:
                raise UnreadableBill(
                    "the file has no line ends where a table would have them.",
                    cure="Send the bill as the gateway gave it.",
                    line=line,
                )
            continue
        text = held[:cut]
        yield Piece(_utf_8(_ended(text, quoted=quoted), encoding, line), line)
        line += text.count(b"\n")
        held = held[cut:]


def _cut(data: bytes, *, quoted: bool) -> int:
    """How many bytes end with a record's end."""
    cut = data.rfind(b"\n") + 1
    while quoted and cut and data.count(b'"', 0, cut) % 2:
        # This line end stands inside a quoted cell.
        cut = data.rfind(b"\n", 0, cut - 1) + 1
    return cut


def _ended(data: bytes, *, quoted: bool) -> bytes:
    # Elsewhere a carriage return stands behind the last cell, as a blank does.
    data = data.replace(b"\r\n", b"\n") if quoted else data
    return data if data.endswith(b"\n") else data + b"\n"


def _utf_8(data: bytes, encoding: str, line: int) -> bytes:
    if b"\0" in data:
        raise UnreadableBill(
            "the file holds NUL characters, so it is no text.",
            cure="Send the file as the gateway gave it.",
            line=line + data.count(b"\n", 0, data.find(b"\0")),
        )
    if encoding == "utf-8" and _is_utf_8(data):
        return data
    try:
        return data.decode(encoding).encode()
    except UnicodeDecodeError as error:
        raise UnreadableBill(
            f"the bytes {data[error.start : error.start + 4].hex(' ')} are no {encoding}.",
            cure="Send the file as the gateway gave it, or name its encoding.",
            line=line + data.count(b"\n", 0, error.start),
        ) from error
    except LookupError as error:
        raise UnreadableBill(
            f"There is no encoding {encoding!r}.", cure="Name one such as utf-8 or gb18030."
        ) from error


def _is_utf_8(data: bytes) -> bool:
    """Whether bytes are UTF-8, without making a Python text of them."""
    try:
        pl.Series([data], dtype=pl.Binary).cast(pl.String)
    except pl.exceptions.ComputeError:
        return False
    return True
