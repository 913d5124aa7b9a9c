"""Why a request with files is refused before anything of it runs."""

from __future__ import annotations

from kameng.errors import Forbidden, InvalidInput


class UploadMalformed(InvalidInput):
    """The request does not follow the multipart request specification, or ended early."""

    code = "UPLOAD_MALFORMED"


class UploadTooLarge(InvalidInput):
    """A file, or all files of a request together, exceed what is taken."""

    code = "UPLOAD_TOO_LARGE"


class UploadTooMany(InvalidInput):
    """The request brings more files than are taken at once."""

    code = "UPLOAD_TOO_MANY"


class UploadTypeRefused(InvalidInput):
    """A file is of a type that is not taken, or is not what it says it is."""

    code = "UPLOAD_TYPE_REFUSED"


class PreflightMissing(Forbidden):
    """The request lacks the header that no other site's page can send without asking."""

    code = "PREFLIGHT_MISSING"
