"""Importing cards: read, seal and copy them into the vault piece by piece, then put all of them into stock at once.

However long the file is, only two pieces of it are in memory, and of the rest the blind indexes, by which
doubles within the file are found. The server takes one piece while the next one is read and sealed.

Pieces that a job committed are found again by their blind indexes when it begins anew: none of them is sealed or copied twice.
Whether a card is in the vault already is asked only where it matters. Nearly always a file brings new cards alone, which the
vault's own index tells when they are copied; a piece that it refuses is compared card by card, and copied without the known.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import date
from typing import TYPE_CHECKING
from uuid import UUID

from kameng.errors import Conflict, InvalidInput, NotFound
from kameng.ids import new_id
from kameng_catalog.events import CardsImported
from kameng_catalog.importing import card_statements as statements
from kameng_catalog.importing.arriving import take_back
from kameng_catalog.importing.card_keeping import CardKeeper
from kameng_catalog.importing.card_lines import CardColumns, CardLines
from kameng_catalog.importing.card_pieces import CardPieces
from kameng_catalog.importing.card_rows import SealedRows, sealed_rows
from kameng_catalog.importing.cells import quoted
from kameng_catalog.importing.course import Course, OneTransaction
from kameng_catalog.importing.faults import Fault
from kameng_catalog.importing.report import CardReport
from kameng_catalog.sealing import scope_of
from kameng_catalog.settings import CatalogSettings

if TYPE_CHECKING:
    from kameng.auth.principal import Principal
    from kameng.kernel import Kernel
    from kameng.money import UnitPrice
    from kameng.vault import DataKey
    from kameng_catalog.importing.rows import Sheet

MANY = 10_000
"""So many new cards change the statistics of the tables."""

Done = Callable[[CardReport], Awaitable[None]]
"""Hears of the import inside the transaction that puts its cards into stock."""


async def import_cards(
    kernel: Kernel,
    sheet: Sheet,
    *,
    principal: Principal,
    variant: str = "",
    source: str = "",
    file_name: str = "",
    keep_good: bool = False,
    dry_run: bool = False,
    cost: UnitPrice | None = None,
    expires_on: date | None = None,
    progress: Callable[[Sheet], None] = lambda _sheet: None,
    course: Course | None = None,
    key: UUID | None = None,
    done: Done | None = None,
) -> CardReport:
    """Put the cards of a file into stock, as one batch: all of them, or none.

    Args:
        kernel: the kernel.
        sheet: the file, as `open_sheet` or `text_sheet` gives it with `card_lines.COLUMNS`, or with
            `card_lines.COLUMNS_OF_ONE_VARIANT` if ``variant`` is given.
        principal: who imports.
        variant: the SKU that all cards belong to; empty if the file tells.
        source: where the cards come from, for people.
        file_name: what the file is called, for people.
        keep_good: take the sound cards although others are faulty.
        dry_run: find what is wrong, and write nothing.
        cost: what one of the cards cost us, if known.
        expires_on: the last day of those cards whose lines tell none.
        progress: called after each piece.
        course: commits the import piece by piece, so that it goes on where it stood when it begins again with the same
            file and key; without one it is a single transaction.
        key: of the batch.
        done: called inside the transaction that puts the cards into stock.

    Raises:
        UnreadableFile: it is no such table, or too long.
        NotFound: there is no such variant.
        InvalidInput: the cost is below zero, or the last day is over.
        Conflict: others bring some of the same cards at this very moment.
    """
    arrival = _Arrival(
        kernel=kernel,
        sheet=sheet,
        principal=principal,
        sku=variant,
        source=source,
        file_name=file_name,
        keep_good=keep_good,
        cost=cost,
        expires_on=expires_on,
        progress=progress,
        report=CardReport(dry_run=dry_run),
        course=course or OneTransaction(kernel.db),
        alone=course is None,
        key=key or new_id(),
        done=done,
    )
    await arrival.run()
    if arrival.report.applied and arrival.report.cards >= MANY:
        await kernel.db.execute(statements.ANALYZE)
    return arrival.report


class _NothingToKeep(Exception):
    """Undoes the transaction of an import that is refused, or only tried."""


@dataclass(slots=True, kw_only=True)
class _Arrival:
    """One import."""

    kernel: Kernel
    sheet: Sheet
    principal: Principal
    sku: str
    source: str
    file_name: str
    keep_good: bool
    cost: UnitPrice | None
    expires_on: date | None
    progress: Callable[[Sheet], None]
    report: CardReport
    course: Course
    alone: bool
    key: UUID
    done: Done | None
    counts: Counter[str] = field(default_factory=Counter)
    data_key: DataKey | None = None

    async def run(self) -> None:
        """Bring in what is sound; keep it if it may be kept."""
        saved, db = self.course.saved, self.kernel.db
        time_zone = self.kernel.settings.section("catalog", CatalogSettings).time_zone
        # The day on which it began, so that a card that came in then is not found to be over when it begins again.
        today = date.fromisoformat(saved.get("today") or str(await db.fetchval(statements.TODAY, time_zone)))
        if not saved:
            self._check_batch(today)
        checker = CardLines(self.sheet.columns, self.report.faults, today, self.sku)
        pieces = CardPieces(self.kernel, self.sheet, checker, self.report.faults)
        await pieces.learn([self.sku] if self.sku else [])
        if self.sku and not pieces.knows(self.sku):
            raise NotFound(f"There is no variant {quoted(self.sku)}.", cure="Import its product first.")
        if not self.alone:
            await self._perform(pieces, today)
            return
        with suppress(_NothingToKeep):
            async with db.transaction():
                await self._perform(pieces, today)
                if not self.report.applied:
                    raise _NothingToKeep

    @property
    def _wanted(self) -> bool:
        """Whether anything is to be written, as far as is known by now."""
        sound = self.keep_good or not self.report.faults.count
        return sound and not self.report.dry_run and not self.course.saved.get("refused")

    async def _perform(self, pieces: CardPieces, today: date) -> None:
        if self._wanted:
            async with self.course.chunk():
                await self.kernel.db.execute(
                    statements.ADD_BATCH,
                    self.key,
                    self.source,
                    self.file_name,
                    self.principal.key,
                    self.cost and self.cost.units,
                    self.cost and self.cost.currency,
                )
                self.course.saved["today"] = today.isoformat()
        await self._bring_in(pieces)
        self.report.counts = dict(sorted(self.counts.items()))
        self.report.cards = self.counts.total()
        if self._wanted and self.report.cards:
            await self._put_into_stock(pieces.variants)
        elif not self.alone and not self.report.dry_run:
            async with self.course.chunk():
                # So that a restart does not bring in again what is just being taken back.
                self.course.saved["refused"] = True
            await take_back(self.kernel, self.key)

    async def _bring_in(self, pieces: CardPieces) -> None:
        keeper = CardKeeper(self.kernel, self.course, self.key, self.report.faults, alone=self.alone)
        copying: asyncio.Task[tuple[SealedRows, Mapping[bytes, str]]] | None = None
        try:
            while (read := await asyncio.to_thread(pieces.next)) is not None:
                row, cards = read
                await pieces.learn(set(cards.skus))
                if self._wanted:
                    await self._take_key(len(cards))
                rows = await asyncio.to_thread(self._prepared, pieces, cards)
                # From here on the connection is needed, which the piece before has had until now.
                if copying is not None:
                    self._note(*await copying)
                copying = asyncio.create_task(keeper.keep(row, rows))
            if copying is not None:
                self._note(*await copying)
        finally:
            # Nothing may run on the connection any more when the transaction ends.
            if copying is not None:
                await asyncio.gather(copying, return_exceptions=True)

    async def _take_key(self, cards: int) -> None:
        if self.data_key is None or self.data_key.remaining < cards:
            self.data_key = await self.kernel.vault.new_key(scope_of(self.key))

    def _prepared(self, pieces: CardPieces, cards: CardColumns) -> SealedRows:
        """The rows of a piece; sealed, if they are wanted. For a thread."""
        sound, indexes = pieces.indexed(cards)
        if self.data_key is None or not self._wanted:
            return SealedRows(sound.lines, sound.skus, indexes)
        return sealed_rows(sound, indexes, pieces.variants, self.key, self.data_key, self.expires_on)

    def _check_batch(self, today: date) -> None:
        if self.cost is not None and self.cost.units < 0:
            raise InvalidInput("A cost is not below zero.", path=("input", "cost"))
        if self.expires_on is not None and self.expires_on < today:
            raise InvalidInput(
                f"{self.expires_on} is over: none of these cards could be sold.",
                cure="Give the last day on which they can be redeemed.",
                path=("input", "expiresOn"),
            )

    def _note(self, rows: SealedRows, known: Mapping[bytes, str]) -> None:
        if not known:
            self.counts.update(rows.skus)
        else:
            for line, sku, index in zip(rows.lines, rows.skus, rows.indexes, strict=True):
                if index in known:
                    reason = f"the card is in stock since {known[index]} UTC already"
                    self.report.faults.add(Fault(line, "secret", reason))
                else:
                    self.counts[sku] += 1
        self.progress(self.sheet)

    async def _put_into_stock(self, variants: Mapping[str, UUID]) -> None:
        db, report = self.kernel.db, self.report
        moved = [variants[sku] for sku in report.counts]
        async with self.course.chunk():
            tag = await db.execute(statements.FREE_CARDS, self.key)
            arrived = await db.fetchval(statements.ARRIVED, self.key, report.cards)
            if arrived is None or tag != f"INSERT 0 {report.cards}":
                raise Conflict(
                    "Somebody took cards of this import back while it went on; nothing was put into stock.",
                    cure="Import the file again.",
                )
            await db.execute(statements.ADD_MOVEMENTS, self.key, moved, list(report.counts.values()))
            await self.kernel.events.emit(CardsImported(batch=str(self.key), counts=report.counts))
            await self.kernel.audit.record(
                "catalog.cards_imported",
                principal=self.principal,
                subject=f"stock_batch:{self.key}",
                details={"cards": report.cards, "file": self.file_name, "faults": report.faults.count},
            )
            report.applied, report.batch = True, self.key
            if self.done is not None:
                await self.done(report)
