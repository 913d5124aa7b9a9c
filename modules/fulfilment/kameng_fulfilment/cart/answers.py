"""What was filled into the forms of products in a cart: kept sealed, all of it, since most of it is about a person."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any
from uuid import UUID

import msgspec

from kameng.ids import new_id

if TYPE_CHECKING:
    from kameng.kernel import Kernel

SCOPE = "fulfilment.cart_answers"
"""The data keys that seal them."""


class SealedAnswers(msgspec.Struct, frozen=True):
    """Answers as a line keeps them: the sealed bytes, the data key, and the place that they are bound to."""

    sealed: bytes | None = None
    data_key: UUID | None = None
    place: UUID | None = None


async def seal_answers(kernel: Kernel, lines: Sequence[Mapping[str, str] | None]) -> list[SealedAnswers]:
    """Seal what was filled in for each line; nothing where nothing was. Call it before anything is locked."""
    filled = [place for place, answers in enumerate(lines) if answers]
    found = [SealedAnswers()] * len(lines)
    if filled:
        key = await kernel.vault.current_key(SCOPE, len(filled))
        places = [new_id() for _ in filled]
        sealed = await kernel.vault.seal_many(
            key,
            [
                (msgspec.json.encode(dict(lines[line] or {})), place.bytes)
                for line, place in zip(filled, places, strict=True)
            ],
        )
        for line, place, secret in zip(filled, places, sealed, strict=True):
            found[line] = SealedAnswers(secret, key.id, place)
    return found


async def open_answers(kernel: Kernel, rows: Sequence[Mapping[str, Any]]) -> dict[UUID, dict[str, str]]:
    """What was filled in, by the key of the line, for those that have something."""
    filled = [row for row in rows if row["sealed_answers"] is not None]
    opened = await kernel.vault.open_many(
        [(row["data_key"], row["sealed_answers"], row["answers_place"].bytes) for row in filled]
    )
    return {
        row["id"]: msgspec.json.decode(text, type=dict[str, str])
        for row, text in zip(filled, opened, strict=True)
    }
