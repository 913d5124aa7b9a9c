"""The tree of categories: making one, and moving one with all that lies in it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING
from uuid import UUID

import orjson

from kameng.db import Statement
from kameng.errors import Conflict, InvalidInput, NotFound
from kameng.ids import new_id
from kameng_catalog.editing import currency_of, record
from kameng_catalog.listings import refresh_products

if TYPE_CHECKING:
    from kameng.graphql import Context

DEEPEST = 5
"""Levels of the tree."""

LONGEST_PATH = 200
"""Characters of a path."""

CHUNK = 500
"""Products whose lists are brought in step at once."""

# Whoever changes the tree does it alone: so do imports, which plan by it.
ALONE = Statement(
    "catalog.own_categories", "select pg_advisory_xact_lock(hashtext('catalog.import_products'))"
)

# The order in which parents come first is that of the paths.
MOVE = Statement(
    "catalog.move_category",
    """
    update catalog_category set path = $2 || substr(path, length($1) + 1),
        parent = case when path = $1 then $3 else parent end
    where path = $1 or starts_with(path, $1 || '/')
    """,
)

PRODUCTS_BELOW = Statement(
    "catalog.products_below",
    """
    select p.id from catalog_product p join catalog_category c on c.id = p.category
    where (c.path = $1 or starts_with(c.path, $1 || '/')) and p.id > $2
    order by p.id limit $3
    """,
)


async def create_category(context: Context, parent: str, slug: str, titles: Mapping[str, str]) -> UUID:
    """Make a category; gives its key.

    Args:
        context: the request.
        parent: the path of the category it lies in; empty for a root.
        slug: the last part of its path.
        titles: by locale.

    Raises:
        NotFound: there is no such parent.
        Conflict: there is such a category already.
        InvalidInput: it would lie too deep, or has no title.
    """
    path = f"{parent}/{slug}" if parent else slug
    _check(path, levels=1)
    if not any(titles.values()):
        raise InvalidInput("It needs a title.", cure="Give it one.", path=("input", "titles"))
    async with context.db.transaction():
        await context.db.execute(ALONE)
        above = await _key(context, parent, "parent") if parent else None
        await _free(context, path)
        key = new_id()
        await context.db.execute(
            """
            insert into catalog_category (id, parent, path, titles, position, created_at)
            values ($1, $2, $3, $4::jsonb, 0, now())
            """,
            key,
            above,
            path,
            orjson.dumps({locale: text for locale, text in titles.items() if text}).decode(),
        )
        await record(context, "catalog.category_created", f"category:{key}", {"path": path})
        return key


async def move_category(context: Context, path: str, parent: str, slug: str | None = None) -> UUID:
    """Move a category, and all that lies in it, below another one; gives its key.

    Args:
        context: the request.
        path: where it is.
        parent: the path of the category it shall lie in; empty to make it a root.
        slug: the last part of its new path; None leaves it as it is.

    Raises:
        NotFound: there is no such category or parent.
        Conflict: there is another one at its new place.
        InvalidInput: it would lie in itself, or too deep.
    """
    target = "/".join(part for part in (parent, slug or path.rpartition("/")[2]) if part)
    if parent == path or parent.startswith(f"{path}/"):
        raise InvalidInput(
            "A category cannot lie in itself.", cure="Move it elsewhere.", path=("input", "parent")
        )
    async with context.db.transaction():
        await context.db.execute(ALONE)
        key = await _key(context, path, "path")
        if target == path:
            return key
        above = await _key(context, parent, "parent") if parent else None
        deepest = await context.db.fetchval(
            """
            select max(cardinality(string_to_array(path, '/'))) from catalog_category
            where path = $1 or starts_with(path, $1 || '/')
            """,
            path,
        )
        _check(target, levels=deepest - path.count("/"))
        await _free(context, target)
        await context.db.execute(MOVE, path, target, above)
        await _refresh(context, target)
        await record(context, "catalog.category_moved", f"category:{key}", {"from": path, "to": target})
        return key


async def _refresh(context: Context, path: str) -> None:
    """Bring the lists of all products below in step."""
    last = UUID(int=0)
    while rows := await context.db.fetch(PRODUCTS_BELOW, path, last, CHUNK):
        keys = [row["id"] for row in rows]
        await refresh_products(context.db, keys, currency_of(context))
        last = keys[-1]


def _check(path: str, levels: int) -> None:
    """That a category with so many levels, its own included, fits at a path."""
    if path.count("/") + levels > DEEPEST or len(path) > LONGEST_PATH:
        raise InvalidInput(
            f"Categories lie at most {DEEPEST} levels deep.", cure="Put it higher.", path=("input", "parent")
        )


async def _key(context: Context, path: str, name: str) -> UUID:
    key: UUID | None = await context.db.fetchval(
        "select id from catalog_category where path = $1 for update", path
    )
    if key is None:
        raise NotFound(f"There is no category {path[:100]!r}.", path=("input", name))
    return key


async def _free(context: Context, path: str) -> None:
    if await context.db.fetchval("select exists (select from catalog_category where path = $1)", path):
        raise Conflict(
            f"There is a category {path!r} already.", cure="Take another slug.", path=("input", "slug")
        )
