"""Finding variants by what people call them, and the order lines that a card went to.

Other modules use it by the contract; whoever asks has checked who may ask for what.
"""

from __future__ import annotations

from typing import TYPE_CHECKING
from uuid import UUID

from kameng.db import Statement
from kameng_catalog.sealing import DOMAIN, fingerprint_of
from kameng_catalog.searching import asked_terms

if TYPE_CHECKING:
    from kameng.kernel import Kernel

VARIANTS_CALLED = Statement(
    "catalog.variants_called",
    # The unique index of SKUs, and the inverted index of search terms, whose few products are found before their variants.
    """
    select v.id from catalog_variant v where v.sku = $1
    union
    (
        select v.id from (
            select id from catalog_product where $3 and search_terms @> $2::text[] limit $4
        ) p join catalog_variant v on v.product = p.id
    )
    limit $4
    """,
)

LINES_WITH_CARD = Statement(
    "catalog.lines_with_card",
    # By the unique index of duplicates, then by key.
    """
    select sold.line from catalog_card card join catalog_sold_card sold on sold.card = card.id
    where card.blind_index = any($1::bytea[])
    """,
)


class CatalogFinding:
    """`kameng_catalog.contract.Finding`.

    Args:
        kernel: whose catalogue.
    """

    def __init__(self, kernel: Kernel) -> None:
        self._db = kernel.db
        self._vault = kernel.vault

    async def variants_called(self, text: str, at_most: int) -> list[UUID]:
        """See the contract."""
        terms = asked_terms(text)
        rows = await self._db.fetch(VARIANTS_CALLED, text.strip(), terms, bool(terms), at_most)
        return [row["id"] for row in rows]

    async def lines_with_card(self, text: str) -> list[UUID]:
        """See the contract."""
        words = text.split()
        pairs = [("", text.strip())]
        # A number and a secret, however many blanks are between them.
        pairs += [(" ".join(words[:cut]), " ".join(words[cut:])) for cut in range(1, min(len(words), 6))]
        marks = [self._vault.blind_index(DOMAIN, fingerprint_of(number, secret)) for number, secret in pairs]
        return [row["line"] for row in await self._db.fetch(LINES_WITH_CARD, marks)]
