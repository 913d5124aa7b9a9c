"""Identifiers: UUIDv7 inside, Relay global ids outside.

UUIDv7 (RFC 9562 §5.7) grows with time, so that new rows land at the end of an index. A global id is the base64url of
the type's name, a colon and the sixteen bytes: opaque to clients, and checked on the way in.
"""

import binascii
from base64 import urlsafe_b64decode
from binascii import b2a_base64
from datetime import date
from functools import lru_cache
from uuid import UUID

import uuid_utils.compat

from kameng.errors import InvalidInput


def new_id() -> UUID:
    """A fresh UUIDv7."""
    return uuid_utils.compat.uuid7()


def global_id(type_name: str, key: UUID) -> str:
    """The Relay id of an object.

    >>> global_id("Product", UUID("01890000-0000-7000-8000-000000000001"))
    'UHJvZHVjdDoBiQAAAABwAIAAAAAAAAAB'
    """
    return b2a_base64(_prefix(type_name) + key.bytes, newline=False).translate(_URL_SAFE, b"=").decode()


_URL_SAFE = bytes.maketrans(b"+/", b"-_")


@lru_cache(maxsize=1_000)
def _prefix(type_name: str) -> bytes:
    return type_name.encode() + b":"


def parse_global_id(text: str) -> tuple[str, UUID]:
    """The type's name and the key behind a global id.

    Raises:
        InvalidInput: the text is no id of ours.
    """
    try:
        raw = urlsafe_b64decode(text + "=" * (-len(text) % 4))
        name, separator, key = raw[:-17].decode("ascii"), raw[-17:-16], raw[-16:]
        if (
            separator != b":"
            or not name.isidentifier()
            or global_id(name, UUID(bytes=key)) != text.rstrip("=")
        ):
            raise ValueError(text)
        return name, UUID(bytes=key)
    except (ValueError, binascii.Error) as error:
        raise InvalidInput(
            f"{text[:80]!r} is not an id of this shop.", cure="Use an id as a query returned it."
        ) from error


def key_of_day(day: date) -> UUID:
    """The key of what there is one of for each day: the day's number in the calendar."""
    return UUID(int=day.toordinal())


def day_of_key(key: UUID) -> date | None:
    """The day of a key that `key_of_day` made; None for other keys."""
    return date.fromordinal(key.int) if 0 < key.int <= date.max.toordinal() else None


def key_of(type_name: str, text: str) -> UUID:
    """The key behind a global id that must belong to ``type_name``.

    Raises:
        InvalidInput: the text is no id, or the id of something else.
    """
    name, key = parse_global_id(text)
    if name != type_name:
        raise InvalidInput(
            f"This is the id of a {name}, not of a {type_name}.", cure=f"Pass a {type_name}'s id."
        )
    return key
