"""The lines of a product file, checked one by one and against each other."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

import msgspec

from kameng.errors import InvalidInput
from kameng.money import UNIT_DECIMALS
from kameng_catalog.forms import Form, checked_form
from kameng_catalog.importing import cells
from kameng_catalog.importing.faults import CellFault, Fault, Faults
from kameng_catalog.importing.rows import Columns, Row, Sheet, misshapen

LOCALE_SUFFIXES = {"zh": "zh-CN", "en": "en"}
"""Which locale a column's ending stands for, as in ``title_zh``."""

COLUMNS = Columns(
    known=(
        "sku",
        "product",
        "title_zh",
        "title_en",
        "variant_zh",
        "variant_en",
        "category",
        "category_zh",
        "category_en",
        "kind",
        "face_value",
        "face_currency",
        "price",
        "cost",
        "cost_currency",
        "currency",
        "min_quantity",
        "max_quantity",
        "description_zh",
        "description_en",
        "tags",
        "form",
        "product_status",
        "status",
    ),
    required=frozenset(
        {"sku", "product", "title_zh", "variant_zh", "category", "kind", "price", "currency", "status"}
    ),
)
"""The columns of a product file. What an optional column would say stays as it is if the column is not
there.
"""

OF_THE_PRODUCT = (
    "title_zh",
    "title_en",
    "category",
    "description_zh",
    "description_en",
    "tags",
    "form",
    "product_status",
)
"""Columns in which all lines of a product agree."""

OF_THE_CATEGORY = ("category_zh", "category_en")
"""Columns in which all lines of a category agree."""


class ProductLine(msgspec.Struct, frozen=True, kw_only=True):
    """A sound line: one variant, with what it says of its product and category.

    Attributes:
        line: where it stands.
        sku, product, category: the variant's number, the product's slug, the category's path.
        titles, variant_titles, descriptions: texts by locale; only those that are not empty.
        category_titles: the same for the category, and for those above it that the line names, by path.
        kind, status, tags: as the columns say.
        product_status: of the product; empty where the file does not say.
        form: what a buyer fills in; the column holds it as JSON.
        face: minor units and currency of what the card is worth.
        price: ten-thousandths of ``currency``.
        cost, cost_currency: ten-thousandths, and of what; of ``currency`` where the file does not say.
        min_quantity, max_quantity: None where the file does not say.
    """

    line: int
    sku: str
    product: str
    category: str
    titles: Mapping[str, str]
    variant_titles: Mapping[str, str]
    category_titles: Mapping[str, Mapping[str, str]]
    descriptions: Mapping[str, str]
    kind: str
    status: str
    product_status: str
    tags: tuple[str, ...]
    form: Form
    face: tuple[int, str] | None
    price: int
    cost: int | None
    cost_currency: str
    currency: str
    min_quantity: int | None
    max_quantity: int | None


def _title(text: str) -> str:
    return cells.plain(text, cells.LONGEST_TITLE)


def _needed_title(text: str) -> str:
    return _title(cells.given(text))


def _optional(read: Callable[[str], Any]) -> Callable[[str], Any]:
    return lambda text: read(text) if text else None


def _category_title(text: str) -> str:
    # One name for the leaf, or one for each level: "Games/PC platforms".
    return "/".join(_needed_title(part.strip()) for part in text.split("/")) if text else ""


def _description(text: str) -> str:
    return cells.plain(text, cells.LONGEST_DESCRIPTION)


def _form(text: str) -> Form:
    if not text:
        return ()
    try:
        return checked_form(msgspec.json.decode(text, type=Form))
    except msgspec.MsgspecError as error:
        raise CellFault(f"is no form: {error}") from error
    except InvalidInput as error:
        raise CellFault(f"is no form: {error.message}") from error


_READERS: Mapping[str, Callable[[str], Any]] = {
    "sku": cells.sku,
    "product": cells.slug,
    "title_zh": _title,
    "title_en": _title,
    "variant_zh": _title,
    "variant_en": _title,
    "category": cells.path,
    "category_zh": _category_title,
    "category_en": _category_title,
    "kind": cells.kind,
    "face_value": _optional(lambda text: cells.number(text, UNIT_DECIMALS)),
    "face_currency": _optional(cells.currency),
    "price": cells.units,
    "cost": _optional(cells.units),
    "cost_currency": _optional(cells.currency),
    "currency": cells.currency,
    "min_quantity": _optional(cells.quantity),
    "max_quantity": _optional(cells.quantity),
    "description_zh": _description,
    "description_en": _description,
    "tags": cells.tags,
    "form": _form,
    "product_status": _optional(cells.status),
    "status": cells.status,
}


class ProductLines:
    """Reads the lines of a product file.

    Args:
        sheet: the file.
        faults: takes what is wrong.
    """

    def __init__(self, sheet: Sheet, faults: Faults) -> None:
        self._sheet = sheet
        self._faults = faults
        self._skus: dict[str, int] = {}
        self._said: dict[tuple[str, str], tuple[int, dict[str, str]]] = {}

    def read(self) -> Iterator[ProductLine]:
        """The sound lines, in order."""
        return (line for row in self._sheet.rows() if (line := self._read(row)) is not None)

    def _read(self, row: Row) -> ProductLine | None:
        if fault := misshapen(row, self._sheet.columns):
            self._faults.add(fault)
            return None
        texts = dict(zip(self._sheet.columns, row.cells, strict=True))
        values: dict[str, Any] = {}
        faults = []
        for column, text in texts.items():
            try:
                values[column] = _READERS[column](text)
            except CellFault as fault:
                faults.append(Fault(row.line, column, str(fault)))
        faults += _against_itself(row.line, texts, values)
        if not faults:
            faults = self._against_others(row.line, texts)
        if faults:
            self._faults.add(*faults)
            return None
        return _line(row.line, texts, values)

    def _against_others(self, line: int, texts: Mapping[str, str]) -> list[Fault]:
        """Whether the line repeats or contradicts an earlier one; only sound lines count."""
        sku = texts["sku"]
        if sku in self._skus:
            return [Fault(line, "sku", f"{cells.quoted(sku)} stands in line {self._skus[sku]} already")]
        faults = []
        for whole, columns in (("product", OF_THE_PRODUCT), ("category", OF_THE_CATEGORY)):
            said = {column: texts[column] for column in columns if column in texts}
            first, others = self._said.get((whole, texts[whole]), (line, said))
            faults += [
                Fault(line, column, f"is not what line {first} says of the same {whole}")
                for column in said
                if said[column] != others[column]
            ]
        if not faults:
            self._skus[sku] = line
            for whole, columns in (("product", OF_THE_PRODUCT), ("category", OF_THE_CATEGORY)):
                said = {column: texts[column] for column in columns if column in texts}
                self._said.setdefault((whole, texts[whole]), (line, said))
        return faults


def _against_itself(line: int, texts: Mapping[str, str], values: dict[str, Any]) -> list[Fault]:
    """Whether cells of a line fit together; cells that are wrong by themselves are left out."""
    # One language is enough.
    faults = [
        Fault(line, f"{name}_zh", "is missing")
        for name in ("title", "variant")
        if not texts.get(f"{name}_zh") and not texts.get(f"{name}_en")
    ]
    for one, other in (("face_value", "face_currency"), ("face_currency", "face_value")):
        if texts.get(one) and not texts.get(other):
            faults.append(Fault(line, other, f"is missing, while {one} is given"))
    if values.get("face_value") is not None and values.get("face_currency"):
        try:
            values["face_value"] = cells.minor(texts["face_value"], values["face_currency"])
        except CellFault as fault:
            faults.append(Fault(line, "face_value", f"{fault} for {values['face_currency']}"))
    levels = texts.get("category", "").count("/") + 1
    for suffix in LOCALE_SUFFIXES:
        names = values.get(f"category_{suffix}") or ""
        if names.count("/") not in (0, levels - 1):
            faults.append(
                Fault(line, f"category_{suffix}", f"has {names.count('/') + 1} names for a path of {levels}")
            )
    least, most = values.get("min_quantity"), values.get("max_quantity")
    if least and most and least > most:
        faults.append(Fault(line, "max_quantity", f"{most} is less than min_quantity {least}"))
    return faults


def _line(line: int, texts: Mapping[str, str], values: Mapping[str, Any]) -> ProductLine:
    face = (values["face_value"], values["face_currency"]) if texts.get("face_value") else None
    return ProductLine(
        line=line,
        sku=values["sku"],
        product=values["product"],
        category=values["category"],
        titles=_localized(values, "title"),
        variant_titles=_localized(values, "variant"),
        category_titles=_category_titles(values),
        descriptions=_localized(values, "description"),
        kind=values["kind"],
        status=values["status"],
        product_status=values.get("product_status") or "",
        tags=values.get("tags", ()),
        form=values.get("form", ()),
        face=face,
        price=values["price"],
        cost=values.get("cost"),
        cost_currency=values.get("cost_currency") or values["currency"],
        currency=values["currency"],
        min_quantity=values.get("min_quantity"),
        max_quantity=values.get("max_quantity"),
    )


def _localized(values: Mapping[str, Any], name: str) -> dict[str, str]:
    return {
        locale: text for suffix, locale in LOCALE_SUFFIXES.items() if (text := values.get(f"{name}_{suffix}"))
    }


def _category_titles(values: Mapping[str, Any]) -> dict[str, dict[str, str]]:
    found: dict[str, dict[str, str]] = {}
    for locale, names in _localized(values, "category").items():
        path = values["category"]
        for name in reversed(names.split("/")):
            found.setdefault(path, {})[locale] = name
            path = path.rpartition("/")[0]
    return found
