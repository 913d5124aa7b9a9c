"""What the product list is made of: categories, products and their variants, in Chinese and English."""

from dataclasses import dataclass
from decimal import Decimal


@dataclass(frozen=True, slots=True)
class Text:
    """One text in both languages of the demo shop."""

    zh: str
    en: str

    def __add__(self, other: "Text") -> "Text":
        """Both texts one after the other; English needs a space between them, Chinese doesn't."""
        return Text(self.zh + other.zh, f"{self.en} {other.en}")


@dataclass(frozen=True, slots=True)
class Category:
    """A leaf of the two-level category tree; ``path`` is ``parent/leaf`` in slugs."""

    path: str
    name: Text


@dataclass(frozen=True, slots=True)
class Variant:
    """One thing on sale. ``price`` and ``cost`` are CNY with at most four decimals."""

    sku: str
    title: Text
    face_value: Decimal
    face_currency: str
    price: Decimal
    cost: Decimal


@dataclass(frozen=True, slots=True)
class Product:
    """Variants that share a title, a description and a place in the category tree."""

    slug: str
    category: Category
    title: Text
    description: Text
    tags: tuple[str, ...]
    variants: tuple[Variant, ...]
