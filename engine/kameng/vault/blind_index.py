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

BLIND_INDEX_BYTES = 16
"""Length of a blind index."""


class BlindIndex:
    """The blind index of one domain.

    Args:
        key: the blind-index key of the ring.
        domain: what is indexed, such as ``catalog.card``.
    """

    __slots__ = ("_state",)

    def __init__(self, key: bytes, domain: str) -> None:
        # A key for each domain, so that no choice of plaintext in one can meet an index of another.
        own = hmac.digest(key, b"kameng.vault.blind_index\0" + domain.encode(), "sha256")
        self._state = hmac.new(own, digestmod="sha256")

    def of(self, plaintexts: Iterable[bytes]) -> list[bytes]:
        """The index of each plaintext."""
        copy = self._state.copy
        indexes = []
        for plaintext in plaintexts:
            state = copy()
            state.update(plaintext)
            indexes.append(state.digest()[:BLIND_INDEX_BYTES])
        return indexes
