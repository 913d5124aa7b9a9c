"""Demo data: the example products, what they state, and cards, for a shop that has none."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from kameng.graphql.context import Context
from kameng.ids import new_id
from kameng_catalog.attributes.definitions import Definition
from kameng_catalog.attributes.editing import define_attribute, set_attributes
from kameng_catalog.commands.principal import COMMAND_LINE
from kameng_catalog.forms import Choice
from kameng_catalog.importing.card_import import import_cards
from kameng_catalog.importing.card_lines import COLUMNS as CARD_COLUMNS
from kameng_catalog.importing.product_import import import_products
from kameng_catalog.importing.product_lines import COLUMNS as PRODUCT_COLUMNS
from kameng_catalog.importing.sheets import open_sheet

if TYPE_CHECKING:
    from kameng.kernel import Kernel


class TagAttribute(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """An attribute that the demo's products state by their tags, as ``attributes.json`` has it.

    Attributes:
        categories: paths of the categories that define it.
        code, titles, choices: of its definition.
        tag_prefix: what stands before the value in a tag, such as ``region-``.
    """

    categories: tuple[str, ...]
    code: str
    titles: dict[str, str]
    choices: tuple[Choice, ...]
    tag_prefix: str

    def stated(self, tags: Sequence[str]) -> list[str]:
        """What a product with these tags states."""
        return [choice.value for choice in self.choices if f"{self.tag_prefix}{choice.value}" in tags]


async def seed(kernel: Kernel, folder: Path) -> str:
    """Import ``products.csv`` and ``cards.csv`` of a folder, unless there are products; says what it did.

    Where the folder has an ``attributes.json``, products state what their tags say.
    """
    if await kernel.db.fetchval("select exists (select from catalog_product)"):
        return ""
    with closing(open_sheet(folder / "products.csv", PRODUCT_COLUMNS)) as sheet:
        products = await import_products(kernel, sheet, principal=COMMAND_LINE)
    if (file := folder / "attributes.json").exists():
        async with kernel.db.transaction():
            await _state(kernel, msgspec.json.decode(file.read_bytes(), type=tuple[TagAttribute, ...]))
    with closing(open_sheet(folder / "cards.csv", CARD_COLUMNS)) as sheet:
        cards = await import_cards(
            kernel, sheet, principal=COMMAND_LINE, source="demo", file_name="cards.csv"
        )
    return f"catalog: {len(products.changes)} variants and {cards.cards} cards"


async def _state(kernel: Kernel, attributes: tuple[TagAttribute, ...]) -> None:
    """Define attributes, and let each product state what its tags say."""
    context = Context(kernel, principal=COMMAND_LINE, schema="admin")
    known = {row["path"] for row in await kernel.db.fetch("select path from catalog_category")}
    for attribute in attributes:
        for path in known.intersection(attribute.categories):
            await define_attribute(
                context,
                Definition(
                    id=new_id(),
                    path=path,
                    code=attribute.code,
                    kind="choices",
                    titles=attribute.titles,
                    choices=attribute.choices,
                    filterable=True,
                ),
            )
    for row in await kernel.db.fetch("select id, tags from catalog_product"):
        stated = {
            attribute.code: values for attribute in attributes if (values := attribute.stated(row["tags"]))
        }
        if stated:
            await set_attributes(context, row["id"], stated)
