"""What a process remembers of the sessions and tokens it has lately looked up.

Each purchase begins with such a look-up, so it should not cost a query. What makes remembering safe:

- an entry lives for seconds, and never beyond its session;
- whoever ends a session, or changes what a principal may do, tells all processes (see
  `kameng.auth.revocation`), and they `forget` that principal at once;
- while a process cannot hear that, it remembers nothing;
- an answer of the database that was under way when a principal was forgotten is not remembered, since it may
  be older.
"""

from __future__ import annotations

import time
from collections import OrderedDict
from dataclasses import dataclass

from kameng.auth.principal import Principal


@dataclass(frozen=True, slots=True)
class Known:
    """What was found behind a token.

    Attributes:
        principal: whose token it is.
        networks: addresses from which it holds, in CIDR form; none: from everywhere.
    """

    principal: Principal
    networks: tuple[str, ...] = ()


class Remembered:
    """Principals by the hash of their token, the least recently used leaving first.

    Args:
        size: entries kept at most; 0 keeps none.
        seconds: how long an entry lives at most.

    Attributes:
        listening: whether revocations are heard; set by who listens. Nothing is kept or told while they are
            not.
    """

    def __init__(self, size: int, seconds: float) -> None:
        self._size = size if seconds > 0 else 0
        self._seconds = seconds
        self._entries: OrderedDict[bytes, tuple[Known, float]] = OrderedDict()
        self._tokens: dict[str, set[bytes]] = {}
        self._age = 0
        self.listening = False

    @property
    def enabled(self) -> bool:
        """Whether anything is ever kept."""
        return self._size > 0

    @property
    def age(self) -> int:
        """Counts what was forgotten; take it before asking the database, for `keep` to judge the answer."""
        return self._age

    def get(self, token_hash: bytes) -> Known | None:
        """What is known of a token, if it is."""
        entry = self._entries.get(token_hash)
        if entry is None or not self.listening:
            return None
        known, until = entry
        if time.monotonic() >= until:
            self._drop(token_hash)
            return None
        self._entries.move_to_end(token_hash)
        return known

    def keep(self, token_hash: bytes, known: Known, *, seconds: float, age: int) -> None:
        """Remember an answer of the database, for as long as it is allowed, and ``seconds`` at most."""
        if not self.listening or age != self._age or not self.enabled:
            return
        self._drop(token_hash)
        self._entries[token_hash] = known, time.monotonic() + min(seconds, self._seconds)
        self._tokens.setdefault(known.principal.key, set()).add(token_hash)
        if len(self._entries) > self._size:
            self._drop(next(iter(self._entries)))

    def forget(self, principal_key: str) -> None:
        """Forget a principal, with all its tokens."""
        self._age += 1
        for token_hash in tuple(self._tokens.get(principal_key, ())):
            self._drop(token_hash)

    def forget_all(self) -> None:
        """Forget everybody."""
        self._age += 1
        self._entries.clear()
        self._tokens.clear()

    def __len__(self) -> int:
        return len(self._entries)

    def _drop(self, token_hash: bytes) -> None:
        entry = self._entries.pop(token_hash, None)
        if entry is not None:
            key = entry[0].principal.key
            self._tokens[key].discard(token_hash)
            if not self._tokens[key]:
                del self._tokens[key]
