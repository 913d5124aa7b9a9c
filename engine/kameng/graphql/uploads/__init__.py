"""Files that come with an operation, by the GraphQL multipart request specification.

A module takes one as an argument or input field of type `UploadedFile`, which the schema calls ``Upload``:

    @strawberry.input
    class ImportCardsInput:
        file: UploadedFile

    with input.file.open() as file: ...

A field of the back office's inputs whose file is read by a job says so by ``strawberry.field(metadata=IMPORTED)``; it takes
as much as ``[graphql] upload_import_bytes`` allows.
"""

from kameng.graphql.uploads.file import UploadedFile
from kameng.graphql.uploads.placing import IMPORTED
from kameng.graphql.uploads.refusals import (
    PreflightMissing,
    UploadMalformed,
    UploadTooLarge,
    UploadTooMany,
    UploadTypeRefused,
)

__all__ = [
    "IMPORTED",
    "PreflightMissing",
    "UploadMalformed",
    "UploadTooLarge",
    "UploadTooMany",
    "UploadTypeRefused",
    "UploadedFile",
]
