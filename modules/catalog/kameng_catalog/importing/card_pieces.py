"""A card file piece by piece: what of it may come in, as far as the file and the variants tell."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING
from uuid import UUID

from kameng_catalog.importing import card_statements as statements
from kameng_catalog.importing.card_lines import CardColumns, CardLines
from kameng_catalog.importing.card_rows import fingerprints
from kameng_catalog.importing.cells import quoted
from kameng_catalog.importing.faults import Fault, Faults, UnreadableFile
from kameng_catalog.sealing import DOMAIN

if TYPE_CHECKING:
    from kameng.kernel import Kernel
    from kameng_catalog.importing.rows import Sheet

PIECE = 16_384
"""Cards of a piece."""

MOST_CARDS = 2_500_000
"""Cards of a file; their blind indexes take about 350 MB of memory."""


class CardPieces:
    """The pieces of a card file.

    Args:
        kernel: whose vault and variants they are for.
        sheet: the file.
        checker: checks its lines.
        faults: takes what is wrong.
    """

    def __init__(self, kernel: Kernel, sheet: Sheet, checker: CardLines, faults: Faults) -> None:
        self._db = kernel.db
        self._indexer = kernel.vault.indexer(DOMAIN)
        self._faults = faults
        self._pieces = self._read(sheet, checker)
        self._variants: dict[str, tuple[UUID, str] | None] = {}
        self._lines: dict[bytes, int] = {}

    @property
    def variants(self) -> dict[str, UUID]:
        """The variants that take cards, of those that were learned so far, by SKU."""
        return {
            sku: variant[0]
            for sku, variant in self._variants.items()
            if variant is not None and variant[1] == "card"
        }

    async def learn(self, skus: Iterable[str]) -> None:
        """Look for variants that were not met before."""
        unknown = [sku for sku in skus if sku not in self._variants]
        if unknown:
            rows = await self._db.fetch(statements.VARIANTS, unknown)
            self._variants |= dict.fromkeys(unknown)
            self._variants |= {row["sku"]: (row["id"], row["stock_kind"]) for row in rows}

    def knows(self, sku: str) -> bool:
        """Whether there is such a variant, of those that were looked for."""
        return self._variants[sku] is not None

    def next(self) -> tuple[int, CardColumns] | None:
        """The sound lines of the next piece, and how many rows there were with it; for a thread.

        Raises:
            UnreadableFile: from some line on it is no table any more.
        """
        return next(self._pieces, None)

    def _read(self, sheet: Sheet, checker: CardLines) -> Iterator[tuple[int, CardColumns]]:
        rows = 0
        for piece in sheet.pieces(PIECE):
            rows += len(piece)
            yield rows, checker.read_piece(piece)

    def indexed(self, cards: CardColumns) -> tuple[CardColumns, Sequence[bytes]]:
        """Those lines that may come in, with their blind indexes: each card once, of learned variants. For a thread.

        Raises:
            UnreadableFile: the file is too long.
        """
        cards = self._of_card_variants(cards)
        indexes = self._indexer.of(fingerprints(cards))
        firsts = list(map(self._lines.setdefault, indexes, cards.lines))
        if len(self._lines) > MOST_CARDS:
            raise UnreadableFile(
                f"The file has more than {MOST_CARDS:,} cards.", cure="Split it into several files."
            )
        if firsts == list(cards.lines):
            return cards, indexes
        for first, line in zip(firsts, cards.lines, strict=True):
            if first != line:
                self._faults.add(Fault(line, "secret", f"the card of line {first} again"))
        new = [first == line for first, line in zip(firsts, cards.lines, strict=True)]
        return cards.where(new), [index for index, is_new in zip(indexes, new, strict=True) if is_new]

    def _of_card_variants(self, cards: CardColumns) -> CardColumns:
        wrong = {sku: reason for sku in set(cards.skus) if (reason := self._why_not(sku))}
        if not wrong:
            return cards
        for line, sku in zip(cards.lines, cards.skus, strict=True):
            if sku in wrong:
                self._faults.add(Fault(line, "sku", wrong[sku]))
        return cards.where(sku not in wrong for sku in cards.skus)

    def _why_not(self, sku: str) -> str:
        variant = self._variants[sku]
        if variant is None:
            return f"there is no variant {quoted(sku)}"
        if variant[1] != "card":
            return f"{quoted(sku)} takes no cards: its kind of stock is {quoted(variant[1])}"
        return ""
