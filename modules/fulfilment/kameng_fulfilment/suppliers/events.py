"""The facts that suppliers' orders publish."""

from kameng.events import Event


class SupplierOrderNeedsAttention(Event, frozen=True, kw_only=True):
    """An order at a supplier stands where a person has to look at it.

    Attributes:
        supplier_order: its key.
        supplier: the account's name.
        order, number, line: the buyer's order and line.
        sku: what was bought.
        attention: why: ``SLOW``, ``UNKNOWN``, ``INCOMPLETE``, ``LATE``, ``COST`` or ``CONTRADICTS``.
    """

    name = "fulfilment.supplier_order_needs_attention"
    supplier_order: str
    supplier: str
    order: str
    number: str
    line: str
    sku: str
    attention: str
