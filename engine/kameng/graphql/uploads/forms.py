"""Reading a form of a page that brings files: ``multipart/form-data`` as browsers write it.

A browser sends fields in the order in which the page has them. The hidden ones come first, so by the first byte of a file it is
known whether the form is our own page's and who sends it. A file that is refused ends as an error at its field; what was typed
into the others is kept, so that the form can be shown again.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field
from typing import Any, cast

from litestar.types import Receive
from multipart import MultipartSegment

from kameng.errors import Refusal
from kameng.graphql.uploads.reading import Parts, UploadLimits, file_name
from kameng.graphql.uploads.refusals import UploadTooLarge, UploadTooMany, UploadTypeRefused
from kameng.graphql.wire import MAX_BODY

_UNSURE = frozenset(
    ("", "application/octet-stream", "application/vnd.ms-excel", "application/x-zip-compressed")
)
_BY_SUFFIX: Mapping[str, str] = {
    ".csv": "text/csv",
    ".tsv": "text/tab-separated-values",
    ".txt": "text/plain",
    ".xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    ".zip": "application/zip",
}
# Browsers take the type from what is installed: a CSV is Excel's on a machine with Office, and nothing in particular elsewhere.


@dataclass(slots=True)
class FormParts:
    """What a form sent.

    Attributes:
        pairs: names and values in order; a value is a text or an `UploadedFile`.
        refused: why a file was not taken, by the name of its field.
    """

    pairs: list[tuple[str, Any]] = field(default_factory=list)
    refused: dict[str, Refusal] = field(default_factory=dict)


class FormReader(Parts):
    """Reads one form.

    Args:
        receive: ASGI's.
        content_type: the request's ``Content-Type``.
        limits: what is taken.
        kept: closes the files when the request is over.

    Raises:
        UploadMalformed: the content type names no usable boundary.
    """

    def __init__(self, receive: Receive, content_type: str, limits: UploadLimits, kept: ExitStack) -> None:
        super().__init__(receive, content_type, limits, kept)
        self._found = FormParts()
        self._text_left = MAX_BODY
        self._files = 0
        self._left = {True: limits.import_bytes, False: limits.total_bytes}

    async def read(
        self,
        admit: Callable[[Mapping[str, str], str], None],
        kind_of: Callable[[str], str | None],
        most_fields: int,
    ) -> FormParts:
        """All fields and files.

        Args:
            admit: is given the texts so far and the kind of a file before that is read, and raises where it may not be sent.
            kind_of: what a field takes: ``"file"``, ``"import"`` for one that a job reads, None for no file.
            most_fields: fields after these are not looked at.

        Raises:
            UploadMalformed: it is no complete form.
            UploadTooLarge: its texts are too long.
        """
        found = self._found
        while segment := await self._begin():
            name = segment.name or ""
            if len(found.pairs) >= most_fields:
                continue
            if segment.filename is None:
                found.pairs.append((name, await self._typed()))
                continue
            kind = kind_of(name) if segment.filename else None
            if kind is None:
                # Browsers send an empty part where no file was chosen. A file where none belongs is passed over.
                found.pairs.append((name, ""))
                continue
            admit({name: value for name, value in found.pairs if isinstance(value, str)}, kind)
            await self._take(segment, name, imported=kind == "import")
        return found

    async def _typed(self) -> str:
        content = bytearray()
        while (event := await anext(self._events)) is not None:
            content += cast("bytes", event)
            self._text_left -= len(cast("bytes", event))
            if self._text_left < 0:
                raise UploadTooLarge(
                    f"The fields of the form have more than {MAX_BODY:,} bytes.",
                    cure="Write less, or send a file.",
                )
        return content.decode("utf-8", "replace")

    async def _take(self, segment: MultipartSegment, name: str, *, imported: bool) -> None:
        limits = self._limits
        self._files += 1
        if self._files > limits.files:
            refusal = UploadTooMany(
                f"{limits.files} files are taken at once.", cure="Send the others afterwards."
            )
            self._found.refused.setdefault(name, refusal)
            return
        if imported:
            self._most += limits.import_bytes
        most = limits.import_bytes if imported else limits.file_bytes
        declared = _declared(segment)
        try:
            file = await self._file(segment, most, self._left[imported], declared)
        except (UploadTooLarge, UploadTypeRefused) as refusal:
            # What comes after it is read all the same, unless the whole request is too large: then nothing comes any more.
            self._found.refused.setdefault(name, refusal)
            return
        self._left[imported] -= file.size
        self._found.pairs.append((name, file))


def _declared(segment: MultipartSegment) -> str:
    declared = (segment.content_type or "").partition(";")[0].strip().lower()
    name = file_name(segment).lower()
    suffix = name[name.rfind(".") :] if "." in name else ""
    return _BY_SUFFIX.get(suffix, declared) if declared in _UNSURE else declared
