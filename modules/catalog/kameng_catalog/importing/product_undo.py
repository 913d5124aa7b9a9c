"""What an import of products has to remember so that it can be undone: each row before and after it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from kameng_catalog.importing.product_plan import Known, Plan

Row = Mapping[str, Any]

CATEGORY = ("titles",)
PRODUCT = ("category", "titles", "descriptions", "tags", "form", "status")
VARIANT = (
    "titles",
    "face_minor",
    "face_currency",
    "cost_units",
    "cost_currency",
    "min_quantity",
    "max_quantity",
    "status",
)
"""Columns that an import changes of rows that are there."""


def undo_rows(plan: Plan, known: Known) -> Iterator[tuple[str, Row]]:
    """What names each changed row, and what undoes it; they are undone from the last to the first.

    So costs are restored before prices, whose floor they are, and prices are gone before the variants that are new.
    ``old`` is null for a row that is new; ``new`` is what must still be there for the row to be restored.
    """
    paths = {path: row["id"] for path, row in known.categories.items()}
    for row in plan.categories:
        there = known.categories.get(row["path"])
        yield f"category {row['path']}", _change("category", row, there, CATEGORY)
    for row in plan.products:
        there = known.products.get(row["slug"])
        old = there and {**there, "category": paths[there["category"]]}
        yield f"product {row['slug']}", _change("product", row, old, PRODUCT)
    skus = {row["id"]: row["sku"] for row in plan.variants}
    variants = [(row, known.variants.get(row["sku"])) for row in plan.variants]
    yield from (
        (row["sku"], _change("variant", row, None, VARIANT)) for row, there in variants if there is None
    )
    there_by_key = {row["id"]: row for row in known.variants.values()}
    for row in plan.prices:
        there = there_by_key.get(row["variant"])
        sku = skus.get(row["variant"]) or (there or {})["sku"]
        price = {name: row[name] for name in ("variant", "tier", "min_quantity", "currency")}
        yield (
            f"{sku} {row['tier']} {row['currency']}",
            {"what": "price", "price": price, "old": there and there["price"], "new": row["units"]},
        )
    yield from (
        (row["sku"], _change("variant", row, there, VARIANT)) for row, there in variants if there is not None
    )


def _change(what: str, row: Row, there: Row | None, columns: tuple[str, ...]) -> Row:
    old = None if there is None else {name: there[name] for name in columns}
    return {"what": what, "id": row["id"], "old": old, "new": {name: row[name] for name in columns}}
