"""What a file is: the media type that its sender declares, held against the bytes it begins with.

Neither alone is enough. A declared type costs a liar nothing, and bytes do not tell a CSV from a letter. So the declared type
must be one that is taken, and the bytes must not be those of something else.
"""

from __future__ import annotations

HEAD = 512
"""Bytes from the start of a file that are looked at."""

_ZIP = b"PK\x03\x04"

_SIGNATURES: tuple[tuple[str, bytes], ...] = (
    ("PNG image", b"\x89PNG\r\n\x1a\n"),
    ("JPEG image", b"\xff\xd8\xff"),
    ("GIF image", b"GIF87a"),
    ("GIF image", b"GIF89a"),
    ("PDF document", b"%PDF-"),
    ("ZIP archive", _ZIP),
    ("ZIP archive", b"PK\x05\x06"),
    ("old Office document", b"\xd0\xcf\x11\xe0"),
    ("gzip archive", b"\x1f\x8b"),
    ("7z archive", b"7z\xbc\xaf\x27\x1c"),
    ("program", b"\x7fELF"),
    ("program", b"MZ"),
)

_TEXT = "text"

_DECLARED: dict[str, str] = {
    "text/csv": _TEXT,
    "text/plain": _TEXT,
    "text/tab-separated-values": _TEXT,
    "application/json": _TEXT,
    "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet": "ZIP archive",
    "application/zip": "ZIP archive",
    "application/pdf": "PDF document",
    "image/png": "PNG image",
    "image/jpeg": "JPEG image",
    "image/gif": "GIF image",
    "image/webp": "WebP image",
}

_UTF_16 = (b"\xff\xfe", b"\xfe\xff")


def looks_like(head: bytes) -> str | None:
    """What a file's first bytes show it to be; None where they tell nothing.

    Args:
        head: its first `HEAD` bytes, or all of them if it has fewer.
    """
    if head[:4] == b"RIFF" and head[8:12] == b"WEBP":
        return "WebP image"
    for name, signature in _SIGNATURES:
        if head.startswith(signature):
            return name if name != "program" or not _is_text(head) else _TEXT
    return _TEXT if _is_text(head) else None


def _is_text(head: bytes) -> bool:
    return b"\0" not in head or head.startswith(_UTF_16)


def contradiction(declared: str, head: bytes) -> str | None:
    """What a file is instead of what it is declared to be; None where both agree as far as can be seen.

    Args:
        declared: a media type, without parameters.
        head: its first `HEAD` bytes.
    """
    found = looks_like(head)
    expected = _DECLARED.get(declared)
    if expected is None:
        # A type that the operator allowed and whose looks are not known here: anything but what is known to be another.
        return found if found not in (None, _TEXT) else None
    if expected == found or (not head and expected == _TEXT):
        return None
    return found or "binary file"
