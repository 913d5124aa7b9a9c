"""The secret texts that we hand out: how they are made, recognised and kept.

A text is shown once, to whom it is for; a database or a log keeps at most its SHA-256. A plain hash is
enough: unlike a password, 256 random bits cannot be guessed, so there is nothing that a slow hash would
protect.

- a session's token: ``kms_`` and 43 characters of base64url;
- an API token: ``kmg_<prefix>_<secret>`` of letters and digits. The prefix is public and names the token in
  lists; the secret ends in six characters of CRC-32 over all before them, so that a typing error, or noise
  that a scanner for leaked secrets comes across, is told from a token without asking a database;
- a one-time token: 43 characters of base64url, fit for a link.
"""

import re
import secrets
import string
from hashlib import sha256
from zlib import crc32

ALPHABET = string.digits + string.ascii_uppercase + string.ascii_lowercase
"""The 62 digits of API tokens, in order of value."""

_SESSION = re.compile(r"kms_[A-Za-z0-9_-]{43}")
_API = re.compile(r"kmg_[A-Za-z0-9]{8}_[A-Za-z0-9]{49}")
_ONE_TIME = re.compile(r"[A-Za-z0-9_-]{43}")
_CHECK_LENGTH = 6  # 62**6 > 2**32


def digest(text: str) -> bytes:
    """What is kept of a token: its SHA-256, 32 bytes."""
    return sha256(text.encode()).digest()


def new_session_token() -> str:
    """A fresh token of a session."""
    return f"kms_{secrets.token_urlsafe(32)}"


def is_session_token(text: str) -> bool:
    """Whether a text has the form of a session's token."""
    return _SESSION.fullmatch(text) is not None


def new_one_time_token() -> str:
    """A fresh one-time token."""
    return secrets.token_urlsafe(32)


def is_one_time_token(text: str) -> bool:
    """Whether a text has the form of a one-time token."""
    return _ONE_TIME.fullmatch(text) is not None


def new_api_token() -> tuple[str, str]:
    """A fresh API token: its public prefix and its text."""
    prefix = "".join(secrets.choice(ALPHABET) for _ in range(8))
    body = "".join(secrets.choice(ALPHABET) for _ in range(43))  # 62**43 > 2**256
    head = f"kmg_{prefix}_{body}"
    return prefix, head + _check(head)


def is_api_token(text: str) -> bool:
    """Whether a text has the form of an API token, and its checksum fits."""
    return _API.fullmatch(text) is not None and text[-_CHECK_LENGTH:] == _check(text[:-_CHECK_LENGTH])


def _check(head: str) -> str:
    number, digits = crc32(head.encode()), ""
    for _ in range(_CHECK_LENGTH):
        number, digit = divmod(number, len(ALPHABET))
        digits = ALPHABET[digit] + digits
    return digits
