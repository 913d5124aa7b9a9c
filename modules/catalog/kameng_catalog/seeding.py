"""Demo data: the example products and cards, for a shop that has none."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

from kameng_catalog.commands.principal import COMMAND_LINE
from kameng_catalog.importing.card_import import import_cards
from kameng_catalog.importing.card_lines import COLUMNS as CARD_COLUMNS
from kameng_catalog.importing.product_import import import_products
from kameng_catalog.importing.product_lines import COLUMNS as PRODUCT_COLUMNS
from kameng_catalog.importing.sheets import open_sheet

if TYPE_CHECKING:
    from kameng.kernel import Kernel


async def seed(kernel: Kernel, folder: Path) -> str:
    """Import ``products.csv`` and ``cards.csv`` of a folder, unless there are products; says what it did."""
    if await kernel.db.fetchval("select exists (select from catalog_product)"):
        return ""
    with closing(open_sheet(folder / "products.csv", PRODUCT_COLUMNS)) as sheet:
        products = await import_products(kernel, sheet, principal=COMMAND_LINE)
    with closing(open_sheet(folder / "cards.csv", CARD_COLUMNS)) as sheet:
        cards = await import_cards(
            kernel, sheet, principal=COMMAND_LINE, source="demo", file_name="cards.csv"
        )
    return f"catalog: {len(products.changes)} variants and {cards.cards} cards"
