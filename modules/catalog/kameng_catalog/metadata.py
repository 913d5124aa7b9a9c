"""What integrations keep with a product: keys and texts, for everybody to read or for the staff alone."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Literal
from uuid import UUID

import orjson

from kameng.errors import InvalidInput, NotFound
from kameng_catalog.editing import record

if TYPE_CHECKING:
    from kameng.graphql import Context

MOST_KEYS = 50
"""Keys of one product, public ones and private ones each."""

LONGEST_VALUE = 2_000
"""Characters of a value."""

LARGEST = 16_000
"""Characters of all keys and values together."""

Column = Literal["public_metadata", "private_metadata"]
"""Where metadata are kept: those for everybody, and those for the staff alone."""

_KEY = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.:/-]{0,63}")


async def change_metadata(
    context: Context,
    product: UUID,
    column: Column,
    put: Mapping[str, str],
    remove: Sequence[str],
) -> None:
    """Set some keys of a product and take others away; the rest stays, whoever else changes it at the same time.

    Raises:
        NotFound: there is no such product.
        InvalidInput: a key or value that cannot be, or too much of it.
    """
    for key, value in put.items():
        if not _KEY.fullmatch(key):
            raise InvalidInput(
                f"{key[:64]!r} cannot be a key.",
                cure="Take up to 64 letters, digits and _ . : / -, a letter or digit first.",
                path=("input", "set"),
            )
        if len(value) > LONGEST_VALUE or "\0" in value:
            raise InvalidInput(
                f"The value of {key} is too long, or holds what no text can.",
                cure=f"Keep at most {LONGEST_VALUE:,} characters.",
                path=("input", "set"),
            )
    async with context.db.transaction():
        stored = await context.db.fetchval(
            f"select {column} from catalog_product where id = $1 for no key update", product
        )
        if stored is None:
            raise NotFound("There is no such product.", path=("input", "id"))
        old = orjson.loads(stored)
        new = {key: value for key, value in {**old, **put}.items() if key not in remove}
        size = sum(len(key) + len(value) for key, value in new.items())
        if len(new) > MOST_KEYS or size > LARGEST:
            raise InvalidInput(
                f"A product keeps at most {MOST_KEYS} keys with {LARGEST:,} characters.",
                cure="Take some away.",
                path=("input", "set"),
            )
        if new == old:
            return
        await context.db.execute(
            f"update catalog_product set {column} = $2::jsonb, updated_at = now() where id = $1",
            product,
            orjson.dumps(new).decode(),
        )
        changed = sorted(key for key in {*old, *new} if old.get(key) != new.get(key))
        await record(context, f"catalog.{column}_changed", f"product:{product}", {"keys": changed})
