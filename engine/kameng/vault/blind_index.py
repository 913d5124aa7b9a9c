"""Blind indexes: finding equal secrets without opening any.

An index is HMAC-SHA-256 under a key of its own, cut to 16 bytes: equal plaintexts of one domain have equal
indexes, other domains have unrelated ones. Two of a thousand million different secrets share one with a
chance below 2^-69.

Whoever holds the key can test guesses. An index of something guessable, such as a phone number, is therefore
personal data; one of a card secret is as safe as the secret is long.

**The key is not rotated like the others.** An index cannot be turned into one under another key, as only the
plaintext gives it. To replace the key, a module opens each secret, writes its index anew into a second
column, and switches over once that is complete; until then duplicates are found in the old column only. No
function here pretends to do so: it is the table's owner who knows its rows, and the ring refuses a second
blind-index key.
"""

from __future__ import annotations

import hmac
from collections.abc import Iterable
from hashlib import sha256

BLIND_INDEX_BYTES = 16
"""Length of a blind index."""

_BLOCK = 64
"""Bytes of a block of SHA-256."""


class BlindIndex:
    """The blind index of one domain.

    Args:
        key: the blind-index key of the ring.
        domain: what is indexed, such as ``catalog.card``.
    """

    __slots__ = ("_inner", "_outer")

    def __init__(self, key: bytes, domain: str) -> None:
        # A key for each domain, so that no choice of plaintext in one can meet an index of another.
        own = hmac.digest(key, b"kameng.vault.blind_index\0" + domain.encode(), "sha256")
        # HMAC as RFC 2104 defines it, from the states behind both padded keys: a third faster than the library's for
        # texts as short as these, which is what a million cards wait for.
        padded = own.ljust(_BLOCK, b"\0")
        self._inner = sha256(bytes(byte ^ 0x36 for byte in padded))
        self._outer = sha256(bytes(byte ^ 0x5C for byte in padded))

    def of(self, plaintexts: Iterable[bytes]) -> list[bytes]:
        """The index of each plaintext."""
        inner, outer = self._inner.copy, self._outer.copy
        indexes = []
        for plaintext in plaintexts:
            state = inner()
            state.update(plaintext)
            whole = outer()
            whole.update(state.digest())
            indexes.append(whole.digest()[:BLIND_INDEX_BYTES])
        return indexes
