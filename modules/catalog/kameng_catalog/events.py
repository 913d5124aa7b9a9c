"""The facts that the catalogue publishes."""

from kameng.events import Event


class ProductsImported(Event, frozen=True, kw_only=True):
    """A product file was imported.

    Attributes:
        created, updated: numbers of variants.
    """

    name = "catalog.products_imported"
    created: int
    updated: int


class CardsImported(Event, frozen=True, kw_only=True):
    """Cards came into stock.

    Attributes:
        batch: the stock batch's key.
        counts: number of cards by SKU.
    """

    name = "catalog.cards_imported"
    batch: str
    counts: dict[str, int]
