"""A running kernel with a catalogue, and short words for what tests do with it."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal
from uuid import UUID

import pytest_asyncio

from kameng.auth import VISITOR, Principal, PrincipalKind
from kameng.errors import Refusal
from kameng.graphql import Context
from kameng.ids import new_id
from kameng.kernel import Kernel
from kameng.testing.kernels import Kernels
from kameng_catalog import module as catalog
from kameng_catalog.contract import Pick, PickRequest, Prices, Sale, Stock, Variants
from kameng_catalog.importing import card_lines, product_lines
from kameng_catalog.importing.card_import import import_cards
from kameng_catalog.importing.product_import import import_products
from kameng_catalog.importing.report import CardReport, Outcome, ProductReport
from kameng_catalog.importing.sheets import open_sheet, text_sheet

DATA = Path(__file__).parents[2] / "examples" / "data"

CLERK = Principal(kind=PrincipalKind.STAFF, id=new_id(), permissions=frozenset({"*"}))

PLAIN = {
    "sku": "A-1",
    "product": "alpha",
    "title_zh": "阿尔法",
    "title_en": "Alpha",
    "variant_zh": "一",
    "variant_en": "One",
    "category": "game/pc",
    "category_zh": "电脑游戏",
    "category_en": "PC games",
    "kind": "card",
    "face_value": "10",
    "face_currency": "USD",
    "price": "9.90",
    "cost": "9.5",
    "currency": "CNY",
    "description_zh": "说明",
    "description_en": "How to",
    "tags": "hot",
    "status": "published",
}
"""A sound line of a product file."""


def as_csv(rows: Sequence[Mapping[str, str]]) -> str:
    """Rows as the text of a CSV file."""
    text = io.StringIO()
    writer = csv.DictWriter(text, list(rows[0]), lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue()


@dataclass
class Shop:
    """A catalogue in a running kernel, as tests use it."""

    kernel: Kernel
    secrets: dict[str, int] = field(default_factory=dict)

    @property
    def stock(self) -> Stock:
        return self.kernel.services.get(Stock)

    @property
    def prices(self) -> Prices:
        return self.kernel.services.get(Prices)

    @property
    def variants(self) -> Variants:
        return self.kernel.services.get(Variants)

    async def products(self, *changes: Mapping[str, str], **options: Any) -> ProductReport:
        """Import lines that differ from the plain one in these cells."""
        text = as_csv([{**PLAIN, **change} for change in changes or ({},)])
        return await import_products(
            self.kernel, text_sheet(text, product_lines.COLUMNS), principal=CLERK, **options
        )

    async def product_file(self, path: Path, encoding: str | None = None, **options: Any) -> ProductReport:
        """Import a file."""
        with closing(open_sheet(path, product_lines.COLUMNS, encoding=encoding)) as sheet:
            return await import_products(self.kernel, sheet, principal=CLERK, **options)

    async def cards(self, sku: str, secrets: Iterable[str] | int, **options: Any) -> CardReport:
        """Import secrets, or so many made up ones, as cards of a variant."""
        if isinstance(secrets, int):
            first = self.secrets.get(sku, 0)
            self.secrets[sku] = first + secrets
            secrets = [f"{sku}-{number:06d}" for number in range(first, first + secrets)]
        return await self.card_text("secret\n" + "".join(f"{secret}\n" for secret in secrets), sku, **options)

    async def card_text(self, text: str, sku: str = "", **options: Any) -> CardReport:
        """Import the text of a card file."""
        columns = card_lines.COLUMNS_OF_ONE_VARIANT if sku else card_lines.COLUMNS
        return await import_cards(
            self.kernel, text_sheet(text, columns), principal=CLERK, variant=sku, **options
        )

    async def card_file(self, path: Path, sku: str = "", **options: Any) -> CardReport:
        """Import a card file."""
        columns = card_lines.COLUMNS_OF_ONE_VARIANT if sku else card_lines.COLUMNS
        with closing(open_sheet(path, columns)) as sheet:
            return await import_cards(self.kernel, sheet, principal=CLERK, variant=sku, **options)

    async def key(self, sku: str) -> UUID:
        """The key of a variant."""
        key: UUID = await self.kernel.db.fetchval("select id from catalog_variant where sku = $1", sku)
        return key

    async def stocked(self, sku: str = "A-1", cards: int = 0, **change: str) -> UUID:
        """A variant for sale with so many cards; its key."""
        await self.products({"sku": sku, "variant_zh": sku, "variant_en": sku, **change})
        if cards:
            await self.cards(sku, cards)
        return await self.key(sku)

    async def buy(self, *wishes: tuple[UUID, int]) -> list[list[str] | str]:
        """Pick for all wishes, hand over what was picked, commit; the secrets of each, or the refusal's
        code.
        """
        async with self.kernel.db.transaction():
            picks = await self.stock.pick([PickRequest(variant=v, quantity=n) for v, n in wishes])
            sales = [Sale(pick=pick, line=new_id()) for pick in picks if isinstance(pick, Pick)]
            await self.stock.hand_over(sales)
        bought = await self.stock.sold_cards([sale.line for sale in sales])
        lines = iter(sales)
        answers: list[list[str] | str] = []
        for pick in picks:
            if isinstance(pick, Refusal):
                answers.append(pick.code)
            else:
                line = next(lines).line
                answers.append([card.secret for card in bought if card.line == line])
        return answers

    async def sizes(self) -> dict[str, int]:
        """How many rows each table of the catalogue has."""
        names = await self.kernel.db.fetch(
            "select tablename from pg_tables where tablename like 'catalog_%' order by 1"
        )
        return {
            row["tablename"].removeprefix("catalog_"): await self.kernel.db.fetchval(
                f"select count(*) from {row['tablename']}"
            )
            for row in names
        }

    async def ask(
        self,
        document: str,
        variables: dict[str, Any] | None = None,
        *,
        schema: Literal["shop", "admin"] = "shop",
        principal: Principal = VISITOR,
        locale: str = "en",
    ) -> Any:
        """The data of an answer; an answer with errors is given whole."""
        context = Context(self.kernel, principal=principal, locale=locale, schema=schema)
        answer = await self.kernel.graphql[schema].execute(document, variables, context)
        return answer if answer.errors else answer.data


def outcomes(report: ProductReport) -> dict[str, int]:
    """How many variants a report creates, updates and leaves."""
    return {outcome.value: report.count(outcome) for outcome in Outcome}


@pytest_asyncio.fixture(loop_scope="session")
async def shop(make_kernel: Kernels) -> Shop:
    """An empty catalogue."""
    return Shop(await make_kernel([catalog]))
