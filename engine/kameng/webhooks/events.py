"""The facts that the webhooks publish."""

from kameng.events import Event


class WebhookEndpointDisabled(Event, frozen=True, kw_only=True):
    """An endpoint was switched off since it is gone or has been failing for days.

    Attributes:
        endpoint: its key.
        label: its name for people.
        reason: ``gone`` or ``failing``.
    """

    name = "webhooks.endpoint_disabled"
    endpoint: str
    label: str
    reason: str
