"""Files that come with an operation, by the GraphQL multipart request specification.

A module takes one as an argument or input field of type `UploadedFile`, which the schema calls ``Upload``:

    @strawberry.input
    class ImportCardsInput:
        file: UploadedFile

    with input.file.open() as file: ...
"""

from kameng.graphql.uploads.file import UploadedFile
from kameng.graphql.uploads.refusals import (
    PreflightMissing,
    UploadMalformed,
    UploadTooLarge,
    UploadTooMany,
    UploadTypeRefused,
)

__all__ = [
    "PreflightMissing",
    "UploadMalformed",
    "UploadTooLarge",
    "UploadTooMany",
    "UploadTypeRefused",
    "UploadedFile",
]
