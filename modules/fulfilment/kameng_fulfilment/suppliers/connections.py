"""Accounts with suppliers: saving them with their sealed settings, and opening them for a call."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final
from uuid import UUID

import asyncpg
import msgspec

from kameng.errors import Conflict, InvalidInput, NotFound
from kameng.ids import new_id
from kameng_fulfilment.settings import FulfilmentSettings
from kameng_fulfilment.supplier_contract import Supplier, SupplierProtocol
from kameng_fulfilment.suppliers.calling import Calls
from kameng_fulfilment.suppliers.connection_statements import (
    ADD_CONNECTION,
    CHANGE_CONNECTION,
    CONNECTIONS,
    LOCK_CONNECTION,
    REST_OVER,
    SET_CONNECTION_STATE,
)
from kameng_fulfilment.suppliers.protocols import known_protocols

if TYPE_CHECKING:
    from kameng.graphql import Context
    from kameng.kernel import Kernel

SCOPE: Final = "fulfilment.supplier_settings"
"""The scope of the data keys that seal accounts' settings."""

_NAME = re.compile(r"[^\x00-\x1f\x7f]{1,100}")


class SupplierSettingsWrong(InvalidInput):
    """The protocol is unknown, or the settings do not fit it."""

    code = "SUPPLIER_SETTINGS_WRONG"


class StoredConnection(msgspec.Struct, frozen=True, kw_only=True):
    """An account as it is stored; see the table."""

    id: UUID
    name: str
    protocol: str
    state: str
    sealed_settings: bytes
    data_key: UUID
    timeout_seconds: float
    concurrency: int
    failures: int
    resting_until: datetime | None
    created_at: datetime
    changed_at: datetime

    @property
    def actor(self) -> str:
        """What histories call it."""
        return f"supplier:{self.name}"


class ConnectionDraft(msgspec.Struct, frozen=True, kw_only=True):
    """An account as somebody wants it.

    Attributes:
        name: for people, unique.
        protocol: its name.
        settings: JSON of the protocol's settings; of an account that is changed, only what changes.
        timeout_seconds: how long one call may take.
        concurrency: calls under way at once, in the whole deployment.
    """

    name: str
    protocol: str
    settings: Mapping[str, Any]
    timeout_seconds: float = 15.0
    concurrency: int = 4


def connection_of(row: Mapping[str, Any]) -> StoredConnection:
    """A row of ``fulfilment_supplier_connection``."""
    return StoredConnection(**{name: row[name] for name in StoredConnection.__struct_fields__})


async def read_connections(kernel: Kernel, keys: Sequence[UUID]) -> dict[UUID, StoredConnection]:
    """Accounts by key."""
    return {row["id"]: connection_of(row) for row in await kernel.db.fetch(CONNECTIONS, list(set(keys)))}


async def open_connection(kernel: Kernel, connection: StoredConnection) -> Supplier:
    """The account, ready to be called.

    Raises:
        SupplierSettingsWrong: its protocol is not installed, or its settings do not fit it any more.
    """
    protocol = _protocol(connection.protocol)
    settings = _read(protocol, await _settings(kernel, connection))
    own = kernel.settings.section("fulfilment", FulfilmentSettings)
    calls = Calls(own, connection.timeout_seconds, lambda: kernel.db.scope is not None)
    return protocol.connect(settings, calls)


async def hidden_values(kernel: Kernel, connection: StoredConnection) -> tuple[str, ...]:
    """The account's secrets, to be struck out of whatever its supplier says."""
    protocol = known_protocols().get(connection.protocol)
    if protocol is None:
        return ()
    values = await _settings(kernel, connection)
    return tuple(str(values[key]) for key in sorted(protocol.secrets & values.keys()))


async def shown_settings(kernel: Kernel, connections: Sequence[StoredConnection]) -> list[dict[str, Any]]:
    """The settings of accounts, in order, without their secrets, of which it is told that they are there."""
    opened = await kernel.vault.open_many(
        [(each.data_key, each.sealed_settings, each.id.bytes) for each in connections]
    )
    found = []
    for connection, content in zip(connections, opened, strict=True):
        protocol = known_protocols().get(connection.protocol)
        values = msgspec.json.decode(content, type=dict[str, Any]) if protocol else {}
        hidden = protocol.secrets if protocol else frozenset()
        found.append({key: "***" if key in hidden else value for key, value in values.items()})
    return found


async def save_connection(context: Context, draft: ConnectionDraft, key: UUID | None = None) -> UUID:
    """Make an account, or change one; returns its key. Written into the audit log, without its settings.

    Raises:
        SupplierSettingsWrong: the protocol is unknown, or the settings do not fit it.
        InvalidInput: the name or a limit is unusable.
        NotFound: there is no such account.
        Conflict: there is another one of this name, or orders are open and it would speak another protocol.
    """
    kernel, db = context.kernel, context.db
    protocol = _protocol(draft.protocol)
    _check(draft)
    async with db.transaction():
        data_key = await kernel.vault.current_key(SCOPE)
        values: dict[str, Any] = {}
        if key is not None:
            row = await db.fetchrow(LOCK_CONNECTION, key)
            if row is None:
                raise _none()
            before = connection_of(row)
            if before.protocol != draft.protocol:
                raise Conflict(
                    "An account's protocol stays what it is: orders there are known by it.",
                    cure="Disable this account and make another one.",
                    path=("input", "protocol"),
                )
            values = await _settings(kernel, before)
        values |= draft.settings
        _read(protocol, values)
        own = key or new_id()
        [sealed] = await kernel.vault.seal_many(data_key, [(msgspec.json.encode(values), own.bytes)])
        try:
            async with db.transaction():
                await db.execute(
                    CHANGE_CONNECTION if key else ADD_CONNECTION,
                    own,
                    draft.name.strip(),
                    draft.protocol,
                    sealed,
                    data_key.id,
                    draft.timeout_seconds,
                    draft.concurrency,
                )
        except asyncpg.UniqueViolationError as error:
            raise Conflict(
                "There is an account of this name already.",
                cure="Give it another name.",
                path=("input", "name"),
            ) from error
        await kernel.audit.record(
            "fulfilment.supplier_connection_saved",
            principal=context.principal,
            subject=f"supplier_connection:{own}",
            details={
                "name": draft.name.strip(),
                "protocol": draft.protocol,
                "created": key is None,
                "changed": sorted(draft.settings),
            },
            correlation_id=context.correlation_id,
            address=context.address,
        )
    return own


async def set_connection_enabled(context: Context, key: UUID, *, enabled: bool) -> None:
    """Order there from now on, with a clean slate, or no more. What was ordered is asked about in either case.

    Raises:
        NotFound: there is no such account.
    """
    async with context.db.transaction():
        state = "enabled" if enabled else "disabled"
        if await context.db.fetchval(SET_CONNECTION_STATE, key, state) is None:
            raise _none()
        if enabled:
            await context.db.execute(REST_OVER, key)
        await context.kernel.audit.record(
            f"fulfilment.supplier_connection_{state}",
            principal=context.principal,
            subject=f"supplier_connection:{key}",
            correlation_id=context.correlation_id,
            address=context.address,
        )


async def _settings(kernel: Kernel, connection: StoredConnection) -> dict[str, Any]:
    sealed = connection.sealed_settings
    opened = await kernel.vault.open(connection.data_key, sealed, connection.id.bytes)
    return msgspec.json.decode(opened, type=dict[str, Any])


def _protocol(name: str) -> SupplierProtocol:
    protocol = known_protocols().get(name)
    if protocol is None:
        raise SupplierSettingsWrong(
            f"No installed package speaks the protocol {name[:40]!r}.",
            cure=f"Install one, or choose of: {', '.join(known_protocols()) or 'none'}.",
            path=("input", "protocol"),
        )
    return protocol


def _read(protocol: SupplierProtocol, values: Mapping[str, Any]) -> Any:
    try:
        return msgspec.convert(dict(values), protocol.settings)
    except msgspec.ValidationError as error:
        # msgspec names the field and the types, never the value.
        raise SupplierSettingsWrong(
            f"The settings do not fit the protocol {protocol.name}: {error}.",
            cure=f"Its fields are: {', '.join(protocol.settings.__struct_fields__)}.",
            path=("input", "settings"),
        ) from error


def _check(draft: ConnectionDraft) -> None:
    if not _NAME.fullmatch(draft.name.strip()):
        raise InvalidInput("A name has 1 to 100 plain characters.", path=("input", "name"))
    if not 1 <= draft.timeout_seconds <= 60:
        raise InvalidInput("A call may take 1 to 60 seconds.", path=("input", "timeoutSeconds"))
    if not 1 <= draft.concurrency <= 100:
        raise InvalidInput("1 to 100 calls may be under way.", path=("input", "concurrency"))


def _none() -> NotFound:
    return NotFound("There is no such account with a supplier.", cure="Check its id.")
