"""Reading a multipart request as it comes in: nothing of a file is ever held in memory but the piece under way.

The order that the specification demands makes that possible: ``operations`` and ``map`` come before the files, so by the first
byte of a file it is known who sends it, whether the operation takes it and how large it may become.
"""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import AsyncIterator, Iterator, Mapping
from collections.abc import Set as AbstractSet
from contextlib import ExitStack
from dataclasses import dataclass
from hashlib import sha256
from pathlib import PurePosixPath, PureWindowsPath
from typing import Any, BinaryIO, cast

import msgspec
from litestar.types import Receive
from multipart import (
    MultipartError,
    MultipartSegment,
    ParserLimitReached,
    PushMultipartParser,
    parse_options_header,
)

from kameng.graphql.uploads.file import UploadedFile
from kameng.graphql.uploads.kinds import HEAD, contradiction
from kameng.graphql.uploads.placing import Place
from kameng.graphql.uploads.refusals import (
    UploadMalformed,
    UploadTooLarge,
    UploadTypeRefused,
)

MULTIPART = "multipart/form-data"

MAX_MAP = 20_000
"""Bytes of the part ``map``."""

LONGEST_NAME = 200
"""Characters of a file's name that are kept."""

_PIECE = 256 * 1024
# What is gathered of a file before it is written: one hop to a thread for each piece, so that a slow disk stops nobody else.

_OVERHEAD = 64 * 1024  # boundaries and headers


@dataclass(frozen=True, slots=True)
class UploadLimits:
    """What is taken.

    Attributes:
        files: files of a request.
        file_bytes: bytes of a file.
        total_bytes: bytes of all files of a request.
        import_bytes: bytes of a file of imports, and of all of them in a request; they do not count for the others.
        types: media types.
        operations_bytes: bytes of the part ``operations``.
    """

    files: int
    file_bytes: int
    total_bytes: int
    import_bytes: int
    types: frozenset[str]
    operations_bytes: int


class Parts:
    """The parts of one request, in their order.

    Args:
        receive: ASGI's.
        content_type: the request's ``Content-Type``.
        limits: what is taken.
        kept: closes the files when the request is over.

    Raises:
        UploadMalformed: the content type names no usable boundary.
    """

    def __init__(self, receive: Receive, content_type: str, limits: UploadLimits, kept: ExitStack) -> None:
        self._limits = limits
        self._kept = kept
        self._receive = receive
        _, options = parse_options_header(content_type)
        boundary = options.get("boundary", "")
        if not 1 <= len(boundary) <= 70 or not boundary.isascii():
            raise _malformed("The Content-Type names no boundary of 1 to 70 characters.")
        self._most = limits.total_bytes + limits.operations_bytes + MAX_MAP + _OVERHEAD
        self._size = 0
        self._ended = False
        parser = PushMultipartParser(boundary, max_header_count=4, max_header_size=2_000)
        self._events = self._parse(parser)

    async def _chunk(self) -> bytes:
        message: Any = await self._receive()
        if message["type"] == "http.disconnect":
            self._ended = True
            raise _malformed("The connection closed before the request was complete.")
        chunk: bytes = message.get("body", b"")
        self._ended = not message.get("more_body")
        self._size += len(chunk)
        if self._size > self._most:
            raise UploadTooLarge(
                f"The request has more than {self._most:,} bytes.", cure="Send fewer or smaller files."
            )
        return chunk

    async def _parse(self, parser: PushMultipartParser) -> AsyncIterator[MultipartSegment | bytes | None]:
        try:
            while not self._ended:
                # An empty piece would mean the end to the parser.
                if (chunk := await self._chunk()) and not parser.closed:
                    for event in cast("Iterator[MultipartSegment | bytes | None]", parser.parse(chunk)):
                        yield event
            parser.close()
        except ParserLimitReached as error:
            raise _malformed("A part's headers are too large or too many.") from error
        except MultipartError as error:
            raise _malformed("The body is no complete multipart/form-data.") from error

    async def text(self, name: str, most: int) -> Any:
        """The next part, which must bear this name and be JSON.

        Raises:
            UploadMalformed: it is another, or no JSON.
            UploadTooLarge: it is longer than that.
        """
        segment = await self._begin()
        if segment is None or segment.name != name:
            raise _malformed("The first two parts are `operations` and `map`, in this order.")
        content = bytearray()
        while (event := await anext(self._events)) is not None:
            content += cast("bytes", event)
            if len(content) > most:
                raise UploadTooLarge(
                    f"The part {name} has more than {most:,} bytes.", cure="Send less at once."
                )
        try:
            return msgspec.json.decode(content)
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            raise _malformed(f"The part {name} is no JSON.") from error

    async def files(
        self, places: Mapping[str, list[Place]], imports: AbstractSet[str]
    ) -> AsyncIterator[tuple[str, UploadedFile]]:
        """The files, each with its key; all of them that have a place, and no others.

        Args:
            places: as `placing.read_places` gave them.
            imports: the keys of those that jobs import.

        Raises:
            UploadMalformed: one is missing, comes twice or has no place.
            UploadTooLarge: one of them is, or all together.
            UploadTypeRefused: one is of a type that is not taken.
        """
        missing = dict.fromkeys(places)
        limits = self._limits
        most = {True: limits.import_bytes, False: limits.file_bytes}
        left = {True: limits.import_bytes, False: limits.total_bytes}
        if imports:
            self._most += limits.import_bytes
        while segment := await self._begin():
            key = segment.name or ""
            if key not in missing:
                raise _malformed(f"The part {key[:40]!r} has no place in `map`, or came before.")
            del missing[key]
            kind = key in imports
            file = await self._file(segment, most[kind], left[kind])
            left[kind] -= file.size
            yield key, file
        if missing:
            raise _malformed(f"The file {next(iter(missing))[:40]!r} of `map` did not come.")

    async def _begin(self) -> MultipartSegment | None:
        async for event in self._events:
            if isinstance(event, MultipartSegment):
                return event
        return None

    async def _file(
        self, segment: MultipartSegment, most: int, left: int, declared: str | None = None
    ) -> UploadedFile:
        name = file_name(segment)
        declared = (segment.content_type or "").lower() if declared is None else declared
        if segment.filename is None:
            raise _malformed(f"The part {segment.name!r} is no file: it has no file name.")
        if declared not in self._limits.types:
            raise UploadTypeRefused(
                f"{name} is declared as {declared[:60] or 'nothing'}, which is not taken.",
                cure=f"Taken are: {', '.join(sorted(self._limits.types))}.",
            )
        # Without a name on the disk: it is gone when it is closed, and when this process dies.
        opened = tempfile.TemporaryFile(prefix="kameng-upload-")  # noqa: SIM115 - it outlives this function
        file = cast("BinaryIO", self._kept.enter_context(opened))
        size, digest, head, waiting = 0, sha256(), b"", bytearray()
        while (event := await anext(self._events)) is not None:
            piece = cast("bytes", event)
            size += len(piece)
            if size > most:
                raise UploadTooLarge(
                    f"{name} may have {most:,} bytes; there are more.", cure="Send fewer or smaller files."
                )
            if size > left:
                raise UploadTooLarge(
                    f"All files together may have {max(left, self._limits.total_bytes):,} bytes; there are more.",
                    cure="Send fewer or smaller files.",
                )
            if len(head) < HEAD:
                head += piece[: HEAD - len(head)]
                if len(head) == HEAD:
                    _check_kind(name, declared, head)
            waiting += piece
            if len(waiting) >= _PIECE:
                await asyncio.to_thread(_write, file, digest, waiting)
                waiting = bytearray()
        _check_kind(name, declared, head)
        await asyncio.to_thread(_write, file, digest, waiting)
        file.flush()
        return UploadedFile(file, name=name, media_type=declared, size=size, sha256=digest.hexdigest())

    async def pass_over(self) -> None:
        """Read what is left of a refused request, and keep nothing of it: many clients listen only when they have sent all.

        No more than a request may have anyway; whoever sends more is cut off.
        """
        left = self._most
        while not self._ended and left > 0:
            message: Any = await self._receive()
            self._ended = message["type"] == "http.disconnect" or not message.get("more_body")
            left -= len(message.get("body", b""))


def _write(file: BinaryIO, digest: Any, piece: bytearray) -> None:
    digest.update(piece)
    file.write(piece)


def _check_kind(name: str, declared: str, head: bytes) -> None:
    found = contradiction(declared, head)
    if found is not None:
        raise UploadTypeRefused(
            f"{name} is declared as {declared}, but looks like a {found}.",
            cure="Declare what it is, or convert it.",
        )


def file_name(segment: MultipartSegment) -> str:
    """What the sender calls a file, without folders and what cannot be shown."""
    given = segment.filename or ""
    plain = PurePosixPath(PureWindowsPath(given).name).name
    return "".join(sign for sign in plain if sign.isprintable())[:LONGEST_NAME] or "file"


def _malformed(message: str) -> UploadMalformed:
    return UploadMalformed(
        message, cure="Send operations, map and the files, in this order, as multipart/form-data."
    )
