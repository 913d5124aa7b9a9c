"""Section ``[fulfilment]`` of ``kameng.toml``."""

import msgspec


class FulfilmentSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """How orders are committed, and what becomes of them.

    Attributes:
        batch_linger_ms: milliseconds that an order waits for others to be committed with.
        batch_size: the most orders of one transaction.
        batch_writers: transactions that one process commits at the same time.
        reservation_minutes: how long stock is kept for an order that is paid from outside.
        max_unpaid_orders: how many such orders a buyer may have at the same time.
        refund_failed_minutes: after so long a line that could not be delivered is refunded by itself; 0: a person decides.
        ticket_days: how long after its delivery a card can be complained about.
        replace_below_minor: cards that cost less, in minor units, are replaced without a person; 0: none is.
        replace_ticket_share: and only for buyers of whose cards of the last 90 days at most this share was complained
            about, 0 to 1; one complaint is always allowed.
    """

    batch_linger_ms: float = 1.5
    batch_size: int = 64
    batch_writers: int = 2
    reservation_minutes: int = 15
    max_unpaid_orders: int = 5
    refund_failed_minutes: int = 0
    ticket_days: int = 7
    replace_below_minor: int = 0
    replace_ticket_share: float = 0.05
