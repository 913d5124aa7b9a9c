"""The details of an entry: plain JSON, and never a secret.

What a client sent may be among them, so nothing in it can make the entry fail: characters that PostgreSQL
cannot store are replaced. What the program got wrong does fail: a type that is no JSON, too much of it, or a
`Secret`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import TypeAlias

import orjson

from kameng.audit.errors import AuditEntryError, SecretInEntryError
from kameng.vault import Secret

JSON: TypeAlias = "bool | int | float | str | Sequence[JSON] | Mapping[str, JSON] | None"
"""What JSON can hold."""

MASK = "***"
LONGEST_DETAILS = 32_768
"""Bytes of JSON that the details of one entry may have."""

_SECRET_WORDS = frozenset(
    {"password", "passwd", "passphrase", "secret", "token", "otp", "totp", "pin", "cvv", "cvc", "credential"}
    | {"authorization", "cookie", "apikey"}
)
_SECRET_PAIRS = frozenset(
    (("api", "key"), ("private", "key"), ("signing", "key"), ("card", "code"), ("access", "key"))
)
_WORD = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|[0-9]+")


def details_json(details: Mapping[str, JSON]) -> str:
    """Details as the JSON text that is stored; the values of keys that name a secret are masked.

    Raises:
        SecretInEntryError: a value is a `Secret`.
        AuditEntryError: a value is no JSON, or all together are longer than 32 KiB.
    """
    try:
        text = orjson.dumps(_clean(details, ()))
    except (TypeError, RecursionError) as error:
        raise AuditEntryError(
            f"The details of an audit entry are no JSON: {error}.", cure="Pass plain values."
        ) from error
    if len(text) > LONGEST_DETAILS:
        raise AuditEntryError(
            f"The details of an audit entry have {len(text)} bytes; {LONGEST_DETAILS} are the most.",
            cure="Name the things by their ids instead of copying them.",
        )
    return text.decode()


def storable(text: str) -> str:
    """Text without what PostgreSQL cannot store: NUL and lone surrogates become U+FFFD."""
    if text.isascii() and "\0" not in text:
        return text
    return text.replace("\0", "\ufffd").encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def names_secret(key: str) -> bool:
    """Whether a key names something that must not be written down, such as ``newPassword`` or ``api_key``."""
    words = [word.lower().removesuffix("s") for word in _WORD.findall(key)]
    return not _SECRET_WORDS.isdisjoint(words) or not _SECRET_PAIRS.isdisjoint(pairwise(words))


def _clean(value: object, path: tuple[str, ...]) -> object:
    if isinstance(value, str):
        return storable(value)
    if value is None or isinstance(value, bool | int | float):
        return value
    if isinstance(value, Secret):
        raise SecretInEntryError(
            f"The detail {'.'.join(path)} of an audit entry is a secret.", cure="Name it by its id instead."
        )
    if isinstance(value, Mapping):
        cleaned = {}
        for key, item in value.items():
            if not isinstance(key, str):
                raise TypeError(f"the key {key!r} is no text")
            inner = _clean(item, (*path, key))
            cleaned[storable(key)] = MASK if names_secret(key) and item is not None else inner
        return cleaned
    if isinstance(value, list | tuple):
        return [_clean(item, (*path, str(index))) for index, item in enumerate(value)]
    raise TypeError(f"{'.'.join(path) or 'the whole'} is of type {type(value).__name__}")
