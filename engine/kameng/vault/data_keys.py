"""Data keys: made, stored wrapped, kept unwrapped for a while, wrapped anew after a rotation."""

from __future__ import annotations

import os
import time
from collections import OrderedDict
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any
from uuid import UUID

from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from kameng.ids import new_id
from kameng.vault import statements
from kameng.vault.errors import DataKeyBrokenError, DataKeySpentError, DataKeyUnknownError
from kameng.vault.key_ring import KEY_BYTES
from kameng.vault.masters import Masters
from kameng.vault.sealing import MESSAGES_PER_KEY, seal_columns, unwrap, wrap

if TYPE_CHECKING:
    from kameng.db import Database, Scope
    from kameng.kernel import Kernel

CACHED_KEYS = 1024
"""How many unwrapped data keys a process keeps."""

CACHED_SECONDS = 300.0
"""How long it keeps one; so long may another process still open what was shredded."""

ALLOWANCE = 1024
"""How many messages a process asks for at once when it shares a scope's current key with others."""


class DataKey:
    """A data key that may seal some more messages.

    Attributes:
        id: what to store beside each sealed value, to open it.
        scope: what it is for.
        remaining: how many messages it may still seal.
    """

    __slots__ = ("_aead", "id", "remaining", "scope")

    def __init__(self, key_id: UUID, scope: str, aead: AESGCM, remaining: int) -> None:
        self.id = key_id
        self.scope = scope
        self.remaining = remaining
        self._aead = aead

    def __repr__(self) -> str:
        return f"DataKey({self.id}, {self.scope!r}, remaining={self.remaining})"

    def seal(self, plaintext: bytes, aad: bytes) -> bytes:
        """Seal one value.

        Args:
            plaintext: the secret.
            aad: what it belongs to, such as the id of its row; the same is needed to open it.

        Raises:
            DataKeySpentError: the key has sealed as many messages as it may.
        """
        return self.seal_all([(plaintext, aad)])[0]

    def seal_all(self, items: Sequence[tuple[bytes, bytes]]) -> list[bytes]:
        """Seal many; `Vault.seal_many` does so off the event loop.

        Raises:
            DataKeySpentError: the key may not seal as many; it has sealed none of them.
        """
        return self.seal_columns([plaintext for plaintext, _ in items], [aad for _, aad in items])

    def seal_columns(self, plaintexts: Sequence[bytes], aads: Sequence[bytes]) -> list[bytes]:
        """As `seal_all`, for plaintexts and associated data that come apart."""
        self.portion(len(plaintexts))
        return seal_columns(self._aead, plaintexts, aads)

    def portion(self, messages: int) -> DataKey:
        """The same key, allowed that many messages, which are taken from this one.

        Raises:
            DataKeySpentError: so many are not left.
        """
        if messages > self.remaining:
            raise DataKeySpentError(
                f"Data key {self.id} may seal {self.remaining} more messages, not {messages}.",
                cure="Take a new key for each batch, or the scope's current one.",
            )
        self.remaining -= messages
        return DataKey(self.id, self.scope, self._aead, messages)


class DataKeys:
    """The data keys of one kernel."""

    def __init__(self, kernel: Kernel, masters: Masters) -> None:
        self._kernel = kernel
        self._masters = masters
        self._unwrapped: OrderedDict[UUID, tuple[AESGCM, float]] = OrderedDict()
        self._current: OrderedDict[str, tuple[DataKey, float]] = OrderedDict()

    @property
    def _db(self) -> Database:
        return self._kernel.db

    async def create(self, scope: str, allowed: int = MESSAGES_PER_KEY) -> DataKey:
        """A fresh key; see `Vault.new_key`."""
        if allowed > MESSAGES_PER_KEY:
            raise DataKeySpentError(
                f"A data key seals {MESSAGES_PER_KEY} messages at most, not {allowed}.",
                cure="Split them into batches.",
            )
        async with self._db.transaction():
            master = await self._masters.active()
            key_id, key = new_id(), os.urandom(KEY_BYTES)
            wrapped = wrap(master.secret.reveal(), master.version, key_id, scope, key)
            await self._db.execute(statements.ADD_KEY, key_id, scope, wrapped, master.version, allowed)
        return DataKey(key_id, scope, AESGCM(key), allowed)

    async def current(self, scope: str, messages: int) -> DataKey:
        """The scope's key for single messages; see `Vault.current_key`."""
        cached = self._current.get(scope)
        if cached and cached[1] > time.monotonic() and cached[0].remaining >= messages:
            return cached[0].portion(messages)
        allowance = max(messages, ALLOWANCE)
        async with self._db.transaction() as work:
            row = await self._db.fetchrow(statements.ALLOW_MORE, scope, allowance, MESSAGES_PER_KEY)
            if row is not None:
                await self._masters.check()
                key = DataKey(row["id"], scope, self._unwrap(row), allowance)
            else:
                await self._db.execute(statements.RETIRE, scope)
                key = await self.create(scope, allowance)
            own = key.portion(messages)
            # Only a committed key may serve others: one that is rolled back could never be opened again.
            work.after_commit(lambda: self._keep_current(key))
        return own

    async def find(self, ids: Iterable[UUID]) -> dict[UUID, AESGCM]:
        """The unwrapped keys.

        Raises:
            DataKeyUnknownError: one does not exist.
            DataKeyBrokenError: one does not authenticate.
        """
        now = time.monotonic()
        found: dict[UUID, AESGCM] = {}
        missing = []
        for key_id in set(ids):
            cached = self._unwrapped.get(key_id)
            if cached and cached[1] > now:
                found[key_id] = cached[0]
                self._unwrapped.move_to_end(key_id)
            else:
                missing.append(key_id)
        if missing:
            await self._masters.check()
            for row in await self._db.fetch(statements.KEYS, missing):
                found[row["id"]] = self._unwrap(row)
                self._keep(row["id"], found[row["id"]])
        for key_id in missing:
            if key_id not in found:
                raise DataKeyUnknownError(
                    f"There is no data key {key_id}.",
                    cure="What it sealed was shredded, or the key's row is missing.",
                )
        return found

    async def retire(self, scope: str) -> None:
        """Let the scope's keys seal no more; see `Vault.retire`."""
        async with self._db.transaction() as work:
            await self._db.execute(statements.RETIRE, scope)
            self._forget_with(work, scope)

    async def shred(self, scope: str) -> int:
        """Destroy the scope's keys; see `Vault.shred`."""
        async with self._db.transaction() as work:
            ids = [row["id"] for row in await self._db.fetch(statements.SHRED, scope)]
            self._forget_with(work, scope, ids)
        return len(ids)

    async def rewrap(self, batch: int) -> int:
        """Wrap all keys by the active master key; see `Vault.rewrap`."""
        total = 0
        while True:
            async with self._db.transaction():
                master = await self._masters.active()
                rows = await self._db.fetch(statements.KEYS_OF_OTHER_MASTERS, master.version, batch)
                if not rows:
                    return total
                secret, ids, wrapped = master.secret.reveal(), [], []
                for row in rows:
                    key = self._unwrap_bytes(row)
                    again = wrap(secret, master.version, row["id"], row["scope"], key)
                    # Nothing replaces a readable key before it has been read back.
                    if unwrap(secret, master.version, row["id"], row["scope"], again) != key:
                        raise DataKeyBrokenError(
                            f"Data key {row['id']} was not wrapped as it was.", cure="Check the machine."
                        )
                    ids.append(row["id"])
                    wrapped.append(again)
                await self._db.execute(statements.REWRAP, ids, wrapped, master.version)
            total += len(rows)

    def _unwrap(self, row: Any) -> AESGCM:
        return AESGCM(self._unwrap_bytes(row))

    def _unwrap_bytes(self, row: Any) -> bytes:
        master = self._masters.get(row["master_version"])
        return unwrap(master.secret.reveal(), master.version, row["id"], row["scope"], row["wrapped"])

    def _forget_with(self, work: Scope, scope: str, ids: Iterable[UUID] = ()) -> None:
        def forget() -> None:
            self._current.pop(scope, None)
            for key_id in ids:
                self._unwrapped.pop(key_id, None)

        forget()
        work.after_commit(forget)  # until then others still find the keys, and may keep them again

    def _keep(self, key_id: UUID, aead: AESGCM) -> None:
        self._unwrapped[key_id] = (aead, time.monotonic() + CACHED_SECONDS)
        self._unwrapped.move_to_end(key_id)
        while len(self._unwrapped) > CACHED_KEYS:
            self._unwrapped.popitem(last=False)

    def _keep_current(self, key: DataKey) -> None:
        self._current[key.scope] = (key, time.monotonic() + CACHED_SECONDS)
        self._current.move_to_end(key.scope)
        while len(self._current) > CACHED_KEYS:
            self._current.popitem(last=False)
