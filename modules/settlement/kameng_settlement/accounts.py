"""Opening and finding accounts."""

from __future__ import annotations

from collections.abc import Iterable
from uuid import UUID

from kameng.db import Database
from kameng.ids import new_id
from kameng_settlement.chart import HOUSE, Address
from kameng_settlement.statements import FIND_ACCOUNTS, OPEN_ACCOUNTS


class Accounts:
    """The accounts of a ledger.

    The shop's own accounts are few, are never closed and take part in every posting, so their keys are
    remembered.

    Args:
        db: where they are.
    """

    def __init__(self, db: Database) -> None:
        self._db = db
        self._known: dict[Address, UUID] = {}

    async def open(self, addresses: Iterable[Address]) -> dict[Address, UUID]:
        """The keys of accounts; those that do not exist yet are opened, empty, with a floor of zero if
        bounded.

        No statement where all are known, one where all exist.
        """
        wanted = set(addresses)
        keys = {address: self._known[address] for address in wanted if address in self._known}
        missing = wanted - keys.keys()
        if missing:
            found = await self.find(missing)
            if unopened := missing - found.keys():
                await self._open(unopened)
                found |= await self.find(unopened)
            self._remember(found)
            keys |= found
        return keys

    async def find(self, addresses: Iterable[Address]) -> dict[Address, UUID]:
        """The keys of those accounts that exist. One statement."""
        by_key = {(address.kind.code, address.owner, address.currency): address for address in addresses}
        wanted = list(by_key.values())
        rows = await self._db.fetch(
            FIND_ACCOUNTS,
            [address.kind.code for address in wanted],
            [address.kind.owner_kind for address in wanted],
            [address.owner for address in wanted],
            [address.currency for address in wanted],
        )
        return {by_key[row["kind"], row["owner_id"], row["currency"]]: row["id"] for row in rows}

    async def _open(self, addresses: Iterable[Address]) -> None:
        wanted = list(addresses)
        await self._db.execute(
            OPEN_ACCOUNTS,
            [new_id() for _ in wanted],
            [address.kind.code for address in wanted],
            [address.kind.owner_kind for address in wanted],
            [address.owner for address in wanted],
            [address.currency for address in wanted],
            [address.kind.normal_side for address in wanted],
            [address.kind.bounded for address in wanted],
        )

    def _remember(self, found: dict[Address, UUID]) -> None:
        house = {address: key for address, key in found.items() if address.owner == HOUSE}
        scope = self._db.scope
        if scope is None:
            self._known.update(house)
        else:
            # An account that was opened in a transaction which then fails does not exist.
            scope.after_commit(lambda: self._known.update(house))
