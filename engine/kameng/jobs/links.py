"""Links to the files of jobs: signed, good for some minutes, and of use only to whom they were given.

A link alone opens nothing: whoever follows it has to be logged in as the principal that it was made for, and still hold the
permission. So one that stands in a proxy's log or in a history is worth nothing.
"""

from __future__ import annotations

import binascii
import time
from base64 import urlsafe_b64decode, urlsafe_b64encode
from typing import TYPE_CHECKING
from uuid import UUID

from kameng.errors import Forbidden, NotFound
from kameng.vault.vault import Signature

if TYPE_CHECKING:
    from kameng.auth.principal import Principal
    from kameng.jobs.job import JobFile
    from kameng.kernel import Kernel

SECONDS = 300
"""How long a link is good for."""

PATH = "/jobs/files"
"""Where files are served."""

_DOMAIN = "kernel.job_file_link"
_NOBODY = UUID(int=0)
_MAC = 32
_VERSION = 4


def link_to(kernel: Kernel, file: JobFile, principal: Principal, *, now: float | None = None) -> str:
    """The path from which this principal can fetch a file for the next five minutes."""
    ends = int(time.time() if now is None else now) + SECONDS
    message = file.id.bytes + (principal.id or _NOBODY).bytes + ends.to_bytes(8, "big")
    signature = kernel.vault.sign(_DOMAIN, message)
    token = message + signature.version.to_bytes(_VERSION, "big") + signature.mac
    return f"{PATH}/{urlsafe_b64encode(token).decode().rstrip('=')}"


def file_of_link(kernel: Kernel, token: str, principal: Principal, *, now: float | None = None) -> UUID:
    """The key of the file that a link leads to.

    Raises:
        NotFound: it is no link of ours, or is over.
        Forbidden: it was made for somebody else.
    """
    try:
        raw = urlsafe_b64decode(token + "=" * (-len(token) % 4))
    except (ValueError, binascii.Error):
        raw = b""
    if urlsafe_b64encode(raw).decode().rstrip("=") != token:
        raw = b""  # one link has one form
    message, version, mac = raw[: -_MAC - _VERSION], raw[-_MAC - _VERSION : -_MAC], raw[-_MAC:]
    if len(message) != 40 or not _signed(kernel, message, version, mac):
        raise NotFound("There is no such file.", cure="Ask the job for its files again.")
    if int.from_bytes(message[32:], "big") < (time.time() if now is None else now):
        raise NotFound("This link is over.", cure="Ask the job for its files again.")
    if message[16:32] != (principal.id or _NOBODY).bytes:
        raise Forbidden("This link was made for somebody else.", cure="Ask the job for its files yourself.")
    return UUID(bytes=message[:16])


def _signed(kernel: Kernel, message: bytes, version: bytes, mac: bytes) -> bool:
    # Imported here: only a link with a version that this process lacks needs it.
    from kameng.vault.errors import MasterKeyUnknownError

    try:
        return kernel.vault.is_signed(_DOMAIN, message, Signature(int.from_bytes(version, "big"), mac))
    except MasterKeyUnknownError:
        return False
