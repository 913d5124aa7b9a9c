"""What staff may do with payments."""

from typing import Final

READ_PAYMENTS: Final = "settlement.read_payments"
"""The permission to see payments, refunds, accounts with gateways and what gateways said; no secrets."""

MANAGE_GATEWAYS: Final = "settlement.manage_gateways"
"""The permission to change accounts with gateways."""

REFUND_PAYMENTS: Final = "settlement.refund_payments"
"""The permission to give money back through gateways."""

SETTLE_REFUNDS: Final = "settlement.settle_refunds"
"""The permission to say what became of a refund where its gateway does not; two persons have to."""

CONFIRM_TRANSFERS: Final = "settlement.confirm_transfers"
"""The permission to see proofs of transfers and to confirm that money came in; two persons have to."""

MANAGE_TOP_UPS: Final = "settlement.manage_top_ups"
"""The permission to change the bonuses on top-ups."""

MANAGE_GIFT_CARDS: Final = "settlement.manage_gift_cards"
"""The permission to make and to void gift cards, without seeing their codes."""

REVEAL_GIFT_CARDS: Final = "settlement.reveal_gift_cards"
"""The permission to see the codes of gift cards, with a fresh second factor."""
