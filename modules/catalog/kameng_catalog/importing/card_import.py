"""Importing cards: read, seal and stage them in pieces, then put all of them into stock at once, or none.

However long the file is, a piece of it is in memory at a time. Only sealed cards are staged, each piece in a
short transaction of its own, so that a long file does not keep the database from cleaning up behind the sales
meanwhile.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from itertools import islice
from typing import TYPE_CHECKING, Any
from uuid import UUID

import asyncpg

from kameng.errors import Conflict, NotFound
from kameng.ids import new_id
from kameng_catalog.events import CardsImported
from kameng_catalog.importing import card_statements as statements
from kameng_catalog.importing.card_lines import CardLine, CardLines
from kameng_catalog.importing.cells import quoted
from kameng_catalog.importing.faults import LISTED, Fault
from kameng_catalog.importing.report import CardReport
from kameng_catalog.sealing import DOMAIN, fingerprint_of, sealed_for
from kameng_catalog.settings import CatalogSettings

if TYPE_CHECKING:
    from kameng.auth.principal import Principal
    from kameng.kernel import Kernel
    from kameng.vault import DataKey
    from kameng_catalog.importing.sheets import Sheet

CHUNK = 4_096
"""Cards that are in memory at a time."""


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
    progress: Callable[[Sheet], None] = lambda _sheet: None,
) -> CardReport:
    """Put the cards of a file into stock, as one batch.

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
        progress: called after each piece.

    Raises:
        UnreadableFile: it is no such table.
        NotFound: there is no such variant.
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
        dry_run=dry_run,
        progress=progress,
    )
    return await arrival.run()


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
    dry_run: bool
    progress: Callable[[Sheet], None]
    key: UUID = field(default_factory=new_id)
    report: CardReport = field(default_factory=CardReport)
    variants: dict[str, tuple[UUID, str] | None] = field(default_factory=dict)
    data_key: DataKey | None = None

    async def run(self) -> CardReport:
        """Stage the file, look for doubles, and put into stock what may go there."""
        self.report.dry_run = self.dry_run
        await self.kernel.db.execute(statements.FORGET_OLD)
        await self._learn_variants([self.sku] if self.sku else [])
        if self.sku and self.variants[self.sku] is None:
            raise NotFound(f"There is no variant {quoted(self.sku)}.", cure="Import its product first.")
        time_zone = self.kernel.settings.section("catalog", CatalogSettings).time_zone
        today = await self.kernel.db.fetchval(statements.TODAY, time_zone)
        try:
            await self._stage(today)
            await self._find_doubles()
            self.report.counts = {
                row["sku"]: row["cards"] for row in await self.kernel.db.fetch(statements.COUNTS, self.key)
            }
            self.report.cards = sum(self.report.counts.values())
            if self.report.cards and self._wanted:
                await self._put_into_stock()
        finally:
            await self.kernel.db.execute(statements.FORGET, self.key)
        return self.report

    @property
    def _wanted(self) -> bool:
        """Whether anything is to be written, as far as is known by now."""
        return not self.dry_run and (self.keep_good or not self.report.faults.count)

    async def _stage(self, today: date) -> None:
        checker = CardLines(self.sheet.columns, self.report.faults, today, self.sku)
        rows = self.sheet.rows()

        def next_lines() -> list[CardLine] | None:
            piece = list(islice(rows, CHUNK))
            return [line for row in piece if (line := checker.read(row))] if piece else None

        while (lines := await asyncio.to_thread(next_lines)) is not None:
            await self._learn_variants({line.sku for line in lines})
            await self._stage_lines([line for line in lines if self._takes_cards(line)])
            self.progress(self.sheet)

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

    async def _stage_lines(self, lines: Sequence[CardLine]) -> None:
        if not lines:
            return
        vault, now = self.kernel.vault, datetime.now(UTC)
        variants = [self._variant(line) for line in lines]
        indexes = await vault.blind_index_many(
            DOMAIN, [fingerprint_of(line.number, line.secret) for line in lines]
        )
        sealed: Sequence[bytes | None] = [None] * len(lines)
        data_key = None
        # Once nothing is going to be written, the rest of the file is only looked through for more faults.
        if self._wanted:
            key = await self._key_for(len(lines))
            data_key = key.id
            sealed = await vault.seal_many(
                key,
                [
                    (line.secret.encode(), sealed_for(variant, index))
                    for line, variant, index in zip(lines, variants, indexes, strict=True)
                ],
            )
        rows = [
            (
                self.key,
                line.line,
                variant,
                line.number or None,
                secret,
                data_key,
                index,
                line.expires_on,
                now,
            )
            for line, variant, secret, index in zip(lines, variants, sealed, indexes, strict=True)
        ]
        async with self.kernel.db.transaction():
            await self.kernel.db.copy("catalog_arriving_card", statements.ARRIVING, rows)

    def _variant(self, line: CardLine) -> UUID:
        variant = self.variants[line.sku]
        assert variant is not None  # noqa: S101 - others were sorted out before
        return variant[0]

    async def _key_for(self, cards: int) -> DataKey:
        if self.data_key is None or self.data_key.remaining < cards:
            self.data_key = await self.kernel.vault.new_key(f"{DOMAIN}:{self.key}")
        return self.data_key

    async def _find_doubles(self) -> None:
        rows = await self.kernel.db.fetch(statements.DOUBLE_IN_FILE, self.key, LISTED)
        self._add_doubles(rows, lambda row: f"the card of line {row['first_line']} again")
        rows = await self.kernel.db.fetch(statements.KNOWN_IN_VAULT, self.key, LISTED)
        self._add_doubles(
            rows, lambda row: f"the card is in stock since {row['created_at']:%Y-%m-%d %H:%M} UTC already"
        )

    def _add_doubles(self, rows: Sequence[Any], reason: Callable[[Any], str]) -> None:
        for row in rows:
            self.report.faults.add(Fault(row["line"], "secret", reason(row)))
        if rows:
            self.report.faults.count_more(rows[0]["total"] - len(rows))

    async def _put_into_stock(self) -> None:
        report = self.report
        try:
            async with self.kernel.db.transaction():
                await self.kernel.db.execute(
                    statements.ADD_BATCH,
                    self.key,
                    self.source,
                    self.file_name,
                    report.cards,
                    self.principal.key,
                )
                for statement in (statements.ADD_CARDS, statements.FREE_CARDS, statements.ADD_MOVEMENTS):
                    await self.kernel.db.execute(statement, self.key)
                await self.kernel.events.emit(CardsImported(batch=str(self.key), counts=report.counts))
                await self.kernel.audit.record(
                    "catalog.cards_imported",
                    principal=self.principal,
                    subject=f"stock_batch:{self.key}",
                    details={
                        "cards": report.cards,
                        "file": self.file_name,
                        "faults": self.report.faults.count,
                    },
                )
        except asyncpg.UniqueViolationError as error:
            raise Conflict(
                "Another import brought some of these cards at the same moment; nothing was written.",
                cure="Import the file again, to be told which.",
            ) from error
        report.applied, report.batch = True, self.key
