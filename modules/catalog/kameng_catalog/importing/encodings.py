"""Which encoding a text file has: UTF-8 in most places, GB18030 where a Chinese spreadsheet wrote it."""

from __future__ import annotations

import codecs
from typing import BinaryIO

from kameng_catalog.importing.faults import UnreadableFile

_PIECE = 1 << 20
_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)


def encoding_of(file: BinaryIO, named: str | None = None) -> str:
    """The encoding of a file, found by reading all of it; leaves the file at its start.

    Args:
        file: the open file.
        named: the encoding that somebody says it has; None finds out.

    Raises:
        UnreadableFile: it has none of those we know, or not the one that was named.
    """
    start = file.read(4)
    file.seek(0)
    marked = next((name for mark, name in _MARKS if start.startswith(mark)), None)
    if named:
        return _checked(file, named, marked)
    if marked:
        return marked
    for candidate in ("utf-8", "gb18030"):
        if _unreadable_at(file, candidate) is None:
            return candidate
    raise UnreadableFile(
        "The file's text is neither UTF-8 nor GB18030.",
        cure="Save it as UTF-8, or name its encoding.",
    )


def _checked(file: BinaryIO, named: str, marked: str | None) -> str:
    try:
        canonical = codecs.lookup(named).name
    except LookupError:
        raise UnreadableFile(
            f"There is no encoding {named[:40]!r}.", cure="Name one such as utf-8 or gb18030."
        ) from None
    if canonical in ("utf-8", "utf-16") and marked:
        return marked
    place = _unreadable_at(file, canonical)
    if place is not None:
        raise UnreadableFile(
            f"The file's text is not {named}: byte {place + 1} does not fit.",
            cure="Leave the encoding out to have it found.",
        )
    return canonical


def _unreadable_at(file: BinaryIO, encoding: str) -> int | None:
    """The first byte that does not fit an encoding; None if all do."""
    decoder = codecs.getincrementaldecoder(encoding)()
    read = held = 0
    try:
        while piece := file.read(_PIECE):
            held = len(decoder.getstate()[0])
            decoder.decode(piece)
            read += len(piece)
        held = len(decoder.getstate()[0])
        decoder.decode(b"", final=True)
    except UnicodeDecodeError as error:
        return read - held + error.start
    finally:
        file.seek(0)
    return None
