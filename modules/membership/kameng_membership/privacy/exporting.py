"""The copy of a member's data: asked for, made by a worker, kept sealed for some days, fetched, gone."""

from __future__ import annotations

import asyncio
import io
import zipfile
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Final
from uuid import UUID

import msgspec
import orjson

from kameng.auth import PrincipalKind
from kameng.errors import Conflict, NotFound
from kameng.graphql import Context
from kameng.ids import new_id
from kameng.module import Task
from kameng_membership.credentials import membership_settings
from kameng_membership.privacy.statements import (
    ADD_EXPORT,
    END_EXPORTS,
    EXPORTS_OF,
    FAIL_STALE_EXPORTS,
    FINISH_EXPORT,
    PROFILE,
    READY_EXPORT,
    WAITING_EXPORT,
)
from kameng_membership.privacy_contract import personal_data
from kameng_membership.recipients.keeping import rows_of, saved_recipients

if TYPE_CHECKING:
    from kameng.kernel import Kernel

KEPT: Final = timedelta(days=7)
"""How long a copy can be fetched."""

_AT_ONCE = 100


class StoredExport(msgspec.Struct, frozen=True, kw_only=True):
    """A copy as it is listed."""

    id: UUID
    member: UUID
    state: str
    requested_at: datetime
    ready_at: datetime | None
    expires_at: datetime | None
    size: int


async def request_export(context: Context, member: UUID) -> StoredExport:
    """Have a copy of a member's data made by a worker.

    Raises:
        Conflict: one is being made.
        RateLimited: too many for a day.
    """
    kernel = context.kernel
    await kernel.auth.limiter.check("data_export", str(member), membership_settings(context).data_exports)
    async with context.db.transaction():
        row = await context.db.fetchrow(ADD_EXPORT, new_id(), member)
        if row is None:
            raise Conflict("A copy of your data is being made.", cure="Wait until it is ready.")
        await kernel.tasks.enqueue("membership.make_data_export", key=str(row["id"]), export=str(row["id"]))
        await kernel.audit.record(
            "membership.request_data_export",
            principal=context.principal,
            subject=f"member:{member}",
            correlation_id=context.correlation_id,
            address=context.address,
        )
    return _stored(row)


async def exports_of(kernel: Kernel, member: UUID) -> list[StoredExport]:
    """A member's latest copies, the newest first; ten at most."""
    return [_stored(row) for row in await kernel.db.fetch(EXPORTS_OF, member)]


async def fetch_export(kernel: Kernel, member: UUID, export: UUID) -> bytes:
    """The ZIP file of a copy.

    Raises:
        NotFound: there is none of this member's, or it is not ready, or over.
    """
    row = await kernel.db.fetchrow(READY_EXPORT, export, member)
    if row is None:
        raise NotFound("This copy is not kept any more.", cure="Ask for another one.")
    return await kernel.vault.open(row["data_key"], row["sealed"], export.bytes)


async def make_export(kernel: Kernel, *, export: str) -> None:
    """The task: collect everything and keep it, sealed by a key of its own. Once, however often it runs."""
    own = UUID(export)
    member = await kernel.db.fetchval(WAITING_EXPORT, own)
    if member is None:
        return
    content = await asyncio.to_thread(_packed, await collect(kernel, member))
    async with kernel.db.transaction():
        key = await kernel.vault.new_key(scope_of(own))
        [sealed] = await kernel.vault.seal_many(key, [(content, own.bytes)])
        await kernel.db.fetchval(FINISH_EXPORT, own, KEPT, len(content), key.id, sealed)


async def end_exports(kernel: Kernel) -> None:
    """The task: delete the content of copies that are over, and destroy their keys."""
    await kernel.db.execute(FAIL_STALE_EXPORTS)
    while True:
        async with kernel.db.transaction():
            rows = await kernel.db.fetch(END_EXPORTS, _AT_ONCE)
            for row in rows:
                await kernel.vault.shred(scope_of(UUID(int=row["id"].int)))
        if len(rows) < _AT_ONCE:
            return


async def collect(kernel: Kernel, member: UUID) -> dict[str, Sequence[Mapping[str, Any]]]:
    """All that the shop keeps about a member, by part."""
    sessions = await kernel.auth.sessions.list(PrincipalKind.MEMBER, member)
    parts: dict[str, Sequence[Mapping[str, Any]]] = {
        "profile": [dict(row) for row in await kernel.db.fetch(PROFILE, member)],
        "sessions": [msgspec.to_builtins(session) for session in sessions],
        "recipients": rows_of(await saved_recipients(kernel, member)),
    }
    for part in personal_data(kernel):
        parts[part.name] = await part.collect(kernel, member)
    return parts


def scope_of(export: UUID) -> str:
    """The vault's scope for a copy."""
    return f"membership.data_export:{export}"


def _packed(parts: Mapping[str, Sequence[Mapping[str, Any]]]) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, rows in parts.items():
            text = orjson.dumps(list(rows), option=orjson.OPT_INDENT_2, default=str)
            archive.writestr(f"{name}.json", text)
    return file.getvalue()


def _stored(row: Any) -> StoredExport:
    return StoredExport(**{name: row[name] for name in StoredExport.__struct_fields__})


MAKE_EXPORT = Task(name="make_data_export", call=make_export)
END_EXPORTS_TASK = Task(name="end_data_exports", call=end_exports, every=timedelta(hours=1))
