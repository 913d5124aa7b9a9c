"""The vault: envelope encryption, blind indexes, signatures, and the rotation of their keys."""

from __future__ import annotations

import asyncio
import hmac
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar
from uuid import UUID

from kameng.vault.blind_index import BlindIndex
from kameng.vault.data_keys import DataKey, DataKeys
from kameng.vault.key_ring import KeyRing, Purpose
from kameng.vault.masters import Masters
from kameng.vault.sealing import unseal

if TYPE_CHECKING:
    from kameng.kernel import Kernel

T = TypeVar("T")
R = TypeVar("R")

CHUNK = 2048
"""How many items a thread works on before others have their turn: about four milliseconds."""

INLINE = 256
"""Up to so many items the work is shorter than handing it to a thread."""


@dataclass(frozen=True, slots=True)
class Signature:
    """A signature by the deployment itself.

    Attributes:
        version: the version of the signing key.
        mac: HMAC-SHA-256, 32 bytes.
    """

    version: int
    mac: bytes


class Vault:
    """The vault of one kernel.

    A value is sealed by a data key, and the data key is stored wrapped by a master key that never touches the
    database. Bind each value to its place by the associated data (its row's id and what else must not be
    exchanged), and store ``key.id`` beside it:

        key = await kernel.vault.new_key(f"catalog.cards:{batch}")
        sealed = await kernel.vault.seal_many(key, [(code, card_id.bytes) for card_id, code in cards])
        …
        code = await kernel.vault.open(row["key_id"], row["sealed"], row["id"].bytes)

    The bulk calls run in threads, so that the event loop goes on; the cipher keeps Python's lock, so more
    threads are not faster.
    """

    def __init__(self, kernel: Kernel) -> None:
        self._masters = Masters(kernel)
        self._keys = DataKeys(kernel, self._masters)
        self._indexes: dict[str, BlindIndex] = {}

    def load_keys(self) -> KeyRing:
        """Read the master keys now instead of on first use, so that a deployment without them does not start.

        Raises:
            KeyRingMissingError: there are none; in development they are made.
            KeyRingExposedError: others than the owner may read the file.
            KeyRingInvalidError: the text is no key ring.
        """
        return self._masters.ring

    async def check_keys(self) -> None:
        """Make sure that the master keys belong to this database; every other call does so on first use.

        Raises:
            KeyRingError: see `load_keys`.
            KeyRingForeignError: they belong to another database.
        """
        await self._masters.check()

    # -- data keys -------------------------------------------------------------------------------------

    async def new_key(self, scope: str) -> DataKey:
        """A data key for one batch, with 2^20 messages to seal. It joins the transaction around it: if that
        is undone, so is the key, and what it sealed cannot be opened.

        Args:
            scope: what it is for, such as ``catalog.cards:<batch>``; part of the encryption, never changed.
        """
        return await self._keys.create(scope)

    async def current_key(self, scope: str, messages: int = 1) -> DataKey:
        """The scope's key for values that come one by one, allowed that many messages; a new one follows when
        it is spent.

        Processes share it: each reserves some messages at a time. The reservation joins the transaction
        around it, and makes another process wait for its end only when that needs a reservation too; so
        ask for the key before the transaction takes other locks.

        Raises:
            DataKeySpentError: more messages are asked for than one key may seal.
        """
        return await self._keys.current(scope, messages)

    async def retire(self, scope: str) -> None:
        """Have the scope's next value sealed by a new key. What is sealed stays readable; other processes use
        up what they reserved, for five minutes at most.
        """
        await self._keys.retire(scope)

    async def shred(self, scope: str) -> int:
        """Destroy the scope's data keys, so that nothing sealed by them can be opened again; returns how many
        there were.

        Backups still hold them, and other processes keep what they unwrapped for at most five minutes.
        """
        return await self._keys.shred(scope)

    # -- sealing ---------------------------------------------------------------------------------------

    async def open(self, key_id: UUID, sealed: bytes, aad: bytes) -> bytes:
        """Open one sealed value.

        Raises:
            DataKeyUnknownError: there is no such data key.
            DataKeyBrokenError: it does not authenticate.
            SealBrokenError: the value does not authenticate with that key and associated data.
            MasterKeyUnknownError: this process lacks the master key.
        """
        return (await self.open_many([(key_id, sealed, aad)]))[0]

    async def open_many(self, items: Sequence[tuple[UUID, bytes, bytes]]) -> list[bytes]:
        """Open many (data key's id, sealed value, associated data), in order: all of them, or none.

        Raises:
            VaultError: as `open`; ``index`` of a `SealBrokenError` tells which.
        """
        ids = await _in_chunks(lambda chunk, _first: list({key_id for key_id, _, _ in chunk}), items)
        keys = await self._keys.find(ids)
        return await _in_chunks(lambda chunk, first: unseal(keys, chunk, first), items)

    async def seal_many(self, key: DataKey, items: Sequence[tuple[bytes, bytes]]) -> list[bytes]:
        """Seal many (plaintext, associated data), in order.

        Raises:
            DataKeySpentError: the key may not seal as many; it has sealed none of them.
        """
        own = key.portion(len(items))
        return await _in_chunks(lambda chunk, _first: own.seal_all(chunk), items)

    # -- finding equals --------------------------------------------------------------------------------

    def blind_index(self, domain: str, plaintext: bytes) -> bytes:
        """Sixteen bytes that are equal for equal plaintexts of a domain, such as ``catalog.card``.

        Raises:
            KeyRingError: see `load_keys`.
        """
        return self.indexer(domain).of((plaintext,))[0]

    async def blind_index_many(self, domain: str, plaintexts: Sequence[bytes]) -> list[bytes]:
        """The blind index of each plaintext, in order."""
        index = self.indexer(domain)
        return await _in_chunks(lambda chunk, _first: index.of(chunk), plaintexts)

    def indexer(self, domain: str) -> BlindIndex:
        """What makes the blind indexes of a domain, for bulk work that has a thread of its own.

        Raises:
            KeyRingError: see `load_keys`.
        """
        index = self._indexes.get(domain)
        if index is None:
            key = self._masters.ring.newest(Purpose.BLIND_INDEX).secret.reveal()
            index = self._indexes[domain] = BlindIndex(key, domain)
        return index

    # -- signatures ------------------------------------------------------------------------------------

    def sign(self, domain: str, message: bytes) -> Signature:
        """Sign something that only this deployment may write, such as the head of the audit log."""
        key = self._masters.ring.newest(Purpose.SIGNING)
        return Signature(key.version, _mac(key.secret.reveal(), domain, message))

    def is_signed(self, domain: str, message: bytes, signature: Signature) -> bool:
        """Whether a signature is one of ours on this message.

        Raises:
            MasterKeyUnknownError: the ring lacks the signing key it names.
        """
        key = self._masters.get(signature.version, Purpose.SIGNING)
        return hmac.compare_digest(_mac(key.secret.reveal(), domain, message), signature.mac)

    # -- rotation --------------------------------------------------------------------------------------

    async def stage_master(self) -> int:
        """Add a wrapping key to the ring's file, unless one is staged, without using it yet; returns its
        version. With several machines, copy the file to all of them before `rotate_master`.

        Raises:
            KeyRingReadOnlyError: the ring cannot be changed from here.
        """
        return await self._masters.stage()

    async def rotate_master(self) -> int:
        """Wrap new data keys by a new master key from now on, the staged one if there is one; returns its
        version.

        Raises:
            KeyRingReadOnlyError: none is staged, and the ring cannot be changed from here.
        """
        return await self._masters.rotate()

    async def rewrap(self, batch: int = 500) -> int:
        """Wrap all data keys by the active master key; returns how many there were to do.

        Works in transactions of ``batch`` keys and keeps no state but the rows, so it can be stopped anywhere
        and run again. Sealed values are not touched, and shops go on meanwhile.

        Raises:
            DataKeyBrokenError: a stored key does not authenticate; those before it are done.
        """
        return await self._keys.rewrap(batch)

    async def master_usage(self) -> dict[int, int]:
        """How many data keys each wrapping key wraps, by version."""
        return await self._masters.usage()

    async def remove_master(self, version: int) -> None:
        """Take an old wrapping key out of the ring. Backups of the database from its time need it: keep a
        copy with them.

        Raises:
            MasterKeyInUseError: it is the active one, staged, or still wraps data keys.
            MasterKeyUnknownError: there is none of that version.
            KeyRingReadOnlyError: the ring cannot be changed from here.
        """
        await self._masters.remove(version)


async def _in_chunks(work: Callable[[Sequence[T], int], list[R]], items: Sequence[T]) -> list[R]:
    if len(items) <= INLINE:
        return work(items, 0)
    done: list[R] = []
    for first in range(0, len(items), CHUNK):
        done += await asyncio.to_thread(work, items[first : first + CHUNK], first)
    return done


def _mac(key: bytes, domain: str, message: bytes) -> bytes:
    own = hmac.digest(key, b"kameng.vault.signing\0" + domain.encode(), "sha256")
    return hmac.digest(own, message, "sha256")
