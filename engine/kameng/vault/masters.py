"""The master keys in use: the ring of this process, checked against what the database knows, and their
rotation.

A version of the wrapping key is *staged* (in the ring), then *active* (registered in the database and the
newest there), then *old*, then removed. Only the active one wraps. With several machines, stage a version,
copy the ring to all of them, then rotate; no machine ever meets a data key that it cannot unwrap.
"""

from __future__ import annotations

import hmac
from typing import TYPE_CHECKING

import asyncpg

from kameng.vault import statements
from kameng.vault.errors import KeyRingForeignError, MasterKeyInUseError
from kameng.vault.key_ring import KeyRing, MasterKey, Purpose
from kameng.vault.ring_source import RingSource, locate

if TYPE_CHECKING:
    from kameng.db import Database
    from kameng.kernel import Kernel

_WRAPPING = Purpose.WRAPPING


class Masters:
    """The master keys of one kernel."""

    def __init__(self, kernel: Kernel) -> None:
        self._kernel = kernel
        self._ring: KeyRing | None = None
        self._checked = False

    @property
    def _db(self) -> Database:
        return self._kernel.db

    @property
    def source(self) -> RingSource:
        """Where the ring lies."""
        return locate(self._kernel.settings)

    @property
    def ring(self) -> KeyRing:
        """The ring, read on first use.

        Raises:
            KeyRingError: it is missing, exposed or no ring.
        """
        if self._ring is None:
            self._ring = self.source.read()
        return self._ring

    def get(self, version: int, purpose: Purpose = _WRAPPING) -> MasterKey:
        """A key by its version. A version that came since the ring was read is found by reading it again.

        Raises:
            MasterKeyUnknownError: the ring has none.
        """
        if all(key.version != version for key in self.ring.of(purpose)):
            self._take(self.source.read())
        return self.ring.get(version, purpose)

    async def check(self) -> None:
        """Make sure, once, that the ring belongs to this database.

        Raises:
            KeyRingForeignError: a version's key is another than the one that was used here.
        """
        if self._checked:
            return
        known = {row["version"]: row for row in await self._db.fetch(statements.KNOWN_MASTERS)}
        for key in self.ring.keys:
            row = known.get(key.version)
            if row and not (
                row["purpose"] == key.purpose and hmac.compare_digest(row["fingerprint"], key.fingerprint)
            ):
                raise KeyRingForeignError(
                    f"Version {key.version} of the master keys at {self.source.path or 'the environment'} "
                    "is not the key that this database was used with.",
                    cure="Put this deployment's own key ring there, or connect to its own database.",
                )
        self._checked = bool(known)

    async def active(self) -> MasterKey:
        """The key that wraps new data keys; inside a transaction it cannot be removed before its end.

        Raises:
            MasterKeyUnknownError: the ring of this process lacks it.
            KeyRingForeignError: the ring belongs to another database.
        """
        await self.check()
        version = await self._db.fetchval(statements.ACTIVE_MASTER)
        if version is None:
            await self._register(self.ring.keys)
            await self.check()
            version = await self._db.fetchval(statements.ACTIVE_MASTER)
        return self.get(version)

    async def stage(self) -> int:
        """Have a wrapping key in the ring that is newer than the active one; see `Vault.stage_master`."""
        async with self._db.transaction():
            await self._db.execute(statements.LOCK_ROTATION, statements.ROTATION_LOCK)
            active = await self.active()
            ring = self.source.read()
            if ring.newest(_WRAPPING).version <= active.version:
                ring = ring.with_new(_WRAPPING)
                self.source.replace(ring)
            self._take(ring)
        return ring.newest(_WRAPPING).version

    async def rotate(self) -> int:
        """Make the staged wrapping key the active one, staging one if there is none; see
        `Vault.rotate_master`.
        """
        async with self._db.transaction():
            version = await self.stage()
            await self._register((self.ring.get(version, _WRAPPING),))
        return version

    async def remove(self, version: int) -> None:
        """Forget an old wrapping key."""
        async with self._db.transaction():
            await self._db.execute(statements.LOCK_ROTATION, statements.ROTATION_LOCK)
            active = await self.active()
            self._take(self.source.read())
            self.ring.get(version, _WRAPPING)
            if version >= active.version:
                raise MasterKeyInUseError(
                    f"Master key {version} cannot be removed: it is the active one or staged to be.",
                    cure="Rotate first.",
                )
            try:
                async with self._db.transaction():
                    await self._db.execute(statements.REMOVE_MASTER, version)
            # PostgreSQL 18 calls it a restrict violation, earlier versions a foreign key violation.
            except (asyncpg.RestrictViolationError, asyncpg.ForeignKeyViolationError):
                usage = await self.usage()
                raise MasterKeyInUseError(
                    f"Master key {version} still wraps {usage[version]} data keys.",
                    cure="Run the re-wrapping to its end.",
                ) from None
        # After the commit: should this fail, the version is still in the file, and repeating takes it out.
        ring = self.ring.without(version)
        self.source.replace(ring)
        self._take(ring)

    async def usage(self) -> dict[int, int]:
        """How many data keys each registered wrapping key wraps."""
        return {row["version"]: row["keys"] for row in await self._db.fetch(statements.MASTER_USAGE)}

    async def _register(self, keys: tuple[MasterKey, ...]) -> None:
        await self._db.execute(
            statements.REGISTER,
            [key.version for key in keys],
            [key.purpose.value for key in keys],
            [key.fingerprint for key in keys],
            [key.created for key in keys],
        )

    def _take(self, ring: KeyRing) -> None:
        self._ring = ring
        self._checked = False
