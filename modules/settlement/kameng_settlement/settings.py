"""Settlement's section of ``kameng.toml``."""

import msgspec


class SettlementSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Section ``[settlement]``.

    Attributes:
        currency: the currency of a wallet that is asked for without one, ISO 4217.
        query_above_minor: a gateway that says by itself that so much or more was paid is asked before it counts, in
            minor units; 0: it is always asked.
        manual_from_minor: transfers that people confirm are offered from this amount on, in minor units.
        payment_starts: how often one payer may begin to pay, at whatever gateway.
        notifications_per_address: how often one network address may tell of an account's payments.
        notifications_per_account: how often anybody may.
        payment_hours: how long a top-up may be paid.
        top_up_from_minor, top_up_to_minor: the smallest and the largest top-up, in minor units.
        gift_card_tries_per_member: how often a member may try codes of gift cards.
        gift_card_tries_per_address: how often one network address may.
    """

    currency: str = "CNY"
    query_above_minor: int = 100_000
    manual_from_minor: int = 0
    payment_starts: str = "20/minute;200/hour"
    notifications_per_address: str = "600/minute"
    notifications_per_account: str = "6000/minute"
    payment_hours: int = 2
    top_up_from_minor: int = 100
    top_up_to_minor: int = 5_000_000
    gift_card_tries_per_member: str = "10/hour;30/day"
    gift_card_tries_per_address: str = "20/hour;100/day"
