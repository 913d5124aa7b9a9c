"""Cards as rows of a file: without their secrets a list of what there is; with them, what imports to the same cards."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any
from uuid import UUID

import msgspec

from kameng.db import Statement
from kameng_catalog.sealing import sealed_for

if TYPE_CHECKING:
    from kameng.kernel import Kernel

COLUMNS_OF_CARDS = ("sku", "number", "expires_on", "batch", "state", "sold_at", "line")
"""The columns of a list of cards without secrets, which nobody imports. With a batch and the state ``sold`` it tells whom a
recall concerns: ``line`` is the order line."""

COLUMNS_WITH_SECRETS = ("sku", "number", "secret", "expires_on")
"""The columns of a file of cards as the importer reads them."""

STATES = ("free", "reserved", "quarantined", "sold", "withdrawn")
"""Where a card is; ``withdrawn`` is what lies nowhere, since it has expired or its batch was recalled."""


class CardFilter(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which cards; empty fields ask for nothing.

    Attributes:
        sku: of their variant.
        batch: the key of their batch.
        state: one of `STATES`.
    """

    sku: str = ""
    batch: str = ""
    state: str = ""


def cards_to_export(wanted: CardFilter, *, secrets: bool) -> tuple[Statement, list[Any]]:
    """The statement that reads cards in the order in which they came, and its parameters."""
    conditions, values = ["true"], []
    for value, condition in (
        (wanted.sku, "v.sku = ${}"),
        (wanted.batch and UUID(wanted.batch), "card.batch = ${}"),
        (wanted.state, "state = ${}"),
    ):
        if value:
            values.append(value)
            conditions.append(condition.format(len(values)))
    sealed = ", card.variant, card.sealed, card.data_key, card.blind_index" if secrets else ""
    sql = f"""
    select * from (
        select v.sku, card.number, card.expires_on, card.batch, card.id, s.sold_at, s.line,
            case when f.card is not null then 'free' when r.card is not null then 'reserved'
                when q.card is not null then 'quarantined' when s.card is not null then 'sold'
                else 'withdrawn' end as state
            {sealed}
        from catalog_card card join catalog_variant v on v.id = card.variant
        join catalog_stock_batch b on b.id = card.batch and b.state <> 'arriving'
        left join catalog_free_card f on f.card = card.id
        left join catalog_reserved_card r on r.card = card.id
        left join catalog_quarantined_card q on q.card = card.id
        left join catalog_sold_card s on s.card = card.id
        where {" and ".join(condition for condition in conditions if not condition.startswith("state"))}
    ) cards
    where {" and ".join(condition for condition in conditions if condition.startswith("state")) or "true"}
    order by id
    """
    return Statement("catalog.export_cards", sql), values


def card_cells(row: Mapping[str, Any]) -> list[str]:
    """The cells of a card without its secret."""
    return [
        row["sku"],
        row["number"] or "",
        row["expires_on"].isoformat() if row["expires_on"] else "",
        str(row["batch"]),
        row["state"],
        row["sold_at"].isoformat(timespec="seconds").replace("+00:00", "Z") if row["sold_at"] else "",
        str(row["line"] or ""),
    ]


async def cells_with_secrets(kernel: Kernel, rows: Sequence[Mapping[str, Any]]) -> list[list[str]]:
    """The cells of cards with their secrets, in the columns that the importer reads."""
    secrets = await kernel.vault.open_many(
        [(row["data_key"], row["sealed"], sealed_for(row["variant"], row["blind_index"])) for row in rows]
    )
    return [
        [
            row["sku"],
            row["number"] or "",
            secret.decode(),
            row["expires_on"].isoformat() if row["expires_on"] else "",
        ]
        for row, secret in zip(rows, secrets, strict=True)
    ]
