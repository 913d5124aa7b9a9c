"""Pictures of products: adding, describing, arranging, replacing and taking them away.

A row tells of each file before it is brought to the store, as one that nothing shows, and no transaction is open while it is
brought there: so whatever happens in between, `cleaning` finds what is left. Adding the same picture again changes nothing.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any
from uuid import UUID

import orjson

from kameng.db import Statement
from kameng.errors import InvalidInput, NotFound
from kameng.ids import new_id
from kameng_catalog.editing import record
from kameng_catalog.listings import lock_products
from kameng_catalog.media.cleaning import alone_with
from kameng_catalog.media.stores import Media, file_name, thumbnail_name

if TYPE_CHECKING:
    from kameng.graphql import Context
    from kameng.graphql.uploads import UploadedFile
    from kameng_catalog.media.pictures import Picture

MOST_PICTURES = 20
"""Pictures of one product."""

PUT_FILE = Statement(
    "catalog.put_media_file",
    """
    with put as (
        insert into catalog_media_file
            (id, content_hash, extension, media_type, width, height, size_bytes, thumbnails, created_by, created_at,
                unused_since)
        values ($1, $2, $3, $4, $5, $6, $7, $8, $9, now(), now())
        on conflict (content_hash) do nothing
        returning id
    )
    select id from put union all select id from catalog_media_file where content_hash = $2 limit 1
    """,
)

SHOW = Statement(
    "catalog.show_media",
    """
    insert into catalog_product_media (id, product, file, alts, position, created_at)
    select $1, $2, $3, $4::jsonb, coalesce(max(position) + 1, 0), now() from catalog_product_media where product = $2
    on conflict (file, product) do nothing
    returning id
    """,
)

# In the order of their keys, as everybody locks them.
LOCK_FILES = Statement(
    "catalog.lock_media_files",
    "select id from catalog_media_file where id = any($1::uuid[]) order by id for update",
)

NOTE_USE = Statement(
    "catalog.note_media_use",
    """
    update catalog_media_file f set unused_since = case when shown.anywhere then null else now() end
    from (
        select a.id, exists (select from catalog_product_media m where m.file = a.id) as anywhere
        from unnest($1::uuid[]) as a (id)
    ) shown
    where f.id = shown.id and (f.unused_since is null) <> shown.anywhere
    """,
)
"""Notes of files whether anything shows them; whoever locked them sees what all others have done."""


async def add_picture(context: Context, product: UUID, file: UploadedFile, alts: Mapping[str, str]) -> None:
    """Show a picture with a product, behind those that it has.

    Raises:
        NotFound: there is no such product.
        MediaRefused: see `read_picture`.
        InvalidInput: the product has as many pictures as it may.
    """
    if not await context.db.fetchval("select exists (select from catalog_product where id = $1)", product):
        raise NotFound("There is no such product.", path=("input", "product"))
    async with kept(context, file) as (key, picture), context.db.transaction():
        await lock_products(context.db, [product])
        await context.db.execute(LOCK_FILES, [key])
        count = await context.db.fetchval(
            "select count(*) from catalog_product_media where product = $1 and file <> $2", product, key
        )
        if count >= MOST_PICTURES:
            raise InvalidInput(
                f"A product has at most {MOST_PICTURES} pictures.",
                cure="Take one away first.",
                path=("input", "file"),
            )
        if await context.db.fetchval(SHOW, new_id(), product, key, orjson.dumps(alts).decode()):
            await context.db.execute(NOTE_USE, [key])
            details = {"file": picture.content_hash, "name": file.name}
            await record(context, "catalog.media_added", f"product:{product}", details)


async def replace_picture(context: Context, key: UUID, file: UploadedFile) -> UUID:
    """Show another picture in the place of one, with the same texts; gives its product.

    Raises:
        NotFound: there is no such picture.
        MediaRefused: see `read_picture`.
        InvalidInput: the product shows that picture already, in another place.
    """
    product = await context.db.fetchval("select product from catalog_product_media where id = $1", key)
    if product is None:
        raise NotFound("There is no such picture.", path=("input", "id"))
    async with kept(context, file) as (new, picture), context.db.transaction():
        await lock_products(context.db, [product])
        old = await context.db.fetchval("select file from catalog_product_media where id = $1", key)
        if old is None:
            raise NotFound("There is no such picture.", path=("input", "id"))
        await context.db.execute(LOCK_FILES, [old, new])
        if await context.db.fetchval(
            "select exists (select from catalog_product_media where product = $1 and file = $2 and id <> $3)",
            product,
            new,
            key,
        ):
            raise InvalidInput(
                "The product shows this picture already.",
                cure="Remove one of the two.",
                path=("input", "file"),
            )
        await context.db.execute("update catalog_product_media set file = $2 where id = $1", key, new)
        await context.db.execute(NOTE_USE, [old, new])
        details = {"media": key, "file": picture.content_hash, "name": file.name}
        await record(context, "catalog.media_replaced", f"product:{product}", details)
    return UUID(int=product.int)


@asynccontextmanager
async def kept(
    context: Context, file: UploadedFile, *, max_pixels: int | None = None, max_side: int | None = None
) -> AsyncIterator[tuple[UUID, Picture]]:
    """A picture in the store, and the key of its row; nobody deletes it while it is being shown somewhere.

    Args:
        context: the request.
        file: as it was sent.
        max_pixels, max_side: how large it may be; None: as large as pictures of products.

    Raises:
        MediaRefused: see `read_picture`.
    """
    media = context.service(Media)
    async with media.reading:
        picture = await asyncio.to_thread(
            _read, file, max_pixels or media.settings.max_pixels, max_side or media.settings.max_side
        )
    async with media.keeping, alone_with(context.kernel, picture.content_hash):
        key = await context.db.fetchval(
            PUT_FILE, new_id(), picture.content_hash, picture.extension, picture.media_type, picture.width,
            picture.height, len(picture.data), list(picture.thumbnails), context.principal.key,
        )  # fmt: skip
        name = file_name(picture.content_hash, picture.extension)
        await media.store.put(name, picture.data, picture.media_type)
        for width, data in picture.thumbnails.items():
            await media.store.put(thumbnail_name(picture.content_hash, width), data, "image/webp")
        yield key, picture


def _read(file: UploadedFile, max_pixels: int, max_side: int) -> Picture:
    from kameng_catalog.media.pictures import (
        read_picture,
    )  # what decodes pictures takes memory in every process

    with file.open() as opened:
        return read_picture(opened, max_pixels=max_pixels, max_side=max_side)


async def update_picture(
    context: Context, key: UUID, alts: Mapping[str, str] | None, position: int | None
) -> UUID:
    """Describe or move a picture; gives its product.

    Args:
        context: the request.
        key: the picture's.
        alts: what stands for the picture where it cannot be seen, by locale; empty texts take a language away.
        position: smaller comes first.

    Raises:
        NotFound: there is no such picture.
    """
    async with context.db.transaction():
        row = await context.db.fetchrow("select * from catalog_product_media where id = $1 for update", key)
        if row is None:
            raise NotFound("There is no such picture.", path=("input", "id"))
        texts = {**orjson.loads(row["alts"]), **(alts or {})}
        texts = {locale: text for locale, text in texts.items() if text}
        place = row["position"] if position is None else position
        await context.db.execute(
            "update catalog_product_media set alts = $2::jsonb, position = $3 where id = $1",
            key,
            orjson.dumps(texts).decode(),
            place,
        )
        details = {"media": key, "alts": texts, "position": place}
        await record(context, "catalog.media_updated", f"product:{row['product']}", details)
        product: UUID = row["product"]
        return product


async def remove_picture(context: Context, key: UUID) -> UUID:
    """Show a picture no more; gives its product. The file stays for `[catalog.media] keep_days`, since pages that somebody
    keeps may show it, and adding it again brings nothing new.

    Raises:
        NotFound: there is no such picture.
    """
    async with context.db.transaction():
        file = await context.db.fetchval("select file from catalog_product_media where id = $1", key)
        await context.db.execute(LOCK_FILES, [file])
        row: Any = await context.db.fetchrow(
            "delete from catalog_product_media where id = $1 returning product, file", key
        )
        if row is None:
            raise NotFound("There is no such picture.", path=("input", "id"))
        await context.db.execute(NOTE_USE, [row["file"]])
        await record(context, "catalog.media_removed", f"product:{row['product']}", {"media": key})
        product: UUID = row["product"]
        return product
