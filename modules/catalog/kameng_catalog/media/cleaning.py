"""Deleting pictures that nothing shows: their files, then their rows.

The store is no part of a transaction. So whoever brings a picture there or takes it away has the content for himself
meanwhile, by a lock of PostgreSQL that is no transaction either; if he dies, the row is still there, and the next one
finishes.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from kameng.db import Statement
from kameng.sites.logos import logos_in_use
from kameng_catalog.media.stores import Media, file_name, hash_in, thumbnail_name
from kameng_catalog.settings import CatalogSettings

if TYPE_CHECKING:
    from kameng.kernel import Kernel

_LOCK = "select pg_advisory_lock(hashtext('catalog.media'), hashtext($1))"

UNUSED = Statement(
    "catalog.unused_media",
    """
    select content_hash from catalog_media_file f
    where unused_since < now() - make_interval(days => $1)
        and not exists (select from catalog_product_media m where m.file = f.id)
    order by unused_since limit 1000
    """,
)

SHOWN_BY_SITES = Statement(
    "catalog.media_shown_by_sites",
    "update catalog_media_file set unused_since = now() where content_hash = $1 and unused_since is not null",
)
"""Files that a site's logo names: they are looked at again when they would have been deleted."""

STILL_UNUSED = Statement(
    "catalog.still_unused_media",
    """
    select id, extension, thumbnails from catalog_media_file f
    where content_hash = $1 and unused_since < now() - make_interval(days => $2)
        and not exists (select from catalog_product_media m where m.file = f.id)
    """,
)

KNOWN = Statement(
    "catalog.known_media", "select content_hash from catalog_media_file where content_hash = any($1::text[])"
)


@asynccontextmanager
async def alone_with(kernel: Kernel, content_hash: str) -> AsyncIterator[None]:
    """Have the files of a content for oneself, in the whole deployment."""
    async with kernel.db.connection() as connection:
        # Giving the connection back gives the lock back.
        await connection.execute(_LOCK, content_hash)
        yield


async def clean_media(kernel: Kernel) -> None:
    """Delete what nothing has shown for `[catalog.media] keep_days`, and files that no row names. Run once a day by a worker."""
    days = kernel.settings.section("catalog", CatalogSettings).media.keep_days
    while rows := await kernel.db.fetch(UNUSED, days):
        for row in rows:
            await _delete(kernel, row["content_hash"], days)
    store = kernel.services.get(Media).store
    async for names in store.names(datetime.now(UTC) - timedelta(days=days)):
        hashes = {name: content_hash for name in names if (content_hash := hash_in(name))}
        known = {row["content_hash"] for row in await kernel.db.fetch(KNOWN, list(set(hashes.values())))}
        for name, content_hash in hashes.items():
            if content_hash not in known:
                await _delete_nameless(kernel, name, content_hash)


async def _delete(kernel: Kernel, content_hash: str, days: int) -> None:
    store = kernel.services.get(Media).store
    async with alone_with(kernel, content_hash):
        row = await kernel.db.fetchrow(STILL_UNUSED, content_hash, days)
        if row is None:
            return
        names = [thumbnail_name(content_hash, width) for width in row["thumbnails"]]
        names.append(file_name(content_hash, row["extension"]))
        # Sites are a part that a deployment may do without, and then there are no logos.
        if kernel.module("sites") and await logos_in_use(kernel.db, names):
            await kernel.db.execute(SHOWN_BY_SITES, content_hash)
            return
        for name in names:
            await store.remove(name)
        await kernel.db.execute("delete from catalog_media_file where id = $1", row["id"])


async def _delete_nameless(kernel: Kernel, name: str, content_hash: str) -> None:
    async with alone_with(kernel, content_hash):
        if not await kernel.db.fetch(KNOWN, [content_hash]):
            await kernel.services.get(Media).store.remove(name)
