"""The whole product list, and its rows in the columns of the import."""

from collections.abc import Mapping

from . import consoles, memberships, mobile_games, pc_games, point_cards, software, store_cards, topups
from .categories import ROOTS
from .sheets import money_text, number_text
from .wares import Product, Variant

PRODUCTS: tuple[Product, ...] = (
    *topups.PRODUCTS,
    *pc_games.PRODUCTS,
    *consoles.PRODUCTS,
    *mobile_games.PRODUCTS,
    *point_cards.PRODUCTS,
    *store_cards.PRODUCTS,
    *memberships.PRODUCTS,
    *software.PRODUCTS,
)

COLUMNS = (
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
    "currency",
    "description_zh",
    "description_en",
    "tags",
    "status",
)
"""Header of the product files: the names that the import knows."""

SMALL = (
    "CMCC-50",
    "CUCC-100",
    "CTCC-100",
    "STEAM-US-20",
    "APPLE-CN-100",
    "PSN-HK-200",
    "QQ-30",
    "IQIYI-GOLD-12M",
    "WIN11-PRO",
    "GENSHIN-CN-6480",
)
"""The variants of the small workbook."""

VARIANTS: Mapping[str, tuple[Product, Variant]] = {
    variant.sku: (product, variant) for product in PRODUCTS for variant in product.variants
}


def row(product: Product, variant: Variant) -> dict[str, str]:
    """One line of a product file, by column."""
    category = product.category
    root = ROOTS[category.path.partition("/")[0]]
    return {
        "sku": variant.sku,
        "product": product.slug,
        "title_zh": product.title.zh,
        "title_en": product.title.en,
        "variant_zh": variant.title.zh,
        "variant_en": variant.title.en,
        "category": category.path,
        "category_zh": f"{root.zh}/{category.name.zh}",
        "category_en": f"{root.en}/{category.name.en}",
        "kind": "card",
        "face_value": number_text(variant.face_value),
        "face_currency": variant.face_currency,
        "price": money_text(variant.price),
        "cost": money_text(variant.cost),
        "currency": "CNY",
        "description_zh": product.description.zh,
        "description_en": product.description.en,
        "tags": ";".join(product.tags),
        "status": "published",
    }


def row_of(sku: str) -> dict[str, str]:
    """The line of one variant."""
    return row(*VARIANTS[sku])


def rows() -> list[dict[str, str]]:
    """Every line of the product list, grouped by product."""
    return [row(product, variant) for product in PRODUCTS for variant in product.variants]
