"""Importing cards: read, seal and copy them into the vault piece by piece, in one transaction.

However long the file is, only two pieces of it are in memory, and of the rest the blind indexes, by which
doubles within the file are found. The server takes one piece while the next one is read and sealed.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date
from itertools import islice
from typing import TYPE_CHECKING, Any
from uuid import UUID

import asyncpg

from kameng.errors import Conflict, InvalidInput, NotFound
from kameng.ids import new_id
from kameng_catalog.events import CardsImported
from kameng_catalog.importing import card_statements as statements
from kameng_catalog.importing.card_lines import CardLine, CardLines
from kameng_catalog.importing.cells import quoted
from kameng_catalog.importing.faults import Fault, UnreadableFile
from kameng_catalog.importing.report import CardReport
from kameng_catalog.sealing import DOMAIN, fingerprint_of, sealed_for
from kameng_catalog.settings import CatalogSettings

if TYPE_CHECKING:
    from kameng.auth.principal import Principal
    from kameng.kernel import Kernel
    from kameng.money import UnitPrice
    from kameng.vault import DataKey
    from kameng_catalog.importing.sheets import Sheet

CHUNK = 8_192
"""Cards of a piece."""

MANY = 10_000
"""So many new cards change the statistics of the tables."""

MOST_CARDS = 2_500_000
"""Cards of a file; their blind indexes take about 350 MB of memory."""

_INDEX = statements.CARD_COLUMNS.index("blind_index")


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

    Raises:
        UnreadableFile: it is no such table, or too long.
        NotFound: there is no such variant.
        InvalidInput: the cost is below zero, or the last day is over.
        Conflict: another import brought some of the same cards at this very moment.
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
    )
    return await arrival.run()


class _NothingToKeep(Exception):
    """Undoes the transaction of an import that is refused, or only tried."""


@dataclass(slots=True, kw_only=True)
class _Arrival:
    """One import; its key becomes that of the stock batch."""

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
    key: UUID = field(default_factory=new_id)
    variants: dict[str, tuple[UUID, str] | None] = field(default_factory=dict)
    lines: dict[bytes, int] = field(default_factory=dict)
    counts: Counter[str] = field(default_factory=Counter)
    data_key: DataKey | None = None

    async def run(self) -> CardReport:
        """Bring in what is sound; keep it if it may be kept."""
        await self._learn_variants([self.sku] if self.sku else [])
        if self.sku and self.variants[self.sku] is None:
            raise NotFound(f"There is no variant {quoted(self.sku)}.", cure="Import its product first.")
        try:
            async with self.kernel.db.transaction():
                await self._bring_in()
                if not self.report.cards or not self._wanted:
                    raise _NothingToKeep
                await self._put_into_stock()
            self.report.applied, self.report.batch = True, self.key
            if self.report.cards >= MANY:
                await self.kernel.db.execute(statements.ANALYZE)
        except _NothingToKeep:
            pass
        except (asyncpg.UniqueViolationError, asyncpg.DeadlockDetectedError) as error:
            raise Conflict(
                "Another import brought some of these cards at the same moment; nothing was written.",
                cure="Import the file again, to be told which.",
            ) from error
        return self.report

    @property
    def _wanted(self) -> bool:
        """Whether anything is to be written, as far as is known by now."""
        return not self.report.dry_run and (self.keep_good or not self.report.faults.count)

    async def _bring_in(self) -> None:
        db = self.kernel.db
        time_zone = self.kernel.settings.section("catalog", CatalogSettings).time_zone
        today: date = await db.fetchval(statements.TODAY, time_zone)
        self._check_batch(today)
        checker = CardLines(self.sheet.columns, self.report.faults, today, self.sku)
        pieces = _pieces(self.sheet, checker)

        await db.execute(
            statements.ADD_BATCH,
            self.key,
            self.source,
            self.file_name,
            self.principal.key,
            self.cost and self.cost.units,
            self.cost and self.cost.currency,
        )
        copying: asyncio.Task[int] | None = None
        try:
            while (lines := await asyncio.to_thread(next, pieces, None)) is not None:
                await self._learn_variants({line.sku for line in lines})
                cards = await self._indexed([line for line in lines if self._takes_cards(line)])
                rows = await self._sealed(cards) if self._wanted else []
                # From here on the connection is needed, which the piece before has had until now.
                if copying is not None:
                    await copying
                known = await self._known(cards)
                self.counts.update(line.sku for line, index in cards if index not in known)
                if self._wanted:
                    kept = [row for row in rows if row[_INDEX] not in known]
                    copying = asyncio.create_task(db.copy("catalog_card", statements.CARD_COLUMNS, kept))
                self.progress(self.sheet)
        finally:
            # Nothing may run on the connection any more when the transaction ends.
            if copying is not None:
                await copying
        self.report.counts = dict(sorted(self.counts.items()))
        self.report.cards = self.counts.total()

    def _check_batch(self, today: date) -> None:
        if self.cost is not None and self.cost.units < 0:
            raise InvalidInput("A cost is not below zero.", path=("input", "cost"))
        if self.expires_on is not None and self.expires_on < today:
            raise InvalidInput(
                f"{self.expires_on} is over: none of these cards could be sold.",
                cure="Give the last day on which they can be redeemed.",
                path=("input", "expiresOn"),
            )

    async def _learn_variants(self, skus: Iterable[str]) -> None:
        unknown = [sku for sku in skus if sku not in self.variants]
        if unknown:
            rows = await self.kernel.db.fetch(statements.VARIANTS, unknown)
            self.variants |= dict.fromkeys(unknown)
            self.variants |= {row["sku"]: (row["id"], row["stock_kind"]) for row in rows}

    def _takes_cards(self, line: CardLine) -> bool:
        variant = self.variants[line.sku]
        if variant is None:
            self.report.faults.add(Fault(line.line, "sku", f"there is no variant {quoted(line.sku)}"))
        elif variant[1] != "card":
            reason = f"{quoted(line.sku)} takes no cards: its kind of stock is {quoted(variant[1])}"
            self.report.faults.add(Fault(line.line, "sku", reason))
        else:
            return True
        return False

    async def _indexed(self, lines: Sequence[CardLine]) -> list[tuple[CardLine, bytes]]:
        """The lines with their blind indexes, without those whose card stands in the file already."""
        indexes = await self.kernel.vault.blind_index_many(
            DOMAIN, [fingerprint_of(line.number, line.secret) for line in lines]
        )
        cards = []
        for line, index in zip(lines, indexes, strict=True):
            first = self.lines.setdefault(index, line.line)
            if first == line.line:
                cards.append((line, index))
            else:
                self.report.faults.add(Fault(line.line, "secret", f"the card of line {first} again"))
        if len(self.lines) > MOST_CARDS:
            raise UnreadableFile(
                f"The file has more than {MOST_CARDS:,} cards.", cure="Split it into several files."
            )
        return cards

    async def _known(self, cards: Sequence[tuple[CardLine, bytes]]) -> set[bytes]:
        """The blind indexes of those that are in the vault already."""
        found = await self.kernel.db.fetch(statements.KNOWN, [index for _, index in cards])
        since = {row["blind_index"]: row["created_at"] for row in found}
        for line, index in cards:
            if index in since:
                reason = f"the card is in stock since {since[index]:%Y-%m-%d %H:%M} UTC already"
                self.report.faults.add(Fault(line.line, "secret", reason))
        return set(since)

    async def _sealed(self, cards: Sequence[tuple[CardLine, bytes]]) -> list[tuple[Any, ...]]:
        """The rows of the vault, in the order of `card_statements.CARD_COLUMNS`."""
        if self.data_key is None or self.data_key.remaining < len(cards):
            self.data_key = await self.kernel.vault.new_key(f"{DOMAIN}:{self.key}")
        key = self.data_key
        variants = [variant[0] for line, _ in cards if (variant := self.variants[line.sku])]
        sealed = await self.kernel.vault.seal_many(
            key,
            [
                (line.secret.encode(), sealed_for(variant, index))
                for (line, index), variant in zip(cards, variants, strict=True)
            ],
        )
        return [
            (
                variant,
                self.key,
                line.number or None,
                secret,
                key.id,
                index,
                line.expires_on or self.expires_on,
            )
            for (line, index), variant, secret in zip(cards, variants, sealed, strict=True)
        ]

    async def _put_into_stock(self) -> None:
        db, report = self.kernel.db, self.report
        await db.execute(statements.FREE_CARDS, self.key)
        await db.execute(statements.ADD_MOVEMENTS, self.key)
        await db.execute(statements.COUNT_BATCH, self.key, report.cards)
        await self.kernel.events.emit(CardsImported(batch=str(self.key), counts=report.counts))
        await self.kernel.audit.record(
            "catalog.cards_imported",
            principal=self.principal,
            subject=f"stock_batch:{self.key}",
            details={"cards": report.cards, "file": self.file_name, "faults": report.faults.count},
        )


def _pieces(sheet: Sheet, checker: CardLines) -> Iterator[list[CardLine]]:
    """The sound lines of a sheet in pieces; a piece may be empty."""
    rows = sheet.rows()
    while piece := list(islice(rows, CHUNK)):
        yield [line for row in piece if (line := checker.read(row))]
