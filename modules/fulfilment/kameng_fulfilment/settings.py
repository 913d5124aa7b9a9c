"""Section ``[fulfilment]`` of ``kameng.toml``."""

from typing import Annotated, Literal

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
        service_minutes: how soon after its payment a line is to be delivered that the staff deliver, unless its variant says so.
        claim_minutes: how long a line on the service desk is one person's, who may renew it.
        supplier_attention_minutes: a supplier's order that is not settled after so long is shown to a person.
        supplier_patience_minutes: how long a line waits for suppliers that cannot be reached, before it could not be delivered.
        supplier_silence_seconds: a supplier that says it never got an order is believed so long after the call must have ended.
        supplier_private_hosts: names of suppliers' hosts that may have private addresses, such as ``erp.internal``.
        supplier_loopback: whether suppliers on this very machine may be called, by plain http too: for development and tests.
        supplier_ca_file: certificates that suppliers' are checked against instead of the public ones, in PEM.
        guest_cart_days: a visitor's cart is deleted so many days after it was last changed.
        carts_per_address: how often visitors of one network address may begin a cart.
        guest_orders: whether visitors may order without an account, paid from outside.
        guest_unpaid_per_contact: how many of such orders may wait for their payment for one e-mail address or phone number.
        guest_unpaid_per_address: and for one network address.
        guest_orders_per_address: how often one network address may place such orders.
        lookups_per_address: how often one network address may look such orders up.
        lookups_per_number: how often one order number may be looked up by a contact, by anybody.
        lookups_per_contact: how often orders of one contact may be looked up, by anybody.
        two_persons_from_minor: payments that the staff confirm by hand need two different persons from this amount on, in
            minor units; 0: always.
        unfulfillable: what becomes of money for an order that came too late or was called off, whose stock is gone: ``credit``
            leaves it in the buyer's wallet, ``refund`` sends it back by its gateway where that gives back; guests' money
            always goes back.
        mail_cards: whether mail that tells of a complete order holds the cards; otherwise their buyer finds them in the shop.
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
    guest_cart_days: int = 30
    carts_per_address: str = "60/hour"
    guest_orders: bool = True
    guest_unpaid_per_contact: int = 3
    guest_unpaid_per_address: int = 10
    guest_orders_per_address: str = "10/minute;60/hour"
    lookups_per_address: str = "20/minute;100/hour"
    lookups_per_number: str = "10/hour"
    lookups_per_contact: str = "20/hour"
    two_persons_from_minor: Annotated[int, msgspec.Meta(ge=0)] = 0
    unfulfillable: Literal["credit", "refund"] = "credit"
    service_minutes: Annotated[int, msgspec.Meta(ge=1)] = 120
    claim_minutes: Annotated[int, msgspec.Meta(ge=1, le=1440)] = 15
    supplier_attention_minutes: Annotated[int, msgspec.Meta(ge=1)] = 30
    supplier_patience_minutes: Annotated[int, msgspec.Meta(ge=0)] = 60
    supplier_silence_seconds: Annotated[int, msgspec.Meta(ge=0)] = 120
    supplier_private_hosts: tuple[str, ...] = ()
    supplier_loopback: bool = False
    supplier_ca_file: str = ""
    mail_cards: bool = False
