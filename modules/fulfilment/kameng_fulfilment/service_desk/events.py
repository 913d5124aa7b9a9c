"""The facts that the service desk publishes."""

from kameng.events import Event


class ServiceOverdue(Event, frozen=True, kw_only=True):
    """A line that the staff deliver was not delivered in time. Told once for each line.

    Attributes:
        order, number, line: keys, and the order's number.
        sku: what was bought.
        due_by: until when it was to be delivered; ISO 8601, UTC.
    """

    name = "fulfilment.service_overdue"
    order: str
    number: str
    line: str
    sku: str
    due_by: str
