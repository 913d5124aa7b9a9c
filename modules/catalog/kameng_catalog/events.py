"""The facts that the catalogue publishes."""

from kameng.events import Event


class ProductsImported(Event, frozen=True, kw_only=True):
    """A product file was imported.

    Attributes:
        created, updated: numbers of variants.
    """

    name = "catalog.products_imported"
    pages = True
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


class StockAdjusted(Event, frozen=True, kw_only=True):
    """Somebody of the staff changed a number of pieces.

    Attributes:
        variant, sku: the variant's key and number.
        change: how many more, or fewer.
        on_hand: how many there are now.
        reason, by: why, and the key of the principal.
    """

    name = "catalog.stock_adjusted"
    variant: str
    sku: str
    change: int
    on_hand: int
    reason: str
    by: str


class StockLow(Event, frozen=True, kw_only=True):
    """A variant's stock fell below its threshold. It comes once for each time that it does.

    Attributes:
        variant, sku: the variant's key and number.
        available: how many there were when it was noticed.
        threshold: fewer than this are few.
    """

    name = "catalog.stock_low"
    variant: str
    sku: str
    available: int
    threshold: int


class StockRecovered(Event, frozen=True, kw_only=True):
    """A variant of which there were few has enough again.

    Attributes:
        variant, sku: the variant's key and number.
        threshold: there are at least so many.
    """

    name = "catalog.stock_recovered"
    variant: str
    sku: str
    threshold: int


class BatchQuarantined(Event, frozen=True, kw_only=True):
    """The unsold cards of a batch may not be sold for the time being.

    Attributes:
        batch: its key.
        reason, by: why, and the key of the principal.
    """

    name = "catalog.batch_quarantined"
    batch: str
    reason: str
    by: str


class BatchReadmitted(Event, frozen=True, kw_only=True):
    """The cards of a batch that was in quarantine may be sold again.

    Attributes:
        batch: its key.
        reason, by: why, and the key of the principal.
    """

    name = "catalog.batch_readmitted"
    batch: str
    reason: str
    by: str


class BatchRecalled(Event, frozen=True, kw_only=True):
    """The unsold cards of a batch will never be sold.

    Attributes:
        batch: its key.
        sold: how many of its cards had been sold before.
        reason, by: why, and the key of the principal.
    """

    name = "catalog.batch_recalled"
    batch: str
    sold: int
    reason: str
    by: str
