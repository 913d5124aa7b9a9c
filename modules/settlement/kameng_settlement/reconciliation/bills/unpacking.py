"""What a file is wrapped in: Alipay sends archives, others compress."""

from __future__ import annotations

import gzip
import tempfile
import zipfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import BinaryIO, cast

from kameng_settlement.reconciliation.faults import UnreadableBill

MOST_UNPACKED = 4 << 30
"""Bytes that a bill may have when it is unpacked; more is a bomb."""

_PIECE = 1 << 20
_AGAIN = "Download the bill again, and send it as it came."


@contextmanager
def unpacked(file: BinaryIO, wanted: Callable[[str], bool]) -> Iterator[BinaryIO]:
    """The bill inside a file, whatever it is wrapped in.

    Args:
        file: at its start; stays open.
        wanted: tells by its name which member of an archive is the bill.

    Raises:
        UnreadableBill: a damaged archive, or one without a bill, or with several.
    """
    head = file.read(4)
    file.seek(0)
    if head[:2] == b"PK":
        with _from_archive(file, wanted) as inner:
            yield inner
    elif head[:2] == b"\x1f\x8b":
        with gzip.GzipFile(fileobj=file) as packed, _kept(cast("BinaryIO", packed)) as inner:
            yield inner
    else:
        yield file


@contextmanager
def _from_archive(file: BinaryIO, wanted: Callable[[str], bool]) -> Iterator[BinaryIO]:
    try:
        with zipfile.ZipFile(file) as archive:
            members = [item for item in archive.infolist() if not item.is_dir() and wanted(_name(item))]
            if len(members) != 1:
                names = ", ".join(_name(item) for item in archive.infolist()[:5]) or "nothing"
                raise UnreadableBill(
                    f"The archive holds {len(members)} bills of this format; it has: {names}.",
                    cure="Send the archive of one day as the gateway gave it.",
                )
            if members[0].flag_bits & 1:
                raise UnreadableBill("The archive is encrypted.", cure="Unpack it, and send the table.")
            with archive.open(members[0]) as packed, _kept(cast("BinaryIO", packed)) as inner:
                yield inner
    except zipfile.BadZipFile as error:
        raise UnreadableBill(f"The archive is damaged: {error}.", cure=_AGAIN) from error


@contextmanager
def _kept(packed: BinaryIO) -> Iterator[BinaryIO]:
    # On disk, so that its checksum is known to be right before the first row is taken.
    with cast("BinaryIO", tempfile.TemporaryFile(prefix="kameng-bill-")) as plain:
        size = 0
        try:
            while piece := packed.read(_PIECE):
                size += len(piece)
                if size > MOST_UNPACKED:
                    raise UnreadableBill(
                        f"The file unpacks to more than {MOST_UNPACKED >> 30} GB.",
                        cure="Send bills of one day, one at a time.",
                    )
                plain.write(piece)
        except (OSError, EOFError, zlib.error, zipfile.BadZipFile, NotImplementedError) as error:
            raise UnreadableBill(f"The archive is damaged: {error}.", cure=_AGAIN) from error
        plain.seek(0)
        yield plain


def _name(item: zipfile.ZipInfo) -> str:
    """The name of a member; Chinese gateways write it in GBK, which the format knows nothing of."""
    if item.flag_bits & 0x800:
        return item.filename
    try:
        return item.filename.encode("cp437").decode("gb18030")
    except (UnicodeEncodeError, UnicodeDecodeError):
        return item.filename
