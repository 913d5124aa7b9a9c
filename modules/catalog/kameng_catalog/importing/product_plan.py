"""What a product file changes: its lines compared with what is there. Nothing is written here."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any
from uuid import UUID

import msgspec
import orjson

from kameng.ids import new_id
from kameng.money import UNIT_DECIMALS, minor_decimals
from kameng_catalog.contract import RETAIL
from kameng_catalog.importing.cells import quoted
from kameng_catalog.importing.faults import Fault, Faults
from kameng_catalog.importing.product_lines import LOCALE_SUFFIXES, ProductLine
from kameng_catalog.importing.report import Change, FieldChange, Outcome

Row = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Known:
    """What is in the database of the things that a file names.

    Attributes:
        categories: every category by path.
        products: products by slug.
        variants: variants by SKU, with the retail price in the line's currency.
    """

    categories: Mapping[str, Row]
    products: Mapping[str, Row]
    variants: Mapping[str, Row]


@dataclass(slots=True)
class Plan:
    """What is to be written, each list in the shape that its statement takes.

    Attributes:
        categories, products, variants: rows, parents before children.
        prices: what `price_writing.PriceChange` takes.
        price_lines: the line of each price.
        changes: what becomes of each line.
    """

    categories: list[Row] = field(default_factory=list)
    products: list[Row] = field(default_factory=list)
    variants: list[Row] = field(default_factory=list)
    prices: list[Row] = field(default_factory=list)
    price_lines: list[int] = field(default_factory=list)
    changes: list[Change] = field(default_factory=list)


class Planner:
    """Plans an import.

    Args:
        columns: the columns that the file has; of what is in no column, nothing changes.
        known: what is there.
        faults: takes what contradicts it.
        file: all lines of the file, any of which may name a category; it may be planned in parts.
    """

    def __init__(
        self, columns: Sequence[str], known: Known, faults: Faults, file: Sequence[ProductLine]
    ) -> None:
        self._columns = frozenset(columns)
        self._file = file
        self._known = known
        self._faults = faults
        self._plan = Plan()
        self._categories: dict[str, tuple[Row, tuple[FieldChange, ...]]] = {}
        self._products: dict[str, tuple[Row, tuple[FieldChange, ...]]] = {}
        self._variants_of: dict[str, int] = {}

    def plan(self, lines: Sequence[ProductLine]) -> Plan:
        """The plan for all lines that contradict nothing; all lines of a product are planned together."""
        sound = [line for line in lines if not self._contradicts(line)]
        names: dict[str, dict[str, str]] = {}
        for line in self._file:
            for path, titles in line.category_titles.items():
                names[path] = {**titles, **names.get(path, {})}
        for path in sorted({path for line in sound for path in _paths_to(line.category)}):
            self._plan_category(path, names.get(path, {}))
        published = {line.product for line in sound if line.status == "published"}
        for line in sound:
            if line.product not in self._products:
                self._plan_product(line, published=line.product in published)
            self._plan_variant(line)
        return self._plan

    def _contradicts(self, line: ProductLine) -> bool:
        there = self._known.variants.get(line.sku)
        faults = self._below_cost(line, there)
        if there is None:
            self._faults.add(*faults)
            return bool(faults)
        if there["product"] != line.product:
            faults.append(
                Fault(
                    line.line, "product", f"{quoted(line.sku)} belongs to {quoted(there['product'])} already"
                )
            )
        if there["stock_kind"] != line.kind:
            faults.append(
                Fault(
                    line.line, "kind", f"is {quoted(there['stock_kind'])} already, which no file can change"
                )
            )
        self._faults.add(*faults)
        return bool(faults)

    def _below_cost(self, line: ProductLine, there: Row | None) -> list[Fault]:
        """No price is below the cost that the line or what is there tells, unless the variant allows it."""
        old = there or {"cost_units": None, "cost_currency": None, "below_cost": False}
        cost = (old["cost_units"], old["cost_currency"])
        if "cost" in self._columns:
            cost = (line.cost, line.cost_currency)
        if there and (line.price, *cost) == (there["price"], old["cost_units"], old["cost_currency"]):
            return []  # what is there already may stay
        units, currency = cost
        if old["below_cost"] or units is None or currency != line.currency or line.price >= units:
            return []
        return [Fault(line.line, "price", "is lower than what one costs, which the variant does not allow")]

    def _locales(self, name: str) -> set[str]:
        return {locale for suffix, locale in LOCALE_SUFFIXES.items() if f"{name}_{suffix}" in self._columns}

    def _texts(self, name: str, new: Mapping[str, str], old: Mapping[str, str]) -> dict[str, str]:
        """The texts of the file, and of what is there those in languages that the file does not speak of."""
        spoken = self._locales(name)
        return {**{locale: text for locale, text in old.items() if locale not in spoken}, **new}

    def _plan_category(self, path: str, titles: Mapping[str, str]) -> None:
        there = self._known.categories.get(path)
        if there is None:
            parent = self._categories[path.rpartition("/")[0]][0] if "/" in path else None
            # A category that nobody names is called by its slug until somebody does.
            fallback = path.rpartition("/")[2].replace("-", " ").capitalize()
            row = {
                "id": new_id(),
                "parent": parent and parent["id"],
                "path": path,
                "titles": dict(titles) or dict.fromkeys(LOCALE_SUFFIXES.values(), fallback),
            }
            self._plan.categories.append(row)
            self._categories[path] = row, ()
            return
        named = {**there["titles"], **titles}
        row = {"id": there["id"], "parent": there["parent"], "path": path, "titles": named}
        changes = _differences(_shown_texts("category", there["titles"]), _shown_texts("category", named))
        if changes:
            self._plan.categories.append(row)
        self._categories[path] = row, changes

    def _plan_product(self, line: ProductLine, *, published: bool) -> None:
        there = self._known.products.get(line.product)
        old = there or {
            "id": new_id(),
            "titles": {},
            "descriptions": {},
            "tags": [],
            "form": None,
            "status": line.status,
        }
        row = {
            "id": old["id"],
            "slug": line.product,
            "category": self._categories[line.category][0]["id"],
            "titles": self._texts("title", line.titles, old["titles"]),
            "descriptions": self._texts("description", line.descriptions, old["descriptions"]),
            "tags": list(line.tags) if "tags" in self._columns else old["tags"],
            "form": (msgspec.to_builtins(line.form) or None) if "form" in self._columns else old["form"],
            # One variant for sale puts its product on sale; only a person takes it off.
            "status": line.product_status or ("published" if published else old["status"]),
        }
        changes: tuple[FieldChange, ...] = ()
        if there is not None:
            changes = _differences(_shown_product(there), _shown_product({**row, "category": line.category}))
        if there is None or changes:
            self._plan.products.append(row)
        self._products[line.product] = row, changes

    def _plan_variant(self, line: ProductLine) -> None:
        there = self._known.variants.get(line.sku)
        position = self._variants_of.get(line.product, 0)
        self._variants_of[line.product] = position + 1
        old = there or {"id": new_id(), "titles": {}, "position": position, **_NEW_VARIANT}
        row = {
            "id": old["id"],
            "product": self._products[line.product][0]["id"],
            "sku": line.sku,
            "titles": self._texts("variant", line.variant_titles, old["titles"]),
            "stock_kind": line.kind,
            **self._if_column("face_value", line.face, ("face_minor", "face_currency"), old),
            **self._if_column(
                "cost",
                None if line.cost is None else (line.cost, line.cost_currency),
                ("cost_units", "cost_currency"),
                old,
            ),
            "min_quantity": line.min_quantity or old["min_quantity"],
            "max_quantity": line.max_quantity or old["max_quantity"],
            "position": old["position"],
            "status": line.status,
        }
        own: tuple[FieldChange, ...] = ()
        changes: tuple[FieldChange, ...] = ()
        outcome = Outcome.CREATED
        if there is not None:
            own = _differences(_shown_variant(there), _shown_variant({**row, "price": line.price}))
            changes = (*own, *self._products[line.product][1], *self._categories[line.category][1])
            outcome = Outcome.UPDATED if changes else Outcome.UNCHANGED
        if there is None or own:
            self._plan.variants.append(row)
        if there is None or there["price"] != line.price:
            self._plan.price_lines.append(line.line)
            self._plan.prices.append(
                {
                    "variant": row["id"],
                    "tier": RETAIL,
                    "min_quantity": 1,
                    "currency": line.currency,
                    "units": line.price,
                }
            )
        self._plan.changes.append(Change(line.line, line.sku, outcome, changes))

    def _if_column(
        self, column: str, values: tuple[int, str] | None, names: tuple[str, str], old: Row
    ) -> dict[str, Any]:
        if column not in self._columns:
            return {name: old[name] for name in names}
        return dict(zip(names, values or (None, None), strict=True))


_NEW_VARIANT: Mapping[str, Any] = {
    "face_minor": None,
    "face_currency": None,
    "cost_units": None,
    "cost_currency": None,
    "min_quantity": 1,
    "max_quantity": 100,
}


def _paths_to(path: str) -> Iterable[str]:
    parts = path.split("/")
    return ("/".join(parts[: i + 1]) for i in range(len(parts)))


def _shown_texts(name: str, texts: Mapping[str, str]) -> dict[str, str]:
    suffixes = {locale: suffix for suffix, locale in LOCALE_SUFFIXES.items()}
    return {f"{name}_{suffixes.get(locale, locale)}": text for locale, text in texts.items()}


def _shown_product(row: Row) -> dict[str, str]:
    return {
        **_shown_texts("title", row["titles"]),
        **_shown_texts("description", row["descriptions"]),
        "category": row["category"],
        "tags": ";".join(row["tags"]),
        "form": ""
        if row["form"] is None
        else orjson.dumps(row["form"], option=orjson.OPT_SORT_KEYS).decode(),
        "product status": row["status"],
    }


def _shown_variant(row: Row) -> dict[str, str]:
    return {
        **_shown_texts("variant", row["titles"]),
        "face_value": _shown(row["face_minor"], row["face_currency"], minor_decimals),
        "cost": _shown(row["cost_units"], row["cost_currency"], lambda _currency: UNIT_DECIMALS),
        "price": _shown(row["price"], "", lambda _currency: UNIT_DECIMALS),
        "min_quantity": str(row["min_quantity"]),
        "max_quantity": str(row["max_quantity"]),
        "status": row["status"],
    }


def _shown(value: int | None, currency: str, decimals: Callable[[str], int]) -> str:
    return "" if value is None else f"{Decimal(value).scaleb(-decimals(currency)):f} {currency}".strip()


def _differences(old: Mapping[str, str], new: Mapping[str, str]) -> tuple[FieldChange, ...]:
    return tuple(
        FieldChange(name, old.get(name, ""), new.get(name, ""))
        for name in {**old, **new}
        if old.get(name, "") != new.get(name, "")
    )


def keys_of(rows: Iterable[Row], name: str) -> list[UUID]:
    """One key of each row, each once."""
    return list(dict.fromkeys(row[name] for row in rows))
