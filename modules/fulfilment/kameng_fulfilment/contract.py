"""What other modules may use of fulfilment: the facts it publishes. No tables."""

from kameng_fulfilment.events import OrderCompleted, SoldLine

__all__ = ["OrderCompleted", "SoldLine"]
