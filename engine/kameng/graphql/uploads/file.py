"""A file that came with a request, and the scalar that takes it."""

from __future__ import annotations

import os
from typing import Any, BinaryIO

import strawberry
from graphql import GraphQLError, ValueNode

SPECIFICATION = "https://github.com/jaydenseric/graphql-multipart-request-spec"


class UploadedFile:
    """A file on this machine's disk for as long as the request runs; it has no name there and leaves nothing behind.

    Attributes:
        name: as the client calls it, without folders; for showing, never for opening anything.
        media_type: as the client declares it; it is one of those that are taken, and its first bytes agree.
        size: in bytes.
        sha256: of its content, in hexadecimal.
    """

    __slots__ = ("_file", "media_type", "name", "sha256", "size")

    def __init__(self, file: BinaryIO, *, name: str, media_type: str, size: int, sha256: str) -> None:
        self._file = file
        self.name = name
        self.media_type = media_type
        self.size = size
        self.sha256 = sha256

    def __repr__(self) -> str:
        # Two uploads of the same content are the same to an idempotency key, which compares what stands here.
        return f"UploadedFile({self.name!r}, {self.media_type!r}, {self.size}, {self.sha256!r})"

    def open(self) -> BinaryIO:
        """The file from its start; close it when done. Only one reader at a time: they would share a position."""
        self._file.seek(0)
        return os.fdopen(os.dup(self._file.fileno()), "rb")


def _taken(value: Any) -> UploadedFile:
    if isinstance(value, UploadedFile):
        return value
    raise GraphQLError("Upload is a file of a multipart request; it cannot be written as a value.")


def _literal(_node: ValueNode, _variables: Any = None) -> UploadedFile:
    raise GraphQLError("Upload is a file of a multipart request; pass it by a variable.")


def _shown(_value: Any) -> str:
    raise GraphQLError("Upload is for input alone.")


UPLOAD = strawberry.scalar(
    name="Upload",
    description="A file, sent beside the operation as the multipart request specification has it. For input alone.",
    specified_by_url=SPECIFICATION,
    serialize=_shown,
    parse_value=_taken,
    parse_literal=_literal,
)
"""The scalar ``Upload``."""
